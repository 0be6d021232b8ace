"""Metrics and levels are registered by name; each says what the script it follows says."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from paretune.sql.database import SchemaNames
from paretune.sql.explain import Diagnostician
from paretune.sql.levels import LEVELS, level
from paretune.sql.metrics import OF_RESULTS, OF_TEXTS, Texts, exact_set_match, exact_set_match_strict, of_texts, soft_f1
from paretune.sql.records import SqlOutcome, SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.rules import RULES, Comparison
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.text.pt_br import TEXT

ROW = [(1, "a")]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("metrics") / "database"
    (folder / "shop").mkdir(parents=True)
    connection = sqlite3.connect(folder / "shop" / "shop.sqlite")
    connection.executescript("CREATE TABLE item (name TEXT, price INTEGER); INSERT INTO item VALUES ('a', 1), ('b', 2)")
    connection.close()
    return folder


def test_registries_name_source_field_and_rules() -> None:
    fields = {field.name for field in dataclasses.fields(SqlVerdict)}
    for name, metric in (OF_TEXTS | OF_RESULTS).items():
        assert name in fields
        assert metric.source
        assert metric.name in TEXT
        assert set(metric.rules) <= RULES.keys()
    for way in LEVELS.values():
        assert way.source
        assert all(word in TEXT for word in (way.name, *way.levels))


def test_metric_one_more_function_is_measured_where_texts_are(databases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registered = OF_TEXTS.copy()
    for module in ("metrics", "explain"):
        monkeypatch.setattr(f"paretune.sql.{module}.OF_TEXTS", registered)

    @of_texts("short", "no script")
    def short(texts: Texts) -> bool:
        return len(texts.sql) < 30

    found = Diagnostician(None).diagnose(
        databases / "shop" / "shop.sqlite", "SELECT name FROM item", "SELECT price FROM item", wrong=False
    )
    assert found.measured == {"exact_set_match": False, "exact_set_match_strict": False, "short": True}


@pytest.mark.parametrize(
    ("gold", "predicted", "share"),
    [
        (ROW, ROW, 1.0),
        ([], [], 1.0),
        (ROW, [], 0.0),
        ([], ROW, 0.0),
        ([(1,), (1,), (2,)], [(1,), (2,)], 1.0),  # repeated rows count once
        ([(1,), (2,)], [(2,), (1,)], 0.0),  # the n-th row meets the n-th
        ([(1, 2)], [(2, 1)], 1.0),  # within a row the place does not count
        ([(1, 2)], [(1, 3)], 0.5),
        ([(1,)], [(1, 2, 3)], 0.5),  # precision 1/3, recall 1
        ([(1, 2), (3, 4)], [(1, 2)], 2 / 3),  # precision 1, recall 1/2
        ([(1,)], [(1.0,)], 1.0),
    ],
)
def test_soft_f1_is_that_of_birds_script(
    gold: list[tuple[object, ...]], predicted: list[tuple[object, ...]], share: float
) -> None:
    assert soft_f1(Comparison(gold, predicted, 1, 1, "")) == pytest.approx(share)  # type: ignore[arg-type]  # rows


def test_exact_set_match_lenient_and_strict_differ_in_who_refuses() -> None:
    schema = SchemaNames({"item": ("name", "price")})
    plain, alias = "SELECT name FROM item", "SELECT name AS n FROM item"
    read = [(exact_set_match(texts), exact_set_match_strict(texts)) for texts in (
        Texts(plain, schema, alike=True, refused=False),
        Texts(alias, schema, alike=True, refused=False),
        Texts(plain, schema, alike=True, refused=True),
        Texts(plain, schema, alike=False, refused=False),
    )]  # fmt: skip
    assert read == [(True, True), (True, False), (False, True), (False, False)]


def test_soft_f1_of_an_answer_without_a_result_is_nought(databases: Path) -> None:
    texts = ["SELECT name FROM item", "SELECT nme FROM item", "", "SELECT count(*) FROM item a, item b, item c WHERE 0"]
    texts.append("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
    gold = "SELECT name FROM item"
    items = [SqlPrediction(place, "shop", "?", gold, text) for place, text in enumerate(texts)]
    items.append(SqlPrediction(len(items), "shop", "?", "SELECT nothing FROM item", gold))
    verdicts = score_predictions(items, databases, ScoreSettings(rules="bird", workers=1, limit_seconds=0.2))
    assert [verdict.soft_f1 for verdict in verdicts] == [1.0, 0.0, 0.0, 0.0, 0.0, None]
    assert verdicts[4].outcome == SqlOutcome.TIMEOUT
    official = score_predictions(items[:1], databases, ScoreSettings(workers=1))
    assert official[0].soft_f1 is None


def test_level_is_the_files_where_it_says_one_and_else_the_texts(databases: Path) -> None:
    database = databases / "shop" / "shop.sqlite"
    said = SqlQuestion(0, "shop", "?", "SELECT name FROM item", level="challenging")
    assert level(said, database) == "challenging"
    assert level(dataclasses.replace(said, level=None), database) == "easy"
    assert level(dataclasses.replace(said, level=None, gold="DELETE FROM item"), database) == "unknown"
