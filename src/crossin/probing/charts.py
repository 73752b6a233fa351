"""The figures by layer as a page, of one model or of several: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crossin.charts.heat_map import HeatCell, HeatMap
from crossin.charts.parts import Plot, PlotAxis, Point, Series, Style, style_of
from crossin.charts.standalone import plots_page
from crossin.languages.codes import language_label
from crossin.probing.figures import MEAN
from crossin.probing.states import POOLINGS
from crossin.reports.cells import NONE, digits, short

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
# The figure of the heat maps and, of several models, of the plots by language.
_MAIN = "mexa"
_SHARES = ("mexa", "retrieval")
_KEYS = ("value", "low", "high")
# The content of `probe.json`, and in it a figure: its value and interval by layer.
Probe = Mapping[str, Any]
_Curve = Mapping[str, Sequence[float | None]]


def page(probes: Mapping[str, Probe], title: str | None = None) -> str:
    """The whole page. probes: by the model's name, of the same sentences (`probing.comparison`)."""
    first = next(iter(probes.values()))
    most = max(value or 0 for probe in probes.values() for value in _main_values(probe))
    maps = [made for pooling in POOLINGS for made in _maps(probes, pooling, most)]
    curves = [(figure, pooling) for figure in _DRAWN for pooling in POOLINGS]
    if len(probes) == 1:
        compared = f"each compared with {language_label(first['pivot'])}"
        title = title or f"How close the languages are inside {next(iter(probes))}"
        plots = [_by_language(first, *curve) for curve in curves]
    else:
        compared = f"each compared with {language_label(first['pivot'])}, in {len(probes)} models"
        title = title or f"How close the languages are: {', '.join(probes)}"
        plots = [_by_model(probes, *curve, MEAN) for curve in curves]
        pooling = next(iter(POOLINGS))
        plots += [_by_model(probes, _MAIN, pooling, code) for code in _languages(first)]
    summary = (
        f"{first['sentences']:,} sentences in {len(first['languages'])} languages, {compared}. "
        "Layer 0 is the embeddings, the last is after the final norm. "
        "Bands: 95% intervals. The dashed line across is chance."
    )
    return plots_page(title, summary, plots, maps)


def _maps(probes: Mapping[str, Probe], pooling: str, most: float) -> list[HeatMap]:
    """The heat map of each model and, of a second and further ones, what it has more than the first."""
    title, named = _DRAWN[_MAIN][0], POOLINGS[pooling]
    text = f"Layers across, languages down. The strongest colour is {short(most)}, the page's highest value."
    made = []
    first, *others = probes
    for name, probe in probes.items():
        rows = []
        for code in (*_languages(probe), MEAN):
            curve = _curve(probe, pooling, code, _MAIN)
            said = zip(*(curve[key] for key in _KEYS), strict=True)
            cells = [_cell(code, layer, *numbers) for layer, numbers in enumerate(said)]
            rows.append((_label(code), cells))
        heading = f"{title} of {name}: {named}" if others else f"{title}: {named}"
        made.append(HeatMap(heading, text, "language", _numbers(probe), rows, most))
    alike = [name for name in others if probes[name]["layers"] == probes[first]["layers"]]
    return made + [_difference(probes, name, first, pooling) for name in alike]


def _difference(probes: Mapping[str, Probe], name: str, other: str, pooling: str) -> HeatMap:
    probe = probes[name]
    rows = []
    for code in (*_languages(probe), MEAN):
        mine, theirs = (_curve(probes[one], pooling, code, _MAIN)["value"] for one in (name, other))
        cells = []
        for layer, (value, before) in enumerate(zip(mine, theirs, strict=True)):
            more = None if value is None or before is None else value - before
            said = f"{_label(code)}, layer {layer}: {digits(more)}"
            cells.append(HeatCell(more, NONE if more is None else short(more), said))
        rows.append((_label(code), cells))
    most = max(abs(cell.value or 0) for _, cells in rows for cell in cells)
    title = f"{_DRAWN[_MAIN][0]}, {name} − {other}: {POOLINGS[pooling]}"
    text = f"Blue where {name} has more, orange where it has less. Differences have no intervals."
    return HeatMap(title, text, "language", _numbers(probe), rows, most)


def _cell(code: str, layer: int, value: float | None, low: float | None, high: float | None) -> HeatCell:
    if value is None:
        return HeatCell(None, NONE)
    interval = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
    return HeatCell(value, short(value), f"{_label(code)}, layer {layer}: {value:.3f}{interval}")


def _by_language(probe: Probe, figure: str, pooling: str) -> Plot:
    """A figure of one model: a line for each language."""
    lines = [
        (_label(code), _style(place, code), _curve(probe, pooling, code, figure))
        for place, code in enumerate((*_languages(probe), MEAN))
    ]
    return _plot(f"{figure}-{pooling}", figure, POOLINGS[pooling], lines, probe)


def _by_model(probes: Mapping[str, Probe], figure: str, pooling: str, code: str) -> Plot:
    """A figure of a language: a line for each model."""
    lines = [
        (name, style_of(place), _curve(probe, pooling, code, figure))
        for place, (name, probe) in enumerate(probes.items())
    ]
    title = f"{'mean over languages' if code == MEAN else _label(code)}, {POOLINGS[pooling]}"
    return _plot(f"{figure}-{pooling}-{code}", figure, title, lines, next(iter(probes.values())))


def _plot(name: str, figure: str, of: str, lines: Sequence[tuple[str, Style, _Curve]], probe: Probe) -> Plot:
    title, text = _DRAWN[figure]
    y = PlotAxis("", ".0%", limits=(0, 1)) if figure in _SHARES else PlotAxis("")
    series = tuple(_line(*line) for line in lines)
    made = Plot(name, f"{title}: {of}", text, series, PlotAxis("layer", "d"), y)
    return made.with_rule("y", probe["chance"][figure]) if figure in _SHARES else made


def _line(name: str, style: Style, curve: _Curve) -> Series:
    """A line over the layers, with a band where the figure has intervals."""
    points = [
        Point(layer, value, f"{name}, layer {layer}: {value:.3f}", y_interval=_interval(low, high))
        for layer, (value, low, high) in enumerate(zip(*(curve[key] for key in _KEYS), strict=True))
        if value is not None
    ]
    return Series(name, style, tuple(points), kind="line")


def _curve(probe: Probe, pooling: str, code: str, figure: str) -> _Curve:
    """A figure of a language and the pivot."""
    key = (pooling, code, probe["pivot"])
    [entry] = [one for one in probe["figures"] if (one["pooling"], one["language"], one["other"]) == key]
    found: _Curve = entry[figure]
    return found


def _main_values(probe: Probe) -> list[float | None]:
    """The values of the heat maps, of all poolings."""
    of_pivot = [one[_MAIN] for one in probe["figures"] if one["other"] == probe["pivot"]]
    return [value for curve in of_pivot for value in curve["value"]]


def _languages(probe: Probe) -> list[str]:
    return [code for code in probe["languages"] if code != probe["pivot"]]


def _numbers(probe: Probe) -> list[str]:
    return [str(layer) for layer in range(probe["layers"])]


def _label(code: str) -> str:
    return code if code == MEAN else language_label(code)


def _style(place: int, code: str) -> Style:
    return Style("var(--soft)", "circle") if code == MEAN else style_of(place)


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
