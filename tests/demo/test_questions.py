"""The embedded benchmark: enough of it, every query sound, the two halves apart, and a build that cannot go wrong."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from paretune.choice.suites.load import load_suite
from paretune.demo import build
from paretune.demo.build import EVALUATION, TRAINING
from paretune.sql.levels import LEVELS
from paretune.sql.spider import read_split
from paretune.sql.spider_metrics import hardness

HALVES = {"train_spider.json": TRAINING, "dev.json": EVALUATION}
SOURCES = Path(build.__file__).parent


def read(demo: Path, name: str) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads((demo / "spider" / name).read_text(encoding="utf-8"))
    return content


def all_pairs(demo: Path) -> list[dict[str, Any]]:
    return [pair for name in HALVES for pair in read(demo, name)]


def opened(demo: Path, db_id: str) -> closing[sqlite3.Connection]:
    file = demo / "spider" / "database" / db_id / f"{db_id}.sqlite"
    return closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True))


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


def without_one_clause(query: str) -> Iterator[str]:
    """The query without one of its WHERE, AND or OR sides, HAVING, ORDER BY and LIMIT, each in turn."""
    tree = sqlglot.parse_one(query, read="sqlite")
    for select in tree.find_all(exp.Select):
        for clause in ("where", "having", "order", "limit"):
            node = select.args.get(clause)
            if node is not None:
                select.set(clause, None)
                yield tree.sql("sqlite")
                select.set(clause, node)
        for connector in list(select.find_all(exp.And, exp.Or)):
            for side in (connector.left, connector.right):
                kept = side.copy()
                connector.replace(kept)
                yield tree.sql("sqlite")
                kept.replace(connector)


def result(connection: sqlite3.Connection, query: str, ordered: bool) -> list[tuple[Any, ...]]:
    rows = connection.execute(query).fetchall()
    return rows if ordered else sorted(rows, key=repr)


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
        assert {pair["hardness"] for pair in pairs} == set(LEVELS["hardness"].levels)


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


def test_without_one_clause_yields_every_omission() -> None:
    shorter = list(without_one_clause("SELECT a FROM t WHERE b = 1 AND c = 2 ORDER BY a LIMIT 1"))
    assert shorter == [
        "SELECT a FROM t ORDER BY a LIMIT 1",
        "SELECT a FROM t WHERE b = 1 AND c = 2 LIMIT 1",
        "SELECT a FROM t WHERE b = 1 AND c = 2 ORDER BY a",
        "SELECT a FROM t WHERE b = 1 ORDER BY a LIMIT 1",
        "SELECT a FROM t WHERE c = 2 ORDER BY a LIMIT 1",
    ]


@pytest.mark.parametrize("db_id", EVALUATION)
def test_evaluation_query_that_lacks_a_clause_does_not_pass_by_luck(demo: Path, db_id: str) -> None:
    lucky = []
    with opened(demo, db_id) as connection:
        for pair in read(demo, "dev.json"):
            if pair["db_id"] == db_id:
                query, ordered = pair["query"], "ORDER BY" in pair["query"]
                gold = result(connection, query, ordered)
                lucky += [(query, s) for s in without_one_clause(query) if result(connection, s, ordered) == gold]
    assert not lucky


@pytest.mark.parametrize("db_id", EVALUATION)
def test_evaluation_questions_of_a_database_have_different_answers(demo: Path, db_id: str) -> None:
    with opened(demo, db_id) as connection:
        queries = [pair["query"] for pair in read(demo, "dev.json") if pair["db_id"] == db_id and not pair["empty"]]
        counts = Counter(repr(result(connection, query, ordered=False)) for query in queries)
    assert not [answer for answer, count in counts.items() if count > 1]


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


def test_ordinary_readers_serve_the_demo(demo: Path) -> None:
    for split, name in (("train_spider", "train_spider.json"), ("dev", "dev.json")):
        questions = read_split(demo / "spider", split)
        assert [(q.db_id, q.question, q.gold) for q in questions] == [
            (pair["db_id"], pair["question"], pair["query"]) for pair in read(demo, name)
        ]
    for folder, least in (("mmlu", 150), ("mmlu-pt", 60)):
        suite = load_suite("mmlu", demo / folder, shots=5)
        assert len(suite.questions) >= least
        assert {question.category for question in suite.questions} == {"STEM", "Humanities", "Social sciences"}
        assert not suite.notes


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
