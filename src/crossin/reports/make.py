"""From evaluation folders to a page and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, write_json, write_text
from crossin.core.formats import MANIFEST
from crossin.metrics.bootstrap import DRAWS
from crossin.reports.page import Note, page_html
from crossin.reports.results import load
from crossin.reports.sentences import headline
from crossin.reports.summary import Summary, summarize, to_json

TITLE = "What the model knows in each language"


@dataclass(frozen=True)
class Report:
    """The files written, and the figures in them."""

    page: Path
    figures: Path
    summary: Summary


def report(
    runs: Mapping[str, Path | str],
    out: Path | str,
    *,
    baseline: str | None = None,
    wording: str | None = None,
    title: str = TITLE,
    notes: Sequence[Note] = (),
    draws: int = DRAWS,
    seed: int = 0,
) -> Report:
    """Write the page `out` and the figures beside it (`.json`); the same results give the same bytes.

    runs: evaluation folders by name, in the order of the columns; the last is the run under study.
    baseline: the run to compare with, by default the first. wording: of the prompt, where there are answers
    in several. notes: headings for the end of the page, each with a text or a list of lines.
    """
    out = Path(out)
    if out.suffix.lower() not in (".html", ".htm"):
        raise CrossinError(
            "the page's name must end in .html", file=out, hint="for example --out report.html"
        )
    _refuse_outputs(out)
    summary = summarize(load(runs, baseline, wording), draws=draws, seed=seed)
    html = page_html(summary, title=title, notes=notes)
    figures = out.with_suffix(".json")
    write_json(figures, {"title": title, "result": headline(summary), **to_json(summary)})
    write_text(out, html)
    return Report(out, figures, summary)


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
