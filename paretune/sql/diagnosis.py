"""What the text of a prediction tells besides its result: exact set match, the gold's hardness, why it is wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paretune.errors import ScoringError
from paretune.sql.errors import ErrorClass, classify
from paretune.sql.exact_match import exact_set_match
from paretune.sql.hardness import hardness
from paretune.sql.schema import Schema, read_schema
from paretune.sql.text import tokens

_LONGEST_PARSED = 10_000  # characters; a longer text is no query anybody means, and parsing it could take minutes
_DEEPEST_PARSED = 40  # nested parentheses


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """hardness: of the gold, "unknown" where it is no SELECT statement, and then exact_set_match is null.
    error_class, explanation: null for a prediction that is not wrong."""

    hardness: str
    exact_set_match: bool | None
    error_class: str | None
    explanation: str | None


class Diagnostician:
    """Diagnoses predictions against the schemas of their databases, each schema and each pair of texts read once.

    databases: db_id -> SQLite file. tables_file: Spider's tables.json; where it is absent, or does not hold a database,
    foreign keys are those that the database declares.
    """

    def __init__(self, databases: Mapping[str, Path], tables_file: Path) -> None:
        logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that is not a query
        self._databases = databases
        self._tables_file = tables_file if tables_file.is_file() else None
        self._schemas: dict[str, Schema] = {}
        self._hardness: dict[str, str] = {}
        self._matches: dict[tuple[str, str, str], bool | None] = {}

    def diagnose(self, db_id: str, sql: str, gold: str, *, wrong: bool, message: str | None) -> Diagnosis:
        """All that is known of one prediction from its text. wrong: is there something to explain; message: SQLite's,
        when it refused the prediction."""
        if gold not in self._hardness:
            self._hardness[gold] = _hardness(gold)
        key = (db_id, sql, gold)
        if key not in self._matches:
            self._matches[key] = self._match(db_id, sql, gold)
        error_class, explanation = self._explain(db_id, sql, gold, message) if wrong else (None, None)
        return Diagnosis(self._hardness[gold], self._matches[key], error_class, explanation)

    def _schema(self, db_id: str) -> Schema:
        if db_id not in self._schemas:
            self._schemas[db_id] = read_schema(self._databases[db_id], self._tables_file)
        return self._schemas[db_id]

    def _match(self, db_id: str, sql: str, gold: str) -> bool | None:
        schema = self._schema(db_id)
        if self._hardness[gold] == "unknown":
            return None
        try:
            return can_parse(sql) and exact_set_match(sql, gold, schema)
        except Exception:  # a parser that trips over one text must not cost the verdicts on all others
            return False

    def _explain(self, db_id: str, sql: str, gold: str, message: str | None) -> tuple[str, str]:
        if sql and not can_parse(sql):
            return str(ErrorClass.OTHER), "The statement is too long or too deeply nested to be compared with the gold."
        schema = self._schema(db_id)
        try:
            report = classify(sql, gold, schema, message)
        except Exception as error:  # as above
            return str(ErrorClass.OTHER), f"The two queries cannot be compared clause by clause: {error}"
        return str(report.error_class), report.explanation


def can_parse(sql: str) -> bool:
    """Is the text short and flat enough for a parser written in Python?"""
    if not sql or len(sql) > _LONGEST_PARSED:
        return False
    depth = deepest = 0
    for token in tokens(sql):
        depth += (token in "([") - (token in ")]")
        deepest = max(deepest, depth)
    return deepest <= _DEEPEST_PARSED


def _hardness(gold: str) -> str:
    try:
        return hardness(gold) if can_parse(gold) else "unknown"
    except (ScoringError, RecursionError):
        return "unknown"
