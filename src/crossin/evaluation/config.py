"""The settings of `crossin evaluate`, the same in YAML, as flags and in Python."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator

from crossin.core.configs import config_of
from crossin.core.errors import CrossinError
from crossin.core.examples import folder_of, named_file
from crossin.core.paths import as_path, is_path
from crossin.core.settings import Settings, setting
from crossin.items import Form
from crossin.items.scored_options import Choice
from crossin.languages.codes import Language, Languages
from crossin.models.chat import ARGUMENTS_HELP, TemplateArguments, thinks
from crossin.servers import ServerSettings

_what = partial(setting, group="What is asked")
_how = partial(setting, group="How it is asked")
_local = partial(setting, group="Models of transformers (hf)")
FormKind = Literal["text", "letters", "generate"]


class EvaluateConfig(Settings):
    """Which models answer which benchmarks, and how.

    models, bench: names or folders, or LABEL=NAME to give one a name of its own. A name is taken from the
    last part of a folder.
    """

    models: tuple[str, ...] = setting(
        ..., "Names, hub ids or folders of models, and of trainings or adapters.", flag=False, min_length=1
    )
    bench: tuple[str, ...] = _what(
        ...,
        "A folder that `crossin bench build` wrote, or `facts`, which is built on the way; LABEL=FOLDER "
        "names it. Several: --bench facts --bench bench/mmlu.",
        metavar="NAME|FOLDER",
        min_length=1,
    )
    languages: Languages[tuple[Language, ...]] | None = _what(
        None,
        "Languages with commas, in any spelling: en,vi,Thai; all if not given.",
        min_length=1,
    )
    tasks: tuple[str, ...] | None = _what(None, "Tasks with commas; all if not given.", min_length=1)
    limit: int | None = _what(
        None,
        "Number of items, the same in every language. They are drawn in whole groups (paragraphs, "
        "countries), so there may be a few more; a larger limit holds those of a smaller one.",
        ge=1,
    )
    per_task: int | None = _what(
        None,
        "Number of items of each task, or all where it has fewer; drawn as by --limit, in place of it.",
        ge=1,
    )
    seed: int = _what(0, "Decides that draw, the shots, and --order rotated.", ge=0)
    engine: Literal["hf", "openai"] = _what(
        "hf",
        "`hf`: the model runs here. `openai`: it runs behind an OpenAI-compatible server (vLLM, SGLang, "
        "llama.cpp, OpenAI).",
    )
    cache: Path | None = _what(
        None,
        "File that holds the answers for other runs too; without it, a file in OUT holds them until the run "
        "is finished.",
    )
    form: FormKind | None = _how(
        None,
        "`text`: how likely is each option's full text? `letters`: options are listed, and how likely is "
        "each letter? `generate`: a reply is generated and parsed. Default: text, or with a server the first "
        "of these that it supports.",
    )
    choice: Choice = _how(
        "sum",
        "What decides between full texts: the log-probability (`sum`), that for each `token` or `byte`, or "
        "how much the question raises it (`bare`).",
    )
    chat: bool | None = _how(None, "With the model's chat template, or plain.", flag="--chat/--plain")
    chat_template_kwargs: TemplateArguments = _how({}, ARGUMENTS_HELP, metavar="JSON")
    wordings: tuple[str, ...] = _how(
        ("question",),
        'How the question is put, with commas: `question` ("Question: … Answer:" in the language), `plain` '
        "(the question alone), `asked` (with an instruction to answer in the language).",
        min_length=1,
    )
    shots: int = _how(0, "Worked examples before each question.", ge=0)
    shots_from: Path | None = _how(
        None,
        "Benchmark that they come from: another split, or the one asked, whose items are then shots for each "
        "other.",
        metavar="FOLDER",
    )
    order: Literal["fixed", "rotated"] = _how(
        "fixed", "Listed options begin at the first, or at another in each language."
    )
    max_tokens: int = _how(256, "Longest reply, in tokens.", ge=1)
    truncate: Literal["left"] | None = _how(
        None, "Cut prompts that are too long, or let a server cut them, instead of stopping."
    )
    adapter: Path | None = _local(None, "Adapter on the model: PEFT's, or a training's.", metavar="FOLDER")
    merge: bool = _local(True, "Add it into the weights.")
    device: str = _local("auto", "`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.")
    dtype: Literal["auto", "float32", "bfloat16", "float16", "4bit"] = _local(
        "auto", "Precision; `auto`: float32 on a CPU, else bfloat16 if the GPU supports it."
    )
    processes: int = _local(1, "Copies of the model, one on each GPU.", ge=1)
    batch_tokens: int | None = _local(None, "Most tokens in a batch on a GPU.", ge=1)
    accept_licence: bool = _local(False, "Accept the model's terms.")
    server: ServerSettings = ServerSettings()

    @model_validator(mode="after")
    def _check_models(self) -> Self:
        if self.adapter is not None and len(self.models) > 1:
            raise ValueError("an adapter belongs to one model: evaluate the others separately")
        return self

    @model_validator(mode="after")
    def _check_number(self) -> Self:
        if self.limit is not None and self.per_task is not None:
            raise ValueError(
                "`limit` draws from all tasks together, and `per_task` from each: give one of them"
            )
        return self

    @model_validator(mode="after")
    def _check_chat(self) -> Self:
        if self.chat_template_kwargs and not self.chat:
            raise ValueError("`chat_template_kwargs` needs `chat`: plain prompts have no template")
        if thinks(self.chat_template_kwargs) and self.form not in (None, "generate"):
            raise ValueError(
                "no option is scored while thinking is on: use `form: generate`, or switch thinking off"
            )
        return self

    def form_of(self, kind: FormKind | None = None) -> Form:
        """How questions are put, as the given kind where the settings leave it open."""
        # No option is scored while thinking is on.
        open_kind = "generate" if thinks(self.chat_template_kwargs) else kind or "text"
        return Form(
            kind=self.form or open_kind,
            wordings=self.wordings,
            chat=bool(self.chat),
            shots=self.shots,
            order=self.order,
            max_tokens=self.max_tokens,
        )

    @property
    def selection(self) -> dict[str, Any]:
        """What `prepare` and `ask_bench` take beside the form."""
        return {
            "choice": self.choice,
            "languages": self.languages,
            "tasks": self.tasks,
            "limit": self.limit,
            "per_task": self.per_task,
            "shots": self.shots_from,
            "seed": self.seed,
        }


def read_config(
    config: EvaluateConfig | Mapping[str, Any] | Path | str, given: Mapping[str, Any] | None = None
) -> EvaluateConfig:
    """The settings in `config`, with those `given` in place of its own.

    config: the settings, their entries, a YAML file, or an example's name. Relative paths in a file start
    from its folder; an entry of `models` or `bench` is the folder that is there, else a name, or a folder
    below the working directory. Raises CrossinError with file and field.
    """
    given = dict(given or {})
    found = config_of(EvaluateConfig, config, given, command="evaluate", hint="crossin evaluate --help")
    if not is_path(config):
        return found
    folder = folder_of(named_file("evaluate", config))
    # A server's models have no folder here.
    paths = ("models", "bench") if found.engine == "hf" else ("bench",)
    names = {name: getattr(found, name) for name in paths if name not in given}
    near = {name: tuple(_beside(folder, text) for text in texts) for name, texts in names.items()}
    return found.model_copy(update=near)


def _beside(folder: Path, text: str) -> str:
    """An entry with the path of what it names in `folder`, if that is there."""
    if (folder / text).exists():
        return str(folder / text)
    label, mark, rest = text.partition("=")
    return f"{label}={folder / rest}" if mark and rest and (folder / rest).exists() else text


def labelled(texts: tuple[str, ...], what: str, suffix: str = "") -> dict[str, str]:
    """Models or benchmarks by label: that of LABEL=TEXT, else the last part of the name, with `suffix`."""
    found: dict[str, str] = {}
    for text in texts:
        label, mark, rest = text.partition("=")
        if not mark or as_path(text).exists():
            label, rest = as_path(text).resolve().name + suffix, text
        if not label or label in (".", "..") or "/" in label or "\\" in label or not rest:
            raise CrossinError(f"expected a {what} or LABEL={what.upper()}, got '{text}'", hint="LABEL=NAME")
        if label in found:
            raise CrossinError(
                f"two {what}s are called '{label}'", hint=f"give one another label: other-{label}={rest}"
            )
        found[label] = rest
    return found
