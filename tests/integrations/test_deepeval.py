"""The DeepEval metric inside evaluate and assert_test, with the network cut off."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import runpy
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from paretune.errors import ConfigError, ParetuneError, ScoringError
from paretune.sql.records import SqlOutcome

if importlib.util.find_spec("deepeval") is None:
    pytest.skip("package deepeval is not installed (pip install '.[deepeval]')", allow_module_level=True)

from paretune.deepeval import ExecutionAccuracy, stay_offline

from deepeval import assert_test, evaluate  # isort: skip
from deepeval.errors import MissingTestCaseParamsError  # isort: skip
from deepeval.evaluate import AsyncConfig, DisplayConfig, ErrorConfig  # isort: skip
from deepeval.test_case import LLMTestCase  # isort: skip

stay_offline()

GOLD = "SELECT name FROM singer WHERE country = 'Brazil'"
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "deepeval_execution_accuracy.py"


@pytest.fixture(autouse=True)
def _cut_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No connection may be opened, and deepeval's files go into a folder of the test."""

    def refuse(self: socket.socket, address: Any) -> None:
        raise AssertionError(f"a connection to {address} was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def databases(tmp_path: Path) -> Path:
    folder = tmp_path / "database"
    (folder / "band").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "band" / "band.sqlite")) as connection:
        connection.executescript(
            "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, country TEXT, age INT);"
            "INSERT INTO singer VALUES (1, 'Ana', 'Brazil', 30), (2, 'Bo', 'Peru', 40), (3, 'Cy', 'Brazil', 50);"
        )
    return folder


def _case(answer: str | None, gold: str | None = GOLD, db_id: str | None = "band") -> LLMTestCase:
    metadata = None if db_id is None else {"db_id": db_id}
    return LLMTestCase(input="Who is Brazilian?", actual_output=answer, expected_output=gold, metadata=metadata)


@pytest.mark.parametrize(
    ("answer", "score", "words"),
    [
        (GOLD, 1.0, "equals the reference's on band"),
        ("Sure: ```sql\nSELECT name FROM singer WHERE id <> 2\n```", 1.0, "equals"),
        ("SELECT name FROM singer WHERE country = 'brazil'", 0.0, "(letter case)"),
        ("SELECT nme FROM singer", 0.0, "did you mean singer.name"),
        ("DROP TABLE singer", 0.0, "not_a_query"),
        ("I do not know", 0.0, "no SQL statement"),
    ],
)
def test_measure_answers_get_score_and_reason(databases: Path, answer: str, score: float, words: str) -> None:
    metric = ExecutionAccuracy(databases)
    assert metric.measure(_case(answer)) == score
    assert words in metric.reason
    assert (metric.success, metric.is_successful(), metric.error) == (score == 1.0, score == 1.0, None)
    assert metric.verdict is not None


def test_measure_again_forgets_the_former_case(databases: Path) -> None:
    metric = ExecutionAccuracy(databases)
    metric.measure(_case(GOLD))
    metric.measure(_case("SELECT 1"))
    assert (metric.score, metric.success) == (0.0, False)


def test_a_measure_many_at_once_do_not_mix(databases: Path) -> None:
    answers = [GOLD if number % 3 else "SELECT 1" for number in range(9)]
    metrics = [ExecutionAccuracy(databases) for _ in answers]

    async def all_of_them() -> list[float]:
        return await asyncio.gather(
            *(metric.a_measure(_case(answer)) for metric, answer in zip(metrics, answers, strict=True))
        )

    assert asyncio.run(all_of_them()) == [1.0 if number % 3 else 0.0 for number in range(9)]


def test_a_measure_endless_query_ends_at_its_limit(databases: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    metric = ExecutionAccuracy(databases, limit_seconds=0.5)
    assert asyncio.run(metric.a_measure(_case(endless))) == 0.0
    assert metric.verdict is not None
    assert metric.verdict.outcome == SqlOutcome.TIMEOUT
    assert "timeout" in metric.reason


@pytest.mark.parametrize("run_async", [True, False])
def test_evaluate_scores_each_case_with_its_reason(databases: Path, run_async: bool) -> None:
    result = evaluate(
        test_cases=[_case(GOLD), _case("SELECT name, age FROM singer WHERE country = 'Brazil'")],
        metrics=[ExecutionAccuracy(databases)],
        async_config=AsyncConfig(run_async=run_async),
        display_config=DisplayConfig(show_indicator=False, print_results=False),
    )
    found = sorted((test.metrics_data[0].score, test.metrics_data[0].reason) for test in result.test_results)
    assert found[0] == (0.0, "Do not select singer.age.")
    assert found[1][0] == 1.0
    assert {test.metrics_data[0].name for test in result.test_results} == {"Execution Accuracy"}


@pytest.mark.parametrize("run_async", [True, False])
def test_assert_test_passes_the_right_and_fails_the_wrong(databases: Path, run_async: bool) -> None:
    metric = ExecutionAccuracy(databases)
    assert_test(_case(GOLD), [metric], run_async=run_async)
    with pytest.raises(AssertionError, match="Execution Accuracy"):
        assert_test(_case("SELECT age FROM singer"), [metric], run_async=run_async)


@pytest.mark.parametrize("case", [_case(None), _case(GOLD, None), _case(GOLD, GOLD, None)])
def test_measure_missing_field_raises_deepevals_own_error(databases: Path, case: LLMTestCase) -> None:
    metric = ExecutionAccuracy(databases)
    with pytest.raises(MissingTestCaseParamsError, match="needs"):
        metric.measure(case)
    assert (metric.score, metric.success) == (None, False)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (_case(GOLD, GOLD, "absent"), "no such database"),
        (_case(GOLD, "SELECT nothing FROM singer"), "the reference query fails"),
    ],
)
def test_measure_broken_set_up_raises_instead_of_scoring(databases: Path, case: LLMTestCase, words: str) -> None:
    metric = ExecutionAccuracy(databases)
    with pytest.raises(ParetuneError, match=words):
        metric.measure(case)
    assert (metric.score, metric.is_successful()) == (None, False)


def test_evaluate_broken_set_up_is_an_error_not_a_zero(databases: Path) -> None:
    result = evaluate(
        test_cases=[_case(GOLD, GOLD, "absent")],
        metrics=[ExecutionAccuracy(databases)],
        display_config=DisplayConfig(show_indicator=False, print_results=False),
        error_config=ErrorConfig(ignore_errors=True),
    )
    data = result.test_results[0].metrics_data[0]
    assert data.score is None
    assert "no such database" in data.error


def test_measure_on_every_database_finds_the_lucky_one(databases: Path) -> None:
    lucky = _case("SELECT name FROM singer WHERE id <> 2")
    with pytest.raises(ScoringError, match="no test suite"):
        ExecutionAccuracy(databases, on_every_database=True).measure(lucky)
    with closing(sqlite3.connect(databases / "band" / "band_v001.sqlite")) as connection:
        connection.executescript(
            "CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, country TEXT, age INT);"
            "INSERT INTO singer VALUES (1, 'Di', 'Peru', 30), (2, 'Ed', 'Brazil', 40);"
        )
    metric = ExecutionAccuracy(databases, on_every_database=True)
    assert (metric.measure(lucky), metric.__name__) == (0.0, "Test-Suite Accuracy")
    assert "by luck" in metric.reason
    assert ExecutionAccuracy(databases).measure(lucky) == 1.0


def test_constructor_unknown_rules_raises(databases: Path) -> None:
    with pytest.raises(ConfigError, match="rules"):
        ExecutionAccuracy(databases, rules="loose")


def test_example_runs_and_explains(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    printed = capsys.readouterr().out
    assert "Execution Accuracy: 1.0" in printed
    assert "Compare author.country with 'Brazil', not 'brazil' (letter case)." in printed


CHANGES = """
import os
before = dict(os.environ)
import paretune.deepeval
assert dict(os.environ) == before, {key for key in os.environ if key not in before}
from deepeval.telemetry.client import telemetry_opt_out
assert not telemetry_opt_out()
paretune.deepeval.stay_offline()
assert telemetry_opt_out()
"""


def test_import_leaves_the_environment_as_it_was_and_stay_offline_is_obeyed(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DEEPEVAL")}
    environment["PYTHONPATH"] = str(EXAMPLE.parents[1])
    command = [sys.executable, "-c", CHANGES]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.iterdir()) == []


def test_example_without_deepeval_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "deepeval.py").write_text("raise ImportError('not here')", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{EXAMPLE.parents[1]}"}
    result = subprocess.run(
        [sys.executable, str(EXAMPLE)], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr == "error: the DeepEval metric needs deepeval 4.3: pip install '.[deepeval]' (not here)\n"
