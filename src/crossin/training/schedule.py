"""The learning rate and the weights of terms over the steps."""

from __future__ import annotations

import math

from crossin.training.config import Optimiser


def learning_rate_at(optimiser: Optimiser, step: int, steps: int) -> float:
    """The learning rate of step `step` (from 0) of `steps`: a linear warm-up, then constant, or down to zero
    in a line or half a cosine.
    """
    warmup = round(optimiser.warmup * steps)
    if step < warmup:
        return optimiser.learning_rate * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    falls = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}
    return optimiser.learning_rate * falls[optimiser.schedule]


def weight_at(weight: float, warmup: float, step: int, steps: int) -> float:
    """The weight of a term at step `step` (from 0) of `steps`, rising to its own over the share `warmup`."""
    return weight * min(1.0, (step + 1) / max(1.0, warmup * steps))
