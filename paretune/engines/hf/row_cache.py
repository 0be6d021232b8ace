"""Keys and values of many rows in fixed places of memory, and the attention that reads them there.

A token's place is its position: what a row holds at place p are the keys and values of its token p. So a forward may
write any tokens of any rows, a row's beginning may be copied from another row that has computed it, padding on the
right is overwritten by what is written later, and a graph that was captured once finds everything where it was.

Two ways lead to the same sums. On CUDA in 16 bits, FlashAttention-2 (which torch brings along) reads of each row what
it holds and no more. Elsewhere a mask says what is visible, also to layers with a sliding window and to models that
bring an attention of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.cache_utils import Cache, DynamicLayer

NAME = "paretune_rows"  # under which transformers knows `attend_to_rows`


@dataclass(frozen=True, slots=True)
class Lengths:
    """What the kernel for sequences of different lengths is told of each row; int32, beside the weights.

    starts: (n_rows + 1,) of queries. key_starts: (n_rows + 1,) of keys. used: (n_rows,) keys that are visible to the
    row's last query. longest: (queries, keys) of a row at most.
    """

    starts: torch.Tensor
    key_starts: torch.Tensor
    used: torch.Tensor
    longest: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sight:
    """What one forward writes and sees.

    places: (n_rows * n_queries,) where new keys and values go, counted over all rows of the cache. n_seen: places
    of each row that a mask covers. rows: (n_rows,) the rows concerned; None: the first ones. lengths: where attention
    needs no mask.
    """

    places: torch.Tensor
    n_seen: int
    rows: torch.Tensor | None = None
    lengths: Lengths | None = None


class RowLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not followed by the type checker
    """One layer's keys and values, (n_rows, n_places, key_heads, head_dim) each."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.dtype, self.device = keys.dtype, keys.device
        self.keys, self.values = keys, values
        self.is_initialized = True
        self.sight: Sight | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write (n_rows, key_heads, n_queries, head_dim) each; give what attention reads, heads first."""
        assert self.sight is not None, "RowCache.aim comes before a forward"
        return self._written(self.keys, key_states), self._written(self.values, value_states)

    def _written(self, stored: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        sight = self.sight
        assert sight is not None
        new = states.transpose(1, 2).flatten(0, 1)
        stored.flatten(0, 1).index_copy_(0, sight.places, new.to(stored.dtype))
        if sight.lengths is not None:
            return stored.flatten(0, 1)
        seen = stored[: len(states), : sight.n_seen] if sight.rows is None else stored[sight.rows, : sight.n_seen]
        return seen.transpose(1, 2)


class RowCache:
    """All layers' keys and values of n_rows rows of n_places each.

    shapes: of every layer, (key_heads, head_dim) of its keys and of its values, as `layer_shapes` reads them.
    """

    def __init__(
        self, shapes: Sequence[tuple[tuple[int, int], tuple[int, int]]], n_rows: int, n_places: int, like: torch.Tensor
    ) -> None:
        self.n_rows, self.n_places = n_rows, n_places
        # zeros: what a mask hides still meets a weight of zero, which must not make a NaN of it
        self.layers = [RowLayer(*(like.new_zeros((n_rows, n_places, *shape)) for shape in pair)) for pair in shapes]
        self.for_model = Cache(layers=self.layers)

    def aim(self, sight: Sight) -> None:
        """Say what the next forward writes and sees."""
        for layer in self.layers:
            layer.sight = sight

    def share(self, source: int, targets: torch.Tensor, start: int, end: int) -> None:
        """Give rows what another row holds in its places [start, end)."""
        for layer in self.layers:
            for stored in (layer.keys, layer.values):
                stored[targets, start:end] = stored[source, start:end]

    def move(self, sources: torch.Tensor, targets: torch.Tensor, end: int) -> None:
        """Put rows into the places of others, as far as place `end`."""
        for layer in self.layers:
            for stored in (layer.keys, layer.values):
                stored[targets, :end] = stored[sources, :end]


def layer_shapes(cache: Cache) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """The shapes that `RowCache` takes, from a cache that a forward has filled."""
    return [
        ((layer.keys.shape[1], layer.keys.shape[3]), (layer.values.shape[1], layer.values.shape[3]))
        for layer in cache.layers
    ]


def lengths_of(used: torch.Tensor, rows: torch.Tensor, n_queries: int, n_places: int, group: int) -> Lengths:
    """Lengths of rows with n_queries each. group: query heads per key head, laid along the sequence for one query."""
    n_rows = len(rows)
    along = group if n_queries == 1 else n_queries
    starts = torch.arange(0, (n_rows + 1) * along, along, dtype=torch.int32, device=used.device)
    key_starts = torch.cat([rows, rows[-1:] + 1]).to(torch.int32) * n_places
    return Lengths(starts, key_starts, used.to(torch.int32), (along, n_places))


def attend_to_rows(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sight: Sight | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in each layer: (n_rows, n_queries, heads, head_dim) of (n_rows, heads, n_queries, ...).

    Keys and values are never repeated for grouped queries: heads of one group are laid along the sequence instead.
    """
    assert sight is not None, "this attention belongs to RowCache"
    if sight.lengths is not None:
        return _by_lengths(query, key, value, scaling, sight.lengths), None
    n_rows, heads, n_queries, head_dim = query.shape
    key_heads = key.shape[1]
    group = heads // key_heads
    mask = attention_mask
    if mask is not None and n_queries > 1 and group > 1:
        mask = mask.repeat(1, 1, group, 1)
    grouped = query.reshape(n_rows, key_heads, group * n_queries, head_dim)
    result = functional.scaled_dot_product_attention(grouped, key, value, attn_mask=mask, scale=scaling)
    return result.reshape(n_rows, heads, n_queries, -1).transpose(1, 2), None


def _by_lengths(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None, lengths: Lengths
) -> torch.Tensor:
    """key, value: (all places of all rows, key_heads, head_dim)."""
    n_rows, heads, n_queries, head_dim = query.shape
    key_heads = key.shape[1]
    single = n_queries == 1
    if single:  # the heads of a group are the sequence, and see the same keys
        laid = query.reshape(n_rows, key_heads, heads // key_heads, head_dim).transpose(1, 2)
    else:
        laid = query.transpose(1, 2)
    result = sequences(laid.flatten(0, 1), key, value, lengths, scale, causal=not single)
    if single:
        result = result.view(n_rows, heads // key_heads, key_heads, head_dim).transpose(1, 2)
    return result.reshape(n_rows, n_queries, heads, head_dim)


def sequences(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: Lengths, scale: float | None, *, causal: bool
) -> torch.Tensor:
    """(n_queries, heads, head_dim): attention of each row's queries to the keys it uses; causal: its last key is the
    last query's."""
    bounds = (lengths.starts, lengths.key_starts, *lengths.longest)
    flash = torch.ops.aten._flash_attention_forward
    result: torch.Tensor = flash(query, key, value, *bounds, 0.0, causal, False, scale=scale, seqused_k=lengths.used)[0]
    return result


def register() -> None:
    """Make the attention known to transformers, whose models look it up by name."""
    AttentionInterface.register(NAME, attend_to_rows)


@cache
def reads_by_length(heads: int, key_heads: int, head_dim: int, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernel that reads rows by their lengths is there and right, by a trial against masked attention."""
    if device.type != "cuda" or dtype not in (torch.float16, torch.bfloat16):
        return False
    if torch.cuda.get_device_capability(device) < (8, 0) or head_dim % 8 or head_dim > 256:
        return False
    return all(_trial(heads, key_heads, head_dim, n_queries, device, dtype) for n_queries in (1, 5))


def _trial(heads: int, key_heads: int, head_dim: int, n_queries: int, device: torch.device, dtype: torch.dtype) -> bool:
    random = torch.Generator(device=device).manual_seed(0)
    n_places = 96
    stored = [
        torch.randn((4, n_places, key_heads, head_dim), generator=random, device=device).to(dtype) for _ in range(2)
    ]
    query = torch.randn((3, heads, n_queries, head_dim), generator=random, device=device).to(dtype)
    rows, used = torch.tensor([2, 0, 3], device=device), torch.tensor([7, 96, 40], device=device)
    last = used[:, None] - n_queries + torch.arange(n_queries, device=device)
    mask = (torch.arange(n_places, device=device) <= last[:, :, None])[:, None]
    lengths = lengths_of(used, rows, n_queries, n_places, heads // key_heads)
    sights = (Sight(used, n_places), Sight(used, n_places, lengths=lengths))
    try:
        keys, values = (item[rows].transpose(1, 2) for item in stored)
        by_mask = attend_to_rows(None, query, keys, values, mask, sight=sights[0])
        keys, values = (item.flatten(0, 1) for item in stored)
        by_length = attend_to_rows(None, query, keys, values, None, sight=sights[1])
    except Exception:  # a build of torch without the kernel: no common type
        return False
    return bool(torch.allclose(by_length[0].float(), by_mask[0].float(), atol=2e-2, rtol=2e-2))
