"""Plain LoRA layers with fewer passes over memory, for the length of one scoring.

PEFT computes base, A, B, the scaling and the sum as separate results as wide as the layer's output; on a GPU the last
two cost a third of the layer. Here B's product is added into the base's output by the matrix product itself, in its
accumulator's precision. The same function of the same unmerged weights: only the rounding differs, towards less of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def fused_lora(model: Any) -> Iterator[int]:
    """Within, the model's plain LoRA layers run fused; yields how many.

    Left alone: layers merged, disabled, with several active adapters, quantised, with DoRA or another variant, with a
    bias on B, or whose adapter computes in another precision than the base.
    """
    fused = [layer for layer in model.modules() if _is_plain(layer)] if hasattr(model, "peft_config") else []
    for layer in fused:
        layer.forward = _forward_of(layer)
    try:
        yield len(fused)
    finally:
        for layer in fused:
            del layer.forward


def _is_plain(layer: Any) -> bool:
    from peft.tuners.lora.layer import Linear

    if type(layer) is not Linear or type(layer.base_layer) is not torch.nn.Linear or "forward" in layer.__dict__:
        return False
    if layer.merged or layer.disable_adapters or len(layer.active_adapters) != 1 or layer.fan_in_fan_out:
        return False
    name = layer.active_adapters[0]
    if name not in layer.lora_A or getattr(layer, "lora_variant", {}).get(name) is not None:
        return False
    up, down = layer.lora_B[name], layer.lora_A[name]
    return up.bias is None and down.weight.dtype == up.weight.dtype == layer.base_layer.weight.dtype


def _forward_of(layer: Any) -> Callable[..., torch.Tensor]:
    name = layer.active_adapters[0]
    base, down, up = layer.base_layer, layer.lora_A[name].weight, layer.lora_B[name].weight.t()
    scaling = float(layer.scaling[name])

    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result: torch.Tensor = base(x)
        inner = torch.nn.functional.linear(x, down)
        result.view(-1, result.shape[-1]).addmm_(inner.view(-1, inner.shape[-1]), up, alpha=scaling)
        return result

    return forward
