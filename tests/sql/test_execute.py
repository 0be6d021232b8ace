"""One query, one database: what is allowed, what is refused, what each limit does."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from paretune.sql.execute import ExecutionLimits, Status, execute

SMALL = ExecutionLimits(seconds=2.0, max_rows=1000, max_bytes=2**20)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a ?#%20b.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO t VALUES (1, 'ann'), (2, 'bob');"
        "INSERT INTO t VALUES (3, CAST(x'61ff62' AS TEXT)); CREATE VIEW v AS SELECT name FROM t;"
    )
    connection.close()
    return path


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM t WHERE id = 1",
        "WITH x AS (SELECT 'ann' AS a) SELECT a FROM x",
        "VALUES ('ann')",
        "SELECT name FROM v LIMIT 1;",
        "SELECT min(name) FROM t",
        "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 3) SELECT 'ann' FROM x WHERE n = 3",
        "SELECT value FROM json_each('[\"ann\"]')",
    ],
)
def test_execute_reading_statement_returns_rows(database: Path, sql: str) -> None:
    ran = execute(database, sql, SMALL)
    assert (ran.status, ran.rows, ran.columns) == ("ok", [("ann",)], 1)


def test_execute_undecodable_bytes_are_ignored(database: Path) -> None:
    assert execute(database, "SELECT name FROM t WHERE id = 3", SMALL).rows == [("ab",)]


def test_execute_year_of_curdate_is_2020(database: Path) -> None:
    assert execute(database, "SELECT YEAR(CURDATE()) - 1", SMALL).rows == [(2019,)]


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ("DROP TABLE t", "not_a_query"),
        ("CREATE TEMP TABLE x (a)", "not_a_query"),
        ("CREATE VIRTUAL TABLE x USING fts5(a)", "not_a_query"),
        ("PRAGMA table_info(t)", "not_a_query"),
        ("PRAGMA writable_schema = 1", "not_a_query"),
        ("SELECT load_extension('x')", "not_a_query"),
        ("BEGIN", "not_a_query"),
        ("VACUUM", "not_a_query"),
        ("", "not_a_query"),
        ("SELECT nought FROM t", "invalid_sql"),
        ("SELECT 1; SELECT 2", "invalid_sql"),
        ("SELECT ?", "invalid_sql"),
        ("SELECT '\0'", "invalid_sql"),
        ("SELECT '\ud800'", "invalid_sql"),
        ("SELECT name FROM t WHERE", "invalid_sql"),
        ("SELECT a.id FROM t a, t b, t c, t d, t e, t f, t g, t h", "too_large"),
        ("SELECT zeroblob(1073741824)", "too_large"),
        ("SELECT group_concat(a.name || printf('%100000d', 1)) FROM t a, t b, t c", "too_large"),
        ("WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x) SELECT max(n) FROM x", "timeout"),
    ],
)
def test_execute_anything_else_has_its_status(database: Path, sql: str, status: Status) -> None:
    ran = execute(database, sql, SMALL)
    assert ran.status == status
    assert ran.rows == []
    assert ran.error


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("DELETE FROM t", "DELETE"),
        ("DROP TABLE t", "DELETE sqlite_master"),
        ("CREATE TEMP TABLE x (a)", "INSERT sqlite_temp_master"),
        ("SELECT load_extension('x')", "load_extension"),
    ],
)
def test_execute_refusal_names_what_was_refused(database: Path, sql: str, named: str) -> None:
    assert execute(database, sql, SMALL).error == f"only reading is allowed; refused: {named}"


def test_execute_full_text_search_is_read_but_not_written(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    connection = sqlite3.connect(path)
    try:
        connection.executescript(
            "CREATE VIRTUAL TABLE d USING fts5(body); INSERT INTO d VALUES ('hello world'), ('bye');"
        )
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no FTS5")
    finally:
        connection.close()
    before = path.read_bytes()
    assert execute(path, "SELECT body FROM d WHERE d MATCH 'hello'", SMALL).rows == [("hello world",)]
    for sql in ("DELETE FROM d", "INSERT INTO d(d) VALUES ('optimize')", "INSERT INTO d VALUES ('x')", "DROP TABLE d",
                "DELETE FROM d_content", "PRAGMA table_info(d)", "SELECT * FROM pragma_data_version"):  # fmt: skip
        assert execute(path, sql, SMALL).status == "not_a_query"
    assert path.read_bytes() == before


def test_execute_byte_cap_counts_the_whole_result(database: Path) -> None:
    wide = "SELECT printf('%100000d', id) FROM (SELECT a.id FROM t a, t b, t c)"
    assert execute(database, wide, SMALL).status == "too_large"
    assert execute(database, wide, ExecutionLimits(2.0, 1000, 2**23)).status == "ok"


def test_execute_row_cap_at_the_cap_is_whole(database: Path) -> None:
    sql = "SELECT 1 FROM t a, t b"
    assert len(execute(database, sql, ExecutionLimits(2.0, 9)).rows) == 9
    assert execute(database, sql, ExecutionLimits(2.0, 8)).status == "too_large"


@pytest.mark.parametrize("content", [None, b"", b"<html>not found</html>" * 100])
def test_execute_file_that_is_no_database_says_so_and_makes_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.sqlite"
    if content is not None:
        path.write_bytes(content)
    ran = execute(path, "SELECT 1", SMALL)
    assert (ran.status, ran.rows) == ("broken_database", [])
    assert str(path) in (ran.error or "")
    assert path.exists() == (content is not None)
