from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from paretune.sources.splitting import ALIKE, _words, alike_groups, same_query, split_groups

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "7", "8"]), min_size=1, max_size=8).map(" ".join)


def _alike(first: str, second: str) -> bool:
    one, other = _words(first), _words(second)
    return len(one & other) >= ALIKE * len(one | other)


@given(st.lists(WORDS, min_size=2, max_size=12))
def test_groups_alike_questions_are_never_apart(questions: Sequence[str]) -> None:
    groups = alike_groups(questions, [str(at) for at in range(len(questions))])
    for first in range(len(questions)):
        for second in range(first):
            if _alike(questions[first], questions[second]):
                assert groups[first] == groups[second]


@given(st.lists(WORDS, min_size=2, max_size=12))
def test_groups_hold_nothing_that_no_chain_of_alike_questions_joins(questions: Sequence[str]) -> None:
    groups = alike_groups(questions, [str(at) for at in range(len(questions))])
    for at, group in enumerate(groups):
        others = [other for other in range(len(questions)) if other != at and groups[other] == group]
        assert not others or any(_alike(questions[at], questions[other]) for other in others)


def test_groups_equal_queries_are_together() -> None:
    queries = ["SELECT name FROM t", "select  NAME from t;", "SELECT 'name' FROM t"]
    assert alike_groups(["one", "two", "three"], queries) == [0, 0, 2]


def test_same_query_ignores_layout_but_not_texts() -> None:
    assert same_query("SELECT a,b FROM t WHERE x='A'") == same_query("select a , b\nfrom T where x = 'A' ;")
    assert same_query("SELECT a FROM t WHERE x='A'") != same_query("SELECT a FROM t WHERE x='a'")


@given(st.lists(st.integers(0, 9), min_size=4, max_size=60), st.integers(0, 5))
def test_split_keeps_groups_whole_and_the_seed_decides(groups: Sequence[int], seed: int) -> None:
    sides = split_groups(groups, 0.5, seed)
    assert sides == split_groups(groups, 0.5, seed)
    assert all(
        len({side for side, other in zip(sides, groups, strict=True) if other == group}) == 1 for group in groups
    )


def test_split_share_is_met_where_groups_are_small() -> None:
    assert sum(split_groups(list(range(100)), 0.3, 1)) == 30


def test_split_of_another_seed_differs() -> None:
    assert split_groups(list(range(100)), 0.3, 1) != split_groups(list(range(100)), 0.3, 2)
