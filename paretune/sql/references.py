"""Whether a reference query can be relied on: it runs, it can be read, and it returns the same each time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from sqlglot import exp

from paretune.errors import ParetuneError, ScoringError
from paretune.sql.database import quote_name, read_schema
from paretune.sql.dialects import SQLITE, as_sqlite, dialect_of
from paretune.sql.execute import Execution, ExecutionLimits, Row, Value, execute
from paretune.sql.extract import orders_rows
from paretune.sql.reading import parse_select
from paretune.sql.spider_metrics import hardness

Problem = Literal["fails", "unreadable", "not deterministic", "order of ties", "empty"]
UNUSABLE: frozenset[Problem] = frozenset({"fails", "unreadable", "not deterministic"})
_CHANCE = re.compile(r"\brandom(?:blob)?\s*\(", re.IGNORECASE)
_SIGNIFICANT_DIGITS = 9  # a sum of the same numbers in another order differs beyond these


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a reference cannot be relied on. problem: one of UNUSABLE, "order of ties" (sorted rows that tie come in an
    order that the query leaves open), or "empty" (no row, or NULL alone: a wrong query may return that too)."""

    problem: Problem
    message: str


def doubt_reference(database: Path, query: str, limits: ExecutionLimits) -> Doubt | None:
    """The gravest doubt about a reference query, after running it up to three times; None where there is none.

    It is run twice, and once over the same tables with their rows in reverse, as far as that can be written.
    """
    try:
        hardness(as_sqlite(query, database))
    except ScoringError as error:
        ran = execute(database, query, limits)
        return Doubt("unreadable", str(error)) if ran.status == "ok" else _failure(ran)
    first, again = execute(database, query, limits), execute(database, query, limits)
    for ran in (first, again):
        if ran.status != "ok":
            return _failure(ran)
    if _bag(first.rows) != _bag(again.rows):
        return Doubt("not deterministic", "two runs differ")
    if _CHANCE.search(query):  # two runs may agree by chance
        return Doubt("not deterministic", "it reads chance")
    is_file = dialect_of(database) is SQLITE  # elsewhere rows have no order that can be turned round
    backwards = backwards_query(query, _row_orders(database, database.stat().st_mtime_ns)) if is_file else None
    reverse = execute(database, backwards, limits) if backwards is not None else first
    if reverse.status == "ok" and _bag(first.rows) != _bag(reverse.rows):
        return Doubt("not deterministic", "the order in which rows are stored decides the result (ties under LIMIT?)")
    if all(value is None for row in first.rows for value in row):
        return Doubt("empty", "returns nothing")
    if reverse.status == "ok" and orders_rows(query) and _rounded(first.rows) != _rounded(reverse.rows):
        return Doubt("order of ties", "sorted rows tie, and the query leaves their order open")
    return None


def read_backwards(database: Path, query: str) -> str | None:
    """backwards_query for a SQLite file; None where the query or the schema cannot be read either."""
    if dialect_of(database) is not SQLITE:
        return None
    try:
        return backwards_query(query, _row_orders(database, database.stat().st_mtime_ns))
    except (ParetuneError, RecursionError):
        return None


def backwards_query(query: str, orders: Mapping[str, str]) -> str | None:
    """The same query over tables whose rows come in reverse; None where it reads none of them.

    orders: what sorts each table's rows backwards, by its name in lower case.

    >>> backwards_query("SELECT a FROM t LIMIT 1", {"t": "rowid DESC"})
    'SELECT a FROM (SELECT * FROM "t" ORDER BY rowid DESC LIMIT -1) AS "t" LIMIT 1'
    """
    tree = parse_select(query).copy()
    local = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    replaced = False
    for table in list(tree.find_all(exp.Table)):
        order = orders.get(table.name.lower())
        if order is None or table.name.lower() in local or not isinstance(table.this, exp.Identifier):
            continue
        inner = exp.select("*").from_(exp.to_table(quote_name(table.name), dialect="sqlite"))
        inner = inner.order_by(order, dialect="sqlite").limit(-1)
        alias = exp.TableAlias(this=exp.to_identifier(table.alias or table.name, quoted=True))
        table.replace(exp.Subquery(this=inner, alias=alias))
        replaced = True
    return str(tree.sql(dialect="sqlite")) if replaced else None


@cache
def _row_orders(database: Path, _: int) -> Mapping[str, str]:
    """For backwards_query: every ordinary table of a database (the second argument: its state)."""
    orders = {}
    for table in read_schema(database).tables:
        statement = table.create_sql.upper()
        if "WITHOUT ROWID" in statement:
            orders[table.name.lower()] = ", ".join(f"{quote_name(column)} DESC" for column in table.primary_key)
        elif not statement.startswith("CREATE VIRTUAL"):
            orders[table.name.lower()] = "rowid DESC"
    return orders


def doubt_references(
    references: Sequence[tuple[Path, str]], limits: ExecutionLimits, on_done: Callable[[int], None]
) -> list[Doubt | None]:
    """doubt_reference of each (database, query), equal ones run once; on_done(1) after each."""
    known: dict[tuple[Path, str], Doubt | None] = {}
    doubts = []
    for reference in references:
        if reference not in known:
            known[reference] = doubt_reference(*reference, limits)
        doubts.append(known[reference])
        on_done(1)
    return doubts


def _failure(ran: Execution) -> Doubt:
    return Doubt("fails", f"{ran.status.replace('_', ' ')}: {ran.error}" if ran.error else ran.status)


def _bag(rows: Sequence[Row]) -> Counter[Row]:
    return Counter(_rounded(rows))


def _rounded(rows: Sequence[Row]) -> list[Row]:
    return [tuple(map(_rounded_value, row)) for row in rows]


def _rounded_value(value: Value) -> Value:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value
