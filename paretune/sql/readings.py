"""What parsing tells of references, kept on disk: the same ones are asked about in every call."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import sqlglot

from paretune.sql.clauses import Clauses, Condition, Conditions, Selected, TableUnit, Term, Unit
from paretune.sql.database import SchemaNames

_FORMAT = 1  # raised whenever reading.py or spider_metrics.py reads anything in another way
_KINDS = {kind.__name__: kind for kind in (Clauses, Condition, Conditions, Selected, TableUnit, Term, Unit)}
_FIELDS = {kind: tuple(item.name for item in fields(kind)) for kind in _KINDS.values()}


@dataclass(frozen=True, slots=True)
class Reading:
    """hardness: of the reference. clauses: with the schema's tables; null where it cannot be read."""

    hardness: str
    clauses: Clauses | None


class Readings:
    """Readings of references on one schema, from the lines of a file whose name says of which schema and reader.

    Several processes may add lines at once: each is written whole, and one that is there twice does no harm. A line
    that is broken is not used, and what cannot be written is read again in the next call.
    """

    def __init__(self, folder: Path, names: SchemaNames) -> None:
        schema = [_FORMAT, sqlglot.__version__, [*names.tables.items()], names.foreign_keys]
        self._path = folder / f"{hashlib.sha256(json.dumps(schema).encode()).hexdigest()}.readings"
        self._kept: dict[str, Any] = {}
        with suppress(OSError):
            for line in self._path.read_text(encoding="utf-8").split("\n"):
                with suppress(ValueError, TypeError):
                    query, hardness, clauses = json.loads(line)
                    self._kept[query] = hardness, clauses

    def get(self, query: str, read: Callable[[], Reading]) -> Reading:
        """The kept reading of a reference, else what `read` makes of it, which is kept then."""
        if query in self._kept:
            hardness, clauses = self._kept[query]
            with suppress(ValueError, TypeError, KeyError):
                return Reading(hardness, clause_of(clauses))
        reading = read()
        line = json.dumps([query, reading.hardness, record(reading.clauses)]) + "\n"
        with suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
        return reading


def record(value: Any) -> Any:
    """A clause as JSON: [its kind, its fields ...]; a tuple is of the kind "".

    >>> record(Unit("", Term("count", "*", False)))
    ['Unit', '', ['Term', 'count', '*', False], None]
    """
    if isinstance(value, tuple):
        return ["", *map(record, value)]
    names = _FIELDS.get(type(value))
    return value if names is None else [type(value).__name__, *(record(getattr(value, name)) for name in names)]


def clause_of(value: Any) -> Any:
    """The clause that `record` wrote.

    >>> clause_of(["", ["Term", "count", "*", False]])
    (Term(aggregate='count', column='*', distinct=False),)
    """
    if not isinstance(value, list):
        return value
    kind, *items = value
    values = [clause_of(item) if isinstance(item, list) else item for item in items]
    return _KINDS[kind](*values) if kind else tuple(values)
