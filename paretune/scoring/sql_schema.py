"""The names in a database: tables, columns, and which columns stand for one another through foreign keys."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from paretune.errors import DataError, ScoringError


@dataclass(frozen=True, slots=True)
class Schema:
    """Names in lower case. tables: name -> columns in their order; foreign_keys: pairs of "table.column"."""

    tables: Mapping[str, tuple[str, ...]]
    foreign_keys: tuple[tuple[str, str], ...] = ()

    def tables_with(self, column: str) -> list[str]:
        """The tables that have a column of that name."""
        return [table for table, columns in self.tables.items() if column.lower() in columns]

    def joined(self, first: str, second: str) -> list[tuple[str, str]]:
        """The foreign keys between two tables, as (column of the first, column of the second)."""
        found = []
        for left, right in self.foreign_keys:
            for one, other in ((left, right), (right, left)):
                if one.rsplit(".", 1)[0] == first and other.rsplit(".", 1)[0] == second:
                    found.append((one.rsplit(".", 1)[1], other.rsplit(".", 1)[1]))
        return found

    def representatives(self) -> dict[str, str]:
        """The column that exact set match reads instead of each column bound by foreign keys.

        Columns that keys connect form a class, represented by its first column in the schema's order. As in the
        official script (build_foreign_key_map) a key joins the first class that holds either of its columns, and two
        classes are never merged afterwards.
        """
        order = {f"{table}.{column}": 0 for table, columns in self.tables.items() for column in columns}
        order = {column: position for position, column in enumerate(order)}
        classes: list[set[str]] = []
        for left, right in self.foreign_keys:
            found = next((members for members in classes if left in members or right in members), None)
            if found is None:
                found = set()
                classes.append(found)
            found.update((left, right))
        result: dict[str, str] = {}
        for members in classes:
            first = min(members, key=lambda column: order.get(column, len(order)))
            result.update(dict.fromkeys(members, first))
        return result


def open_unchanged(database: Path) -> sqlite3.Connection:
    """A connection that can only read. Raises ScoringError when there is no such file; never creates one."""
    if not database.is_file():
        raise ScoringError(f"{database}: no such SQLite database")
    connection = sqlite3.connect(f"file:{quote(str(database.resolve()))}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda raw: raw.decode("utf-8", errors="ignore")
    return connection


def read_schema(database: Path, tables_file: Path | None = None) -> Schema:
    """The names in a SQLite file.

    tables_file: Spider's tables.json; where it holds the database (by the file's stem) the foreign keys, and the
    order that decides between them, come from there as in the official script, which matters to exact set match only:
    many Spider databases declare fewer keys than tables.json. Raises ScoringError when the file is missing or is not
    a SQLite database, DataError when tables_file cannot be read.
    """
    with closing(open_unchanged(database)) as connection:
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
            names = [name for (name,) in rows if not name.lower().startswith("sqlite_")]
            tables = {name.lower(): _columns(connection, name) for name in names}
            keys = [key for name in names for key in _declared_keys(connection, name, tables)]
        except sqlite3.DatabaseError as error:
            raise ScoringError(f"{database}: not a readable SQLite database ({error})") from error
    entry = None if tables_file is None else _entry(tables_file, database.stem)
    if entry is None:
        return Schema(tables, tuple(sorted(set(keys), key=_key_order(tables))))
    return _with_official_keys(tables, entry)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _columns(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(row[1].lower() for row in connection.execute(f"PRAGMA table_info({_quoted(table)})"))


def _declared_keys(
    connection: sqlite3.Connection, table: str, tables: Mapping[str, tuple[str, ...]]
) -> Iterable[tuple[str, str]]:
    for row in connection.execute(f"PRAGMA foreign_key_list({_quoted(table)})").fetchall():
        parent, column, target = row[2].lower(), row[3].lower(), row[4]
        if target is None:  # the primary key of the other table is meant
            primary = [info for info in connection.execute(f"PRAGMA table_info({_quoted(row[2])})") if info[5]]
            ranked = sorted(primary, key=lambda info: info[5])
            if row[1] >= len(ranked):
                continue
            target = ranked[row[1]][1]
        if parent in tables:
            yield f"{table.lower()}.{column}", f"{parent}.{target.lower()}"


def _key_order(tables: Mapping[str, tuple[str, ...]]) -> Any:
    names = [f"{table}.{column}" for table, columns in tables.items() for column in columns]
    position = {name: rank for rank, name in enumerate(names)}
    return lambda key: (position.get(key[0], len(names)), position.get(key[1], len(names)))


def _entry(tables_file: Path, db_id: str) -> dict[str, Any] | None:
    try:
        entries = json.loads(tables_file.read_text(encoding="utf-8"))
        return next((dict(entry) for entry in entries if entry["db_id"] == db_id), None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{tables_file}: expected Spider's tables.json ({error})") from error


def _with_official_keys(tables: dict[str, tuple[str, ...]], entry: dict[str, Any]) -> Schema:
    """The columns that the database has, in the order and with the foreign keys of tables.json."""
    names = [name.lower() for name in entry["table_names_original"]]
    listed = [(names[table] if table >= 0 else "", column.lower()) for table, column in entry["column_names_original"]]
    ordered: dict[str, list[str]] = {name: [] for name in names if name in tables}
    for table, column in listed:
        if column in tables.get(table, ()):
            ordered[table].append(column)
    for table, columns in tables.items():
        known = ordered.setdefault(table, [])
        known.extend(column for column in columns if column not in known)
    keys = tuple((".".join(listed[one]), ".".join(listed[other])) for one, other in entry["foreign_keys"])
    return Schema({table: tuple(columns) for table, columns in ordered.items()}, keys)
