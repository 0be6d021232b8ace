"""What a SQLite database is made of, as far as new rows for it must know: tables, keys, and the values it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from paretune.errors import ScoringError
from paretune.sql.clauses import Clauses
from paretune.sql.database import SchemaNames, quote_name
from paretune.sql.reading import read_clauses
from paretune.sql.suite.neighbours import other_texts

Value = int | float | str | bytes | None
_OBSERVED_ROWS = 2000  # a sample is enough to see what values look like


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """One column. observed: distinct values seen, without NULL; wanted: values that queries compare it with and their
    neighbours; key: no value may repeat."""

    name: str
    declared: str
    not_null: bool
    key: bool
    nulls: bool
    closed: bool
    observed: tuple[Value, ...]
    wanted: tuple[Value, ...] = ()
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """Columns that take their values from the same row of another table. firm: declared, else only seen in joins."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    firm: bool


@dataclass(frozen=True, slots=True)
class TablePlan:
    """One table; name as written in the database."""

    name: str
    columns: tuple[ColumnPlan, ...]
    keys: tuple[KeyPlan, ...]


@dataclass(frozen=True, slots=True)
class DatabasePlan:
    """Tables in an order in which parents precede children where that is possible, and the statements that make
    them (tables first, then indexes and views)."""

    tables: tuple[TablePlan, ...]
    statements: tuple[str, ...]


@dataclass(slots=True)
class _Wishes:
    """What the queries ask of the data, by "table.column"."""

    values: dict[str, list[Value]] = field(default_factory=dict)
    joins: set[tuple[str, str]] = field(default_factory=set)
    ordered: set[str] = field(default_factory=set)


def plan_database(connection: sqlite3.Connection, schema: SchemaNames, queries: Sequence[str]) -> DatabasePlan:
    """Read the plan of an open database; queries that cannot be read are passed over."""
    wishes = _Wishes()
    for query in queries:
        try:
            _note(read_clauses(query, schema.tables), wishes)
        except ScoringError:
            continue
    rows = connection.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    ).fetchall()
    order = {"table": 0, "index": 1, "view": 2}
    statements = [(order[kind], sql) for _, kind, sql in rows if kind in order and "VIRTUAL" not in sql[:20].upper()]
    names = [name for name, kind, sql in rows if kind == "table" and "VIRTUAL" not in sql[:20].upper()]
    tables = {name.lower(): _table(connection, name, wishes) for name in names}
    placed = _parents_first([_with_joins(table, tables, wishes) for table in tables.values()])
    return DatabasePlan(tuple(placed), tuple(sql for _, sql in sorted(statements, key=lambda item: item[0])))


def _note(clauses: Clauses, wishes: _Wishes) -> None:
    """Gather compared values, joined columns and ordered columns of a query and of everything inside it."""
    for condition in clauses.conditions:
        column = condition.unit.left.column
        for text in condition.values if condition.unit.operator == "" else ():
            if "." in text and not text.startswith("'") and not text.replace(".", "").lstrip("-").isdigit():
                wishes.joins.add((column, text))
            elif not condition.unit.left.aggregate:
                wishes.values.setdefault(column, []).extend(_around(text))
        for nested in condition.nested:
            wishes.joins.update((column, item.unit.left.column) for item in nested.select[:1] if not item.aggregate)
            _note(nested, wishes)
    for unit in () if clauses.order is None else clauses.order[1]:
        wishes.ordered.add(unit.left.column)
    for table in clauses.tables:
        if table.subquery is not None:
            _note(table.subquery, wishes)
    if clauses.other is not None:
        first, second = clauses.select[0].unit.left.column, clauses.other.select[0].unit.left.column
        wishes.joins.add((first, second))
        _note(clauses.other, wishes)


def _around(text: str) -> list[Value]:
    """A compared literal and the values that tell its neighbours apart."""
    if text.startswith("'"):
        plain = text[1:-1].replace("''", "'")
        if "%" in plain:
            core = plain.strip("%").replace("%", " ")
            return [core, core + "x", "x" + core, "x" + core + "x", core.swapcase()]
        return [plain, plain, *other_texts(plain)]
    try:
        number = int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return []
    return [number, number, number + 1, number - 1]


def _table(connection: sqlite3.Connection, name: str, wishes: _Wishes) -> TablePlan:
    described = connection.execute(f"PRAGMA table_info({quote_name(name)})").fetchall()
    unique = set(_unique_columns(connection, name))
    primary = [row[1] for row in described if row[5]]
    unique |= set(primary) if len(primary) == 1 else set()
    listed = ", ".join(quote_name(row[1]) for row in described)  # not *, which has generated columns as well
    sample = connection.execute(f"SELECT {listed} FROM {quote_name(name)} LIMIT {_OBSERVED_ROWS}").fetchall()
    columns = []
    for position, (_, column, declared, not_null, _, rank) in enumerate(described):
        seen = [row[position] for row in sample if row[position] is not None]
        distinct = tuple(dict.fromkeys(seen))
        full = f"{name.lower()}.{column.lower()}"
        columns.append(
            ColumnPlan(
                name=column,
                declared=(declared or "").upper(),
                not_null=bool(not_null or rank),
                key=column in unique,
                nulls=len(seen) < len(sample),
                closed=0 < len(distinct) <= 6 and len(seen) > 2 * len(distinct),
                observed=distinct,
                wanted=tuple(wishes.values.get(full, ())),
                ordered=full in wishes.ordered,
            )
        )
    return TablePlan(name, tuple(columns), tuple(_declared(connection, name)))


def _unique_columns(connection: sqlite3.Connection, name: str) -> Iterator[str]:
    for row in connection.execute(f"PRAGMA index_list({quote_name(name)})").fetchall():
        if row[2]:
            inside = connection.execute(f"PRAGMA index_info({quote_name(row[1])})").fetchall()
            if len(inside) == 1 and inside[0][2] is not None:
                yield inside[0][2]


def _declared(connection: sqlite3.Connection, name: str) -> Iterator[KeyPlan]:
    rows = sorted(connection.execute(f"PRAGMA foreign_key_list({quote_name(name)})").fetchall())
    for _, group in groupby(rows, key=lambda row: row[0]):
        parts = list(group)
        parent = parts[0][2]
        targets = [part[4] for part in parts]
        if None in targets:
            described = connection.execute(f"PRAGMA table_info({quote_name(parent)})").fetchall()
            primary = sorted((row for row in described if row[5]), key=lambda row: row[5])
            targets = [row[1] for row in primary]
        if len(targets) == len(parts):
            yield KeyPlan(tuple(part[3] for part in parts), parent, tuple(targets), True)


def _with_joins(table: TablePlan, tables: dict[str, TablePlan], wishes: _Wishes) -> TablePlan:
    """The table with the joins that queries make through columns that no declared key binds."""
    bound = {column.lower() for key in table.keys for column in key.columns}
    keys = list(table.keys)
    for pair in sorted(wishes.joins):
        for own, other in (pair, pair[::-1]):
            owner, _, column = own.rpartition(".")
            parent, _, parent_column = other.rpartition(".")
            if owner != table.name.lower() or parent == owner or parent not in tables or column in bound:
                continue
            mine = next((item for item in table.columns if item.name.lower() == column), None)
            theirs = next((item for item in tables[parent].columns if item.name.lower() == parent_column), None)
            if mine is None or theirs is None or mine.key:
                continue
            child_of_it = any(key.parent.lower() == owner for key in tables[parent].keys)
            if theirs.key or not child_of_it:
                keys.append(KeyPlan((mine.name,), tables[parent].name, (theirs.name,), False))
                bound.add(column)
    return TablePlan(table.name, table.columns, tuple(keys))


def _parents_first(tables: list[TablePlan]) -> list[TablePlan]:
    """Tables ordered so that as many as possible follow their parents; firm keys weigh more than joins seen."""
    placed: list[TablePlan] = []
    names: set[str] = set()
    waiting = list(tables)
    while waiting:

        def missing(table: TablePlan) -> tuple[int, int]:
            lacking = [key for key in table.keys if key.parent.lower() not in names | {table.name.lower()}]
            return sum(key.firm for key in lacking), len(lacking)

        best = min(waiting, key=missing)
        waiting.remove(best)
        placed.append(best)
        names.add(best.name.lower())
    return placed
