"""Exact set match: each rule of the official definition by a pair of queries, and Spider's gold against itself."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from paretune.errors import DataError, ScoringError
from paretune.sql.database import SchemaNames, read_names
from paretune.sql.spider_metrics import exact_set_match

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
    ("predicted", "gold"),
    [
        ("SELECT age, name FROM singer", "SELECT name, age FROM singer"),
        ("SELECT name FROM singer WHERE age > 3", "SELECT name FROM singer WHERE age > 40"),
        ("SELECT name FROM singer WHERE age = id", "SELECT name FROM singer WHERE age = 40"),
        ("SELECT DISTINCT name FROM singer", "SELECT name FROM singer"),
        ("SELECT count(DISTINCT name) FROM singer", "SELECT count(name) FROM singer"),
        ("SELECT name FROM singer WHERE age = 1 AND id = 2", "SELECT name FROM singer WHERE id = 3 AND age = 4"),
        ("SELECT name FROM singer ORDER BY age LIMIT 3", "SELECT name FROM singer ORDER BY age ASC LIMIT 1"),
        ("SELECT a.name FROM concert b, singer a", f"SELECT T1.name {JOIN}"),
        (f"SELECT T1.id {JOIN}", f"SELECT T2.singer_id {JOIN}"),
        ("SELECT x.name FROM singer x WHERE x.age <> 1", "SELECT T1.name FROM singer AS T1 WHERE T1.age != 1"),
        ("SELECT count(*) AS n FROM singer ORDER BY n", "SELECT count(*) FROM singer ORDER BY count(*)"),
        ("SELECT name FROM singer WHERE country IS NULL", "SELECT T1.name FROM singer T1 WHERE T1.country IS NULL"),
        ('SELECT name FROM singer WHERE country = "Brazil"', "SELECT name FROM singer WHERE country = 'Peru'"),
        ("SELECT n FROM (SELECT name AS n FROM singer) x", "SELECT n FROM (SELECT name AS n FROM singer)"),
        ("SELECT name FROM singer HAVING count(*) > 1", "SELECT name FROM singer HAVING max(age) < 3"),
    ],
)
def test_exact_set_match_what_the_rule_ignores_still_matches(predicted: str, gold: str) -> None:
    assert exact_set_match(predicted, gold, SCHEMA)


@pytest.mark.parametrize(
    ("predicted", "gold"),
    [
        ("SELECT name FROM singer", "SELECT name, age FROM singer"),
        ("SELECT name FROM stadium", "SELECT name FROM singer"),
        ("SELECT max(age) FROM singer", "SELECT min(age) FROM singer"),
        ("SELECT name FROM singer WHERE age >= 3", "SELECT name FROM singer WHERE age > 3"),
        ("SELECT name FROM singer WHERE age = 1 OR id = 2", "SELECT name FROM singer WHERE age = 1 AND id = 2"),
        ("SELECT name FROM singer WHERE NOT age = 1", "SELECT name FROM singer WHERE age = 1"),
        ("SELECT name FROM singer ORDER BY age", "SELECT name FROM singer ORDER BY age DESC"),
        ("SELECT name FROM singer ORDER BY age", "SELECT name FROM singer ORDER BY age LIMIT 1"),
        ("SELECT name FROM singer GROUP BY age, id", "SELECT name FROM singer GROUP BY id, age"),
        (f"SELECT T1.name {JOIN}", "SELECT name FROM singer"),
        ("SELECT name FROM singer UNION SELECT theme FROM concert", "SELECT name FROM singer"),
        (
            "SELECT name FROM singer UNION SELECT theme FROM concert",
            "SELECT name FROM singer INTERSECT SELECT theme FROM concert",
        ),
        (
            "SELECT name FROM singer WHERE id IN (SELECT DISTINCT singer_id FROM concert)",
            "SELECT name FROM singer WHERE id IN (SELECT singer_id FROM concert)",
        ),
        ("SELECT name FROM singer WHERE age IS NULL", "SELECT name FROM singer WHERE age IS NOT NULL"),
        ("SELECT T1.name " + JOIN.replace("JOIN", "LEFT JOIN"), f"SELECT T1.name {JOIN}"),
        ("SELECT name FROM singer GROUP BY id HAVING count(*) > 1", "SELECT name FROM singer GROUP BY id"),
        ("SELECT lower(name) FROM singer", "SELECT upper(name) FROM singer"),
        ("SELECT nme FROM singer", "SELECT name FROM singer"),
        ("SELECT name FROM singer WHERE (age = 1 OR id = 2) AND id = 3", "SELECT name FROM singer WHERE age = 1"),
        (
            "SELECT id FROM (SELECT id FROM singer WHERE age = 1)",
            "SELECT id FROM (SELECT id FROM singer WHERE age = 2)",
        ),
        (f"SELECT T1.name {JOIN.replace('T1.id', 'T1.number')}", f"SELECT T1.name {JOIN}"),
        ("SELECT name FROM singer WHERE age > nothing", "SELECT name FROM singer WHERE age > 3"),
        ("not sql", "SELECT name FROM singer"),
        ("", "SELECT name FROM singer"),
    ],
)
def test_exact_set_match_what_the_rule_compares_does_not_match(predicted: str, gold: str) -> None:
    assert not exact_set_match(predicted, gold, SCHEMA)


def test_exact_set_match_parentheses_that_regroup_are_told_apart() -> None:
    grouped = "SELECT name FROM singer WHERE (age = 1 OR id = 2) AND country = 'x'"
    plain = "SELECT name FROM singer WHERE age = 1 OR id = 2 AND country = 'x'"
    assert exact_set_match(grouped, grouped.replace("1", "7"), SCHEMA)
    assert not exact_set_match(grouped, plain, SCHEMA)


def test_exact_set_match_reused_alias_is_read_in_its_own_part() -> None:
    gold = "SELECT T1.name FROM singer AS T1 EXCEPT SELECT T1.name FROM stadium AS T1"
    assert exact_set_match("SELECT name FROM singer EXCEPT SELECT name FROM stadium", gold, SCHEMA)
    assert not exact_set_match("SELECT name FROM stadium EXCEPT SELECT name FROM stadium", gold, SCHEMA)


def test_exact_set_match_unreadable_gold_raises() -> None:
    with pytest.raises(ScoringError):
        exact_set_match("SELECT 1", "not sql", SCHEMA)


def test_representatives_classes_are_not_merged_like_the_official_script() -> None:
    schema = SchemaNames({"t": ("a", "b", "c", "d")}, (("t.a", "t.b"), ("t.c", "t.d"), ("t.b", "t.c")))
    assert schema.representatives() == {"t.a": "t.a", "t.b": "t.a", "t.c": "t.c", "t.d": "t.c"}


def test_read_schema_names_and_keys_are_lower_case(tmp_path: Path) -> None:
    database = tmp_path / "d.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE Parent (Id INTEGER PRIMARY KEY, Name TEXT)")
        connection.execute("CREATE TABLE Child (X INT, Parent_Id INT REFERENCES Parent)")
    connection.close()
    schema = read_names(database)
    assert schema.tables == {"parent": ("id", "name"), "child": ("x", "parent_id")}
    assert schema.foreign_keys == (("child.parent_id", "parent.id"),)
    assert schema.joined("parent", "child") == [("id", "parent_id")]


def test_read_schema_missing_file_raises_and_creates_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such"):
        read_names(tmp_path / "absent.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_read_schema_corrupt_file_raises(tmp_path: Path) -> None:
    (tmp_path / "d.sqlite").write_bytes(b"not a database" * 200)
    with pytest.raises(DataError, match="not a SQLite 3 database"):
        read_names(tmp_path / "d.sqlite")


def test_read_schema_broken_tables_file_raises(tmp_path: Path, spider_directory: Path) -> None:
    (tmp_path / "tables.json").write_text("[{}]", encoding="utf-8")
    database = spider_directory / "database" / "concert_singer" / "concert_singer.sqlite"
    with pytest.raises(DataError):
        read_names(database, tmp_path / "tables.json")


def test_exact_set_match_spider_dev_gold_matches_itself(spider_directory: Path) -> None:
    items = json.loads((spider_directory / "dev.json").read_text(encoding="utf-8"))
    schemas = {
        db_id: read_names(spider_directory / "database" / db_id / f"{db_id}.sqlite", spider_directory / "tables.json")
        for db_id in {item["db_id"] for item in items}
    }
    matched = [exact_set_match(item["query"], item["query"], schemas[item["db_id"]]) for item in items]
    assert (sum(matched), len(matched)) == (1034, 1034)
