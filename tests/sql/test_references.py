from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from paretune.sql.execute import ExecutionLimits
from paretune.sql.references import doubt_reference, doubt_references

LIMITS = ExecutionLimits(seconds=5.0)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE item (name TEXT, price REAL)")
        connection.executemany("INSERT INTO item VALUES (?, ?)", [("a", 1.1), ("b", 2.2), ("c", 2.2), ("d", 1e16)])
        connection.commit()
    return path


@pytest.mark.parametrize(
    ("query", "problem", "message"),
    [
        ("SELECT cost FROM item", "fails", "invalid sql: no such column: cost"),
        ("SELEC 1", "fails", "invalid sql"),
        ("DROP TABLE item", "fails", "only reading is allowed"),
        ("SELECT 1; SELECT 2", "fails", "invalid sql"),
        ("VALUES (1)", "unreadable", "not a SELECT statement"),
        ("SELECT random()", "not deterministic", "two runs differ"),
        ("SELECT name FROM item ORDER BY random() LIMIT 1", "not deterministic", ""),
        ("SELECT random() IS NULL", "not deterministic", "it reads chance"),  # the same each time, and yet
        ("SELECT name FROM item ORDER BY price LIMIT 2", "not deterministic", "the order in which rows are stored"),
        ("SELECT name FROM item LIMIT 1", "not deterministic", "the order in which rows are stored"),
        ("SELECT name, price FROM item ORDER BY price", "order of ties", "sorted rows tie"),
        ("SELECT name, max(price < 3) FROM item GROUP BY price > 3", "not deterministic", "the order in which rows"),
        ("SELECT name FROM item WHERE price < 0", "empty", "returns nothing"),
        ("SELECT max(price) FROM item WHERE price < 0", "empty", "returns nothing"),
    ],
)
def test_doubt_is_named(database: Path, query: str, problem: str, message: str) -> None:
    doubt = doubt_reference(database, query, LIMITS)
    assert doubt is not None
    assert doubt.problem == problem
    assert message in doubt.message


@pytest.mark.parametrize(
    "query",
    [
        "SELECT name FROM item",
        "SELECT DISTINCT price FROM item ORDER BY price LIMIT 2",
        "SELECT name FROM item ORDER BY price, name",
        "SELECT sum(price) FROM item",  # adds in another order the other way round: the last digits may differ
        "SELECT a.name FROM item AS a JOIN item b ON a.price = b.price AND a.name < b.name",
        "WITH item AS (SELECT 1 AS name) SELECT name FROM item LIMIT 1",  # not the table of that name
        "SELECT value FROM json_each('[1]'), item WHERE name = 'a'",
        "WITH dear AS (SELECT * FROM item WHERE price > 2) SELECT count(*) FROM dear",
    ],
)
def test_doubt_none_where_a_query_is_sure(database: Path, query: str) -> None:
    assert doubt_reference(database, query, LIMITS) is None


def test_doubt_timeout_is_a_failure(database: Path) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    doubt = doubt_reference(database, endless, ExecutionLimits(seconds=0.1))
    assert doubt is not None
    assert doubt.problem == "fails"
    assert doubt.message.startswith("timeout")


def test_doubts_keep_the_order_and_run_equal_references_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = doubt_reference

    def counted(path: Path, query: str, limits: ExecutionLimits) -> object:
        asked.append(query)
        return original(path, query, limits)

    monkeypatch.setattr("paretune.sql.references.doubt_reference", counted)
    queries = ["SELECT name FROM item", "SELECT cost FROM item", "SELECT name FROM item"]
    doubts = doubt_references([(database, query) for query in queries], LIMITS, lambda _: None)
    assert [doubt is None for doubt in doubts] == [True, False, True]
    assert asked == queries[:2]
