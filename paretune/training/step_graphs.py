"""Forward and backward of a step as CUDA graphs, one per size, replayed instead of launched.

A step on shared prompts is a few thousand kernels of some microseconds each; launching them one by one takes two or
three times as long as they run. A graph launches all of them at once, but knows one size only: layouts are padded to
one of a few sizes, four per doubling, with a segment of its own for the padding, empty groups and labels that count
for nothing. The first steps of a size run as usual, then its graph is captured. All graphs share one pool of memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from paretune.training.fused_adapters import FusedAdapters
from paretune.training.shared_attention import Shared, kernel_fits_as

_LEAST_TOKENS = 256
_MOST_TOKENS = 8192  # above, kernels run long enough to hide their launches
_LABELS_PER_ROW = 40
_ROOM = 1.3  # free memory wanted, as a multiple of what a step needed at most

Size = tuple[int, int, int]  # tokens, rows, labels
LossOf = Callable[[Mapping[str, Any], Shared, torch.Tensor], torch.Tensor]  # of a layout, its attention, answer tokens


def size_of(n_tokens: int, rows: int, n_labels: int) -> Size | None:
    """The size that a layout is padded to; None where graphs do not pay.

    >>> [size_of(tokens, 16, 500) for tokens in (1000, 2048, 2100, 9000)]
    [(1024, 16, 640), (2048, 16, 640), (2560, 16, 640), None]
    """
    if n_tokens > _MOST_TOKENS:
        return None
    grid = max(_LEAST_TOKENS, 1 << max(0, (n_tokens - 1).bit_length() - 3))
    labels = _LABELS_PER_ROW * rows
    return -(-n_tokens // grid) * grid, rows, -(-max(1, n_labels) // labels) * labels


def padded(layout: Mapping[str, Any], size: Size) -> dict[str, torch.Tensor]:
    """A layout as tensors whose shapes hang on the size alone.

    Segments end with the padding's own and empty ones. All tokens attend across: those that share nothing belong to a
    group without keys, and the keys that no row shares to a group without queries.
    """
    n_tokens, rows, n_labels = size
    real = layout["input_ids"].shape[1]
    device = layout["input_ids"].device
    places, labels = layout["places"], layout["labels"]
    n_shared, n_following = layout["n_shared"], layout["n_shared"] + layout["n_sharing"]

    def filled(start: torch.Tensor, count: int, value: int) -> torch.Tensor:
        return torch.cat([start, start.new_full((count - len(start),), value)])

    def cut(*parts: torch.Tensor | int) -> torch.Tensor:
        return torch.cat([torch.tensor([part], dtype=torch.int32, device=device) if isinstance(part, int) else part
                          for part in parts])  # fmt: skip

    spare = torch.arange(n_labels - len(places), device=device) % real  # no place many times: gradients are added up
    return {
        "input_ids": filled(layout["input_ids"][0], n_tokens, 0)[None],
        "position_ids": torch.cat([layout["position_ids"][0], torch.arange(n_tokens - real, device=device)])[None],
        "places": torch.cat([places, spare]),
        "labels": filled(labels, n_labels, -100),
        "starts": filled(layout["starts"], 2 * rows + 2, n_tokens),
        "queries": cut(0, filled(layout["sharing_starts"] + n_shared, rows + 1, n_following), n_tokens, n_tokens),
        "keys": cut(0, filled(layout["shared_starts"], rows + 1, n_shared), n_shared, n_tokens),
    }


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
        self._seen: Counter[Size] = Counter()
        self._captured: dict[Size, _Captured] = {}
        self._pool: Any = None
        self._usable = True

    def loss(self, size: Size, inputs: Mapping[str, torch.Tensor], answer_tokens: int) -> torch.Tensor | None:
        """Loss of a step of one padded layout, its gradients in the weights; None where it is to be computed as usual:
        at the first step of a size, and where graphs cannot be had."""
        if size not in self._captured:
            self._seen[size] += 1
            if self._usable and self._seen[size] > 1:
                self._capture(size, inputs)
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
            self._pool = torch.cuda.graph_pool_handle()
        if not self._usable:
            return
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            loss, gradients = compute()
        self._captured[size] = _Captured(graph, held, answer_tokens, loss, gradients)

    def _fits(self) -> bool:
        """Whether memory holds a step twice, and the kernels do what a mask does on a padded layout too."""
        torch.cuda.synchronize()
        needed = torch.cuda.max_memory_allocated() - torch.cuda.memory_allocated()
        torch.cuda.empty_cache()
        return (
            torch.cuda.mem_get_info()[0] > _ROOM * needed
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
