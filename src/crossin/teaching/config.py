"""The settings of `crossin teach`, the same in YAML, as flags and in Python."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator

from crossin.core.configs import config_of
from crossin.core.paths import as_path
from crossin.core.settings import setting
from crossin.evaluation.config import EvaluateConfig, FormKind
from crossin.evaluation.engine import Sampling
from crossin.items import Form
from crossin.models.chat import thinks
from crossin.teaching.asking import AskingConfig
from crossin.translation.config import TranslateConfig

_what = partial(setting, group="What is asked")
_how = partial(setting, group="How it is asked")
_kept = partial(setting, group="Which answers are kept")
_rows = partial(setting, group="What is written")
# PEFT's, in the folder of an adapter or of a training.
_ADAPTERS = ("adapter_config.json", "adapter/adapter_config.json")

# Which of a question's wordings rows ask in.
Wordings = Literal["other", "same"]


class TeachConfig(AskingConfig):
    """Whose answers to which questions are taught, and when they count as certain."""

    teacher: str | None = _what(
        None,
        "Who answers in place of MODEL: another model, or an adapter on MODEL (a training's folder).",
        metavar="NAME|FOLDER",
    )
    questions: Path = _what(
        ...,
        "A benchmark, whose right answers are not read; or a corpus in the pivot, or in several languages, "
        "whose outputs are not read.",
        metavar="FILE|FOLDER",
    )
    form: FormKind | None = _how(
        None,
        "`text`: how likely is each option's full text? `letters`: options are listed, and how likely is "
        "each letter? `generate`: a reply is generated and parsed. Default: text, or with a server the first "
        "of these that it supports. Questions without options are always answered in text.",
    )
    chat: bool | None = _how(None, "With the model's chat template, or plain.", flag="--chat/--plain")
    ask: tuple[str, ...] = _how(
        ("question", "plain", "asked"),
        "The wordings that each question is asked in, with commas: those of `evaluate --wordings`.",
        min_length=1,
    )
    shots: int = _how(0, "Worked examples before each question.", ge=0)
    shots_from: Path | None = _how(
        None,
        "Benchmark that they come from, with their right answers: no item of it may be asked.",
        metavar="FILE|FOLDER",
    )
    max_tokens: int = _how(256, "Longest reply, in tokens.", ge=1)
    samples: int = _how(
        0, "Replies that are drawn for each wording, in place of the likeliest one; options are listed.", ge=0
    )
    temperature: float = _how(0.7, "Of --samples: divides the logits.", gt=0)
    top_p: float = _how(
        1.0, "Of --samples: only the likeliest tokens that have this probability together.", gt=0, le=1
    )
    agreement: float = _kept(
        0.75,
        "Share of a question's answers that must mean the same: of three wordings all, of eight six.",
        gt=0.5,
        le=1,
    )
    margin: float = _kept(
        1.0,
        "Where options are scored: how much higher the log-probability of the first must be than that of the "
        "second, by `choice`, as a mean over the wordings. 1: 2.7 times as likely.",
        ge=0,
    )
    similarity: float = _kept(
        1.0,
        "Of free text: the share of words (F1) from which on two answers mean the same. 1: the same words; "
        "lower only for long texts, since 'It is Paris' and 'It is London' share two thirds.",
        gt=0,
        le=1,
    )
    wordings: Wordings = _rows(
        "other",
        "Rows ask in the wordings that the question has beside the one asked (`other`), where it has any, "
        "or in the `same` one.",
    )
    translate: Path | dict[str, Any] | None = _rows(
        None,
        "Settings of `crossin translate` (a YAML file, or an example's name), for answers in free text and "
        "questions that a language lacks.",
        metavar="FILE|NAME",
    )

    @model_validator(mode="after")
    def _check_teacher(self) -> Self:
        if self.teacher is not None and self.adapter is not None:
            raise ValueError("`adapter` is on MODEL, and `teacher` answers in its place: give one of them")
        if self.samples and self.form not in (None, "generate"):
            raise ValueError("replies are drawn by `samples`: use `form: generate`")
        # What an evaluation would refuse, such as thinking with scored options.
        self.evaluation()
        return self

    @property
    def answering(self) -> tuple[str, Path | None]:
        """The model that answers, by name or folder, and the adapter on it."""
        if self.teacher is None or self.engine == "openai":
            return self.teacher or self.model, self.adapter
        folder = as_path(self.teacher)
        if any((folder / name).is_file() for name in _ADAPTERS):
            return self.model, folder
        # A training of all weights.
        return (str(folder / "model") if (folder / "model" / "config.json").is_file() else self.teacher), None

    def evaluation(self) -> EvaluateConfig:
        """The same settings of the model, as those of an evaluation."""
        model, adapter = self.answering
        shared = {*type(self).model_fields} & {*EvaluateConfig.model_fields} - {
            "wordings",
            "languages",
            "seed",
        }
        return EvaluateConfig(
            models=(model,),
            bench=(str(self.questions),),
            wordings=self.ask,
            **{name: getattr(self, name) for name in shared - {"adapter"}},
            adapter=adapter,
        )

    def form_of(self, kind: FormKind | None = None) -> Form:
        """How questions are put, as the given kind where the settings leave it open."""
        return self.evaluation().form_of("generate" if self.samples else kind)

    @property
    def draws(self) -> list[Sampling]:
        """How each reply to a question is drawn; none where the likeliest one is asked for."""
        return [Sampling(k, self.temperature, self.top_p, self.seed) for k in range(self.samples)]

    @property
    def open_form(self) -> bool:
        """Whether a server decides how questions are put."""
        return self.form is None and not self.samples and not thinks(self.chat_template_kwargs)

    def translation(self, corpus: Path, to: tuple[str, ...]) -> TranslateConfig | None:
        """The settings by which answers are translated; None where there are none."""
        if self.translate is None:
            return None
        given = {"corpus": corpus, "from": self.pivot, "to": to}
        return config_of(
            TranslateConfig, self.translate, given, command="translate", hint="see docs/translate.md"
        )
