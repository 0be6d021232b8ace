"""Spider's official definitions on sqlglot's tree: exact set match and hardness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from paretune.errors import ScoringError
from paretune.sql.clauses import OPAQUE, Clauses, Condition, Conditions, Selected, TableUnit, Term, Unit
from paretune.sql.database import SchemaNames, read_names
from paretune.sql.reading import read_clauses

__all__ = ["SchemaNames", "exact_set_match", "read_names", "same_clauses"]


def exact_set_match(predicted: str, gold: str, schema: SchemaNames) -> bool:
    """Whether every clause of the prediction equals the gold's as a set, values aside.

    Literals, what columns are compared with, join conditions, DISTINCT and the number after LIMIT do not count;
    columns that foreign keys tie together are one. Inside a subquery of a condition the official script compares by
    the letter: order, DISTINCT and join conditions count and foreign keys do not; in a subquery of FROM the values
    count as well. A HAVING without GROUP BY is compared only in whether it is there. A prediction that is no SELECT
    statement, or names a column that its tables do not have, does not match.

    Raises ScoringError when the gold is not one SELECT statement.

    >>> schema = SchemaNames({"singer": ("id", "name", "age")})
    >>> exact_set_match("SELECT age, name FROM singer WHERE id = 3", "SELECT name, age FROM singer WHERE id = 4",
    ...                 schema)
    True
    >>> exact_set_match("SELECT name FROM singer WHERE id > 4", "SELECT name FROM singer WHERE id = 4", schema)
    False
    """
    wanted = comparable(read_clauses(gold, schema.tables), schema.representatives())
    try:
        given = read_clauses(predicted, schema.tables)
    except ScoringError:
        return False
    return matches_reference(given, wanted, schema)


def matches_reference(given: Clauses, wanted: Clauses, schema: SchemaNames) -> bool:
    """exact_set_match of clauses that have been read, the reference's made `comparable`."""
    return not given.unknown and same_clauses(comparable(given, schema.representatives()), wanted)


def comparable(clauses: Clauses, representatives: Mapping[str, str]) -> Clauses:
    """The clauses with columns replaced by their representatives and DISTINCT dropped, subqueries untouched.

    Only columns of the tables in the first FROM are replaced, in every part of a chain of set operations.
    """
    inside = {unit.name for unit in clauses.tables if unit.subquery is None}
    known = {column: first for column, first in representatives.items() if column.rsplit(".", 1)[0] in inside}
    return _replaced(clauses, known)


def _replaced(clauses: Clauses, known: Mapping[str, str]) -> Clauses:
    def term(old: Term) -> Term:
        return Term(old.aggregate, known.get(old.column, old.column), False)

    def unit(old: Unit) -> Unit:
        if old.operator == OPAQUE:
            return old
        return Unit(old.operator, term(old.left), None if old.right is None else term(old.right))

    def conditions(old: Conditions) -> Conditions:
        return Conditions(tuple(replace(item, unit=unit(item.unit)) for item in old.units), old.connectors)

    return replace(
        clauses,
        select=tuple(Selected(selected.aggregate, unit(selected.unit)) for selected in clauses.select),
        distinct=False,
        joins=conditions(clauses.joins),
        where=conditions(clauses.where),
        group=tuple(term(item) for item in clauses.group),
        having=conditions(clauses.having),
        order=None if clauses.order is None else (clauses.order[0], tuple(unit(item) for item in clauses.order[1])),
        other=None if clauses.other is None else _replaced(clauses.other, known),
    )


def same_clauses(given: Clauses, wanted: Clauses) -> bool:
    """The official comparison of two statements made comparable; set operations are compared part by part."""
    if Counter(given.select) != Counter(wanted.select) or Counter(given.where.units) != Counter(wanted.where.units):
        return False
    if set(given.where.connectors) != set(wanted.where.connectors) or given.order != wanted.order:
        return False
    if [term.column for term in given.group] != [term.column for term in wanted.group]:
        return False
    if wanted.group and given.having != wanted.having:
        return False
    if _keywords(given) != _keywords(wanted):
        return False
    if wanted.tables and Counter(map(_with_values, given.tables)) != Counter(map(_with_values, wanted.tables)):
        return False
    if given.other is None or wanted.other is None:
        return given.other is wanted.other
    return same_clauses(given.other, wanted.other)


def _with_values(table: TableUnit) -> tuple[TableUnit, tuple[str, ...]]:
    """A table; a subquery in FROM with its values, which the official script forgets to leave aside there."""
    return table, () if table.subquery is None else tuple(_values(table.subquery))


def _values(clauses: Clauses) -> Iterator[str]:
    for condition in clauses.conditions:
        for nested in condition.nested:
            yield from _values(nested)
        yield from () if condition.nested else condition.values
    for table in clauses.tables:
        yield from () if table.subquery is None else _values(table.subquery)
    yield from () if clauses.other is None else _values(clauses.other)


def _keywords(clauses: Clauses) -> set[str]:
    present = {
        "having": bool(clauses.having.units),
        "limit": clauses.limit,
        "or": "or" in clauses.connectors,
        "not": any(condition.negated for condition in clauses.conditions),
        "in": _any_operator(clauses.conditions, "in"),
        "like": _any_operator(clauses.conditions, "like"),
        clauses.set_operation: bool(clauses.set_operation),
    }
    return {word for word, here in present.items() if here}


def _any_operator(conditions: Iterable[Condition], operator: str) -> bool:
    return any(condition.operator == operator for condition in conditions)


def hardness(query: str) -> str:
    """Spider's level of a query: "easy", "medium", "hard" or "extra".

    Three counts decide. Clauses: WHERE, GROUP BY, ORDER BY, LIMIT, each further table, each OR, each LIKE. Nested:
    subqueries compared in a condition, and the set operation. Extras (0 to 4): more than one aggregate, selected
    column, WHERE condition, grouping column. By the letter of the script a negated condition counts as an aggregate,
    and the aggregate of a HAVING condition does not.

    Raises ScoringError when the query is not one SELECT statement.

    >>> hardness("SELECT count(*) FROM singer")
    'easy'
    >>> hardness("SELECT name FROM singer WHERE age > (SELECT avg(age) FROM singer)")
    'hard'
    """
    return level(read_clauses(query))


def level(clauses: Clauses) -> str:
    """The level of a query that has been read already."""
    counted, nested, extras = _count_clauses(clauses), _count_nested(clauses), _count_extras(clauses)
    if nested == 0:
        if counted <= 1 and extras == 0:
            return "easy"
        if (counted <= 1 and extras <= 2) or (counted <= 2 and extras < 2):
            return "medium"
        if (counted <= 2 and extras > 2) or (counted == 3 and extras <= 2):
            return "hard"
    if nested <= 1 and counted <= 1 and extras == 0:
        return "hard"
    return "extra"


def _count_clauses(clauses: Clauses) -> int:
    present = [clauses.where.units, clauses.group, clauses.order, clauses.limit]
    count = sum(1 for part in present if part)
    count += max(0, len(clauses.tables) - 1)
    count += clauses.connectors.count("or")
    return count + sum(1 for condition in clauses.conditions if condition.operator == "like")


def _count_nested(clauses: Clauses) -> int:
    return sum(len(condition.nested) for condition in clauses.conditions) + (clauses.other is not None)


def _count_extras(clauses: Clauses) -> int:
    ordered = () if clauses.order is None else clauses.order[1]
    aggregates = sum(1 for selected in clauses.select if selected.aggregate)
    aggregates += sum(1 for condition in clauses.where.units + clauses.having.units if condition.negated)
    aggregates += sum(1 for term in clauses.group if term.aggregate) + _count_aggregates(ordered)
    parts = (aggregates, len(clauses.select), len(clauses.where.units), len(clauses.group))
    return sum(1 for part in parts if part > 1)


def _count_aggregates(units: Iterable[Unit]) -> int:
    terms = [term for unit in units for term in (unit.left, unit.right) if term is not None]
    return sum(1 for term in terms if term.aggregate)
