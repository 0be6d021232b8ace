"""Run one untrusted query against one SQLite file: read-only, immutable, capped in time, rows and bytes.

Three walls stand between a query and the disk: the file is opened with mode=ro&immutable=1 (no lock, no journal), an
authorizer refuses every action but reading while SQLite compiles the statement, and temporary storage stays in memory.
A query that does not return (SQLite checks the clock only between steps of its machine) needs a process that can be
killed: sql/pool.py has them. Beside the light readers here only the standard library is imported, so a
worker starts fast.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from paretune.errors import DataError
from paretune.sql.database import open_read_only, quote_name
from paretune.sql.dialects import backend_of

Value = int | float | str | bytes | None
Row = tuple[Value, ...]
Status = Literal["ok", "invalid_sql", "not_a_query", "timeout", "too_large", "broken_database"]

_ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE},
)
# Functions that some builds of SQLite have and that reach beyond the database.
_REFUSED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "lsdir", "fsdir"})
_ACTIONS: dict[int, str] = {
    sqlite3.SQLITE_ALTER_TABLE: "ALTER TABLE",
    sqlite3.SQLITE_ANALYZE: "ANALYZE",
    sqlite3.SQLITE_ATTACH: "ATTACH",
    sqlite3.SQLITE_CREATE_INDEX: "CREATE INDEX",
    sqlite3.SQLITE_CREATE_TABLE: "CREATE TABLE",
    sqlite3.SQLITE_CREATE_TEMP_TABLE: "CREATE TEMP TABLE",
    sqlite3.SQLITE_CREATE_TEMP_VIEW: "CREATE TEMP VIEW",
    sqlite3.SQLITE_CREATE_TRIGGER: "CREATE TRIGGER",
    sqlite3.SQLITE_CREATE_VIEW: "CREATE VIEW",
    sqlite3.SQLITE_CREATE_VTABLE: "CREATE VIRTUAL TABLE",
    sqlite3.SQLITE_DELETE: "DELETE",
    sqlite3.SQLITE_DETACH: "DETACH",
    sqlite3.SQLITE_DROP_INDEX: "DROP INDEX",
    sqlite3.SQLITE_DROP_TABLE: "DROP TABLE",
    sqlite3.SQLITE_DROP_VIEW: "DROP VIEW",
    sqlite3.SQLITE_INSERT: "INSERT",
    sqlite3.SQLITE_PRAGMA: "PRAGMA",
    sqlite3.SQLITE_REINDEX: "REINDEX",
    sqlite3.SQLITE_SAVEPOINT: "SAVEPOINT",
    sqlite3.SQLITE_TRANSACTION: "TRANSACTION",
    sqlite3.SQLITE_UPDATE: "UPDATE",
}
_CATALOGUES = frozenset({"sqlite_master", "sqlite_temp_master", "sqlite_schema", "sqlite_temp_schema"})
# What a SELECT from a pragma_ function may ask; as a statement of its own, a PRAGMA is no query.
_DESCRIBING_PRAGMAS = frozenset(
    {"table_info", "table_xinfo", "table_list", "foreign_key_list", "index_list", "index_info", "index_xinfo"}
)
_SELECTS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|with|values)\b", re.IGNORECASE | re.DOTALL)
_STEPS_BETWEEN_CLOCK_READINGS = 2000
_CURRENT_YEAR = re.compile(r"year\s*\(\s*curdate\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_BYTES_OF_A_VALUE = 32  # what a number costs in memory, about; a text costs its length besides


@dataclass(frozen=True, slots=True)
class ExecutionLimits:
    """What one query may use. seconds: wall clock; max_bytes: of result held in memory, estimated."""

    seconds: float = 30.0
    max_rows: int = 500_000
    max_bytes: int = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Execution:
    """What became of one query. rows: (n_rows, columns), complete when status is "ok", else empty."""

    status: Status
    columns: int
    rows: list[Row]
    error: str | None
    seconds: float


def execute(
    path: Path,
    sql: str,
    limits: ExecutionLimits,
    *,
    backwards: bool = False,
    connection: sqlite3.Connection | None = None,
) -> Execution:
    """Run one statement and fetch its whole result within the limits; never raises for what the query does.

    Only reading is allowed: no PRAGMA, transaction, temporary table or virtual table either; a pragma_ function in a
    SELECT is, where it describes the schema. A file that is not there or is no database gives "broken_database". As in
    the official script, YEAR(CURDATE()) reads as 2020. backwards: rows whose order the query leaves open come in
    reverse (SQLite's reverse_unordered_selects). connection: one that open_read_only made to the same file, which is
    used and left open. What is no SQLite file goes to its module in sql/dialects, with the same outcomes.
    """
    backend = backend_of(path)
    if backend is not None:
        return backend.execute(path, sql, limits)
    began = time.monotonic()
    stays_open = connection is not None
    try:
        connection = connection or open_read_only(path)
    except DataError as failure:
        return Execution("broken_database", 0, [], str(failure), time.monotonic() - began)
    refused: list[str] = []
    deadline = began + limits.seconds

    def authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action in _ALLOWED and not (
            action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED_FUNCTIONS
        ):
            return sqlite3.SQLITE_OK
        if virtual and action == sqlite3.SQLITE_PRAGMA and first == "data_version":  # FTS5 asks for it when it reads
            return sqlite3.SQLITE_OK
        if selects and action == sqlite3.SQLITE_PRAGMA and first in _DESCRIBING_PRAGMAS:
            return sqlite3.SQLITE_OK
        name = second if action == sqlite3.SQLITE_FUNCTION else _ACTIONS.get(action)
        # CREATE, DROP and the first use of a virtual table begin with a change of the catalogue: say of what
        refused.append((name or f"action {action}") + (f" {first}" if first in _CATALOGUES else ""))
        return sqlite3.SQLITE_DENY

    virtual = _open_virtual_tables(connection, sql)
    selects = _SELECTS.match(sql) is not None
    if backwards:
        connection.execute("PRAGMA reverse_unordered_selects = ON")
    connection.set_authorizer(authorize)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(limits.max_bytes, 2**20))
    connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS_BETWEEN_CLOCK_READINGS)
    try:
        status, columns, rows, error = _fetch(connection, _CURRENT_YEAR.sub("2020", sql), limits)
    finally:
        if stays_open:
            connection.set_authorizer(None)
            connection.set_progress_handler(None, 0)
        else:
            connection.close()
    if refused and status != "ok":
        status, error = "not_a_query", f"only reading is allowed; refused: {refused[0]}"
    return Execution(status, columns, rows, error, time.monotonic() - began)


def _open_virtual_tables(connection: sqlite3.Connection, sql: str) -> bool:
    """Use what SQLite declares on first use, which the authorizer would refuse: the database's own virtual tables (full
    text search) and the JSON functions that are tables. True where the database has such tables."""
    with suppress(sqlite3.Error):
        for function in ("json_each", "json_tree"):
            if function in sql.lower():
                connection.execute(f"SELECT 1 FROM {function}('[]')")
        for pragma in _DESCRIBING_PRAGMAS:
            if f"pragma_{pragma}" in sql.lower():
                connection.execute(f"SELECT 1 FROM pragma_{pragma} LIMIT 0")
    names: list[tuple[str]] = []
    with suppress(sqlite3.Error):  # a damaged file is found out by the query itself
        names = connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'").fetchall()
    for (name,) in names:
        with suppress(sqlite3.Error):  # of a module that is not here
            connection.execute(f"SELECT 1 FROM {quote_name(name)} LIMIT 0")
    return bool(names)


def _fetch(
    connection: sqlite3.Connection, sql: str, limits: ExecutionLimits
) -> tuple[Status, int, list[Row], str | None]:
    """Status, number of columns, rows and the error of one statement."""
    try:
        cursor = connection.execute(sql)
        if cursor.description is None:
            return "not_a_query", 0, [], "the statement returns no columns"
        return rows_within(limits, len(cursor.description), iter(lambda: cursor.fetchmany(1000), []))
    except MemoryError:
        return "too_large", 0, [], "more memory than allowed"
    except sqlite3.Error as error:
        return _status(error), 0, [], str(error)
    except (ValueError, UnicodeError, OverflowError, sqlite3.Warning) as error:
        return "invalid_sql", 0, [], str(error)


def rows_within(
    limits: ExecutionLimits, columns: int, chunks: Iterable[list[Row]]
) -> tuple[Status, int, list[Row], str | None]:
    """Status, number of columns, rows and error of a result that is fetched chunk by chunk, up to the limits."""
    rows: list[Row] = []
    size = 0
    for chunk in chunks:
        size += _size(chunk, columns)
        if len(rows) + len(chunk) > limits.max_rows:
            return "too_large", columns, [], f"more than {limits.max_rows} rows"
        if size > limits.max_bytes:
            return "too_large", columns, [], f"more than {limits.max_bytes} bytes of result"
        rows += chunk
    return "ok", columns, rows, None


def _size(rows: list[Any], columns: int) -> int:
    """Memory of some rows, estimated."""
    texts = sum(len(value) for row in rows for value in row if isinstance(value, (str, bytes)))
    return texts + len(rows) * (56 + columns * (8 + _BYTES_OF_A_VALUE))


def _status(error: sqlite3.Error) -> Status:
    """The status that an error of SQLite stands for."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        return "timeout"
    if code in {sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM}:
        return "too_large"
    if code in {sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY}:
        return "not_a_query"
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return "broken_database"
    return "invalid_sql"
