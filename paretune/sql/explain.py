"""Why is an answer wrong? Classes of errors and a sentence for each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from sqlglot import exp

from paretune.errors import EmptySample, ScoringError
from paretune.sql.clauses import Clauses
from paretune.sql.database import SchemaNames, read_names
from paretune.sql.diagnosis import Diagnosis
from paretune.sql.dialects import SQLITE, as_sqlite, dialect_of
from paretune.sql.differences import Difference, ErrorClass, find_differences
from paretune.sql.extract import tokens
from paretune.sql.metrics import OF_TEXTS, Texts
from paretune.sql.reading import parse_select, read_clauses
from paretune.sql.readings import Reading, Readings
from paretune.sql.records import NOT_JUDGED, SqlOutcome, SqlVerdict
from paretune.sql.rules import joined_operators
from paretune.sql.spider_metrics import comparable, hardness, matches_reference
from paretune.text import Phrase

__all__ = ["ErrorClass", "ErrorReport", "classify", "compare_errors", "count_errors"]

CORRECT = "correct"
UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Why a prediction is wrong. also: the classes of further differences, without the first one's."""

    error_class: ErrorClass
    phrase: Phrase
    also: tuple[ErrorClass, ...] = ()

    @property
    def explanation(self) -> str:
        """The reason in English."""
        return str(self.phrase)


def classify(
    predicted: str,
    gold: str,
    schema: SchemaNames,
    sqlite_message: str | None,
    read: Callable[[str], Clauses] | None = None,
) -> ErrorReport:
    """The most telling reason why a prediction that was not right is not.

    sqlite_message: what SQLite said when it refused the prediction, None when it ran. read: read_clauses of this
    schema, where a caller keeps what it has read. Never raises on account of the two texts: what cannot be compared is
    ErrorClass.OTHER and says why. Call it only for predictions that are not correct: a correct one may well be written
    differently from its gold.

    >>> schema = SchemaNames({"singer": ("id", "name", "age")})
    >>> classify("SELECT nme FROM singer", "SELECT name FROM singer", schema, "no such column: nme").explanation
    'No table has a column nme; did you mean singer.name?'
    >>> classify("SELECT name FROM singer WHERE name = 'ann'", "SELECT name FROM singer WHERE name = 'Ann'", schema,
    ...          None).explanation
    "Compare singer.name with 'Ann', not 'ann' (letter case)."
    """
    if not predicted.strip():
        return ErrorReport(ErrorClass.NO_STATEMENT, Phrase("sql.no-statement"))
    if sqlite_message is not None:
        refused = _from_message(sqlite_message, predicted, schema)
        if refused is not None:
            return ErrorReport(refused.error_class, refused.phrase)
    read = read or partial(read_clauses, tables=schema.tables)
    try:
        given, wanted = read(predicted), read(gold)
        differences = find_differences(given, wanted, schema)
    except (ScoringError, RecursionError) as error:
        return ErrorReport(ErrorClass.OTHER, Phrase("sql.not-comparable", {"message": sqlite_message or str(error)}))
    if not differences:
        alike = Phrase("sql.alike") if sqlite_message is None else Phrase("sql.no-clause", {"message": sqlite_message})
        return ErrorReport(ErrorClass.OTHER, alike)
    first = differences[0]
    also = dict.fromkeys(item.error_class for item in differences if item.error_class != first.error_class)
    return ErrorReport(first.error_class, first.phrase, tuple(also))


def _from_message(message: str, predicted: str, schema: SchemaNames) -> Difference | None:
    """The reason behind a database's message; None for one that says nothing about the query's text."""
    for pattern, explain in _MESSAGES:
        match = re.search(pattern, message, re.IGNORECASE)
        if match:
            return explain(match, predicted, schema)
    return None


def _unknown_table(match: re.Match[str], _: str, schema: SchemaNames) -> Difference:
    name = match[1].strip().lower()
    near = get_close_matches(name, schema.tables, n=1)
    if near:
        return Difference(ErrorClass.UNKNOWN_TABLE, Phrase("sql.table-near", {"table": name, "near": near[0]}))
    known = {"table": name, "tables": ", ".join(schema.tables)}
    return Difference(ErrorClass.UNKNOWN_TABLE, Phrase("sql.unknown-table", known))


def _unknown_column(match: re.Match[str], predicted: str, schema: SchemaNames) -> Difference:
    return _no_column(match[1], predicted, schema)


def _unknown_column_of(match: re.Match[str], predicted: str, schema: SchemaNames) -> Difference:
    return _no_column(f"{match[1]}.{match[2]}", predicted, schema)


def _no_column(name: str, predicted: str, schema: SchemaNames) -> Difference:
    written = name.strip().strip('"`[]').lower()
    qualifier, _, name = written.rpartition(".")
    table = _table_behind(qualifier, predicted)
    owners = [owner for owner in schema.tables_with(name) if owner != table]
    if owners:
        column = {"column": name, "tables": ", ".join(owners)}
        phrase = Phrase("sql.column-to-join", column)
        if table:
            phrase = Phrase("sql.table-lacks-column", {**column, "table": f"{table[0].upper()}{table[1:]}"})
        return Difference(ErrorClass.UNKNOWN_COLUMN, phrase)
    if table:
        candidates = {f"{table}.{column}": column for column in schema.tables.get(table, ())}
    else:
        candidates = {f"{owner}.{column}": column for owner in schema.tables for column in schema.tables[owner]}
    near = get_close_matches(name, list(candidates.values()), n=1)
    full = next((key for key, column in candidates.items() if near and column == near[0]), None)
    if full:
        return Difference(ErrorClass.UNKNOWN_COLUMN, Phrase("sql.column-near", {"column": name, "near": full}))
    return Difference(ErrorClass.UNKNOWN_COLUMN, Phrase("sql.unknown-column", {"column": name}))


def _table_behind(qualifier: str, predicted: str) -> str:
    """The table that an alias stands for in the prediction; the alias itself when the text cannot be read."""
    if not qualifier:
        return ""
    try:
        tables = list(parse_select(predicted).find_all(exp.Table))
    except ScoringError:
        return qualifier
    named = {(table.alias or table.name).lower(): table.name.lower() for table in tables}
    return str(named.get(qualifier, qualifier))


def _misplaced_aggregate(match: re.Match[str], _: str, _schema: SchemaNames) -> Difference:
    named = Phrase("sql.misplaced-aggregate", {"aggregate": match[1]})
    return Difference(ErrorClass.WRONG_AGGREGATE, named if match[1] else Phrase("sql.misplaced-aggregate-unnamed"))


def _stops_at(match: re.Match[str], _: str, _schema: SchemaNames) -> Difference:
    return Difference(ErrorClass.SYNTAX, Phrase("sql.stops-at", {"token": repr(match[1])}))


def _plain(
    error_class: ErrorClass, code: str, field: str = ""
) -> Callable[[re.Match[str], str, SchemaNames], Difference]:
    """A phrase without fields, or with the pattern's group as its only one."""
    return lambda match, _predicted, _schema: Difference(error_class, Phrase(code, {field: match[1]} if field else {}))


_MESSAGES: tuple[tuple[str, Callable[[re.Match[str], str, SchemaNames], Difference]], ...] = (
    (r"no such table: (?:main\.)?([^\n]+)", _unknown_table),
    (r'(?:relation "|Table with name )([^"\s]+)"? does not exist', _unknown_table),
    (r"no such column: (.+?)(?: - should this be.*)?$", _unknown_column),
    (r'(?:column "?|Referenced column ")([^"\s]+)"? (?:does not exist|not found in FROM clause)', _unknown_column),
    (r'Table "([^"\s]+)" does not have a column named "([^"]+)"', _unknown_column_of),
    (
        r'(?:column reference|Ambiguous reference to column name) "([^"]+)"',
        _plain(ErrorClass.AMBIGUOUS_COLUMN, "sql.ambiguous-column", "column"),
    ),
    (r"ambiguous column name: (\S+)", _plain(ErrorClass.AMBIGUOUS_COLUMN, "sql.ambiguous-column", "column")),
    (r"no such function: (\S+)", _plain(ErrorClass.UNKNOWN_FUNCTION, "sql.unknown-function", "function")),
    (
        r"[Ff]unction (?:with name )?(\w+)(?:\([^)]*\))? does not exist",
        _plain(ErrorClass.UNKNOWN_FUNCTION, "sql.unknown-function", "function"),
    ),
    (r"(?:aggregate functions are not allowed in|clause cannot contain aggregates)()", _misplaced_aggregate),
    (r"misuse of aggregate(?: function|:)? ?(\w*)", _misplaced_aggregate),
    (
        r"wrong number of arguments to function (\w+)",
        _plain(ErrorClass.WRONG_AGGREGATE, "sql.wrong-arguments", "function"),
    ),
    (
        r"do not have the same number of result columns",
        _plain(ErrorClass.SET_OPERATION, "sql.set-operation-columns"),
    ),
    (
        r"GROUP BY clause is required before HAVING|HAVING clause on a non-aggregate",
        _plain(ErrorClass.WRONG_GROUPING, "sql.having-alone"),
    ),
    (
        r"sub-select returns (\d+) columns|row value misused",
        _plain(ErrorClass.WRONG_COLUMNS, "sql.subquery-columns"),
    ),
    (r"cannot join using column (\w+)", _plain(ErrorClass.WRONG_JOIN_KEY, "sql.using-column", "column")),
    (r"clause should come (?:after|before) (.*)", _plain(ErrorClass.SYNTAX, "sql.clause-order", "clause")),
    (r'near "(.*)": syntax error', _stops_at),
    (r'syntax error at or near "(.*?)"', _stops_at),
    (r"incomplete input|syntax error at end of input", _plain(ErrorClass.SYNTAX, "sql.breaks-off")),
    (r"unrecognized token: (.*)", _plain(ErrorClass.SYNTAX, "sql.unclosed", "token")),
    (
        r"syntax error|term out of range|one statement at a time|parser stack overflow",
        _plain(ErrorClass.SYNTAX, "sql.unreadable"),
    ),
)


def count_errors(verdicts_by_variant: Mapping[str, Sequence[SqlVerdict]]) -> dict[str, dict[str, int]]:
    """How often each error class occurs under each variant: class -> variant -> count, in the classes' order.

    Only classes that occur are listed; a wrong verdict without a class is counted as "unclassified". Questions whose
    gold fails are left out: they say nothing about the prediction. Raises EmptySample when a variant has no verdict.
    """
    counts = {
        variant: Counter(map(_kind, _judged(variant, verdicts))) for variant, verdicts in verdicts_by_variant.items()
    }
    classes = [kind for kind in [*ErrorClass, UNCLASSIFIED] if any(table[kind] for table in counts.values())]
    return {str(kind): {variant: table[kind] for variant, table in counts.items()} for kind in classes}


def compare_errors(before: Sequence[SqlVerdict], after: Sequence[SqlVerdict]) -> dict[tuple[str, str], int]:
    """What became of each question between two variants: (class before, class after) -> count, most frequent first.

    "correct" stands for a right prediction, so ("missing_join", "correct") counts the joins that were learnt. Pairs by
    index. Raises EmptySample without questions, ScoringError when the two do not hold the same ones.
    """
    first = {verdict.index: verdict for verdict in _judged("before", before)}
    second = {verdict.index: verdict for verdict in _judged("after", after)}
    if first.keys() != second.keys():
        odd = sorted(first.keys() ^ second.keys())[:5]
        raise ScoringError(f"the two variants answered different questions, for instance {odd}: compare like with like")
    return dict(Counter((_kind(first[index]), _kind(second[index])) for index in sorted(first)).most_common())


def _judged(variant: str, verdicts: Sequence[SqlVerdict]) -> list[SqlVerdict]:
    judged = [verdict for verdict in verdicts if verdict.outcome not in NOT_JUDGED]
    if not judged:
        raise EmptySample(f"variant {variant}: no verdicts to count errors in")
    return judged


def _kind(verdict: SqlVerdict) -> str:
    return CORRECT if verdict.outcome == SqlOutcome.CORRECT else verdict.error_class or UNCLASSIFIED


_LONGEST_PARSED = 10_000  # characters; a longer text is no real query, and parsing it could take minutes
_DEEPEST_PARSED = 40  # nested parentheses


class Diagnostician:
    """Diagnoses predictions against the schemas of their databases, each schema and each gold read once.

    tables_file: Spider's tables.json; where it is absent, or does not hold a database, foreign keys are those that the
    database declares. folder: where readings of references are kept between calls; None for nowhere.
    """

    def __init__(self, tables_file: Path | None, folder: Path | None = None) -> None:
        self._tables_file = tables_file if tables_file is not None and tables_file.is_file() else None
        self._folder = folder
        self._schemas: dict[Path, SchemaNames] = {}
        self._readings: dict[Path, Readings] = {}
        self._golds: dict[tuple[Path, str], tuple[Reading, Clauses | None]] = {}

    def diagnose(
        self,
        database: Path,
        sql: str,
        gold: str,
        *,
        wrong: bool,
        refused: bool = False,
        values_open: bool = False,
        message: str | None = None,
    ) -> Diagnosis:
        """All that is known of one prediction from its text. wrong: is there something to explain; refused: did SQLite
        or the sandbox refuse it; message: SQLite's, when it did. values_open: `value` is read as 1, as the official
        script does."""
        sql, gold = (_in_words_of_sqlite(joined_operators(query), database) for query in (sql, gold))
        reading, wanted = self._gold(database, gold)
        schema = self._schema(database)
        given: dict[str, Clauses] = {} if reading.clauses is None else {gold: reading.clauses}

        def read(query: str) -> Clauses:
            if query not in given:
                given[query] = read_clauses(query, schema.tables)
            return given[query]

        measured: dict[str, float] = {}
        if reading.hardness != "unknown":
            matched = sql.replace("value", "1") if values_open else sql
            alike = wanted is not None and self._matches(matched, wanted, schema, read)
            texts = Texts(matched, schema, alike, refused)
            measured = {name: metric.measure(texts) for name, metric in OF_TEXTS.items()}
        error_class, phrase = self._explain(schema, sql, gold, message, read) if wrong else (None, None)
        return Diagnosis(reading.hardness, measured, error_class, phrase)

    def _schema(self, database: Path) -> SchemaNames:
        if database not in self._schemas:
            self._schemas[database] = read_names(database, self._tables_file)
        return self._schemas[database]

    def _gold(self, database: Path, gold: str) -> tuple[Reading, Clauses | None]:
        """The reading of a reference, and its clauses as exact set match compares them."""
        if (database, gold) not in self._golds:
            schema = self._schema(database)
            if self._folder is None:
                reading = read_reference(gold, schema)
            else:
                if database not in self._readings:
                    self._readings[database] = Readings(self._folder, schema)
                reading = self._readings[database].get(gold, partial(read_reference, gold, schema))
            wanted = None if reading.clauses is None else comparable(reading.clauses, schema.representatives())
            self._golds[database, gold] = reading, wanted
        return self._golds[database, gold]

    def _matches(self, sql: str, wanted: Clauses, schema: SchemaNames, read: Callable[[str], Clauses]) -> bool:
        try:
            return can_parse(sql) and matches_reference(read(sql), wanted, schema)
        except Exception:  # a parser that trips over one text must not cost the verdicts on all others
            return False

    def _explain(
        self, schema: SchemaNames, sql: str, gold: str, message: str | None, read: Callable[[str], Clauses]
    ) -> tuple[str, Phrase]:
        if sql and not can_parse(sql):
            return str(ErrorClass.OTHER), Phrase("sql.too-long")
        try:
            report = classify(sql, gold, schema, message, read)
        except Exception as error:  # as below
            return str(ErrorClass.OTHER), Phrase("sql.not-comparable", {"message": str(error)})
        return str(report.error_class), report.phrase


def _in_words_of_sqlite(query: str, database: Path) -> str:
    """The query as the one parser here reads it; itself where it is for SQLite, or cannot be translated."""
    if dialect_of(database) is SQLITE or not can_parse(query):
        return query
    try:
        return as_sqlite(query, database)
    except Exception:  # as above
        return query


def read_reference(gold: str, schema: SchemaNames) -> Reading:
    """What a reference's text tells; clauses only where it has a hardness."""
    hard = level_of(gold)
    try:
        return Reading(hard, None if hard == "unknown" else read_clauses(gold, schema.tables))
    except Exception:  # as above
        return Reading(hard, None)


def can_parse(sql: str) -> bool:
    """Is the text short and flat enough for a parser written in Python?"""
    if not sql or len(sql) > _LONGEST_PARSED:
        return False
    depth = deepest = 0
    for token in tokens(sql):
        depth += (token in "([") - (token in ")]")
        deepest = max(deepest, depth)
    return deepest <= _DEEPEST_PARSED


def level_of(gold: str) -> str:
    """The hardness of a reference query; "unknown" where it is not one SELECT statement, or too long to be parsed."""
    try:
        return hardness(gold) if can_parse(gold) else "unknown"
    except (ScoringError, RecursionError):
        return "unknown"
