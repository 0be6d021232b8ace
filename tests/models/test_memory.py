from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch

from paretune.models.memory import DoesNotFit, attempt, halving, memory_of, out_of_memory


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_told_on_either_device(error: Exception, expected: bool) -> None:
    assert out_of_memory(error) is expected


def test_halving_tries_less_until_it_fits() -> None:
    tried: list[int] = []

    def run(count: int) -> str:
        tried.append(count)
        if count > 3:
            raise MemoryError
        return "done"

    assert halving(13, run) == (3, "done")
    assert tried == [13, 6, 3]


def test_halving_of_what_does_not_fit_alone_is_refused() -> None:
    def run(count: int) -> str:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(DoesNotFit):
        halving(4, run)


def test_halving_lets_other_errors_through() -> None:
    def run(count: int) -> str:
        raise ValueError("a fault of ours")

    with pytest.raises(ValueError, match="a fault of ours"):
        halving(4, run)


def test_attempt_that_fails_frees_its_tensors_before_the_next() -> None:
    made: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def run(count: int) -> str:
        alive.append(sum(reference() is not None for reference in made))
        tensor = torch.zeros(count)
        made.append(weakref.ref(tensor))
        if count > 1:
            raise MemoryError
        return "done"

    assert halving(8, run) == (1, "done")
    assert alive == [0, 0, 0, 0]
    assert attempt(lambda: 3) == 3


def test_memory_of_main_memory_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory_of(torch.device("cpu")) > 2**28
    monkeypatch.delattr("os.sysconf")
    assert memory_of(torch.device("cpu")) == 8 * 2**30


def test_out_of_memory_knows_what_the_allocator_of_this_machine_says() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**50)
    assert out_of_memory(raised.value)
