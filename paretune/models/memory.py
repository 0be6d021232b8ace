"""Memory that runs out: what says so, and how to hand back what is not used."""

from __future__ import annotations

import os

import torch

# Of errors that have no class of their own: the CPU's allocator on Windows and on Linux, and cuBLAS.
_WORDS = ("not enough memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
_ASSUMED_BYTES = 8 * 2**30  # of main memory, where the system does not tell


def out_of_memory(error: BaseException) -> bool:
    """Whether the error says that memory ran out, on either kind of device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)


def release_memory() -> None:
    """Hand cached blocks back to the device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def memory_of(device: torch.device) -> int:
    """Bytes of memory that this process may use on the device in all, whatever is free at the moment."""
    if device.type == "cuda":
        share = torch.cuda.get_per_process_memory_fraction(device)
        return int(share * torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _ASSUMED_BYTES
