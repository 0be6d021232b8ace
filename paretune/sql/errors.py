"""Why a predicted query is wrong: one class and one sentence, from SQLite's message or from the gold's clauses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from paretune.errors import EmptySample, ScoringError
from paretune.records import SqlOutcome, SqlVerdict
from paretune.sql.differences import Difference, ErrorClass, find_differences
from paretune.sql.reading import parse_select, read_clauses
from paretune.sql.schema import Schema

__all__ = ["ErrorClass", "ErrorReport", "classify", "compare_errors", "count_errors"]

CORRECT = "correct"
UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """Why a prediction is wrong. also: the classes of further differences, without the first one's."""

    error_class: ErrorClass
    explanation: str
    also: tuple[ErrorClass, ...] = ()


def classify(predicted: str, gold: str, schema: Schema, sqlite_message: str | None) -> ErrorReport:
    """The most telling reason why a prediction that was not right is not.

    sqlite_message: what SQLite said when it refused the prediction, None when it ran. Never raises on account of the
    two texts: what cannot be compared is ErrorClass.OTHER and says why. Call it only for predictions that are not
    correct: a correct one may well be written differently from its gold.

    >>> schema = Schema({"singer": ("id", "name", "age")})
    >>> classify("SELECT nme FROM singer", "SELECT name FROM singer", schema, "no such column: nme").explanation
    'No table has a column nme; did you mean singer.name?'
    >>> classify("SELECT name FROM singer WHERE name = 'ann'", "SELECT name FROM singer WHERE name = 'Ann'", schema,
    ...          None).explanation
    "Compare singer.name with 'Ann', not 'ann' (letter case)."
    """
    if not predicted.strip():
        return ErrorReport(ErrorClass.NO_STATEMENT, "The answer holds no SQL statement.")
    if sqlite_message is not None:
        refused = _from_message(sqlite_message, predicted, schema)
        if refused is not None:
            return ErrorReport(refused.error_class, refused.explanation)
    try:
        given, wanted = read_clauses(predicted, schema.tables), read_clauses(gold, schema.tables)
        differences = find_differences(given, wanted, schema)
    except (ScoringError, RecursionError) as error:
        detail = sqlite_message or str(error)
        return ErrorReport(ErrorClass.OTHER, f"The two queries cannot be compared clause by clause: {detail}")
    if not differences:
        detail = sqlite_message or "the clauses are alike, so look at expressions, ties and what the data holds"
        return ErrorReport(ErrorClass.OTHER, f"No clause tells them apart: {detail}.")
    first = differences[0]
    also = dict.fromkeys(item.error_class for item in differences if item.error_class != first.error_class)
    return ErrorReport(first.error_class, first.explanation, tuple(also))


def _from_message(message: str, predicted: str, schema: Schema) -> Difference | None:
    """The reason behind a message of SQLite; None for one that says nothing about the query's text."""
    for pattern, explain in _MESSAGES:
        found = re.search(pattern, message, re.IGNORECASE)
        if found:
            return explain(found, predicted, schema)
    return None


def _unknown_table(found: re.Match[str], _: str, schema: Schema) -> Difference:
    name = found[1].strip().lower()
    near = get_close_matches(name, schema.tables, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(schema.tables)}."
    return Difference(ErrorClass.UNKNOWN_TABLE, f"There is no table {name}{hint}")


def _unknown_column(found: re.Match[str], predicted: str, schema: Schema) -> Difference:
    written = found[1].strip().strip('"`[]').lower()
    qualifier, _, name = written.rpartition(".")
    table = _table_behind(qualifier, predicted)
    owners = [owner for owner in schema.tables_with(name) if owner != table]
    if owners:
        place = f"{table} has no column {name}" if table else f"Column {name} is in none of the tables read"
        text = f"{place[0].upper()}{place[1:]}; it is in {', '.join(owners)}, which must be joined or named."
        return Difference(ErrorClass.UNKNOWN_COLUMN, text)
    if table:
        candidates = {f"{table}.{column}": column for column in schema.tables.get(table, ())}
    else:
        candidates = {f"{owner}.{column}": column for owner in schema.tables for column in schema.tables[owner]}
    near = get_close_matches(name, list(candidates.values()), n=1)
    full = next((key for key, column in candidates.items() if near and column == near[0]), None)
    hint = f"; did you mean {full}?" if full else "."
    return Difference(ErrorClass.UNKNOWN_COLUMN, f"No table has a column {name}{hint}")


def _table_behind(qualifier: str, predicted: str) -> str:
    """The table that an alias stands for in the prediction; the alias itself when the text cannot be read."""
    if not qualifier:
        return ""
    from sqlglot import exp

    try:
        tables = list(parse_select(predicted).find_all(exp.Table))
    except ScoringError:
        return qualifier
    named = {(table.alias or table.name).lower(): table.name.lower() for table in tables}
    return str(named.get(qualifier, qualifier))


def _plain(error_class: ErrorClass, sentence: str) -> Callable[[re.Match[str], str, Schema], Difference]:
    return lambda found, _predicted, _schema: Difference(error_class, sentence.format(*found.groups()))


_MESSAGES: tuple[tuple[str, Callable[[re.Match[str], str, Schema], Difference]], ...] = (
    (r"no such table: (?:main\.)?([^\n]+)", _unknown_table),
    (r"no such column: (.+?)(?: - should this be.*)?$", _unknown_column),
    (
        r"ambiguous column name: (\S+)",
        _plain(ErrorClass.AMBIGUOUS_COLUMN, "Column {0} is in several of the tables read: write the table before it."),
    ),
    (
        r"no such function: (\S+)",
        _plain(ErrorClass.UNKNOWN_FUNCTION, "SQLite has no function {0}: write it with one that SQLite has."),
    ),
    (
        r"misuse of aggregate(?: function|:)? ?(\w*)",
        _plain(
            ErrorClass.WRONG_AGGREGATE, "An aggregate {0} stands where rows are not yet grouped: move it to HAVING."
        ),
    ),
    (
        r"wrong number of arguments to function (\w+)",
        _plain(ErrorClass.WRONG_AGGREGATE, "Function {0} was given a number of arguments that SQLite does not accept."),
    ),
    (
        r"do not have the same number of result columns",
        _plain(ErrorClass.SET_OPERATION, "The two sides of the set operation select different numbers of columns."),
    ),
    (
        r"GROUP BY clause is required before HAVING|HAVING clause on a non-aggregate",
        _plain(ErrorClass.WRONG_GROUPING, "HAVING needs a GROUP BY before it."),
    ),
    (
        r"sub-select returns (\d+) columns|row value misused",
        _plain(ErrorClass.WRONG_COLUMNS, "The subquery must select exactly one column."),
    ),
    (
        r"cannot join using column (\w+)",
        _plain(ErrorClass.WRONG_JOIN_KEY, "USING names column {0}, which is not in both tables."),
    ),
    (
        r"clause should come (?:after|before) (.*)",
        _plain(ErrorClass.SYNTAX, "ORDER BY and LIMIT belong to the end of the whole statement: {0}."),
    ),
    (r'near "(.*)": syntax error', _plain(ErrorClass.SYNTAX, "SQLite stops reading at {0!r}.")),
    (r"incomplete input", _plain(ErrorClass.SYNTAX, "The statement breaks off before its end.")),
    (r"unrecognized token: (.*)", _plain(ErrorClass.SYNTAX, "SQLite cannot read {0}: look for an unclosed quote.")),
    (
        r"syntax error|term out of range|one statement at a time|parser stack overflow",
        _plain(ErrorClass.SYNTAX, "SQLite cannot read the statement."),
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
    judged = [verdict for verdict in verdicts if verdict.outcome != SqlOutcome.GOLD_FAILED]
    if not judged:
        raise EmptySample(f"variant {variant}: no verdicts to count errors in")
    return judged


def _kind(verdict: SqlVerdict) -> str:
    return CORRECT if verdict.outcome == SqlOutcome.CORRECT else verdict.error_class or UNCLASSIFIED
