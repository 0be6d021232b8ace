"""Several processes that train one adapter: each computes its rows of every step, and their gradients are summed.

Every process takes the same rows in the same order and makes the same steps of the optimizer, so that weights, log and
checkpoints are those of one process, up to the order of sums. Loss and gradients are divided by what the whole step
holds. The trainer of each process knows of no other: torchrun's variables are taken away before it is built, for it
would wrap the model, whose layouts and fused layers that does not fit.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from paretune.training.batches import NO_LABEL

T = TypeVar("T")

_LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "ROLE_RANK", "ROLE_WORLD_SIZE")


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of one training: the rank-th of count, from 0."""

    rank: int
    count: int

    def own(self, rows: Sequence[T]) -> Sequence[T]:
        """This process's part of a step's rows: neighbours, which may share their prompts.

        >>> [list(Processes(rank, 3).own("abcd")) for rank in range(3)]
        [['a'], ['b'], ['c', 'd']]
        """
        return rows[len(rows) * self.rank // self.count : len(rows) * (self.rank + 1) // self.count]

    def total(self, numbers: torch.Tensor) -> torch.Tensor:
        """The sum over all processes."""
        summed = numbers.clone()
        dist.all_reduce(summed)
        return summed

    def sum_gradients(self, weights: Iterable[torch.Tensor]) -> None:
        """Give every weight the sum of its gradients in all processes."""
        trained = list(weights)
        gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in trained]
        summed = self.total(torch.cat([gradient.flatten() for gradient in gradients]))
        for weight, part in zip(trained, summed.split([one.numel() for one in trained]), strict=True):
            weight.grad = part.view_as(weight)

    def begin_alike(self, weights: Iterable[torch.Tensor]) -> None:
        """Give every process the first one's weights."""
        for weight in weights:
            dist.broadcast(weight.data, 0)

    def wait(self) -> None:
        """Until all are here."""
        dist.barrier()


@contextmanager
def joined(environment: MutableMapping[str, str] = os.environ) -> Iterator[Processes]:
    """Within, this process is one of those that torchrun or `accelerate launch` started."""
    launched = {name: environment.pop(name) for name in _LAUNCHED if name in environment}
    processes = Processes(int(launched["RANK"]), int(launched["WORLD_SIZE"]))
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, "env://", rank=processes.rank, world_size=processes.count)
    try:
        yield processes
    finally:
        dist.destroy_process_group()
        environment.update(launched)


@dataclass(frozen=True, slots=True)
class OwnRows:
    """A collator of whole rows that is given this process's part of a batch. Of a batch with fewer rows than processes
    some get none: they compute the first row, without labels."""

    collator: Any
    processes: Processes

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """What the collator makes of the part."""
        part = list(self.processes.own(examples))
        if not part:
            part = [{**examples[0], "labels": [NO_LABEL] * len(examples[0]["labels"])}]
        return dict(self.collator(part))
