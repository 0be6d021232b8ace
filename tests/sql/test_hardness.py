"""Hardness against hand-made cases of each rule, and against the published counts of Spider dev."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from paretune.errors import ScoringError
from paretune.sql.levels import LEVELS
from paretune.sql.spider_metrics import hardness


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT name FROM t", "easy"),
        ("SELECT name FROM t WHERE a = 1", "easy"),
        ("SELECT name, age FROM t", "medium"),
        ("SELECT name FROM t WHERE a = 1 ORDER BY b", "medium"),
        ("SELECT name FROM t WHERE a LIKE 'x'", "medium"),
        ("SELECT name FROM t ORDER BY count(*) DESC LIMIT 1", "medium"),
        ("SELECT name FROM t WHERE a = 1 OR b = 2", "medium"),
        ("SELECT T1.a FROM t AS T1 JOIN s AS T2 ON T1.i = T2.i WHERE T2.b = 1 ORDER BY T1.c", "hard"),
        ("SELECT name FROM t WHERE a > (SELECT avg(a) FROM t)", "hard"),
        ("SELECT name FROM t EXCEPT SELECT name FROM s", "hard"),
        ("SELECT name, a FROM t EXCEPT SELECT name, a FROM s", "extra"),
        ("SELECT name FROM t WHERE a IN (SELECT a FROM s) AND b IN (SELECT b FROM s)", "extra"),
        ("SELECT T1.a FROM t AS T1 JOIN s AS T2 JOIN r AS T3 WHERE T1.b = 1 ORDER BY T1.c LIMIT 1", "extra"),
        ("SELECT max(a), min(a) FROM t WHERE b = 1 AND c = 2", "hard"),
    ],
)
def test_hardness_one_rule_each_gives_the_official_level(query: str, expected: str) -> None:
    assert hardness(query) == expected


def test_hardness_negated_conditions_count_as_aggregates_like_the_official_script() -> None:
    plain = "SELECT a FROM t WHERE b IN (1) AND c IN (2) GROUP BY a"
    assert (hardness(plain), hardness(plain.replace(" IN", " NOT IN"))) == ("medium", "extra")


def test_hardness_subquery_in_from_is_a_table_not_a_nested_query() -> None:
    assert hardness("SELECT a FROM (SELECT a, b FROM t WHERE b = 1)") == "easy"


def test_hardness_spelling_does_not_matter() -> None:
    assert hardness('select "a" from [t] x, s where x.b <> 1') == hardness("SELECT a FROM t AS x JOIN s WHERE x.b != 1")


@pytest.mark.parametrize("text", ["", "SELECT FROM WHERE", "DROP TABLE t", "SELECT 1; SELECT 2", "hello there"])
def test_hardness_not_one_select_raises(text: str) -> None:
    with pytest.raises(ScoringError):
        hardness(text)


def test_hardness_spider_dev_has_the_published_counts(spider_directory: Path) -> None:
    items = json.loads((spider_directory / "dev.json").read_text(encoding="utf-8"))
    counts = Counter(hardness(item["query"]) for item in items)
    assert [counts[level] for level in LEVELS["hardness"].levels] == [248, 446, 174, 166]
