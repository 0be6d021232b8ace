"""Norms, rotations and gated networks of a model that trains on a GPU, in one kernel per direction each.

Written out operation by operation, an RMS norm is eight kernels and a rotation ten, and as many again backward: at the
few thousand tokens of a step on shared prompts, launching them takes longer than all matrix products. The same
functions of the same numbers: every replacement is tried against the model's own arithmetic, gradients included, and
not made where they differ. The kernels are those of scoring (engines/hf/kernels.py) and the backward one below.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import torch
from torch.nn import functional

_ROTATION = "apply_rotary_pos_emb"  # the name under which transformers' model files have it

_TOLERANCE = 5e-2  # relative, of results and gradients in 16 bits; another function differs by far more

_Forward = Callable[..., Any]
_Verdicts = dict[tuple[Any, ...], bool]  # of trials, by all that makes modules alike


@contextmanager
def fused_blocks(model: Any, precision: torch.dtype) -> Iterator[int]:
    """Within, the model's RMS norms, SiLU-gated networks and rotary embeddings run fused, on CUDA in 16 bits; yields
    how many are replaced. Elsewhere nothing is. precision: what the model computes in."""
    count = 0
    verdicts: _Verdicts = {}
    can = _has_kernels(model) and precision in (torch.bfloat16, torch.float16)
    like = torch.empty(0, dtype=precision, device=model.device)
    with ExitStack() as stack:
        for module in list(model.modules()) if can else ():
            forward = _replacement(module, like, verdicts)
            if forward is not None:
                module.forward = forward
                stack.callback(delattr, module, "forward")
                count += 1
        for source in _rotating(model) if can else ():
            own = getattr(source, _ROTATION)
            if _agrees(own, _rotation(own), _rotation_trial(like)):
                setattr(source, _ROTATION, _rotation(own))
                stack.callback(setattr, source, _ROTATION, own)
                count += 1
        yield count


def _has_kernels(model: Any) -> bool:
    """Whether Triton is there, and the model on CUDA."""
    if model.device.type != "cuda":
        return False
    try:
        import paretune.training.kernels  # noqa: F401
    except ImportError:  # a build of torch without Triton
        return False
    return True


def _replacement(module: Any, like: torch.Tensor, verdicts: _Verdicts) -> _Forward | None:
    """The module's new forward; None where there is none for it."""
    kind = type(module).__name__
    if "forward" in module.__dict__:
        return None
    if kind.endswith("RMSNorm"):
        return _norm(module, like, verdicts)
    if kind.endswith("MLP") and all(hasattr(module, name) for name in ("gate_proj", "up_proj", "down_proj", "act_fn")):
        return _gated(module, like, verdicts)
    return None


def _norm(module: Any, like: torch.Tensor, verdicts: _Verdicts) -> _Forward | None:
    weight, epsilon = getattr(module, "weight", None), getattr(module, "variance_epsilon", getattr(module, "eps", None))
    if not isinstance(weight, torch.Tensor) or weight.dim() != 1 or not isinstance(epsilon, float):
        return None
    if weight.dtype != like.dtype:
        return None
    shape = list(weight.shape)

    def forward(hidden_states: torch.Tensor) -> torch.Tensor:
        return functional.rms_norm(hidden_states, shape, weight, epsilon)

    key = (type(module), shape[0], epsilon, weight.dtype)
    if key not in verdicts:
        verdicts[key] = _agrees(module.forward, forward, [_numbers((6, shape[0]), weight)])
    return forward if verdicts[key] else None


def _gated(module: Any, like: torch.Tensor, verdicts: _Verdicts) -> _Forward | None:
    def forward(x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = module.down_proj(_gate_times(module.gate_proj(x), module.up_proj(x)))
        return result

    activation = type(module.act_fn) if isinstance(module.act_fn, torch.nn.Module) else module.act_fn
    key = (type(module), activation, module.gate_proj.in_features)
    if key not in verdicts:
        verdicts[key] = _agrees(module.forward, forward, [_numbers((4, module.gate_proj.in_features), like)])
    return forward if verdicts[key] else None


def _rotating(model: Any) -> list[ModuleType]:
    """The files of the model's attention classes that rotate by a function of their own."""
    files = {sys.modules[type(module).__module__] for module in model.modules()
             if type(module).__name__.endswith("Attention")}  # fmt: skip
    return [source for source in files if hasattr(source, _ROTATION)]


def _rotation(own: _Forward) -> _Forward:
    """Rotation of queries and keys; what it was not made for goes to the model's own."""

    def rotation(query: Any, key: Any, cos: Any, sin: Any, *args: Any, **kwargs: Any) -> Any:
        usual = cos.dim() == 3 and query.shape[-1] == key.shape[-1] == cos.shape[-1] and query.is_cuda
        if args or kwargs or not usual:
            return own(query, key, cos, sin, *args, **kwargs)
        return _Rotate.apply(query, cos, sin), _Rotate.apply(key, cos, sin)

    return rotation


def _rotation_trial(like: torch.Tensor) -> list[torch.Tensor]:
    angles = _numbers((1, 37, 32), like).float()
    angles = torch.cat([angles, angles], dim=-1)
    return [_numbers((1, 4, 37, 64), like), _numbers((1, 2, 37, 64), like), angles.cos().to(like),
            angles.sin().to(like)]  # fmt: skip


class _Rotate(torch.autograd.Function):  # type: ignore[misc]  # torch gives its class no type
    """x cos + rotate_half(x) sin; backward, the rotation by the opposite angle."""

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        from paretune.engines.hf.kernels import rotate

        ctx.save_for_backward(cos, sin)
        return rotate(states, cos, sin)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        from paretune.engines.hf.kernels import rotate

        cos, sin = ctx.saved_tensors
        return rotate(gradients[0], cos, -sin), None, None


def _gate_times(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """SiLU(gate) * up, any shape."""
    times: torch.Tensor = _GateTimes.apply(gate, up)
    return times


class _GateTimes(torch.autograd.Function):  # type: ignore[misc]  # torch gives its class no type
    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        from paretune.training.kernels import gate_times

        ctx.save_for_backward(gate, up)
        return gate_times(gate.contiguous(), up.contiguous())

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        from paretune.training.kernels import gate_times_backward

        gate, up = ctx.saved_tensors
        return gate_times_backward(gate.contiguous(), up.contiguous(), gradients[0].contiguous())


def _agrees(own: _Forward, new: _Forward, numbers: list[torch.Tensor]) -> bool:
    """Whether a replacement gives the results and the gradients (of the first two numbers) of the model's arithmetic;
    what kernels raise where they do not compile has no common type."""
    try:
        found = []
        for function in (own, new):
            inputs = [item.detach().clone().requires_grad_(number < 2) for number, item in enumerate(numbers)]
            outputs = function(*inputs)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            total = torch.stack([(output.float() * _numbers(tuple(output.shape), output, seed=1).float()).sum()
                                 for output in outputs]).sum()  # fmt: skip
            gradients = torch.autograd.grad(total, [item for item in inputs if item.requires_grad])
            found.append([item.detach().float() for item in (*outputs, *gradients)])
        return all(float((one - other).norm()) <= _TOLERANCE * float(one.norm())
                   for one, other in zip(*found, strict=True))  # fmt: skip
    except Exception:
        return False


def _numbers(shape: tuple[int, ...], like: torch.Tensor, seed: int = 0) -> torch.Tensor:
    made = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=made).to(like.device, like.dtype)
