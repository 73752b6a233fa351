"""A self-contained page: one HTML file that needs no network and may not use it."""

from __future__ import annotations

import json
import re
from base64 import b64encode, b85encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any
from zlib import compress

from crossin.charts.heat_map import HeatMap, heat_table
from crossin.charts.parts import Plot, Point
from crossin.charts.svg import draw
from crossin.core.errors import CrossinError

_HERE = Path(__file__).parent


def stand_alone(
    template: Path, values: Mapping[str, str], plots: Sequence[Plot], scripts: Sequence[Path] = ()
) -> str:
    """The HTML file `template` with `values` (HTML, `title` among them) in place of its `{{name}}`, and with
    the head of all pages, the `plots`, the script that shows what a mark says, and `scripts`. The page's
    policy allows these scripts only, and no requests.

    Raises CrossinError where vl-convert, which draws the plots, is not installed.
    """
    running = list(map(_read, (_HERE / "plots.js", *scripts)))
    about = {"policy": _policy(running), "style": _read(_HERE / "page.css"), "title": values["title"]}
    filled = {
        **values,
        "head": _filled(_HERE / "head.html", about).rstrip("\n"),
        "plots": "\n".join(map(_figure, plots)),
        "scripts": "\n".join(f"<script>{script}</script>" for script in running),
    }
    return _filled(template, filled)


def _filled(template: Path, values: Mapping[str, str]) -> str:
    """A template with its values. One scan, so that text put in is never taken for a placeholder."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], _read(template))


def plots_page(title: str, summary: str, plots: Sequence[Plot], maps: Sequence[HeatMap] = ()) -> str:
    """A page of heat maps and plots alone, with a sentence above them."""
    values = {"title": escape(title), "summary": escape(summary), "maps": "\n".join(map(heat_table, maps))}
    return stand_alone(_HERE / "plots.html", values, plots)


def packed_json(value: Any) -> str:
    """JSON for a script element: compressed (zlib), in base 85, a sixteenth shorter than base64."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise CrossinError(f"a figure cannot be written: {error}", hint="report this as a bug") from error
    # UTF-8 cannot hold lone surrogates; JSON can, as the escapes that this makes of them.
    packed = compress(text.encode("utf-8", "backslashreplace"), level=9)
    # A script element ends, or is taken for a comment, at some text after "<".
    return b85encode(packed).decode().replace("<", ",")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _figure(plot: Plot) -> str:
    title, text = escape(plot.title), escape(plot.text)
    return (
        f'<figure class="plot" id="plot-{plot.name}"><figcaption><h3>{title}</h3><p>{text}</p></figcaption>'
        f'<div class="scroll drawn" tabindex="0" role="region" aria-label="{title}">{draw(plot)}</div>'
        f"{_values(plot)}</figure>"
    )


def _values(plot: Plot) -> str:
    """The plot as a table, folded away."""
    rows = "".join(
        f"<tr><td>{escape(point.text)}</td><td>{_interval(point)}</td></tr>"
        for series in plot.series
        for point in series.points
    )
    return (
        "<details><summary>As a table</summary><div class='scroll'><table class='values'><thead><tr>"
        "<th scope='col'>figure</th><th scope='col'>95% interval</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _interval(point: Point) -> str:
    ends = [one for one in (point.x_interval, point.y_interval) if one]
    return " and ".join(f"{low:.3g} to {high:.3g}" for low, high in ends) or "–"


def _policy(scripts: Sequence[str]) -> str:
    hashes = " ".join(
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
