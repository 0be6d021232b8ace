"""JSON lines with a header: the one format in which stages hand records on.

The first line is {"header": {...}} and says what decides the lines (their fingerprint); every other line is one
record. A file is either appended to (one line and a flush a record, so that a kill loses at most the line being
written, which the next reader drops) or written whole and renamed into place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from paretune.disk import move, persist, sync_file
from paretune.errors import DataError
from paretune.files import write_text

Record = dict[str, Any]


def as_record(item: Any) -> Record:
    """A dataclass or mapping as a plain dict."""
    if is_dataclass(item) and not isinstance(item, type):
        return asdict(item)
    return dict(item)


def write_lines(path: Path, header: Mapping[str, Any], items: Iterable[Any]) -> None:
    """Write header and records whole, atomically."""
    lines = [_line({"header": dict(header)})]
    lines.extend(_line(as_record(item)) for item in items)
    write_text(path, "".join(lines))


def read_lines(path: Path) -> tuple[Record, list[Record]]:
    """Header and records of a file. A last line cut by a kill is dropped; any other broken line is a DataError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: not there; run the stage that writes it") from error
    header, records, _, faults = _parse(raw)
    _refuse(path, faults)
    return header, records


def read_damaged_lines(path: Path) -> tuple[Record, list[Record], list[str]]:
    """Header, the records that can be read, and what is wrong with the other lines. Raises DataError for a file that
    cannot be opened."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    header, records, _, faults = _parse(raw)
    return header, records, faults


def read_header(path: Path) -> Record:
    """The header alone, without parsing the lines after it; empty where the file is missing or has none."""
    try:
        with open(path, "rb") as file:
            first = file.readline()
    except FileNotFoundError:
        return {}
    header, _, _, faults = _parse(first)
    _refuse(path, faults)
    return header


def count_lines(path: Path) -> int:
    """Whole lines after the header, unparsed; 0 where there is no file."""
    try:
        with open(path, "rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0
    return lines - 1 if read_header(path) else lines


class LineWriter:
    """Appends records to a file, each line flushed, continuing a file whose header is the same.

    `done` holds the records already there. A file with another header is set aside as NAME.old-N, never mixed
    with; `replaced` then says so.
    """

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self.path = path
        self.done: list[Record] = []
        self.replaced: Path | None = None
        wanted = json.loads(json.dumps(dict(header)))
        path.parent.mkdir(parents=True, exist_ok=True)
        keep = 0
        if path.exists() and path.stat().st_size:
            found, records, whole_bytes, faults = _parse(path.read_bytes())
            _refuse(path, faults)
            if found == wanted:
                self.done, keep = records, whole_bytes
            elif found or records:
                self.replaced = set_aside(path)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115  closed in close()
        self._file.truncate(keep)
        self._end = keep
        self._failed = False  # in the middle of a line
        if keep == 0:
            self._write({"header": wanted})

    def append(self, item: Any) -> None:
        """Add one record; it is on its way to the disk when this returns."""
        self._write(as_record(item))

    def _write(self, record: Record) -> None:
        line = _line(record).encode()
        persist(lambda: self._put(line))
        self._end += len(line)

    def _put(self, line: bytes) -> None:
        """Write one whole line; after a failure to a file opened anew, behind the last whole line."""
        if self._failed:
            with suppress(OSError):
                self._file.close()
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115  closed in close()
            self._file.truncate(self._end)
        self._failed = True
        written = 0
        while written < len(line):
            written += self._file.write(line[written:])
        self._failed = False

    def close(self) -> None:
        """Sync and close."""
        sync_file(self._file.fileno())
        self._file.close()

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def set_aside(path: Path) -> Path:
    """Rename a file or folder to the first free NAME.old-N: outdated results are kept, never read."""
    number = 1
    while (target := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    move(path, target)
    return target


def _line(record: Record) -> str:
    line = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        line.encode()
    except UnicodeEncodeError:  # half a surrogate pair can stand in JSON only as an escape
        return json.dumps(record, allow_nan=False) + "\n"
    return line


def _parse(raw: bytes) -> tuple[Record, list[Record], int, list[str]]:
    """Header, records, the number of bytes in whole lines, and which lines hold no record."""
    header: Record = {}
    records: list[Record] = []
    faults: list[str] = []
    whole_bytes = raw.rfind(b"\n") + 1
    for number, line in enumerate(raw[:whole_bytes].split(b"\n")[:-1], start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            faults.append(f"line {number}: not JSON; delete the file to compute it again")
            continue
        is_header = number == 1 and isinstance(record, dict) and "header" in record
        if not isinstance(record, dict) or (is_header and not isinstance(record["header"], dict)):
            faults.append(f"line {number}: expected a JSON object")
        elif is_header:
            header = record["header"]
        else:
            records.append(record)
    return header, records, whole_bytes, faults


def _refuse(path: Path, faults: list[str]) -> None:
    if faults:
        raise DataError(f"{path}, {faults[0]}")
