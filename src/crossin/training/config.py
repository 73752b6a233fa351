"""The settings of a training run, as a YAML file holds them (docs/train.md)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from crossin.core.configs import config_of
from crossin.core.examples import folder_of, named_file
from crossin.core.paths import as_path, is_path
from crossin.core.settings import Settings, setting
from crossin.languages.codes import ByLanguage, Language, Languages
from crossin.models.chat import ARGUMENTS_HELP, TemplateArguments

Share = Annotated[float, Field(ge=0, lt=1)]
# Smaller shares of the tokens are rounding.
_NOTHING = 1e-9
_NO_ROWS = "the pairs have all tokens (`share`)"


class Method(Settings):
    """Which weights are trained: those of a LoRA adapter (arXiv 2106.09685), or all."""

    kind: Literal["lora", "full"] = setting("lora", "Train an adapter, or all weights.")
    rank: int = setting(32, "LoRA's rank.", gt=0)
    alpha: float = setting(64, "LoRA's alpha.", gt=0)
    dropout: Share = setting(0.0, "LoRA's dropout.")
    targets: Literal["all-linear"] | tuple[str, ...] = setting("all-linear", "Layers with an adapter.")
    rslora: bool = setting(False, "Scale by the square root of the rank (arXiv 2312.03732).")
    dora: bool = setting(False, "Train magnitudes and directions apart (DoRA, arXiv 2402.09353).")
    quantised: bool = setting(False, "Hold the frozen weights in 4 bits (QLoRA, arXiv 2305.14314).")
    embeddings: bool = setting(False, "Train input embeddings and head in full, beside the adapter.")


class Optimiser(Settings):
    """AdamW and its learning rate."""

    learning_rate: float = setting(1e-3, "The highest learning rate.", gt=0, le=0.1)
    schedule: Literal["cosine", "linear", "constant"] = setting("cosine", "Decay after the warm-up.")
    warmup: Share = setting(0.03, "Share of the steps over which the rate rises linearly.")
    weight_decay: float = setting(0.01, "Weight decay.", ge=0)
    clip: float = setting(1.0, "The largest norm of the gradient.", gt=0)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """The learning rate of step `step` (from 0) of `steps`."""
        warmup = round(self.warmup * steps)
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        decay = {"cosine": 0.5 * (1 + math.cos(math.pi * done)), "linear": 1 - done, "constant": 1.0}
        return self.learning_rate * decay[self.schedule]


class Batches(Settings):
    """How rows become steps and micro-batches."""

    rows: int = setting(16, "Rows of a step, over all processes.", gt=0)
    pairs: int = setting(16, "Pairs of a step that has no rows, over all processes.", gt=0)
    tokens: int | None = setting(
        None, "Tokens of a micro-batch at most; decides speed and memory, not the result.", gt=0
    )
    longest: int = setting(1024, "Tokens of a row at most.", gt=1)
    too_long: Literal["skip", "cut"] = setting("skip", "Leave longer rows out, or cut their prompt.")
    turns: Literal["all", "last"] = setting("all", "Learn all answers of a conversation, or its last.")
    recompute: bool = setting(False, "Recompute activations in the backward pass (less memory).")

    def tokens_on(self, device: str) -> int:
        """Tokens of a micro-batch on a device of this type: few fit into a CPU's cache, many fill a GPU."""
        return self.tokens or (512 if device == "cpu" else 8192)


class TermSettings(Settings):
    """What every term of the loss beside that of the rows has."""

    weight: float = setting(1.0, "Weight of the term in the loss.", gt=0)
    warmup: Share = setting(0.0, "Share of the steps over which the weight rises.")

    def weight_at(self, step: int, steps: int) -> float:
        """The weight at step `step` (from 0) of `steps`."""
        return self.weight * min(1.0, (step + 1) / max(1.0, self.warmup * steps))


class _Contrast(TermSettings):
    layers: tuple[int, ...] = setting((), "Numbers of blocks (from 1); the middle one by default.")
    temperature: float = setting(0.1, "Divisor of the cosine similarities.", gt=0)


class Align(_Contrast):
    """The shared latent space: a contrastive loss (InfoNCE) between the mean-pooled states of parallel texts
    at `layers`, symmetric (after MidAlign, arXiv 2502.14830).
    """


class Consist(_Contrast):
    """The same answer in two languages, at one granularity.

    granularity: `answer` compares the distributions over the options of an item, `token` the next-token
    distributions wherever two completions have the same token, `sentence` the states of two completions as
    `Align` does. divergence (of answers and tokens): `js` (Jensen-Shannon), `kl` (towards the pivot, whose
    side has no gradient), or for answers `dco` (direct consistency optimisation, arXiv 2603.04678; the
    reference is the model before training). direction (of `dco`): by language, how much the others take on
    its preferences; 1 where it is not named.
    """

    granularity: Literal["answer", "token", "sentence"] = setting("answer", "What is compared.")
    divergence: Literal["js", "kl", "dco"] = setting("js", "How it is compared.")
    hold_pivot: bool = setting(False, "Give the pivot's side no gradient.")
    length: Literal["sum", "token"] = setting("sum", "An option's log-likelihood: sum, or mean per token.")
    direction: ByLanguage[Annotated[float, Field(gt=0)]] = setting(
        {}, "With `dco`, how much others follow a language.", metavar="JSON"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Consist:
        if self.direction and self.divergence != "dco":
            raise ValueError("`direction` needs `divergence: dco`")
        if self.divergence == "dco" and self.granularity != "answer":
            raise ValueError("`divergence: dco` needs `granularity: answer`")
        return self

    @property
    def follows_pivot(self) -> bool:
        """Whether one of the two languages has no gradient."""
        return self.granularity != "sentence" and (self.divergence == "kl" or self.hold_pivot)

    def balance(self, one: str, other: str) -> float:
        """How much `other` takes on the preferences of `one` in the loss of `dco`, and `one` inversely."""
        return self.direction.get(one, 1.0) / self.direction.get(other, 1.0)


class _Pairs(Settings):
    share: float = setting(0.2, "Their share of all tokens; 1: no rows.", ge=0, le=1)
    apart_from: tuple[Path, ...] = setting(
        (), "Benchmarks for evaluation, which must share no item and no fact."
    )


class Prefer(TermSettings, _Pairs):
    """Pivot preference (after CM-Align, arXiv 2509.08541): of two answers of the model in one language, the
    one that means the pivot's most frequent answer becomes likelier than the other, by direct preference
    optimisation (DPO, arXiv 2305.18290). The reference is the model before training.

    smoothing: the share of the preferences that are taken to be wrong (conservative DPO).
    """

    data: Path = setting(..., "A folder written by `crossin prefer`, or its preferences.parquet.")
    beta: float = setting(0.1, "How strongly the model is held to the reference.", gt=0)
    length: Literal["sum", "token"] = setting("sum", "An answer's log-likelihood: sum, or mean per token.")
    smoothing: float = setting(0.0, "Share of the preferences taken to be wrong.", ge=0, lt=0.5)


class Pairs(_Pairs):
    """The stream of pairs beside the mixture, or in its place: the same content in two languages.

    rows: a mixture or dataset whose rows share an `id` between languages. items: a benchmark's folder, whose
    answers are not read. At least one of the two.
    """

    rows: Path | None = setting(None, "Rows that share an id between languages.")
    items: Path | None = setting(None, "A benchmark's folder; its answers are not read.")
    pivot: Language = setting("en", "One side of each pair.")
    languages: Languages[tuple[Language, ...]] = setting((), "Limit the pairs to these and the pivot.")
    among: Literal["pivot", "any"] = setting("pivot", "Pair the pivot with another, or any two languages.")
    check_language: bool = setting(True, "Stop where most rows are in another language than they say.")
    wording: str = setting("question", "How questions are worded (docs/evaluate.md).")

    @model_validator(mode="after")
    def _consistent(self) -> Pairs:
        if self.rows is None and self.items is None:
            raise ValueError("needs `rows` or `items`")
        return self


class Sampler(Settings):
    """Which rows a step has: `fixed`, in the mixture's order, or `adaptive`: languages by shares that are
    recomputed every `every` steps from a criterion c, proportional to Phi(z) with z = (c - mean) / standard
    deviation (the authors' archived idea).
    """

    kind: Literal["fixed", "adaptive"] = setting("fixed", "As composed, or by languages.")
    criterion: Literal["loss", "gap"] = setting("loss", "Held-out loss, or gap of consistency to the pivot.")
    every: int = setting(50, "Steps between new shares.", gt=0)


class HeldOut(Settings):
    """Rows that are not trained on, whose loss is measured."""

    share: Share = setting(0.0, "Share of the mixture's ids that are held out.")
    every: int = setting(50, "Steps between measurements.", gt=0)


class TrainConfig(Settings):
    """A training run: model and mixture, what is trained, on what loss, in which batches."""

    name: str = setting("train", "A name for you; it decides nothing.", flag=False)
    model: str | None = setting(None, "A built-in name, a hub id, a folder or a GGUF file.")
    mixture: Path | None = setting(None, "A mixture folder or a dataset.")
    method: Method = Method()
    optimiser: Optimiser = Optimiser()
    batches: Batches = Batches()
    weigh: Literal["token", "row"] = setting("token", "What has equal weight in the loss.")
    epochs: int = setting(1, "Passes over the mixture; without rows, over the pairs.", gt=0)
    max_steps: int | None = setting(None, "Steps at most; the schedule is over the steps there are.", gt=0)
    max_tokens: int | None = setting(None, "End with the step that reaches this number of tokens.", gt=0)
    align: Align | None = None
    consist: Consist | None = None
    prefer: Prefer | None = None
    pairs: Pairs | None = None
    sampler: Sampler = Sampler()
    held_out: HeldOut = HeldOut()
    checkpoint_every: int = setting(50, "Steps between checkpoints.", gt=0)
    log_every: int = setting(10, "Steps per line of the log.", gt=0)
    track: tuple[str, ...] = setting((), "Trackers of transformers, such as tensorboard or wandb.")
    device: str = setting("auto", "auto, cpu, mps, cuda, or one card as cuda:1.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = setting("auto", "Precision of the weights.")
    export: bool = setting(False, "Merge the adapter at the end and write a whole model, too.")
    chat_template_kwargs: TemplateArguments = setting({}, ARGUMENTS_HELP, metavar="JSON")
    seed: int = setting(0, "Decides order, pairs, an adapter's first weights and dropout.")

    @model_validator(mode="after")
    def _consistent(self) -> TrainConfig:
        pairs, consist, held_out = self.pairs, self.consist, self.held_out
        rows, items = (pairs.rows, pairs.items) if pairs else (None, None)
        any_two = pairs is not None and pairs.among == "any"
        criterion = self.sampler.criterion if self.sampler.kind == "adaptive" else None
        uneven = self.sampler.every % held_out.every
        answers = consist is not None and consist.granularity == "answer"
        rules = (
            (not pairs and (self.align or consist), "`align` and `consist` need `pairs`"),
            (pairs and not (self.align or consist), "`pairs` need `align` or `consist`"),
            (answers and not items, "`granularity: answer` needs `pairs.items`"),
            (consist and not answers and not rows, "`granularity: token` and `sentence` need `pairs.rows`"),
            (consist and consist.follows_pivot and any_two, "following the pivot needs `pairs.among: pivot`"),
            (criterion == "loss" and not held_out.share, "`sampler.criterion: loss` needs `held_out.share`"),
            (criterion == "loss" and uneven, "`sampler.every` must be a multiple of `held_out.every`"),
            (criterion == "gap" and not items, "`sampler.criterion: gap` needs `pairs.items`"),
            (self._free_share < -_NOTHING, "`pairs.share` and `prefer.share` are more than 1 together"),
            (not self.rows_share and held_out.share, f"`held_out.share` needs rows, but {_NO_ROWS}"),
            (not self.rows_share and criterion, f"`sampler.kind: adaptive` needs rows, but {_NO_ROWS}"),
        )
        for broken, message in rules:
            if broken:
                raise ValueError(message)
        return self

    def limited(self, steps: int, tokens_at: Callable[[int], float]) -> int:
        """So many steps, or fewer where `max_steps` or `max_tokens` ends the run earlier; `tokens_at` gives
        the tokens of a step over all processes.
        """
        steps = min(steps, self.max_steps or steps)
        if self.max_tokens:
            read = accumulate(map(tokens_at, range(steps)))
            steps = next((step for step, sum_ in enumerate(read, 1) if sum_ >= self.max_tokens), steps)
        return steps

    @property
    def _free_share(self) -> float:
        return 1 - sum(pairs.share for pairs in (self.pairs, self.prefer) if pairs)

    @property
    def rows_share(self) -> float:
        """The share of a step's tokens that is left for the mixture's rows: 0 where only pairs are read."""
        return self._free_share if self._free_share > _NOTHING else 0.0


def read_config(
    config: TrainConfig | Mapping[str, Any] | Path | str, given: Mapping[str, Any] | None = None
) -> TrainConfig:
    """The settings in a YAML file, with those `given` (nested like the file) in place of its own. In place of
    the file: an example's name, entries, or settings.

    Relative paths in the file start from its folder; `model` is a folder or GGUF file that is there, else a
    name.
    Raises CrossinError with file, field and the nearest key for an entry that is wrong.
    """
    given = dict(given or {})
    found = config_of(TrainConfig, config, given, command="train", hint="see docs/train.md for the keys")
    if found.model and "model" not in given and is_path(config):
        folder = folder_of(named_file("train", config)) / as_path(found.model)
        if folder.exists():
            return found.model_copy(update={"model": str(folder)})
    return found
