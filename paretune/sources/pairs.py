"""Pairs of a question and its query, from CSV, JSON lines, JSON or an Excel sheet, each with its place in the file."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from paretune.errors import DataError
from paretune.fields import nearest

QUESTION_NAMES = ("question", "pergunta", "questao", "utterance", "prompt", "text", "nl")
SQL_NAMES = ("sql", "query", "gold_sql", "gold", "consulta", "expected_sql")
_DELIMITERS = ",;\t|"
_LARGEST_SHEET_BYTES = 512 * 2**20
_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_CELL = re.compile(r"([A-Z]+)(\d+)")


@dataclass(frozen=True, slots=True)
class Pair:
    """One pair. where: "FILE, line 12". side: what the split column says of it, "train" or "test"; None without one."""

    where: str
    question: str
    query: str
    side: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the columns; None for one that is to be recognised by its usual names."""

    question: str | None = None
    sql: str | None = None
    split: str | None = None


_SIDES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "treino", "treinamento"), "train"),
    **dict.fromkeys(("test", "dev", "validation", "eval", "teste", "avaliacao", "validacao"), "test"),
}


def read_pairs(file: Path, columns: Columns) -> list[Pair]:
    """Every pair of a .csv, .tsv, .jsonl, .json or .xlsx file, in file order; a row without any text is skipped.

    Raises DataError naming file and line for what cannot be read, a column that is not there, and a row that lacks its
    question, its query or its side.
    """
    rows = list(_rows(file))
    if not rows:
        raise DataError(f"{file}: no pairs")
    names = list(dict.fromkeys(name for _, row in rows for name in row))
    question = _column(file, names, columns.question, QUESTION_NAMES, "--question")
    sql = _column(file, names, columns.sql, SQL_NAMES, "--sql")
    split = None if columns.split is None else _column(file, names, columns.split, (), "--split")
    pairs = []
    for where, row in rows:
        values = [_text(row.get(name), where, name) for name in (question, sql)]
        side = None if split is None else _side(row.get(split), where, split)
        pairs.append(Pair(where, values[0], values[1], side))
    return pairs


def _column(file: Path, names: Sequence[str], given: str | None, usual: Sequence[str], option: str) -> str:
    if given is not None:
        if given not in names:
            raise DataError(f"{file}: no column {given!r}{nearest(given, list(names))}")
        return given
    candidates = [name for wanted in usual for name in names if _plain(name) == wanted]
    if not candidates:
        raise DataError(f"{file}: no column is called {' or '.join(usual[:2])}; columns: {', '.join(names)}; name one "
                        f"with {option} COLUMN")  # fmt: skip
    return candidates[0]


def _text(value: object, where: str, name: str) -> str:
    text = "" if value is None else str(value).strip()
    if not text:
        raise DataError(f"{where}: {name!r} is empty")
    return text


def _side(value: object, where: str, name: str) -> str:
    side = _SIDES.get(_plain(str(value)))
    if side is None:
        raise DataError(f"{where}: {name!r} must be train or test, found {value!r}")
    return side


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).replace(" ", "_")


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(where, cells by column) of every row that is not empty."""
    readers = {".csv": _csv_rows, ".tsv": _csv_rows, ".jsonl": _json_lines, ".json": _json_list, ".xlsx": _xlsx_rows}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise DataError(f"{file}: expected pairs in one of {', '.join(readers)}")
    try:
        for where, row in reader(file):
            if any(value is not None and str(value).strip() for value in row.values()):
                yield where, row
    except FileNotFoundError as error:
        raise DataError(f"{file}: no such file") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error


def _decoded(file: Path) -> str:
    """UTF-8, or what Excel writes on Windows in western languages."""
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return raw.decode("utf-16")
        return raw.decode("cp1252", errors="replace")


def _csv_rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    text = _decoded(file)
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            where, line = f"{file}, line {line}", reader.line_num + 1
            if names is None:
                names = _header(cells, where)
            elif len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
                raise DataError(
                    f"{where}: {len(cells)} cells in {len(names)} columns; quote cells that hold {delimiter!r}"
                )
            else:
                yield where, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        raise DataError(f"{file}, line {line}: not CSV ({error})") from error


def _header(cells: Sequence[str], where: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{where}: two columns are called {twice!r}")
    return names


def _json_lines(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(_decoded(file).split("\n"), start=1):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError as error:
                raise DataError(f"{file}, line {number}: not JSON ({error})") from error
            yield _json_row(value, f"{file}, line {number}")


def _json_list(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        values = json.loads(_decoded(file))
    except ValueError as error:
        raise DataError(f"{file}: not JSON ({error})") from error
    if not isinstance(values, list):
        raise DataError(f"{file}: expected a list of objects")
    for number, value in enumerate(values, start=1):
        yield _json_row(value, f"{file}, item {number}")


def _json_row(value: object, where: str) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected an object with a question and a query")
    return where, value


def _xlsx_rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The first sheet of an Excel workbook (ECMA-376), its first row the names of the columns."""
    try:
        with zipfile.ZipFile(file) as workbook:
            shared = _shared_texts(workbook)
            sheet = ElementTree.fromstring(_part(workbook, _first_sheet(workbook)))
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError) as error:
        raise DataError(f"{file}: not an Excel workbook (.xlsx): {error}") from error
    names: dict[str, str] | None = None
    for number, row in enumerate(sheet.iter(f"{_SHEET}row"), start=1):
        where = f"{file}, row {row.get('r', number)}"
        cells = {_letters(cell): _cell_text(cell, shared) for cell in row.iter(f"{_SHEET}c")}
        if names is None:
            listed = _header([text or "" for text in cells.values()], where)
            names = dict(zip(cells, listed, strict=True))
        else:
            yield where, {name: cells.get(column) for column, name in names.items() if name}


def _part(workbook: zipfile.ZipFile, name: str) -> bytes:
    entry = workbook.getinfo(name)
    if entry.file_size > _LARGEST_SHEET_BYTES:
        raise KeyError(f"{name} unpacks to {entry.file_size} bytes")
    return workbook.read(entry)


def _first_sheet(workbook: zipfile.ZipFile) -> str:
    sheets = [name for name in workbook.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
    if not sheets:
        raise KeyError("no worksheet in it")
    return min(sheets, key=lambda name: int(re.sub(r"\D", "", name)))


def _shared_texts(workbook: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in workbook.namelist():
        return []
    root = ElementTree.fromstring(_part(workbook, "xl/sharedStrings.xml"))
    return ["".join(part.text or "" for part in item.iter(f"{_SHEET}t")) for item in root.iter(f"{_SHEET}si")]


def _letters(cell: ElementTree.Element) -> str:
    match = _CELL.match(cell.get("r", ""))
    return match[1] if match else ""


def _cell_text(cell: ElementTree.Element, shared: Sequence[str]) -> str | None:
    kind, value = cell.get("t", "n"), cell.find(f"{_SHEET}v")
    if kind == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{_SHEET}t"))
    if value is None or value.text is None:
        return None
    return shared[int(value.text)] if kind == "s" else value.text
