"""Unpacking untrusted archives: .zip, .tar, compressed .tar and .rar, of any nesting.

Refused: names that leave the folder, links and devices, encrypted entries, two entries of one name, and archives that
grow beyond every benchmark. Sizes are counted while writing, because an archive may lie about them.
"""

from __future__ import annotations

import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from paretune.errors import DataError
from paretune.sources.rar import is_rar, unpack_rar

_BLOCK_BYTES = 1 << 20
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
_ARCHIVE_NAMES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".rar")
_DEEPEST_NESTING = 3


@dataclass(slots=True)
class Limits:
    """What unpacking may still use. files, bytes: left over all nested archives. growth: bytes written for each byte
    of an archive, counted once more than free_growth_bytes are out (small files may shrink a lot)."""

    files: int = 200_000
    bytes: int = 64 * 2**30
    growth: float = 200.0
    free_growth_bytes: int = 256 * 2**20


def is_archive(path: Path) -> bool:
    """Whether the file's content is an archive that `unpack` reads."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path) or is_rar(path)


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> None:
    """Write the files of an archive, and of archives in it, below the folder, which must be empty or absent.

    An archive in the archive is replaced by a folder of its name without the ending. Raises DataError naming the
    archive and the entry for whatever is refused.
    """
    left = limits if limits is not None else Limits()
    _unpack(archive, folder, left, str(archive))
    for _ in range(_DEEPEST_NESTING):
        inner = [file for file in sorted(folder.rglob("*")) if _is_named_archive(file) and is_archive(file)]
        for file in inner:
            _unpack(file, _without_ending(file), left, f"{archive}: {file.relative_to(folder).as_posix()}")
            file.unlink()
        if not inner:
            return
    if any(_is_named_archive(file) and is_archive(file) for file in folder.rglob("*")):
        raise DataError(f"{archive}: archives nested more than {_DEEPEST_NESTING} deep; unpack it by hand")


def _unpack(archive: Path, folder: Path, limits: Limits, where: str) -> None:
    room = _Room(limits, archive.stat().st_size, where)
    try:
        with _entries(archive, where, room) as entries:
            for name, stream in entries:
                target = _target(folder, name, where)
                if target is not None:
                    room.take_file()
                    _write(stream, target, room, f"{where}: {name}")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, ValueError) as error:
        raise DataError(f"{where}: a damaged archive ({error}); fetch it again") from error
    except OSError as error:
        raise DataError(f"{where}: cannot be unpacked to {folder} ({error.strerror or error})") from error


class _Room:
    """The limits, as one archive uses them up."""

    def __init__(self, limits: Limits, archive_bytes: int, where: str) -> None:
        self._limits, self._archive_bytes, self._where, self._written = limits, archive_bytes, where, 0

    def take_file(self) -> None:
        self._limits.files -= 1
        if self._limits.files < 0:
            raise DataError(f"{self._where}: more files than any benchmark has; refused")

    @property
    def most_bytes(self) -> int:
        """What this archive may grow to."""
        growth = max(self._limits.free_growth_bytes, self._limits.growth * self._archive_bytes)
        return int(min(self._limits.bytes, growth))

    def take_bytes(self, count: int) -> None:
        self._limits.bytes -= count
        self._written += count
        grown = self._written > max(self._limits.free_growth_bytes, self._limits.growth * self._archive_bytes)
        if self._limits.bytes < 0 or grown:
            raise DataError(
                f"{self._where}: {self._archive_bytes} bytes that unpack to more than {self._written}; refused"
            )


Entries = Iterator[tuple[str, IO[bytes]]]


@contextmanager
def _entries(archive: Path, where: str, room: _Room) -> Iterator[Entries]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield _zip_entries(opened, where)
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed:
            yield _tar_entries(packed, where)
    elif is_rar(archive):
        with tempfile.TemporaryDirectory(prefix="paretune-rar-") as scratch:
            unpack_rar(archive, Path(scratch) / "files", room.most_bytes)
            yield _folder_entries(Path(scratch) / "files", where)
    else:
        raise DataError(f"{where}: {_what_it_is(archive)}; expected a .zip, .tar.gz or .rar archive")


def _zip_entries(archive: zipfile.ZipFile, where: str) -> Entries:
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise DataError(f"{where}: {entry.filename}: a link or a device; refused")
        if entry.flag_bits & 1:
            raise DataError(f"{where}: {entry.filename}: encrypted; unpack it by hand")
        with archive.open(entry) as stream:
            yield entry.filename, stream


def _tar_entries(archive: tarfile.TarFile, where: str) -> Entries:
    for entry in archive:
        if entry.isdir():
            continue
        stream = archive.extractfile(entry) if entry.isreg() else None
        if stream is None:
            raise DataError(f"{where}: {entry.name}: a link or a device; refused")
        with stream:
            yield entry.name, stream


def _folder_entries(folder: Path, where: str) -> Entries:
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        kind = file.lstat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            raise DataError(f"{where}: {name}: a link or a device; refused")
        if stat.S_ISREG(kind):
            with open(file, "rb") as stream:
                yield name, stream


def _target(folder: Path, name: str, where: str) -> Path | None:
    """Where an entry goes; None for what operating systems leave in archives."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    drive = bool(parts) and len(parts[0]) == 2 and parts[0][1] == ":"
    if not parts or parts[0] == "/" or ".." in parts or drive or "\0" in name:
        raise DataError(f"{where}: {name!r}: leaves the folder it is unpacked to; refused")
    if any(part in _LITTER or part.startswith("._") for part in parts):
        return None
    return folder.joinpath(*parts)


def _write(stream: IO[bytes], target: Path, room: _Room, where: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as file:
            while block := stream.read(_BLOCK_BYTES):
                room.take_bytes(len(block))
                file.write(block)
    except (FileExistsError, NotADirectoryError) as error:
        raise DataError(f"{where}: stands twice in the archive; refused") from error


def _is_named_archive(file: Path) -> bool:
    return file.is_file() and file.name.lower().endswith(_ARCHIVE_NAMES)


def _without_ending(file: Path) -> Path:
    ending = max((end for end in _ARCHIVE_NAMES if file.name.lower().endswith(end)), key=len)
    bare = file.with_name(file.name[: -len(ending)] or "archive")
    return bare if not bare.exists() else file.with_name(f"{bare.name}-unpacked")


def _what_it_is(file: Path) -> str:
    with open(file, "rb") as opened:
        head = opened.read(512).lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page, not the file behind it (open the address in a browser and download from there)"
    return "no archive" if head else "an empty file"
