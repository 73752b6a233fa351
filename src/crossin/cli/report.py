"""`crossin report`: a page of results, its figures, and the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossin.cli.options import Command, json_option, option, settings_options
from crossin.core.errors import CrossinError
from crossin.core.paths import as_path
from crossin.logs.options import LogOptions

if TYPE_CHECKING:
    from crossin.experiments.results import ExperimentResults


@click.command(cls=Command)
@click.argument("runs", metavar="[NAME=]PATH...", nargs=-1, required=True)
@option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The page to write (.html); its figures go beside it (.json). Of an experiment: report.html in its "
    "folder, if not given.",
)
@option("--baseline", metavar="NAME", help="The run to compare with; the first if not given.")
@option("--wording", metavar="NAME", help="The prompt's wording to report, if there are several.")
@option(
    "--card",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Put the results into this model card (.md), too: sentences, table, licences, settings, and the "
    "hub's metadata. Of a card that exists, only these parts change.",
)
@settings_options(LogOptions)
@option("--title", help="The page's title.")
@json_option
@option("--markdown", "as_markdown", is_flag=True, help="Print the table as Markdown, for a README.")
def command(
    runs: tuple[str, ...],
    out: Path | None,
    baseline: str | None,
    wording: str | None,
    card: Path | None,
    given: dict[str, Any],
    title: str | None,
    as_json: bool,
    as_markdown: bool,
) -> None:
    """Make one HTML page of results: figures with intervals, plots, and every question in every language.

    Each PATH is an evaluation's folder, or another log that `crossin score` reads; the last is the run under
    study. Of an experiment, PATH is its folder, and the page has its tables, curves and seeds.
    Of `crossin probe`, each PATH is a folder, and the page compares the models layer by layer.
    """
    from crossin.cli.console import console, print_json, progress_bars, show
    from crossin.core.files import read_json
    from crossin.core.progress import phase
    from crossin.probing.comparison import is_probe
    from crossin.reports.difference_parts import parts_table
    from crossin.reports.make import TITLE, report
    from crossin.reports.table import as_rich, markdown

    unused = [name for name, value in (("baseline", baseline), ("wording", wording), ("card", card)) if value]
    if len(runs) == 1 and is_experiment(runs[0]):
        _refuse("an experiment", [*unused, *given])
        _report_experiment(as_path(runs[0]), out, title, as_json=as_json, as_markdown=as_markdown)
        return
    if out is None:
        raise CrossinError("where should the page go?", field="out", hint="--out report.html")
    named = _by_name(runs)
    if any(map(is_probe, named.values())):
        _refuse("probes", [*unused, *given, *(["markdown"] if as_markdown else [])])
        _report_probes(named, out, title, as_json=as_json)
        return
    with progress_bars() as progress, phase(progress, "making the report", "pages"):
        made = report(
            named,
            out,
            baseline=baseline,
            wording=wording,
            title=title or TITLE,
            card=card,
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
        print(f"Page: {made.page}\nFigures: {made.figures}" + (f"\nCard: {card}" if card else ""))


def is_experiment(path: Path | str) -> bool:
    """Whether a folder is that of an experiment."""
    from crossin.experiments.index import INDEX

    return (as_path(path) / INDEX).is_file()


def _refuse(what: str, unused: Sequence[str]) -> None:
    """An error where options were given that the page of `what` does not have."""
    if unused:
        raise CrossinError(f"does not apply to {what}", field=unused[0], hint="leave it out")


def _report_probes(probes: Mapping[str, Path], out: Path, title: str | None, *, as_json: bool) -> None:
    from crossin.cli.console import print_json, progress_bars
    from crossin.core.progress import phase
    from crossin.probing.comparison import read_probes, write_probes_page

    with progress_bars() as progress, phase(progress, "making the report", "pages"):
        page = write_probes_page(probes, out, title=title)
    if as_json:
        print_json(read_probes(probes))
    else:
        print(f"Page: {page}")


def _report_experiment(
    folder: Path, out: Path | None, title: str | None, *, as_json: bool, as_markdown: bool
) -> None:
    from crossin.cli.console import print_json, progress_bars
    from crossin.core.files import read_json
    from crossin.core.progress import phase
    from crossin.experiments.page import write_experiment_page
    from crossin.experiments.results import current_results
    from crossin.experiments.tables import as_markdown as markdown

    with progress_bars() as progress, phase(progress, "making the report", "pages"):
        page = write_experiment_page(folder, out, title=title)
        results = current_results(folder)
    if as_json:
        print_json(read_json(page.with_suffix(".json")))
    elif as_markdown:
        print(markdown(results), end="")
    else:
        show_experiment(results)
        print(f"Page: {page}\nFigures: {page.with_suffix('.json')}")


def show_experiment(results: ExperimentResults, *, details: bool = False) -> None:
    """Print an experiment's tables, the main ones or all, and what one should know to read them."""
    from crossin.cli.console import show
    from crossin.experiments.tables import terminal_tables

    for table in terminal_tables(results, details=details):
        show(table)
    for note in results.notes:
        print(f"note: {note}")


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
