"""The settings of stages that ask a model questions, for what its own answers are worth."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

from crossin.core.settings import Settings, setting
from crossin.items.scored_options import Choice
from crossin.languages.codes import Language, Languages
from crossin.models.chat import ARGUMENTS_HELP, TemplateArguments
from crossin.servers import ServerSettings

_what = partial(setting, group="What is asked")
_how = partial(setting, group="How it is asked")
_local = partial(setting, group="Models of transformers (hf)")


class AskingConfig(Settings):
    """Which model is asked which questions, how, and where it runs."""

    model: str = setting(..., "A model's name, hub id, folder or GGUF file.", flag=False)
    questions: Path = _what(..., "A benchmark; its right answers are not read.", metavar="FILE|FOLDER")
    pivot: Language = _what("en", "Language whose answers decide.", metavar="LANGUAGE")
    languages: Languages[tuple[Language, ...]] | None = _what(
        None,
        "Languages with commas; all of the questions if not given. The pivot is always asked.",
        metavar="LIST",
        min_length=1,
    )
    tasks: tuple[str, ...] | None = _what(None, "Tasks with commas; all if not given.", min_length=1)
    limit: int | None = _what(None, "Number of questions, drawn in whole groups as by `evaluate`.", ge=1)
    seed: int = _what(0, "Decides that draw, and those of replies.", ge=0)
    engine: Literal["hf", "openai"] = _what(
        "hf", "`hf`: the model runs here. `openai`: behind an OpenAI-compatible server."
    )
    cache: Path | None = _what(
        None,
        "File that holds the answers for other runs too; without it, a file in OUT holds them until the run "
        "is finished.",
    )
    choice: Choice = _how("sum", "What decides between options that are scored, as in `evaluate`.")
    chat_template_kwargs: TemplateArguments = _how({}, ARGUMENTS_HELP, metavar="JSON")
    adapter: Path | None = _local(None, "Adapter on the model: PEFT's, or a training's.", metavar="FOLDER")
    device: str = _local("auto", "`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.")
    dtype: Literal["auto", "float32", "bfloat16", "float16", "4bit"] = _local(
        "auto", "Precision; `auto`: float32 on a CPU, else bfloat16 if the GPU supports it."
    )
    processes: int = _local(1, "Copies of the model, one on each GPU.", ge=1)
    batch_tokens: int | None = _local(None, "Most tokens in a batch on a GPU.", ge=1)
    accept_licence: bool = _local(False, "Accept the model's terms.")
    server: ServerSettings = ServerSettings()
