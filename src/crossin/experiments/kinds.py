"""The kinds of stages that an experiment runs: the settings of each, and the function that makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, field_validator

from crossin.bench.part import By
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.settings import Settings, as_value_error, setting
from crossin.core.skipping import MOST_SKIPPED
from crossin.core.stages import Stage
from crossin.core.suggestions import hint_at
from crossin.evaluation.config import EvaluateConfig
from crossin.experiments.jobs import Job, replaced
from crossin.facts.corpus import HeldOut
from crossin.languages.codes import ByLanguage, Language, Languages
from crossin.languages.words import load_words
from crossin.mixture.recipe import Recipe
from crossin.teaching.config import TeachConfig, Wordings
from crossin.teaching.prefer_config import PreferConfig
from crossin.training.config import TrainConfig
from crossin.translation.config import TranslateConfig


class _InWords(Settings):
    """What is made from crossin's own words, in the languages that have them."""

    languages: Languages[tuple[Language, ...]]

    @field_validator("languages")
    @classmethod
    def _have_words(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        with as_value_error():
            for language in languages:
                load_words(language)
        return languages


class FactsSource(_InWords):
    """The world's facts as a corpus (docs/formats.md)."""

    held_out: HeldOut = "test"
    shares: ByLanguage[float] = setting({}, "The part of the questions to train on that languages have.")


class FactsBenchSource(Settings):
    """Questions about the countries of these splits of a facts corpus."""

    facts: Path
    splits: tuple[str, ...] = ("test",)
    other_wording: bool = False


class CounterfactualSource(_InWords):
    """Facts that no model can know (docs/formats.md)."""

    countries: int = setting(30, gt=0)
    seed: int = 0
    held_out_languages: Languages[tuple[Language, ...]] = ()


class BenchSource(Settings):
    """A benchmark that `crossin bench build` can build."""

    name: str
    source: Path | None = None
    languages: Languages[tuple[Language, ...]] | None = None
    split: str | None = None
    max_skipped: float = setting(MOST_SKIPPED, ge=0, le=1)


class BenchPartSource(Settings):
    """A part of a benchmark, by shares of its groups or tasks (`crossin bench part`)."""

    bench: Path
    share: tuple[float, float] = (0, 1)
    by: By = "group"
    tasks: tuple[str, ...] | None = setting(None, min_length=1)
    items: int | None = setting(None, gt=0)
    seed: int = 0


class BenchRowsSource(Settings):
    """The questions of a benchmark with their right answers, as rows (`crossin bench rows`)."""

    bench: Path
    wordings: Wordings = "other"


class Mixture(Settings):
    """A recipe and the folder of its data."""

    recipe: Recipe
    data: Path


class Asked(Settings):
    """One model on one benchmark."""

    evaluate: EvaluateConfig
    model: str
    training: Path | None = None
    bench: Path


@dataclass(frozen=True)
class Kind:
    """A kind of stage. fills: the entries that the experiment gives where the stage has none."""

    settings: type[BaseModel]
    make: Callable[[Any, Path, Progress], Stage]
    fills: tuple[str, ...] = ()


def run_job(job: Job, out: Path, progress: Progress = silent) -> Stage:
    """Make the result of a job in its folder below `out`, where those that it needs are; or find it there.

    What was interrupted resumes. Raises CrossinError where the stage does.
    """
    kind = KINDS[job.stage]
    folders = {needed.key: str(needed.folder(out)) for needed in job.needs}
    settings = kind.settings.model_validate(replaced(job.settings, folders))
    return kind.make(settings, job.folder(out), progress)


def _facts(source: FactsSource, out: Path, progress: Progress) -> Stage:
    from crossin.facts import build_facts

    return build_facts(
        list(source.languages), out, held_out=source.held_out, shares=source.shares, progress=progress
    )


def _facts_bench(source: FactsBenchSource, out: Path, _: Progress) -> Stage:
    from crossin.facts import build_bench

    return build_bench(source.facts, out, split=source.splits, other_wording=source.other_wording)


def _counterfactual(source: CounterfactualSource, out: Path, _: Progress) -> Stage:
    from crossin.facts import build_counterfactual

    return build_counterfactual(
        source.languages,
        out,
        countries=source.countries,
        seed=source.seed,
        held_out_languages=source.held_out_languages,
    )


def _bench(source: BenchSource, out: Path, progress: Progress) -> Stage:
    from crossin.bench import build_named

    return build_named(
        source.name,
        out,
        languages=source.languages,
        source=source.source,
        split=source.split,
        max_skipped=source.max_skipped,
        progress=progress,
    )


def _bench_part(source: BenchPartSource, out: Path, _: Progress) -> Stage:
    from crossin.bench.part import build_part

    return build_part(out=out, **source.model_dump())


def _bench_rows(source: BenchRowsSource, out: Path, _: Progress) -> Stage:
    from crossin.teaching.right_answers import bench_rows

    return bench_rows(out=out, **source.model_dump())


def _translate(config: TranslateConfig, out: Path, progress: Progress) -> Stage:
    from crossin.translation.run import translate

    return translate(config, out, progress=progress)


def _teach(config: TeachConfig, out: Path, progress: Progress) -> Stage:
    from crossin.teaching.run import teach

    return teach(config, out, progress=progress)


def _prefer(config: PreferConfig, out: Path, progress: Progress) -> Stage:
    from crossin.teaching.preferring import prefer

    return prefer(config, out, progress=progress)


def _compose(mixture: Mixture, out: Path, progress: Progress) -> Stage:
    from crossin.mixture import compose
    from crossin.models import pull

    recipe = mixture.recipe
    if recipe.tokenizer:
        recipe = recipe.model_copy(update={"tokenizer": str(pull(recipe.tokenizer, progress=progress))})
    return compose(recipe, mixture.data, out, progress=progress)


def _train(config: TrainConfig, out: Path, progress: Progress) -> Stage:
    from crossin.training import train

    return train(config, out, progress=progress)


def _evaluate(asked: Asked, out: Path, progress: Progress) -> Stage:
    from crossin.evaluation import ask_bench
    from crossin.evaluation.run import engine_of
    from crossin.models import pull
    from crossin.training.run import MODEL

    config = asked.evaluate
    model, adapter = asked.model, asked.training or config.adapter
    if adapter is not None and (adapter / MODEL).is_dir():
        model, adapter = str(adapter / MODEL), None
    if config.engine == "hf":
        model = str(pull(model, accept_licence=config.accept_licence, progress=progress))
    config = config.model_copy(update={"adapter": adapter})
    with closing(engine_of(config, model)) as engine:
        return ask_bench(
            engine,
            asked.bench,
            out,
            name=Path(asked.model).name,
            form=config.form_of(),
            cache=config.cache,
            progress=progress,
            **config.selection,
        )


KINDS: dict[str, Kind] = {
    "facts": Kind(FactsSource, _facts, ("languages",)),
    "facts-bench": Kind(FactsBenchSource, _facts_bench),
    "counterfactual": Kind(CounterfactualSource, _counterfactual, ("languages", "seed")),
    "bench": Kind(BenchSource, _bench, ("languages",)),
    "bench-part": Kind(BenchPartSource, _bench_part),
    "bench-rows": Kind(BenchRowsSource, _bench_rows),
    "translate": Kind(TranslateConfig, _translate),
    "teach": Kind(TeachConfig, _teach, ("model", "languages", "pivot")),
    "prefer": Kind(PreferConfig, _prefer, ("model", "languages", "pivot")),
    "compose": Kind(Mixture, _compose),
    "train": Kind(TrainConfig, _train, ("model", "seed")),
    "evaluate": Kind(Asked, _evaluate),
}


def kind_of(source: str, entries: Mapping[str, Any]) -> str:
    """The kind of the source called `source`; CrossinError where there is none of that name."""
    made = sorted(KINDS.keys() - {"compose", "train", "evaluate"})
    kind = entries.get("make")
    if kind not in made:
        raise CrossinError(
            "missing" if kind is None else f"nothing makes '{kind}'",
            field=f"sources.{source}.make",
            hint=hint_at(str(kind), made),
        )
    return str(kind)
