from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.training.shared_prompts import (
    Layout,
    Row,
    SharedPromptCollator,
    SharedPromptOrder,
    lay_out,
    prompt_groups,
    sharable,
    shared_tokens,
)

TOKENS = st.lists(st.integers(0, 2), min_size=0, max_size=8).map(tuple)


def rows_of(*groups: tuple[int, int], seed: int = 0) -> list[Row]:
    """For each (rows, prompt length): rows that begin alike, with questions and answers of their own."""
    generator = random.Random(seed)
    made: list[Row] = []
    for count, length in groups:
        prompt = tuple(generator.randrange(5, 300) for _ in range(length))
        for _ in range(count):
            question = tuple(generator.randrange(5, 300) for _ in range(generator.randrange(1, 7)))
            made.append(((*prompt, *question, 50, 51, 52), (50, 51, 52)))
    return made


def whole_rows(layout: Layout) -> list[tuple[int, ...]]:
    """The rows that a layout stands for, by the rule of what sees what."""
    segments = [layout.tokens[first:end] for first, end in zip(layout.starts, layout.starts[1:], strict=False)]
    firsts = layout.starts[:-1]
    groups = len(layout.shared_starts) - 1
    assert layout.starts[: groups + 1] == layout.shared_starts
    rows = []
    for first, own in zip(firsts[groups:], segments[groups:], strict=True):
        sharing = first - layout.n_shared
        group = next((g for g in range(groups) if layout.sharing_starts[g] <= sharing < layout.sharing_starts[g + 1]),
                     None)  # fmt: skip
        before = () if group is None else segments[group]
        assert layout.positions[first : first + len(own)] == tuple(range(len(before), len(before) + len(own)))
        rows.append((*before, *own))
    return rows


def test_groups_are_by_tokens_and_keep_a_longer_beginning_apart() -> None:
    rows = rows_of((3, 40), (2, 30), (1, 10))
    start = tuple(range(400, 405))
    prompts = [(*start, *sharable(tokens, len(labels))) for tokens, labels in rows]
    shuffled = random.Random(1).sample(range(len(prompts)), len(prompts))
    found = {frozenset(shuffled[place] for place in group) for group in prompt_groups([prompts[p] for p in shuffled])}
    assert found == {frozenset({0, 1, 2}), frozenset({3, 4}), frozenset({5})}


def test_groups_of_rows_alone_share_the_little_they_can() -> None:
    assert prompt_groups([(1, 2, 9), (1, 2, 8), (7, 7)]) == [[0, 1], [2]]
    assert prompt_groups([]) == []
    assert prompt_groups([(), (), (1,)]) == [[0], [1], [2]]


@given(st.lists(TOKENS, max_size=12))
def test_groups_hold_every_row_once_and_save_tokens(prompts: list[tuple[int, ...]]) -> None:
    groups = prompt_groups(prompts)
    assert sorted(row for group in groups for row in group) == list(range(len(prompts)))
    computed = 0
    for group in groups:
        members = [prompts[row] for row in group]
        shared = shared_tokens(members)
        computed += sum(map(len, members)) - shared * (len(members) - 1)
    assert computed <= sum(map(len, prompts))


@given(st.lists(st.tuples(TOKENS, st.lists(st.integers(0, 2), min_size=1, max_size=4)), min_size=1, max_size=9),
       st.one_of(st.none(), st.integers(1, 30)))  # fmt: skip
def test_layout_stands_for_the_same_rows_and_labels(parts: list[Any], limit: int | None) -> None:
    rows = [((*prompt, *answer), tuple(answer)) for prompt, answer in parts]
    layouts = lay_out(rows, limit)
    assert sorted(row for layout in layouts for row in whole_rows(layout)) == sorted(tokens for tokens, _ in rows)
    labels = [label for layout in layouts for label in layout.labels]
    expected = [label for tokens, answer in rows for label in tokens[max(1, len(tokens) - len(answer)) :]]
    assert sorted(labels) == sorted(expected)
    for layout in layouts:
        for place, label in zip(layout.places, layout.labels, strict=True):
            assert place + 1 not in layout.starts
            assert layout.tokens[place + 1] == label


def test_layout_computes_what_is_shared_once() -> None:
    rows = rows_of((4, 40), (3, 30), (1, 20))
    (layout,) = lay_out(rows)
    saved = 3 * 40 + 2 * 30
    assert sum(len(tokens) for tokens, _ in rows) - saved - 6 <= len(layout.tokens) <= sum(
        len(tokens) for tokens, _ in rows) - saved  # fmt: skip
    assert len(layout.shared_starts) == 3


@pytest.mark.parametrize("limit", [60, 80, 200])
def test_layout_keeps_to_its_limit_of_tokens(limit: int) -> None:
    rows = rows_of((6, 40), (5, 30), (2, 20))
    layouts = lay_out(rows, limit)
    assert all(len(layout.tokens) <= limit for layout in layouts)
    assert len(layouts) == {60: 5, 80: 4, 200: 1}[limit] or len(layouts) < len(rows)


def test_layout_of_equal_prompts_keeps_the_token_that_predicts() -> None:
    (layout,) = lay_out([((1, 2, 3, 10, 11), (10, 11)), ((1, 2, 3, 12, 13), (12, 13))])
    assert layout.tokens == (1, 2, 3, 10, 11, 3, 12, 13)
    assert (layout.places, layout.labels) == ((2, 3, 5, 6), (10, 11, 12, 13))


def test_collator_counts_rows_whole_and_labels_once() -> None:
    rows = rows_of((4, 40), (2, 30))
    batch = SharedPromptCollator(60)(
        [{"input_ids": list(tokens), "labels": [-100] * (len(tokens) - 3) + list(tokens[-3:])} for tokens, _ in rows]
    )
    assert batch["tokens"] == sum(len(tokens) for tokens, _ in rows)
    assert batch["answer_tokens"] == 3 * len(rows) == sum(len(layout["labels"]) for layout in batch["layouts"])
    assert all(layout["input_ids"].shape[1] <= 60 for layout in batch["layouts"])


def order_of(rows: list[Row], *, rows_per_step: int = 8, prompts_per_step: int = 2, seed: int = 0) -> SharedPromptOrder:
    prompts = [sharable(tokens, len(labels)) for tokens, labels in rows]
    return SharedPromptOrder(prompts, [len(tokens) for tokens, _ in rows],
                             rows_per_step=rows_per_step, prompts_per_step=prompts_per_step, seed=seed)  # fmt: skip


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2))
def test_order_holds_every_row_once(counts: list[int], size: int, prompts: int, epoch: int) -> None:
    order = order_of(rows_of(*((count, 10) for count in counts)), rows_per_step=size, prompts_per_step=prompts)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(sum(counts))) == list(range(len(order)))


def test_order_meets_as_many_prompts_per_step_as_asked() -> None:
    rows = rows_of(*((16, 30) for _ in range(8)))
    for prompts in (1, 2, 4, 8):
        places = list(order_of(rows, prompts_per_step=prompts))
        met = [{place // 16 for place in places[first : first + 8]} for first in range(0, len(places), 8)]
        assert max(map(len, met)) <= prompts
        assert sum(map(len, met)) / len(met) > 0.6 * prompts  # two pieces of one group may meet


def test_order_begins_with_the_step_of_most_tokens() -> None:
    rows = rows_of((12, 20), (12, 90), (12, 40))
    places = list(order_of(rows, prompts_per_step=1))
    steps = [lay_out([rows[place] for place in places[first : first + 8]])[0] for first in range(0, 36, 8)]
    assert len(steps[0].tokens) == max(len(step.tokens) for step in steps)


def test_order_is_decided_by_seed_and_epoch_alone() -> None:
    rows = rows_of(*((16, 30) for _ in range(4)))
    orders: dict[tuple[int, int], list[int]] = {}
    for seed in (1, 2):
        for epoch in (0, 1, 1):
            random.random()
            order = order_of(rows, seed=seed)
            order.set_epoch(epoch)
            orders.setdefault((seed, epoch), list(order))
            assert orders[seed, epoch] == list(order) == list(order)
    assert len({tuple(order) for order in orders.values()}) == 4
