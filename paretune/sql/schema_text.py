"""The schema of a SQLite database, read from the file itself, and its text for a prompt."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from paretune.errors import DataError
from paretune.sql.sqlite_file import open_read_only

_QUOTED_OR_SPACE = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?:\s|--[^\n]*|/\*.*?(?:\*/|\Z))+""", re.DOTALL
)

SchemaStyle = Literal["create_table", "compact"]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """column of this table refers to target_column of target_table."""

    column: str
    target_table: str
    target_column: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table as declared. create_sql: the text of its CREATE TABLE statement."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]
    create_sql: str


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables of a database, then all its views, in the order of their creation. A view that refers to what is no
    longer there is left out: no query can read it."""

    tables: tuple[Table, ...]
    views: tuple[Table, ...] = ()


def read_schema(path: Path) -> Schema:
    """The schema of the database at `path`. Raises DataError naming the file where it cannot be read."""
    with closing(open_read_only(path)) as connection:
        try:
            rows = connection.execute(
                "SELECT type, name, sql FROM sqlite_master "
                "WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
            ).fetchall()
            return Schema(
                tuple(_table(connection, name, sql) for kind, name, sql in rows if kind == "table"),
                tuple(_views(connection, [(name, sql) for kind, name, sql in rows if kind == "view"])),
            )
        except sqlite3.DatabaseError as error:
            raise DataError(f"{path}: damaged database ({error})") from error


def schema_text(path: Path, style: SchemaStyle, sample_values: int) -> str:
    """The schema as a prompt shows it.

    create_table: the statements themselves on one line each, without comments. compact: one line a table, primary
    keys marked with *, then the foreign keys. sample_values: so many distinct values a column, in the order of storage.
    """
    schema = read_schema(path)
    samples = _sample_values(path, schema, sample_values) if sample_values else {}
    if style == "create_table":
        parts = []
        for table in schema.tables:
            parts.append(on_one_line(table.create_sql) + ";")
            parts.extend(
                f"-- {table.name}.{column}: {', '.join(samples[table.name, column])}"
                for column in table.columns
                if samples.get((table.name, column))
            )
        return "\n".join(parts)
    return "\n".join(_compact(table, samples) for table in schema.tables)


def on_one_line(statement: str) -> str:
    """SQL with one space for each run of spaces, line ends and comments; quoted names and texts as they are.

    >>> on_one_line("SELECT a -- the name\\n  FROM t WHERE b = 'x  y'")
    "SELECT a FROM t WHERE b = 'x  y'"
    """
    return _QUOTED_OR_SPACE.sub(lambda found: found[1] or " ", statement).strip()


def quote_name(name: str) -> str:
    """A table's or column's name as SQL may always write it.

    >>> quote_name("order")
    '"order"'
    """
    return '"' + name.replace('"', '""') + '"'


def _views(connection: sqlite3.Connection, views: Iterable[tuple[str, str]]) -> Iterator[Table]:
    for name, sql in views:
        try:
            yield _table(connection, name, sql)
        except sqlite3.OperationalError:  # SQLite resolves a view only now
            continue


def _table(connection: sqlite3.Connection, name: str, create_sql: str) -> Table:
    quoted = quote_name(name)
    described = connection.execute(f"PRAGMA table_xinfo({quoted})").fetchall()
    columns = [column for column in described if column[6] != 1]  # 1: hidden in a virtual table; generated ones stay
    keys = [
        ForeignKey(column, target, target_column or _implied_target(connection, target, place) or column)
        for _, place, target, column, target_column, *_ in sorted(
            connection.execute(f"PRAGMA foreign_key_list({quoted})").fetchall(), key=lambda key: (key[0], key[1])
        )
    ]
    return Table(
        name=name,
        columns=tuple(column[1] for column in columns),
        types=tuple(column[2] for column in columns),
        primary_key=tuple(column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]),
        foreign_keys=tuple(keys),
        create_sql=create_sql,
    )


def _implied_target(connection: sqlite3.Connection, table: str, place: int) -> str | None:
    """The column that `REFERENCES table` without a column means: the primary key's at that place."""
    columns = connection.execute(f"PRAGMA table_info({quote_name(table)})").fetchall()
    return next((str(column[1]) for column in columns if column[5] == place + 1), None)


def _compact(table: Table, samples: dict[tuple[str, str], list[str]]) -> str:
    columns = []
    for column in table.columns:
        text = column + ("*" if column in table.primary_key else "")
        shown = samples.get((table.name, column))
        columns.append(text + (f" [{', '.join(shown)}]" if shown else ""))
    line = f"{table.name}({', '.join(columns)})"
    keys = "; ".join(f"{key.column} -> {key.target_table}.{key.target_column}" for key in table.foreign_keys)
    return line + (f" {keys}" if keys else "")


def _sample_values(path: Path, schema: Schema, count: int) -> dict[tuple[str, str], list[str]]:
    connection = open_read_only(path)
    try:
        samples: dict[tuple[str, str], list[str]] = {}
        for table in schema.tables:
            order = "MIN(rowid)" if _has_rowid(connection, table.name) else "1"
            for column in table.columns:
                quoted_column, quoted_table = quote_name(column), quote_name(table.name)
                rows = connection.execute(
                    f"SELECT {quoted_column} FROM {quoted_table} WHERE {quoted_column} IS NOT NULL "
                    f"GROUP BY {quoted_column} ORDER BY {order} LIMIT ?",
                    (count,),
                ).fetchall()
                samples[table.name, column] = [_literal(row[0]) for row in rows]
        return samples
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path}: its values cannot be read ({error})") from error
    finally:
        connection.close()


def _has_rowid(connection: sqlite3.Connection, table: str) -> bool:
    try:
        connection.execute(f"SELECT rowid FROM {quote_name(table)} LIMIT 0")
    except sqlite3.OperationalError:
        return False
    return True


def _literal(value: object) -> str:
    if isinstance(value, bytes):
        return "(binary)"
    text = str(value)
    if isinstance(value, str):
        text = " ".join(text.split())
        text = "'" + (text if len(text) <= 40 else text[:39] + "…").replace("'", "''") + "'"
    return text
