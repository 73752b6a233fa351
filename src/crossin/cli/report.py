"""`crossin report`: a page of results, its figures, and the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from crossin.cli.options import Command, json_option, option, settings_options
from crossin.core.errors import CrossinError
from crossin.core.paths import as_path
from crossin.logs.options import LogOptions


@click.command(cls=Command)
@click.argument("runs", metavar="[NAME=]PATH...", nargs=-1, required=True)
@option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The page to write (.html); its figures go beside it (.json).",
)
@option("--baseline", metavar="NAME", help="The run to compare with; the first if not given.")
@option("--wording", metavar="NAME", help="The prompt's wording to report, if there are several.")
@settings_options(LogOptions)
@option("--title", help="The page's title.")
@json_option
@option("--markdown", "as_markdown", is_flag=True, help="Print the table as Markdown, for a README.")
def command(
    runs: tuple[str, ...],
    out: Path,
    baseline: str | None,
    wording: str | None,
    given: dict[str, Any],
    title: str | None,
    as_json: bool,
    as_markdown: bool,
) -> None:
    """Make one HTML page of results: figures with intervals, plots, and every question in every language.

    Each PATH is an evaluation's folder, or another log that `crossin score` reads; the last is the run under
    study.
    """
    from crossin.cli.console import console, print_json, progress_bars, show
    from crossin.core.files import read_json
    from crossin.core.progress import phase
    from crossin.reports.difference_parts import parts_table
    from crossin.reports.make import TITLE, report
    from crossin.reports.table import as_rich, markdown

    with progress_bars() as progress, phase(progress, "making the report", "pages"):
        made = report(
            _by_name(runs),
            out,
            baseline=baseline,
            wording=wording,
            title=title or TITLE,
            **given,
        )
    if as_json:
        print_json(read_json(made.figures))
    elif as_markdown:
        print(markdown(made.summary), end="")
    else:
        console.print(as_rich(made.summary, width=console.width))
        if made.summary.parts:
            show(parts_table(made.summary.parts))
        print(f"Page: {made.page}\nFigures: {made.figures}")


def _by_name(runs: Sequence[str]) -> dict[str, Path]:
    """Runs by name: the part before `=`, or else the folder's or the file's own name."""
    named: dict[str, Path] = {}
    for run in runs:
        name, _, folder = run.partition("=")
        if not folder or as_path(run).exists():
            name, folder = _own_name(as_path(run).resolve()), run
        if name in named:
            raise CrossinError(f"two runs are called '{name}'", hint="name them: NAME=PATH")
        named[name] = as_path(folder)
    return named


def _own_name(path: Path) -> str:
    return path.name if path.is_dir() else Path(path.name.removesuffix(".gz").removesuffix(".zst")).stem
