from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
from pathlib import Path

import pytest

from paretune import disk
from paretune.disk import copy_file, held, write_bytes
from paretune.errors import DataError, RunFolderError
from paretune.run.folder import RunFolder
from paretune.run.jsonl import LineWriter, read_lines
from paretune.sources.fetch import fetch
from paretune.sources.store import find_data
from tests.sources.conftest import write_spider, zip_of


@pytest.fixture
def poor_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without rename, hard links, locks, times and syncing."""

    def refuse(number: int) -> object:
        def call(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number))

        return call

    monkeypatch.setattr(os, "replace", refuse(errno.ENOTSUP))
    monkeypatch.setattr(os, "rename", refuse(errno.ENOTSUP))
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(os, "utime", refuse(errno.EPERM))
    monkeypatch.setattr(os, "fsync", refuse(errno.EINVAL))
    monkeypatch.setattr(fcntl, "flock", refuse(errno.ENOLCK))


@pytest.mark.usefixtures("poor_disk")
def test_fetch_on_a_poor_file_system_ends_with_the_whole(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    done = fetch("spider", str(zip_of(source, tmp_path / "x.zip")), say=lambda _: None)
    assert find_data("spider", "target.path") == done.folder
    assert (done.folder / "dev.json").read_bytes() == (source / "dev.json").read_bytes()


def test_fetch_marker_torn_by_a_kill_is_no_marker(tmp_path: Path, store: Path) -> None:
    source = str(write_spider(tmp_path / "source"))
    done = fetch("spider", source, say=lambda _: None)
    marker = done.folder / ".spider.json"
    whole = marker.read_bytes()
    marker.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="paretune fetch spider"):
        find_data("spider", "target.path")
    assert fetch("spider", source, say=lambda _: None).fresh
    assert marker.read_bytes() == whole


def test_fetch_file_shorter_than_its_marker_says_is_put_in_place_again(tmp_path: Path, store: Path) -> None:
    source = write_spider(tmp_path / "source")
    done = fetch("spider", str(source), say=lambda _: None)
    (done.folder / "dev.json").write_bytes(b"[")
    assert fetch("spider", str(source), say=lambda _: None).fresh
    assert (done.folder / "dev.json").read_bytes() == (source / "dev.json").read_bytes()


@pytest.mark.usefixtures("poor_disk")
def test_write_bytes_without_rename_leaves_the_file_alone_behind(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"content")
    copy_file(tmp_path / "a", tmp_path / "b")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"content", "b": b"content"}


def test_write_bytes_disk_full_is_not_taken_for_a_poor_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(tmp_path / "a", b"content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("poor_disk")
def test_held_without_locks_goes_on(tmp_path: Path) -> None:
    with held(tmp_path / ".lock") as first, held(tmp_path / ".lock") as second:
        assert (first, second) == (False, False)


@pytest.mark.usefixtures("poor_disk")
def test_run_folder_on_a_poor_file_system_is_written_locked_and_set_aside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.locked():
        folder.update_manifest({"name": "x"})
        folder.update_manifest({"seed": 1})
        with LineWriter(folder.prepared("sql"), {"fingerprint": "a"}) as writer:
            writer.append({"index": 0})
        with LineWriter(folder.prepared("sql"), {"fingerprint": "b"}) as writer:
            writer.append({"index": 1})
    assert folder.read_manifest() == {"name": "x", "seed": 1}
    assert read_lines(folder.prepared("sql"))[1] == [{"index": 1}]
    assert read_lines(folder.path / "prepared" / "sql.jsonl.old-1")[1] == [{"index": 0}]
    assert not (folder.path / "lock.json").exists()


@pytest.mark.usefixtures("poor_disk")
def test_run_folder_without_locks_respects_a_process_that_is_there(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    owner = {"process": os.getppid(), "host": socket.gethostname(), "command": "paretune run", "since": "now"}
    (folder.path / "lock.json").write_text(json.dumps(owner))
    with pytest.raises(RunFolderError, match=f"in use by process {os.getppid()}"), folder.locked():
        pass
    (folder.path / "lock.json").write_text(json.dumps({**owner, "host": "a session that died"}))
    with folder.locked():
        assert json.loads((folder.path / "lock.json").read_text())["process"] == os.getpid()


@pytest.mark.usefixtures("poor_disk")
def test_move_folder_without_rename_puts_the_vouching_file_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made" / "sub").mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "sub/z.txt"):
        (tmp_path / "made" / name).write_text(name)
    order: list[str] = []
    original = disk.copy_file

    def noted(source: Path, target: Path) -> None:
        order.append(source.name)
        original(source, target)

    monkeypatch.setattr(disk, "copy_file", noted)
    disk.move(tmp_path / "made", tmp_path / "kept", last=("config.json",))
    assert order == ["model.safetensors", "z.txt", "config.json"]
    assert (tmp_path / "kept/sub/z.txt").read_text() == "sub/z.txt"
    assert not (tmp_path / "made").exists()
