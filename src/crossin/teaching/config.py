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
from crossin.evaluation.preparation import Choice
from crossin.items import Form
from crossin.languages.codes import Language, Languages
from crossin.models.chat import ARGUMENTS_HELP, TemplateArguments, thinks
from crossin.servers import ServerSettings
from crossin.teaching.asking import AskingConfig
from crossin.translation.config import TranslateConfig

_what = partial(setting, group="What is asked")
_how = partial(setting, group="How it is asked")
_kept = partial(setting, group="Which answers are kept")
_rows = partial(setting, group="What is written")
_local = partial(setting, group="Models of transformers (hf)")
# PEFT's, in the folder of an adapter or of a training.
_ADAPTERS = ("adapter_config.json", "adapter/adapter_config.json")


class TeachConfig(AskingConfig):
    """Whose answers to which questions are taught, and when they count as certain."""

    model: str = setting(..., "A model's name, hub id or folder.", flag=False)
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
    pivot: Language = _what("en", "Language that the questions are asked in.", metavar="LANGUAGE")
    languages: Languages[tuple[Language, ...]] | None = _what(
        None,
        "Languages of the rows, with commas; all of the questions if not given. The pivot is always one.",
        metavar="LIST",
        min_length=1,
    )
    tasks: tuple[str, ...] | None = _what(None, "Tasks with commas; all if not given.", min_length=1)
    limit: int | None = _what(None, "Number of questions, drawn in whole groups as by `evaluate`.", ge=1)
    seed: int = _what(0, "Decides that draw, and those of --samples.", ge=0)
    engine: Literal["hf", "openai"] = _what(
        "hf", "`hf`: the model runs here. `openai`: behind an OpenAI-compatible server."
    )
    cache: Path | None = _what(
        None,
        "File that holds the answers for other runs too, those of `evaluate` among them; without it, a file "
        "in OUT holds them until the run is finished.",
    )
    form: FormKind | None = _how(
        None,
        "`text`: how likely is each option's full text? `letters`: options are listed, and how likely is "
        "each letter? `generate`: a reply is generated and parsed. Default: text, or with a server the first "
        "of these that it supports. Questions without options are always answered in text.",
    )
    choice: Choice = _how(
        "sum", "What decides between options, as in `evaluate`: `sum`, `token`, `byte` or `bare`."
    )
    chat: bool | None = _how(None, "With the model's chat template, or plain.", flag="--chat/--plain")
    chat_template_kwargs: TemplateArguments = _how({}, ARGUMENTS_HELP, metavar="JSON")
    ask: tuple[str, ...] = _how(
        ("question", "plain", "asked"),
        "The wordings that each question is asked in, with commas: those of `evaluate --wordings`.",
        min_length=1,
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
    wordings: Literal["other", "same"] = _rows(
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
    adapter: Path | None = _local(None, "Adapter on the model: PEFT's, or a training's.", metavar="FOLDER")
    device: str = _local("auto", "`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.")
    dtype: Literal["auto", "float32", "bfloat16", "float16", "4bit"] = _local(
        "auto", "Precision; `auto`: float32 on a CPU, else bfloat16 if the GPU supports it."
    )
    processes: int = _local(1, "Copies of the model, one on each GPU.", ge=1)
    batch_tokens: int | None = _local(None, "Most tokens in a batch on a GPU.", ge=1)
    accept_licence: bool = _local(False, "Accept the model's terms.")
    server: ServerSettings = ServerSettings()

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
