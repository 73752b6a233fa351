"""What decides a training run besides the model and the mixture."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field


class TrainSettings(BaseModel):
    """LoRA on all linear layers, AdamW, cosine decay after a warm-up; one pass over the mixture in its own
    order.

    The released code of CrossIn takes rank 64, alpha 128, dropout 0.05, warm-up 0.03 and weight decay 0.01;
    the defaults here suit a model of a hundred million parameters and a few hundred steps: one pass over the
    rows leaves dropout little to prevent, and on a CPU it takes a third of the time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: int = Field(default=32, gt=0)
    alpha: float = Field(default=64, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.03, ge=0, le=1)
    rows_per_step: int = Field(default=16, gt=0)
    longest_row: int = Field(default=1024, gt=1)
    checkpoint_every: int = Field(default=20, gt=0)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate of step `step` (from 0) of `steps`: linear warm-up, then half a cosine down to
        zero.
        """
        warmup = max(1, round(self.warmup * steps))
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
