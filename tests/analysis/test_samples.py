from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.analysis.samples import pass_at


@given(st.lists(st.booleans(), min_size=1, max_size=9), st.data())
def test_pass_at_is_the_share_of_all_choices_of_k_that_hold_a_right_one(drawn: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(drawn)))
    choices = list(combinations(drawn, k))
    assert pass_at(k, sum(drawn), len(drawn)) == pytest.approx(sum(map(any, choices)) / len(choices))
