"""The figures drawn by layer: one HTML file that holds all it needs and asks the network for nothing."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from crossin.probing.figures import MEAN
from crossin.probing.states import POOLINGS
from crossin.reports.plots import Plot
from crossin.reports.standalone import stand_alone

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
_SHARES = ("mexa", "retrieval")


def page(told: dict[str, Any]) -> str:
    """The whole page, from the values of `probe.json`."""
    summary = (
        f"{told['sentences']:,} sentences in {len(told['languages'])} languages, each language against "
        f"{told['pivot']}. Layer 0 is the embeddings, the last has gone through the closing norm. "
        "Bands: 95% intervals. Dashed: chance. Click on a language in a legend to hide it."
    )
    values = {
        "title": escape(f"How near the languages lie inside {told['name']}"),
        "summary": escape(summary),
    }
    drawn = [_plot(told, figure, pooling) for figure in _DRAWN for pooling in POOLINGS]
    return stand_alone(Path(__file__).parent / "page.html", values, drawn)


def _plot(told: dict[str, Any], figure: str, pooling: str) -> Plot:
    from plotly.colors import qualitative

    entries = [one for one in told["figures"] if one["pooling"] == pooling and one["other"] == told["pivot"]]
    traces: list[dict[str, Any]] = []
    for place, entry in enumerate(entries):
        colour = qualitative.Safe[place % len(qualitative.Safe)]
        mean = entry["language"] == MEAN
        # Beyond the palette its colours come again, in another dash.
        dash = ("solid", "dot", "dashdot")[place // len(qualitative.Safe) % 3]
        style = {"color": "#7f7f7f", "width": 4} if mean else {"color": colour, "width": 2, "dash": dash}
        traces += _line(entry["language"], entry[figure], style)
    axis: dict[str, Any] = {"title": {"text": "layer"}, "rangemode": "tozero"}
    layout: dict[str, Any] = {"xaxis": axis, "yaxis": {"rangemode": "tozero", "zeroline": True}, "shapes": []}
    if figure in _SHARES:
        layout["yaxis"] = {"tickformat": ".0%", "range": [0, 1.02]}
        height = told["chance"][figure]
        line = {"width": 1, "dash": "dash", "color": "#808080"}
        ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": height, "y1": height}
        layout["shapes"] = [{"type": "line", "layer": "below", "line": line, **ends}]
    title, text = _DRAWN[figure]
    return {
        "id": f"{figure}-{pooling}",
        "title": f"{title}: {POOLINGS[pooling]}",
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
