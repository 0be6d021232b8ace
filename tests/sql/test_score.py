"""Verdicts end to end: rules, suites, caches, workers, broken set-ups, real data."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from paretune.errors import ConfigError, DataError, EmptySample, ScoringError
from paretune.sql import pool
from paretune.sql.pool import Answer, Request, WorkerPool
from paretune.sql.records import SqlOutcome, SqlPrediction, SqlVerdict
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.text import Voice
from paretune.text.sql import why_wrong

GOLD = "SELECT name FROM people WHERE age > 30"


def make_database(path: Path, rows: list[tuple[int, str, int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)")
    connection.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


@pytest.fixture
def databases(tmp_path: Path) -> Path:
    folder = tmp_path / "database"
    make_database(folder / "town" / "town.sqlite", [(1, "ann", 25), (2, "bob", 35), (3, "cid", 45), (4, "bob", 55)])
    return folder


def score(databases: Path, text: str, gold: str = GOLD, rules: str = "official") -> SqlVerdict:
    settings = ScoreSettings(rules=rules, workers=1, limit_seconds=5)
    return score_predictions([SqlPrediction(0, "town", "Who?", gold, text)], databases, settings)[0]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (GOLD, SqlOutcome.CORRECT),
        (f"```sql\n{GOLD};\n```", SqlOutcome.CORRECT),
        ("SELECT name FROM people WHERE age > 40", SqlOutcome.WRONG),
        ("SELECT nme FROM people", SqlOutcome.INVALID_SQL),
        ("DROP TABLE people", SqlOutcome.NOT_A_QUERY),
        ("I do not know", SqlOutcome.NO_ANSWER),
    ],
)
def test_score_each_kind_of_answer_has_its_outcome(databases: Path, text: str, outcome: SqlOutcome) -> None:
    verdict = score(databases, text)
    assert verdict.outcome == outcome
    assert verdict.execution_match is (outcome == SqlOutcome.CORRECT)
    assert (verdict.error_class is None) is (outcome == SqlOutcome.CORRECT)
    assert (verdict.error is None) is (outcome == SqlOutcome.CORRECT)
    assert verdict.hardness == "easy"
    assert verdict.test_suite_match is None


def test_score_gold_that_fails_is_not_charged_to_the_prediction(databases: Path) -> None:
    verdict = score(databases, GOLD, gold="SELECT nought FROM people")
    assert verdict.outcome == SqlOutcome.GOLD_FAILED
    assert verdict.error_class is None
    assert "no such column" in (verdict.error or "")


@pytest.mark.parametrize(
    ("text", "code", "english"),
    [
        ("SELECT nme FROM people", "sql.column-near", "No table has a column nme; did you mean people.name?"),
        ("SELECT name FROM people WHERE age > 40", "sql.literal", "Compare people.age with 30, not 40."),
        ("DROP TABLE people", "sql.only-reading", "only reading is allowed; refused: "),
        ("I do not know", "sql.nothing-extracted", "no SQL statement in the answer"),
    ],
)
def test_score_wrong_answer_is_explained_by_a_code(databases: Path, text: str, code: str, english: str) -> None:
    verdict = score(databases, text)
    assert verdict.error_code == code
    line = json.loads(json.dumps(asdict(verdict)))
    assert why_wrong(Voice("en"), line["error"], line["error_code"], line["error_fields"]).startswith(english)
    refused = verdict.outcome == SqlOutcome.INVALID_SQL  # the line keeps SQLite's own message beside the explanation
    assert str(verdict.error).startswith("no such column: nme" if refused else english)


def test_score_right_answer_has_no_code(databases: Path) -> None:
    verdict = score(databases, GOLD)
    assert (verdict.error, verdict.error_code, verdict.error_fields) == (None, None, None)


def test_score_both_empty_is_counted(databases: Path) -> None:
    verdict = score(databases, "SELECT id, name FROM people WHERE 0", gold="SELECT name FROM people WHERE age > 99")
    assert (verdict.outcome, verdict.both_empty) == (SqlOutcome.CORRECT, True)
    strict = score(databases, "SELECT id, name FROM people WHERE 0", "SELECT name FROM people WHERE age > 99", "strict")
    assert strict.outcome == SqlOutcome.WRONG


@pytest.mark.parametrize(
    ("rules", "right"), [("official", True), ("multiset", False), ("strict", False), ("tp4", True)]
)
def test_score_distinct_by_each_rule(databases: Path, rules: str, right: bool) -> None:
    """Official drops DISTINCT, tp4 compares sets, the others count rows."""
    assert score(databases, GOLD.replace("SELECT", "SELECT DISTINCT"), rules=rules).execution_match is right


@pytest.mark.parametrize(
    ("rules", "right"), [("official", True), ("multiset", False), ("strict", False), ("tp4", False)]
)
def test_score_column_order_by_each_rule(databases: Path, rules: str, right: bool) -> None:
    gold = "SELECT name, age FROM people"
    assert score(databases, "SELECT age, name FROM people", gold, rules).execution_match is right


def test_score_failed_query_with_empty_gold_is_right_under_tp4_only(databases: Path) -> None:
    gold = "SELECT name FROM people WHERE age > 99"
    assert score(databases, "SELECT nought FROM people", gold, "tp4").outcome == SqlOutcome.CORRECT
    assert score(databases, "SELECT nought FROM people", gold).outcome == SqlOutcome.INVALID_SQL


def test_score_keep_distinct_is_another_metric(databases: Path) -> None:
    prediction = SqlPrediction(0, "town", "Who?", GOLD, GOLD.replace("SELECT", "SELECT DISTINCT"))
    settings = ScoreSettings(keep_distinct=True, workers=1)
    assert score_predictions([prediction], databases, settings)[0].outcome == SqlOutcome.WRONG
    with pytest.raises(ConfigError, match="keep_distinct"):
        ScoreSettings(rules="strict", keep_distinct=True)


def test_score_as_written_runs_what_follows_the_statement(databases: Path) -> None:
    prediction = SqlPrediction(0, "town", "Who?", GOLD, f"{GOLD} <| <|")
    assert score_predictions([prediction], databases, ScoreSettings(workers=1))[0].outcome == SqlOutcome.CORRECT
    as_written = ScoreSettings(workers=1, as_written=True)
    assert score_predictions([prediction], databases, as_written)[0].outcome == SqlOutcome.INVALID_SQL


def test_score_suite_of_databases_is_another_accuracy(databases: Path) -> None:
    make_database(databases / "town" / "town_1.sqlite", [(1, "eve", 33), (2, "fay", 36)])
    near = "SELECT name FROM people WHERE age >= 35"
    verdict = score(databases, near)
    assert (verdict.execution_match, verdict.test_suite_match, verdict.outcome) == (True, False, SqlOutcome.CORRECT)
    assert score(databases, GOLD).test_suite_match is True
    assert score(databases, "SELECT 1").test_suite_match is False


def test_score_verdicts_do_not_depend_on_the_number_of_workers(databases: Path) -> None:
    texts = [GOLD, "SELECT name FROM people", "SELECT", "DROP TABLE people", "", "SELECT age, name FROM people"] * 5
    items = [SqlPrediction(i, "town", "Who?", GOLD, text) for i, text in enumerate(texts)]

    def without_time(workers: int) -> list[dict[str, object]]:
        verdicts = score_predictions(items, databases, ScoreSettings(workers=workers))
        return [asdict(verdict) | {"seconds": 0} for verdict in verdicts]

    assert without_time(1) == without_time(3)


def test_score_on_verdict_hears_each_once(databases: Path) -> None:
    heard: list[int] = []
    items = [SqlPrediction(i, "town", "Who?", GOLD, text) for i, text in enumerate([GOLD, GOLD, "", "SELECT 1"])]
    verdicts = score_predictions(
        items, databases, ScoreSettings(workers=1), on_verdict=lambda verdict: heard.append(verdict.index)
    )
    assert sorted(heard) == [0, 1, 2, 3]
    assert [verdict.index for verdict in verdicts] == [0, 1, 2, 3]


def test_score_gold_cache_is_used_and_follows_the_content(databases: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    item = [SqlPrediction(0, "town", "Who?", GOLD, GOLD)]
    score_predictions(item, databases, ScoreSettings(workers=1), cache=cache)
    (kept,) = cache.glob("*.json")
    kept.write_text(json.dumps({"columns": 1, "rows": [["nobody"]]}))
    assert score_predictions(item, databases, ScoreSettings(workers=1), cache=cache)[0].outcome == SqlOutcome.WRONG
    connection = sqlite3.connect(databases / "town" / "town.sqlite")
    connection.execute("INSERT INTO people VALUES (9, 'zoe', 90)")
    connection.commit()
    connection.close()
    assert score_predictions(item, databases, ScoreSettings(workers=1), cache=cache)[0].outcome == SqlOutcome.CORRECT
    assert len(list(cache.glob("*.json"))) == 2


def test_score_damaged_cache_is_an_error_that_names_the_file(databases: Path, tmp_path: Path) -> None:
    item = [SqlPrediction(0, "town", "Who?", GOLD, GOLD)]
    score_predictions(item, databases, ScoreSettings(workers=1), cache=tmp_path / "cache")
    (kept,) = (tmp_path / "cache").glob("*.json")
    kept.write_text("{")
    with pytest.raises(ScoringError, match=kept.name):
        score_predictions(item, databases, ScoreSettings(workers=1), cache=tmp_path / "cache")


def test_score_bytes_and_extreme_numbers_survive_the_cache(databases: Path) -> None:
    gold = "SELECT x'00ff', 9223372036854775807, 1e308 * 10, 0.1, NULL, ''"
    assert score(databases, gold + " ", gold=gold, rules="strict").outcome == SqlOutcome.CORRECT


def test_score_missing_database_is_an_error(databases: Path) -> None:
    with pytest.raises(DataError, match=r"city\.sqlite: no such database"):
        score_predictions([SqlPrediction(0, "city", "Who?", GOLD, GOLD)], databases, ScoreSettings(workers=1))
    assert not (databases / "city").exists()


def test_score_database_damaged_in_its_data_is_an_error(databases: Path) -> None:
    path = databases / "town" / "town.sqlite"
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xee" * (len(raw) - 4096)
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"town\.sqlite"):
        score(databases, GOLD)


def test_score_nothing_is_an_error(databases: Path) -> None:
    with pytest.raises(EmptySample):
        score_predictions([], databases, ScoreSettings())


def test_score_limit_beyond_any_clock_is_no_limit(databases: Path) -> None:
    settings = ScoreSettings(workers=1, limit_seconds=1e9)
    (verdict,) = score_predictions([SqlPrediction(0, "town", "q", GOLD, GOLD)], databases, settings)
    assert verdict.outcome is SqlOutcome.CORRECT


@pytest.mark.parametrize("wrong", [{"rules": "x"}, {"limit_seconds": 0}, {"workers": 0}, {"max_rows": -1}])
def test_score_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        ScoreSettings(**wrong)  # type: ignore[arg-type]  # that is the point


def test_pool_worker_lost_once_costs_nothing(databases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is killed from outside (memory, an operator) is replaced and its request repeated."""
    started: list[int] = []
    start = pool._Worker.start

    def start_and_lose_the_first(worker: pool._Worker, position: int, attempt: int, request: dict[str, object]) -> None:
        started.append(attempt)
        if len(started) == 1:
            worker._process.kill()
        start(worker, position, attempt, request)

    monkeypatch.setattr(pool._Worker, "start", start_and_lose_the_first)
    assert score(databases, GOLD).outcome == SqlOutcome.CORRECT
    assert started[:2] == [1, 2]


def test_score_suite_lost_with_its_worker_is_our_failure_and_no_mismatch(
    databases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_database(databases / "town" / "town_1.sqlite", [(1, "ann", 20)])
    run = WorkerPool.run

    def lose_the_suite(pool: WorkerPool, requests: Sequence[Request], on_answer: Callable[[int, Answer], None]) -> None:
        lost = {
            position
            for position, request in enumerate(requests)
            if request["task"] == "prediction" and request["databases"][0][0].endswith("town_1.sqlite")
        }
        for position in lost:
            on_answer(position, {"status": "failed", "match": False, "error": "the worker was lost twice"})
        kept = [position for position in range(len(requests)) if position not in lost]
        run(pool, [requests[position] for position in kept], lambda number, answer: on_answer(kept[number], answer))

    monkeypatch.setattr(WorkerPool, "run", lose_the_suite)
    verdict = score(databases, GOLD)
    assert (verdict.outcome, verdict.test_suite_match) == (SqlOutcome.FAILED, None)
    assert verdict.error == "the worker was lost twice"


def test_pool_worker_lost_each_time_is_our_failure(databases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    answers: list[dict[str, object]] = []
    request = {"task": "gold", "limits": {"seconds": 1.0}}
    with WorkerPool(2, 2**27) as pool:
        pool.run([request], lambda _, answer: answers.append(answer))
    assert [answer["status"] for answer in answers] == ["failed"]


def test_score_gold_against_gold_is_all_right_on_spider_dev(spider_directory: Path) -> None:
    entries = json.loads((spider_directory / "dev.json").read_text())
    items = [SqlPrediction(i, e["db_id"], e["question"], e["query"], e["query"]) for i, e in enumerate(entries)]
    verdicts = score_predictions(items, spider_directory / "database", ScoreSettings())
    assert len(verdicts) == 1034
    assert {verdict.outcome for verdict in verdicts} == {SqlOutcome.CORRECT}
    assert {verdict.exact_set_match for verdict in verdicts} == {True}
    levels = [verdict.hardness for verdict in verdicts]
    assert [levels.count(level) for level in ("easy", "medium", "hard", "extra")] == [248, 446, 174, 166]


@pytest.mark.parametrize(("rules", "published"), [("tp4", [9, 21, 22]), ("official", [4, 19, 19])])
def test_score_figures_of_2025_are_reproduced(shared_data: Path, rules: str, published: list[int]) -> None:
    dev = json.loads((shared_data / "spider" / "dev.json").read_text())
    correct = []
    for name in ("Baseline_Model", "Fine-Tuned_Run_1", "Fine-Tuned_Run_2"):
        with open(shared_data / "tp4-2025" / f"avaliacao_{name}.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        items = [
            SqlPrediction(i, dev[i]["db_id"], row["question"], row["expected_sql"], row["generated_sql"])
            for i, row in enumerate(rows)
        ]
        settings = ScoreSettings(rules=rules, as_written=True)
        verdicts = score_predictions(items, shared_data / "spider" / "database", settings)
        correct.append(sum(verdict.execution_match for verdict in verdicts))
        if rules == "tp4":
            scores = [float(row["score"]) > 0 for row in rows]
            assert [verdict.execution_match for verdict in verdicts] == scores
    assert correct == published
