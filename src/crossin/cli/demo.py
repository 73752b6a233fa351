"""The verb `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything the run makes.")] = Path("crossin-demo"),
    languages: Annotated[
        str,
        typer.Option(help="Codes, with commas; English must be among them. The default is the paper's four."),
    ] = "en,zh,vi,es",
    seed: Annotated[int, typer.Option(help="Decides what is drawn and how training begins.")] = 0,
    model: Annotated[
        str, typer.Option(help="A name from `crossin models list`, a hub id, or a local folder.")
    ] = "smollm2-135m",
    recipe: Annotated[
        Path | None,
        typer.Option(help="A recipe file; the default is written to OUT/crossin/mixture/recipe.yaml."),
    ] = None,
    held_out: Annotated[
        str, typer.Option(help="Countries to evaluate on: `test`, or `dev` while you choose a recipe.")
    ] = "test",
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the model's terms.")
    ] = False,
    consist: Annotated[
        bool,
        typer.Option(
            "--consist",
            help="Beside the mixture, draw the answers in two languages together (ours; docs/results.md).",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON instead of a table.")
    ] = False,
) -> None:
    """The whole road on a real model: facts, mixture, tuning, evaluation, report.

    Tunes the model twice on facts about some countries, with English rows only and with the CrossIn mixture,
    and asks all three models about other countries in every language. Stopped at any point and started again,
    it goes on where it was.

    Example: `crossin demo --languages en,th,ar --out runs/thai-arabic`
    """
    from crossin.cli.console import console, progress_bars, say
    from crossin.core.files import read_text
    from crossin.experiments.demo import Demo, run_demo
    from crossin.languages import parse_languages
    from crossin.reports import as_rich

    plan = Demo(
        out=out,
        languages=parse_languages(languages),
        seed=seed,
        model=model,
        recipe_file=recipe,
        held_out=held_out,
        accept_licence=accept_licence,
        consist=consist,
    )
    if dry_run:
        for line in plan.describe():
            console.print(line, markup=False, highlight=False)
        return
    with progress_bars() as progress:
        made = run_demo(plan, progress=progress, say=say)
    if json:
        typer.echo(read_text(made.figures), nl=False)
    else:
        console.print(as_rich(made.summary, width=console.width))
    say(f"the page, question by question: {made.page}")
