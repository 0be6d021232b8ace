from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.errors import PromptError
from paretune.sql.prompt import INSTRUCTION, PromptConfig, SqlPromptBuilder, choose_examples, one_line
from paretune.sql.records import SqlQuestion


def rows(databases: str, *, offset: int = 0) -> list[SqlQuestion]:
    return [
        SqlQuestion(index + offset, db_id, f"q{index} ", f"SELECT\n{index};") for index, db_id in enumerate(databases)
    ]


def test_messages_show_schema_instruction_and_question_last() -> None:
    builder = SqlPromptBuilder(lambda db_id: f"schema of {db_id}")
    assert builder.messages(rows("a")[0]) == [
        {"role": "user", "content": f"schema of a\n\n{INSTRUCTION.format(dialect='SQLite')}\nQuestion: q0"}
    ]


def test_messages_with_examples_alternate_and_hold_the_same_request() -> None:
    examples = tuple(rows("bc", offset=10))
    builder = SqlPromptBuilder(lambda db_id: f"schema of {db_id}", examples)
    messages = builder.messages(rows("a")[0])
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2 + ["user"]
    plain = SqlPromptBuilder(lambda db_id: f"schema of {db_id}")
    assert [messages[0]] == plain.messages(examples[0])
    assert messages[1]["content"] == "SELECT 0"
    assert [messages[-1]] == plain.messages(rows("a")[0])


def test_messages_never_show_the_gold_of_the_question() -> None:
    question = SqlQuestion(0, "a", "how many?", "SELECT secret FROM answer")
    shown = SqlPromptBuilder(lambda db_id: db_id, tuple(rows("bc"))).messages(question)
    assert not any("secret" in message["content"] for message in shown)


@given(st.text().filter(lambda text: not set(text) & set("'\"`[")))
def test_one_line_has_one_line_and_no_semicolon_at_its_end(query: str) -> None:
    line = one_line(query)
    assert len(line.splitlines()) <= 1
    assert not line.endswith((";", " "))
    assert one_line(line) == line


def test_one_line_keeps_texts_and_drops_comments() -> None:
    assert one_line("SELECT  a\n FROM t\tWHERE b = 'x;  y' ;\n") == "SELECT a FROM t WHERE b = 'x;  y'"
    assert one_line("SELECT a -- the name\nFROM t") == "SELECT a FROM t"


@given(st.text("abcd", min_size=1, max_size=12), st.integers(0, 12), st.integers(0, 3))
def test_examples_are_distinct_rows_from_as_many_databases_as_can_be(databases: str, count: int, seed: int) -> None:
    available = rows(databases)
    config = PromptConfig(few_shot=min(count, len(available)))
    chosen = choose_examples(available, config, seed)
    assert len(chosen) == len({row.index for row in chosen}) == config.few_shot
    assert set(chosen) <= set(available)
    assert len({row.db_id for row in chosen}) == min(config.few_shot, len(set(databases)))
    assert choose_examples(available, config, seed) == chosen


def test_examples_equal_in_text_are_counted_each() -> None:
    twice = [SqlQuestion(0, "a", "q", "SELECT 1"), SqlQuestion(0, "a", "q", "SELECT 1")]  # from two splits
    assert len(choose_examples(twice, PromptConfig(few_shot=2), 0)) == 2


def test_examples_change_with_the_seed() -> None:
    available = rows("abcdefgh")
    assert len({choose_examples(available, PromptConfig(few_shot=3), seed) for seed in range(6)}) > 1


def test_examples_more_than_rows_are_refused() -> None:
    with pytest.raises(PromptError, match=r"few_shot = 3: there are only 2 training rows"):
        choose_examples(rows("ab"), PromptConfig(few_shot=3), 0)
    assert choose_examples([], PromptConfig(), 0) == ()


def test_messages_show_the_schema_of_the_question_where_it_decides() -> None:
    builder = SqlPromptBuilder(lambda db_id: "plain", tuple(rows("b")), schema_for=lambda row: f"for {row.question}")
    shown = [message["content"].partition("\n")[0] for message in builder.messages(rows("ab")[1])]
    assert shown == ["for q0 ", "SELECT 0", "for q1 "]
