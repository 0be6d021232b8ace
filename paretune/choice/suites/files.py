"""Files of multiple-choice suites: found, hashed, decoded and cut into rows that know where they stand.

Every complaint names file and line, so that a broken row is found before any model is loaded.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.records import ChoiceQuestion


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file. where: "FILE, line 12", for messages."""

    where: str
    fields: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """The field of that name; DataError naming the row and its fields where there is none."""
        if name not in self.fields:
            raise DataError(f"{self.where}: no field {name!r}; found {', '.join(map(repr, self.fields)) or 'none'}")
        return self.fields[name]

    def text(self, name: str) -> str:
        """A field that must be a string."""
        value = self.get(name)
        if not isinstance(value, str):
            raise DataError(f"{self.where}: {name!r} must be text, found {type(value).__name__}")
        return value


class SuiteFolder:
    """A suite's folder (or its one file), and the SHA-256 of every file that was read from it, by relative path."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise DataError(f"{path}: not there; give the suite's folder or file")
        self.path = path
        self.root = path if path.is_dir() else path.parent
        self.hashes: dict[str, str] = {}

    def find(self, patterns: Sequence[str]) -> Path | None:
        """The first file that matches a pattern, earlier patterns first; where one pattern matches several, it is
        a DataError, because a guess would decide the figures."""
        for pattern in patterns:
            files = sorted(file for file in self.root.glob(pattern) if file.is_file())
            if len(files) > 1:
                names = ", ".join(file.name for file in files)
                raise DataError(f"{self.root}: several files match {pattern} ({names}); give one of them as the path")
            if files:
                return files[0]
        return None

    def require(self, patterns: Sequence[str]) -> Path:
        """The folder's file for one split, or the path itself where it is a file."""
        if not self.path.is_dir():
            return self.path
        files = self.find(patterns)
        if files is None:
            raise DataError(f"{self.root}: expected one of {', '.join(patterns)}")
        return files

    def read_bytes(self, file: Path) -> bytes:
        """The file's bytes, remembered by their hash."""
        try:
            raw = file.read_bytes()
        except OSError as error:
            raise DataError(f"{file}: cannot be read ({error.strerror})") from error
        name = file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else file.name
        self.hashes[name] = hashlib.sha256(raw).hexdigest()
        return raw

    def read_text(self, file: Path) -> str:
        """The file as UTF-8 text, without a byte order mark."""
        raw = self.read_bytes(file)
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise DataError(f"{file}, line {line}: not UTF-8 ({error.reason}); save the file as UTF-8") from error

    def csv_rows(self, file: Path) -> Iterator[tuple[str, list[str]]]:
        """(where, cells) of every row; a blank line is skipped."""
        reader = csv.reader(io.StringIO(self.read_text(file), newline=""), strict=True)
        line = 1
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise DataError(f"{file}, line {line}: not CSV ({error})") from error
            if cells is None:
                return
            if cells:
                yield f"{file}, line {line}", cells
            line = reader.line_num + 1

    def rows(self, file: Path) -> list[Row]:
        """Every row of a .jsonl, .json (a list of objects) or .parquet file; none at all is a DataError."""
        if file.suffix == ".parquet":
            rows = self._parquet_rows(file)
        elif file.suffix == ".json":
            rows = self._json_list_rows(file)
        elif file.suffix == ".jsonl":
            rows = self._json_line_rows(file)
        else:
            raise DataError(f"{file}: expected a .jsonl, .json or .parquet file")
        if not rows:
            raise DataError(f"{file}: holds no rows")
        return rows

    def _json_line_rows(self, file: Path) -> list[Row]:
        rows = []
        for number, line in enumerate(self.read_text(file).split("\n"), start=1):
            if line.strip():
                where = f"{file}, line {number}"
                try:
                    value = json.loads(line)
                except ValueError as error:
                    raise DataError(f"{where}: not JSON ({error})") from error
                rows.append(_object_row(where, value))
        return rows

    def _json_list_rows(self, file: Path) -> list[Row]:
        try:
            values = json.loads(self.read_text(file))
        except json.JSONDecodeError as error:
            raise DataError(f"{file}, line {error.lineno}: not JSON ({error.msg})") from error
        if not isinstance(values, list):
            raise DataError(f"{file}: expected a JSON list of objects")
        return [_object_row(f"{file}, item {number}", value) for number, value in enumerate(values, start=1)]

    def _parquet_rows(self, file: Path) -> list[Row]:
        import pyarrow
        import pyarrow.parquet

        try:
            table = pyarrow.parquet.read_table(io.BytesIO(self.read_bytes(file)))
        except pyarrow.ArrowException as error:
            raise DataError(f"{file}: not a parquet file ({error})") from error
        return [Row(f"{file}, row {number}", value) for number, value in enumerate(table.to_pylist(), start=1)]


def _object_row(where: str, value: Any) -> Row:
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(value).__name__}")
    return Row(where, value)


@dataclass(slots=True)
class Splits:
    """What a reader brought: the questions asked, the development rows by subject, and remarks."""

    questions: list[ChoiceQuestion]
    shots: dict[str, list[ChoiceQuestion]]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Item:
    """One question as a reader found it, before it has an identity. answer: index of the right option."""

    where: str
    question: str
    options: Sequence[str]
    answer: int


def as_question(item: Item, *, subject: str, category: str, row: str) -> ChoiceQuestion:
    """The item as a record, once it holds a question, at least two non-empty options and an answer among them.

    row: "12" for the test split, "dev-12" for a development row.
    """
    if not item.question.strip():
        raise DataError(f"{item.where}: the question is empty")
    if len(item.options) < 2:
        raise DataError(f"{item.where}: expected at least two options, found {len(item.options)}")
    for number, option in enumerate(item.options, start=1):
        if not isinstance(option, str) or not option.strip():
            raise DataError(f"{item.where}: option {number} is empty or no text")
    if not 0 <= item.answer < len(item.options):
        raise DataError(
            f"{item.where}: the answer must be an option from 0 to {len(item.options) - 1}, found {item.answer}"
        )
    return ChoiceQuestion(f"{subject}/{row}", subject, category, item.question, tuple(item.options), item.answer)
