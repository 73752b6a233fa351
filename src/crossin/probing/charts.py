"""The figures by layer as a page: one self-contained HTML file."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from crossin.probing.figures import MEAN
from crossin.probing.states import POOLINGS
from crossin.reports.plots import Plot, chance_line, plot
from crossin.reports.standalone import stand_alone

# The figures drawn, each with its heading and one sentence that explains it.
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
    "cka_debiased": ("CKA, debiased", "How similar the geometry of the sentences is; 0 for unrelated ones."),
}
_SHARES = ("mexa", "retrieval")


def page(probe: dict[str, Any]) -> str:
    """The whole page. probe: the content of `probe.json`."""
    summary = (
        f"{probe['sentences']:,} sentences in {len(probe['languages'])} languages, each compared with "
        f"{probe['pivot']}. Layer 0 is the embeddings, the last is after the final norm. "
        "Bands: 95% intervals. Dashed: chance. Click on a language in a legend to hide it."
    )
    values = {
        "title": escape(f"How close the languages are inside {probe['name']}"),
        "summary": escape(summary),
    }
    drawn = [_plot(probe, figure, pooling) for figure in _DRAWN for pooling in POOLINGS]
    return stand_alone(Path(__file__).parent / "page.html", values, drawn)


def _plot(probe: dict[str, Any], figure: str, pooling: str) -> Plot:
    from plotly.colors import qualitative

    entries = [
        one for one in probe["figures"] if one["pooling"] == pooling and one["other"] == probe["pivot"]
    ]
    traces: list[dict[str, Any]] = []
    for place, entry in enumerate(entries):
        colour = qualitative.Safe[place % len(qualitative.Safe)]
        mean = entry["language"] == MEAN
        # Beyond the palette its colours repeat with another dash.
        dash = ("solid", "dot", "dashdot")[place // len(qualitative.Safe) % 3]
        style = {"color": "#7f7f7f", "width": 4} if mean else {"color": colour, "width": 2, "dash": dash}
        traces += _line(entry["language"], entry[figure], style)
    axis: dict[str, Any] = {"title": {"text": "layer"}, "rangemode": "tozero"}
    layout: dict[str, Any] = {"xaxis": axis, "yaxis": {"rangemode": "tozero", "zeroline": True}, "shapes": []}
    if figure in _SHARES:
        layout["yaxis"] = {"tickformat": ".0%", "range": [0, 1.02]}
        layout["shapes"] = [chance_line("y", probe["chance"][figure])]
    title, text = _DRAWN[figure]
    return plot(f"{figure}-{pooling}", f"{title}: {POOLINGS[pooling]}", text, traces, layout)


def _line(name: str, curve: dict[str, list[float | None]], style: dict[str, Any]) -> list[dict[str, Any]]:
    """A line over the layers, with a band where the figure has intervals."""
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
