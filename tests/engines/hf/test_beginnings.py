from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from paretune.engines.hf.beginnings import covered, find_beginnings

SHOTS, SINGER, CONCERT = list(range(100)), list(range(200, 280)), list(range(300, 390))


def test_find_beginnings_of_two_databases_behind_the_same_examples_are_a_tree() -> None:
    rows = [[*SHOTS, *schema, number] for number in range(4) for schema in (SINGER, CONCERT)]
    found = [(item.level, item.start, item.end, item.rows) for item in find_beginnings(rows)]
    assert found == [(0, 0, 100, (0, 2, 4, 6, 1, 3, 5, 7)), (1, 100, 180, (0, 2, 4, 6)), (1, 100, 190, (1, 3, 5, 7))]
    assert covered(find_beginnings(rows), len(rows)) == [180, 190] * 4


def test_find_beginnings_equal_rows_keep_a_token_each() -> None:
    assert covered(find_beginnings([SHOTS, SHOTS, SHOTS]), 3) == [99, 99, 99]


def test_find_beginnings_too_short_or_alone_are_not_shared() -> None:
    assert find_beginnings([[1, 2, 3], [1, 2, 4], SHOTS, [7]]) == []
    assert find_beginnings([]) == []


@st.composite
def rows_with_beginnings(draw: st.DrawFn) -> list[list[int]]:
    stems = draw(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=90), min_size=1, max_size=3))
    row = st.builds(lambda stem, cut, tail: stem[:cut] + tail, st.sampled_from(stems), st.integers(0, 90),
                    st.lists(st.integers(0, 1), min_size=1, max_size=5))  # fmt: skip
    return draw(st.lists(row, max_size=30))


@settings(max_examples=200)
@given(rows=rows_with_beginnings())
def test_find_beginnings_any_rows_share_what_they_say_and_leave_a_token(rows: list[list[int]]) -> None:
    """Parents come first and end where their children start, so that copying in order fills every row's beginning."""
    filled = [0] * len(rows)
    for beginning in find_beginnings(rows):
        first = rows[beginning.rows[0]]
        assert len(beginning.rows) > 1
        for row in beginning.rows:
            assert rows[row][: beginning.end] == first[: beginning.end]
            assert filled[row] == beginning.start < beginning.end < len(rows[row])
            filled[row] = beginning.end
    assert filled == covered(find_beginnings(rows), len(rows))


@given(rows=rows_with_beginnings())
def test_find_beginnings_do_not_depend_on_the_order_of_rows(rows: list[list[int]]) -> None:
    ordered = sorted(rows)
    assert [(item.start, item.end, item.level) for item in find_beginnings(rows)] == [
        (item.start, item.end, item.level) for item in find_beginnings(ordered)
    ]
