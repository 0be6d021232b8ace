"""Each kernel gives what the plain operations give, at sizes that fill no tile."""

from __future__ import annotations

import pytest
import torch

from paretune.engines.hf.fused import _plain_gate_times, _plain_rotate

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
LIMITS = {torch.float32: 1e-4, torch.float16: 4e-3, torch.bfloat16: 3e-2}


def numbers(*shape: int, dtype: torch.dtype) -> torch.Tensor:
    made = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=made).to("cuda", dtype)


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("head_dim", [16, 64, 96, 128, 256])
@pytest.mark.parametrize("batch_of_angles", [1, 3])
def test_rotate_equals_the_plain_rotation(dtype: torch.dtype, head_dim: int, batch_of_angles: int) -> None:
    from paretune.engines.hf.kernels import rotate

    states = numbers(3, 41, 5, head_dim, dtype=dtype).transpose(1, 2)
    cos, sin = (numbers(batch_of_angles, 41, head_dim, dtype=dtype) for _ in range(2))
    expected = _plain_rotate(states.float(), cos.float(), sin.float())
    assert float((rotate(states, cos, sin).float() - expected).abs().max()) < LIMITS[dtype] * 4


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("rank", [0, 16, 32, 64])
@pytest.mark.parametrize("shape", [(1, 8), (70, 200), (129, 1000)])
def test_gate_times_equals_the_plain_product(dtype: torch.dtype, rank: int, shape: tuple[int, int]) -> None:
    from paretune.engines.hf.kernels import gate_times

    n_rows, n_columns = shape
    given = [numbers(*shape, dtype=dtype), numbers(*shape, dtype=dtype) + 1]
    if rank:
        given += [numbers(n_rows, 2 * rank, dtype=dtype) / rank, numbers(2 * rank, n_columns, dtype=dtype)]
    expected = _plain_gate_times(*(item.float() for item in given))
    found = gate_times(*given).float()
    assert float((found - expected).abs().max()) < LIMITS[dtype] * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("dtype", LIMITS)
def test_merge_equals_attention_over_all_keys(dtype: torch.dtype) -> None:
    from paretune.engines.hf.kernels import merge

    query, keys, values = (numbers(size, 3, 40, dtype=torch.float32) for size in (37, 50, 50))

    def attend(here: slice) -> tuple[torch.Tensor, torch.Tensor]:
        scores = torch.einsum("qhd,khd->hqk", query, keys[here])
        found = torch.einsum("hqk,khd->qhd", scores.softmax(-1), values[here])
        return found, scores.logsumexp(-1)

    (first, first_log), (second, second_log) = attend(slice(0, 20)), attend(slice(20, 50))
    found = merge(first.to(dtype), first_log, second.to(dtype), second_log).float()
    assert float((found - attend(slice(0, 50))[0]).abs().max()) < LIMITS[dtype] * 2
