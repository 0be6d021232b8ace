"""Whether kernels of our own can run on a device."""

from __future__ import annotations

from functools import cache
from types import ModuleType

import torch


@cache
def kernels_of(device: torch.device) -> ModuleType | None:
    """`kernels` where it can run: on CUDA with Triton."""
    if device.type != "cuda":
        return None
    try:
        from paretune.engines.hf import kernels
    except ImportError:  # a build of torch without Triton
        return None
    return kernels
