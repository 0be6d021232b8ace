from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from paretune.config import ExperimentConfig, TrainingConfig, VariantConfig
from paretune.errors import DataError
from paretune.sql.page import databases_of
from paretune.sql.prompt import PromptConfig
from paretune.sql.task import TASK, SqlTarget

READABLE = "SELECT name FROM people"


@pytest.fixture
def spider(tmp_path: Path) -> Path:
    folder = tmp_path / "spider"
    for db_id in ("town", "city"):
        (folder / "database" / db_id).mkdir(parents=True)
        connection = sqlite3.connect(folder / "database" / db_id / f"{db_id}.sqlite")
        connection.executescript("CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('ann'), ('bob');")
        connection.close()
    return folder


def _write(folder: Path, split: str, *queries: str) -> None:
    rows = [{"db_id": ("town", "city")[at % 2], "question": f"Question {at}?", "query": query}
            for at, query in enumerate(queries)]  # fmt: skip
    (folder / f"{split}.json").write_text(json.dumps(rows), encoding="utf-8")


def _config(folder: Path, few_shot: int = 0) -> ExperimentConfig:
    return ExperimentConfig(
        "x", (VariantConfig("run-1", training=TrainingConfig()),),
        target=SqlTarget(path=str(folder)), prompt=PromptConfig(few_shot=few_shot),
    )  # fmt: skip


@pytest.mark.parametrize("query", ["VALUES (1), (2)", "PRAGMA table_info(people)", "SELEC 1", "EXPLAIN SELECT 1"])
def test_read_reference_that_no_parser_reads_is_asked_without_a_level(spider: Path, query: str) -> None:
    _write(spider, "dev", READABLE, query)
    _write(spider, "train_spider", READABLE)
    target = TASK.read(_config(spider))
    assert [question.level for question in target.questions] == ["easy", "unknown"]
    (remark,) = TASK.doubts(_config(spider), target)
    assert "1 of 2 references" in remark
    assert "entry 1" in remark


def test_read_rows_shown_as_examples_are_not_trained_on(spider: Path) -> None:
    _write(spider, "dev", READABLE)
    _write(spider, "train_spider", READABLE, "SELECT count(*) FROM people")
    target = TASK.read(_config(spider, few_shot=1))
    messages = target.messages(target.questions[0])
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    ((split, row),) = target.training
    assert split == "train_spider"
    assert row.question not in messages[0]["content"]


def test_judge_answers_in_the_order_of_the_questions(
    spider: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    _write(spider, "dev", READABLE, "SELEC 1", "SELECT count(*) FROM people")
    _write(spider, "train_spider", READABLE)
    config = _config(spider)
    questions = TASK.read(config).questions
    verdicts = TASK.judge(config, questions, [READABLE, "SELECT 1", "I do not know"], lambda _: None)
    assert [verdict.index for verdict in verdicts] == [0, 1, 2]
    assert [verdict.outcome for verdict in verdicts] == ["correct", "gold_failed", "no_answer"]


def test_questions_known_to_be_wrong_are_marked_and_are_part_of_the_conditions(
    spider: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "cache"))
    _write(spider, "dev", READABLE, READABLE, "SELECT count(*) FROM people")
    _write(spider, "train_spider", READABLE)
    (spider / "wrong.txt").write_text("# of the reference\n1\n", encoding="utf-8")
    plain = _config(spider)
    config = replace(plain, target=SqlTarget(path=str(spider), known_wrong="wrong.txt"))
    data = TASK.read(config)
    verdicts = TASK.judge(config, data.questions, [READABLE] * 3, lambda _: None)
    assert [verdict.known_wrong for verdict in verdicts] == [False, True, False]
    assert TASK.conditions(config, data.files)["known_wrong"] == data.files["wrong.txt"]
    assert "known_wrong" not in TASK.conditions(plain, {})
    (spider / "wrong.txt").write_text("3", encoding="utf-8")
    with pytest.raises(DataError, match=r"wrong\.txt, line 1: expected a position in the split, found '3'"):
        TASK.read(config)


def test_conditions_name_the_content_of_the_databases(spider: Path) -> None:
    _write(spider, "dev", READABLE)
    _write(spider, "train_spider", READABLE)
    config = _config(spider)
    files = TASK.read(config).files
    before = TASK.conditions(config, files)
    assert before == {**before, "rules": "result", "limit_seconds": 30.0}
    assert TASK.conditions(config, {**files, "dev.json": "other"}) == before
    assert TASK.conditions(config, {**files, "database/town": "other"}) != before


@pytest.mark.parametrize("kind", ["spider", "demo"])
def test_databases_of_a_run_are_those_of_its_path_whatever_its_kind(spider: Path, kind: str) -> None:
    manifest = {"config": {"target": {"kind": kind, "path": str(spider)}}}
    assert databases_of(manifest) == spider / "database"
