"""What a report page shows of SQL beside question and answer: results of queries."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paretune.demo.build import demo_directory
from paretune.run.load import Run
from paretune.sql.dialects import database_file
from paretune.sql.execute import ExecutionLimits
from paretune.sql.pool import Answer, WorkerPool
from paretune.sql.records import SqlOutcome

LIMITS = ExecutionLimits(seconds=2.0, max_rows=100_000, max_bytes=16 * 2**20)
MEMORY_BYTES = 256 * 2**20  # SQLite's heap in a process
ROWS_SHOWN = 20
LETTERS_SHOWN = 200
RAN = (SqlOutcome.CORRECT, SqlOutcome.WRONG)  # every other outcome has no result to show
Query = tuple[str, str]  # database and SQL


def result_tables(records: Run, databases: Path) -> dict[str, Any]:
    """First rows of every result, alike ones once.

    databases: folder of <db_id>/<db_id>.sqlite, opened for reading only. tables: [columns, rows in all, first
    ROWS_SHOWN rows]; gold, answers: which table belongs to a question (by variant), null where a database is not
    there or a query did not end within LIMITS. Raises ScoringError where no process can be started for them.
    """
    gold = [(question.cluster, question.reference) for question in records.questions]
    answers = [
        [(line.cluster, str(line.detail["sql"])) if line.outcome in RAN else None for line in variant.verdicts]
        for variant in records.variants
    ]
    asked = dict.fromkeys([*gold, *(query for queries in answers for query in queries if query is not None)])
    tables, places = _run_queries(list(asked), databases)
    return {
        "tables": tables,
        "gold": [places.get(query) for query in gold],
        "answers": [[None if query is None else places.get(query) for query in queries] for queries in answers],
    }


def _run_queries(queries: Sequence[Query], databases: Path) -> tuple[list[list[Any]], dict[Query, int]]:
    """The tables, each once, in the order of the queries; and which of them a query returns. A model wrote the queries,
    so they run in processes that can be killed."""
    limits = {"seconds": LIMITS.seconds, "max_rows": LIMITS.max_rows, "max_bytes": LIMITS.max_bytes}
    files = {db_id: database_file(databases / db_id, db_id) for db_id, _ in queries}
    known = [query for query in queries if files[query[0]].is_file()]
    requests = [
        {"task": "rows", "database": str(files[db_id]), "sql": sql, "limits": limits, "rows": ROWS_SHOWN,
         "letters": LETTERS_SHOWN}
        for db_id, sql in known
    ]  # fmt: skip
    answers: dict[int, Answer] = {}
    with WorkerPool(os.cpu_count() or 1, MEMORY_BYTES) as pool:
        pool.run(requests, answers.__setitem__)
    tables: dict[str, list[Any]] = {}
    places: dict[Query, int] = {}
    numbers: dict[str, int] = {}
    for position, query in enumerate(known):
        answer = answers[position]
        if answer["status"] == "ok":
            table = [answer["columns"], answer["count"], answer["rows"]]
            content = json.dumps(table)
            tables.setdefault(content, table)
            places[query] = numbers.setdefault(content, len(numbers))
    return list(tables.values()), places


def databases_of(manifest: Mapping[str, Any]) -> Path | None:
    """The databases that a run was asked about, where they lie on this machine; None where they do not."""
    target = manifest.get("config", {}).get("target", {})
    if target.get("kind") == "demo" and not target.get("path"):
        return demo_directory() / "spider" / "database"
    folder = Path(str(target.get("path") or "")) / "database"
    return folder if target.get("path") and folder.is_dir() else None
