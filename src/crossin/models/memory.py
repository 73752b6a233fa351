"""Memory: whether it ran out, and how much was used."""

from __future__ import annotations

import sys


def is_out_of_memory(error: Exception) -> bool:
    """Whether a pass was too much for the memory. Only CUDA has a class for it; the CPU and Apple's MPS say
    it in words.
    """
    import torch

    words = ("out of memory", "can't allocate memory")
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(one in str(error) for one in words)
    )


def peak_memory() -> float:
    """The most memory that this process has held so far, in MiB: of the card where there is one, else of the
    machine.
    """
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    import resource

    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
