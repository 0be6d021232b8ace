from __future__ import annotations

import pytest
import torch

from paretune.models.memory import memory_of, out_of_memory


def test_out_of_memory_knows_what_the_allocator_of_this_machine_says() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**50)
    assert out_of_memory(raised.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("not enough memory"), False),
    ],
)
def test_out_of_memory_tells_it_from_other_errors(error: Exception, expected: bool) -> None:
    assert out_of_memory(error) is expected


def test_memory_of_main_memory_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory_of(torch.device("cpu")) > 2**28
    monkeypatch.delattr("os.sysconf")
    assert memory_of(torch.device("cpu")) == 8 * 2**30
