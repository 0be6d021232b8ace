from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.choice.letters import LETTERS, parse_letter

OPTIONS = ("the owl", "the lark", "none of these", "all of these")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        (" B", "B"),
        ("B\n\nQuestion: which?\nA. one\nAnswer: C", "B"),
        ("B.", "B"),
        ("B. the lark", "B"),
        ("(C) none of these", "C"),
        ("**D**", "D"),
        ("A) the owl", "A"),
        ("B: because larks sing", "B"),
        ("The answer is B", "B"),
        ("The correct answer is (C).", "C"),
        ("Answer: D", "D"),
        ("A resposta correta é C.", "C"),
        ("Alternativa B", "B"),
        ("I would say (C), since owls sleep.", "C"),
        ("the lark", "B"),
        ("The Lark.", "B"),
        ("B\nthe lark", "B"),
        (r"The final answer is $\boxed{B}$", "B"),
        ("The answer is A because owls sleep", "A"),
        ("The answer is A bird", None),
        ("SELECT a FROM b", None),
        ("SELECT T1.name FROM singer AS A", None),
        ("A bird sings", None),
        ("An owl", None),
        ("B or C", None),
        ("The answer is A or maybe the answer is B", None),
        ("(A) and (B)", None),
        ("Because", None),
        ("E", None),
        ("b", None),
        ("", None),
        ("\n\n", None),
        ("I do not know", None),
        ("Answer: a bird", None),
    ],
)
def test_parse_letter_reads_as_documented(text: str, letter: str | None) -> None:
    assert parse_letter(text, OPTIONS) == (None if letter is None else "ABCD".index(letter))


def test_parse_letter_beyond_the_options_is_no_answer() -> None:
    assert parse_letter("D", OPTIONS[:3]) is None


@given(st.text())
def test_parse_letter_any_text_gives_an_option_or_none(text: str) -> None:
    assert parse_letter(text, OPTIONS) in (None, 0, 1, 2, 3)


@given(st.sampled_from("ABCD"), st.sampled_from(["{}", " {}", "({})", "{}.", "Answer: {}", "The answer is {}."]))
def test_parse_letter_every_letter_in_every_plain_form_is_read(letter: str, form: str) -> None:
    assert parse_letter(form.format(letter), OPTIONS) == "ABCD".index(letter)


@given(st.integers(2, 26))
def test_parse_letter_last_of_any_number_of_options_is_read(count: int) -> None:
    """Prompts letter up to 26 options; every one of them must be readable."""
    options = [f"option {number}" for number in range(count)]
    assert parse_letter(f"The answer is ({LETTERS[count - 1]}).", options) == count - 1
