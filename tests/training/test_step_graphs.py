"""Layouts padded to a size: the loss and the gradients of the layout itself. Graphs need a GPU, which is not here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from paretune.training.shared_attention import Shared, attending_by_layout, loss_at, shared_loss
from paretune.training.shared_prompts import SharedPromptCollator, lay_out, padded, to_tensors
from paretune.training.step_graphs import rows_in, shared_of_padded
from paretune.training.step_sizes import StepSizes
from tests.tiny_models import add_tiny_adapter, tiny_model
from tests.training.test_shared_prompts import rows_of

ROWS = rows_of((4, 30), (3, 25), (1, 12))


def with_mask(shared: Shared) -> Shared:
    """The same, with the pairs that the kernels' two passes let see written out."""
    n_tokens = int(shared.starts[-1])
    mask = torch.zeros((n_tokens, n_tokens), dtype=torch.bool)
    for begin, end in zip(shared.starts, shared.starts[1:], strict=False):
        mask[begin:end, begin:end] = torch.ones((int(end - begin),) * 2, dtype=torch.bool).tril()
    queries, keys = shared.queries + shared.first, shared.keys
    for place in range(len(queries) - 1):
        mask[queries[place] : queries[place + 1], keys[place] : keys[place + 1]] = True
    return replace(shared, mask=mask)


def gradients(model: Any) -> list[torch.Tensor]:
    found = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    model.zero_grad()
    return found


@pytest.mark.parametrize("rows", [ROWS, ROWS[:4], ROWS[6:], ROWS[7:]])
@pytest.mark.parametrize("room", [0, 1, 83])
def test_padded_layout_has_the_loss_and_gradients_of_the_layout(rows: Any, room: int) -> None:
    model = add_tiny_adapter(tiny_model("qwen2"))
    layout = to_tensors(lay_out(rows)[0])
    size = layout["input_ids"].shape[1] + room, len(ROWS), len(layout["labels"]) + room
    assert rows_in(layout) == len(rows)
    tensors = padded(layout, size)
    assert {name: tensor.shape[-1] for name, tensor in tensors.items()} == {
        "input_ids": size[0], "position_ids": size[0], "places": size[2], "labels": size[2],
        "starts": 2 * len(ROWS) + 2, "queries": len(ROWS) + 4, "keys": len(ROWS) + 4,
    }  # fmt: skip
    with attending_by_layout(model):
        expected = shared_loss(model, layout, 3 * len(rows), by_kernel=False)
        expected.backward()
        of_layout = gradients(model)
        loss = loss_at(model, tensors, with_mask(shared_of_padded(tensors)), 3 * len(rows))
        loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert of_layout
    for found, wanted in zip(gradients(model), of_layout, strict=True):
        assert float((found - wanted).norm()) <= 1e-5 * float(wanted.norm())


def test_collator_pads_steps_that_a_planned_size_holds_and_no_others() -> None:
    examples = [{"input_ids": list(tokens), "labels": [-100] * (len(tokens) - 3) + list(tokens[-3:])}
                for tokens, _ in ROWS]  # fmt: skip
    batch = SharedPromptCollator(500, StepSizes(8, ((64, 64), (192, 64))))(examples)
    assert batch["size"] == (192, 8, 64)
    assert batch["padded"]["input_ids"].shape == (1, 192)
    for collator in (SharedPromptCollator(500, StepSizes(8, ((64, 64),))), SharedPromptCollator(60, StepSizes(8, ())),
                     SharedPromptCollator(500)):  # fmt: skip
        assert collator(examples).keys() == {"layouts", "tokens", "answer_tokens", "compared_tokens"}
