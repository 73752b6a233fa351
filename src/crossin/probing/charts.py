"""The figures by layer as a page: one self-contained HTML file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crossin.charts.parts import PALETTE, Plot, PlotAxis, Point, Series, Style, style_of
from crossin.charts.standalone import plots_page
from crossin.probing.figures import MEAN
from crossin.probing.states import POOLINGS

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
_DASHES: tuple[tuple[int, ...], ...] = ((), (2, 2), (6, 3))
_KEYS = ("value", "low", "high")


def page(probe: dict[str, Any]) -> str:
    """The whole page. probe: the content of `probe.json`."""
    summary = (
        f"{probe['sentences']:,} sentences in {len(probe['languages'])} languages, each compared with "
        f"{probe['pivot']}. Layer 0 is the embeddings, the last is after the final norm. "
        "Bands: 95% intervals. The dashed line across is chance."
    )
    drawn = [_plot(probe, figure, pooling) for figure in _DRAWN for pooling in POOLINGS]
    return plots_page(f"How close the languages are inside {probe['name']}", summary, drawn)


def _plot(probe: dict[str, Any], figure: str, pooling: str) -> Plot:
    entries = [
        one for one in probe["figures"] if one["pooling"] == pooling and one["other"] == probe["pivot"]
    ]
    series = [_line(place, one["language"], one[figure]) for place, one in enumerate(entries)]
    title, text = _DRAWN[figure]
    y = PlotAxis("", ".0%", limits=(0, 1)) if figure in _SHARES else PlotAxis("")
    named = f"{title}: {POOLINGS[pooling]}"
    made = Plot(f"{figure}-{pooling}", named, text, tuple(series), PlotAxis("layer", "d"), y)
    return made.with_rule("y", probe["chance"][figure]) if figure in _SHARES else made


def _line(place: int, name: str, curve: dict[str, list[float | None]]) -> Series:
    """A line over the layers, with a band where the figure has intervals."""
    style = Style("var(--soft)", "circle") if name == MEAN else style_of(place)
    # Beyond the palette its colours repeat with another dash.
    style = replace(style, dash=_DASHES[place // PALETTE % len(_DASHES)])
    points = [
        Point(layer, value, f"{name}, layer {layer}: {value:.3f}", y_interval=_interval(low, high))
        for layer, (value, low, high) in enumerate(zip(*(curve[key] for key in _KEYS), strict=True))
        if value is not None
    ]
    return Series(name, style, tuple(points), kind="line")


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
