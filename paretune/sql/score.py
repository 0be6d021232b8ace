"""Verdicts on predicted SQL: extraction, safe execution, comparison and diagnosis put together.

The one entry for everybody: the experiment pipeline, `paretune score` and the DeepEval metric.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from paretune.errors import ConfigError, DataError, EmptySample, ScoringError
from paretune.fields import nearest
from paretune.sql.bird import is_bird
from paretune.sql.database import check_database
from paretune.sql.diagnosis import Diagnosis, worth_saying
from paretune.sql.dialects import database_file
from paretune.sql.execute import ExecutionLimits
from paretune.sql.extract import begins_with_statement, extract_sql
from paretune.sql.gold import GoldCache, GoldFailure
from paretune.sql.metrics import of_rule
from paretune.sql.pool import Answer, Request, WorkerPool
from paretune.sql.records import NOT_JUDGED, SqlOutcome, SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.rules import RULES, official_query

_OUTCOMES = {
    "ok": SqlOutcome.WRONG,
    "no_answer": SqlOutcome.NO_ANSWER,
    "gold_failed": SqlOutcome.GOLD_FAILED,
    "gold_too_large": SqlOutcome.GOLD_TOO_LARGE,
    "invalid_sql": SqlOutcome.INVALID_SQL,
    "crashed": SqlOutcome.INVALID_SQL,
    "not_a_query": SqlOutcome.NOT_A_QUERY,
    "timeout": SqlOutcome.TIMEOUT,
    "too_large": SqlOutcome.TOO_LARGE,
    "failed": SqlOutcome.FAILED,
}


@dataclass(frozen=True, slots=True)
class ScoreSettings:
    """What decides a verdict, and with how many workers it is found (which does not decide it).

    limit_seconds: wall clock for one execution of a prediction (its process ends a second later at the latest);
    gold_limit_seconds: the same for gold. workers: None for one per processor. keep_distinct: the official script's
    --keep_distinct, another metric, for `official` alone. rules: a name in rules.RULES. as_written: a text that begins
    with a statement is run whole, so that whatever follows the statement makes it fail, as it does in the official
    script and did in 2025 (always so under `tp4`); whole_texts: every text is, prose included (always so under `bird`);
    else one statement is extracted from every text. max_rows, max_bytes: of one result;
    memory_bytes: SQLite's heap in a worker.
    """

    rules: str = "official"
    limit_seconds: float = 30.0
    workers: int | None = None
    keep_distinct: bool = False
    as_written: bool = False
    whole_texts: bool = False
    max_rows: int = 500_000
    max_bytes: int = 128 * 2**20
    memory_bytes: int = 2**30
    gold_limit_seconds: float = 120.0

    def __post_init__(self) -> None:
        if self.rules not in RULES:
            raise ConfigError(
                f"rules {self.rules!r}: expected one of {', '.join(RULES)}{nearest(self.rules, [*RULES])}"
            )
        for name in ("limit_seconds", "gold_limit_seconds", "max_rows", "max_bytes", "memory_bytes"):
            if not 0 < getattr(self, name) < 2**40:
                raise ConfigError(f"{name} {getattr(self, name)}: expected a finite number above 0")
        if self.workers is not None and self.workers < 1:
            raise ConfigError(f"workers {self.workers}: expected at least 1")
        if self.keep_distinct and self.rules != "official":
            raise ConfigError("keep_distinct belongs to the official rules; the other rules never drop DISTINCT")

    def statement(self, text: str) -> str:
        """The statement that a text is taken to answer with; "" for none."""
        rule = RULES[self.rules]
        if (
            self.whole_texts
            or rule.whole_text
            or ((self.as_written or rule.as_written) and begins_with_statement(text))
        ):
            return text.strip()
        return extract_sql(text)

    def executed(self, sql: str, *, predicted: bool) -> str:
        """The text that is run for a query under these rules."""
        if self.rules != "official":
            return sql
        return official_query(sql, predicted=predicted, keep_distinct=self.keep_distinct)


@dataclass(slots=True)
class _Question:
    """A prediction on its way to a verdict."""

    prediction: SqlPrediction
    sql: str
    gold: str  # as it is executed
    suite: list[Path]  # the plain database first, then its variants
    answer: Answer = field(default_factory=dict)
    test_suite_match: bool | None = None
    gold_doubt: str | None = None


def score_predictions(
    predictions: Sequence[SqlPrediction],
    databases: Path,
    settings: ScoreSettings,
    *,
    cache: Path | None = None,
    tables_file: Path | None = None,
    on_verdict: Callable[[SqlVerdict], None] | None = None,
    pool: WorkerPool | None = None,
) -> list[SqlVerdict]:
    """The verdict on each prediction, in the order given.

    databases: the folder that holds <db_id>/<db_id>.sqlite; a database folder with further .sqlite files is a test
    suite, as in the official layout, and then test_suite_match is found as well (official name, plain execution_match
    kept apart). tables_file: Spider's tables.json, which gives the foreign keys of the exact set match; by default the
    one beside the folder, and without one the keys that the databases declare.
    cache: folder that keeps gold results between calls, by content hash of database and query, and what parsing tells
    of gold queries.
    on_verdict: called with each verdict as soon as it is known, in no fixed order. Under `tp4` a failed query counts as
    an empty result, so a verdict can be correct and carry an error. pool: workers to use and to leave running, where
    calls follow each other.

    Raises DataError for a missing, unreadable or damaged database, ScoringError where no verdict could be trusted
    otherwise (an unwritable cache), EmptySample without predictions.
    """
    if not predictions:
        raise EmptySample("no predictions to score")
    suites = find_databases(databases, {prediction.db_id for prediction in predictions})
    golds = {gold: settings.executed(gold, predicted=False) for gold in {item.gold for item in predictions}}
    questions = [
        _Question(item, settings.statement(item.text), golds[item.gold], suites[item.db_id]) for item in predictions
    ]
    tables_file = tables_file or databases.parent / "tables.json"
    verdicts: dict[int, SqlVerdict] = {}

    def settle(position: int) -> None:
        question = questions[position]
        verdicts[position] = _verdict(question, settings.rules)
        if on_verdict is not None:
            on_verdict(verdicts[position])

    with ExitStack() as stack:
        if pool is None:
            pool = stack.enter_context(WorkerPool(settings.workers or processors(), settings.memory_bytes))
        passing = stack.enter_context(_folder(None))
        folder = passing if cache is None else stack.enter_context(_folder(cache))
        kept = GoldCache(folder, passing, settings.gold_limit_seconds, settings.max_rows, settings.max_bytes)
        _Run(questions, settings, kept, pool, tables_file if tables_file.is_file() else None, cache).all(settle)
    return [verdicts[position] for position in range(len(questions))]


def default_rules(questions: Sequence[SqlQuestion], tables_file: Path) -> str:
    """The rules for data of which nothing is said: BIRD's for BIRD's questions, Spider's where its tables.json
    describes every database, and else `result`, which compares results and nothing else."""
    if is_bird(questions):
        return "bird"
    try:
        described = _described(tables_file, tables_file.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
        return "result"
    return "official" if {question.db_id for question in questions} <= described else "result"


@lru_cache(maxsize=2)  # DeepEval asks for every test case
def _described(tables_file: Path, _: int) -> frozenset[str]:
    """The databases of a tables.json (the second argument: the file's state)."""
    return frozenset(entry["db_id"] for entry in json.loads(tables_file.read_text(encoding="utf-8")))


def find_databases(databases: Path, db_ids: set[str]) -> dict[str, list[Path]]:
    """For each db_id its SQLite files: <db_id>.sqlite first, then the variants of a test suite by name.

    Raises DataError naming the first that is missing, unreadable or no database.
    """
    if not databases.is_dir():
        raise DataError(f"{databases}: no such folder; expected <db_id>/<db_id>.sqlite in it")
    found = {}
    for db_id in sorted(db_ids):
        plain = database_file(databases / db_id, db_id)
        check_database(plain)
        variants = sorted(path for path in plain.parent.glob("*.sqlite") if path != plain)
        for path in variants:
            check_database(path)
        found[db_id] = [plain, *variants]
    return found


class _Run:
    """Everything that is executed for one call: golds, then predictions, then predictions on the rest of a suite.

    Equal work (same databases, query and gold) is done once.
    """

    def __init__(
        self,
        questions: list[_Question],
        settings: ScoreSettings,
        golds: GoldCache,
        pool: WorkerPool,
        tables_file: Path | None,
        readings: Path | None,
    ) -> None:
        self.questions, self.settings, self.golds, self.pool = questions, settings, golds, pool
        self.tables_file, self.readings = tables_file, readings
        self.rule = RULES[settings.rules]
        self.limits = ExecutionLimits(settings.limit_seconds, settings.max_rows, settings.max_bytes)

    def all(self, settle: Callable[[int], None]) -> None:
        """Execute; settle(position) is called when all is known about a question."""
        self.golds.prepare([(question.suite[0], question.gold) for question in self.questions], self.pool)
        pending: dict[tuple[str, ...], list[int]] = {}
        unexecuted: list[int] = []
        for position, question in enumerate(self.questions):
            gold = self.golds.result(question.suite[0], question.gold)
            if isinstance(gold, Path):
                question.gold_doubt = self.golds.doubt(gold)
            if isinstance(gold, GoldFailure) and gold.too_large:
                error = f"the reference returns too much: {gold.error.removeprefix('too_large: ')}"
                question.answer = {"status": "gold_too_large", "match": False, "error": error}
                unexecuted.append(position)
            elif isinstance(gold, GoldFailure) and not self.rule.failed_is_empty:
                error = f"the reference query fails: {gold.error}"
                question.answer = {"status": "gold_failed", "match": False, "error": error}
                unexecuted.append(position)
            elif not question.sql:
                question.answer = self._without_statement(gold)
                unexecuted.append(position)
            else:
                key = (str(question.suite[0]), question.sql, question.prediction.gold)
                pending.setdefault(key, []).append(position)
        self._diagnose(unexecuted, settle)
        in_suites = self._predictions(list(pending.values()), settle)
        self._suites(in_suites, settle)

    def _diagnose(self, positions: list[int], settle: Callable[[int], None]) -> None:
        """Complete the answers about queries that are not run."""

        def keep(number: int, answer: Answer) -> None:
            question = self.questions[positions[number]]
            question.answer |= {"diagnosis": answer.get("diagnosis")}
            settle(positions[number])

        asked = [self.questions[position] for position in positions]
        self.pool.run(
            [
                {"task": "diagnosis", "answer": item.answer, "diagnosis": self._about(item), "limits": {"seconds": 0.0}}
                for item in asked
            ],
            keep,
        )

    def _about(self, question: _Question) -> dict[str, Any]:
        return {
            "database": str(question.suite[0]),
            "tables_file": None if self.tables_file is None else str(self.tables_file),
            "readings": None if self.readings is None else str(self.readings),
            "sql": question.sql,
            "gold": question.prediction.gold,
            "values_open": self.rule.name == "official",
        }

    def _predictions(self, groups: list[list[int]], settle: Callable[[int], None]) -> list[list[int]]:
        """Run each group's query on its plain database; returns the groups whose suites are still to be run."""
        in_suites: list[list[int]] = []

        def keep(number: int, answer: Answer) -> None:
            group = groups[number]
            goes_on = answer["match"] and len(self.questions[group[0]].suite) > 1
            for position in group:
                question = self.questions[position]
                _check_answer(question, answer)
                question.answer = answer
                if len(question.suite) > 1:
                    question.test_suite_match = False
                if not goes_on:
                    settle(position)
            if goes_on:
                in_suites.append(group)

        firsts = [self.questions[group[0]] for group in groups]
        requests = [{**self._request(first, first.suite[:1]), "diagnosis": self._about(first)} for first in firsts]
        self.pool.run(requests, keep)
        return in_suites

    def _suites(self, groups: list[list[int]], settle: Callable[[int], None]) -> None:
        """Run each group's query on the variants of its database. Null where the gold fails on a variant."""
        firsts = [self.questions[group[0]] for group in groups]
        self.golds.prepare([(path, first.gold) for first in firsts for path in first.suite[1:]], self.pool)
        usable = []
        for group, first in zip(groups, firsts, strict=True):
            results = [self.golds.result(path, first.gold) for path in first.suite[1:]]
            if any(isinstance(result, GoldFailure) for result in results):
                for position in group:
                    self.questions[position].test_suite_match = None
                    settle(position)
            else:
                usable.append(group)

        def keep(number: int, answer: Answer) -> None:
            for position in usable[number]:
                _check_answer(self.questions[position], answer)
                lost = answer["status"] == "failed"  # a fault of ours says nothing about the prediction
                self.questions[position].test_suite_match = None if lost else answer["match"]
                if lost:
                    self.questions[position].answer |= {"status": "failed", "match": False, "error": answer["error"]}
                settle(position)

        requests = [self._request(self.questions[group[0]], self.questions[group[0]].suite[1:]) for group in usable]
        self.pool.run(requests, keep)

    def _request(self, question: _Question, databases: list[Path]) -> Request:
        results = [(path, self.golds.result(path, question.gold)) for path in databases]
        return {
            "task": "prediction",
            "sql": self.settings.executed(question.sql, predicted=True),
            "databases": [
                [str(path), None if isinstance(result, GoldFailure) else str(result)] for path, result in results
            ],
            "rules": self.settings.rules,
            "gold_sql": question.gold,
            "limits": {
                "seconds": self.limits.seconds,
                "max_rows": self.limits.max_rows,
                "max_bytes": self.limits.max_bytes,
            },
        }

    def _without_statement(self, gold: Path | GoldFailure) -> Answer:
        """The answer where nothing was extracted: a failed query, which may count as an empty result."""
        match = self.rule.failed_is_empty and (isinstance(gold, GoldFailure) or self.golds.is_empty(gold))
        return {"status": "no_answer", "match": match, "error": "no SQL statement in the answer"}


def _check_answer(question: _Question, answer: Answer) -> None:
    """Raise where an answer says that the set-up is broken."""
    if answer["status"] == "broken_database":
        raise DataError(f"{question.suite[0]}: cannot be read ({answer['error']}); fetch it again")
    if answer["status"] == "damaged_gold":
        raise ScoringError(f"{answer['error']}: not the result of a reference; delete that file")


def _verdict(question: _Question, rules: str) -> SqlVerdict:
    """The record for one question."""
    answer, prediction = question.answer, question.prediction
    match, status = bool(answer.get("match")), answer["status"]
    outcome = SqlOutcome.CORRECT if match else _OUTCOMES[status]
    diagnosis = Diagnosis.of(answer.get("diagnosis"))
    phrase = worth_saying(answer.get("error"), status == "invalid_sql", diagnosis.phrase)
    said = {"code": None, "fields": None} if phrase is None else phrase.record()
    without_result = {} if outcome in NOT_JUDGED else dict.fromkeys(of_rule(rules), 0.0)
    measured: dict[str, Any] = {**without_result, **answer.get("measured", {}), **diagnosis.measured}
    return SqlVerdict(
        index=prediction.index,
        db_id=prediction.db_id,
        question=prediction.question,
        text=prediction.text,
        sql=question.sql,
        gold=prediction.gold,
        outcome=outcome,
        execution_match=match,
        test_suite_match=question.test_suite_match,
        exact_set_match=measured.pop("exact_set_match", None),
        hardness=prediction.level or diagnosis.hardness,
        both_empty=bool(answer.get("both_empty")),
        error_class=diagnosis.error_class,
        error=answer.get("error") or (None if phrase is None else str(phrase)),
        seconds=round(float(answer.get("seconds", 0.0)), 6),
        error_code=said["code"],
        error_fields=said["fields"],
        gold_doubt=question.gold_doubt,
        known_wrong=prediction.known_wrong,
        **measured,
    )


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    """The folder of gold results: the cache, or one that goes afterwards."""
    if cache is not None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ScoringError(
                f"{cache}: the folder for results of references cannot be made ({error.strerror})"
            ) from error
        yield cache
        return
    with tempfile.TemporaryDirectory(prefix="paretune-gold-") as folder:
        yield Path(folder)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
