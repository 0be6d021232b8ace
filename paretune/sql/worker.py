"""The process that runs untrusted queries: reads requests on standard input, answers on standard output.

    python -m paretune.sql.worker MEMORY_BYTES

One JSON object a line each way. Before a query runs the worker says {"stage": "execute"}, before it compares
{"stage": "compare"}: the pool kills it when a stage takes too long, and should the pool be gone, an alarm does. Heap
and address space are limited, no file can be written while a query runs.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.sql.execute import Execution, ExecutionLimits, Row, Value, execute
from paretune.sql.rules import match_multiset, match_official, match_strict, match_tp4

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_OF_GRACE = 1.0  # from a query's limit to the end of its process
SECONDS_TO_PREPARE = 60.0
SECONDS_TO_COMPARE = 60.0
_KEPT_ROWS = 50_000  # gold rows a worker keeps at hand


@dataclass(frozen=True, slots=True)
class GoldResult:
    """What a gold query returned. rows: (n_rows, columns)."""

    columns: int
    rows: list[Row]


def write_gold(path: Path, execution: Execution) -> None:
    """Keep a gold result as JSON, whole or not at all; bytes are written as {"bytes": hex}."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    text = json.dumps(
        {"columns": execution.columns, "rows": execution.rows}, default=lambda value: {"bytes": value.hex()}
    )
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read_gold(path: Path) -> GoldResult:
    """The result that write_gold kept."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        tuple(bytes.fromhex(value["bytes"]) if isinstance(value, dict) else value for value in row)
        for row in kept["rows"]
    ]
    return GoldResult(kept["columns"], rows)


def answer_gold(request: dict[str, Any]) -> dict[str, Any]:
    """Run a gold query and keep its result at request["result"]; status "unwritable" when that cannot be done."""
    ran = _run(request, request["database"])
    status, error = str(ran.status), ran.error
    if ran.status == "ok":
        try:
            write_gold(Path(request["result"]), ran)
        except OSError as failure:
            status, error = "unwritable", failure.strerror
    return {"status": status, "error": error, "seconds": ran.seconds}


def answer_rows(request: dict[str, Any]) -> dict[str, Any]:
    """Run a query for a reader: its columns, how many rows it has, and the first request["rows"] of them as text, each
    value of request["letters"] letters at most, NULL as null."""
    ran = _run(request, request["database"])
    rows = [[_as_text(value, request["letters"]) for value in row] for row in ran.rows[: request["rows"]]]
    return {"status": ran.status, "error": ran.error, "columns": ran.columns, "count": len(ran.rows), "rows": rows}


def _as_text(value: Value, letters: int) -> str | None:
    if value is None:
        return None
    text = f"x'{value.hex()}'" if isinstance(value, bytes) else str(value)
    return text if len(text) <= letters else f"{text[:letters]}…"


def answer_prediction(request: dict[str, Any], golds: dict[str, GoldResult]) -> dict[str, Any]:
    """Run a predicted query on each database in turn, up to the first whose result differs from the gold's.

    A gold result that is null stands for a gold query that failed, which only `tp4` compares.
    """
    answer: dict[str, Any] = {"status": "ok", "match": False, "both_empty": False, "error": None, "seconds": 0.0}
    both_empty = True
    for database, gold_path in request["databases"]:
        try:
            gold = GoldResult(0, []) if gold_path is None else _gold(gold_path, golds)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return answer | {"status": "damaged_gold", "error": f"{gold_path}: {error}"}
        ran = _run(request, database)
        answer["seconds"] += ran.seconds
        if ran.status != "ok":
            answer |= {"status": ran.status, "error": ran.error}
            if request["rules"] != "tp4" or ran.status == "broken_database":
                return answer
        _say({"stage": "compare"})
        try:
            if not same_result(gold, ran, request):
                return answer
        except MemoryError:
            return answer | {"status": "too_large", "error": "more memory than allowed to compare the results"}
        both_empty = both_empty and ran.status == "ok" and gold_path is not None and not gold.rows and not ran.rows
    return answer | {"match": True, "both_empty": both_empty}


def same_result(gold: GoldResult, ran: Execution, request: dict[str, Any]) -> bool:
    """Do gold and prediction agree by the request's rules?"""
    rules = request["rules"]
    if rules == "official":
        return match_official(gold.rows, ran.rows, ordered=request["ordered"])
    if rules == "tp4":
        return match_tp4(gold.rows, ran.rows)
    if gold.columns != ran.columns:
        return False
    if rules == "strict":
        return match_strict(gold.rows, ran.rows, request["gold_sql"])
    return match_multiset(gold.rows, ran.rows)


def limit_memory(size: int) -> None:
    """Keep SQLite's heap below size bytes (the query fails) and the process below 1 GiB more (an allocation does)."""
    sqlite3.connect(":memory:").execute(f"PRAGMA hard_heap_limit = {size}")
    total = size + 2**30
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or total < most:
        resource.setrlimit(resource.RLIMIT_AS, (total, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer requests until standard input ends."""
    limit_memory(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    golds: dict[str, GoldResult] = {}
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["task"] == "gold":
            _say({"answer": answer_gold(request)})
        elif request["task"] == "rows":
            _say({"answer": answer_rows(request)})
        else:
            _say({"answer": answer_prediction(request, golds)})


def _run(request: dict[str, Any], database: str) -> Execution:
    limits = ExecutionLimits(**request["limits"])
    _say({"stage": "execute"})
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + 2 * SECONDS_OF_GRACE)
    try:
        with _no_file_growth():
            return execute(Path(database), request["sql"], limits)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _no_file_growth() -> Iterator[None]:
    """No file of this process can grow; pipes still work."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    before, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def _gold(path: str, golds: dict[str, GoldResult]) -> GoldResult:
    """The gold result at that path, from memory when it was used lately."""
    if path not in golds:
        gold = read_gold(Path(path))
        if sum(len(kept.rows) for kept in golds.values()) + len(gold.rows) > _KEPT_ROWS:
            golds.clear()
        golds[path] = gold
    return golds[path]


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
