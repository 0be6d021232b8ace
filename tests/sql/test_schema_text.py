from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from paretune.errors import DataError
from paretune.sql.database import (
    ForeignKey,
    SchemaStyle,
    name_in_query,
    open_read_only,
    read_schema,
    schema_text,
)

STATEMENTS = (
    """CREATE TABLE "singer" (
        id INTEGER PRIMARY KEY,
        name  TEXT)""",
    'CREATE TABLE concert ("the ""year""" INTEGER, singer_id INTEGER, photo BLOB,'
    '   PRIMARY KEY (singer_id, "the ""year"""), FOREIGN KEY (singer_id) REFERENCES singer(id))',
    "CREATE VIEW old AS SELECT * FROM concert",
    "CREATE INDEX by_name ON singer(name)",
    "INSERT INTO singer VALUES (3, 'O''Hara'), (1, 'Ann'), (2, NULL), (4, 'Ann')",
    "INSERT INTO concert VALUES (2014, 3, x'00ff')",
)


def database(folder: Path, statements: Sequence[str] = STATEMENTS) -> Path:
    path = folder / "a.sqlite"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def test_schema_is_read_with_keys_in_order_of_creation(tmp_path: Path) -> None:
    singer, concert = read_schema(database(tmp_path)).tables
    assert (singer.name, singer.columns, singer.types) == ("singer", ("id", "name"), ("INTEGER", "TEXT"))
    assert singer.primary_key == ("id",)
    assert concert.columns == ('the "year"', "singer_id", "photo")
    assert concert.primary_key == ("singer_id", 'the "year"')
    assert concert.foreign_keys == (ForeignKey("singer_id", "singer", "id"),)


def test_create_table_text_is_the_statements_on_one_line_each(tmp_path: Path) -> None:
    assert schema_text(database(tmp_path), "create_table", 0).splitlines() == [
        'CREATE TABLE "singer" ( id INTEGER PRIMARY KEY, name TEXT);',
        'CREATE TABLE concert ("the ""year""" INTEGER, singer_id INTEGER, photo BLOB, PRIMARY KEY (singer_id, '
        '"the ""year"""), FOREIGN KEY (singer_id) REFERENCES singer(id));',
        "CREATE VIEW old AS SELECT * FROM concert;",
        '-- old("the ""year""", singer_id, photo)',
    ]


def test_create_table_text_builds_the_same_schema_again(tmp_path: Path) -> None:
    hard = (
        """CREATE TABLE t (
            a INTEGER, -- the first, "unclosed
            b TEXT DEFAULT 'two  spaces -- kept', /* a
            comment */ "c  d" TEXT, [e  f] TEXT, `g  h` TEXT
        )""",
        *STATEMENTS,
    )
    path = database(tmp_path, hard)
    text = schema_text(path, "create_table", 2)
    again = tmp_path / "again.sqlite"
    with sqlite3.connect(again) as connection:
        connection.executescript(text)
    first, second = read_schema(path).tables, read_schema(again).tables
    assert [(t.name, t.columns, t.types, t.primary_key, t.foreign_keys) for t in first] == [
        (t.name, t.columns, t.types, t.primary_key, t.foreign_keys) for t in second
    ]
    assert "c  d" in first[0].columns
    assert "'two  spaces -- kept'" in text


def test_compact_text_has_one_line_a_table_with_keys(tmp_path: Path) -> None:
    assert schema_text(database(tmp_path), "compact", 0).splitlines() == [
        "singer(id*, name)",
        'concert("the ""year"""*, singer_id*, photo) singer_id -> singer.id',
        'view old("the ""year""", singer_id, photo)',
    ]


def test_compact_text_names_the_primary_key_that_a_reference_means(tmp_path: Path) -> None:
    path = database(
        tmp_path,
        [
            "CREATE TABLE singer (id INTEGER PRIMARY KEY)",
            "CREATE TABLE pair (x TEXT, y TEXT, PRIMARY KEY (y, x))",
            "CREATE TABLE song (singer_id INTEGER REFERENCES SINGER, a TEXT, b TEXT, lost REFERENCES nowhere, "
            "FOREIGN KEY (a, b) REFERENCES pair)",
        ],
    )
    keys = {key.column: (key.target_table, key.target_column) for key in read_schema(path).tables[2].foreign_keys}
    assert keys == {"singer_id": ("SINGER", "id"), "a": ("pair", "y"), "b": ("pair", "x"), "lost": ("nowhere", "lost")}


def test_sample_values_are_distinct_in_storage_order_and_quoted(tmp_path: Path) -> None:
    path = database(tmp_path)
    assert schema_text(path, "compact", 2).splitlines() == [
        "singer(id* [1, 2], name ['Ann', 'O''Hara'])",
        'concert("the ""year"""* [2014], singer_id* [3], photo [(binary)]) singer_id -> singer.id',
        'view old("the ""year""", singer_id, photo)',
    ]
    lines = schema_text(path, "create_table", 1).splitlines()
    assert "-- singer.name: 'Ann'" in lines
    assert '-- concert."the ""year""": 2014' in lines
    assert "-- concert.photo: (binary)" in lines


def test_sample_values_long_or_of_several_lines_stay_one_short_line(tmp_path: Path) -> None:
    path = database(
        tmp_path, ["CREATE TABLE t (a TEXT)", f"INSERT INTO t VALUES ('one\ntwo\r\nDROP'), ('{'x' * 100}')"]
    )
    create, samples = schema_text(path, "create_table", 2).splitlines()
    assert create == "CREATE TABLE t (a TEXT);"
    assert samples == f"-- t.a: 'one two DROP', '{'x' * 39}…'"
    assert len(schema_text(path, "compact", 2).splitlines()) == 1


def test_sample_values_of_a_table_without_rowid_are_shown(tmp_path: Path) -> None:
    path = database(
        tmp_path, ["CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID", "INSERT INTO t VALUES ('y'), ('x')"]
    )
    assert schema_text(path, "compact", 3) == "t(a* ['x', 'y'])"


def test_sample_values_of_an_empty_column_are_left_out(tmp_path: Path) -> None:
    path = database(tmp_path, ["CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (NULL)"])
    assert schema_text(path, "compact", 3) == "t(a)"
    assert schema_text(path, "create_table", 3) == "CREATE TABLE t (a TEXT);"


def test_text_that_cannot_be_decoded_is_read_without_its_bytes(tmp_path: Path) -> None:
    path = database(tmp_path, ["CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES (CAST(x'41ff42' AS TEXT))"])
    assert schema_text(path, "compact", 1) == "t(a ['AB'])"


def test_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with pytest.raises(DataError, match=r"a\.sqlite: no such database"):
        read_schema(path)
    assert not path.exists()
    for content in (b"", b"text", b"SQLite format 2\x00" + bytes(100)):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.sqlite: not a SQLite 3 database"):
            read_schema(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_schema(tmp_path)


def test_read_schema_lists_views_apart_and_leaves_out_a_broken_one(tmp_path: Path) -> None:
    path = database(
        tmp_path,
        [
            "CREATE TABLE gone (a)",
            "CREATE TABLE t (a, b)",
            "CREATE VIEW broken AS SELECT a FROM gone",
            "CREATE VIEW whole AS SELECT b AS c FROM t",
            "DROP TABLE gone",
        ],
    )
    schema = read_schema(path)
    assert [table.name for table in schema.tables] == ["t"]
    assert [(view.name, view.columns) for view in schema.views] == [("whole", ("c",))]
    assert schema_text(path, "compact", 0) == "t(a, b)\nview whole(c)"


def test_read_schema_generated_column_is_a_column(tmp_path: Path) -> None:
    path = database(tmp_path, ["CREATE TABLE t (a INTEGER, twice INTEGER AS (2 * a), b TEXT)"])
    assert read_schema(path).tables[0].columns == ("a", "twice", "b")


def test_file_damaged_is_refused_by_name(tmp_path: Path) -> None:
    path = database(tmp_path)
    path.write_bytes(path.read_bytes()[:16] + b"\xff" * 2000)
    with pytest.raises(DataError, match=r"a\.sqlite: damaged database"):
        read_schema(path)


def test_reading_changes_no_byte_and_leaves_no_file(tmp_path: Path) -> None:
    path = database(tmp_path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    schema_text(path, "create_table", 3)
    connection = open_read_only(path)
    for statement in ("INSERT INTO singer VALUES (9, 'x')", "DROP TABLE singer", "CREATE TABLE t (a)"):
        with pytest.raises(sqlite3.OperationalError):
            connection.execute(statement)
    connection.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [item.name for item in tmp_path.iterdir()] == ["a.sqlite"]


def test_path_with_signs_of_a_uri_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "a?mode=rw#b %41"
    folder.mkdir()
    assert len(read_schema(database(folder)).tables) == 2


def test_spider_databases_all_have_a_schema(spider_directory: Path) -> None:
    paths = sorted((spider_directory / "database").glob("*/*.sqlite"))
    assert len(paths) > 100
    for path in paths:
        assert read_schema(path).tables
        assert schema_text(path, "compact", 2)


def odd_database(path: Path) -> Path:
    """Names that need quotes, views, a full-text and an R-tree table, generated columns, no rowid, blobs."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE "order" ("select" INTEGER PRIMARY KEY, "group by" TEXT, "preço (R$)" REAL, "from" BLOB);
            CREATE TABLE "order line" (id INTEGER, "order" INTEGER REFERENCES "order"("select"), date TEXT,
                price REAL, twice REAL GENERATED ALWAYS AS (price * 2) VIRTUAL);
            CREATE TABLE código (país TEXT PRIMARY KEY, "日本" TEXT) WITHOUT ROWID;
            CREATE VIEW "big orders" AS SELECT * FROM "order" WHERE "preço (R$)" > 100;
            CREATE VIRTUAL TABLE notes USING fts5(title, body);
            CREATE VIRTUAL TABLE areas USING rtree(id, low, high);
            INSERT INTO notes VALUES ('a', 'b');
            """
        )
    return path


def test_compact_text_shows_views_and_quotes_names_that_need_it(tmp_path: Path) -> None:
    assert schema_text(odd_database(tmp_path / "odd.sqlite"), "compact", 0).splitlines() == [
        '"order"("select"*, "group by", "preço (R$)", "from")',
        '"order line"(id, "order", date, price, twice) "order" -> "order"."select"',
        'código(país*, 日本)',
        "notes(title, body)",
        "areas(id, low, high)",
        'view "big orders"("select", "group by", "preço (R$)", "from")',
    ]  # fmt: skip


def test_create_table_text_shows_views_with_their_columns_and_no_shadow_tables(tmp_path: Path) -> None:
    lines = schema_text(odd_database(tmp_path / "odd.sqlite"), "create_table", 0).splitlines()
    assert lines[-2:] == [
        'CREATE VIEW "big orders" AS SELECT * FROM "order" WHERE "preço (R$)" > 100;',
        '-- "big orders"("select", "group by", "preço (R$)", "from")',
    ]
    assert lines[3:5] == [
        "CREATE VIRTUAL TABLE notes USING fts5(title, body);",
        "CREATE VIRTUAL TABLE areas USING rtree(id, low, high);",
    ]
    assert len(lines) == 7


def test_compact_text_can_be_written_back_into_queries(tmp_path: Path) -> None:
    path = odd_database(tmp_path / "odd.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        for table in read_schema(path).shown():
            columns = ", ".join(name_in_query(column) for column in table.columns)
            connection.execute(f"SELECT {columns} FROM {name_in_query(table.name)}").fetchall()


def test_sample_values_of_an_odd_database_leave_out_shadow_tables(tmp_path: Path) -> None:
    text = schema_text(odd_database(tmp_path / "odd.sqlite"), "compact", 1)
    assert "notes(title ['a'], body ['b'])" in text
    assert "notes_content" not in text


def test_m_schema_has_a_line_per_column_with_type_key_and_values(tmp_path: Path) -> None:
    path = database(tmp_path)
    assert schema_text(path, "m-schema", 2).splitlines() == [
        "【DB_ID】 a",
        "【Schema】",
        "# Table: singer",
        "[",
        "(id:INTEGER, Primary Key, Examples: [1, 2]),",
        "(name:TEXT, Examples: ['Ann', 'O''Hara'])",
        "]",
        "# Table: concert",
        "[",
        '("the ""year""":INTEGER, Primary Key, Examples: [2014]),',
        "(singer_id:INTEGER, Primary Key, Examples: [3]),",
        "(photo:BLOB, Examples: [(binary)])",
        "]",
        "# View: old",
        "[",
        '("the ""year""":INTEGER),',
        "(singer_id:INTEGER),",
        "(photo:BLOB)",
        "]",
        "【Foreign keys】",
        "concert.singer_id=singer.id",
    ]
    assert "Examples" not in schema_text(path, "m-schema", 0)


@pytest.mark.parametrize("style", ["create_table", "compact", "m-schema"])
def test_values_that_the_question_speaks_of_stand_first(style: SchemaStyle, tmp_path: Path) -> None:
    names = ", ".join(f"({number}, 'name {number}')" for number in range(10, 99))
    path = database(tmp_path, ("CREATE TABLE city (id INTEGER, name TEXT)", f"INSERT INTO city VALUES {names}"))
    plain = schema_text(path, style, 2)
    assert "'name 10', 'name 11'" in plain
    asked = schema_text(path, style, 2, "Is there a Name 77?")
    assert "'name 77', 'name 10'" in asked
    assert "77, 10" in asked
    assert schema_text(path, style, 2, "Is there any?") == plain


def test_values_by_the_question_follow_a_database_that_changed(tmp_path: Path) -> None:
    path = database(tmp_path, ("CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('x'), ('Oslo')"))
    assert schema_text(path, "compact", 1, "in Oslo") == "t(a ['Oslo'])"
    path.unlink()
    database(tmp_path, ("CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('y')"))
    assert schema_text(path, "compact", 1, "in Oslo") == "t(a ['y'])"
