"""Memory that runs out: what says so, how to hand back what is not used, and how to go on with less at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from paretune.errors import EngineError

if TYPE_CHECKING:
    import torch

R = TypeVar("R")

# What says that memory ran out where the error's class does not: torch on a CPU, and libraries that wrap torch's.
_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "cublas_status_alloc_failed")


class DoesNotFit(EngineError):
    """Not even one at a time fits the memory."""


_ASSUMED_BYTES = 8 * 2**30  # of main memory, where the system does not tell


def out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory ran out, on either kind of device."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _WORDS)


def release_memory() -> None:
    """Hand cached blocks back to the device."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def attempt(run: Callable[[], R]) -> R | None:
    """What `run` returns, or None where memory ran out; then nothing that it made is alive any more.

    The answer comes after the except block: an error under treatment keeps its traceback, and that the tensors of the
    forward that failed.
    """
    try:
        return run()
    except Exception as error:
        if not out_of_memory(error):
            raise
    release_memory()
    return None


def halving(most: int, run: Callable[[int], R]) -> tuple[int, R]:
    """`run(most)`, or of half as much, and half of that, until it fits; (how much it was, what it returned).

    run: works on so many at once and must not return None. Raises DoesNotFit where one at a time is too much; the
    caller says of what.

    >>> halving(8, lambda count: "x" * count)
    (8, 'xxxxxxxx')
    """
    count = most
    while (result := attempt(lambda: run(count))) is None:  # noqa: B023  called before count changes
        if count <= 1:
            raise DoesNotFit("does not fit the memory even alone")
        count //= 2
    return count, result


def memory_of(device: torch.device) -> int:
    """Bytes of memory that this process may use on the device in all, whatever is free at the moment."""
    import torch

    if device.type == "cuda":
        share = torch.cuda.get_per_process_memory_fraction(device)
        return int(share * torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _ASSUMED_BYTES
