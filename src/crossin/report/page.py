"""The page: one HTML file that holds all it needs and may not ask the network for anything."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from pathlib import Path

from crossin.errors import CrossinError
from crossin.report.cells import Cell
from crossin.report.explorer import explorer, script_json
from crossin.report.headline import headline
from crossin.report.plots import Plot, plots
from crossin.report.provenance import Note, notes_html, provenance
from crossin.report.summary import Summary
from crossin.report.table import caption, grid

_HERE = Path(__file__).parent


def page(summary: Summary, *, title: str, notes: Sequence[Note] = ()) -> str:
    """The whole page."""
    plotly, script = _plotly(), _part("page.js")
    first, *rest = headline(summary)
    drawn = plots(summary)
    values = {
        "policy": _policy([plotly, script]),
        "title": escape(title),
        "style": _part("page.css"),
        "result": escape(first),
        "sentences": "".join(f"<li>{escape(sentence)}</li>" for sentence in rest),
        "table": _table(summary),
        "plots": "\n".join(map(_figure, drawn)),
        "notes": notes_html(notes),
        "provenance": provenance(summary.results),
        "plot_data": script_json(drawn),
        "item_data": script_json(explorer(summary)),
        "plotly": plotly,
        "script": script,
    }
    # One pass over the template alone, so that no text that is put in can be taken for a placeholder.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], _part("page.html"))


def _figure(plot: Plot) -> str:
    title, text = escape(plot["title"]), escape(plot["text"])
    instead = f"{title}: a plot of figures that the table and the JSON file beside this page hold"
    return (
        f'<figure class="plot"><figcaption><h3>{title}</h3><p>{text}</p></figcaption>'
        f'<div id="plot-{plot["id"]}" role="img" aria-label="{instead}"></div></figure>'
    )


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise CrossinError("the page needs plotly", fix="pip install 'crossin[report]'") from error
    # The browser reads line ends as \n, and the policy's hash is of what the browser reads.
    return str(get_plotlyjs()).replace("\r\n", "\n").replace("</script", "<\\/script")


def _policy(scripts: list[str]) -> str:
    """Only these very scripts may run, and nothing may be fetched."""
    hashes = " ".join(
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _table(summary: Summary) -> str:
    shape = grid(summary, summary.results.pairs)
    arms = len(shape.heads) - shape.differences
    heads = "".join(
        f'<th scope="col"{_class(place >= arms)}>{escape(head)}</th>'
        for place, head in enumerate(shape.heads)
    )
    lines = []
    for name, cells in shape.rows:
        told = "".join(_cell(cell, place >= arms) for place, cell in enumerate(cells))
        kind = ' class="sum"' if name == "accuracy, mean" else ""
        lines.append(f'<tr{kind}><th scope="row">{escape(name)}</th>{told}</tr>')
    return (
        f"<table class='figures'><caption>{escape(caption(summary))}</caption>"
        f"<thead><tr><th scope='col'>figure</th>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _class(difference: bool) -> str:
    return ' class="difference"' if difference else ""


def _cell(cell: Cell, difference: bool) -> str:
    kinds = " ".join(kind for kind in ("difference" if difference else "", cell.tone) if kind)
    mark = f' <span class="mark">{cell.mark}</span>' if cell.mark else ""
    return f'<td class="{kinds}"><b>{cell.value}</b>{mark} <span class="interval">{cell.interval}</span></td>'
