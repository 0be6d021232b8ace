from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretune.training import sft
from paretune.training.batches import GpuCollator, padded_length
from tests.tiny_models import tiny_model
from tests.training.tiny_training import CONFIG, loaded, rows

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
        loss = sft.answer_loss(model, collator(examples(5, 64, 23)))
        loss.backward()
        found.append((loss.item(), {name: weight.grad.clone() for name, weight in model.named_parameters()}))
    (loss, gradients), (padded_loss, padded_gradients) = found
    assert padded_loss == pytest.approx(loss, rel=1e-6)
    for name, gradient in gradients.items():
        assert float((gradient - padded_gradients[name]).abs().max()) < 1e-5, name


def test_collator_is_for_a_gpu_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from transformers import TrainerCallback

    collator = sft._trainer(loaded(), rows(), CONFIG, tmp_path, TrainerCallback()).data_collator
    assert type(collator) is type(plain_collator())
    base = loaded()
    monkeypatch.setattr(type(base.model), "device", property(lambda _: torch.device("cuda")))
    collator = sft._trainer(base, rows(), CONFIG, tmp_path, TrainerCallback()).data_collator
    assert collator == GpuCollator(plain_collator(), base.context_tokens)
