"""LoRA layers that are trained together with their projections, in the precision of the base.

PEFT computes base, A, B, scaling and sum one after another, A and B in float32 with a copy of the layer's input and
output in each direction: three quarters of a training step on a GPU are such copies and small kernels. Here each layer
is one function with a backward pass of its own. Its low-rank products are computed in the base's precision from copies
of the float32 master weights that are renewed once a step; the update is added by the matrix product itself, in its
accumulator. Layers that are given one input (queries, keys and values; gate and up) share their product with A, and
the gradient of their input is one sum. The gradients arrive at the masters, so optimizer, clipping, checkpoints and
the adapter on disk are PEFT's and the trainer's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn import functional

_SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))  # layers of one module with one input


class FusedAdapters:
    """The fused layers of one model. `renew` before each forward pass after an optimizer step."""

    def __init__(self, groups: Sequence[_Group]) -> None:
        self._groups = groups
        self._copies = [copy for group in groups for copy in (*group.down_parts, *group.ups)]
        self._masters = [master for group in groups for master in (*group.down_masters, *group.up_masters)]
        self._scaled = [copy for group in groups for copy in group.down_parts]
        self._scalings = [scaling for group in groups for scaling in group.scalings]

    def __len__(self) -> int:
        """How many layers are fused."""
        return sum(len(group.layers) for group in self._groups)

    def covers(self, weights: Sequence[Any]) -> bool:
        """Whether these weights are the fused layers' masters, all of them and no more."""
        return set(map(id, weights)) == set(map(id, self._masters))

    @contextmanager
    def off(self) -> Iterator[None]:
        """Within, the layers compute their projections alone: the base model."""
        for group in self._groups:
            group.is_off = True
        try:
            yield
        finally:
            for group in self._groups:
                group.is_off = False

    @contextmanager
    def as_new_leaves(self) -> Iterator[dict[int, torch.Tensor]]:
        """Within, gradients arrive at new tensors over the masters' numbers, by the id of each master: a graph that is
        captured must not depend on the stream on which a weight was first differentiated."""
        leaves = {id(master): master.detach().requires_grad_() for master in self._masters}
        kept = [(group.down_masters, group.up_masters) for group in self._groups]
        for group in self._groups:
            group.down_masters = [leaves[id(master)] for master in group.down_masters]
            group.up_masters = [leaves[id(master)] for master in group.up_masters]
        try:
            yield leaves
        finally:
            for group, (downs, ups) in zip(self._groups, kept, strict=True):
                group.down_masters, group.up_masters = downs, ups

    def renew(self) -> None:
        """Copy the master weights into the precision that is computed in."""
        if self._copies:
            with torch.no_grad():
                torch._foreach_copy_(self._copies, [master.detach() for master in self._masters])
                torch._foreach_mul_(self._scaled, self._scalings)


@contextmanager
def fused_adapters(model: Any, precision: torch.dtype) -> Iterator[FusedAdapters]:
    """Within, the plain LoRA layers of the model run fused, computing in `precision` (the base's).

    Left alone, and computed by PEFT: layers merged, disabled, with several active adapters, with DoRA or another
    variant, with a bias on B, and 8-bit ones.
    """
    groups = [_Group(layers, precision) for layers in _grouped(model)]
    for group in groups:
        for number, layer in enumerate(group.layers):
            layer.forward = group.forward_of(number)
    fused = FusedAdapters(groups)
    fused.renew()
    try:
        yield fused
    finally:
        for group in groups:
            for layer in group.layers:
                del layer.forward


def _grouped(model: Any) -> list[list[Any]]:
    """Layers that can be fused, those of one input together. Dropout draws a mask for each layer: they stay apart."""
    groups: list[list[Any]] = []
    seen: set[int] = set()
    for module in model.modules():
        children = dict(module.named_children())
        for names in _SIBLINGS:
            layers = [children[name] for name in names if name in children and _is_plain(children[name])]
            if len(layers) > 1 and not any(_dropout(layer) for layer in layers):
                groups.append(layers)
                seen.update(map(id, layers))
    groups.extend([module] for module in model.modules() if id(module) not in seen and _is_plain(module))
    return groups


def _is_plain(layer: Any) -> bool:
    """Whether a layer computes W x + s B A x with one active adapter and no more, on weights that are known here."""
    if not type(layer).__module__.startswith("peft.tuners.lora") or "forward" in layer.__dict__:
        return False
    if type(layer).__name__ not in ("Linear", "Linear4bit") or _weight_of(layer.base_layer) is None:
        return False
    if layer.merged or layer.disable_adapters or len(layer.active_adapters) != 1:
        return False
    name = layer.active_adapters[0]
    if getattr(layer, "fan_in_fan_out", False) or name not in layer.lora_A:
        return False
    return getattr(layer, "lora_variant", {}).get(name) is None and layer.lora_B[name].bias is None


def _weight_of(base: Any) -> Callable[[torch.dtype], torch.Tensor] | None:
    """How to get the (out_features, in_features) weight in a precision; None for layers of another kind."""
    if type(base) is torch.nn.Linear:
        return lambda precision: base.weight
    if type(base).__name__ == "Linear4bit" and type(base).__module__.startswith("bitsandbytes"):
        from bitsandbytes.functional import dequantize_4bit

        def unpacked(precision: torch.dtype) -> torch.Tensor:
            weight: torch.Tensor = dequantize_4bit(base.weight.data, base.weight.quant_state)
            return weight.to(precision)

        return unpacked
    return None


def _dropout(layer: Any) -> float:
    return float(getattr(layer.lora_dropout[layer.active_adapters[0]], "p", 0.0))


class _Group:
    """Layers that are given one input: their weights, and their outputs from the first layer's call to the last's."""

    def __init__(self, layers: Sequence[Any], precision: torch.dtype) -> None:
        names = [layer.active_adapters[0] for layer in layers]
        self.layers = layers
        self.precision = precision
        self.weights = [_weight_of(layer.base_layer) for layer in layers]
        self.biases = [layer.base_layer.bias for layer in layers]
        self.scalings = [float(layer.scaling[name]) for layer, name in zip(layers, names, strict=True)]
        self.down_masters = [layer.lora_A[name].weight for layer, name in zip(layers, names, strict=True)]
        self.up_masters = [layer.lora_B[name].weight for layer, name in zip(layers, names, strict=True)]
        self.ranks = [len(master) for master in self.down_masters]
        first = self.down_masters[0]
        self.down = torch.empty((sum(self.ranks), first.shape[1]), dtype=precision, device=first.device)  # scaled
        self.down_parts = self.down.split(self.ranks)
        self.ups = [torch.empty_like(master, dtype=precision) for master in self.up_masters]
        self.is_off = False
        self._seen: torch.Tensor | None = None
        self._outputs: list[torch.Tensor | None] = []

    def weight(self, number: int) -> torch.Tensor:
        """(out_features, in_features), unpacked where it is quantised."""
        get = self.weights[number]
        assert get is not None
        return get(self.precision)

    def forward_of(self, number: int) -> Callable[..., torch.Tensor]:
        """The forward of one of the layers."""
        layer = self.layers[number]
        dropout = layer.lora_dropout[layer.active_adapters[0]] if _dropout(layer) else None

        def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
            if self.is_off:
                bias = _cast(self.biases[number], self.precision)
                return functional.linear(x.to(self.precision), self.weight(number), bias)
            if self._seen is not x or self._outputs[number] is None:
                states = x.to(self.precision)
                dropped = None if dropout is None else dropout(states)
                outputs = _Fused.apply(states, dropped, self, *self.down_masters, *self.up_masters)
                self._seen, self._outputs = x, list(outputs)
            found, self._outputs[number] = self._outputs[number], None
            if not any(output is not None for output in self._outputs):
                self._seen = None
            assert found is not None
            return found

        return forward


class _Fused(torch.autograd.Function):  # type: ignore[misc]  # torch gives its class no type
    """Outputs of all layers of a group; `masters` are their A, then their B, for the gradients alone."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, dropped: torch.Tensor | None, group: _Group,
                *masters: torch.Tensor) -> tuple[torch.Tensor, ...]:  # fmt: skip
        rows = x.reshape(-1, x.shape[-1])
        into = rows if dropped is None else dropped.reshape(rows.shape)
        inner = functional.linear(into, group.down)
        outputs = []
        for number, part in enumerate(inner.split(group.ranks, dim=1)):
            output = functional.linear(rows, group.weight(number), _cast(group.biases[number], rows.dtype))
            output.addmm_(part, group.ups[number].t())
            outputs.append(output.view(*x.shape[:-1], -1))
        ctx.save_for_backward(into, inner)
        ctx.group, ctx.shape = group, x.shape
        ctx.set_materialize_grads(False)
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        into, inner = ctx.saved_tensors
        group = ctx.group
        by_row = [None if grad is None else grad.reshape(len(into), -1) for grad in gradients]
        inner_gradient = torch.cat(
            [into.new_zeros((len(into), rank)) if grad is None else grad @ up
             for grad, up, rank in zip(by_row, group.ups, group.ranks, strict=True)], dim=1,
        ) if len(by_row) > 1 else by_row[0] @ group.ups[0]  # fmt: skip
        downs = (inner_gradient.t() @ into).float().split(group.ranks)
        if any(scaling != 1.0 for scaling in group.scalings):
            downs = [down * scaling for down, scaling in zip(downs, group.scalings, strict=True)]
        ups = [None if grad is None else (grad.t() @ part).float()
               for grad, part in zip(by_row, inner.split(group.ranks, dim=1), strict=True)]  # fmt: skip
        of_x = of_dropped = None
        if ctx.needs_input_grad[0]:
            for number, grad in enumerate(by_row):
                if grad is not None:
                    weight = group.weight(number)
                    of_x = grad @ weight if of_x is None else of_x.addmm_(grad, weight)
        if ctx.needs_input_grad[1]:
            of_dropped = (inner_gradient @ group.down).view(ctx.shape)
        elif of_x is not None:
            of_x.addmm_(inner_gradient, group.down)
        return (None if of_x is None else of_x.view(ctx.shape), of_dropped, None, *downs, *ups)


def _cast(bias: torch.Tensor | None, precision: torch.dtype) -> torch.Tensor | None:
    return None if bias is None else bias.to(precision)
