"""Forward and backward of a step as CUDA graphs, one per size, replayed instead of launched.

A step on shared prompts is a few thousand kernels of some microseconds each; launching them one by one takes two or
three times as long as they run. A graph launches all of them at once, but knows one size only: layouts are padded to
one of the sizes that were planned (step_sizes.py), with a segment of its own for the padding, empty groups and labels
that count for nothing. The first step of a size runs as usual, at the second its graph is captured. All graphs share
one pool of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from paretune.training.fused_adapters import FusedAdapters
from paretune.training.shared_attention import Shared, kernel_fits_as
from paretune.training.shared_prompts import padded
from paretune.training.step_sizes import Size

_ROOM = 1.3  # free memory wanted, as a multiple of what a step needed at most

LossOf = Callable[[Mapping[str, Any], Shared, torch.Tensor], torch.Tensor]  # of a layout, its attention, answer tokens


def shared_of_padded(tensors: Mapping[str, torch.Tensor]) -> Shared:
    """The attention of a padded layout."""
    n_tokens = tensors["input_ids"].shape[1]
    cuts = tensors["starts"], tensors["queries"], tensors["keys"]
    return Shared(*cuts, (n_tokens, n_tokens, n_tokens), 0, n_tokens, n_tokens)


def rows_in(layout: Mapping[str, Any]) -> int:
    """How many rows a layout holds: its segments but the shared ones."""
    return len(layout["starts"]) - len(layout["shared_starts"])


@dataclass(slots=True)
class _Captured:
    graph: Any
    inputs: dict[str, torch.Tensor]
    answer_tokens: torch.Tensor
    loss: torch.Tensor
    gradients: Sequence[torch.Tensor]


class StepGraphs:
    """The graphs of one training. loss_of: what a step computes. Use within `attending_by_layout` and
    `fused_adapters`."""

    def __init__(self, model: Any, adapters: FusedAdapters, loss_of: LossOf) -> None:
        self._model, self._adapters, self._loss_of = model, adapters, loss_of
        self._parameters = [weight for weight in model.parameters() if weight.requires_grad]
        self._seen: set[Size] = set()
        self._captured: dict[Size, _Captured] = {}
        self._pool: Any = None
        self._stream: Any = None
        self._room = 0.0  # bytes of free memory that a capture may need
        self._usable = True

    def loss(self, size: Size, inputs: Mapping[str, torch.Tensor], answer_tokens: int) -> torch.Tensor | None:
        """Loss of a step of one padded layout, its gradients in the weights; None where it is to be computed as usual:
        at the first step of a size, and where graphs cannot be had."""
        if size not in self._captured:
            if self._usable and size in self._seen:
                self._capture(size, inputs)
            self._seen.add(size)
            if size not in self._captured:
                return None
        captured = self._captured[size]
        for name, tensor in inputs.items():
            captured.inputs[name].copy_(tensor)
        captured.answer_tokens.fill_(max(1, answer_tokens))
        captured.graph.replay()
        for weight, gradient in zip(self._parameters, captured.gradients, strict=True):
            weight.grad = gradient
        return captured.loss.clone()

    def _capture(self, size: Size, inputs: Mapping[str, torch.Tensor]) -> None:
        """Capture the graph of a size, unless memory is short or the model does not lend itself to it."""
        held = {name: tensor.clone() for name, tensor in inputs.items()}
        answer_tokens = torch.ones((), device=held["input_ids"].device)

        def compute() -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
            with self._adapters.as_new_leaves() as leaves:
                self._adapters.renew()
                loss = self._loss_of(held, shared_of_padded(held), answer_tokens)
                return loss.detach(), torch.autograd.grad(loss, [leaves[id(weight)] for weight in self._parameters])

        if self._pool is None:
            self._usable = self._fits() and _never_waits(compute)
            self._pool, self._stream = torch.cuda.graph_pool_handle(), torch.cuda.Stream()
        if not self._usable:
            return
        torch.cuda.synchronize()
        if torch.cuda.mem_get_info()[0] < self._room:  # else blocks that the next launched step has to ask for again
            torch.cuda.empty_cache()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(self._stream):
            graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                loss, gradients = compute()
            finally:
                graph.capture_end()
        self._captured[size] = _Captured(graph, held, answer_tokens, loss, gradients)

    def _fits(self) -> bool:
        """Whether memory holds a step twice, and the kernels do what a mask does on a padded layout too."""
        torch.cuda.synchronize()
        self._room = _ROOM * (torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated())
        torch.cuda.empty_cache()
        return (
            torch.cuda.mem_get_info()[0] > self._room
            and self._adapters.covers(self._parameters)
            and kernel_fits_as(self._model, lambda layout: shared_of_padded(padded(layout, _trial_size(layout))))
        )


def _never_waits(compute: Callable[[], Any]) -> bool:
    """Whether a computation asks the device for no number on its way, which a graph cannot: tried once."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        compute()
    except RuntimeError:
        return False
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return True


def _trial_size(layout: Mapping[str, Any]) -> Size:
    rows = rows_in(layout)
    return layout["input_ids"].shape[1] + 37, rows + 3, len(layout["labels"]) + 5
