from __future__ import annotations

from typing import Any

import pytest
import torch

from paretune.training.shared_attention import attending_by_layout, shared_loss, why_not_shared
from paretune.training.shared_prompts import Row, lay_out, to_tensors
from paretune.training.trainer import answer_loss
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model
from tests.training.test_shared_prompts import rows_of

ROWS = rows_of((4, 30), (3, 25), (2, 4), (1, 12))
WIDE: dict[str, Any] = {"sliding_window": 512}  # no row is longer


def unshared(model: Any, rows: list[Row]) -> torch.Tensor:
    longest = max(len(tokens) for tokens, _ in rows)
    ids, labels = torch.full((len(rows), longest), 2), torch.full((len(rows), longest), -100)
    mask = torch.zeros_like(ids)
    for number, (tokens, answer) in enumerate(rows):
        ids[number, : len(tokens)], mask[number, : len(tokens)] = torch.tensor(tokens), 1
        labels[number, len(tokens) - len(answer) : len(tokens)] = torch.tensor(answer)
    loss: torch.Tensor = answer_loss(model, {"input_ids": ids, "attention_mask": mask, "labels": labels})
    return loss


def gradients(model: Any) -> dict[str, torch.Tensor]:
    found = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("kind", [kind for kind in ARCHITECTURES if kind != "gemma2"])
@pytest.mark.parametrize("limit", [None, 60])
def test_loss_and_gradients_shared_are_those_of_whole_rows(kind: Architecture, limit: int | None) -> None:
    model = add_tiny_adapter(tiny_model(kind, **(WIDE if kind in ("mistral", "gemma3") else {})))
    for weight in model.parameters():
        weight.requires_grad_(True)
    assert why_not_shared(model, 512) is None
    loss = unshared(model, ROWS)
    loss.backward()
    expected = gradients(model)
    layouts = lay_out(ROWS, limit)
    assert len(layouts) > 1 or limit is None
    with attending_by_layout(model):
        losses = [shared_loss(model, to_tensors(layout), 3 * len(ROWS), by_kernel=False) for layout in layouts]
        sum(losses[1:], losses[0]).backward()
    assert float(sum(losses)) == pytest.approx(loss.item(), abs=1e-6 * max(1.0, loss.item()))
    found = gradients(model)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        assert float((found[name] - gradient).norm()) <= 1e-4 * float(gradient.norm()), name


def test_attention_of_the_model_is_its_own_again_afterwards() -> None:
    model = tiny_model("qwen2")
    before = unshared(model, ROWS)
    with attending_by_layout(model):
        pass
    assert model.config._attn_implementation == "sdpa"
    assert bool(unshared(model, ROWS) == before)


@pytest.mark.parametrize(
    ("kind", "overrides", "longest", "reason"),
    [
        ("mistral", {}, 8, "the model's window of 7 tokens is shorter than the longest row"),
        ("gemma3", {}, 8, "the model's window of 7 tokens is shorter than the longest row"),
        ("gemma2", {}, 5, "the model caps its attention's logits"),
        ("llama", {"attention_dropout": 0.1}, 5, "the model's attention_dropout is not 0"),
    ],
)
def test_model_that_cannot_share_is_told_why(kind: Any, overrides: Any, longest: int, reason: str) -> None:
    assert why_not_shared(tiny_model(kind, **overrides), longest) == reason


def test_model_that_computes_a_layout_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llama")
    inner = model.model.forward
    monkeypatch.setattr(model.model, "forward", lambda **inputs: inner(**{**inputs, "position_ids": None}))
    assert why_not_shared(model, 20) == "the model computes other logits for a layout"
    monkeypatch.setattr(model.model, "forward", lambda input_ids: inner(input_ids=input_ids))
    reason = why_not_shared(model, 20)
    assert reason is not None
    assert reason.startswith("the model does not take a layout (TypeError: ")
