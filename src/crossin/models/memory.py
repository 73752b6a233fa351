"""Memory: whether it ran out, and how much was used."""

from __future__ import annotations

import sys


def is_out_of_memory(error: Exception) -> bool:
    """Whether the error means too little memory. Only CUDA has a class for it; the CPU and Apple's MPS have a
    message.
    """
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return True
    words = ("out of memory", "can't allocate memory")
    return isinstance(error, RuntimeError) and any(one in str(error) for one in words)


def peak_memory() -> float:
    """The peak memory of this process in MiB: of the GPU where there is one, else of the machine."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    import resource

    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
