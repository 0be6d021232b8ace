"""Memory that runs out: what says so, and how to hand back what is not used."""

from __future__ import annotations

import torch


def out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory ran out, on either kind of device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "not enough memory" in str(error)


def release_memory() -> None:
    """Hand cached blocks back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
