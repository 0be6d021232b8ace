from __future__ import annotations

from typing import Any

import pytest
import torch

from paretune.training.fused_adapters import fused_adapters
from tests.tiny_models import ARCHITECTURES, Architecture, add_tiny_adapter, tiny_model

IDS = torch.randint(5, 300, (3, 12), generator=torch.Generator().manual_seed(1))


def step(model: Any) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    torch.manual_seed(3)
    loss = model(input_ids=IDS, labels=IDS).loss
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_equal_steps(one: tuple[float, Any], other: tuple[float, Any], within: float) -> None:
    assert one[0] == pytest.approx(other[0], rel=within)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        assert float((other[1][name] - gradient).norm()) <= within * float(gradient.norm()), name


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_fused_loss_and_gradients_are_pefts(kind: Architecture) -> None:
    model = add_tiny_adapter(tiny_model(kind)).train()
    expected = step(model)
    with fused_adapters(model, torch.float32) as fused:
        assert len(fused) == 7 * model.config.num_hidden_layers
        assert_equal_steps(expected, step(model), 1e-5)
    assert not [module for module in model.modules() if "forward" in module.__dict__]
    assert_equal_steps(expected, step(model), 1e-7)


def test_fused_under_gradient_checkpointing_is_the_same() -> None:
    model = add_tiny_adapter(tiny_model("qwen2")).train()
    expected = step(model)
    model.enable_input_require_grads()
    model.base_model.model.gradient_checkpointing_enable()
    with fused_adapters(model, torch.float32):
        assert_equal_steps(expected, step(model), 1e-5)


def test_fused_with_dropout_draws_pefts_masks() -> None:
    model = add_tiny_adapter(tiny_model("llama"), targets=["v_proj", "down_proj"]).train()
    for module in model.modules():
        if hasattr(module, "lora_dropout"):
            module.lora_dropout["default"] = torch.nn.Dropout(0.3)
    expected = step(model)
    with fused_adapters(model, torch.float32) as fused:
        assert len(fused) == 4
        assert_equal_steps(expected, step(model), 1e-5)


def test_fused_in_16_bits_stays_near_float32_and_follows_the_masters() -> None:
    model = add_tiny_adapter(tiny_model("qwen2")).train()
    expected = step(model)
    half = add_tiny_adapter(tiny_model("qwen2").bfloat16()).train()
    for name, weight in half.named_parameters():
        if "lora_" in name:
            weight.data = weight.data.float()
    with fused_adapters(half, torch.bfloat16) as fused:
        assert_equal_steps(expected, step(half), 0.08)
        changed = step(half)
        for name, weight in half.named_parameters():
            if "lora_B" in name:
                weight.data.mul_(2.0)
        assert step(half)[0] == changed[0]
        fused.renew()
        assert step(half)[0] != changed[0]
        assert all(gradient.dtype == torch.float32 for gradient in changed[1].values())


def test_fused_leaves_alone_what_is_not_plain() -> None:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, target_modules=["q_proj", "k_proj"], use_dora=True, task_type="CAUSAL_LM")
    model = get_peft_model(tiny_model("qwen2"), config).train()
    expected = step(model)
    with fused_adapters(model, torch.float32) as fused:
        assert len(fused) == 0
        assert_equal_steps(expected, step(model), 1e-7)


def test_fused_on_4_bit_weights_is_pefts() -> None:
    bitsandbytes = pytest.importorskip("bitsandbytes")
    model = tiny_model("qwen2", hidden_size=64, intermediate_size=64)
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            packed = bitsandbytes.nn.Linear4bit(module.in_features, module.out_features, bias=module.bias is not None,
                                                compute_dtype=torch.float32, quant_type="nf4")  # fmt: skip
            packed.weight = bitsandbytes.nn.Params4bit(module.weight.data, requires_grad=False, quant_type="nf4")
            packed.bias = module.bias
            model.set_submodule(name, packed.to("cpu"))
    model.is_loaded_in_4bit = True
    adapted = add_tiny_adapter(model).train()
    expected = step(adapted)
    with fused_adapters(adapted, torch.float32) as fused:
        assert len(fused) == 14
        assert_equal_steps(expected, step(adapted), 1e-4)
