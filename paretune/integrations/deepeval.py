"""Execution accuracy as a DeepEval metric; `from paretune.deepeval import ExecutionAccuracy` is the public way to it.

deepeval is an optional extra (`pip install ".[deepeval]"`), imported when this module is. While it is imported its
telemetry, its reading of .env files and its key file are off, unless the user has decided otherwise; afterwards the
process is as it was. Its evaluate() reports to its makers: `stay_offline` keeps it from that.
"""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paretune.errors import ConfigError, ScoringError
from paretune.sql.database import read_names
from paretune.sql.dialects import database_file
from paretune.sql.explain import classify
from paretune.sql.pool import WorkerPool
from paretune.sql.records import NOT_JUDGED, SqlOutcome, SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.score import ScoreSettings, default_rules, score_predictions

_SWITCHES = ("DEEPEVAL_TELEMETRY_OPT_OUT", "DEEPEVAL_DISABLE_DOTENV", "DEEPEVAL_DISABLE_LEGACY_KEYFILE")


def stay_offline() -> None:
    """Switch off deepeval's telemetry, its .env files and its key file for this process, where the user has not
    decided otherwise."""
    for name in _SWITCHES:
        os.environ.setdefault(name, "1")


@contextmanager
def _offline() -> Iterator[None]:
    """As `stay_offline`, within."""
    set_here = [name for name in _SWITCHES if name not in os.environ]
    stay_offline()
    try:
        yield
    finally:
        for name in set_here:
            os.environ.pop(name, None)


try:
    with _offline():
        from deepeval.errors import MissingTestCaseParamsError
        from deepeval.metrics import BaseMetric
        from deepeval.test_case import LLMTestCase
except ImportError as error:
    raise ConfigError(f"the DeepEval metric needs deepeval 4.3: pip install '.[deepeval]' ({error})") from error


class ExecutionAccuracy(BaseMetric):  # type: ignore[misc]  # deepeval is not analysed (see pyproject.toml)
    """Does the query in `actual_output` return what the gold in `expected_output` returns? Score 1.0 or 0.0.

    databases: folder with <db_id>/<db_id>.sqlite, opened read-only; the test case names its database in
    `metadata={"db_id": ...}`. rules: a name in sql/rules.py; by default `official` where Spider's tables.json
    beside the folder describes the database, else `result`. limit_seconds: for one execution, in a process
    that is killed past it. on_every_database: ask for a match on all files of the database's folder, which is
    test-suite accuracy. gold_cache: folder that keeps gold results between test cases. threshold: 1.0 passes matches
    only; verbose_mode and flaky as in DeepEval.

    `reason` says in one sentence why the prediction is wrong, `verdict` is the whole record (paretune.records). Missing
    fields raise DeepEval's MissingTestCaseParamsError, a missing or damaged database DataError, a gold query that fails
    or a failure of ours ScoringError: none of them says anything about the prediction, so none is scored 0.
    """

    def __init__(
        self,
        databases: str | Path,
        rules: str | None = None,
        limit_seconds: float = 30.0,
        on_every_database: bool = False,
        gold_cache: str | Path | None = None,
        threshold: float = 1.0,
        verbose_mode: bool = False,
        flaky: bool = False,
    ) -> None:
        ScoreSettings(rules=rules or "result", limit_seconds=limit_seconds)  # refuses what cannot be obeyed
        self.databases = databases
        self.rules = rules
        self.limit_seconds = limit_seconds
        self.on_every_database = on_every_database
        self.gold_cache = gold_cache
        self.threshold = threshold
        self.verbose_mode = verbose_mode
        self.flaky = flaky
        self.verdict: SqlVerdict | None = None

    def measure(self, test_case: LLMTestCase, *args: Any, **kwargs: Any) -> float:
        """Score one test case; sets score, reason, success and verdict."""
        _reset(self)
        try:
            return _settle(self, *_judge(self, test_case))
        except Exception as error:
            raise _failed(self, error) from error

    async def a_measure(self, test_case: LLMTestCase, *args: Any, **kwargs: Any) -> float:
        """The same without blocking the event loop: SQL runs in a process, watched by a thread."""
        _reset(self)
        try:
            return _settle(self, *await asyncio.to_thread(_judge, self, test_case))
        except Exception as error:
            raise _failed(self, error) from error

    def is_successful(self) -> bool:
        """Whether the score reached the threshold; False before anything was measured and after an error."""
        self.success = self.error is None and self.score is not None and self.score >= self.threshold
        return bool(self.success)

    @property
    def __name__(self) -> str:
        return "Test-Suite Accuracy" if self.on_every_database else "Execution Accuracy"


# DeepEval wraps every method of a metric in its tracing; what follows are functions so that it is left alone.


def _reset(metric: ExecutionAccuracy) -> None:
    metric.score = metric.reason = metric.success = metric.error = metric.verdict = metric.verbose_logs = None


def _settle(metric: ExecutionAccuracy, verdict: SqlVerdict, reason: str) -> float:
    match = verdict.test_suite_match if metric.on_every_database else verdict.execution_match
    metric.verdict = verdict
    score = 1.0 if match else 0.0
    metric.score = score
    metric.reason = reason
    metric.success = score >= metric.threshold
    if metric.verbose_mode:
        metric.verbose_logs = f"outcome: {verdict.outcome}\nsql: {verdict.sql}\nreference: {verdict.gold}\n{reason}"
    return score


def _failed(metric: ExecutionAccuracy, error: Exception) -> Exception:
    """The error to raise: DeepEval takes a TypeError for a wrong signature and would measure a second time."""
    metric.error = str(error)
    metric.success = False
    return ScoringError(f"execution accuracy: {error}") if isinstance(error, TypeError) else error


_idle: list[WorkerPool] = []  # DeepEval copies a metric for every test case: workers outlive the copies


@contextmanager
def _pool(memory_bytes: int) -> Iterator[WorkerPool]:
    """A pool of one worker for one test case, kept for the next one unless something went wrong."""
    try:
        pool = _idle.pop()
    except IndexError:
        pool = WorkerPool(1, memory_bytes)
        atexit.register(pool.__exit__)
    yield pool
    _idle.append(pool)


def _judge(metric: ExecutionAccuracy, test_case: LLMTestCase) -> tuple[SqlVerdict, str]:
    """The verdict and its reason. Raises where the prediction cannot be judged."""
    db_id = (test_case.metadata or {}).get("db_id")
    missing = [
        name
        for name, value in (
            ("actual_output", test_case.actual_output),
            ("expected_output", test_case.expected_output),
            ('metadata={"db_id": ...}', db_id),
        )
        if value is None or not isinstance(value, str)
    ]
    if missing:
        raise MissingTestCaseParamsError(f"execution accuracy needs {', '.join(missing)} (text) in the test case")
    prediction = SqlPrediction(0, str(db_id), str(test_case.input), test_case.expected_output, test_case.actual_output)
    databases = Path(metric.databases)
    rules = metric.rules or default_rules(
        [SqlQuestion(0, str(db_id), "", prediction.gold)], databases.parent / "tables.json"
    )
    settings = ScoreSettings(rules=rules, limit_seconds=metric.limit_seconds, workers=1)
    cache = None if metric.gold_cache is None else Path(metric.gold_cache)
    with _pool(settings.memory_bytes) as pool:
        verdict = score_predictions([prediction], databases, settings, cache=cache, pool=pool)[0]
    if verdict.outcome in NOT_JUDGED | {SqlOutcome.FAILED}:
        raise ScoringError(f"{db_id}: {verdict.error or verdict.outcome}; correct the test case, not the prediction")
    if metric.on_every_database and verdict.execution_match and verdict.test_suite_match is None:
        raise ScoringError(
            f"{databases / str(db_id)}: no test suite on which the reference runs; build one with `paretune test-suite`"
        )
    return verdict, _reason(metric, rules, verdict, database_file(databases / str(db_id), str(db_id)))


def _reason(metric: ExecutionAccuracy, rules: str, verdict: SqlVerdict, database: Path) -> str:
    if verdict.execution_match and metric.on_every_database and not verdict.test_suite_match:
        return (
            f"The result equals the reference's on {verdict.db_id} by luck: it differs on other rows of the test suite."
        )
    if verdict.execution_match:
        return f"The result equals the reference's on {verdict.db_id} ({rules} rules)."
    if verdict.outcome in {SqlOutcome.TIMEOUT, SqlOutcome.TOO_LARGE, SqlOutcome.NOT_A_QUERY}:
        return f"The prediction was not let run to its end ({verdict.outcome}): {verdict.error or 'over its limit'}."
    message = verdict.error if verdict.outcome == SqlOutcome.INVALID_SQL else None
    return classify(verdict.sql, verdict.gold, read_names(database), message).explanation
