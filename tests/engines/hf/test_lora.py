from __future__ import annotations

from typing import Any

import pytest

from paretune.engines.hf.fused import fused_lora
from tests.tiny_models import add_tiny_adapter, tiny_model


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.arange(3, 40)[None]).logits


@pytest.mark.parametrize("widen", [False, True])
def test_fused_lora_equals_peft_and_leaves_no_trace(widen: bool) -> None:
    tuned = add_tiny_adapter(tiny_model("qwen2"))
    expected = logits(tuned)
    with fused_lora(tuned, widen=widen) as count:
        assert count == 14  # 2 layers of 7
        assert float((logits(tuned) - expected).abs().max()) < 1e-4
    assert not any("forward" in module.__dict__ for module in tuned.modules())
    assert bool((logits(tuned) == expected).all())


@pytest.mark.parametrize("widen", [False, True])
def test_fused_lora_uses_the_active_adapter_and_its_scale(widen: bool) -> None:
    from peft.helpers import rescale_adapter_scale

    tuned = add_tiny_adapter(add_tiny_adapter(tiny_model("qwen2"), name="first"), name="second", seed=5)
    for name in ("first", "second"):
        tuned.set_adapter(name)
        with rescale_adapter_scale(tuned, 0.3):
            expected = logits(tuned)
            with fused_lora(tuned, widen=widen) as count:
                assert count == 14
                assert float((logits(tuned) - expected).abs().max()) < 1e-4


def test_fused_lora_other_layers_are_left_alone() -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    dora = get_peft_model(tiny_model("qwen2"), LoraConfig(r=4, target_modules=["q_proj"], use_dora=True)).eval()
    with fused_lora(dora) as count:
        assert count == 0
    mixed = add_tiny_adapter(tiny_model("qwen2").to(torch.bfloat16))  # PEFT keeps the adapter in float32
    with fused_lora(mixed) as count:
        assert count == 0
    disabled = add_tiny_adapter(tiny_model("qwen2"))
    with disabled.disable_adapter(), fused_lora(disabled) as count:
        assert count == 0
    disabled.merge_adapter()
    with fused_lora(disabled) as count:
        assert count == 0
    with fused_lora(tiny_model("llama")) as count:
        assert count == 0


@pytest.mark.parametrize("widen", [False, True])
def test_fused_lora_error_within_restores_the_layers(widen: bool) -> None:
    tuned = add_tiny_adapter(tiny_model("qwen2"))
    weights = {name: weight.clone() for name, weight in tuned.state_dict().items()}
    with pytest.raises(KeyboardInterrupt), fused_lora(tuned, widen=widen):
        raise KeyboardInterrupt
    assert not any("forward" in module.__dict__ for module in tuned.modules())
    assert all(weight.is_contiguous() and weight.equal(weights[name]) for name, weight in tuned.state_dict().items())


def test_fused_lora_no_memory_to_widen_runs_fused_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def exhausted(layer: Any, *_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    tuned = add_tiny_adapter(tiny_model("qwen2"))
    expected = logits(tuned)
    monkeypatch.setattr("paretune.engines.hf.fused._beside", exhausted)
    with fused_lora(tuned, widen=True) as count:
        assert count == 14
        assert float((logits(tuned) - expected).abs().max()) < 1e-4
    assert not any("forward" in module.__dict__ for module in tuned.modules())


def test_fused_lora_widened_some_layers_of_an_input_adapted_or_of_odd_rank_equals_peft() -> None:
    from peft import LoraConfig, get_peft_model

    targets = ["q_proj", "v_proj", "up_proj", "down_proj"]  # keys and gate stay plain
    config = LoraConfig(r=3, lora_alpha=5, target_modules=targets, init_lora_weights=False)
    tuned = get_peft_model(tiny_model("qwen2"), config).eval()
    expected = logits(tuned)
    with fused_lora(tuned, widen=True) as count:
        assert count == 8
        assert float((logits(tuned) - expected).abs().max()) < 1e-4


def test_fused_lora_widened_layers_of_different_scaling_equal_peft() -> None:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", alpha_pattern={"k_proj": 2, "gate_proj": 1},
                        task_type="CAUSAL_LM", init_lora_weights=False)  # fmt: skip
    tuned = get_peft_model(tiny_model("llama"), config).eval()
    expected = logits(tuned)
    with fused_lora(tuned, widen=True):
        assert float((logits(tuned) - expected).abs().max()) < 1e-4
