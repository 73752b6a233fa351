"""From stored answers to a page and its figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Unpack

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, write_json, write_text
from crossin.core.formats import MANIFEST
from crossin.core.interrupts import add_note, held_signals
from crossin.core.paths import as_path
from crossin.core.results import Tabular
from crossin.logs.options import LogChoices, options_of
from crossin.metrics.bootstrap import DRAWS
from crossin.metrics.figure_tables import figure_rows, table_of_rows
from crossin.reports.arms import Runs
from crossin.reports.other_choices import by_choices, choices_json
from crossin.reports.page import Note, page_html
from crossin.reports.results import Results, load
from crossin.reports.sentences import headline
from crossin.reports.summary import Summary, summarize, to_json
from crossin.reports.wordings import WordingRange, ranges_json, wording_ranges

if TYPE_CHECKING:
    import pyarrow

TITLE = "What the model knows in each language"


@dataclass(frozen=True, repr=False)
class Report(Tabular):
    """The files written, and the figures in them; `wordings` are by run, where there are several."""

    page: Path
    figures: Path
    summary: Summary
    wordings: Mapping[str, WordingRange] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Report({str(self.page)!r}: {self.summary.results!r})"

    def to_arrow(self) -> pyarrow.Table:
        """A row for each figure of each run: `run`, `less` (null, or the run that it is the difference to),
        `figure`, `value`, `low`, `high`; null where undefined.
        """
        rows = [row for run, found in self.summary.by_arm.items() for row in figure_rows(found, run=run)]
        for (run, other), found in self.summary.by_pair.items():
            rows += figure_rows(found, run=run, less=other)
        return table_of_rows(rows, ("run", "less", "figure"), ("value", "low", "high"))


def report(
    runs: Runs,
    out: Path | str,
    *,
    baseline: str | None = None,
    wording: str | None = None,
    common: bool = False,
    title: str = TITLE,
    notes: Sequence[Note] = (),
    draws: int = DRAWS,
    seed: int = 0,
    **logs: Unpack[LogChoices],
) -> Report:
    """Write the page `out` and the figures beside it (`.json`); the same results give the same bytes.

    runs: stored answers (evaluation folders, other logs, folders of them), by name or as a list, whose runs
    are called after their models; in the order of the columns. The last is the run under study. baseline: the
    run to compare with, by default the first. wording: of the prompt; by default the first that all runs
    have. common: leave out the questions that not all runs have, and count them. notes: headings for the end
    of the page, each with a text or a list of lines. logs: how they are read, such as `bench` (`LogOptions`).
    """
    check_page(out)
    results = load(runs, baseline, wording, options_of(logs), common=common)
    return write_report(results, out, title=title, notes=notes, draws=draws, seed=seed)


def write_each(
    found: Sequence[Results], out: Path | str, *, title: str = TITLE, draws: int = DRAWS, seed: int = 0
) -> list[Report]:
    """A page for each benchmark: `out`, or where there are several, `out` with the benchmark's name
    (`page-klar.html`) or number.
    """
    out = as_path(out)
    names = _names([one.benchmark for one in found]) if len(found) > 1 else []
    pages = {name: out.with_name(f"{out.stem}-{name}{out.suffix}") for name in names} or {"": out}
    for page in pages.values():
        check_page(page)
    return [
        write_report(
            results,
            page,
            title=f"{title}: {name}" if name else title,
            pages={of: "" if of == name else other.name for of, other in pages.items() if name},
            draws=draws,
            seed=seed,
        )
        for results, (name, page) in zip(found, pages.items(), strict=True)
    ]


def _names(benchmarks: Sequence[str]) -> list[str]:
    """The benchmarks' names in a form for files; with numbers where they have none, or the same."""
    names = [re.sub(r"[^\w.-]+", "-", name) for name in benchmarks]
    return [
        name if name and names.count(name) == 1 else f"{name}-{place}".strip("-")
        for place, name in enumerate(names, start=1)
    ]


def check_page(out: Path | str) -> None:
    """Raise CrossinError where no page can be written to `out`."""
    out = as_path(out)
    if out.suffix.lower() not in (".html", ".htm"):
        raise CrossinError(
            "the page's name must end in .html", file=out, hint="for example --out report.html"
        )
    _refuse_outputs(out)
    _refuse_other_files(out.with_suffix(".json"))


def write_report(
    results: Results,
    out: Path | str,
    *,
    title: str = TITLE,
    notes: Sequence[Note] = (),
    pages: Mapping[str, str] = MappingProxyType({}),
    draws: int = DRAWS,
    seed: int = 0,
) -> Report:
    """The page and the figures of results that were read before; otherwise as `report`. pages: the pages
    of several benchmarks by name; '' for this one.
    """
    out = as_path(out)
    check_page(out)
    figures = out.with_suffix(".json")
    summary = summarize(results, draws=draws, seed=seed)
    wordings = wording_ranges(results, draws=draws, seed=seed)
    choices = by_choices(summary, draws=draws, seed=seed)
    html = page_html(summary, title=title, notes=notes, pages=pages, wordings=wordings, choices=choices)
    content = {
        "title": title,
        "result": headline(summary),
        "benchmark": results.benchmark,
        **to_json(summary),
        "excluded": dict(results.excluded),
        "wordings": ranges_json(wordings),
        **choices_json(summary, choices),
    }
    try:
        # Both or none.
        with held_signals():
            write_json(figures, content)
            write_text(out, html)
    except KeyboardInterrupt as stopped:
        add_note(stopped, f"the report is written: {out}")
        raise
    return Report(out, figures, summary, wordings)


def _refuse_outputs(page: Path) -> None:
    """Refuse to write over what a finished run's manifest lists: that run would then be taken for damaged."""
    manifest = page.parent / MANIFEST
    if not manifest.is_file():
        return
    found = read_json(manifest)
    taken = {MANIFEST, *(found.get("outputs", {}) if isinstance(found, dict) else {})}
    for file in (page, page.with_suffix(".json")):
        if file.name in taken:
            raise CrossinError(
                "this file belongs to a finished run",
                file=file,
                hint="choose another name or folder with --out",
            )


def _refuse_other_files(figures: Path) -> None:
    """Refuse to replace a file that is not a report's figures: the user named the page, not this file."""
    if figures.exists():
        with suppress(CrossinError):
            found = read_json(figures)
            if isinstance(found, dict) and {"title", "result", "arms"} <= found.keys():
                return
        raise CrossinError(
            "the report's figures would replace this file, which is something else",
            file=figures,
            hint="give the page another name with --out",
        )
