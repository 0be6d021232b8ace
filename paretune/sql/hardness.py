"""How hard a gold query is, by Spider's official definition.

Source: eval_hardness in evaluation.py of taoyds/test-suite-sql-eval (the same in taoyds/spider), on the clauses of
sql_reading.py; that module lists where its reading differs from the official parser's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from paretune.sql.clauses import Clauses, Unit
from paretune.sql.reading import read_clauses

LEVELS: Final = ("easy", "medium", "hard", "extra")


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
