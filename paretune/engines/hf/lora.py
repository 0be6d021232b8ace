"""Plain LoRA layers with fewer passes over memory, for the length of one scoring.

PEFT computes base, A, B, the scaling and the sum as separate results as wide as the layer's output; on a GPU the last
two cost a third of the layer. Here B's product is added into the base's output by the matrix product itself, in its
accumulator's precision. On a GPU, layers that share an input (queries, keys and values; gate and up) go further: A's
product with the input is computed once for all of them and laid beside it, B beside the weights, so that one product
gives base and update and no pass over the output is left. The same function of the same unmerged weights: only the
rounding differs, towards less of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from paretune.engines.hf.forward import out_of_memory

_SIBLINGS = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))  # layers of one module with one input
_MULTIPLE = 8  # of the columns of a weight: matrix kernels want rows aligned so


@contextmanager
def fused_lora(model: Any, *, widen: bool | None = None) -> Iterator[int]:
    """Within, the model's plain LoRA layers run fused; yields how many.

    widen: whether layers of one input share its product with A (default: on CUDA). Their base weights then lie in
    memory with B beside them and move back at the end, bit for bit. Left alone: layers merged, disabled, with several
    active adapters, quantised, with DoRA or another variant, with a bias on B, or whose adapter computes in another
    precision than the base.
    """
    adapted = hasattr(model, "peft_config")
    fused = [layer for layer in model.modules() if is_plain(layer)] if adapted else []
    with ExitStack() as stack:
        for group in _siblings(model) if fused else []:
            on_cuda = group[0].base_layer.weight.device.type == "cuda"
            if on_cuda if widen is None else widen:
                _enter_if_it_fits(stack, group)
        for layer in fused:
            if "forward" not in layer.__dict__:
                layer.forward = update_in_place(layer)
                stack.callback(delattr, layer, "forward")
        yield len(fused)


def is_plain(layer: Any) -> bool:
    """Whether a layer is a LoRA layer with one active adapter, unmerged, that computes W x + s B A x and no more."""
    if not type(layer).__module__.startswith("peft."):  # of thousands of modules most are none of PEFT's
        return False
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


def update_in_place(layer: Any) -> Callable[..., torch.Tensor]:
    """A forward for a plain layer that adds the update into the base's output within the product itself."""
    name = layer.active_adapters[0]
    base, down, up = layer.base_layer, layer.lora_A[name].weight, layer.lora_B[name].weight.t()
    scaling = float(layer.scaling[name])

    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result: torch.Tensor = base(x)
        inner = torch.nn.functional.linear(x, down)
        result.view(-1, result.shape[-1]).addmm_(inner.view(-1, inner.shape[-1]), up, alpha=scaling)
        return result

    return forward


def _siblings(model: Any) -> list[list[Any]]:
    """Plain layers that are given one input by their module, two or more together, of one scaling."""
    groups: list[list[Any]] = []
    for module in model.modules():
        children = dict(module.named_children())
        for names in _SIBLINGS:
            group = [children[name] for name in names if name in children and is_plain(children[name])]
            alike = {(layer.scaling[layer.active_adapters[0]], layer.base_layer.in_features) for layer in group}
            if len(group) > 1 and len(alike) == 1:
                groups.append(group)
    return groups


class _WideInput:
    """The layers' common input, (n, width), with its products with all their A beside it."""

    def __init__(self, group: Sequence[Any]) -> None:
        name = group[0].active_adapters[0]
        downs = [layer.lora_A[name].weight.detach() for layer in group]
        rank = sum(map(len, downs))
        downs.append(downs[0].new_zeros((-rank % _MULTIPLE, downs[0].shape[1])))
        self.down = torch.cat(downs).t()
        self._scaling = float(group[0].scaling[name])
        self._n_layers = len(group)
        self._seen: torch.Tensor | None = None
        self._wide: torch.Tensor | None = None
        self._left = 0

    def of(self, x: torch.Tensor) -> torch.Tensor:
        """Computed at the first layer's call, kept until the last one's."""
        wide = self._wide
        if wide is None or self._seen is not x:
            rows = x.reshape(-1, x.shape[-1])
            inner = torch.addmm(rows.new_zeros(1), rows, self.down, beta=0, alpha=self._scaling)
            wide = torch.cat([rows, inner], dim=1)
            self._seen, self._wide, self._left = x, wide, self._n_layers
        self._left -= 1
        if self._left == 0:
            self._seen = self._wide = None
        return wide


def _enter_if_it_fits(stack: ExitStack, group: Sequence[Any]) -> None:
    """Widen the group; where the memory does not hold one more weight, its layers stay as they are."""
    try:
        stack.enter_context(_widened(group))
    except Exception as error:
        if not out_of_memory(error):
            raise


@contextmanager
def _widened(group: Sequence[Any]) -> Iterator[None]:
    """Within, the layers' base weights lie in one piece of memory with their B."""
    source = _WideInput(group)
    begin = 0
    with ExitStack() as stack:
        for layer in group:
            up = layer.lora_B[layer.active_adapters[0]].weight.detach()
            stack.enter_context(_beside(layer, up, begin, source))
            begin += up.shape[1]
        yield


@contextmanager
def _beside(layer: Any, up: torch.Tensor, begin: int, source: _WideInput) -> Iterator[None]:
    base = layer.base_layer
    width = base.in_features
    wide = up.new_zeros((base.out_features, width + source.down.shape[1]))
    wide[:, :width].copy_(base.weight.detach())
    wide[:, width + begin : width + begin + up.shape[1]].copy_(up)
    base.weight.data = wide[:, :width]  # the same numbers; frees the memory they had

    def forward(x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        return torch.nn.functional.linear(source.of(x), wide, base.bias).view(*x.shape[:-1], -1)

    layer.forward = forward
    try:
        yield
    finally:
        del layer.forward
        base.weight.data = wide[:, :width].contiguous()
