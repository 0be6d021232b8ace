"""One pass over memory gives what the written-out operations give."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from paretune.engines.hf.fused import fused_lora, fused_passes
from tests.engines.hf.test_lora import logits
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
# Two layers of two norms and one network, and a last norm; qwen3 adds two norms a layer. Gemma's norms multiply by one
# more than their weight and its activation is GELU: nothing there may be replaced.
_REPLACED = {"llama": 7, "smollm2": 7, "mistral": 7, "qwen2": 7, "qwen3": 11, "gemma2": 0, "gemma3": 0}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_fused_passes_equals_the_model_and_leaves_no_trace(architecture: Architecture) -> None:
    tuned = add_tiny_adapter(tiny_model(architecture))
    expected = logits(tuned)
    with fused_passes(tuned, everywhere=True) as count, fused_lora(tuned, widen=True):
        assert count == _REPLACED[architecture]
        assert float((logits(tuned) - expected).abs().max()) < 1e-4
    assert not any("forward" in module.__dict__ for module in tuned.modules())


def test_fused_passes_adapted_networks_leave_nothing_to_fused_lora_but_the_rest() -> None:
    tuned = add_tiny_adapter(tiny_model("qwen2"))
    with fused_passes(tuned, everywhere=True), fused_lora(tuned, widen=True) as count:
        assert count == 14 - 4  # gate and up of both layers are the networks' own


def test_fused_passes_rotation_is_replaced_and_put_back() -> None:
    from transformers.models.qwen2 import modeling_qwen2

    before = modeling_qwen2.apply_rotary_pos_emb
    with fused_passes(tiny_model("qwen2"), everywhere=True):
        assert modeling_qwen2.apply_rotary_pos_emb is not before
        query, angles = torch.randn(1, 2, 5, 8), torch.randn(1, 5, 8)
        found = modeling_qwen2.apply_rotary_pos_emb(query, query[:, :1], angles, angles.cos(), unsqueeze_dim=1)
        for turned, expected in zip(found, before(query, query[:, :1], angles, angles.cos()), strict=True):
            torch.testing.assert_close(turned, expected)
    assert modeling_qwen2.apply_rotary_pos_emb is before


def test_fused_passes_other_rotation_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.qwen2 import modeling_qwen2

    def odd(query: Any, key: Any, cos: Any, sin: Any) -> Any:
        return query * cos[:, None], key * sin[:, None]

    monkeypatch.setattr(modeling_qwen2, "apply_rotary_pos_emb", odd)
    with fused_passes(tiny_model("qwen2"), everywhere=True):
        assert modeling_qwen2.apply_rotary_pos_emb is odd


def test_fused_passes_networks_alike_but_for_their_activation_are_told_apart() -> None:
    model = tiny_model("llama")
    model.model.layers[1].mlp.act_fn = torch.nn.GELU()
    with fused_passes(model, everywhere=True) as count:
        assert count == _REPLACED["llama"] - 1
        assert "forward" not in model.model.layers[1].mlp.__dict__


def test_fused_passes_on_the_cpu_replaces_nothing() -> None:
    with fused_passes(tiny_model("llama")) as count:
        assert count == 0


def test_fused_passes_norm_with_a_mind_of_its_own_is_left_alone() -> None:
    class OddRMSNorm(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.eps = torch.nn.Parameter(torch.ones(16)), 1e-6

        def forward(self, x: Any) -> Any:
            return self.weight * x / x.abs().mean(-1, keepdim=True)

    with fused_passes(OddRMSNorm(), everywhere=True) as count:
        assert count == 0


@on_cuda
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_fused_passes_on_a_gpu_stays_near_the_model(dtype: torch.dtype) -> None:
    model = tiny_model("qwen2").to("cuda", dtype)
    tokens = torch.arange(3, 40, device="cuda")[None]
    with torch.inference_mode():
        expected = model(tokens).logits.float()
        with fused_passes(model) as count:
            assert count == 7
            found = model(tokens).logits.float()
    limit = 1e-4 if dtype == torch.float32 else 0.05 * float(expected.abs().max())
    assert float((found - expected).abs().max()) < limit
