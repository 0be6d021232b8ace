from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sources.archive import Limits, unpack
from tests.sources.rar_files import rar_of

FILES = {"run 1/adapter_config.json": b"{}", "run 1/notes/ação.txt": b"x" * 5000}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which unpackers are looked for; empty."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    """An unpacker that does what the script says; the archive's folder stands in $FOLDER for bsdtar's words."""
    file = folder / name
    file.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\nfor FOLDER; do :; done\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.mark.parametrize("name", ["bsdtar", "unrar", "unar", "7zz", "7z"])
def test_unpack_rar_by_each_unpacker_writes_what_was_packed(tmp_path: Path, programs: Path, name: str) -> None:
    there = shutil.which(name, path=os.defpath)
    if there is None:
        pytest.skip(f"{name} is not installed")
    (programs / name).symlink_to(there)
    unpack(rar_of(FILES, tmp_path / "a.rar"), tmp_path / "out")
    files = {file.relative_to(tmp_path / "out").as_posix(): file for file in (tmp_path / "out").rglob("*.*")}
    assert {name: file.read_bytes() for name, file in files.items()} == FILES


@pytest.mark.usefixtures("programs")
def test_unpack_rar_without_an_unpacker_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a RAR archive, and none of bsdtar, .* apt-get install libarchive-tools"):
        unpack(rar_of(FILES, tmp_path / "a.rar"), tmp_path / "out")


def test_unpack_rar_that_one_unpacker_cannot_read_is_left_to_the_next(tmp_path: Path, programs: Path) -> None:
    program(programs, "bsdtar", 'touch "$FOLDER/half"; echo unknown method >&2; exit 1')
    archive = rar_of(FILES, tmp_path / "a.rar")
    with pytest.raises(DataError, match=r"cannot be unpacked \(bsdtar: unknown method"):
        unpack(archive, tmp_path / "out")
    program(programs, "unrar", 'echo read > "$FOLDER/whole"')
    unpack(archive, tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["whole"]


def test_unpack_rar_with_a_link_is_refused(tmp_path: Path, programs: Path) -> None:
    program(programs, "bsdtar", 'ln -s /etc/passwd "$FOLDER/passwd"')
    with pytest.raises(DataError, match="passwd: a link or a device; refused"):
        unpack(rar_of({"passwd": b"/etc/passwd"}, tmp_path / "a.rar", stat.S_IFLNK | 0o777), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unpack_rar_that_grows_without_end_is_stopped(tmp_path: Path, programs: Path) -> None:
    program(programs, "bsdtar", 'while true; do head -c 65536 /dev/zero >> "$FOLDER/zeros"; done')
    with pytest.raises(DataError, match="unpacks to more than 1000000 bytes; refused"):
        unpack(rar_of(FILES, tmp_path / "a.rar"), tmp_path / "out", Limits(bytes=1_000_000))
