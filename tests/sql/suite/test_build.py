"""Built test suites: keys and types hold, neighbours are told apart, and a lucky prediction is found out."""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from paretune.cli import suite as command
from paretune.errors import ConfigError, DataError, EmptySample
from paretune.sql.database import SchemaNames
from paretune.sql.records import SqlPrediction
from paretune.sql.score import ScoreSettings, score_predictions
from paretune.sql.suite.build import build_test_suite, read_gold_queries
from paretune.sql.suite.neighbours import neighbours

GOLD = [
    "SELECT name FROM singer WHERE age > 30",
    "SELECT T1.name FROM singer AS T1 JOIN song AS T2 ON T1.singer_id = T2.singer_id WHERE T2.title LIKE '%love%'",
    "SELECT country, count(*) FROM singer GROUP BY country HAVING count(*) > 1",
    "SELECT name FROM singer WHERE singer_id NOT IN (SELECT singer_id FROM song)",
    "SELECT name FROM singer ORDER BY age DESC LIMIT 1",
]
SCRIPT = """
CREATE TABLE singer (singer_id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INT, country VARCHAR(3) DEFAULT 'x',
                     code TEXT UNIQUE, CHECK (age > 0));
CREATE TABLE song (song_id INT PRIMARY KEY, title TEXT, singer_id INTEGER NOT NULL REFERENCES singer(singer_id),
                   UNIQUE (title, singer_id));
CREATE TABLE friend (one INT, other INT, since DATE, FOREIGN KEY (one) REFERENCES singer, PRIMARY KEY (one, other));
CREATE INDEX by_age ON singer(age);
CREATE VIEW old AS SELECT * FROM singer WHERE age > 40;
INSERT INTO singer VALUES (1, 'Ann', 31, 'BR', 'a1'), (2, 'Bob', 45, NULL, 'b2');
INSERT INTO song VALUES (1, 'my love', 1), (2, 'rain', 1);
INSERT INTO friend VALUES (1, 2, '2019-02-03');
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "source" / "band.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCRIPT)
    return path


def _rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def test_build_test_suite_layout_is_the_official_one(database: Path, tmp_path: Path) -> None:
    report = build_test_suite(database, GOLD, tmp_path / "database", 3, seed=0)
    names = sorted(path.name for path in (tmp_path / "database" / "band").iterdir())
    assert names == ["band.sqlite", "band_v001.sqlite", "band_v002.sqlite", "band_v003.sqlite"]
    assert report.files[0].read_bytes() == database.read_bytes()


@pytest.mark.parametrize("seed", range(5))
def test_build_test_suite_rows_keep_types_and_keys(database: Path, tmp_path: Path, seed: int) -> None:
    report = build_test_suite(database, GOLD, tmp_path / "database", 2, seed=seed)
    for path in report.files[1:]:
        assert _rows(path, "PRAGMA foreign_key_check") == []
        assert _rows(path, "PRAGMA integrity_check") == [("ok",)]
        assert _rows(path, "SELECT count(*) FROM singer WHERE name IS NULL OR age IS NULL OR age <= 0") == [(0,)]
        assert _rows(path, "SELECT DISTINCT typeof(age), typeof(name) FROM singer") == [("integer", "text")]
        assert _rows(path, "SELECT count(*) > 2 FROM singer") == [(1,)]
        assert _rows(path, "SELECT count(*) > 0 FROM song") == [(1,)]
        assert _rows(path, "SELECT count(*) FROM old") == _rows(path, "SELECT count(*) FROM singer WHERE age > 40")


def test_build_test_suite_tells_more_neighbours_than_the_original(database: Path, tmp_path: Path) -> None:
    report = build_test_suite(database, GOLD, tmp_path / "database", 6, seed=1)
    total, before, after = (sum(kinds.values()) for kinds in (report.neighbours, report.before, report.after))
    assert before < 0.7 * total
    assert after > 0.85 * total
    assert report.after.keys() <= report.neighbours.keys()


def test_build_test_suite_same_seed_gives_the_same_bytes(database: Path, tmp_path: Path) -> None:
    digests = []
    for folder, seed in (("a", 7), ("b", 7), ("c", 8)):
        report = build_test_suite(database, GOLD, tmp_path / folder, 2, seed=seed)
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in report.files])
    assert digests[0] == digests[1]
    assert digests[0][1:] != digests[2][1:]


def test_build_test_suite_source_database_stays_as_it_was(database: Path, tmp_path: Path) -> None:
    before = database.read_bytes()
    build_test_suite(database, GOLD, tmp_path / "database", 1, seed=0)
    assert (database.read_bytes(), [path.name for path in database.parent.iterdir()]) == (before, ["band.sqlite"])


def test_build_test_suite_lucky_prediction_is_found_out(database: Path, tmp_path: Path) -> None:
    build_test_suite(database, GOLD, tmp_path / "database", 6, seed=0)
    lucky = SqlPrediction(0, "band", "?", GOLD[0], "SELECT name FROM singer WHERE age > 29")
    right = SqlPrediction(1, "band", "?", GOLD[0], "SELECT name FROM singer WHERE NOT age <= 30")
    verdicts = score_predictions([lucky, right], tmp_path / "database", ScoreSettings(workers=1))
    assert [(item.execution_match, item.test_suite_match) for item in verdicts] == [(True, False), (True, True)]


def test_build_test_suite_ties_are_counted(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE singer SET age = 31")
    report = build_test_suite(database, ["SELECT name FROM singer ORDER BY age LIMIT 1"], tmp_path / "d", 1, seed=0)
    assert report.ambiguous[0] == 1


def test_build_test_suite_gold_that_fails_is_named(database: Path, tmp_path: Path) -> None:
    report = build_test_suite(database, [*GOLD, "SELECT nothing FROM singer", "nonsense"], tmp_path / "d", 1, seed=0)
    assert report.failed == ("SELECT nothing FROM singer", "nonsense")
    with pytest.raises(EmptySample):
        build_test_suite(database, ["nonsense"], tmp_path / "e", 1, seed=0)


def test_build_test_suite_empty_tables_get_rows_of_the_declared_types(tmp_path: Path) -> None:
    path = tmp_path / "bare.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (a INTEGER, b REAL, c TEXT, d DATE)")
    report = build_test_suite(path, ["SELECT c FROM t WHERE a > 3"], tmp_path / "d", 1, seed=0)
    kinds = _rows(report.files[1], "SELECT DISTINCT typeof(a), typeof(b), typeof(c), typeof(d) FROM t")
    assert kinds == [("integer", "real", "text", "text")]


def test_build_test_suite_missing_database_or_foreign_folder_raises(database: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such"):
        build_test_suite(tmp_path / "absent.sqlite", GOLD, tmp_path / "d", 1, seed=0)
    (tmp_path / "d" / "band").mkdir(parents=True)
    (tmp_path / "d" / "band" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"notes\.txt"):
        build_test_suite(database, GOLD, tmp_path / "d", 1, seed=0)


def test_neighbours_are_single_edits_without_repetition() -> None:
    schema = SchemaNames({"singer": ("singer_id", "name", "age", "country")})
    query = "SELECT DISTINCT name, max(age) FROM singer WHERE age >= 3 AND country = 'BR' GROUP BY name, country"
    found = neighbours(query + " ORDER BY age LIMIT 2", schema)
    texts = [item.sql for item in found]
    assert len(texts) == len(set(texts))
    assert {item.kind for item in found} == {
        *("operator", "literal", "column", "aggregate", "condition", "connector"),
        *("distinct", "order", "limit", "grouping", "selection"),
    }
    assert any("age >= 4" in text for text in texts)
    assert any("'br'" in text for text in texts)


def test_read_gold_queries_missing_or_broken_split_raises(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_gold_queries(tmp_path)
    (tmp_path / "dev.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(DataError, match="expected a text under 'db_id'"):
        read_gold_queries(tmp_path)


def _arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_command_test_suite_spider_database_prints_what_is_told(
    spider_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "suite" / "database"
    words = ["--spider", str(spider_directory), "--out", str(out), "--databases", "1", "--db-id", "poker_player"]
    assert command.run(_arguments(*words)) == 0
    assert "poker_player" in capsys.readouterr().out
    assert (out / "poker_player" / "poker_player_v001.sqlite").is_file()
    assert (tmp_path / "suite" / "tables.json").is_file()


def test_command_test_suite_unknown_database_raises(spider_directory: Path, tmp_path: Path) -> None:
    words = ["--spider", str(spider_directory), "--out", str(tmp_path), "--db-id", "nowhere"]
    with pytest.raises(ConfigError, match="nowhere"):
        command.run(_arguments(*words))


def test_build_test_suite_query_over_a_function_that_is_a_table_loses_nothing(database: Path, tmp_path: Path) -> None:
    gold = [*GOLD, "SELECT s.name FROM singer s, json_each('[1,2]') j"]
    report = build_test_suite(database, gold, tmp_path / "database", 2, seed=0)
    assert len(report.files) == 3


def test_command_test_suite_beside_the_datas_own_databases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    with pytest.raises(ConfigError, match="holds the data's own databases; name another folder"):
        command._refuse_own_databases(tmp_path, tmp_path / "database")
