"""Databases that are not SQLite: which file stands for which, and what all of them share.

    <db_id>.sqlite     a SQLite file; everything outside this package deals with these
    <db_id>.duckdb     a DuckDB file (extra `duckdb`)
    <db_id>.postgres   JSON {"url": "postgresql://..."}: a PostgreSQL server (extra `postgres`)

Each module here answers the same four calls: check, read_schema, sample_values, and execute with the outcomes of
sql/execute.py. Values come back as SQLite has them, so that every rule of comparison holds for all.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from paretune.sql.database import Schema
    from paretune.sql.execute import Execution, ExecutionLimits, Row, Value


@dataclass(frozen=True, slots=True)
class Dialect:
    """name: as prompts say it. sqlglot: as its parser does. suffix: of the file that stands for a database."""

    name: str
    sqlglot: str
    suffix: str


SQLITE = Dialect("SQLite", "sqlite", ".sqlite")
DUCKDB = Dialect("DuckDB", "duckdb", ".duckdb")
POSTGRES = Dialect("PostgreSQL", "postgres", ".postgres")


class Backend(Protocol):
    """What a module of this package offers."""

    def check(self, path: Path) -> None:
        """Raises DataError where the database cannot be relied on."""

    def read_schema(self, path: Path) -> Schema:
        """Tables and views. Raises DataError."""

    def sample_values(self, path: Path, table: str, column: str, count: int) -> list[Any]:
        """So many distinct values. Raises DataError."""

    def execute(self, path: Path, sql: str, limits: ExecutionLimits) -> Execution:
        """Run one statement that only reads; never raises for what it does."""


def dialect_of(path: Path) -> Dialect:
    """The dialect of a database by its file; SQLite for every unknown ending."""
    return next((dialect for dialect in (DUCKDB, POSTGRES) if path.suffix == dialect.suffix), SQLITE)


def backend_of(path: Path) -> Backend | None:
    """The module that serves a database; None for SQLite."""
    dialect = dialect_of(path)
    if dialect is DUCKDB:
        from paretune.sql.dialects import duckdb

        return duckdb
    if dialect is POSTGRES:
        from paretune.sql.dialects import postgres

        return postgres
    return None


def database_file(folder: Path, db_id: str) -> Path:
    """The file that stands for a database in its folder; SQLite's name where there is none."""
    candidates = [folder / f"{db_id}{dialect.suffix}" for dialect in (SQLITE, DUCKDB, POSTGRES)]
    return next((path for path in candidates if path.is_file()), candidates[0])


def as_sqlite(query: str, path: Path) -> str:
    """A query in SQLite's words, for what reads a query's form; the query itself where no parser reads it."""
    dialect = dialect_of(path)
    if dialect is SQLITE:
        return query
    import sqlglot

    try:
        silent = sqlglot.ErrorLevel.IGNORE  # only the form is read: what SQLite lacks may stay as it is
        translated = sqlglot.transpile(query, read=dialect.sqlglot, write="sqlite", unsupported_level=silent)
        return "; ".join(translated)
    except sqlglot.errors.SqlglotError:
        return query


def as_text(sql: str) -> str:
    """The query, where it can be sent at all. Raises ValueError for a NUL and for half a surrogate pair."""
    if "\0" in sql:
        raise ValueError("the query contains a null character")
    sql.encode()
    return sql


def plain_rows(rows: Sequence[Sequence[Any]]) -> list[Row]:
    """Rows with the types that SQLite returns."""
    return [tuple(map(plain_value, row)) for row in rows]


def plain_value(value: Any) -> Value:
    """A value as SQLite would hold it: numbers, text and bytes; dates and times in ISO 8601, anything else as JSON.

    >>> plain_value(decimal.Decimal("2.50")), plain_value(True), plain_value(datetime.date(2024, 5, 1))
    (2.5, 1, '2024-05-01')
    """
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return None if isinstance(value, float) and math.isnan(value) else value  # SQLite has no NaN either
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


_BARE = re.compile(r"[a-z_][a-z0-9_]*")
# Words that PostgreSQL 15 reserves (pg_get_keywords, classes R and T); DuckDB's grammar descends from PostgreSQL's.
_RESERVED = frozenset({
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary",
    "both", "case", "cast", "check", "collate", "collation", "column", "concurrently", "constraint", "create",
    "cross", "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do", "else", "end", "except",
    "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike", "in",
    "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like",
    "limit", "localtime", "localtimestamp", "natural", "not", "notnull", "null", "offset", "on", "only", "or",
    "order", "outer", "overlaps", "placing", "primary", "references", "returning", "right", "select",
    "session_user", "similar", "some", "symmetric", "table", "tablesample", "then", "to", "trailing", "true",
    "union", "unique", "user", "using", "variadic", "verbose", "when", "where", "window", "with", "pivot",
    "qualify", "summarize", "describe", "show"
})  # fmt: skip


def server_name(name: str) -> str:
    """A name as a query of PostgreSQL or DuckDB may write it: quoted where it is not plain lower case.

    >>> server_name("customer"), server_name("Name"), server_name("order")
    ('customer', '"Name"', '"order"')
    """
    if _BARE.fullmatch(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'
