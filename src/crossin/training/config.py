"""What decides a training run: the one form of its settings, as a YAML file holds them (docs/train.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, lt=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Method(_Part):
    """Which weights are trained: an adapter's on `targets`, or all.

    LoRA (Hu et al., arXiv 2106.09685); `rslora` scales by the square root of the rank (2312.03732), `dora`
    trains directions and lengths apart (2402.09353), `quantised` holds the frozen weights in 4 bits (QLoRA,
    2305.14314). `embeddings` trains the input embeddings and the head whole, beside the adapter; where the
    model ties the two they stay tied.
    """

    kind: Literal["lora", "full"] = "lora"
    rank: int = Field(default=32, gt=0)
    alpha: float = Field(default=64, gt=0)
    dropout: Share = 0.0
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    rslora: bool = False
    dora: bool = False
    quantised: bool = False
    embeddings: bool = False


class Optimiser(_Part):
    """AdamW and its learning rate: a linear warm-up over the share `warmup` of the steps, then `schedule`.

    `clip` is the largest norm of the gradient.
    """

    learning_rate: float = Field(default=1e-3, gt=0, le=0.1)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Share = 0.03
    weight_decay: float = Field(default=0.01, ge=0)
    clip: float = Field(default=1.0, gt=0)


class Batches(_Part):
    """How rows become passes.

    `rows` make a step, over all processes. `tokens` are what one pass of one process holds at most (512 on a
    CPU, 8192 on a GPU): rows of like length share a pass; it decides speed and memory, never the result. Rows
    of more than `longest` tokens are left out and counted, or with `too_long: cut` lose the beginning of
    their prompt. Activations are kept for the way back, or with `recompute` computed again, which saves
    memory and costs time.
    """

    rows: int = Field(default=16, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    longest: int = Field(default=1024, gt=1)
    too_long: Literal["skip", "cut"] = "skip"
    recompute: bool = False

    def tokens_on(self, device: str) -> int:
        """What one pass holds at most on a device of this type: a processor's cache is soon full, a GPU is
        fast only when it has much to do.
        """
        return self.tokens or (512 if device == "cpu" else 8192)


class Align(_Part):
    """The shared latent space: in-batch contrastive loss between parallel texts at `layers` (of N blocks; the
    middle one by default), symmetric (InfoNCE over mean-pooled states, after MidAlign, arXiv 2502.14830).
    """

    weight: float = Field(default=1.0, gt=0)
    layers: tuple[int, ...] = ()
    temperature: float = Field(default=0.1, gt=0)
    warmup: Share = 0.0


class Consist(_Part):
    """The same answer in two languages, at one granularity.

    `answer`: between the distributions over the options of one item, none of which need be known to be right.
    `token`: between the next-token distributions wherever two completions have the same token. `sentence`:
    between the states of two completions, as `Align`. `divergence` of answers and tokens: `js`
    (Jensen-Shannon), `kl` (towards the pivot, whose side has no gradient), or for answers `dco` (direct
    consistency optimisation, arXiv 2603.04678: the model as it came is the reference). With `hold_pivot` the
    pivot's side has no gradient with `js` either: the other language alone is moved.
    """

    granularity: Literal["answer", "token", "sentence"] = "answer"
    divergence: Literal["js", "kl", "dco"] = "js"
    weight: float = Field(default=1.0, gt=0)
    warmup: Share = 0.0
    hold_pivot: bool = False
    length: Literal["sum", "token"] = "sum"
    layers: tuple[int, ...] = ()
    temperature: float = Field(default=0.1, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> Consist:
        if self.divergence == "dco" and self.granularity != "answer":
            raise ValueError("`divergence: dco` goes with `granularity: answer`")
        return self

    @property
    def sided(self) -> bool:
        """Whether one of the two languages is the one to be followed."""
        return self.granularity != "sentence" and (self.divergence == "kl" or self.hold_pivot)


class Pairs(_Part):
    """The pair stream that runs beside the mixture: the same content in two languages.

    `rows` is a mixture or dataset whose rows share an `id` between languages; `items` a benchmark's folder,
    whose answers are not read; at least one of them. `share` is the pairs' part of a step's tokens. A pair is
    the pivot and another language, or with `among: any` any two. `languages` limits them.
    `apart_from` are benchmarks that will be asked: a pair with an item's id, group or text is an error.
    """

    rows: Path | None = None
    items: Path | None = None
    pivot: str = "en"
    languages: tuple[str, ...] = ()
    among: Literal["pivot", "any"] = "pivot"
    share: float = Field(default=0.2, gt=0, lt=1)
    wording: str = "question"
    apart_from: tuple[Path, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Pairs:
        if self.rows is None and self.items is None:
            raise ValueError("needs `rows` or `items`")
        return self


class Sampler(_Part):
    """Which rows come: `fixed` as composed, or `adaptive`: every `every` steps the languages get new shares,
    p ~ Phi(z) of their criterion (the authors' archived idea): the held-out `loss`, or the `gap` of
    consistency to the pivot.
    """

    kind: Literal["fixed", "adaptive"] = "fixed"
    criterion: Literal["loss", "gap"] = "loss"
    every: int = Field(default=50, gt=0)


class HeldOut(_Part):
    """The `share` of the mixture's ids whose rows are not trained on; their loss is measured every `every`
    steps.
    """

    share: Share = 0.0
    every: int = Field(default=50, gt=0)


class TrainConfig(_Part):
    """A training run: model and mixture, what is trained, on what loss, in which batches.

    `weigh` is what weighs the same in the loss: every learned `token` of a step, or every `row` (as the
    authors' code did). `epochs` are passes over the mixture, each but the first in an order of its own.
    `export` adds the adapter into the weights at the end and writes a whole model.
    """

    name: str = "train"
    model: str | None = None
    mixture: Path | None = None
    method: Method = Method()
    optimiser: Optimiser = Optimiser()
    batches: Batches = Batches()
    weigh: Literal["token", "row"] = "token"
    epochs: int = Field(default=1, gt=0)
    align: Align | None = None
    consist: Consist | None = None
    pairs: Pairs | None = None
    sampler: Sampler = Sampler()
    held_out: HeldOut = HeldOut()
    checkpoint_every: int = Field(default=50, gt=0)
    log_every: int = Field(default=10, gt=0)
    track: tuple[str, ...] = ()
    device: str = "auto"
    dtype: str = "auto"
    export: bool = False
    seed: int = 0

    @model_validator(mode="after")
    def _consistent(self) -> TrainConfig:
        if (self.align or self.consist) and self.pairs is None:
            raise ValueError("`align` and `consist` need `pairs`")
        if self.pairs and not (self.align or self.consist):
            raise ValueError("`pairs` are there for `align` or `consist`")
        if self.consist and self.consist.granularity == "answer" and self.pairs and not self.pairs.items:
            raise ValueError("`granularity: answer` needs `pairs.items`")
        if self.consist and self.consist.granularity != "answer" and self.pairs and not self.pairs.rows:
            raise ValueError("`granularity: token` and `sentence` need `pairs.rows`")
        if self.sampler.kind == "adaptive" and self.sampler.criterion == "loss" and not self.held_out.share:
            raise ValueError("`sampler.criterion: loss` needs `held_out.share`")
        follows_gap = self.sampler.kind == "adaptive" and self.sampler.criterion == "gap"
        if follows_gap and not (self.pairs and self.pairs.items):
            raise ValueError("`sampler.criterion: gap` needs `pairs.items`")
        follows_loss = self.sampler.kind == "adaptive" and self.sampler.criterion == "loss"
        if follows_loss and self.sampler.every % self.held_out.every:
            raise ValueError("`sampler.every` must be a multiple of `held_out.every`")
        if self.pairs and self.consist and self.consist.sided and self.pairs.among != "pivot":
            raise ValueError("a divergence towards the pivot needs `pairs.among: pivot`")
        return self
