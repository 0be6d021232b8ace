"""Kernels of training for CUDA: a gated network's product forward and backward, each number read and written once.

Triton comes with torch's builds for CUDA; this module imports it, so import it only there (`fused_blocks` does, and
tries every kernel against the plain operations before it is used). All arithmetic is in float32, rounded once.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

_BLOCK = 2048  # numbers per program


def gate_times(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """SiLU(gate) * up of two contiguous tensors of one shape."""
    out = torch.empty_like(gate)
    _gate_times[(triton.cdiv(gate.numel(), _BLOCK),)](gate, up, out, gate.numel(), _BLOCK, num_warps=8)
    return out


def gate_times_backward(
    gate: torch.Tensor, up: torch.Tensor, gradient: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradients of gate and up."""
    of_gate, of_up = torch.empty_like(gate), torch.empty_like(up)
    _gate_times_backward[(triton.cdiv(gate.numel(), _BLOCK),)](
        gate, up, gradient, of_gate, of_up, gate.numel(), _BLOCK, num_warps=8
    )
    return of_gate, of_up


@triton.jit  # count is specialised on divisibility by 16: without it no load is wide
def _gate_times(gate, up, out, count, block: tl.constexpr) -> None:
    place = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    gates = tl.load(gate + place, place < count, 0.0).to(tl.float32)
    ups = tl.load(up + place, place < count, 0.0).to(tl.float32)
    tl.store(out + place, (gates * tl.sigmoid(gates) * ups).to(out.dtype.element_ty), place < count)


@triton.jit  # count is specialised on divisibility by 16: without it no load is wide
def _gate_times_backward(gate, up, gradient, of_gate, of_up, count, block: tl.constexpr) -> None:
    place = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = place < count
    gates = tl.load(gate + place, inside, 0.0).to(tl.float32)
    ups = tl.load(up + place, inside, 0.0).to(tl.float32)
    grads = tl.load(gradient + place, inside, 0.0).to(tl.float32)
    share = tl.sigmoid(gates)
    times = gates * share
    tl.store(of_up + place, (grads * times).to(of_up.dtype.element_ty), inside)
    along = grads * ups * (share + times * (1.0 - share))
    tl.store(of_gate + place, along.to(of_gate.dtype.element_ty), inside)
