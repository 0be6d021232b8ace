"""Copy finished parts from one folder to another, to be stopped at any moment: a store, a folder of runs, or one run.

What is whole is copied file by file, the file that vouches for a folder last. What is still being written stays where
it is: data without a marker, a model that is being converted, half a checkpoint, and the line a run is writing.
Nothing is deleted, and nothing newer is replaced by something older.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from paretune.disk import copy_file, is_temporary, write_bytes
from paretune.errors import DataError
from paretune.files import file_sha256
from paretune.sources.known import KNOWN
from paretune.sources.store import marker_path, read_marker

Outcome = Literal["copied", "there", "ahead", "unfinished"]

_UNFINISHED_PREFIXES = (".converting-", ".fetching-")
_LAST = ("config.json", "adapter_config.json", "manifest.json")  # of a folder: what its readers look for first
_VOUCHERS = ("paretune.json", "paretune_progress.json")  # an adapter's and a checkpoint's: all other files are whole
_CHECKPOINT_WHOLE = ("paretune_progress.json", "optimizer.pt")
_OF_FINISHED_TRAINING = "paretune.json"  # written into checkpoints when what resuming needs is taken out
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Synced:
    """What became of one file. "ahead": the target holds more or newer, and it was left as it is."""

    path: Path
    outcome: Outcome


def sync(source: Path, target: Path, on_file: Callable[[Synced], None]) -> None:
    """Bring what is finished below `source` to `target`. Called again, it copies what is new.

    on_file is told of every file as it is dealt with. Raises DataError for a source that is no folder, for a target
    inside it (or the other way round), and for what cannot be read or written.
    """
    if not source.is_dir():
        raise DataError(f"{source}: no such folder; expected a store, a folder of runs or a run folder")
    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise DataError(f"{target}: one of the two folders lies in the other; choose a target apart from {source}")
    try:
        for file in _finished(source, target, on_file):
            try:
                on_file(_copy(file, source, target))
            except FileNotFoundError:  # a run that goes on has renamed or removed it
                on_file(Synced(file.relative_to(source), "unfinished"))
    except OSError as error:
        raise DataError(f"{error.filename or target}: cannot be copied ({error.strerror or error})") from error


def _finished(source: Path, target: Path, on_file: Callable[[Synced], None]) -> Iterator[Path]:
    """The files to copy, each folder's vouching file after all others of it."""
    for folder, names, files in os.walk(source):
        here = Path(folder)
        for name in sorted(names):
            if not _is_whole_folder(here / name):
                on_file(Synced((here / name).relative_to(source), "unfinished"))
                names.remove(name)
        names.sort()
        if here.parent.name == "data" and any(data.folder == here.name for data in KNOWN.values()):
            names.clear()
            yield from _marked(here, source, on_file)
            continue
        wanted = [here / name for name in files if not _is_lock(name) and not is_temporary(here / name)]
        wanted = [file for file in wanted if file.suffix != ".part" and not file.name.endswith(".part.json")]
        for file in wanted:
            if file.name in _VOUCHERS:
                _withdraw(file, target / file.relative_to(source))
        yield from sorted(wanted, key=lambda file: (file.name in _VOUCHERS, file.name in _LAST, file.name))


def _is_lock(name: str) -> bool:
    """Who works in a folder is no result."""
    return name == "lock.json" or name.endswith(".lock")


def _withdraw(voucher: Path, place: Path) -> None:
    """Take back what vouches for an older adapter or checkpoint before its files are replaced one by one."""
    if place.is_file() and place.read_bytes() != voucher.read_bytes() and _is_newer(voucher, place):
        place.unlink()


def _is_newer(file: Path, place: Path) -> bool:
    return file.stat().st_mtime >= place.stat().st_mtime


def _is_whole_folder(folder: Path) -> bool:
    if folder.name.startswith(_UNFINISHED_PREFIXES) or folder.name.endswith(".fetching"):
        return False
    if folder.name == "downloads":
        return False
    if folder.name.startswith("checkpoint-") and folder.parent.name == "checkpoints":
        resumable = all((folder / name).is_file() for name in _CHECKPOINT_WHOLE)
        return resumable or (folder / _OF_FINISHED_TRAINING).is_file()
    return folder.name != "adapter" or (folder / "paretune.json").is_file()


def _marked(folder: Path, source: Path, on_file: Callable[[Synced], None]) -> Iterator[Path]:
    """The files that the folder's markers list, then the markers."""
    names = [data.name for data in KNOWN.values() if data.folder == folder.name]
    markers = {name: read_marker(name, folder) for name in names}
    whole = {name: marker for name, marker in markers.items() if marker is not None}
    if not whole:
        on_file(Synced(folder.relative_to(source), "unfinished"))
    for name, marker in whole.items():
        yield from (folder / file for file in marker.files)
        yield marker_path(name, folder)


def _copy(file: Path, source: Path, target: Path) -> Synced:
    name = file.relative_to(source)
    place = target / name
    whole_lines = _whole_lines(file) if file.suffix == ".jsonl" else None
    size = file.stat().st_size if whole_lines is None else whole_lines
    if not place.exists():
        _write(file, place, size)
        return Synced(name, "copied")
    standing = place.stat().st_size
    if file.suffix == ".jsonl":
        if _begins_alike(file, place, min(size, standing)):
            if standing < size:
                _write(file, place, size)
                return Synced(name, "copied")
            return Synced(name, "there" if standing == size else "ahead")
    elif standing == size and file_sha256(file) == file_sha256(place):
        return Synced(name, "there")
    if not _is_newer(file, place):
        return Synced(name, "ahead")
    _write(file, place, size)
    return Synced(name, "copied")


def _write(file: Path, place: Path, size: int) -> None:
    """The file's first `size` bytes: a line that is being written is left out."""
    if size == file.stat().st_size:
        copy_file(file, place)
        return
    with open(file, "rb") as opened:
        write_bytes(place, opened.read(size))


def _whole_lines(file: Path) -> int:
    """Bytes up to the last line end."""
    with open(file, "rb") as opened:
        position = opened.seek(0, os.SEEK_END)
        while position:
            start = max(0, position - _BLOCK_BYTES)
            opened.seek(start)
            block = opened.read(position - start)
            end = block.rfind(b"\n")
            if end >= 0:
                return start + end + 1
            position = start
    return 0


def _begins_alike(first: Path, second: Path, size: int) -> bool:
    with open(first, "rb") as one, open(second, "rb") as other:
        while size:
            block = min(size, _BLOCK_BYTES)
            if one.read(block) != other.read(block):
                return False
            size -= block
    return True
