"""What gold queries return: executed once a (database, query), kept on disk by content."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path

from paretune.errors import DataError, ScoringError
from paretune.files import file_sha256
from paretune.sql.dialects import POSTGRES, dialect_of
from paretune.sql.pool import Answer, WorkerPool
from paretune.sql.worker import read_doubt, read_gold


@dataclass(frozen=True, slots=True)
class GoldFailure:
    """Why a gold query has no result. too_large: it runs, and returns more than the caps allow."""

    error: str
    too_large: bool = False


_FORMAT = 2  # of the files
# What may return something else each time: such results are kept for one call only.
_PASSING = re.compile(
    r"\b(?:current_(?:date|time|timestamp)|random|randomblob)\b|'now'|\bnow\s*\("
    r"|\b(?:date|time|datetime|julianday|unixepoch)\s*\(\s*\)|\bstrftime\s*\(\s*'[^']*'\s*\)",
    re.IGNORECASE,
)


def is_passing(sql: str) -> bool:
    """Does the query read the clock or chance?

    >>> is_passing("SELECT date('now')"), is_passing("SELECT date(born) FROM people")
    (True, False)
    """
    return _PASSING.search(sql) is not None


class GoldCache:
    """Results of gold queries as files in a folder, which may be shared by runs and kept between them.

    A file's name is the hash of the database's bytes, the query's text, the caps and SQLite's version, for ties under
    LIMIT fall differently in different versions. Only results are kept; a failure is found again in each run, and so is
    what depends on the clock or chance, whose results go to the folder `passing`.
    """

    def __init__(self, folder: Path, passing: Path, limit_seconds: float, max_rows: int, max_bytes: int) -> None:
        self._folder, self._passing = folder, passing
        self._limits = {"seconds": limit_seconds, "max_rows": max_rows, "max_bytes": max_bytes}
        self._hashes: dict[Path, str] = {}
        self._results: dict[tuple[Path, str], Path | GoldFailure] = {}

    def prepare(self, wanted: list[tuple[Path, str]], pool: WorkerPool) -> None:
        """Have the result of every (database, query), running those that are not there.

        Raises DataError for a damaged database, ScoringError for a folder that cannot be written.
        """
        missing = []
        for database, sql in dict.fromkeys(wanted):
            path = self._path(database, sql)
            self._results[database, sql] = path
            if not path.exists():
                missing.append((database, sql, path))

        def keep(position: int, answer: Answer) -> None:
            database, sql, _ = missing[position]
            status, error = answer["status"], answer["error"]
            if status == "broken_database":
                raise DataError(f"{database}: cannot be read ({error}); fetch it again")
            if status == "unwritable":
                raise ScoringError(f"{self._folder}: results of references cannot be kept there ({error})")
            if status != "ok":
                self._results[database, sql] = GoldFailure(f"{status}: {error}", status == "too_large")

        requests = [
            {
                "task": "gold",
                "database": str(database),
                "sql": sql,
                "result": str(path),
                "limits": self._limits,
                "passing": is_passing(sql),
            }
            for database, sql, path in missing
        ]
        pool.run(requests, keep)

    def result(self, database: Path, sql: str) -> Path | GoldFailure:
        """The file with a prepared result, or why there is none."""
        return self._results[database, sql]

    def is_empty(self, result: Path) -> bool:
        """Did the gold query return no rows?"""
        return not read_gold(result).rows

    def doubt(self, result: Path) -> str | None:
        """Why a result cannot be relied on (worker.DOUBTS); null where it can."""
        return read_doubt(result)

    def _path(self, database: Path, sql: str) -> Path:
        if database not in self._hashes:
            on_a_server = dialect_of(database) is POSTGRES  # what it holds may have changed since the last call
            self._hashes[database] = uuid.uuid4().hex if on_a_server else file_sha256(database)
        caps = [self._limits["max_rows"], self._limits["max_bytes"]]
        key = json.dumps([_FORMAT, self._hashes[database], sql, caps, sqlite3.sqlite_version])
        folder = self._passing if is_passing(sql) else self._folder
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
