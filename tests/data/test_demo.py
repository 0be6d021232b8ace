"""The embedded benchmark: enough of it, every query sound, the two halves apart, and a build that cannot go wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from paretune.data.demo import build
from paretune.data.demo.build import EVALUATION, TRAINING, build_demo, demo_directory
from paretune.errors import DataError
from paretune.scoring.hardness import LEVELS, hardness

HALVES = {"train_spider.json": TRAINING, "dev.json": EVALUATION}
SOURCES = Path(build.__file__).parent


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_demo(tmp_path_factory.mktemp("cache") / "demo")


def read(demo: Path, name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((demo / "spider" / name).read_text(encoding="utf-8"))
    return content


def all_pairs(demo: Path) -> list[dict[str, Any]]:
    return [pair for name in HALVES for pair in read(demo, name)]


def opened(demo: Path, db_id: str) -> closing[sqlite3.Connection]:
    file = demo / "spider" / "database" / db_id / f"{db_id}.sqlite"
    return closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True))


def hashes(directory: Path) -> dict[str, str]:
    files = (file for file in directory.rglob("*") if file.is_file())
    return {file.relative_to(directory).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def ordering_faults(connection: sqlite3.Connection, query: str) -> Iterator[str]:
    """What leaves the order of a result, or the rows a LIMIT keeps, to SQLite's mood, in any SELECT of the query.

    Rows with equal sort keys must be equal altogether, down to the first row that the LIMIT cuts off.
    """
    for select in sqlglot.parse_one(query, read="sqlite").find_all(exp.Select):
        order, limit = select.args.get("order"), select.args.get("limit")
        if order is None:
            if limit is not None:
                yield f"LIMIT without ORDER BY: {query}"
            continue
        keys = [ordered.this.copy() for ordered in order.expressions]
        keyed = select.copy()
        keyed.set("limit", None)
        keyed.set("expressions", [*keys, *(column.unalias() for column in select.expressions)])
        rows = connection.execute(keyed.sql("sqlite")).fetchall()
        last = int(limit.expression.this) if limit is not None else len(rows)
        for row, following in pairwise(rows[: last + 1]):
            if row[: len(keys)] == following[: len(keys)] and row != following:
                yield f"{row} ties with {following}: {query}"


def test_ordering_faults_tie_at_the_limit_is_found() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("CREATE TABLE t (a, b); INSERT INTO t VALUES ('x', 2), ('y', 2), ('z', 1), ('z', 1)")
        assert list(ordering_faults(connection, "SELECT a FROM t ORDER BY b DESC LIMIT 1"))
        assert list(ordering_faults(connection, "SELECT b FROM t WHERE a = (SELECT a FROM t ORDER BY b DESC LIMIT 1)"))
        assert list(ordering_faults(connection, "SELECT b FROM t GROUP BY a ORDER BY sum(b) LIMIT 2"))
        assert list(ordering_faults(connection, "SELECT a FROM t LIMIT 1"))
        assert not list(ordering_faults(connection, "SELECT a FROM t ORDER BY b LIMIT 1"))
        assert not list(ordering_faults(connection, "SELECT a FROM t ORDER BY a DESC"))


def test_demo_sizes_are_what_is_promised(demo: Path) -> None:
    assert len(TRAINING) == 8
    assert len(EVALUATION) >= 4
    assert len(TRAINING) + len(EVALUATION) >= 12
    assert len(read(demo, "train_spider.json")) >= 300
    assert len(read(demo, "dev.json")) >= 120
    for name, db_ids in HALVES.items():
        pairs = read(demo, name)
        assert {pair["db_id"] for pair in pairs} == set(db_ids)
        assert {pair["hardness"] for pair in pairs} == set(LEVELS)


def test_demo_source_files_are_all_listed() -> None:
    listed = set(TRAINING) | set(EVALUATION)
    assert len(listed) == len(TRAINING) + len(EVALUATION)
    assert {file.stem for file in (SOURCES / "databases").glob("*.sql")} == listed
    assert {file.stem for file in (SOURCES / "questions").glob("*.jsonl")} == listed


@pytest.mark.parametrize("db_id", [*TRAINING, *EVALUATION])
def test_gold_queries_run_and_return_rows_unless_marked(demo: Path, db_id: str) -> None:
    marked = 0
    with opened(demo, db_id) as connection:
        for pair in all_pairs(demo):
            if pair["db_id"] == db_id:
                rows = connection.execute(pair["query"]).fetchall()
                assert (not rows) == pair["empty"], pair
                assert not rows or any(value is not None for row in rows for value in row), pair
                marked += pair["empty"]
    assert marked <= 3


@pytest.mark.parametrize("db_id", [*TRAINING, *EVALUATION])
def test_gold_queries_have_no_ties(demo: Path, db_id: str) -> None:
    with opened(demo, db_id) as connection:
        queries = [pair["query"] for pair in all_pairs(demo) if pair["db_id"] == db_id]
        faults = [fault for query in queries for fault in ordering_faults(connection, query)]
    assert not faults


def test_declared_hardness_equals_the_official_level(demo: Path) -> None:
    wrong = [(p["hardness"], hardness(p["query"]), p["query"]) for p in all_pairs(demo)]
    assert not [entry for entry in wrong if entry[0] != entry[1]]


def test_questions_repeat_no_text_within_a_database(demo: Path) -> None:
    counts = Counter((pair["db_id"], " ".join(pair["question"].lower().split())) for pair in all_pairs(demo))
    assert not [key for key, count in counts.items() if count > 1]


def test_pairs_are_plain_one_line_queries(demo: Path) -> None:
    for pair in all_pairs(demo):
        query = pair["query"]
        assert query.startswith("SELECT "), pair
        assert not set(query) & set(';\n"'), pair
        assert query == " ".join(query.split()), pair
        assert pair["question"] == pair["question"].strip() != "", pair


def test_halves_share_no_table_and_no_question_query_pair(demo: Path) -> None:
    schemas = {schema["db_id"]: schema for schema in read(demo, "tables.json")}
    tables = [{name for db_id in half for name in schemas[db_id]["table_names_original"]} for half in HALVES.values()]
    assert not tables[0] & tables[1]
    queries = [{pair["query"].lower() for pair in read(demo, name)} for name in HALVES]
    assert not queries[0] & queries[1]


def test_tables_json_describes_the_files(demo: Path) -> None:
    schemas = {schema["db_id"]: schema for schema in read(demo, "tables.json")}
    assert set(schemas) == {*TRAINING, *EVALUATION}
    for db_id, schema in schemas.items():
        tables, columns = schema["table_names_original"], schema["column_names_original"]
        assert 2 <= len(tables) <= 4, db_id
        assert columns[0] == [-1, "*"]
        assert len(columns) == len(schema["column_names"]) == len(schema["column_types"])
        assert set(schema["column_types"]) <= {"text", "number", "time", "boolean", "others"}
        assert {columns[index][0] for index in schema["primary_keys"]} == set(range(len(tables))), db_id
        assert schema["foreign_keys"], db_id
        with opened(demo, db_id) as connection:
            for number, table in enumerate(tables):
                names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
                assert names == [name for place, name in columns if place == number]
                assert 3 <= len(names) <= 8, (db_id, table)
                (rows,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
                assert 5 <= rows <= 40, (db_id, table)


def test_tables_json_foreign_keys_point_at_the_declared_columns(demo: Path) -> None:
    (schema,) = (schema for schema in read(demo, "tables.json") if schema["db_id"] == "library_loans")
    tables, columns = schema["table_names_original"], schema["column_names_original"]
    spoken = [".".join((tables[columns[i][0]], columns[i][1])) for pair in schema["foreign_keys"] for i in pair]
    assert spoken == ["loans.reader_id", "readers.reader_id", "loans.item_id", "items.item_id"]
    assert [columns[index][1] for index in schema["primary_keys"]] == ["reader_id", "item_id", "loan_id"]
    assert schema["column_names"][1] == [0, "reader id"]


def test_build_twice_gives_equal_bytes(demo: Path, tmp_path: Path) -> None:
    assert hashes(build_demo(tmp_path / "again")) == hashes(demo)


def test_build_complete_folder_is_left_alone(demo: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in demo.rglob("*")}
    build_demo(demo)
    assert {file: file.stat().st_mtime_ns for file in demo.rglob("*")} == before
    assert [entry.name for entry in demo.parent.iterdir()] == ["demo"]


@pytest.mark.parametrize("damage", ["file missing", "file cut", "no manifest", "broken manifest", "empty folder"])
def test_build_half_built_folder_is_completed(demo: Path, tmp_path: Path, damage: str) -> None:
    directory = tmp_path / "demo"
    if damage == "empty folder":
        directory.mkdir()
    else:
        build_demo(directory)
    if damage == "file missing":
        (directory / "spider" / "dev.json").unlink()
    elif damage == "file cut":
        database = directory / "spider" / "database" / "gym" / "gym.sqlite"
        database.write_bytes(database.read_bytes()[:5000])
    elif damage == "no manifest":
        (directory / "build.json").unlink()
    elif damage == "broken manifest":
        (directory / "build.json").write_text('{"sources": ')
    assert hashes(build_demo(directory)) == hashes(demo)
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo"]


@pytest.mark.parametrize("half_built", [False, True])
def test_build_several_at_once_agree(demo: Path, tmp_path: Path, half_built: bool) -> None:
    directory = tmp_path / "cache" / "demo"
    if half_built:
        (directory / "spider").mkdir(parents=True)
        (directory / "spider" / "dev.json").write_text("[")
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(build_demo, [directory] * 4))
    assert built == [directory] * 4
    assert hashes(directory) == hashes(demo)
    assert [entry.name for entry in directory.parent.iterdir()] == ["demo"]


@pytest.fixture
def editable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources that the builder reads instead of the package's own."""
    sources = tmp_path / "sources"
    shutil.copytree(SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(build, "_sources", lambda: sources)
    return sources


def test_demo_directory_follows_the_cache_variable_and_the_sources(
    editable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARETUNE_CACHE", str(tmp_path / "from-variable"))
    first = demo_directory()
    assert first.parent == tmp_path / "from-variable"
    assert first.name.startswith("demo-")
    assert demo_directory(tmp_path / "given").name == first.name
    with open(editable / "databases" / "gym.sql", "a") as file:
        file.write("\n-- another version\n")
    second = demo_directory()
    assert second != first
    assert first.is_dir()


def test_build_changed_sources_replace_what_was_built(editable: Path, tmp_path: Path) -> None:
    directory = build_demo(tmp_path / "demo")
    for split in ("dev", "test"):
        folder = editable / "general" / "en" / split
        (folder / f"biology_{split}.csv").rename(folder / f"botany_{split}.csv")
    build_demo(directory)
    names = {file.name for file in (directory / "mmlu").rglob("*.csv")}
    assert {"botany_dev.csv", "botany_test.csv"} <= names
    assert not names & {"biology_dev.csv", "biology_test.csv"}


@pytest.mark.parametrize(
    ("file", "addition", "expected"),
    [
        ("databases/gym.sql", "INSERT INTO nowhere VALUES (1);", "no such table: nowhere"),
        ("databases/gym.sql", "INSERT INTO workouts VALUES (99, 77, 'Monday', 1, 1);", "no row of athletes"),
        ("questions/gym.jsonl", '{"question": "How many?"}', "expected question, query, hardness, empty"),
    ],
)
def test_build_broken_source_is_named_and_nothing_is_left(
    editable: Path, tmp_path: Path, file: str, addition: str, expected: str
) -> None:
    with open(editable / file, "a") as source:
        source.write(f"\n{addition}\n")
    with pytest.raises(DataError, match=expected) as caught:
        build_demo(tmp_path / "cache" / "demo")
    assert file in str(caught.value)
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("file", ["databases/gym.sql", "questions/gym.jsonl", "general/pt-BR/categories.json"])
def test_build_absent_source_is_named(editable: Path, tmp_path: Path, file: str) -> None:
    (editable / file).unlink()
    with pytest.raises(DataError, match=file):
        build_demo(tmp_path / "demo")


def test_build_where_nothing_can_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="PARETUNE_CACHE"):
        build_demo(tmp_path / "file" / "demo")
