"""PostgreSQL servers: one read-only transaction per query, limited by the server, closed whatever comes of it.

A query runs as a cursor's (DECLARE ... CURSOR FOR), which the server grants to one SELECT without data-modifying parts
alone. A role that may read the server's files or run its programs is refused, for no transaction keeps it from that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.sql.database import Schema, Table
from paretune.sql.dialects import as_text, plain_rows, server_name
from paretune.sql.dialects.duckdb import table_of
from paretune.sql.execute import Execution, ExecutionLimits, Row, Status, rows_within

_CHUNK = 1000
_SECONDS_TO_CONNECT = 10
_KINDS = {"r": "table", "p": "table", "f": "table", "v": "view", "m": "view"}
_TIMEOUT_CODES = ("57014",)  # query_canceled
_REFUSED_CODES = ("25006", "42501", "0A000", "42P11")  # read-only transaction, no privilege, no such feature, no cursor
_MEMORY_CODES = ("53100", "53200", "53400", "54000")  # disk full, out of memory, configured limit, program limit


def read_url(path: Path) -> str:
    """The address in a .postgres file. Raises DataError naming it."""
    try:
        url = json.loads(path.read_text(encoding="utf-8"))["url"]
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such database") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f'{path}: expected {{"url": "postgresql://USER@HOST/DATABASE"}}') from error
    return str(url)


def check(path: Path) -> None:
    """Whether the server answers, with a role that can do no harm. Raises DataError naming what to grant instead."""
    with _opened(path, seconds=30.0) as connection:
        (harmful,) = connection.execute(
            "SELECT rolsuper OR pg_has_role(current_user, 'pg_read_server_files', 'usage') "
            "OR pg_has_role(current_user, 'pg_write_server_files', 'usage') "
            "OR pg_has_role(current_user, 'pg_execute_server_program', 'usage') "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        if harmful:
            raise DataError(
                f"{path}: the role may read the server's files; give a role that only reads tables (CREATE ROLE reader "
                "LOGIN; GRANT pg_read_all_data TO reader)"
            )


def read_schema(path: Path) -> Schema:
    """The tables and views of the current schema. Raises DataError naming the file."""
    with _opened(path, seconds=30.0) as connection:
        relations = connection.execute(
            "SELECT c.oid, c.relname, c.relkind::text, "
            "CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END "
            "FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace "
            "AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND NOT c.relispartition ORDER BY c.oid"
        ).fetchall()
        tables: list[Table] = []
        views: list[Table] = []
        for oid, name, kind, definition in relations:
            columns = connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                "WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (oid,),
            ).fetchall()
            keys = connection.execute(
                "SELECT CASE contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'FOREIGN KEY' END, "
                "ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, o) JOIN pg_attribute "
                "ON attrelid = conrelid AND attnum = n ORDER BY o), confrelid::regclass::text, "
                "ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k(n, o) JOIN pg_attribute "
                "ON attrelid = confrelid AND attnum = n ORDER BY o) "
                "FROM pg_constraint WHERE conrelid = %s AND contype IN ('p', 'f') ORDER BY oid",
                (oid,),
            ).fetchall()
            view = None if definition is None else f"CREATE VIEW {server_name(name)} AS {definition.strip()}"
            unquoted = [(*key[:2], str(key[2]).strip('"'), key[3]) for key in keys]
            (tables if _KINDS[kind] == "table" else views).append(table_of(name, columns, unquoted, view))
    return Schema(tuple(tables), tuple(views))


def sample_values(path: Path, table: str, column: str, count: int) -> list[Any]:
    """So many distinct values of a column, most frequent first. Raises DataError naming the file.

    Values of types that cannot be sorted or compared (json, point) are compared as text.
    """
    name = server_name(column)
    query = (
        f"SELECT {name}{{cast}} FROM {server_name(table)} WHERE {name} IS NOT NULL GROUP BY 1 "
        f"ORDER BY count(*) DESC, 1 LIMIT {count}"
    )
    try:
        return _first_column(path, query.format(cast=""))
    except DataError:
        return _first_column(path, query.format(cast="::text"))


def _first_column(path: Path, query: str) -> list[Any]:
    with _opened(path, seconds=30.0) as connection:
        return [row[0] for row in plain_rows(connection.execute(query).fetchall())]


def execute(path: Path, sql: str, limits: ExecutionLimits) -> Execution:
    """Run one SELECT and fetch its whole result within the limits; never raises for what the query does."""
    import psycopg

    began = time.monotonic()

    def ended(status: Status, columns: int, rows: list[Row], error: str | None) -> Execution:
        return Execution(status, columns, rows, error, time.monotonic() - began)

    try:
        with _opened(path, limits.seconds) as connection:
            try:
                # binary: the extended protocol, in which a second statement is an error and is not run
                connection.execute(f"DECLARE answer NO SCROLL CURSOR FOR {as_text(sql)}".encode(), binary=True)
                return ended(*_fetched(connection, limits))
            except psycopg.Error as error:
                return ended(_status(error), 0, [], _first_line(error))
            except ValueError as error:
                return ended("invalid_sql", 0, [], str(error))
    except DataError as failure:
        return ended("broken_database", 0, [], str(failure))


@contextmanager
def _opened(path: Path, seconds: float) -> Iterator[Any]:
    try:
        import psycopg
    except ImportError as error:
        raise DataError(f'{path}: PostgreSQL needs the package psycopg: pip install "psycopg[binary]"') from error
    milliseconds = max(1, round(seconds * 1000))
    options = (
        f"-c default_transaction_read_only=on -c statement_timeout={milliseconds} -c lock_timeout={milliseconds} "
        f"-c idle_in_transaction_session_timeout={milliseconds + 60_000} -c max_parallel_workers_per_gather=0 "
        "-c datestyle=ISO -c timezone=UTC -c jit=off"
    )
    try:
        connection = psycopg.connect(read_url(path), options=options, connect_timeout=_SECONDS_TO_CONNECT)
    except psycopg.Error as error:
        raise DataError(f"{path}: the server cannot be reached ({_first_line(error)})") from error
    try:
        connection.read_only = True
        yield connection
    except psycopg.Error as error:
        raise DataError(f"{path}: cannot be read ({_first_line(error)})") from error
    finally:
        connection.close()


def _fetched(connection: Any, limits: ExecutionLimits) -> tuple[Status, int, list[Row], str | None]:
    first = connection.execute(f"FETCH {_CHUNK} FROM answer")
    return rows_within(limits, len(first.description or ()), _chunks(connection, first))


def _chunks(connection: Any, first: Any) -> Iterator[list[Row]]:
    """The rows of the first fetch, and of those after it until one is not full."""
    chunk = plain_rows(first.fetchall())
    yield chunk
    while len(chunk) == _CHUNK:
        chunk = plain_rows(connection.execute(f"FETCH {_CHUNK} FROM answer").fetchall())
        yield chunk


def _status(error: Any) -> Status:
    code = error.sqlstate or ""
    if code in _TIMEOUT_CODES:
        return "timeout"
    if code in _MEMORY_CODES:
        return "too_large"
    if code in _REFUSED_CODES:
        return "not_a_query"
    return "invalid_sql"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
