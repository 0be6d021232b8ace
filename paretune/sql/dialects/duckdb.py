"""DuckDB files: opened for reading alone, in a process that can neither reach other files nor load extensions."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.sql.database import ForeignKey, Schema, Table
from paretune.sql.dialects import as_text, plain_rows, server_name
from paretune.sql.execute import Execution, ExecutionLimits, Row, Status, rows_within

_MEMORY = "512MB"
_CHUNK = 1000


def check(path: Path) -> None:
    """Whether the file opens as a DuckDB database. Raises DataError naming it."""
    with _opened(path):
        return


def read_schema(path: Path) -> Schema:
    """The tables and views of the main schema. Raises DataError naming the file."""
    with _opened(path) as connection:
        columns: dict[str, list[tuple[str, str]]] = {}
        for table, column, kind in _all(
            connection,
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'main' "
            "AND NOT internal ORDER BY table_oid, column_index",
        ):
            columns.setdefault(table, []).append((column, kind))
        keys = _all(
            connection,
            "SELECT table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names "
            "FROM duckdb_constraints() WHERE schema_name = 'main'",
        )
        views = _all(
            connection, "SELECT view_name, sql FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal"
        )
    statements = dict(views)
    described = [
        table_of(name, found, [key[1:] for key in keys if key[0] == name], statements.get(name))
        for name, found in columns.items()
    ]
    return Schema(
        tuple(table for table in described if table.name not in statements),
        tuple(table for table in described if table.name in statements),
    )


def sample_values(path: Path, table: str, column: str, count: int) -> list[Any]:
    """So many distinct values of a column, most frequent first. Raises DataError naming the file."""
    name = server_name(column)
    query = (
        f"SELECT {name} FROM {server_name(table)} WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 "
        f"LIMIT {count}"
    )
    with _opened(path) as connection:
        return [row[0] for row in plain_rows(_all(connection, query))]


def execute(path: Path, sql: str, limits: ExecutionLimits) -> Execution:
    """Run one SELECT and fetch its whole result within the limits; never raises for what the query does."""
    import duckdb

    began = time.monotonic()

    def ended(status: Status, columns: int, rows: list[Row], error: str | None) -> Execution:
        return Execution(status, columns, rows, error, time.monotonic() - began)

    try:
        statements = duckdb.extract_statements(as_text(sql))
    except (duckdb.Error, ValueError) as error:
        return ended("invalid_sql", 0, [], _first_line(error))
    if len(statements) != 1:
        return ended("invalid_sql", 0, [], f"{len(statements)} statements; expected one")
    if statements[0].type != duckdb.StatementType.SELECT:
        return ended("not_a_query", 0, [], "only reading is allowed")
    try:
        with _opened(path) as connection, _interrupted(connection, limits.seconds) as late:
            try:
                cursor = connection.execute(sql)
                return ended(*_fetched(cursor, limits))
            except duckdb.Error as error:
                return ended(_status(error, late.is_set()), 0, [], _first_line(error))
    except DataError as failure:
        return ended("broken_database", 0, [], str(failure))


def table_of(name: str, columns: Sequence[tuple[str, str]], keys: Sequence[Sequence[Any]], view: str | None) -> Table:
    """A table from its columns and keys; keys: (kind, columns, referenced table, referenced columns)."""
    primary: tuple[str, ...] = ()
    foreign: list[ForeignKey] = []
    for kind, own, target, target_columns in keys:
        if kind == "PRIMARY KEY":
            primary = tuple(own)
        elif kind == "FOREIGN KEY":
            foreign += [ForeignKey(*pair) for pair in zip(own, [target] * len(own), target_columns, strict=True)]
    parts = [f"{server_name(column)} {kind}" for column, kind in columns]
    if primary:
        parts.append(f"PRIMARY KEY ({', '.join(map(server_name, primary))})")
    parts += [
        f"FOREIGN KEY ({server_name(key.column)}) REFERENCES {server_name(key.target_table)}"
        f"({server_name(key.target_column)})"
        for key in foreign
    ]
    statement = f"CREATE TABLE {server_name(name)} ({', '.join(parts)})"
    return Table(
        name=name,
        columns=tuple(column for column, _ in columns),
        types=tuple(kind for _, kind in columns),
        primary_key=primary,
        foreign_keys=tuple(foreign),
        create_sql=statement if view is None else view.rstrip("; \n"),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import duckdb
    except ImportError as error:
        raise DataError(f"{path}: DuckDB files need the package duckdb: pip install duckdb") from error
    settings = {
        "enable_external_access": "false",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": _MEMORY,
        "threads": "1",
        "temp_directory": "",
        "lock_configuration": "true",
    }
    if not path.is_file():
        raise DataError(f"{path}: no such database")
    try:
        connection = duckdb.connect(str(path), read_only=True, config=settings)
    except duckdb.Error as error:
        raise DataError(f"{path}: DuckDB cannot open it ({_first_line(error)})") from error
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _interrupted(connection: Any, seconds: float) -> Iterator[threading.Event]:
    """Interrupt the connection's query after so many seconds; the event says that it was."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        connection.interrupt()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
        timer.join()


def _fetched(cursor: Any, limits: ExecutionLimits) -> tuple[Status, int, list[Row], str | None]:
    if cursor.description is None:
        return "not_a_query", 0, [], "the statement returns no columns"
    chunks = iter(lambda: plain_rows(cursor.fetchmany(_CHUNK)), [])
    return rows_within(limits, len(cursor.description), chunks)


def _status(error: Exception, late: bool) -> Status:
    import duckdb

    if late:
        return "timeout"
    if isinstance(error, duckdb.OutOfMemoryException):
        return "too_large"
    if isinstance(error, duckdb.PermissionException):
        return "not_a_query"
    return "invalid_sql"


def _all(connection: Any, query: str) -> list[tuple[Any, ...]]:
    import duckdb

    try:
        return list(connection.execute(query).fetchall())
    except duckdb.Error as error:
        raise DataError(f"the database cannot be read ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
