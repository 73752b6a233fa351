"""The figures drawn by layer: one HTML file that holds all it needs and asks the network for nothing."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from crossin.probe.figures import MEAN

# What is drawn, with its heading and one sentence that says what it is.
_DRAWN = {
    "mexa": ("MEXA", "Sentences whose two translations are nearer to each other than to any other sentence."),
    "retrieval": (
        "Retrieval",
        "Sentences whose nearest neighbour in the other language is their translation.",
    ),
    "cosine_difference": (
        "Cosine of translations above that of other sentences",
        "Mean cosine of matched pairs less that of mismatched pairs.",
    ),
    "cka_debiased": ("CKA, debiased", "How alike the two clouds of sentences are in shape; 0 if not at all."),
}
_POOLINGS = {"mean": "mean over the tokens", "last": "last token"}
_SHARES = ("mexa", "retrieval")


def page(told: dict[str, Any]) -> str:
    """The whole page, from the values of `probe.json`."""
    from plotly.offline import get_plotlyjs

    # The browser reads line ends as \n, and the policy's hash is of what the browser reads.
    plotly = str(get_plotlyjs()).replace("\r\n", "\n").replace("</script", "<\\/script")
    here = Path(__file__).parent
    template = (here / "page.html").read_text(encoding="utf-8")
    script = (here / "page.js").read_text(encoding="utf-8")
    drawn = [_plot(told, figure, pooling) for figure in _DRAWN for pooling in _POOLINGS]
    values = {
        "policy": _policy([plotly, script]),
        "title": escape(f"How near the languages lie inside {told['name']}"),
        "summary": escape(
            f"{told['sentences']:,} sentences in {len(told['languages'])} languages, each language against "
            f"{told['pivot']}. Layer 0 is the embeddings. Bands: 95% intervals. Dashed: chance. "
            "Click on a language in a legend to hide it."
        ),
        "plots": "\n".join(map(_figure, drawn)),
        "data": _script_json(drawn),
        "plotly": plotly,
        "script": script,
    }
    # One pass over the template alone, so that no text that is put in can be taken for a placeholder.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], template)


def _plot(told: dict[str, Any], figure: str, pooling: str) -> dict[str, Any]:
    from plotly.colors import qualitative

    entries = [one for one in told["figures"] if one["pooling"] == pooling and one["other"] == told["pivot"]]
    traces: list[dict[str, Any]] = []
    for place, entry in enumerate(entries):
        colour = qualitative.Safe[place % len(qualitative.Safe)]
        mean = entry["language"] == MEAN
        style = {"color": "#7f7f7f" if mean else colour, "width": 4 if mean else 2}
        traces += _line(entry["language"], entry[figure], style)
    axis: dict[str, Any] = {"title": {"text": "layer"}, "rangemode": "tozero"}
    layout: dict[str, Any] = {"xaxis": axis, "yaxis": {"rangemode": "tozero"}, "shapes": []}
    if figure in _SHARES:
        layout["yaxis"] = {"tickformat": ".0%", "range": [0, 1.02]}
        height = told["chance"][figure]
        line = {"width": 1, "dash": "dash", "color": "#808080"}
        ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": height, "y1": height}
        layout["shapes"] = [{"type": "line", "layer": "below", "line": line, **ends}]
    title, text = _DRAWN[figure]
    return {
        "id": f"{figure}-{pooling}",
        "title": f"{title}: {_POOLINGS[pooling]}",
        "text": text,
        "data": traces,
        "layout": layout,
    }


def _line(name: str, curve: dict[str, list[float | None]], style: dict[str, Any]) -> list[dict[str, Any]]:
    """A line over the layers, and a band about it where the figure has intervals."""
    layers = list(range(len(curve["value"])))
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "x": layers,
        "y": curve["value"],
        "line": style,
        "hovertemplate": "layer %{x}: %{y:.3f}<extra>%{fullData.name}</extra>",
    }
    if None in curve["low"] or None in curve["high"]:
        return [line]
    band = {
        "type": "scatter",
        "mode": "lines",
        "legendgroup": name,
        "showlegend": False,
        "x": [*layers, *reversed(layers)],
        "y": [*curve["high"], *reversed(curve["low"])],
        "line": {"width": 0, "color": style["color"]},
        "fill": "toself",
        "opacity": 0.15,
        "hoverinfo": "skip",
    }
    return [band, line]


def _figure(plot: dict[str, Any]) -> str:
    title = escape(plot["title"])
    instead = f"{title}: a plot of figures that probe.json beside this page holds"
    return (
        f"<figure><figcaption><h2>{title}</h2><p>{escape(plot['text'])}</p></figcaption>"
        f'<div id="plot-{plot["id"]}" role="img" aria-label="{instead}"></div></figure>'
    )


def _policy(scripts: list[str]) -> str:
    """Only these very scripts may run, and nothing may be fetched."""
    hashes = " ".join(
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _script_json(value: Any) -> str:
    """JSON that is safe inside a script element, whatever the texts in it say."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", text)
