from __future__ import annotations

from collections import Counter
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.training.step_sizes import CAPTURE, Shape, StepSizes, cost, launched_cost, plan_sizes

KINDS = st.lists(st.tuples(st.integers(1, 8000), st.integers(1, 1200), st.integers(1, 120)), max_size=6)


def steps_of(kinds: list[tuple[int, int, int]]) -> list[Shape]:
    return [(tokens, labels) for tokens, labels, count in kinds for _ in range(count)]


def rounded(shapes: list[Shape]) -> list[Shape]:
    return sorted((-(-tokens // 64) * 64, -(-labels // 64) * 64) for tokens, labels in shapes)


def cost_of(sizes: tuple[Shape, ...], shapes: list[Shape]) -> float:
    """What a training of these steps costs by the model: captures, replays, and launches of what no size holds."""
    total = CAPTURE * len(sizes)
    for shape in rounded(shapes):
        size = StepSizes(1, sizes).holding(*shape)
        total += launched_cost(*shape) if size is None else cost(size[0], size[2])
    return total


def cheapest(shapes: list[Shape]) -> float:
    """The least cost of all cuts of the steps into runs, each captured or launched; steps of as many tokens together,
    with the labels of the largest."""
    by_tokens = dict(rounded(shapes))  # the last of each is the largest
    counts = Counter(tokens for tokens, _ in rounded(shapes))
    classes = sorted(by_tokens)
    best = float("inf")
    for cuts in product([False, True], repeat=max(0, len(classes) - 1)):
        ends = [0, *(place for place, cut in enumerate(cuts, start=1) if cut), len(classes)]
        total = 0.0
        for begin, end in pairwise(ends):
            run = classes[begin:end]
            labels = max(by_tokens[tokens] for tokens in run)
            captured = CAPTURE + sum(counts[tokens] for tokens in run) * cost(run[-1], labels)
            total += min(captured, sum(counts[tokens] * launched_cost(tokens, by_tokens[tokens]) for tokens in run))
        best = min(best, total)
    return best


@given(KINDS)
def test_plan_costs_no_more_than_any_cut_into_runs(kinds: list[tuple[int, int, int]]) -> None:
    shapes = steps_of(kinds)
    assert not shapes or cost_of(plan_sizes(shapes), shapes) <= cheapest(shapes) + 1e-6


def test_plan_of_few_steps_is_no_capture() -> None:
    assert plan_sizes([]) == ()
    assert plan_sizes([(1000, 500)] * 2) == ()


def test_plan_of_steps_whose_launches_are_hidden_is_no_capture() -> None:
    assert plan_sizes([(9000, 500)] * 1000) == ()


@pytest.mark.parametrize(("far", "n_sizes"), [(64, 1), (2000, 2)])
def test_plan_shares_a_size_where_padding_costs_less_than_a_capture(far: int, n_sizes: int) -> None:
    assert len(plan_sizes([(2000, 500)] * 50 + [(2000 + far, 500)] * 50)) == n_sizes


@given(KINDS)
def test_size_that_holds_a_step_is_the_first_of_enough_tokens_and_labels(kinds: list[tuple[int, int, int]]) -> None:
    shapes = steps_of(kinds)
    sizes = StepSizes(16, plan_sizes(shapes))
    for tokens, labels in shapes:
        size = sizes.holding(tokens, labels)
        if size is not None:
            assert size[0] >= tokens
            assert size[1] == 16
            assert size[2] >= labels
            assert not any(tokens <= other[0] < size[0] and labels <= other[1] for other in sizes.sizes)
