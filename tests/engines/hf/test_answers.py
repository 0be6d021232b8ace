from __future__ import annotations

from typing import Any

import pytest

from paretune.engines.base import Generation
from paretune.engines.hf.answers import AnswerReader
from paretune.models.chat import encode
from paretune.sql.extract import END_MARKS, statement_end
from paretune.tasks import Ending
from tests.tiny_models import tiny_tokenizer

TOKENIZER = tiny_tokenizer()
STOP = TOKENIZER.eos_token_id


def reader(*, stops: bool | None = None) -> AnswerReader:
    ending = None if stops is None else Ending(statement_end, END_MARKS, stops)
    return AnswerReader(TOKENIZER, [STOP], ending)


def read(made: AnswerReader, tokens: list[int], part: int, most: int = 1000) -> Generation | None:
    """As an engine asks: some tokens at a time."""
    for seen in range(0, len(tokens), part):
        answer = made.read(tokens[: seen + part], seen, most)
        if answer is not None:
            return answer
    return None


@pytest.mark.parametrize("part", [1, 3, 100])
def test_read_end_of_turn_is_counted_and_left_out(part: int) -> None:
    tokens = encode(TOKENIZER, "SELECT 1; yes")
    assert read(reader(), [*tokens, STOP, 5, 6], part) == Generation("SELECT 1; yes", len(tokens) + 1, "stop")


def test_read_nothing_but_the_end_is_an_empty_answer() -> None:
    assert read(reader(stops=True), [STOP, 5], 2) == Generation("", 1, "stop")


def test_read_limit_reached_says_length() -> None:
    tokens = encode(TOKENIZER, "SELECT name FROM singer")
    assert read(reader(), tokens, 4, len(tokens)) == Generation("SELECT name FROM singer", len(tokens), "length")
    assert read(reader(), tokens, 4, len(tokens) + 1) is None


@pytest.mark.parametrize("part", [1, 3, 100])
@pytest.mark.parametrize(
    ("statement", "chatter"),
    [("SELECT ';' FROM t;", " It lists; all"), ("Sure:\n```sql\nSELECT 1\n```", "\nThis is one.")],
)
def test_read_complete_statement_ends_the_answer_or_counts_what_follows(
    statement: str, chatter: str, part: int
) -> None:
    tokens, behind = encode(TOKENIZER, statement), encode(TOKENIZER, chatter)
    whole = [*tokens, *behind, STOP]
    assert read(reader(stops=True), whole, part) == Generation(statement, len(tokens), "statement")
    talked = Generation(statement + chatter, len(whole), "stop", chatter_tokens=len(behind))
    assert read(reader(stops=False), whole, part) == talked


def test_read_end_of_turn_before_the_statement_wins() -> None:
    tokens: list[Any] = [*encode(TOKENIZER, "SELECT 1"), STOP, *encode(TOKENIZER, ";")]
    answer = read(reader(stops=True), tokens, 100)
    assert answer is not None
    assert (answer.text, answer.finish) == ("SELECT 1", "stop")
