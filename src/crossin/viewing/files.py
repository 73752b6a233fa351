"""Which files of a run's folder are shown, and the index of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from crossin.charts.standalone import stand_alone
from crossin.training.loss_page import PAGE, losses_page
from crossin.training.record import CHECKPOINTS, is_in_progress, lines_so_far

# Suffixes of files that are shown, and their media types; pages come first.
HTML = ".html"
TYPES = {
    HTML: "text/html; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
# Folders below the folder whose pages are listed.
_DEPTH = 4
_LIVE = " (training: drawn from the log when you open it)"


def index_page(root: Path) -> str:
    """The index: the pages and figures of the folder, and of those below it that have pages."""
    sections = "\n".join(_section(root, *found) for found in _folders(root))
    values = {
        "title": escape(_shown(root.name)),
        "about": escape(f"Pages and figures in {_shown(str(root))}. Reload to see what is new."),
        "sections": sections or "<p>There are no pages and no figures yet.</p>",
    }
    return stand_alone(Path(__file__).parent / "index.html", values, [])


def shown_file(root: Path, address: str) -> Path | None:
    """The file of the folder that the end of an address names; None where nothing is shown: outside of the
    folder, also by a link, hidden, or of another kind. root: resolved. The file need not exist.
    """
    parts = os.fsdecode(unquote_to_bytes(address)).split("/")
    if not all(map(_may_show, parts)) or any("\0" in part for part in parts):
        return None
    try:
        found = root.joinpath(*parts).resolve()
    except (OSError, RuntimeError):
        return None
    inside = found.is_relative_to(root) and all(map(_may_show, found.relative_to(root).parts))
    return found if inside and found.suffix in TYPES and Path(parts[-1]).suffix == found.suffix else None


def live_page(file: Path) -> str | None:
    """The loss page of a run that has not finished, drawn from its log; None for other files.

    Raises CrossinError where vl-convert is not installed.
    """
    lines = lines_so_far(file.parent) if file.name == PAGE else None
    return None if lines is None else losses_page(file.parent.name, lines)


def _folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """The folder, and those below it that have pages, each with the names of its files."""
    for name, below, files in os.walk(root):
        folder = Path(name)
        depth = len(folder.relative_to(root).parts)
        below[:] = sorted(one for one in below if _may_show(one) and one != CHECKPOINTS and depth < _DEPTH)
        if is_in_progress(folder) and PAGE not in files:
            files.append(PAGE)
        if folder == root or any(one.endswith(HTML) for one in files):
            yield folder, files


def _section(root: Path, folder: Path, files: list[str]) -> str:
    """The links of a folder; empty where it has none."""
    place = folder.relative_to(root)
    links = []
    for name in sorted(files, key=lambda name: (not name.endswith(HTML), name)):
        address = quote(os.fsencode((place / name).as_posix()))
        if file := shown_file(root, address):
            live = name == PAGE and is_in_progress(file.parent)
            aside = _LIVE if live else ""
            links.append(f'<li><a href="{address}">{escape(_shown(name))}</a>{aside}</li>')
    heading = f"<h2>{escape(_shown(place.as_posix()))}</h2>" if place.parts else ""
    return f"<section>{heading}<ul>{''.join(links)}</ul></section>" if links else ""


def _may_show(name: str) -> bool:
    # So are `.` and `..`.
    return bool(name) and not name.startswith(".")


def _shown(name: str) -> str:
    """A name as UTF-8 can hold it."""
    return os.fsencode(name).decode("utf-8", "replace")
