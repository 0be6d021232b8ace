"""Which of several answers to one question most of them agree with: by the results of executing them.

As in self-consistency (Wang and others 2023), over results instead of texts: two queries that return the same rows
agree, however they are written. No reference is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from paretune.sql.dialects import database_file
from paretune.sql.pool import Answer, WorkerPool
from paretune.sql.score import ScoreSettings, find_databases, processors
from paretune.tasks import most_agree


def votes(asked: Sequence[tuple[str, Sequence[str]]], databases: Path, settings: ScoreSettings) -> list[int]:
    """Of each question's answers the first of those whose result most of them have; 0 where none can be executed.

    asked: (n_questions,) db_id and the raw texts of its answers. Raises DataError for a database that cannot be read.
    """
    find_databases(databases, {db_id for db_id, _ in asked})
    said = [[(db_id, settings.statement(text)) for text in texts] for db_id, texts in asked]
    queries = list(dict.fromkeys(query for answers in said for query in answers if query[1]))
    limits = {"seconds": settings.limit_seconds, "max_rows": settings.max_rows, "max_bytes": settings.max_bytes}
    requests = [
        {"task": "digest", "database": str(database_file(databases / db_id, db_id)),
         "sql": settings.executed(sql, predicted=True), "limits": limits}
        for db_id, sql in queries
    ]  # fmt: skip
    replies: dict[int, Answer] = {}
    with WorkerPool(settings.workers or processors(), settings.memory_bytes) as pool:
        pool.run(requests, replies.__setitem__)
    digests = {query: replies[place].get("digest") for place, query in enumerate(queries)}
    return [most_agree([digests.get(query) for query in answers]) for answers in said]
