"""Norms and gated activations in one pass over memory each, for the length of one scoring.

Written out operation by operation, a norm reads and writes its input half a dozen times, in float32; with batches of
thousands of tokens on a GPU that is as slow as it looks. The same functions: only the rounding differs, towards less
of it. Every replacement is tried against the module's own arithmetic first and not made where they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import torch
from torch.nn import functional

_SILU_TIMES = "template <typename T> T silu_times(T gate, T up) { return gate / (T(1) + exp(-gate)) * up; }"


@contextmanager
def fused_passes(model: Any, *, everywhere: bool = False) -> Iterator[int]:
    """Within, the model's RMS norms and SiLU-gated networks run fused; yields how many of them.

    everywhere: also on the CPU, where it saves little.
    """
    count = 0
    with ExitStack() as stack:
        for module in model.modules():
            forward = _replacement(module, everywhere)
            if forward is not None:
                module.forward = forward
                stack.callback(delattr, module, "forward")
                count += 1
        yield count


def _replacement(module: Any, everywhere: bool) -> Callable[..., torch.Tensor] | None:
    kind = type(module).__name__
    if "forward" in module.__dict__:
        return None
    if kind.endswith("RMSNorm"):
        return _norm(module, everywhere)
    if kind.endswith("MLP") and all(hasattr(module, name) for name in ("gate_proj", "up_proj", "down_proj", "act_fn")):
        return _gated(module, everywhere)
    return None


def _norm(module: Any, everywhere: bool) -> Callable[..., torch.Tensor] | None:
    weight = getattr(module, "weight", None)
    epsilon = getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if not isinstance(weight, torch.Tensor) or weight.dim() != 1 or not isinstance(epsilon, float):
        return None
    if weight.device.type != "cuda" and not everywhere:
        return None
    shape = list(weight.shape)
    with torch.inference_mode():
        trial = _numbers((4, shape[0]), weight.device)
        expected = module(trial).float()  # float32 in, float32 throughout
        if not torch.allclose(
            functional.rms_norm(trial, shape, weight.float(), epsilon), expected, atol=1e-5, rtol=1e-5
        ):
            return None

    def forward(hidden_states: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(hidden_states, shape, weight, epsilon)

    return forward


def _gated(module: Any, everywhere: bool) -> Callable[..., torch.Tensor] | None:
    weight = next(module.parameters())
    device = weight.device
    if (device.type != "cuda" and not everywhere) or not weight.is_floating_point():  # quantised: bytes
        return None
    with torch.inference_mode():
        trial = _numbers((2, 8), device)
        if not torch.allclose(module.act_fn(trial), functional.silu(trial), atol=1e-6, rtol=1e-6):
            return None
    times = _silu_times(device)

    def forward(x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = module.down_proj(times(module.gate_proj(x), module.up_proj(x)))
        return result

    trial = _numbers((2, module.gate_proj.in_features), device).to(weight.dtype)
    with torch.inference_mode():
        expected, found = module(trial).float(), forward(trial).float()
    unit = 1e-5 if trial.dtype == torch.float32 else 3e-2
    return forward if float((found - expected).abs().max()) <= unit * float(expected.abs().max()) else None


def _plain_silu_times(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    return functional.silu(gate).mul_(up)


@cache
def _silu_times(device: torch.device) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """SiLU(gate) * up: on CUDA as one kernel, where torch's own run-time compiler makes it."""
    if device.type != "cuda":
        return _plain_silu_times
    gate, up = (_numbers((64, 72), device).bfloat16() for _ in range(2))
    try:
        compiled: Callable[..., torch.Tensor] = torch.cuda.jiterator._create_jit_fn(_SILU_TIMES)
        found = compiled(gate, up)
    except (RuntimeError, AttributeError):  # a build without it
        return _plain_silu_times
    close = torch.allclose(found.float(), _plain_silu_times(gate, up).float(), atol=2e-2, rtol=2e-2)
    return compiled if close and found.dtype == gate.dtype else _plain_silu_times


def _numbers(shape: tuple[int, ...], device: torch.device) -> torch.Tensor:
    made = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=made).to(device) * 3
