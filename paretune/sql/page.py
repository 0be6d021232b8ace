"""What a report page shows of SQL beside question and answer: results of queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paretune.errors import ScoringError
from paretune.records import SqlOutcome
from paretune.run.load import Run
from paretune.sql.dialects import database_file
from paretune.sql.execute import ExecutionLimits, execute

LIMITS = ExecutionLimits(seconds=2.0, max_rows=100_000, max_bytes=16 * 2**20)
ROWS_SHOWN = 20
LETTERS_SHOWN = 200
RAN = (SqlOutcome.CORRECT, SqlOutcome.WRONG)  # every other outcome has no result to show


def result_tables(records: Run, databases: Path) -> dict[str, Any]:
    """First rows of every result, alike ones once.

    databases: folder of <db_id>/<db_id>.sqlite, opened for reading only. tables: [columns, rows in all, first
    ROWS_SHOWN rows]; gold, answers: which table belongs to a question (by variant), null where a database is not
    there or a query did not end within LIMITS.
    """
    collected = _Results(databases)
    gold = [collected.place(question.cluster, question.reference) for question in records.questions]
    answers = [
        [
            collected.place(line.cluster, line.detail["sql"]) if line.outcome in RAN else None
            for line in variant.verdicts
        ]
        for variant in records.variants
    ]
    return {"tables": collected.tables, "gold": gold, "answers": answers}


class _Results:
    """Tables found so far, each once."""

    def __init__(self, databases: Path) -> None:
        self.tables: list[list[Any]] = []
        self._databases = databases
        self._by_query: dict[tuple[str, str], int | None] = {}
        self._by_content: dict[str, int] = {}

    def place(self, db_id: str, sql: str) -> int | None:
        """Position of the query's result in tables."""
        if (db_id, sql) not in self._by_query:
            self._by_query[db_id, sql] = self._run(db_id, sql)
        return self._by_query[db_id, sql]

    def _run(self, db_id: str, sql: str) -> int | None:
        try:
            found = execute(database_file(self._databases / db_id, db_id), sql, LIMITS)
        except ScoringError:
            return None
        if found.status != "ok":
            return None
        table = [found.columns, len(found.rows), [[_shown(cell) for cell in row] for row in found.rows[:ROWS_SHOWN]]]
        content = json.dumps(table)
        if content not in self._by_content:
            self._by_content[content] = len(self.tables)
            self.tables.append(table)
        return self._by_content[content]


def _shown(cell: object) -> str | None:
    """A value as text that a page can hold; None for NULL."""
    if cell is None:
        return None
    text = f"x'{cell.hex()}'" if isinstance(cell, bytes) else str(cell)
    return text if len(text) <= LETTERS_SHOWN else f"{text[:LETTERS_SHOWN]}…"


def databases_of(manifest: Mapping[str, Any]) -> Path | None:
    """The databases that a run was asked about, where they lie on this machine; None where they do not."""
    from paretune.demo.build import demo_directory

    target = manifest.get("config", {}).get("target", {})
    if target.get("kind") == "demo":
        return demo_directory() / "spider" / "database"
    found = Path(str(target.get("path") or "")) / "database"
    return found if target.get("path") and found.is_dir() else None
