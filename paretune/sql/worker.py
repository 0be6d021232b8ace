"""The process that runs untrusted queries: reads requests on standard input, answers on standard output.

    python -m paretune.sql.worker MEMORY_BYTES

One JSON object a line each way. Before a query runs the worker says {"stage": "execute"}, before it compares
{"stage": "compare"}: the pool kills it when a stage takes too long, and should the pool be gone, an alarm does. Heap
and address space are limited, no file can be written while a query runs.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import logging
import os
import re
import resource
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.errors import DataError
from paretune.sql.database import open_read_only
from paretune.sql.dialects import SQLITE, dialect_of
from paretune.sql.execute import Execution, ExecutionLimits, Row, Value, execute
from paretune.sql.extract import orders_rows
from paretune.sql.metrics import of_rule
from paretune.sql.rules import RULES, Comparison, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from paretune.sql.explain import Diagnostician

SECONDS_OF_GRACE = 1.0  # from a query's limit to the end of its process
SECONDS_TO_PREPARE = 60.0
SECONDS_TO_COMPARE = 60.0
_LONGEST_DOUBT = 200  # characters
_KEPT_ROWS = 50_000  # gold rows a worker keeps at hand


@dataclass(frozen=True, slots=True)
class GoldResult:
    """What a gold query returned. rows: (n_rows, columns). order: as in rules.Comparison. doubt: why it cannot be
    relied on, one of DOUBTS, or null."""

    columns: int
    rows: list[Row]
    order: list[int] = field(default_factory=list)
    doubt: str | None = None


RUNS_DIFFER = "two runs of the reference differ"
ROWS_DECIDE = "the order in which rows are stored decides the reference's result"
CLOCK_DECIDES = "the reference reads the clock or chance"
DOUBTS = (RUNS_DIFFER, ROWS_DECIDE, CLOCK_DECIDES)


def write_gold(path: Path, execution: Execution, order: Sequence[int] = (), doubt: str | None = None) -> None:
    """Keep a gold result as JSON, whole or not at all; bytes are written as {"bytes": hex}."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    text = json.dumps(
        {"doubt": doubt, "columns": execution.columns, "order": list(order), "rows": execution.rows},
        default=lambda value: {"bytes": value.hex()},
    )
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read_gold(path: Path) -> GoldResult:
    """The result that write_gold kept."""
    text = path.read_text(encoding="utf-8")
    kept = json.loads(text)
    rows = [tuple(row) for row in kept["rows"]]
    if '{"bytes"' in text:
        rows = [
            tuple(bytes.fromhex(value["bytes"]) if isinstance(value, dict) else value for value in row) for row in rows
        ]
    return GoldResult(kept["columns"], rows, kept.get("order", []), kept.get("doubt"))


class Kept:
    """What a worker keeps between requests, as most of them follow others on the same database."""

    def __init__(self) -> None:
        self._golds: dict[str, GoldResult] = {}
        self._n_rows = 0
        self._diagnosticians: dict[tuple[str | None, str | None], Diagnostician] = {}
        self._open: tuple[str, sqlite3.Connection] | None = None

    def gold(self, path: str) -> GoldResult:
        """The gold result at that path. Raises what read_gold does for a damaged file."""
        if path not in self._golds:
            gold = read_gold(Path(path))
            if self._n_rows + len(gold.rows) > _KEPT_ROWS:
                self._golds.clear()
                self._n_rows = 0
            self._golds[path] = gold
            self._n_rows += len(gold.rows)
        return self._golds[path]

    def diagnostician(self, tables_file: str | None, folder: str | None) -> Diagnostician:
        """Who explains predictions with the foreign keys of that tables.json, and readings kept in that folder."""
        from paretune.sql.explain import Diagnostician

        if (tables_file, folder) not in self._diagnosticians:
            paths = [None if name is None else Path(name) for name in (tables_file, folder)]
            self._diagnosticians[tables_file, folder] = Diagnostician(*paths)
        return self._diagnosticians[tables_file, folder]

    def connection(self, database: str) -> sqlite3.Connection | None:
        """A connection to a SQLite file, the last one where it is the same; None for what SQLite does not open."""
        if self._open is None or self._open[0] != database:
            if self._open is not None:
                self._open[1].close()
            self._open = None
            if dialect_of(Path(database)) is not SQLITE:
                return None
            with suppress(DataError):  # execution says what is wrong with the file
                self._open = database, open_read_only(Path(database))
        return None if self._open is None else self._open[1]


def read_doubt(path: Path) -> str | None:
    """The doubt of a kept result, without reading its rows."""
    with path.open(encoding="utf-8") as file:
        head = file.read(_LONGEST_DOUBT)
    said = re.match(r'\{"doubt": (null|"[^"]*")', head)
    return None if said is None else json.loads(said[1])


def answer_gold(request: dict[str, Any]) -> dict[str, Any]:
    """Run a gold query and keep its result at request["result"]; status "unwritable" when that cannot be done.

    It is run a second time, and once with rows backwards (in the tables for a query that sorts, else in what comes
    out), to know whether its result can be relied on and which sorted rows tie.
    """
    ran = _run(request, request["database"])
    status, error = str(ran.status), ran.error
    if ran.status == "ok":
        try:
            write_gold(Path(request["result"]), ran, *_reliance(request, ran))
        except OSError as failure:
            status, error = "unwritable", failure.strerror
    return {"status": status, "error": error, "seconds": ran.seconds}


def answer_rows(request: dict[str, Any]) -> dict[str, Any]:
    """Run a query for a reader: its columns, how many rows it has, and the first request["rows"] of them as text, each
    value of request["letters"] letters at most, NULL as null."""
    ran = _run(request, request["database"])
    rows = [[_as_text(value, request["letters"]) for value in row] for row in ran.rows[: request["rows"]]]
    return {"status": ran.status, "error": ran.error, "columns": ran.columns, "count": len(ran.rows), "rows": rows}


def answer_digest(request: dict[str, Any]) -> dict[str, Any]:
    """Run a query and say which result it has, by a digest: rows in any order unless the query sorts them, numbers
    rounded as where results are compared."""
    ran = _run(request, request["database"])
    digest = None
    if ran.status == "ok":
        rows = [repr(row) for row in rounded(ran.rows)]
        kept = rows if orders_rows(request["sql"]) else sorted(rows)
        digest = hashlib.sha256("\n".join([str(ran.columns), *kept]).encode()).hexdigest()[:16]
    return {"status": ran.status, "error": ran.error, "digest": digest}


def _as_text(value: Value, letters: int) -> str | None:
    if value is None:
        return None
    text = f"x'{value.hex()}'" if isinstance(value, bytes) else str(value)
    return text if len(text) <= letters else f"{text[:letters]}…"


def _reliance(request: dict[str, Any], first: Execution) -> tuple[list[int], str | None]:
    """Which rows keep their order (see rules.Comparison), and why the result cannot be relied on, if so."""
    if request["passing"]:
        return [len(first.rows)], CLOCK_DECIDES
    again = _run(request, request["database"])
    sorts = orders_rows(request["sql"])
    turned = _turned(request) if sorts else None
    reverse = _run(request if turned is None else turned, request["database"], backwards=turned is None)
    n_rows = len(first.rows)
    if again.status == "ok" and _bag(again.rows) != _bag(first.rows):
        return [n_rows], RUNS_DIFFER
    if reverse.status != "ok":
        return (list(range(1, n_rows + 1)) if sorts else [n_rows]), None
    doubt = ROWS_DECIDE if _bag(reverse.rows) != _bag(first.rows) else None
    if not sorts:
        return [n_rows], doubt
    return (order_of_ties(first.rows, reverse.rows) if doubt is None else list(range(1, n_rows + 1))), doubt


def _turned(request: dict[str, Any]) -> dict[str, Any] | None:
    """The same request over tables whose rows come in reverse."""
    from paretune.sql.references import read_backwards

    try:
        sql = read_backwards(Path(request["database"]), request["sql"])
    except Exception:  # a parser that trips over one text must not cost its result
        return None
    return None if sql is None else {**request, "sql": sql}


def _bag(rows: Sequence[Row]) -> Counter[Row]:
    return Counter(rounded(rows))


def order_of_ties(rows: Sequence[Row], backwards: Sequence[Row]) -> list[int]:
    """The ends of the shortest runs of rows that hold the same rows in both orders: rows of one run tie.

    >>> order_of_ties([(1, "a"), (1, "b"), (2, "c")], [(1, "b"), (1, "a"), (2, "c")])
    [2, 3]
    """
    ends: list[int] = []
    balance: dict[Row, int] = {}
    for position, (row, other) in enumerate(zip(rounded(rows), rounded(backwards), strict=True), start=1):
        for value, step in ((row, 1), (other, -1)):
            balance[value] = balance.get(value, 0) + step
            if not balance[value]:
                del balance[value]
        if not balance:
            ends.append(position)
    return ends


def answer_prediction(request: dict[str, Any], kept: Kept) -> dict[str, Any]:
    """Run a predicted query and, where request["diagnosis"] says how, find out why it is wrong."""
    answer = _judge(request, kept)
    about = request.get("diagnosis")
    if about is None or answer["status"] in {"broken_database", "damaged_gold"}:
        return answer
    _say({"stage": "diagnose", "so_far": answer})
    return answer | {"diagnosis": answer_diagnosis(about, answer, kept)}


def answer_diagnosis(about: dict[str, Any], answer: dict[str, Any], kept: Kept) -> dict[str, Any]:
    """What is known of a prediction from its text and the answer of its execution (diagnosis.Diagnosis as JSON)."""
    diagnosed: dict[str, Any] = (
        kept.diagnostician(about["tables_file"], about["readings"])
        .diagnose(
            Path(about["database"]),
            about["sql"],
            about["gold"],
            wrong=not answer["match"] and answer["status"] not in {"gold_failed", "gold_too_large", "failed"},
            refused=answer["status"] in {"invalid_sql", "not_a_query", "crashed"},
            values_open=about["values_open"],
            message=answer["error"] if answer["status"] in {"invalid_sql", "not_a_query"} else None,
        )
        .record()
    )
    return diagnosed


def _judge(request: dict[str, Any], kept: Kept) -> dict[str, Any]:
    """Run a predicted query on each database in turn, up to the first whose result differs from the gold's.

    A gold result that is null stands for a gold query that failed, compared as an empty one where the rule says so.
    """
    rule = RULES[request["rules"]]
    metrics = of_rule(rule.name)
    answer: dict[str, Any] = {"status": "ok", "match": False, "both_empty": False, "error": None, "seconds": 0.0}
    both_empty = True
    for database, gold_path in request["databases"]:
        try:
            gold = GoldResult(0, []) if gold_path is None else kept.gold(gold_path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return answer | {"status": "damaged_gold", "error": f"{gold_path}: {error}"}
        ran = _run(request, database, connection=kept.connection(database))
        answer["seconds"] += ran.seconds
        if ran.status != "ok":
            answer |= {"status": ran.status, "error": ran.error}
            if not rule.failed_is_empty or ran.status == "broken_database":
                return answer
        _say({"stage": "compare"})
        try:
            pair = Comparison(gold.rows, ran.rows, gold.columns, ran.columns, request["gold_sql"], gold.order)
            answer["measured"] = {name: metric.measure(pair) for name, metric in metrics.items()}
            if not rule.match(pair):
                return answer
        except MemoryError:
            return answer | {"status": "too_large", "error": "more memory than allowed to compare the results"}
        both_empty = both_empty and ran.status == "ok" and gold_path is not None and not gold.rows and not ran.rows
    return answer | {"match": True, "both_empty": both_empty}


def limit_memory(size: int) -> None:
    """Keep SQLite's heap below size bytes (the query fails) and the process below 1 GiB more (an allocation does)."""
    sqlite3.connect(":memory:").execute(f"PRAGMA hard_heap_limit = {size}")
    total = size + 2**30
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY or total < most:
        with suppress(OSError, ValueError):  # not every system has such a limit; SQLite keeps its own
            resource.setrlimit(resource.RLIMIT_AS, (total, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer requests until standard input ends."""
    limit_memory(int(sys.argv[1]))
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that is not a query
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kept = Kept()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["task"] == "gold":
            _say({"answer": answer_gold(request)})
        elif request["task"] == "rows":
            _say({"answer": answer_rows(request)})
        elif request["task"] == "digest":
            _say({"answer": answer_digest(request)})
        elif request["task"] == "load":
            _load()
        elif request["task"] == "diagnosis":
            _say({"stage": "diagnose", "so_far": request["answer"]})
            diagnosis = answer_diagnosis(request["diagnosis"], request["answer"], kept)
            _say({"answer": request["answer"] | {"diagnosis": diagnosis}})
        else:
            _say({"answer": answer_prediction(request, kept)})


def _run(
    request: dict[str, Any],
    database: str,
    *,
    backwards: bool = False,
    connection: sqlite3.Connection | None = None,
) -> Execution:
    limits = ExecutionLimits(**request["limits"])
    _say({"stage": "execute"})
    signal.setitimer(signal.ITIMER_REAL, limits.seconds + 2 * SECONDS_OF_GRACE)
    try:
        with _no_file_growth():
            return execute(Path(database), request["sql"], limits, backwards=backwards, connection=connection)
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


def _load() -> None:
    """Load what explains predictions, while the caller still reads files."""
    importlib.import_module("paretune.sql.explain")


def _say(message: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
