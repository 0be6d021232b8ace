"""The names in a database: tables, columns, and which columns stand for one another through foreign keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paretune.errors import DataError
from paretune.sql import schema_text


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


def read_schema(database: Path, tables_file: Path | None = None) -> Schema:
    """The names in a SQLite file, views among its tables.

    tables_file: Spider's tables.json; where it holds the database (by the file's stem) the foreign keys, and the
    order that decides between them, come from there as in the official script, which matters to exact set match only:
    many Spider databases declare fewer keys than tables.json. Raises DataError when one of the files cannot be read.
    """
    declared = schema_text.read_schema(database)
    described = (*declared.tables, *declared.views)
    tables = {table.name.lower(): tuple(column.lower() for column in table.columns) for table in described}
    entry = None if tables_file is None else _entry(tables_file, database.stem)
    if entry is not None:
        return _with_official_keys(tables, entry)
    keys = {
        (f"{table.name}.{key.column}".lower(), f"{key.target_table}.{key.target_column}".lower())
        for table in described
        for key in table.foreign_keys
        if key.target_column.lower() in tables.get(key.target_table.lower(), ())
    }
    return Schema(tables, tuple(sorted(keys, key=_key_order(tables))))


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
