"""Kernels for CUDA that read and write each number once, where the written-out operations do so many times.

Triton comes with torch's builds for CUDA; this module imports it, so import it only there (`fused_passes` does, and
tries every kernel against the plain operations before it is used). All arithmetic is in float32, rounded once.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

_TOKENS = 16  # places a program of `rotate` turns or `merge` adds, all heads of them
_ROWS, _COLUMNS, _TILES = 32, 64, 8  # of a tile of `gate_times`, and tiles a program: measured, like _STAGES
_STAGES = 3  # tiles on their way at once
MAX_RANK = 64  # of the low-rank parts that `gate_times` adds: beyond, a tile does not fit the registers


def rotate(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding of (batch, heads, n_tokens, head_dim) by cos and sin, (batch or 1, n_tokens, head_dim).

    Halves are rotated against each other (GPT-NeoX's order, as transformers' Llama does): x cos + rotate_half(x) sin.
    """
    batch, heads, n_tokens, head_dim = states.shape
    turned = torch.empty((batch, n_tokens, heads, head_dim), dtype=states.dtype, device=states.device).transpose(1, 2)
    cos, sin = cos.expand(batch, -1, -1), sin.expand(batch, -1, -1)
    half = head_dim // 2
    _rotate[(triton.cdiv(n_tokens, _TOKENS), batch)](
        states,
        turned,
        cos,
        sin,
        n_tokens,
        *states.stride()[:3],
        *turned.stride()[:3],
        *cos.stride()[:2],
        *sin.stride()[:2],
        heads,
        half,
        triton.next_power_of_2(half),
        _TOKENS,
        num_warps=4,
    )
    return turned


def gate_times(
    gate: torch.Tensor, up: torch.Tensor, inner: torch.Tensor | None = None, ups: torch.Tensor | None = None
) -> torch.Tensor:
    """SiLU(gate) * up of (n_rows, n_columns) each.

    With low-rank parts: inner is (n_rows, 2 rank), ups (2 rank, n_columns); inner[:, :rank] @ ups[:rank] is added to
    gate before, the other halves to up. rank: a power of two from 16 to MAX_RANK.
    """
    gate, up = gate.contiguous(), up.contiguous()
    n_rows, n_columns = gate.shape
    out = torch.empty_like(gate)
    rank = inner.shape[1] // 2 if inner is not None else 0
    _gate_times[(triton.cdiv(n_columns, _COLUMNS), triton.cdiv(n_rows, _ROWS * _TILES))](
        gate,
        up,
        inner if inner is not None else gate,
        ups if ups is not None else gate,
        out,
        n_rows,
        n_columns,
        rank,
        _ROWS,
        _COLUMNS,
        _TILES,
        _STAGES,
        num_warps=4,
    )
    return out


def merge(first: torch.Tensor, first_log: torch.Tensor, second: torch.Tensor, second_log: torch.Tensor) -> torch.Tensor:
    """Attention over two sets of keys from attention over each: (n_tokens, heads, head_dim) each.

    first_log, second_log: (heads, n_tokens) float32 natural log of the sums of exponentials that each was divided by.
    """
    first, second = first.contiguous(), second.contiguous()
    n_tokens, heads, head_dim = first.shape
    merged = torch.empty_like(first)
    _merge[(triton.cdiv(n_tokens, _TOKENS),)](
        first,
        first_log,
        second,
        second_log,
        merged,
        n_tokens,
        heads,
        head_dim,
        triton.next_power_of_2(head_dim),
        _TOKENS,
        num_warps=4,
    )
    return merged


@triton.jit(do_not_specialize=["n_tokens"])  # each special value would be compiled anew
def _rotate(
    x,
    y,
    cos,
    sin,
    n_tokens,
    x_batch,
    x_head,
    x_token,
    y_batch,
    y_head,
    y_token,
    cos_batch,
    cos_token,
    sin_batch,
    sin_token,
    heads: tl.constexpr,
    half: tl.constexpr,
    half_padded: tl.constexpr,
    block: tl.constexpr,
) -> None:
    batch = tl.program_id(1).to(tl.int64)
    token = (tl.program_id(0) * block + tl.arange(0, block))[:, None].to(tl.int64)
    column = tl.arange(0, half_padded)[None, :]
    inside = (token < n_tokens) & (column < half)
    at_cos = cos + batch * cos_batch + token * cos_token + column
    at_sin = sin + batch * sin_batch + token * sin_token + column
    cos_low = tl.load(at_cos, inside, 0.0).to(tl.float32)
    cos_high = tl.load(at_cos + half, inside, 0.0).to(tl.float32)
    sin_low = tl.load(at_sin, inside, 0.0).to(tl.float32)
    sin_high = tl.load(at_sin + half, inside, 0.0).to(tl.float32)
    for head in range(heads):
        at_x = x + batch * x_batch + head * x_head + token * x_token + column
        at_y = y + batch * y_batch + head * y_head + token * y_token + column
        low = tl.load(at_x, inside, 0.0).to(tl.float32)
        high = tl.load(at_x + half, inside, 0.0).to(tl.float32)
        tl.store(at_y, (low * cos_low - high * sin_low).to(y.dtype.element_ty), inside)
        tl.store(at_y + half, (high * cos_high + low * sin_high).to(y.dtype.element_ty), inside)


@triton.jit(do_not_specialize=["n_rows"])
def _gate_times(
    gate,
    up,
    inner,
    ups,
    out,
    n_rows,
    n_columns,
    rank: tl.constexpr,
    rows: tl.constexpr,
    columns: tl.constexpr,
    tiles: tl.constexpr,
    stages: tl.constexpr,
) -> None:
    column = (tl.program_id(0) * columns + tl.arange(0, columns))[None, :]
    if rank > 0:  # these stay in registers while the program goes down its columns
        along = tl.arange(0, rank)
        at_ups = ups + along[:, None].to(tl.int64) * n_columns + column
        ups_gate = tl.load(at_ups, column < n_columns, 0.0)
        ups_up = tl.load(at_ups + rank * n_columns, column < n_columns, 0.0)
    for tile in tl.range(tiles, num_stages=stages):
        row = ((tl.program_id(1) * tiles + tile) * rows + tl.arange(0, rows))[:, None].to(tl.int64)
        inside = (row < n_rows) & (column < n_columns)
        place = row * n_columns + column
        gates = tl.load(gate + place, inside, 0.0).to(tl.float32)
        values = tl.load(up + place, inside, 0.0).to(tl.float32)
        if rank > 0:
            at_inner = inner + row * (2 * rank) + along[None, :]
            inner_gate = tl.load(at_inner, row < n_rows, 0.0)
            inner_up = tl.load(at_inner + rank, row < n_rows, 0.0)
            gates += tl.dot(inner_gate, ups_gate, input_precision="ieee")
            values += tl.dot(inner_up, ups_up, input_precision="ieee")
        found = gates / (1.0 + tl.exp(-gates)) * values
        tl.store(out + place, found.to(out.dtype.element_ty), inside)


@triton.jit(do_not_specialize=["n_tokens"])
def _merge(
    first,
    first_log,
    second,
    second_log,
    merged,
    n_tokens,
    heads: tl.constexpr,
    head_dim: tl.constexpr,
    head_dim_padded: tl.constexpr,
    block: tl.constexpr,
) -> None:
    token = (tl.program_id(0) * block + tl.arange(0, block))[:, None].to(tl.int64)
    column = tl.arange(0, head_dim_padded)[None, :]
    inside = (token < n_tokens) & (column < head_dim)
    for head in range(heads):
        place = (token * heads + head) * head_dim + column
        log_one = tl.load(first_log + head * n_tokens + token, token < n_tokens, 0.0)
        log_two = tl.load(second_log + head * n_tokens + token, token < n_tokens, 0.0)
        share = 1.0 / (1.0 + tl.exp(log_two - log_one))
        one = tl.load(first + place, inside, 0.0).to(tl.float32)
        two = tl.load(second + place, inside, 0.0).to(tl.float32)
        tl.store(merged + place, (two + (one - two) * share).to(merged.dtype.element_ty), inside)
