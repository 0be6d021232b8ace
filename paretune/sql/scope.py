"""What the names in one SELECT mean: which table an alias stands for, which table a column belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

_ALWAYS_THERE = ("*", "rowid", "oid", "_rowid_")

Tables = Mapping[str, tuple[str, ...]]
"""Lower-case table name -> lower-case column names in their order."""


@dataclass(frozen=True, slots=True)
class Names:
    """The schema's tables (empty when it is not known), and the columns met that it does not have."""

    tables: Tables
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean inside one SELECT: alias -> table name ("" for a subquery), selected aliases, outer scope."""

    names: Names
    aliases: dict[str, str]
    selected: dict[str, exp.Expr]
    common: dict[str, exp.Expr]
    outer: Scope | None

    def find(self, column: exp.Column) -> str | None:
        """The identity of a column, "table.column"; None when the tables in sight do not have it."""
        name = "*" if isinstance(column.this, exp.Star) else column.name.lower()
        qualifier = column.table.lower()
        scope: Scope | None = self
        while scope is not None:
            found = scope._own(name, qualifier)
            if found is not None:
                return found
            scope = scope.outer
        if not qualifier and not self.names.tables and len(set(self.aliases.values())) == 1:
            return f"{next(iter(self.aliases.values()))}.{name}"
        return None

    def _own(self, name: str, qualifier: str) -> str | None:
        tables = self.names.tables
        if qualifier:
            table = self.aliases.get(qualifier)
            if table is None or (table in tables and name not in (*tables[table], *_ALWAYS_THERE)):
                return None
            return f"{table or '(subquery)'}.{name}"
        found = next((table for table in self.aliases.values() if name in tables.get(table, ())), None)
        if found is None and "" in self.aliases.values():
            found = "(subquery)"
        if found is None and tables and name in _ALWAYS_THERE and self.aliases:
            found = next(iter(self.aliases.values()))
        return None if found is None else f"{found}.{name}"

    def column(self, column: exp.Column) -> str:
        """The identity of a column, "?.column" for one that is nowhere, which is noted unless quotes make it text."""
        found = self.find(column)
        if found is not None:
            return found
        if not column.table and column.name.lower() in self.selected:
            return f"(selected).{column.name.lower()}"
        written = ".".join(part for part in (column.table.lower(), column.name.lower()) if part)
        quoted = column.this.args.get("quoted") and not column.table
        if self.names.tables and not quoted:
            self.names.unknown.append(written)
        return f"?.{written}"
