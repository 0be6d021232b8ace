from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sources.archive import Limits, unpack
from tests.sources.conftest import tar_of, write_spider, zip_of


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)
    return path


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_unpack_writes_what_was_packed(tmp_path: Path, pack: object) -> None:
    source = write_spider(tmp_path / "source")
    archive = pack(source, tmp_path / "packed.bin")  # type: ignore[operator]  # either function; the name says nothing
    unpack(archive, tmp_path / "out")
    files = sorted(file.relative_to(source) for file in source.rglob("*") if file.is_file())
    assert (
        sorted(file.relative_to(tmp_path / "out") for file in (tmp_path / "out").rglob("*") if file.is_file()) == files
    )
    assert all((tmp_path / "out" / file).read_bytes() == (source / file).read_bytes() for file in files)


def test_unpack_archive_in_archive_becomes_a_folder(tmp_path: Path) -> None:
    inner = _zip(tmp_path / "inner.zip", {"x.sqlite": b"data"})
    outer = _zip(tmp_path / "outer.zip", {"minidev/dev_databases.zip": inner.read_bytes()})
    unpack(outer, tmp_path / "out")
    assert (tmp_path / "out/minidev/dev_databases/x.sqlite").read_bytes() == b"data"
    assert not (tmp_path / "out/minidev/dev_databases.zip").exists()


def test_unpack_leaves_out_what_systems_add(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"a.txt": b"1", "__MACOSX/a.txt": b"2", "x/._a": b"3", "x/.DS_Store": b"4"})
    unpack(archive, tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").rglob("*") if file.is_file()] == ["a.txt"]


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt", "/etc/evil.txt", "..\\evil.txt", "C:/evil.txt"])
def test_unpack_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = _zip(tmp_path / "a.zip", {name: b"x"})
    with pytest.raises(DataError, match="leaves the folder"):
        unpack(archive, tmp_path / "out")
    assert not list(tmp_path.rglob("evil.txt"))


def test_unpack_link_in_zip_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr(entry, "/etc/passwd")
    with pytest.raises(DataError, match="link: a link or a device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_unpack_link_or_device_in_tar_is_refused(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("link")
    entry.type, entry.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        packed.addfile(entry)
    with pytest.raises(DataError, match="link: a link or a device"):
        unpack(tmp_path / "a.tar", tmp_path / "out")


def test_unpack_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"zeros": bytes(20 * 2**20)})
    with pytest.raises(DataError, match="bytes that unpack to more than"):
        unpack(archive, tmp_path / "out", Limits(free_growth_bytes=2**20))
    assert (tmp_path / "out/zeros").stat().st_size <= 10 * 2**20


def test_unpack_bytes_are_counted_over_nested_archives(tmp_path: Path) -> None:
    inner = _zip(tmp_path / "inner.zip", {"x": b"0123456789" * 10})
    outer = _zip(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()})
    with pytest.raises(DataError, match="refused"):
        unpack(outer, tmp_path / "out", Limits(bytes=inner.stat().st_size + 50))


def test_unpack_too_many_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="more files"):
        unpack(_zip(tmp_path / "a.zip", {str(n): b"" for n in range(11)}), tmp_path / "out", Limits(files=10))


def test_unpack_name_twice_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as packed:
        for _ in range(2):
            packed.addfile(tarfile.TarInfo("dev.json"))
    (tmp_path / "a.tar").write_bytes(content.getvalue())
    with pytest.raises(DataError, match=r"dev\.json: stands twice"):
        unpack(tmp_path / "a.tar", tmp_path / "out")


def test_unpack_encrypted_entry_is_named(tmp_path: Path) -> None:
    archive = _zip(tmp_path / "a.zip", {"secret": b"x"})
    raw = bytearray(archive.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(raw)
    with pytest.raises(DataError, match="secret: encrypted"):
        unpack(archive, tmp_path / "out")


def test_unpack_cut_archive_says_damaged(tmp_path: Path) -> None:
    archive = tar_of(write_spider(tmp_path / "source"), tmp_path / "a.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(DataError, match="damaged archive"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"<!DOCTYPE html><html>", "a web page"), (b"", "an empty file"),
     (b"12345", "no archive")],
)  # fmt: skip
def test_unpack_what_is_no_archive_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "spider.zip").write_bytes(content)
    with pytest.raises(DataError, match=said):
        unpack(tmp_path / "spider.zip", tmp_path / "out")
