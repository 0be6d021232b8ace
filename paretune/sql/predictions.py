"""Files of predicted SQL, as people have them: JSON, JSON lines, CSV or one query a line.

A row is matched to its question by position, never by its text: questions repeat, and wordings change between
releases of a data set.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.records import SqlPrediction, SqlQuestion

_FORMATS = "a JSON list of texts, JSON lines with sql, a CSV with generated_sql, or one query a line"


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """One row of a prediction file. position: 0-based in the split; gold, question, db_id: null unless given."""

    position: int
    text: str
    question: str | None = None
    gold: str | None = None
    db_id: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """What a prediction file holds. as_written: the texts are final SQL by the file's own word (column
    generated_sql), so a text that begins with a statement is to be run whole."""

    rows: list[PredictionRow]
    as_written: bool


def read_predictions(path: Path) -> PredictionFile:
    """The rows of a prediction file; its suffix says which format it has, anything unknown is one query a line.

    .json: list of texts, null for no answer. .jsonl: objects with sql, and index or position (all or none). .csv:
    column generated_sql, optionally question and expected_sql (the row's own gold). Otherwise lines, a tab and a db_id
    may follow the query; an empty line is an empty answer, so that positions hold.

    Raises DataError naming file and row: missing, unreadable, empty, binary, another format, a position twice.
    """
    text = _text(path)
    as_written = path.suffix.lower() == ".csv"
    if path.suffix.lower() == ".json":
        rows = _json_rows(path, text)
    elif path.suffix.lower() in {".jsonl", ".ndjson"}:
        rows = _json_line_rows(path, text)
    elif as_written:
        rows = _csv_rows(path, text)
    else:
        rows = _line_rows(path, text)
    if not rows:
        raise DataError(f"{path}: no predictions in it; expected {_FORMATS}")
    seen: dict[int, str] = {}
    for row in rows:
        if row.position in seen:
            raise DataError(f"{row.where}: position {row.position} again (first: {seen[row.position]})")
        seen[row.position] = row.where
    return PredictionFile(sorted(rows, key=lambda row: row.position), as_written)


def join_predictions(
    rows: Sequence[PredictionRow], questions: Sequence[SqlQuestion], gold: Sequence[PredictionRow] | None = None
) -> list[SqlPrediction]:
    """The rows as predictions for the split's questions.

    gold: rows of a gold file, taking the place of the split's gold; else a row's own gold does. There may be fewer
    rows than questions. Raises DataError when a position lies beyond the split, has no gold in the gold file, or a
    db_id contradicts the split's.
    """
    by_index = {question.index: question for question in questions}
    golds = None if gold is None else {row.position: row for row in gold}
    predictions = []
    for row in rows:
        question = by_index.get(row.position)
        if question is None:
            raise DataError(f"{row.where}: position {row.position}, but the split has {len(questions)} questions")
        if golds is not None and row.position not in golds:
            raise DataError(f"{row.where}: the gold file has {len(golds)} rows and none for position {row.position}")
        given = None if golds is None else golds[row.position]
        for source in (row, given):
            if source is not None and source.db_id not in {None, question.db_id}:
                raise DataError(
                    f"{source.where}: db_id {source.db_id!r}, but question {row.position} of the split asks "
                    f"{question.db_id!r}; rows must be in the split's order"
                )
        wanted = given.text if given is not None else row.gold or question.gold
        asked = row.question or question.question
        predictions.append(SqlPrediction(row.position, question.db_id, asked, wanted, row.text))
    return predictions


def _text(path: Path) -> str:
    """The file as text."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if not raw.strip():
        raise DataError(f"{path}: empty; expected {_FORMATS}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8 (byte {error.start}); expected {_FORMATS}") from error
    if "\0" in text and path.suffix.lower() not in {".json", ".jsonl", ".ndjson"}:
        raise DataError(f"{path}: a binary file (NUL at character {text.index(chr(0))}); expected {_FORMATS}")
    return text


def _json_rows(path: Path, text: str) -> list[PredictionRow]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error}); JSON lines need the suffix .jsonl") from error
    if not isinstance(entries, list):
        raise DataError(f"{path}: expected a JSON list of texts, found {type(entries).__name__}")
    rows = []
    for position, entry in enumerate(entries):
        if not isinstance(entry, str | None):
            raise DataError(f"{path}, entry {position}: expected a text, found {type(entry).__name__}")
        rows.append(PredictionRow(position, entry or "", where=f"{path}, entry {position}"))
    return rows


def _json_line_rows(path: Path, text: str) -> list[PredictionRow]:
    entries: list[tuple[str, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: not JSON ({error})") from error
        if not isinstance(entry, dict):
            raise DataError(f"{where}: expected a JSON object with sql, found {type(entry).__name__}")
        if "header" not in entry or "sql" in entry:
            entries.append((where, entry))
    numbered = sum("index" in entry or "position" in entry for _, entry in entries)
    if numbered not in {0, len(entries)}:
        raise DataError(f"{path}: {numbered} of {len(entries)} lines have index or position; expected all or none")
    return [_json_line_row(where, entry, order) for order, (where, entry) in enumerate(entries)]


def _json_line_row(where: str, entry: dict[str, Any], order: int) -> PredictionRow:
    if "sql" not in entry:
        raise DataError(f"{where}: no key 'sql'; found {', '.join(map(repr, entry)) or 'nothing'}")
    position = entry.get("index", entry.get("position", order))
    if not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise DataError(f"{where}: expected a 0-based position, found {position!r}")
    sql = "" if entry["sql"] is None else entry["sql"]
    db_id = entry.get("db_id")
    if not isinstance(sql, str) or not isinstance(db_id, str | None):
        raise DataError(f"{where}: expected texts under 'sql' and 'db_id'")
    return PredictionRow(position, sql, db_id=db_id, where=where)


def _csv_rows(path: Path, text: str) -> list[PredictionRow]:
    """A field may be as long as it likes while the file is read; the process's own limit stands again after it."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        return _rows_of_csv(path, text)
    finally:
        csv.field_size_limit(before)


def _rows_of_csv(path: Path, text: str) -> list[PredictionRow]:
    head = text.split("\n", 1)[0]
    delimiter = next((mark for mark in ",;\t" if "generated_sql" in _names(head, mark)), ",")
    names = _names(head, delimiter)
    if "generated_sql" not in names:
        raise DataError(f"{path}: no column generated_sql; found {', '.join(names)}")
    rows: list[PredictionRow] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        next(reader)
        for values in reader:
            where = f"{path}, row {len(rows)} (line {reader.line_num})"
            cells = values or [""]  # an empty line is an empty answer where there is one column
            if len(cells) != len(names):
                raise DataError(
                    f"{where}: {len(cells)} columns, expected {len(names)}; quote queries that hold a {delimiter!r}"
                )
            entry = dict(zip(names, cells, strict=True))
            gold = entry.get("expected_sql")
            rows.append(PredictionRow(len(rows), entry["generated_sql"], entry.get("question"), gold, where=where))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: broken CSV ({error})") from error
    return rows


def _names(head: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([head.rstrip("\r")], delimiter=delimiter), [])]


def _line_rows(path: Path, text: str) -> list[PredictionRow]:
    rows = []
    for position, line in enumerate(text.rstrip().split("\n")):
        query, _, rest = line.strip().partition("\t")
        db_id = rest.partition("\t")[0].strip() or None
        rows.append(PredictionRow(position, query, db_id=db_id, where=f"{path}, line {position + 1}"))
    return rows
