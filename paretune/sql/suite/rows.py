"""Random rows for a database plan: they keep types and keys, and lean towards the values that queries look for."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from paretune.sql.database import quote_name
from paretune.sql.suite.tables import ColumnPlan, DatabasePlan, KeyPlan, TablePlan, Value

_WANTED_SHARE = 0.35  # of a column's values are ones that a query compares with
_JOINED_SHARE = 0.9  # of values of a join seen only in queries have a partner
_NULL_SHARE = 0.08
_SIZES = (6, 12, 25, 50)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class _Shape:
    """How one database is drawn: rows a table, how unevenly parents get children, how often values repeat."""

    rows: int
    skew: float
    variety: float


def fill(connection: sqlite3.Connection, plan: DatabasePlan, rng: random.Random) -> None:
    """Make the tables and their rows in an empty database. Rows that a constraint refuses are left out, and rows
    that would break a foreign key are removed, so that `PRAGMA foreign_key_check` finds nothing."""
    connection.execute("PRAGMA foreign_keys = OFF")
    for statement in plan.statements:
        connection.execute(statement)
    shape = _Shape(rng.choice(_SIZES), rng.choice((0.0, 0.7, 1.5)), rng.choice((0.3, 0.7, 1.5)))
    filled: dict[str, list[dict[str, Value]]] = {}
    for table in plan.tables:
        children = any(key.parent.lower() != table.name.lower() for key in table.keys)
        count = max(2, round(shape.rows * (2 if children else 1) * rng.uniform(0.6, 1.4)))
        filled[table.name.lower()] = _insert(connection, table, count, filled, shape, rng)
    _remove_orphans(connection)
    connection.commit()


def _insert(
    connection: sqlite3.Connection,
    table: TablePlan,
    count: int,
    filled: dict[str, list[dict[str, Value]]],
    shape: _Shape,
    rng: random.Random,
) -> list[dict[str, Value]]:
    pools = {column.name: _pool(column, count, shape, rng) for column in table.columns}
    marks = ", ".join("?" for _ in table.columns)
    names = ", ".join(quote_name(column.name) for column in table.columns)
    statement = f"INSERT OR IGNORE INTO {quote_name(table.name)} ({names}) VALUES ({marks})"
    rows: list[dict[str, Value]] = []
    for _ in range(count):
        row = _row(table, pools, filled | {table.name.lower(): rows}, shape, rng)
        values = [row[column.name] for column in table.columns]
        if connection.execute(statement, values).rowcount == 1:
            rows.append(row)
    return rows


def _row(
    table: TablePlan,
    pools: dict[str, list[Value]],
    filled: dict[str, list[dict[str, Value]]],
    shape: _Shape,
    rng: random.Random,
) -> dict[str, Value]:
    row = {column.name: _value(column, pools[column.name], rng) for column in table.columns}
    for key in table.keys:
        if key.firm or rng.random() < _JOINED_SHARE:
            _point(row, key, filled.get(key.parent.lower(), []), table, shape, rng)
    return row


def _point(
    row: dict[str, Value],
    key: KeyPlan,
    parents: Sequence[dict[str, Value]],
    table: TablePlan,
    shape: _Shape,
    rng: random.Random,
) -> None:
    """Let the row refer to a row of the parent; some parents are referred to much more often than others."""
    columns = {column.name.lower(): column for column in table.columns}
    mine = [columns[name.lower()] for name in key.columns if name.lower() in columns]
    if len(mine) != len(key.columns):
        return
    nullable = not any(column.not_null for column in mine)
    if nullable and (not parents or (any(column.nulls for column in mine) and rng.random() < _NULL_SHARE)):
        if key.firm:
            row.update({column.name: None for column in mine})
        return
    if not parents:
        return
    rank = int(len(parents) * rng.random() ** (1 + shape.skew))
    chosen = {name.lower(): value for name, value in parents[rank].items()}
    for column, target in zip(mine, key.parent_columns, strict=True):
        row[column.name] = chosen.get(target.lower(), row[column.name])


def _value(column: ColumnPlan, pool: list[Value], rng: random.Random) -> Value:
    if column.key:
        return pool.pop() if pool else None
    if column.nulls and not column.not_null and rng.random() < _NULL_SHARE:
        return None
    if column.wanted and rng.random() < _WANTED_SHARE:
        return rng.choice(column.wanted)
    return rng.choice(pool)


def _pool(column: ColumnPlan, count: int, shape: _Shape, rng: random.Random) -> list[Value]:
    """The values that a column draws from; for a key as many different ones as there are rows, to be used up."""
    if column.closed and not column.key:
        return list(column.observed)
    size = count if column.key else max(2, round(count * (1.5 if column.ordered else shape.variety)))
    known = list(dict.fromkeys([*column.wanted, *column.observed])) if column.key else list(column.observed)
    values = dict.fromkeys(rng.sample(known, min(len(known), size // 2 + 1)))
    for attempt in range(size * 4):
        if len(values) >= size:
            break
        values[_fresh(column, attempt, rng)] = None
    pool = list(values)
    rng.shuffle(pool)
    return pool or [None]


def _fresh(column: ColumnPlan, attempt: int, rng: random.Random) -> Value:
    """A value that looks like the ones observed, or like the declared type where none were."""
    numbers = [value for value in column.observed if isinstance(value, int | float)]
    if numbers and 2 * len(numbers) >= len(column.observed):
        low, high = min(numbers), max(numbers)
        if all(isinstance(value, int) for value in numbers):
            return rng.randint(int(low), int(high) + max(3, attempt // 2))
        return round(rng.uniform(low, high + 1), 2)
    texts = [value for value in column.observed if isinstance(value, str)]
    if texts:
        return _similar(rng.choice(texts), rng)
    if re.search(r"INT|BOOL|YEAR", column.declared):
        return rng.randint(1, 20 + attempt)
    if re.search(r"REAL|FLOA|DOUB|NUMERIC|DECIMAL", column.declared):
        return round(rng.uniform(0, 100), 2)
    if "DATE" in column.declared or "TIME" in column.declared:
        return _some_date(rng)
    return f"{column.name} {rng.randint(1, 20 + attempt)}"


def _similar(text: str, rng: random.Random) -> str:
    """A text of the same pattern: another date, other digits, or other letters at one place."""
    if _DATE.search(text):
        return _DATE.sub(lambda _: _some_date(rng), text)
    places = [index for index, letter in enumerate(text) if letter.isdigit()]
    if places and 2 * len(places) >= len(text):
        index = places[-1] if rng.random() < 0.7 else rng.choice(places[1:] or places)
        return text[:index] + rng.choice("123456789") + text[index + 1 :]
    letters = [index for index, letter in enumerate(text) if letter.isalpha()]
    if not letters:
        return text + str(rng.randint(1, 9))
    index = rng.choice(letters)
    other = rng.choice("abcdefghijklmnopqrstuvwxyz")
    return text[:index] + (other.upper() if text[index].isupper() else other) + text[index + 1 :]


def _some_date(rng: random.Random) -> str:
    return (date(1990, 1, 1) + timedelta(days=rng.randrange(12000))).isoformat()


def _remove_orphans(connection: sqlite3.Connection) -> None:
    for _ in range(8):
        try:
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.OperationalError:  # a key that refers to columns which are not unique cannot be checked
            return
        if not broken:
            return
        for table, rowid, *_ in broken:
            if rowid is not None:
                connection.execute(f"DELETE FROM {quote_name(table)} WHERE rowid = ?", (rowid,))
