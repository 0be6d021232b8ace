"""Files of predicted SQL, as people have them: JSON, JSON lines, CSV or one query per line.

A row is matched to its question by position, never by its text: questions repeat, and wordings change between
releases of a data set.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.sql.records import SqlPrediction, SqlQuestion

_FORMATS = (
    "JSON (texts, objects, or BIRD's object), JSON lines with sql, a CSV with generated_sql, or one query per line"
)


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


def read_predictions(path: Path, *, column: str | None = None, db_ids: Collection[str] = ()) -> PredictionFile:
    """The rows of a prediction file; its suffix says which format it has, anything unknown is one query per line.

    .json: a list of texts (null for no answer) or of objects, or BIRD's object {"0": "SQL\\t----- bird -----\\tdb_id"}.
    .jsonl: objects. .csv: with a header. Objects and CSV rows hold the SQL under `column`, by default the first of the
    usual names (generated_sql, predicted_sql, sql ...; case and spaces do not count); an object whose `prompt` ends
    with SELECT holds what follows that word (ChatGPT's published answers do); index or position (all or none),
    db_id and question are used where they are there, and in a CSV expected_sql (the row's own gold). Otherwise lines: a
    tab and one of db_ids (any single word when none are given) may follow the query; an empty line is an empty answer,
    so that positions hold.

    Raises DataError naming file and row: missing, unreadable, empty, binary, another format, a position twice.
    """
    text = _text(path)
    suffix = path.suffix.lower()
    as_written = False
    if suffix == ".json":
        rows = _json_rows(path, text, column)
    elif suffix in {".jsonl", ".ndjson"}:
        rows = _json_line_rows(path, text, column)
    elif suffix == ".csv":
        rows, as_written = _csv_rows(path, text, column)
    elif column is not None:
        raise DataError(f"{path}: one query per line, without columns; leave out the column {column!r}")
    else:
        rows = _line_rows(path, text, db_ids)
    if not rows:
        raise DataError(f"{path}: no predictions in it; expected {_FORMATS}")
    seen: dict[int, str] = {}
    for row in rows:
        if row.position in seen:
            raise DataError(f"{row.where}: position {row.position} again (first: {seen[row.position]})")
        seen[row.position] = row.where
    return PredictionFile(sorted(rows, key=lambda row: row.position), as_written)


def questions_of_gold(rows: Sequence[PredictionRow]) -> list[SqlQuestion]:
    """Questions that a gold file alone makes: its queries, each with its db_id. Empty lines (between the sessions of
    SParC and CoSQL) are none. Raises DataError for a query without a db_id."""
    questions = []
    for row in rows:
        if not row.text.strip():
            continue
        if row.db_id is None:
            raise DataError(f"{row.where}: no db_id; without a split every reference needs one, behind a tab")
        questions.append(SqlQuestion(row.position, row.db_id, row.question or "", row.text))
    if not questions:
        raise DataError("the file of references holds no query")
    return questions


def join_predictions(
    rows: Sequence[PredictionRow], questions: Sequence[SqlQuestion], gold: Sequence[PredictionRow] | None = None
) -> list[SqlPrediction]:
    """The rows as predictions for the split's questions.

    gold: rows of a gold file, taking the place of the split's gold; else a row's own gold does. There may be fewer
    rows than questions; empty ones beyond them do not count. Raises DataError when a position lies beyond the split,
    has no gold in the gold file, a db_id contradicts the split's, or most of the questions that a file states are not
    those of the split (a few may be: wordings change between releases).
    """
    _check_questions(rows, questions)
    by_index = {question.index: question for question in questions}
    golds = None if gold is None else {row.position: row for row in gold}
    predictions = []
    for row in rows:
        question = by_index.get(row.position)
        if question is None and not row.text.strip():
            continue
        if question is None:
            raise DataError(f"{row.where}: position {row.position}, but the split has {len(questions)} questions")
        if golds is not None and row.position not in golds:
            raise DataError(
                f"{row.where}: the file of references has {len(golds)} rows and none for position {row.position}"
            )
        given = None if golds is None else golds[row.position]
        for source in (row, given):
            if source is not None and source.db_id not in {None, question.db_id}:
                raise DataError(
                    f"{source.where}: db_id {source.db_id!r}, but question {row.position} of the split asks "
                    f"{question.db_id!r}; rows must be in the split's order"
                )
        wanted = given.text if given is not None else row.gold or question.gold
        asked = row.question or question.question
        predictions.append(SqlPrediction(row.position, question.db_id, asked, wanted, row.text, question.level))
    return predictions


def _check_questions(rows: Sequence[PredictionRow], questions: Sequence[SqlQuestion]) -> None:
    asked = {question.index: _wording(question.question) for question in questions if question.question}
    stated = [row for row in rows if row.question and row.gold is None and row.position in asked]
    others = [row for row in stated if _wording(row.question or "") != asked[row.position]]
    if len(others) * 2 > len(stated):
        raise DataError(
            f"{others[0].where}: asks {others[0].question!r}, which is not question {others[0].position} of the split, "
            f"nor are {len(others) - 1} more of {len(stated)} the split's at their positions; name their split, or "
            "give each row its index"
        )


def _wording(question: str) -> str:
    return " ".join(question.lower().split())


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


_BIRD = "\t----- bird -----\t"  # between query and db_id in BIRD's files
_NAME_IT = " (--column names the one that holds the SQL)"
# The usual names of what is needed, letters and digits alone, the likeliest first.
_SQL_NAMES = (
    "generatedsql", "predictedsql", "predictsql", "predsql", "prediction", "predicted", "pred", "sql", "finalsql",
    "response", "completion", "output", "answer", "result",
)  # fmt: skip
_DB_NAMES = ("dbid", "db", "database", "dbname")
_QUESTION_NAMES = ("question", "nlq", "spidersynquestion", "utterance")
_POSITION_NAMES = ("index", "position", "questionid")


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _named(entry: Iterable[str], names: Sequence[str]) -> str | None:
    """The first of the usual names that the entry has, as the entry writes it."""
    written = {_bare(name): name for name in reversed(list(entry))}
    return next((written[name] for name in names if name in written), None)


def _json_rows(path: Path, text: str, column: str | None) -> list[PredictionRow]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error}); JSON lines need the suffix .jsonl") from error
    if isinstance(entries, dict) and entries and all(key.isdecimal() for key in entries):
        return [  # BIRD's script takes a number for no answer
            _json_row(f"{path}, entry {key!r}", None if isinstance(entry, int) else entry, int(key), column)
            for key, entry in entries.items()
        ]
    if not isinstance(entries, list):
        raise DataError(f"{path}: expected a JSON list, or an object with a position as each key, "
                        f"found {type(entries).__name__}")  # fmt: skip
    _check_numbered(path, [entry for entry in entries if isinstance(entry, dict)])
    return [_json_row(f"{path}, entry {position}", entry, position, column) for position, entry in enumerate(entries)]


def _json_row(where: str, entry: object, position: int, column: str | None) -> PredictionRow:
    """A text, null, or an object."""
    if isinstance(entry, dict):
        return _object_row(where, entry, position, column)
    if not isinstance(entry, str | None):
        raise DataError(f"{where}: expected a text or an object, found {type(entry).__name__}")
    return _row(position, entry or "", where)


def _row(position: int, text: str, where: str, question: str | None = None, db_id: str | None = None) -> PredictionRow:
    sql, mark, after = text.partition(_BIRD)
    return PredictionRow(position, sql, question, db_id=(after.strip() if mark else db_id), where=where)


def _check_numbered(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    numbered = sum(_named(entry, _POSITION_NAMES) is not None for entry in entries)
    if numbered not in {0, len(entries)}:
        raise DataError(f"{path}: {numbered} of {len(entries)} lines have index or position; expected all or none")


def _json_line_rows(path: Path, text: str, column: str | None) -> list[PredictionRow]:
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
    _check_numbered(path, [entry for _, entry in entries])
    return [_object_row(where, entry, order, column) for order, (where, entry) in enumerate(entries)]


def _object_row(where: str, entry: dict[str, Any], order: int, column: str | None) -> PredictionRow:
    sql_key = column if column is not None else _named(entry, _SQL_NAMES)
    if sql_key is None or sql_key not in entry:
        expected = "'sql' or another usual name" if column is None else repr(column)
        raise DataError(f"{where}: no key {expected}; found {', '.join(map(repr, entry)) or 'nothing'}{_NAME_IT}")
    position_key = _named(entry, _POSITION_NAMES)
    position = order if position_key is None else entry[position_key]
    if not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise DataError(f"{where}: expected a 0-based position, found {position!r}")
    values = [entry[sql_key]]
    for names in (_DB_NAMES, _QUESTION_NAMES):
        key = _named(entry, names)
        values.append(None if key is None else entry[key])
    if not all(isinstance(value, str | None) for value in values):
        raise DataError(f"{where}: expected texts under {sql_key!r}, 'db_id' and 'question'")
    sql, db_id, question = values
    return _row(position, _continued(entry.get("prompt"), sql or ""), where, question, db_id)


def _continued(prompt: object, text: str) -> str:
    """The text, behind the word with which its prompt ends where it goes on from that.

    >>> _continued("How many singers are there? SELECT", "count(*) FROM singer")
    'SELECT count(*) FROM singer'
    """
    goes_on = isinstance(prompt, str) and prompt.rstrip().upper().endswith("SELECT") and text.strip()
    return f"SELECT {text}" if goes_on and not text.lstrip().upper().startswith(("SELECT", "WITH", "```")) else text


def _csv_rows(path: Path, text: str, column: str | None) -> tuple[list[PredictionRow], bool]:
    """A field may be as long as it likes while the file is read; the process's own limit stands again after it."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        return _rows_of_csv(path, text, column)
    finally:
        csv.field_size_limit(before)


def _rows_of_csv(path: Path, text: str, column: str | None) -> tuple[list[PredictionRow], bool]:
    """The rows, and whether their texts are final SQL by the name of their column."""
    head = text.split("\n", 1)[0]
    wanted = _SQL_NAMES if column is None else (_bare(column),)
    delimiter = next((mark for mark in ",;\t" if _named(_names(head, mark), wanted)), ",")
    names = _names(head, delimiter)
    sql_name = _named(names, wanted)
    if sql_name is None:
        expected = "generated_sql or another usual name" if column is None else column
        raise DataError(f"{path}: no column {expected}; found {', '.join(names)}{_NAME_IT}")
    others = [_named(names, known) for known in (_POSITION_NAMES, _QUESTION_NAMES, _DB_NAMES)]
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
            index, question, db_id = (None if name is None else entry[name] or None for name in others)
            if others[0] is not None and not str(index).isdecimal():
                raise DataError(f"{where}: expected a 0-based position under {others[0]!r}, found {index!r}")
            row = _row(len(rows) if index is None else int(index), entry[sql_name], where, question, db_id)
            rows.append(replace(row, gold=entry.get("expected_sql")))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: broken CSV ({error})") from error
    return rows, _bare(sql_name) == "generatedsql"


def _names(head: str, delimiter: str) -> list[str]:
    return [name.strip() for name in next(csv.reader([head.rstrip("\r")], delimiter=delimiter), [])]


def _line_rows(path: Path, text: str, db_ids: Collection[str]) -> list[PredictionRow]:
    rows = []
    for position, line in enumerate(text.removesuffix("\n").split("\n")):
        query, *fields = line.strip(" \r").split("\t") if _BIRD not in line else [line]
        db_id: str | None = None
        for field in fields:  # a tab may also stand within the query
            word = field.strip()
            if word in db_ids if db_ids else len(word.split()) == 1:
                db_id = word
                break
            query = f"{query} {word}"
        rows.append(_row(position, query.strip(), f"{path}, line {position + 1}", db_id=db_id))
    return rows
