"""The last decoder layer only where its output is read.

Every other layer is needed at every place, for the keys and values of the next one. Of the last layer a prefix needs
keys and values alone, and a question the rest (attention, output projection, network) at the few places that predict
an option's token: one a question for letters. The model's own layer is called as it is, twice: first with a cache
that takes the keys and values of all places and breaks the call off there, then at the read places with a cache that
gives those keys and values. Nothing of an architecture is written again here.

This holds where places meet in attention alone, by the cache, which packing questions into one row needs anyway.
What the layer is given must be understood; else it runs as usual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer

from paretune.engines.hf.attention import DeviceParts
from paretune.engines.hf.packing import Integers


@dataclass(frozen=True, slots=True)
class LastReads:
    """The places of a batch whose outputs are read, beside the weights.

    index: (n_rows, most_reads) token in its row; rows with fewer reads are filled up with the row's first token.
    places: (n_places,) index of each output wanted into the flattened index. parts: the reads of each part, where
    attention is by parts (then n_rows is 1).
    """

    index: torch.Tensor
    places: torch.Tensor
    parts: DeviceParts | None = None


@dataclass(slots=True)
class Narrowed:
    """Whether the last forward's output is that of the reads alone, (n_rows, most_reads, width)."""

    applied: bool = False


def find(decoder: Any, config: Any) -> Any | None:
    """The decoder's last layer, if it is one whose attention writes keys and values to the cache as the last one."""
    layers = getattr(decoder, "layers", None)
    if not isinstance(layers, torch.nn.ModuleList) or len(layers) != getattr(config, "num_hidden_layers", None):
        return None
    attention = getattr(layers[-1], "self_attn", None)
    return layers[-1] if getattr(attention, "layer_idx", None) == len(layers) - 1 else None


def reads_by_row(places: Integers, n_rows: int, row_length: int) -> tuple[Integers, Integers]:
    """index and places as in `LastReads`, of (n_places,) flat places in rows of row_length.

    >>> index, places = reads_by_row(np.array([1, 6, 7]), 2, 5)
    >>> index.tolist(), places.tolist()
    ([[1, 0], [1, 2]], [0, 2, 3])
    """
    row, column = np.divmod(places, row_length)
    counts = np.bincount(row, minlength=n_rows)
    order = np.empty_like(row)
    by_row = np.argsort(row, kind="stable")
    order[by_row] = np.arange(len(row)) - (np.cumsum(counts) - counts)[row[by_row]]
    index = np.zeros((n_rows, counts.max()), dtype=np.int64)
    index[row, order] = column
    return index, row * index.shape[1] + order


@contextmanager
def keys_only(layer: Any) -> Iterator[None]:
    """Within, the layer puts its keys and values into the cache and computes nothing else; its output means nothing."""
    before = layer.forward

    def forward(*args: Any, **kwargs: Any) -> Any:
        cache = kwargs.get("past_key_values")
        try:
            hidden = _only_input(args)
            if not isinstance(cache, Cache):
                raise _NotUnderstoodError
            own = _own_keys(before, hidden, kwargs)
        except _NotUnderstoodError:
            return before(*args, **kwargs)
        cache.update(own.keys, own.values, own.layer_index)
        return hidden

    with replaced_forward(layer, forward):
        yield


@contextmanager
def reads_only(layer: Any, reads: LastReads, keys: DynamicLayer | None) -> Iterator[Narrowed]:
    """Within, the layer's output is computed at the reads alone; what is yielded says whether it was.

    keys: makes what the reads attend to of the layer's own keys and values (puts the prefix before them); None: those
    themselves.
    """
    before = layer.forward
    narrowed = Narrowed()

    def forward(*args: Any, **kwargs: Any) -> Any:
        narrowed.applied = False
        try:
            hidden = _only_input(args)
            at_reads = _at_reads(kwargs, reads, hidden.shape[1])
            own = _own_keys(before, hidden, kwargs)
            own.layer = keys
            found = before(_taken(hidden, reads.index, hidden.shape[1]), **at_reads, past_key_values=own)
        except _NotUnderstoodError:
            return before(*args, **kwargs)
        narrowed.applied = True
        return found

    with replaced_forward(layer, forward):
        yield narrowed


@contextmanager
def replaced_forward(module: Any, forward: Callable[..., Any]) -> Iterator[None]:
    """Within, calling the module calls `forward`."""
    missing = object()
    before = module.__dict__.get("forward", missing)
    module.forward = forward
    try:
        yield
    finally:
        if before is missing:
            del module.forward
        else:
            module.forward = before


class _KeysKnown(Exception):  # ends a call early, no error
    pass


class _NotUnderstoodError(AttributeError):
    """The layer is given, or asks for, something that may not fit fewer places."""


class _OwnKeys:
    """Stands for the cache: the first update is kept and ends the call, later ones are answered with what was kept."""

    def __init__(self) -> None:
        self.known = False
        self.layer: DynamicLayer | None = None

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, layer_index: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.known:
            self.keys, self.values, self.layer_index, self.known = keys, values, layer_index, True
            raise _KeysKnown
        return (self.keys, self.values) if self.layer is None else self.layer.update(self.keys, self.values)

    def __getattr__(self, name: str) -> Any:
        raise _NotUnderstoodError(name)  # a length or a position: not that of the reads


def _own_keys(forward: Callable[..., Any], hidden: torch.Tensor, kwargs: dict[str, Any]) -> _OwnKeys:
    own = _OwnKeys()
    if "past_key_values" not in kwargs:
        raise _NotUnderstoodError
    try:
        forward(hidden, **{**kwargs, "past_key_values": own})
    except _KeysKnown:
        return own
    raise _NotUnderstoodError("no keys and values were cached")


def _only_input(args: tuple[Any, ...]) -> torch.Tensor:
    if len(args) != 1 or not isinstance(args[0], torch.Tensor) or args[0].dim() != 3:
        raise _NotUnderstoodError
    return args[0]


def _at_reads(kwargs: dict[str, Any], reads: LastReads, length: int) -> dict[str, Any]:
    """The layer's arguments for the reads, without the cache."""
    found: dict[str, Any] = {}
    for name, value in kwargs.items():
        if name == "parts":
            found[name] = reads.parts
        elif name == "attention_mask":
            found[name] = value if reads.parts is not None else _mask_taken(value, reads.index, length)
        elif name in ("position_ids", "position_embeddings"):
            several = isinstance(value, tuple)
            taken = tuple(_taken(item, reads.index, length) for item in (value if several else (value,)))
            found[name] = taken if several else taken[0]
        elif name != "past_key_values":
            if not (value is None or isinstance(value, bool | int | float | str)):
                raise _NotUnderstoodError(name)
            found[name] = value
    return found


def _taken(value: Any, index: torch.Tensor, length: int) -> torch.Tensor:
    """(n_rows, most_reads, ...) of (n_rows or 1, length, ...)."""
    n_rows = index.shape[0]
    if not isinstance(value, torch.Tensor) or value.dim() < 2 or value.shape[1] != length:
        raise _NotUnderstoodError
    if value.shape[0] not in (1, n_rows):
        raise _NotUnderstoodError
    row = torch.arange(n_rows, device=index.device)[:, None]
    return value.expand(n_rows, *value.shape[1:])[row, index]


def _mask_taken(mask: Any, index: torch.Tensor, length: int) -> torch.Tensor:
    """(n_rows, 1, most_reads, n_keys) of (n_rows, 1, length, n_keys)."""
    if not isinstance(mask, torch.Tensor) or mask.dim() != 4 or mask.shape[1] != 1:
        raise _NotUnderstoodError
    return _taken(mask[:, 0], index, length)[:, None]
