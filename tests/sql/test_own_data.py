"""What must not go wrong on data of one's own: names that are words of SQL, values that look alike, ties, chance."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from paretune.sql.records import SqlOutcome, SqlPrediction, SqlQuestion, SqlVerdict
from paretune.sql.score import ScoreSettings, default_rules, score_predictions


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "database"
    (folder / "kv").mkdir(parents=True)
    connection = sqlite3.connect(folder / "kv" / "kv.sqlite")
    connection.executescript(
        """
        CREATE TABLE reading (sensor TEXT, value REAL, "order" INTEGER, "group" TEXT, "distinct" TEXT);
        INSERT INTO reading VALUES ('a', 20.5, 1, 'x', 'p'), ('b', 7, 2, 'x', 'q'), ('b', 7, 3, NULL, 'q');
        CREATE TABLE score (name TEXT, points INTEGER, share REAL, code TEXT);
        INSERT INTO score VALUES ('ann', 1, 1.0, '1'), ('bob', 2, 2.0, '2'), ('cid', 2, 2.5, '2');
        INSERT INTO score VALUES ('dan', 3, NULL, NULL);
        """
    )
    connection.close()
    return folder


def judge(databases: Path, text: str, gold: str, rules: str = "result") -> SqlVerdict:
    settings = ScoreSettings(rules=rules, workers=1, limit_seconds=10)
    return score_predictions([SqlPrediction(0, "kv", "?", gold, text)], databases, settings)[0]


def test_default_rules_are_those_of_the_data(tmp_path: Path) -> None:
    own = [SqlQuestion(0, "kv", "?", "SELECT 1")]
    assert default_rules(own, tmp_path / "tables.json") == "result"
    (tmp_path / "tables.json").write_text('[{"db_id": "kv"}]')
    assert default_rules(own, tmp_path / "tables.json") == "official"
    assert default_rules([*own, SqlQuestion(1, "other", "?", "SELECT 1")], tmp_path / "tables.json") == "result"
    assert default_rules([SqlQuestion(0, "kv", "?", "SELECT 1", level="moderate")], tmp_path / "tables.json") == "bird"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT value FROM reading",
        "SELECT sensor FROM reading WHERE value > 10",
        "SELECT sensor FROM reading ORDER BY value DESC LIMIT 1",
        'SELECT "order", "group", "distinct" FROM reading ORDER BY "order" DESC',
        'SELECT DISTINCT "distinct" FROM reading',
        'SELECT "group", count(*) FROM reading GROUP BY "group"',
        "SELECT name FROM score WHERE share > 99",
        "SELECT share, code FROM score",
    ],
)
def test_result_a_query_equals_itself(databases: Path, query: str) -> None:
    assert judge(databases, query, query).outcome == SqlOutcome.CORRECT


def test_official_reads_value_as_one_to_the_letter(databases: Path) -> None:
    query = "SELECT sensor FROM reading WHERE value > 10"
    assert judge(databases, query, query, "official").outcome == SqlOutcome.WRONG
    quoted = 'SELECT name FROM score WHERE points > "value"'
    assert judge(databases, quoted, "SELECT name FROM score WHERE points > 1", "official").outcome == SqlOutcome.CORRECT


@pytest.mark.parametrize(
    ("text", "gold", "right"),
    [
        ("SELECT points FROM score", "SELECT points * 1.0 FROM score", True),  # 1 and 1.0
        ("SELECT code FROM score WHERE points = 1", "SELECT points FROM score WHERE points = 1", False),  # '1' and 1
        ("SELECT share FROM score WHERE points = 3", "SELECT code FROM score WHERE points = 3", True),  # NULL and NULL
        ("SELECT 0.1 + 0.2 + 0.3", "SELECT 0.3 + 0.2 + 0.1", True),  # the last digits of a sum
        ("SELECT DISTINCT sensor FROM reading", "SELECT sensor FROM reading", False),  # duplicates count
        ("SELECT count(DISTINCT sensor) FROM reading", "SELECT count(sensor) FROM reading", False),
        ("SELECT points, name FROM score", "SELECT name, points FROM score", True),  # columns in any order
        ("SELECT name, points, code FROM score", "SELECT name, points FROM score", False),  # and as many
        ("SELECT name FROM score ORDER BY name DESC", "SELECT name FROM score", True),  # rows in any order
        ("SELECT name FROM score", "SELECT name FROM score ORDER BY name DESC", False),  # unless the reference sorts
        ("SELECT name FROM score ORDER BY points, name DESC", "SELECT name FROM score ORDER BY points", True),  # ties
        ("SELECT name FROM score ORDER BY points DESC", "SELECT name FROM score ORDER BY points", False),
        ("SELECT points, name FROM score ORDER BY points, name DESC", "SELECT name, points FROM score ORDER BY points",
         True),
        ("SELECT name FROM score WHERE 0", "SELECT sensor FROM reading WHERE value > 99", True),  # empty and empty
        ("SELECT name, code FROM score WHERE 0", "SELECT sensor FROM reading WHERE value > 99", False),
        ("SELECT nothing FROM score", "SELECT sensor FROM reading WHERE value > 99", False),  # a failure is not empty
    ],
)  # fmt: skip
def test_result_compares_values_and_rows_alone(databases: Path, text: str, gold: str, right: bool) -> None:
    assert judge(databases, text, gold).execution_match is right


def test_subset_accepts_further_columns(databases: Path) -> None:
    gold = "SELECT name FROM score ORDER BY points"
    assert judge(databases, "SELECT points, name FROM score ORDER BY points", gold, "subset").execution_match
    assert not judge(databases, "SELECT points, code FROM score ORDER BY points", gold, "subset").execution_match
    assert not judge(databases, "SELECT points, name FROM score ORDER BY name DESC", gold, "subset").execution_match


def test_bird_runs_every_text_whole_and_compares_sets(databases: Path) -> None:
    gold = "SELECT sensor FROM reading"
    verdict = judge(databases, "SELECT DISTINCT sensor FROM reading", gold, "bird")
    assert (verdict.outcome, verdict.soft_f1) == (SqlOutcome.CORRECT, 1.0)
    fenced = judge(databases, f"```sql\n{gold}\n```", gold, "bird")
    assert (fenced.outcome, fenced.soft_f1) == (SqlOutcome.INVALID_SQL, 0.0)
    near = judge(databases, "SELECT sensor FROM reading WHERE value > 10", gold, "bird")
    assert near.outcome == SqlOutcome.WRONG
    assert near.soft_f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("gold", "doubt"),
    [
        ("SELECT random()", "the reference reads the clock or chance"),
        ("SELECT date('now')", "the reference reads the clock or chance"),
        ("SELECT name FROM score ORDER BY points DESC, share IS NULL LIMIT 1", None),
        ("SELECT name FROM score WHERE points = 2 LIMIT 1",
         "the order in which rows are stored decides the reference's result"),
        ("SELECT name FROM score ORDER BY points", None),
    ],
)  # fmt: skip
def test_reference_that_cannot_be_relied_on_is_said(databases: Path, gold: str, doubt: str | None) -> None:
    assert judge(databases, "SELECT 1", gold).gold_doubt == doubt


def test_reference_that_reads_the_clock_is_not_kept(databases: Path, tmp_path: Path) -> None:
    items = [SqlPrediction(0, "kv", "?", gold, gold) for gold in ("SELECT date('now')", "SELECT name FROM score")]
    score_predictions(items, databases, ScoreSettings(workers=1), cache=tmp_path / "kept")
    assert len(list((tmp_path / "kept").glob("*.json"))) == 1


def test_reference_over_the_row_cap_has_an_outcome_of_its_own(databases: Path) -> None:
    item = SqlPrediction(0, "kv", "?", "SELECT name FROM score", "SELECT name FROM score")
    (verdict,) = score_predictions([item], databases, ScoreSettings(workers=1, max_rows=3))
    assert verdict.outcome == SqlOutcome.GOLD_TOO_LARGE
    assert verdict.error == "the reference returns too much: more than 3 rows"


def test_exact_set_match_a_refused_statement_is_none(databases: Path) -> None:
    gold = "SELECT name FROM score WHERE points > 1 GROUP BY name"
    verdict = judge(databases, "SELECT name FROM score GROUP BY name WHERE points > 1", gold)
    assert (verdict.outcome, verdict.exact_set_match, verdict.exact_set_match_strict) == (
        SqlOutcome.INVALID_SQL, False, False,
    )  # fmt: skip


@pytest.mark.parametrize("rules", ["official", "result"])
def test_exact_set_match_operators_with_a_space_are_joined(databases: Path, rules: str) -> None:
    gold = "SELECT name FROM score WHERE points >= 2"
    verdict = judge(databases, "SELECT name FROM score WHERE points > = 2", gold, rules)
    assert verdict.exact_set_match is (rules == "official")  # SQLite refuses it as it stands
    assert verdict.exact_set_match_strict is True
