"""`crossin report`: the page, its figures and the table, from evaluation folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crossin.core.errors import CrossinError


def report(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN…", help="Evaluation folders, or NAME=FOLDER; the last is the arm under study."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The page to write; its figures go beside it as .json.")],
    baseline: Annotated[
        str | None, typer.Option(help="The arm to compare with, by name; the first where not given.")
    ] = None,
    wording: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The prompt's wording to report, where there are several."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="The page's title.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures as JSON, not as a table.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table as Markdown, for a README.")
    ] = False,
) -> None:
    """Make one HTML page of results: figures with intervals, plots, and every question in every language."""
    from rich.console import Console

    from crossin.core.files import read_text
    from crossin.reports import as_rich, markdown
    from crossin.reports import report as make
    from crossin.reports.make import TITLE

    made = make(_named(runs), out, baseline=baseline, wording=wording, title=title or TITLE)
    if as_json:
        typer.echo(read_text(made.figures), nl=False)
    elif as_markdown:
        typer.echo(markdown(made.summary), nl=False)
    else:
        console = Console()
        console.print(as_rich(made.summary, width=console.width))
        typer.echo(f"Page: {made.page}\nFigures: {made.figures}")


def _named(runs: list[str]) -> dict[str, Path]:
    """Arms by name: the part before `=`, or else the folder's own name."""
    named: dict[str, Path] = {}
    for run in runs:
        name, sign, folder = run.partition("=")
        path = Path(folder) if sign and not Path(run).exists() else Path(run)
        name = name if path != Path(run) else path.resolve().name
        if name in named:
            raise CrossinError(f"two runs are called '{name}'", hint="give them names: NAME=FOLDER")
        named[name] = path
    return named
