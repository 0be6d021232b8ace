"""Error classes: one prediction each, SQLite's own messages, and every near neighbour of Spider's gold."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.errors import EmptySample, ScoringError
from paretune.sql.database import SchemaNames, read_names
from paretune.sql.explain import ErrorClass, classify, compare_errors, count_errors
from paretune.sql.levels import LEVELS
from paretune.sql.records import SqlOutcome, SqlVerdict
from paretune.sql.spider_metrics import exact_set_match, hardness
from paretune.sql.suite.neighbours import neighbours
from paretune.text import Voice
from paretune.text.sql import recognised

SCRIPT = """
CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INT, country TEXT);
CREATE TABLE concert (concert_id INTEGER PRIMARY KEY, singer_id INT REFERENCES singer(id), year INT, theme TEXT);
CREATE TABLE stadium (stadium_id INTEGER PRIMARY KEY, name TEXT, capacity INT);
"""
SCHEMA = SchemaNames(
    {
        "singer": ("id", "name", "age", "country"),
        "concert": ("concert_id", "singer_id", "year", "theme"),
        "stadium": ("stadium_id", "name", "capacity"),
    },
    (("concert.singer_id", "singer.id"),),
)
JOIN = "FROM singer AS T1 JOIN concert AS T2 ON T1.id = T2.singer_id"


@pytest.mark.parametrize(
    ("predicted", "gold", "error_class", "words"),
    [
        ("", "SELECT name FROM singer", "no_statement", "no SQL statement"),
        ("SELECT name FROM stadium", "SELECT name FROM singer", "wrong_table", "Read singer instead of stadium"),
        ("SELECT name FROM singer", f"SELECT T1.name {JOIN}", "missing_join", "Join concert"),
        (f"SELECT T1.name {JOIN}", "SELECT name FROM singer", "needless_join", "Leave out concert"),
        (
            f"SELECT T1.name {JOIN.replace('singer_id', 'concert_id')}",
            f"SELECT T1.name {JOIN}",
            "wrong_join_key",
            "Join on concert.singer_id = singer.id instead of concert.concert_id = singer.id",
        ),
        ("SELECT T1.name FROM singer T1, concert T2", f"SELECT T1.name {JOIN}", "wrong_join_key", "Add the join"),
        (f"SELECT T1.name {JOIN.replace('JOIN', 'LEFT JOIN')}", f"SELECT T1.name {JOIN}", "wrong_join_key", "LEFT"),
        ("SELECT max(age) FROM singer", "SELECT avg(age) FROM singer", "wrong_aggregate", "Select avg(singer.age)"),
        ("SELECT age FROM singer", "SELECT max(age) FROM singer", "wrong_aggregate", "Select max(singer.age)"),
        ("SELECT name FROM singer", "SELECT name, age FROM singer", "missing_columns", "Select singer.age too"),
        ("SELECT name, age FROM singer", "SELECT name FROM singer", "extra_columns", "Do not select singer.age"),
        ("SELECT country FROM singer", "SELECT name FROM singer", "wrong_columns", "singer.name instead of"),
        (
            "SELECT count(*) FROM singer GROUP BY age",
            "SELECT count(*) FROM singer GROUP BY country",
            "wrong_grouping",
            "Group by singer.country instead of singer.age",
        ),
        ("SELECT count(*) FROM singer", "SELECT count(*) FROM singer GROUP BY age", "wrong_grouping", "Group by"),
        ("SELECT name FROM singer", "SELECT name FROM singer WHERE age > 3", "missing_filter", "singer.age > 3"),
        ("SELECT name FROM singer WHERE age > 3", "SELECT name FROM singer", "needless_filter", "singer.age > 3"),
        (
            "SELECT name FROM singer WHERE age > 3",
            "SELECT name FROM singer WHERE age >= 3",
            "wrong_filter",
            "Filter by singer.age >= 3 instead of singer.age > 3",
        ),
        (
            "SELECT name FROM singer WHERE age = 3 OR id = 1",
            "SELECT name FROM singer WHERE age = 3 AND id = 1",
            "wrong_filter",
            "with AND, not OR",
        ),
        (
            "SELECT name FROM singer WHERE country = 'brazil'",
            'SELECT name FROM singer WHERE country = "Brazil"',
            "wrong_literal",
            "(letter case)",
        ),
        (
            "SELECT name FROM singer WHERE country = 'Brasil'",
            "SELECT name FROM singer WHERE country = 'Brazil'",
            "wrong_literal",
            "(spelling)",
        ),
        (
            "SELECT name FROM singer WHERE country LIKE 'B%'",
            "SELECT name FROM singer WHERE country LIKE '%B%'",
            "wrong_literal",
            "wildcard",
        ),
        ("SELECT name FROM singer", "SELECT DISTINCT name FROM singer", "distinct", "Select DISTINCT rows"),
        ("SELECT count(age) FROM singer", "SELECT count(DISTINCT age) FROM singer", "distinct", "count(singer.age)"),
        (
            "SELECT name FROM singer ORDER BY age",
            "SELECT name FROM singer ORDER BY age DESC",
            "wrong_order",
            "age desc",
        ),
        (
            "SELECT name FROM singer ORDER BY age LIMIT 3",
            "SELECT name FROM singer ORDER BY age LIMIT 1",
            "wrong_limit",
            "Use LIMIT 1 instead of LIMIT 3",
        ),
        (
            "SELECT name FROM singer UNION SELECT theme FROM concert",
            "SELECT name FROM singer EXCEPT SELECT theme FROM concert",
            "set_operation",
            "Use EXCEPT instead of UNION",
        ),
        (
            "SELECT name FROM singer WHERE id IN (SELECT singer_id FROM concert WHERE year = 2014)",
            "SELECT name FROM singer WHERE id IN (SELECT singer_id FROM concert WHERE year = 2015)",
            "wrong_literal",
            "in the subquery of singer.id",
        ),
        ('SELECT "nme" FROM singer', "SELECT name FROM singer", "unknown_column", "takes it for text"),
        ("SELECT name FROM singer", "SELECT name FROM singer", "other", "No clause tells them apart"),
        ("SELECT name FROM singer", "nonsense", "other", "cannot be compared"),
    ],
)
def test_classify_one_fault_is_named(predicted: str, gold: str, error_class: str, words: str) -> None:
    report = classify(predicted, gold, SCHEMA, None)
    assert report.error_class == error_class
    assert words in report.explanation
    assert report.explanation.count("\n") == 0
    assert Voice("pt-BR").say(report.phrase) != report.explanation
    assert str(recognised(report.explanation)) == report.explanation


@pytest.mark.parametrize(
    ("predicted", "error_class", "words"),
    [
        ("SELECT name FROM singers", "unknown_table", "no table singers; did you mean singer?"),
        ("SELECT nam FROM singer", "unknown_column", "did you mean singer.name?"),
        ("SELECT T1.year FROM singer AS T1", "unknown_column", "Singer has no column year; it is in concert"),
        ("SELECT theme FROM singer", "unknown_column", "it is in concert"),
        ("SELECT name FROM singer, stadium", "ambiguous_column", "several of the tables"),
        ("SELECT YEAR(name) FROM singer", "unknown_function", "no function YEAR"),
        ("SELECT name FROM singer WHERE count(*) > 1", "wrong_aggregate", "HAVING"),
        ("SELECT name FROM singer UNION SELECT id, name FROM singer", "set_operation", "numbers of columns"),
        ("SELECT name FROM singer WHERE id IN (SELECT id, name FROM singer)", "wrong_columns", "exactly one column"),
        ("SELECT name FROM", "syntax", "breaks off"),
        ("SELECT name singer FROM FROM", "syntax", "'FROM'"),
        ("SELECT name FROM singer WHERE name = 'x", "syntax", "unclosed quote"),
        ("SELECT name FROM singer ORDER BY id UNION SELECT name FROM stadium", "syntax", "end of the whole"),
    ],
)
def test_classify_sqlites_own_message_is_explained(predicted: str, error_class: str, words: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCRIPT)
        with pytest.raises(sqlite3.Error) as raised:
            connection.execute(predicted)
    report = classify(predicted, "SELECT name FROM singer", SCHEMA, str(raised.value))
    assert report.error_class == error_class, raised.value
    assert words in report.explanation
    assert Voice("pt-BR").say(report.phrase) != report.explanation
    assert str(recognised(report.explanation)) == report.explanation


def test_classify_several_faults_names_the_gravest_and_lists_the_rest() -> None:
    report = classify("SELECT age FROM stadium", "SELECT name FROM singer ORDER BY age LIMIT 1", SCHEMA, None)
    assert report.error_class == ErrorClass.UNKNOWN_COLUMN
    assert ErrorClass.WRONG_TABLE in report.also
    assert ErrorClass.WRONG_LIMIT in report.also


def test_classify_message_that_says_nothing_falls_back_to_the_clauses() -> None:
    report = classify("SELECT age FROM singer", "SELECT name FROM singer", SCHEMA, "interrupted")
    assert report.error_class == ErrorClass.WRONG_COLUMNS


@given(st.text(max_size=60), st.text(max_size=60), st.none() | st.text(max_size=40))
def test_classify_any_text_gets_a_class(predicted: str, gold: str, message: str | None) -> None:
    assert classify(predicted, gold, SCHEMA, message).error_class in ErrorClass


_WORDS = [
    "SELECT",
    "DISTINCT",
    "name",
    "age",
    "count(*)",
    "max(age)",
    "FROM",
    "singer",
    "concert",
    "AS",
    "T1",
    "JOIN",
    "LEFT",
    "ON",
    "T1.id",
    "=",
    "singer_id",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "(",
    ")",
    ",",
    "*",
    ".",
    ";",
    "EXISTS",
    "LIKE",
    "BETWEEN",
    "1",
    "'x'",
    '"',
    "`",
    "[",
    "CASE",
    "WHEN",
    "END",
    "OVER",
    "IS",
    "NULL",
    "GROUP",
    "BY",
    "HAVING",
    "ORDER",
    "DESC",
    "LIMIT",
    "UNION",
    "ALL",
    "EXCEPT",
    "WITH",
    "VALUES",
    "CAST",
    "--",
    "/*",
    "NATURAL",
    "USING",
    "||",
]


@given(st.lists(st.sampled_from(_WORDS), max_size=25), st.lists(st.sampled_from(_WORDS), max_size=25))
def test_classify_any_soup_of_sql_words_gets_a_class(first: list[str], second: list[str]) -> None:
    predicted, gold = "SELECT name FROM singer " + " ".join(first), "SELECT age FROM singer " + " ".join(second)
    assert classify(predicted, gold, SCHEMA, None).error_class in ErrorClass
    for query in (predicted, gold):
        with contextlib.suppress(ScoringError):
            assert hardness(query) in LEVELS["hardness"].levels
            assert exact_set_match(query, query, SCHEMA) in {True, False}


_EXPECTED = {
    "distinct": {"distinct"},
    "order": {"wrong_order"},
    "limit": {"wrong_limit"},
    "literal": {"wrong_literal"},
    "selection": {"missing_columns"},
    "join": {"wrong_join_key"},
    "set_operation": {"set_operation"},
    "aggregate": {"wrong_aggregate", "wrong_order"},
    "condition": {"missing_filter", "wrong_join_key"},
    "operator": {"wrong_filter", "wrong_join_key"},
    "connector": {"wrong_filter", "wrong_join_key"},
    "grouping": {"wrong_grouping"},
    "column": {"wrong_columns", "wrong_filter", "wrong_grouping", "wrong_order", "distinct"},
}


def test_classify_every_neighbour_of_spiders_gold_gets_the_class_of_its_edit(spider_directory: Path) -> None:
    items = json.loads((spider_directory / "dev.json").read_text(encoding="utf-8"))
    surprises: Counter[tuple[str, str]] = Counter()
    for db_id in ("concert_singer", "pets_1", "flight_2", "employee_hire_evaluation"):
        database = spider_directory / "database" / db_id / f"{db_id}.sqlite"
        schema = read_names(database, spider_directory / "tables.json")
        for gold in {item["query"] for item in items if item["db_id"] == db_id}:
            for neighbour in neighbours(gold, schema):
                found = classify(neighbour.sql, gold, schema, None).error_class
                if found not in _EXPECTED[neighbour.kind]:
                    surprises[neighbour.kind, found] += 1
    assert surprises == {}


def _verdict(index: int, outcome: SqlOutcome, error_class: str | None) -> SqlVerdict:
    return SqlVerdict(
        index=index,
        db_id="d",
        question="",
        text="",
        sql="",
        gold="",
        outcome=outcome,
        execution_match=outcome == SqlOutcome.CORRECT,
        test_suite_match=None,
        exact_set_match=None,
        hardness="easy",
        both_empty=False,
        error_class=error_class,
        error=None,
        seconds=0.0,
    )


BASE = [
    _verdict(0, SqlOutcome.WRONG, "missing_join"),
    _verdict(1, SqlOutcome.INVALID_SQL, "unknown_column"),
    _verdict(2, SqlOutcome.CORRECT, None),
    _verdict(3, SqlOutcome.GOLD_FAILED, None),
]
TUNED = [
    _verdict(0, SqlOutcome.CORRECT, None),
    _verdict(1, SqlOutcome.INVALID_SQL, "unknown_column"),
    _verdict(2, SqlOutcome.WRONG, None),
    _verdict(3, SqlOutcome.GOLD_FAILED, None),
]


def test_count_errors_tables_have_a_row_a_class_and_a_column_a_variant() -> None:
    assert count_errors({"baseline": BASE, "run-1": TUNED}) == {
        "unknown_column": {"baseline": 1, "run-1": 1},
        "missing_join": {"baseline": 1, "run-1": 0},
        "unclassified": {"baseline": 0, "run-1": 1},
    }


def test_compare_errors_pairs_by_question() -> None:
    assert compare_errors(BASE, TUNED[::-1]) == {
        ("missing_join", "correct"): 1,
        ("unknown_column", "unknown_column"): 1,
        ("correct", "unclassified"): 1,
    }


def test_count_errors_nothing_to_count_raises() -> None:
    with pytest.raises(EmptySample):
        count_errors({"baseline": BASE[3:]})
    with pytest.raises(ScoringError, match="different questions"):
        compare_errors(BASE, TUNED[:2])
