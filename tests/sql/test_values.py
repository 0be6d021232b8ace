from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paretune.sql.values import ValueIndex

VALUES = st.lists(
    st.one_of(st.text(max_size=12), st.integers(0, 99), st.binary(max_size=3)), unique_by=repr, max_size=8
)


@given(VALUES, st.text(max_size=40), st.integers(1, 5))
def test_chosen_are_different_values_and_as_many_as_there_are(values: list[object], question: str, count: int) -> None:
    chosen = ValueIndex.of({"a": values}).chosen(question, count)["a"]
    assert len(chosen) == min(count, len(values))
    assert len({repr(value) for value in chosen}) == len(chosen)
    assert {repr(value) for value in chosen} <= {repr(value) for value in values}


def test_value_of_which_the_question_holds_too_few_words_is_not_preferred() -> None:
    index = ValueIndex.of({"title": ["first", "the tale of a very long night", "night"]})
    assert index.chosen("on which night", 2) == {"title": ["night", "first"]}


def test_whole_value_is_preferred_to_half_of_one() -> None:
    index = ValueIndex.of({"city": ["New Haven", "York", "New York"]})
    assert index.chosen("a show in New York", 3)["city"] == ["New York", "York", "New Haven"]


def test_bytes_have_no_words() -> None:
    assert ValueIndex.of({"photo": [b"Oslo", 1]}).chosen("Oslo", 1) == {"photo": [b"Oslo"]}
