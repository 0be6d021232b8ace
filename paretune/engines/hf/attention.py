"""Attention over packed questions without a mask: every part of a question is a sequence of its own.

A mask over prefix and row makes the kernels read a number for every pair, also for the many that cannot see each
other, and forces keys to be repeated for grouped queries. Here the trunk of a question is one sequence and each of
its branches another; the keys of a part are gathered (prefix, trunk, branch: in the order of their positions), and
one call of FlashAttention-2, which torch brings along, computes all parts. Padding is left out altogether.

A long prefix is kept apart: all queries of the batch attend to it in one dense call, each part to its own keys in
another, and the two are added up by the sums that their softmaxes were divided by. Then the prefix is not gathered
once a part, and short branches fill no tiles with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from transformers import AttentionInterface
from transformers.cache_utils import DynamicLayer

from paretune.engines.hf.available import kernels_of
from paretune.engines.hf.packing import Integers, PackedBatch

NAME = "paretune_parts"  # under which transformers knows `attend_by_parts`
_TILE = 64  # queries that the kernel handles together at least
_ADVANTAGE = 2  # a pair costs the masked kernels about twice as much
_LEAST_APART = 128  # keys of a prefix for which a call of its own pays


@dataclass(frozen=True, slots=True)
class Parts:
    """Questions laid one after another, (n_tokens,) arrays, cut into parts that are each one sequence.

    keys: (n_keys,) what the parts look at, as index into the prefix followed by the tokens: first `shared` keys that
    every part sees whole, then those of each part. starts, key_starts (after the shared ones): (n_parts + 1,).
    places: (n_places,) index of each output wanted into the tokens.
    """

    tokens: Integers
    depth: Integers
    keys: Integers
    starts: Integers
    key_starts: Integers
    places: Integers
    shared: int = 0

    @property
    def longest(self) -> tuple[int, int]:
        """The most queries and the most keys of one part, shared ones left out."""
        return int(np.diff(self.starts).max()), int(np.diff(self.key_starts).max())


@dataclass(frozen=True, slots=True)
class DeviceParts:
    """Where parts begin, beside the weights; longest and shared as in `Parts`."""

    keys: torch.Tensor
    starts: torch.Tensor
    key_starts: torch.Tensor
    longest: tuple[int, int]
    shared: int = 0


def cut_parts(packed: PackedBatch, prefix_length: int, *, apart: bool = False) -> Parts:
    """A packed batch's questions without its padding, cut into trunks and branches; apart: the prefix is shared."""
    real = packed.question.ravel() >= 0
    question, branch = packed.question.ravel()[real], packed.branch.ravel()[real]
    begins = np.flatnonzero((np.diff(question, prepend=-1) != 0) | (np.diff(branch, prepend=0) != 0))
    starts = np.append(begins, len(question))
    shared = prefix_length if apart else 0
    before = np.arange(prefix_length - shared)
    keys: list[Integers] = []
    trunk: Integers = before[:0]
    trunk_of = -1
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        own = np.arange(prefix_length + start, prefix_length + end)
        if branch[start] == 0 or question[start] != trunk_of:
            trunk, trunk_of = own[:0] if branch[start] else own, int(question[start])
        keys.append(np.concatenate([before, trunk, own] if branch[start] else [before, own]))
    key_starts = np.cumsum([0, *map(len, keys)])
    places = (np.cumsum(real) - 1)[packed.places]
    tokens, depth = packed.tokens.ravel()[real], packed.depth.ravel()[real]
    return Parts(tokens, depth, np.concatenate([np.arange(shared), *keys]), starts, key_starts, places, shared)


def cut_reads(parts: Parts) -> Parts | None:
    """The parts that are read, each cut down to the places read, with all its keys.

    None where a part is read elsewhere than at its end: the kernel takes the queries for the last of the keys.
    """
    part = np.searchsorted(parts.starts, parts.places, side="right") - 1
    counts = np.bincount(part, minlength=len(parts.starts) - 1)
    until_end = np.cumsum(counts)[part] - np.arange(len(part))
    if not np.array_equal(parts.places, parts.starts[part + 1] - until_end):
        return None
    read, n_keys = counts > 0, np.diff(parts.key_starts)
    starts, key_starts = (np.append(0, np.cumsum(each[read])) for each in (counts, n_keys))
    wanted = np.append(np.ones(parts.shared, dtype=bool), np.repeat(read, n_keys))
    keys = parts.keys if read.all() else parts.keys[wanted]
    tokens, depth = parts.tokens[parts.places], parts.depth[parts.places]
    return Parts(tokens, depth, keys, starts, key_starts, np.arange(len(part)), parts.shared)


def keeps_apart(packed: PackedBatch, prefix_length: int, window: int | None) -> bool:
    """Whether the prefix is to be shared: where it is long enough, and no window hides a part of it from a token."""
    within = window is None or prefix_length + int(packed.depth.max()) < window
    return within and prefix_length >= _LEAST_APART


def pays(parts: Parts, packed: PackedBatch, prefix_length: int) -> bool:
    """Whether the parts are less work than the masked rows: many short branches behind a long prefix are not."""
    n_rows, length = packed.tokens.shape
    tiles = -(-np.diff(parts.starts) // _TILE) * _TILE
    by_parts = int((tiles * np.diff(parts.key_starts)).sum()) + len(parts.tokens) * parts.shared
    masked = n_rows * length * (prefix_length + length)
    return bool(by_parts <= _ADVANTAGE * masked)


class PartsLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not followed by the type checker
    """Gives every part its keys and values: those of the prefix, and the batch's own as far as the part sees them.

    keys, values: (1, key_heads, prefix_length, head_dim), or None without a prefix.
    """

    def __init__(self, keys: torch.Tensor | None, values: torch.Tensor | None, index: torch.Tensor) -> None:
        super().__init__()
        self.prefix_keys, self.prefix_values, self.index = keys, values, index
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(1, key_heads, n_keys, head_dim) each, of (1, key_heads, n_tokens, head_dim)."""
        return self._gathered(self.prefix_keys, key_states), self._gathered(self.prefix_values, value_states)

    def _gathered(self, prefix: torch.Tensor | None, own: torch.Tensor) -> torch.Tensor:
        n_heads, head_dim = own.shape[1], own.shape[3]
        rows = own[0].transpose(0, 1)
        if prefix is not None:
            rows = torch.cat([prefix[0].transpose(0, 1), rows])
        rows = rows.reshape(-1, n_heads * head_dim)
        if rows.shape[1] * rows.element_size() % 8 == 0:  # eight bytes at a time: a copy knows no numbers
            chosen = rows.view(torch.float64).index_select(0, self.index).view(own.dtype)
        else:
            chosen = rows.index_select(0, self.index)
        return chosen.view(-1, n_heads, head_dim).transpose(0, 1)[None]


def attend_by_parts(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    parts: DeviceParts | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """What transformers calls in each layer: (1, n_tokens, heads, head_dim) of (1, heads, n_tokens, head_dim)."""
    assert parts is not None, "this attention belongs to ChoiceModel.read"
    rows, keys, values = (item[0].transpose(0, 1) for item in (query, key, value))
    return sequences(rows, keys, values, parts, scaling, sliding_window)[None], None


def sequences(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    parts: DeviceParts,
    scale: float | None,
    window: int | None,
) -> torch.Tensor:
    """(n_tokens, heads, head_dim): causal attention of each part, whose queries are the last of its keys.

    query: (n_tokens, heads, head_dim). key, value: (n_keys, key_heads, head_dim). window: keys that a query sees,
    itself included (None: all); it is not looked at where keys are shared (`keeps_apart`).
    """
    flash, shared = torch.ops.aten._flash_attention_forward, parts.shared
    limits = {} if window is None or shared else {"window_size_left": window - 1, "window_size_right": 0}
    starts = (parts.starts, parts.key_starts, *parts.longest)
    inside = flash(query, key[shared:], value[shared:], *starts, 0.0, True, False, scale=scale, **limits)
    attended: torch.Tensor = inside[0]
    if shared:
        kernels = kernels_of(query.device)
        assert kernels is not None  # else nothing is kept apart: `fits_apart`
        sizes = (None, None, len(query), shared)
        before = flash(query[None], key[None, :shared], value[None, :shared], *sizes, 0.0, False, False, scale=scale)
        attended = kernels.merge(before[0][0], before[1][0], attended, inside[1])
    return attended


def plain_sequences(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    parts: DeviceParts,
    scale: float | None,
    window: int | None,
) -> torch.Tensor:
    """What `sequences` computes, part by part in float32: slow, what the kernel is checked against."""
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    shared_keys, shared_values = key[: parts.shared], value[: parts.shared]
    key, value = key[parts.shared :], value[parts.shared :]
    repeats = query.shape[1] // key.shape[1]
    attended: list[torch.Tensor] = []
    starts, key_starts = parts.starts.tolist(), parts.key_starts.tolist()
    for number in range(len(starts) - 1):
        queries = query[starts[number] : starts[number + 1]].float().transpose(0, 1)
        of_part = slice(key_starts[number], key_starts[number + 1])
        both = ((shared_keys, key), (shared_values, value))
        seen = (torch.cat([shared, item[of_part]]).float().transpose(0, 1) for shared, item in both)
        keys, values = (item.repeat_interleave(repeats, 0) for item in seen)
        n_keys = keys.shape[1]
        last = torch.arange(n_keys - queries.shape[1], n_keys, device=query.device)[:, None]
        behind = last - torch.arange(n_keys, device=query.device)[None, :]
        hidden = (behind < 0) | (behind >= (n_keys if window is None else window))
        scores = (queries @ keys.transpose(1, 2) * scale).masked_fill(hidden, -torch.inf)
        attended.append((scores.softmax(-1) @ values).transpose(0, 1))
    return torch.cat(attended).to(query.dtype)


def register() -> None:
    """Make the attention known to transformers, whose models look it up by name."""
    AttentionInterface.register(NAME, attend_by_parts)


def fits(config: Any, device: torch.device, dtype: torch.dtype, window: int | None) -> bool:
    """Whether the kernel can be used for a model, by its shape and by a small trial against plain arithmetic."""
    if device.type != "cuda" or dtype not in (torch.float16, torch.bfloat16):
        return False
    if getattr(config, "attn_logit_softcapping", None) or torch.cuda.get_device_capability(device) < (8, 0):
        return False
    shape = _shape(config)
    windows = {None, window, None if window is None else 7}
    return shape[2] % 8 == 0 and shape[2] <= 256 and all(_trial(*shape, device, dtype, cut, 0) for cut in windows)


def fits_apart(config: Any, device: torch.device, dtype: torch.dtype) -> bool:
    """Where `fits`: whether shared keys can be kept apart, which takes a kernel of our own besides, by a trial."""
    return kernels_of(device) is not None and _trial(*_shape(config), device, dtype, None, 70)


def _shape(config: Any) -> tuple[int, int, int]:
    """Heads, heads of keys, and their size."""
    heads = int(config.num_attention_heads)
    key_heads = int(getattr(config, "num_key_value_heads", None) or heads)
    return heads, key_heads, int(getattr(config, "head_dim", None) or config.hidden_size // heads)


@cache
def _trial(
    heads: int,
    key_heads: int,
    head_dim: int,
    device: torch.device,
    dtype: torch.dtype,
    window: int | None,
    shared: int,
) -> bool:
    made = torch.Generator(device=device).manual_seed(0)
    starts, key_starts = ([0, 3, 80, 81], [0, 40, 300, 330])
    n_keys = shared + key_starts[-1]
    sizes = ((starts[-1], heads), (n_keys, key_heads), (n_keys, key_heads))
    query, key, value = (torch.randn((*size, head_dim), generator=made, device=device).to(dtype) for size in sizes)
    begins, key_begins = (torch.tensor(item, dtype=torch.int32, device=device) for item in (starts, key_starts))
    parts = DeviceParts(torch.zeros(0, device=device), begins, key_begins, (77, 260), shared)
    expected = plain_sequences(query, key, value, parts, None, window).float()
    try:
        attended = sequences(query, key, value, parts, None, window).float()
    except Exception:  # a build of torch without the kernel, or one that Triton cannot compile for: no common type
        return False
    return bool(torch.allclose(attended, expected, atol=2e-2, rtol=2e-2))
