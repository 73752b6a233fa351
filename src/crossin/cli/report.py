"""`crossin report`: a page of results, its figures, and the table."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossin.cli.options import Command, json_option, option, settings_options
from crossin.core.errors import CrossinError
from crossin.core.paths import as_path
from crossin.core.settings import read_settings
from crossin.logs.options import LogOptions

if TYPE_CHECKING:
    from crossin.experiments.results import ExperimentResults
    from crossin.reports.make import Report


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
@option(
    "--wording",
    metavar="NAME",
    help="The prompt's wording to report, if there are several; the first that all runs have if not given.",
)
@option("--common", is_flag=True, help="Leave out, and count, the questions that not all runs have.")
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
    common: bool,
    card: Path | None,
    given: dict[str, Any],
    title: str | None,
    as_json: bool,
    as_markdown: bool,
) -> None:
    """Make an HTML page of results: figures with intervals, plots, and every question in every language.

    Each PATH is what `crossin score` reads: an evaluation's folder, a file of replies (with --bench), a log
    of another harness, or a folder that holds them. Every model is a run, called after the model, or by NAME.
    The last is the run under study. Answers to several benchmarks make a page each.

    Of an experiment, PATH is its folder, and the page has its tables, curves and seeds. Of `crossin probe`,
    each PATH is a folder, and the page compares the models layer by layer.

    \b
    crossin report runs/base runs/tuned --out page.html
    crossin report old=old.jsonl new=new.jsonl --bench bench/facts --out page.html
    crossin report runs --common --out page.html    # some runs lack some questions
    """
    from crossin.cli.console import progress_bars
    from crossin.core.progress import phase
    from crossin.probing.comparison import is_probe
    from crossin.reports.card_section import check_card, write_card
    from crossin.reports.make import TITLE, check_page, write_each
    from crossin.reports.results import load_each

    chosen = {"baseline": baseline, "wording": wording, "common": common, "card": card}
    unused = [name for name, value in chosen.items() if value]
    if len(runs) == 1 and is_experiment(runs[0]):
        _refuse("an experiment", [*unused, *given])
        _report_experiment(as_path(runs[0]), out, title, as_json=as_json, as_markdown=as_markdown)
        return
    if out is None:
        raise CrossinError("where should the page go?", field="out", hint="--out report.html")
    named = [_named(run) for run in runs]
    _check_names([name for name, _ in named if name])
    if any(is_probe(path) for _, path in named):
        _refuse("probes", [*unused, *given, *(["markdown"] if as_markdown else [])])
        names = [name or path.resolve().name for name, path in named]
        _check_names(names)
        probes = dict(zip(names, (path for _, path in named), strict=True))
        _report_probes(probes, out, title, as_json=as_json)
        return
    check_page(out)
    if card:
        check_card(card)
    with progress_bars() as progress, phase(progress, "making the report", "pages"):
        options = read_settings(LogOptions, None, given, hint="see --help")
        found = load_each(named, baseline, wording, options, common=common)
        made = write_each(found, out, title=title or TITLE)
    if card:
        for one in made:
            write_card(card, one.summary, _typed(click.get_current_context()))
    _show(made, as_json=as_json, as_markdown=as_markdown)
    if card and not as_json and not as_markdown:
        print(f"Card: {card}")


def _show(made: Sequence[Report], *, as_json: bool, as_markdown: bool) -> None:
    """Print the figures of each page, and where it is."""
    from crossin.cli.console import console, print_json, show
    from crossin.core.files import read_json
    from crossin.core.reasons import counted_sentences
    from crossin.reports.difference_parts import parts_table
    from crossin.reports.table import as_rich, markdown
    from crossin.reports.wordings import ranges_tables

    if as_json:
        pages = [read_json(one.figures) for one in made]
        print_json(pages[0] if len(pages) == 1 else {"reports": pages})
        return
    for one in made:
        if len(made) > 1 and (benchmark := one.summary.results.benchmark):
            print(f"{'# ' if as_markdown else ''}{benchmark}\n")
        if as_markdown:
            print(markdown(one.summary), end="")
            continue
        console.print(as_rich(one.summary, width=console.width))
        tables = ranges_tables(one.summary, one.wordings)
        for table in [parts_table(one.summary.parts)] * bool(one.summary.parts) + tables:
            show(table)
        for line in counted_sentences(one.summary.results.excluded, "questions in a language"):
            print(line)
        print(f"Page: {one.page}\nFigures: {one.figures}")


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


def _check_names(names: Sequence[str]) -> None:
    if double := next((name for name in names if names.count(name) > 1), None):
        raise CrossinError(f"two runs are called '{double}'", hint="name them: NAME=PATH")


def _typed(context: click.Context) -> str:
    """The command as it was typed, but for the card."""
    words = ["crossin", "report"]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name == "card" or value in (None, False) or not parameter.opts:
            continue
        if isinstance(parameter, click.Argument):
            words += map(str, value)
        else:
            words += [parameter.opts[0]] if value is True else [parameter.opts[0], str(value)]
    return shlex.join(words)


def _named(run: str) -> tuple[str, Path]:
    """The name before `=`, or none, and the path."""
    name, _, path = run.partition("=")
    return (name, as_path(path)) if path and not as_path(run).exists() else ("", as_path(run))
