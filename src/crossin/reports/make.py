"""The last stage: from evaluation folders to a page and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import write_json, write_text
from crossin.metrics import DRAWS
from crossin.reports.headline import headline
from crossin.reports.page import page
from crossin.reports.provenance import Note
from crossin.reports.results import load
from crossin.reports.summary import Summary, summarize, to_json

TITLE = "What the model knows in each language"


@dataclass(frozen=True)
class Report:
    """The files written, and the figures in them."""

    page: Path
    figures: Path
    summary: Summary


def report(
    runs: dict[str, Path],
    out: Path,
    *,
    baseline: str | None = None,
    wording: str | None = None,
    title: str = TITLE,
    notes: Sequence[Note] = (),
    draws: int = DRAWS,
    seed: int = 0,
) -> Report:
    """Write the page `out` and the figures beside it (`.json`); the same results give the same bytes.

    `runs` are evaluation folders by the arm's name, in the order of the columns; the last is under study.
    `baseline` names the control (the first arm where it is not given), and `wording` the prompt's wording
    where there are answers in several. `notes` are headings with a text or lines of their own.
    """
    if out.suffix.lower() not in (".html", ".htm"):
        raise CrossinError(
            "the page's name must end in .html", file=out, hint="for example --out report.html"
        )
    summary = summarize(load(runs, baseline, wording), draws=draws, seed=seed)
    made = page(summary, title=title, notes=notes)
    figures = out.with_suffix(".json")
    write_json(figures, {"title": title, "result": headline(summary), **to_json(summary)})
    write_text(out, made)
    return Report(out, figures, summary)
