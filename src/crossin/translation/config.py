"""The settings of `translate`: one model for YAML, flags and Python."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import RootModel, StringConstraints, ValidationInfo, field_validator

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.core.settings import Settings, setting, validated
from crossin.core.skipping import MOST_SKIPPED
from crossin.languages.codes import ByLanguage, Language, Languages
from crossin.servers import ServerSettings
from crossin.translation.checks.quality import QualityModel
from crossin.translation.prompts import is_plain, read_prompt
from crossin.translation.requests import Translator
from crossin.translation.translators.services import SERVICES, ServiceTranslator

_Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Glossary = RootModel[ByLanguage[dict[_Term, _Term]]]
_ROWS, _CHECKS, _LOCAL = "Rows", "Quality checks", "Models in this process"


class TranslateConfig(Settings):
    """What to translate, into which languages, by which model, and what a translation must pass.

    Languages are accepted in any spelling. glossary: terms by target language, or a YAML file of them:
    `zh: {large language model: 大语言模型}`.
    """

    corpus: Path = setting(
        ..., "Rows in one language: JSON, JSON lines or Parquet, or a folder of such.", flag=False
    )
    source: Language = setting("en", "Language of the rows.", alias="from", group=_ROWS)
    to: Languages[tuple[Language, ...]] = setting(
        ..., "Languages to translate into: --to zh vi Thai.", metavar="LANGUAGE...", greedy=True, group=_ROWS
    )
    engine: Literal["openai", "ctranslate2", "hf", "deepl", "google", "libretranslate"] | None = setting(
        None,
        "openai: a chat model behind a server (vLLM, llama.cpp, OpenAI). ctranslate2: NLLB, MADLAD, OPUS and "
        "M2M models in that format. hf: a translation model of transformers. deepl, google, libretranslate: "
        "a translation service; --price-in and limits of tokens then count characters.",
    )
    model: str | None = setting(
        None, "The server's name of the model; else a folder, or with hf a hub id. Not for a service."
    )
    columns: dict[Literal["id", "instruction", "input", "output"], str] = setting(
        {},
        "Where a column has another name: output=response.",
        flag="--column",
        metavar="FIELD=COLUMN",
        group=_ROWS,
    )
    limit: int | None = setting(None, "Use only the first rows.", ge=1, group=_ROWS)
    max_skipped: float = setting(
        MOST_SKIPPED,
        "Largest share of a file's rows that may be left out for what is wrong with them.",
        ge=0,
        le=1,
        group=_ROWS,
    )
    any_language: bool = setting(
        False,
        "Do not check that the rows are in the language of --from.",
        flag="--no-check-language",
        old_flags=("--any-language",),
        group=_ROWS,
    )
    language_specific: Literal["skip", "keep", "instruction"] = setting(
        "skip",
        "Rows that make sense in their own language only (spelling, grammar, rhyme, translation): leave them "
        "out, keep them unchanged, or translate only the instruction.",
        old_flags=("--task-bound",),
        group=_ROWS,
    )
    glossary: Path | ByLanguage[dict[str, str]] | None = setting(
        None, "YAML file: below each language, `term: translation`. Each term is enforced.", metavar="FILE"
    )
    native: bool = setting(
        False, "Translate the instruction, and let the chat model answer it in the language."
    )
    cache: Path | None = setting(
        None,
        "File for all responses, which several runs may share. Default: in OUT.",
        old_flags=("--store",),
        metavar="FILE",
    )
    round_trip: float | None = setting(
        None, "Translate back, and reject below this chrF.", ge=0, le=100, group=_CHECKS
    )
    quality_model: Path | None = setting(
        None,
        "A quality-estimation model: a sequence classifier of transformers with one output, which reads "
        "source and translation.",
        metavar="FOLDER",
        group=_CHECKS,
    )
    quality: float = setting(0.0, "Reject below this score of the quality model.", group=_CHECKS)
    prompt: Path | None = setting(
        None,
        "Text file with another system prompt; {source} and {target} become the languages' names. With "
        "{text} it is all that is sent, one text a request, and the reply is the translation. Such prompts "
        "by name: hunyuan-mt, hunyuan-mt-zh, hy-mt-zh, hy-mt2, seed-x, tower, tower-plus, translategemma.",
        metavar="FILE|NAME",
        group="A server (openai)",
    )
    server: ServerSettings = ServerSettings()
    tokenizer: Path | None = setting(
        None, "Folder of the tokenizer, if not the model's.", metavar="FOLDER", group=_LOCAL
    )
    device: str = setting("auto", "`auto`, `cpu`, `cuda`, `cuda:1`.", group=_LOCAL)
    batch_tokens: int = setting(2048, "Tokens of a batch, with padding.", ge=1, group=_LOCAL)
    beam: int = setting(1, "Beam size.", ge=1, group=_LOCAL)
    shard_rows: int = setting(
        2000, "Rows of a shard at most; thresholds are fitted to a shard.", ge=1, group="Many processes"
    )

    @field_validator("to")
    @classmethod
    def _check_targets(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not value:
            raise ValueError("name at least one language to translate into")
        if info.data.get("source") in value:
            raise ValueError(f"the rows are in {info.data['source']} already")
        return value

    def terms(self) -> dict[str, dict[str, str]]:
        """The glossary's terms by target language. Raises CrossinError for a file of another form."""
        if isinstance(self.glossary, Path):
            hint = "write a language, and below it `term: translation`, in quotes where YAML needs them"
            found = validated(_Glossary, read_yaml(self.glossary), self.glossary, hint).root
            return {language: terms for language, terms in found.items() if language in self.to}
        for language in self.glossary or {}:
            if language not in self.to:
                raise CrossinError(
                    f"the glossary has terms in {language}, which is not translated into",
                    field="glossary",
                    hint="remove them, or name the language with --to",
                )
        return self.glossary or {}

    def quality_check(self) -> QualityModel | None:
        """The quality-estimation model, not yet loaded."""
        return QualityModel(self.quality_model, self.quality, self.device) if self.quality_model else None

    def translator(self, accounting: Path | None = None) -> Translator:
        """The translator that the settings name; nothing is loaded or sent yet.

        accounting: the file by which the processes of a run share budget, rate limit and usage.
        """
        if self.engine in SERVICES:
            return self._service(self.engine, accounting)
        if self.engine is None or self.model is None:
            missing = "engine" if self.engine is None else "model"
            raise CrossinError(
                "needs a model to translate by", field=missing, hint="--engine openai --model NAME"
            )
        if self.engine == "openai":
            from crossin.translation.translators.openai import OpenAITranslator

            if self.server.base_url is None:
                raise CrossinError(
                    "a server needs an address", field="base_url", hint="--base-url http://HOST/v1"
                )
            prompt = read_prompt(self.prompt)
            if self.native and is_plain(prompt):
                raise CrossinError(
                    "a model that is made to translate does not answer instructions",
                    field="native",
                    hint="leave out --native, or --prompt",
                )
            return OpenAITranslator(self.model, self.server, prompt=prompt, accounting=accounting)
        if self.native:
            raise CrossinError(
                "a translation model does not answer instructions", field="native", hint="use --engine openai"
            )
        if self.engine == "ctranslate2":
            from crossin.translation.translators.ctranslate2 import CTranslate2Translator

            return CTranslate2Translator(
                self.model,
                tokenizer=self.tokenizer,
                device=self.device,
                batch_tokens=self.batch_tokens,
                beam=self.beam,
            )
        from crossin.models import pull
        from crossin.translation.translators.huggingface import Seq2SeqTranslator

        return Seq2SeqTranslator(
            pull(self.model),
            tokenizer=self.tokenizer,
            device=self.device,
            batch_tokens=self.batch_tokens,
            beam=self.beam,
        )

    def _service(self, engine: str, accounting: Path | None) -> Translator:
        for field, given, message in (
            ("model", self.model is not None, "takes no model; --body '{…}' adds fields of its own"),
            ("prompt", self.prompt is not None, "takes no prompt"),
            ("native", self.native, "does not answer instructions"),
        ):
            if given:
                hint = f"leave out --{field}, or use --engine openai"
                raise CrossinError(f"{SERVICES[engine].name} {message}", field=field, hint=hint)
        return ServiceTranslator(engine, self.server, accounting=accounting)
