"""One statement out of model text; raw SQL unharmed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretune.sql import extract
from paretune.sql.extract import END_MARKS, begins_with_statement, extract_sql, statement_end, tokens

QUERY = "SELECT name FROM singer WHERE age > 20"


@pytest.mark.parametrize(
    "text",
    [
        QUERY,
        f"  {QUERY} ;\n",
        f"{QUERY}; DROP TABLE singer",
        f"{QUERY};\n\nThis query lists the names.",
        f"```sql\n{QUERY};\n```",
        f"```\n{QUERY}\n```\nand also\n```sql\nSELECT 2\n```",
        f"```sql\n{QUERY}",
        f"{QUERY}\n```\nHere the names are selected.",
        f"Sure! Here is the SQL query:\n\n{QUERY}",
        f"Here is the query: {QUERY}",
        f"You can use `{QUERY}` for that.",
        f"SQL: {QUERY}",
        f"Resposta: {QUERY}",
        f"{QUERY}<|im_end|>\n<|im_start|>user\nSELECT 3",
        f"<|im_start|>assistant\n{QUERY}<|im_end|>",
        f"{QUERY} <| <|",
        f"{QUERY}</s></s>",
        f"{QUERY}<|end_header_id|>",
        f"[INST] question [/INST] {QUERY}",
        f"<think>maybe SELECT 1 FROM t</think>\n{QUERY}",
        f"-- names of adults\n{QUERY}",
        f"/* names */ {QUERY}",
        f"{QUERY}\nExplanation: the names",
        f"{QUERY}\n### Question 2",
        f"{QUERY}\n\nThe names of singers are selected from the table.",
        f"1. {QUERY}",
        f"The query:\n\n- {QUERY}",
        f"The answer is\n> {QUERY}",
        f'"{QUERY}"',
        f"'{QUERY};'",
        f'Use "{QUERY}".',
        f"; {QUERY}",
    ],
)
def test_extract_sql_wrapped_statement_is_found(text: str) -> None:
    assert extract_sql(text) == QUERY


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t WHERE b = 'x;y'",
        "SELECT a FROM t WHERE b = 'it''s ```sql'",
        "SELECT '<|im_end|>' FROM t",
        'SELECT "select" FROM `from`',
        "SELECT a -- one; two\nFROM t",
        "SELECT a /* ; */ FROM t",
        "SELECT a,\n\n  b\nFROM t",
        "SELECT a\n\nFROM t\n\nWHERE b IN (\n\n1, 2)\n\nORDER BY a",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "with recursive x(n) as (select 1 union all select n + 1 from x) select n from x limit 3",
        "VALUES (1), (2)",
        "(SELECT 1) UNION (SELECT 2)",
        "select 1",
        "DROP TABLE singer",
        "PRAGMA table_info(singer)",
        "INSERT INTO t VALUES (1)",
        "SELEC name FROM singer WHERE id IN (SELECT id FROM concert)",
        "SELEX name FROM a UNION SELECT name FROM b",
    ],
)
def test_extract_sql_raw_statement_is_unchanged(sql: str) -> None:
    assert extract_sql(sql) == sql


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I do not know.",
        "I would select the best singer.",
        "```\nno code\n```",
        "<|im_end|>",
        ";;;",
        "\0",
        "-- x",
    ],
)
def test_extract_sql_no_statement_is_empty(text: str) -> None:
    assert extract_sql(text) == ""


def test_extract_sql_broken_start_is_not_repaired_into_its_second_half() -> None:
    assert extract_sql("SLECT name FROM a UNION SELECT name FROM b") == ""
    assert extract_sql("name FROM a WHERE id IN (SELECT id FROM b)") == ""
    assert extract_sql("name FROM a WHERE id >\n  SELECT id FROM b") == ""


def test_extract_sql_quotation_that_ends_in_a_literal_keeps_the_literal() -> None:
    assert extract_sql('Use "SELECT a FROM t WHERE b = "x""') == 'SELECT a FROM t WHERE b = "x"'
    assert extract_sql("Use \"SELECT a FROM t WHERE b = 'x'\"") == "SELECT a FROM t WHERE b = 'x'"


def test_extract_sql_all_gold_queries_come_back(spider_directory: Path) -> None:
    for name in ("dev", "train_spider"):
        for entry in json.loads((spider_directory / f"{name}.json").read_text()):
            query = entry["query"]
            assert extract_sql(query) == query.strip().rstrip(";").rstrip()
            assert begins_with_statement(query)


@pytest.mark.parametrize(
    "text",
    ["SELECT '" * 130_000, "(" * 10**6, "x SELECT (" * 100_000, "SELECT '" + "<|" * 500_000 + "'", "a\n" * 500_000,
     "```" * 300_000, "-- x\n" * 200_000, "/*" * 400_000],
)  # fmt: skip
def test_extract_sql_a_megabyte_of_anything_is_read_about_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work in tokens, which no busy machine changes; benchmarks/sql_scoring.py has the seconds."""
    read = 0

    def counted(part: str) -> Iterator[str]:
        nonlocal read
        for token in tokens(part):
            read += len(token)
            yield token

    monkeypatch.setattr(extract, "tokens", counted)
    extract_sql(text)
    assert read <= 3 * len(text)


@settings(max_examples=300)
@given(st.text(alphabet=st.sampled_from(list("SELECTselect fromab'\"`;-/*()[]\n<|>,.=0")), max_size=60))
def test_extract_sql_twice_is_once(text: str) -> None:
    once = extract_sql("SELECT " + text)
    assert extract_sql(once) == once


@settings(max_examples=300)
@given(st.text(max_size=80))
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


_PIECES = st.sampled_from(
    ["SELECT ", "select a ", "FROM t", "'", '"', "`", "[", "]", ";", "; ", "```", "```sql\n", "\n```\n", "~~~", "\n",
     "\n\n", "-- c\n", "/*", "*/", "<think>", "</think>", "<|im_end|>", "<|", "SQL: ", "Sure, here: ", "It's ", "(",
     ")", "WHERE x = 'a;b' ", "UNION ", "DROP TABLE t", "user\n", "Explanation: ", "# no", "with x as (", ".", "``"]
)  # fmt: skip
_TEXTS = st.lists(_PIECES, max_size=14).map("".join)


@settings(max_examples=1000)
@given(head=_TEXTS, tail=_TEXTS)
def test_statement_end_nothing_behind_it_changes_the_statement(head: str, tail: str) -> None:
    end = statement_end(head)
    if end is not None:
        assert head[:end][-1] in END_MARKS
        assert extract_sql(head[:end]) == extract_sql(head + tail) != ""


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("SELECT a FROM t; It", 16),
        ("SELECT ';' FROM t -- ;\n; x", 24),
        ("```sql\nSELECT a\n```\nIt lists a.", 19),
        ("Sure!\n```sql\nSELECT a FROM t;\n```", 29),
        ("SELECT a FROM t", None),
        ("SELECT 'it;", None),  # the quote may still be closed
        ("SELECT a /* ; */ FROM t", None),
        ("The query SELECT a FROM t; is", None),  # a fenced one may follow, and would count
        ("```sql\n", None),
        ("", None),
    ],
)
def test_statement_end_is_behind_the_mark_that_closes_it(text: str, end: int | None) -> None:
    assert statement_end(text) == end
