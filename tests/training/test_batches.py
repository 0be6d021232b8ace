from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.training import sft, trainer
from paretune.training.batches import GpuCollator, LengthGroupedOrder, padded_length
from tests.tiny_models import tiny_model
from tests.training.tiny_training import CONFIG, assert_same, loaded, rows, train, weights

PAD_ID = 2


def examples(*lengths: int) -> list[dict[str, Any]]:
    """Rows whose last token alone has a label."""
    generator = random.Random(sum(lengths))
    made = []
    for length in lengths:
        tokens = [generator.randrange(5, 300) for _ in range(length)]
        made.append({"input_ids": tokens, "labels": [-100] * (length - 1) + tokens[-1:]})
    return made


def plain_collator() -> Any:
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(pad_token_id=PAD_ID)


@given(st.integers(1, 10_000))
def test_padded_length_is_the_next_multiple_of_8_that_is_none_of_64(longest: int) -> None:
    allowed = (places for places in range(longest, longest + 17) if places % 8 == 0 and places % 64 != 0)
    assert padded_length(longest) == next(allowed)


@pytest.mark.parametrize("longest", [3, 57, 64, 65, 120, 128, 192])
def test_collator_adds_places_that_are_masked_and_carry_no_label(longest: int) -> None:
    import torch

    batch = examples(1, longest, 2)
    plain, padded = plain_collator()(batch), GpuCollator(plain_collator(), 2048)(batch)
    assert plain["input_ids"].shape == (3, longest)
    assert padded.keys() == plain.keys()
    for key, filler in (("input_ids", PAD_ID), ("attention_mask", 0), ("labels", -100)):
        assert padded[key].shape == (3, padded_length(longest))
        assert torch.equal(padded[key][:, :longest], plain[key])
        assert bool((padded[key][:, longest:] == filler).all())


@pytest.mark.parametrize(("lengths", "context"), [((64, 64), 2048), ((64,), 2048), ((60, 63), 64), ((60, 64), 64)])
def test_collator_leaves_rows_of_one_length_and_of_the_whole_context(lengths: tuple[int, ...], context: int) -> None:
    assert GpuCollator(plain_collator(), context)(examples(*lengths))["input_ids"].shape[1] == max(lengths)


@pytest.mark.parametrize("kind", ["qwen2", "gemma2"])
def test_collator_changes_neither_loss_nor_gradients(kind: Any) -> None:
    model = tiny_model(kind)
    found = []
    for collator in (plain_collator(), GpuCollator(plain_collator(), 2048)):
        model.zero_grad()
        loss = trainer.answer_loss(model, collator(examples(5, 64, 23)))
        loss.backward()
        found.append((loss.item(), {name: weight.grad.clone() for name, weight in model.named_parameters()}))
    (loss, gradients), (padded_loss, padded_gradients) = found
    assert padded_loss == pytest.approx(loss, rel=1e-6)
    for name, gradient in gradients.items():
        assert float((gradient - padded_gradients[name]).abs().max()) < 1e-5, name


def test_collator_is_for_a_gpu_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from transformers import TrainerCallback

    collator = sft._trainer(loaded(), rows(), CONFIG, tmp_path, TrainerCallback(), print).data_collator
    assert type(collator) is type(plain_collator())
    base = loaded()
    monkeypatch.setattr(type(base.model), "device", property(lambda _: torch.device("cuda")))
    collator = sft._trainer(base, rows(), CONFIG, tmp_path, TrainerCallback(), print).data_collator
    assert collator == GpuCollator(plain_collator(), base.context_tokens)


def batches_of(order: LengthGroupedOrder, size: int) -> list[list[int]]:
    places = list(order)
    return [places[first : first + size] for first in range(0, len(places), size)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=70), st.integers(1, 9), st.integers(0, 3))
def test_order_holds_every_row_once_and_the_longest_first(lengths: list[int], size: int, epoch: int) -> None:
    order = LengthGroupedOrder(lengths, size, seed=1)
    order.set_epoch(epoch)
    found = list(order)
    assert sorted(found) == list(range(len(lengths))) == list(range(len(order)))
    assert lengths[found[0]] == max(lengths)


def test_order_groups_rows_of_similar_length() -> None:
    lengths = random.Random(0).sample(range(100, 1100), 800)
    batches = batches_of(LengthGroupedOrder(lengths, 8, seed=0), 8)
    longest = [max(lengths[row] for row in batch) for batch in batches]
    assert 1 - sum(lengths) / (8 * sum(longest)) < 0.05  # random batches: 0.4
    falls = sum(later < earlier for earlier, later in pairwise(longest))
    assert 0.3 < falls / len(batches) < 0.7  # transformers' own order: nearly 1


def test_order_is_decided_by_seed_and_epoch_alone() -> None:
    import torch

    lengths = random.Random(0).choices(range(3, 90), k=100)
    orders: dict[tuple[int, int], tuple[int, ...]] = {}
    for seed in (1, 2):
        for epoch in (0, 1, 1):
            torch.rand(seed + epoch)
            order = LengthGroupedOrder(lengths, 4, seed * 10)
            order.set_epoch(epoch)
            orders.setdefault((seed, epoch), tuple(order))
            assert orders[seed, epoch] == tuple(order) == tuple(order)
    assert len(set(orders.values())) == 4


def seen_batches(monkeypatch: pytest.MonkeyPatch, folder: Path, **overrides: Any) -> list[list[tuple[int, ...]]]:
    """The batches of a training, each row with its padding off."""
    plain, seen = trainer.answer_loss, []

    def loss_and_look(model: Any, inputs: Any, answer_tokens: Any = None) -> Any:
        masks = inputs["attention_mask"].sum(dim=1).tolist()
        seen.append([tuple(row[:length]) for row, length in zip(inputs["input_ids"].tolist(), masks, strict=True)])
        return plain(model, inputs, answer_tokens)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "answer_loss", loss_and_look)
        train(folder, replace(CONFIG, **overrides))
    return seen


def test_training_grouped_sees_every_row_once_an_epoch_in_new_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = seen_batches(monkeypatch, tmp_path, group_by_length=True)
    assert [len(batch) for batch in seen] == ([2] * 10 + [1]) * 2
    expected = Counter(row.tokens for row in rows())
    first, second = seen[:11], seen[11:]
    assert (
        Counter(row for batch in first for row in batch)
        == Counter(row for batch in second for row in batch)
        == expected
    )
    assert first != second
    order = LengthGroupedOrder([len(row.tokens) for row in rows()], CONFIG.batch_size, CONFIG.seed)
    assert first == [[rows()[place].tokens for place in batch] for batch in batches_of(order, CONFIG.batch_size)]


def test_training_grouped_pads_less_and_differs(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grouped = seen_batches(monkeypatch, tmp_path / "grouped", group_by_length=True)
    plain = seen_batches(monkeypatch, tmp_path / "plain")
    places = [sum(len(batch) * max(map(len, batch)) for batch in batches) for batches in (grouped, plain)]
    assert places[0] < 0.9 * places[1]
    assert_same(weights(tmp_path / "plain"), weights(whole))
    learned, other = weights(whole), weights(tmp_path / "grouped")
    assert max(float((learned[key] - other[key]).abs().max()) for key in learned) > 1e-3
