from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.errors import DataError
from paretune.sql.bird import is_bird
from paretune.sql.records import SqlQuestion
from paretune.sql.spider import database_path, read_questions, read_split, split_of_kind, take

ROW = {"db_id": "zoo", "question": "How many?", "query": "SELECT count(*) FROM animal"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for db_id in ("zoo", "shop"):
        path = database_path(tmp_path, db_id)
        path.parent.mkdir(parents=True)
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE animal (name TEXT)")
    return tmp_path


def write(directory: Path, content: Any, split: str = "dev") -> None:
    text = content if isinstance(content, str) else json.dumps(content, indent=1)
    (directory / f"{split}.json").write_text(text, encoding="utf-8")


def refusal(directory: Path, content: Any = None) -> str:
    if content is not None:
        write(directory, content)
    with pytest.raises(DataError) as caught:
        read_split(directory, "dev")
    return str(caught.value)


def test_split_is_read_in_file_order_with_positions(directory: Path) -> None:
    write(directory, [{**ROW, "extra": [1]}, {**ROW, "db_id": "shop", "question": "Which é?"}, ROW])
    assert read_split(directory, "dev") == [
        SqlQuestion(0, "zoo", "How many?", ROW["query"]),
        SqlQuestion(1, "shop", "Which é?", ROW["query"]),
        SqlQuestion(2, "zoo", "How many?", ROW["query"]),
    ]


def test_split_without_excluded_databases_keeps_the_positions(directory: Path) -> None:
    write(directory, [{**ROW, "db_id": "gone"}, ROW])
    assert [row.index for row in read_split(directory, "dev", exclude_databases=["gone"])] == [1]


def test_split_wholly_excluded_is_an_error(directory: Path) -> None:
    write(directory, [ROW])
    with pytest.raises(DataError, match=r"dev\.json: no questions left after exclude_databases"):
        read_split(directory, "dev", exclude_databases=["zoo"])


def test_read_questions_looks_at_no_database(directory: Path) -> None:
    write(directory, [ROW, {**ROW, "db_id": "gone"}])
    assert [question.db_id for question in read_questions(directory, "dev")] == ["zoo", "gone"]
    with pytest.raises(DataError, match="no such database"):
        read_split(directory, "dev")


def test_directory_or_file_missing_is_named(directory: Path) -> None:
    assert f"{directory / 'dev.json'}: no such file" in refusal(directory)
    with pytest.raises(
        DataError, match=r"absent: no such directory; expected Spider's layout \(dev\.json, database/\)"
    ):
        read_split(directory / "absent", "dev")


@pytest.mark.parametrize("content", ['{"a": 1}', "3", "", "  \n", "SELECT"])
def test_file_that_is_no_list_is_refused(directory: Path, content: str) -> None:
    assert "dev.json, line 1: expected a JSON list of questions" in refusal(directory, content)


def test_list_empty_is_refused(directory: Path) -> None:
    assert refusal(directory, "[]").endswith("dev.json: no questions")


def test_list_cut_anywhere_is_refused_with_a_line(directory: Path) -> None:
    whole = json.dumps([ROW, {**ROW, "question": "b"}], indent=1)
    for cut in range(1, len(whole)):
        assert "dev.json, line " in refusal(directory, whole[:cut]), whole[:cut]


def test_list_followed_by_something_else_is_refused(directory: Path) -> None:
    text = json.dumps([ROW])
    assert "dev.json, line 2" in refusal(directory, f"{text}\n{text}")
    write(directory, f"{text}\n\n")
    assert len(read_split(directory, "dev")) == 1


def test_list_with_a_byte_order_mark_is_read(directory: Path) -> None:
    write(directory, "\ufeff" + json.dumps([ROW]))
    assert len(read_split(directory, "dev")) == 1


def test_line_of_a_broken_entry_is_named(directory: Path) -> None:
    text = "[\n" + json.dumps(ROW) + ",\n\n{'db_id': 3}\n]"
    assert "dev.json, line 4 (entry 1): not JSON" in refusal(directory, text)
    text = "[\n" + json.dumps(ROW) + "\n" + json.dumps(ROW) + "\n]"
    assert "dev.json, line 2 (entry 0): the list breaks off after this entry" in refusal(directory, text)


@pytest.mark.parametrize("key", ["db_id", "question", "query"])
@pytest.mark.parametrize("value", [None, "", "  ", 3, ["a"]])
def test_entry_without_text_is_refused_with_its_line(directory: Path, key: str, value: Any) -> None:
    text = "[\n" + json.dumps(ROW) + ",\n" + json.dumps({**ROW, key: value}) + "\n]"
    assert f"dev.json, line 3 (entry 1): expected a text under {key!r}, found {value!r}" in refusal(directory, text)


def test_entry_without_the_key_or_no_object_is_refused(directory: Path) -> None:
    assert "(entry 0): expected a text under 'query', found None" in refusal(
        directory, [{"db_id": "zoo", "question": "a"}]
    )
    assert "(entry 1): expected a text under 'db_id'" in refusal(directory, [ROW, "text"])


def test_database_missing_names_file_line_and_the_way_out(directory: Path) -> None:
    message = refusal(directory, "[\n" + json.dumps(ROW) + ",\n" + json.dumps({**ROW, "db_id": "gone"}) + "\n]")
    assert "dev.json, line 3 (entry 1): db_id 'gone'" in message
    assert str(database_path(directory, "gone")) in message
    assert "target.exclude_databases" in message
    assert not database_path(directory, "gone").exists()


def test_database_that_is_none_is_refused(directory: Path) -> None:
    database_path(directory, "zoo").write_bytes(b"")
    assert "db_id 'zoo'" in refusal(directory, [ROW])


def test_spider_dev_is_read_whole(spider_directory: Path) -> None:
    questions = read_split(spider_directory, "dev")
    assert len(questions) == 1034
    assert [question.index for question in questions] == list(range(1034))
    assert len({question.db_id for question in questions}) == 20


def rows(labels: list[str]) -> list[SqlQuestion]:
    return [SqlQuestion(index, label, "q", "g") for index, label in enumerate(labels)]


LABELS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=80)


@given(LABELS, st.integers(0, 90), st.integers(0, 90), st.integers(0, 5))
def test_take_stratified_is_nested_in_order_and_reproducible(
    labels: list[str], one: int, other: int, seed: int
) -> None:
    questions = rows(labels)
    small, large = (take(questions, limit, "stratified", seed, labels) for limit in sorted((one, other)))
    assert {row.index for row in small} <= {row.index for row in large}
    assert len(small) == min(one, other, len(labels))
    assert small == sorted(small, key=lambda row: row.index)
    assert take(questions, min(one, other), "stratified", seed, labels) == small


@given(LABELS, st.integers(1, 90), st.integers(0, 5))
def test_take_stratified_keeps_the_shares(labels: list[str], limit: int, seed: int) -> None:
    taken = Counter(row.db_id for row in take(rows(labels), limit, "stratified", seed, labels))
    sizes = Counter(labels)
    for label, size in sizes.items():
        share = size / len(labels)
        off = abs(taken[label] - share * min(limit, len(labels)))
        assert off <= 1 + share * len(sizes) + 1e-9


def test_take_stratified_gives_every_question_the_same_chance() -> None:
    labels = ["big"] * 30 + ["small"] * 3 + [f"single-{number}" for number in range(7)]
    drawn = Counter(row.index for seed in range(4000) for row in take(rows(labels), 10, "stratified", seed, labels))
    chances = [drawn[index] / 4000 for index in range(40)]
    assert all(abs(chance - 0.25) < 0.05 for chance in chances), chances


def test_take_seeds_differ() -> None:
    labels = ["a"] * 50
    draws = {tuple(row.index for row in take(rows(labels), 10, "stratified", seed, labels)) for seed in range(5)}
    assert len(draws) == 5


def test_take_first_is_the_first() -> None:
    questions = rows(["a", "b", "a", "c"])
    assert take(questions, 3, "first", 0, ["x"] * 4) == questions[:3]


def test_bird_entries_bring_evidence_and_level(tmp_path: Path) -> None:
    path = tmp_path / "dev_databases" / "zoo" / "zoo.sqlite"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE animal (name TEXT)")
    row = {"db_id": "zoo", "question": "How many?", "evidence": "Count the rows.", "difficulty": "moderate"}
    upstream, copy = {**row, "SQL": "SELECT 1"}, {**row, "gold_sql": "SELECT 2", "difficulty": "simple"}
    write(tmp_path, [upstream, copy], "mini_dev_sqlite")
    assert split_of_kind(tmp_path, "bird", "dev") == "mini_dev_sqlite"
    assert read_split(tmp_path, "mini_dev_sqlite") == [
        SqlQuestion(0, "zoo", "How many?", "SELECT 1", "Count the rows.", "moderate"),
        SqlQuestion(1, "zoo", "How many?", "SELECT 2", "Count the rows.", "simple"),
    ]
    write(tmp_path, [upstream])
    assert split_of_kind(tmp_path, "bird", "dev") == "dev"


def test_bird_mini_dev_as_published_is_read(shared_data: Path) -> None:
    questions = read_questions(shared_data / "bird-minidev", "mini_dev_sqlite")
    assert Counter(question.level for question in questions) == {"moderate": 250, "simple": 148, "challenging": 102}
    assert sum(bool(question.evidence) for question in questions) == 498
    assert is_bird(questions)


@pytest.mark.parametrize(
    ("kind", "folder", "count", "first"),
    [
        ("spider-dk", "Spider-DK", 535, "How many singers do we have?"),
        ("spider-realistic", "Spider-Realistic", 508, None),
        ("spider-syn", "Spider-Syn", 1034, "How many vocalists do we have?"),
    ],
)
def test_variants_of_spider_are_read_as_published(
    shared_data: Path, kind: str, folder: str, count: int, first: str | None
) -> None:
    directory = shared_data / "spider-variants" / folder
    questions = read_questions(directory, split_of_kind(directory, kind, "dev"))
    assert len(questions) == count
    assert all(question.question and question.gold for question in questions)
    assert first is None or questions[0].question == first


@pytest.mark.parametrize("limit", [None, 4, 100])
@pytest.mark.parametrize("selection", ["first", "stratified"])
def test_take_without_need_takes_all(limit: int | None, selection: str) -> None:
    questions = rows(["a", "b", "a", "c"])
    assert take(questions, limit, selection, 0, ["x"] * 4) == questions
