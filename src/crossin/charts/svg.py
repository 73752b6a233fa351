"""Plots as SVG, drawn when the page is made (by Vega-Lite in vl-convert), so that the page needs no library.

Colours are the page's own (CSS variables), so a plot follows the reader's theme. Every mark has its text as
`aria-label`, which screen readers say and `plots.js` shows where it is pointed at.
"""

from __future__ import annotations

import json
import re
from typing import Any

from crossin.charts.parts import Plot, PlotAxis, Point, Series
from crossin.core.errors import CrossinError
from crossin.core.extras import install_hint

_WIDTH = 560
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_NAMESPACES = re.compile(r' xmlns(?::xlink)?="[^"]*"(?: xmlns:xlink="[^"]*")?')
_FONT = "system-ui, sans-serif"
# Labels longer than this are cut with an ellipsis; the table below the plot has them whole.
_LONGEST_LABEL = 320
_CONFIG: dict[str, Any] = {
    "font": _FONT,
    "axis": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--soft)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": _LONGEST_LABEL,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "labelFontSize": 12,
        "labelLimit": _LONGEST_LABEL,
        "symbolSize": 70,
        "columnPadding": 18,
    },
    "view": {"stroke": None},
}


def draw(plot: Plot) -> str:
    """The plot as an SVG element. Equal plots give equal bytes.

    Raises CrossinError where vl-convert is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise CrossinError("the page needs vl-convert-python", hint=install_hint("report")) from error
    # In HTML an SVG element has its names without these.
    return _NAMESPACES.sub("", str(vl_convert.vegalite_to_svg(json.dumps(specification(plot)))), count=1)


def specification(plot: Plot) -> dict[str, Any]:
    """The plot in Vega-Lite's grammar."""
    layers = [*_contours(plot), *_rules(plot), *_bands(plot), *_intervals(plot), *_lines(plot), *_marks(plot)]
    rows = [
        {"line": place, **_row(one, point)} for place, one in enumerate(plot.series) for point in one.points
    ]
    return {
        "$schema": _SCHEMA,
        "background": None,
        "width": _WIDTH,
        "height": plot.height,
        "data": {"values": rows},
        "layer": layers,
        "config": _CONFIG,
    }


def _row(series: Series, point: Point) -> dict[str, Any]:
    row: dict[str, Any] = {"x": point.x, "y": point.y, "text": point.text}
    row |= {"series": _key(series), "name": series.name}
    for axis, interval in (("x", point.x_interval), ("y", point.y_interval)):
        if interval is not None:
            row |= {f"{axis}_low": interval[0], f"{axis}_high": interval[1]}
    return row | {"filled": point.filled, "kind": series.kind, "colour": series.style.colour}


def _key(series: Series) -> str:
    """The series in scales: Vega fails with one called as a method of JavaScript's objects (`toString`)."""
    return f"={series.name}"


def _encoding(plot: Plot) -> dict[str, Any]:
    """Both axes and the colours, which all layers share."""
    encoding = {"x": _channel("x", plot.x), "y": _channel("y", plot.y)}
    if plot.grouped:
        aside = {"field": "series", "sort": None}
        encoding["xOffset" if plot.x.categories else "yOffset"] = aside
    return encoding | {"color": _colours(plot)}


def _channel(name: str, axis: PlotAxis) -> dict[str, Any]:
    shown: dict[str, Any] = {"title": axis.title or None, "grid": not axis.categories}
    if axis.categories:
        # Two lines where a label has two.
        shown |= {"labelAngle": 0, "labelExpr": "split(datum.label, '\\n')", "ticks": False}
        # Upwards there is room for every label.
        shown |= {"labelOverlap": name == "x"}
        scale = {"domain": list(axis.categories), "paddingOuter": 0.1, "paddingInner": 0.25}
        return {"field": name, "type": "nominal", "sort": None, "axis": shown, "scale": scale}
    if axis.ticks:
        named = json.dumps({f"{value:g}": text for value, text in axis.ticks.items()})
        shown |= {"values": list(axis.ticks), "labelExpr": f"({named})[format(datum.value, '~g')]"}
    elif axis.form:
        shown |= {"format": axis.form, **({"tickMinStep": 1} if axis.form == "d" else {})}
    span: dict[str, Any] = {"zero": axis.limits is None, "nice": axis.limits is None}
    if axis.limits is not None:
        span["domain"] = list(axis.limits)
    return {"field": name, "type": "quantitative", "axis": shown, "scale": span}


def _colours(plot: Plot) -> dict[str, Any]:
    named = {_key(one): one.style for one in plot.series}
    scale = {"domain": list(named), "range": [style.colour for style in named.values()]}
    return {"field": "series", "type": "nominal", "scale": scale, "legend": _legend(plot)}


def _legend(plot: Plot) -> dict[str, Any] | None:
    names = {one.name for one in plot.series}
    if len(names) < 2:
        return None
    longest = max(map(len, names))
    columns = max(1, min(6, 72 // (longest + 4)))
    return {"title": None, "orient": "top", "columns": columns, "labelExpr": "slice(datum.label, 1)"}


def _layer(plot: Plot, mark: dict[str, Any], when: str, **more: Any) -> dict[str, Any]:
    """A layer of those rows for which `when` holds."""
    return {"transform": [{"filter": when}], "mark": mark, "encoding": {**_encoding(plot), **more}}


def _marks(plot: Plot) -> list[dict[str, Any]]:
    named = {_key(one): one.style.symbol for one in plot.series}
    scale = {"domain": list(named), "range": list(named.values())}
    shape = {"field": "series", "type": "nominal", "scale": scale, "legend": _legend(plot)}
    label = {"field": "text", "type": "nominal"}
    mark = {"type": "point", "size": 62, "strokeWidth": 1.8, "opacity": 1}
    of_points = "datum.kind !== 'line'"
    if all(one.kind == "line" for one in plot.series):
        return []
    made = [
        _layer(plot, {**mark, "filled": True}, f"{of_points} && datum.filled", shape=shape, description=label)
    ]
    if not all(point.filled for one in plot.series for point in one.points):
        hollow = {**mark, "filled": False, "fill": "var(--card)"}
        made.append(_layer(plot, hollow, f"{of_points} && !datum.filled", shape=shape, description=label))
    return made


def _lines(plot: Plot) -> list[dict[str, Any]]:
    if not any(one.kind != "points" for one in plot.series):
        return []
    # Where there are no points, the lines say whose they are.
    mark = {"type": "line", "strokeWidth": 2, "aria": any(one.kind == "line" for one in plot.series)}
    dashes = {_key(one): list(one.style.dash) or [1, 0] for one in plot.series}
    scale = {"domain": list(dashes), "range": list(dashes.values())}
    dash = {"field": "series", "type": "nominal", "scale": scale, "legend": _legend(plot)}
    named = {"field": "name", "type": "nominal"}
    # Two series of one name are two lines.
    apart = {"field": "line"}
    more = {"strokeDash": dash, "description": named, "detail": apart}
    return [_layer(plot, mark, "datum.kind !== 'points'", **more)]


def _bands(plot: Plot) -> list[dict[str, Any]]:
    if not any(one.kind == "line" for one in plot.series):
        return []
    mark = {"type": "area", "opacity": 0.15, "aria": False}
    ends = {"y": {**_channel("y", plot.y), "field": "y_low"}, "y2": {"field": "y_high"}}
    # The colour as it is, since a scale would join its legend to that of the lines.
    ends |= {"fill": {"field": "colour", "type": "nominal", "scale": None}, "detail": {"field": "line"}}
    layer = _layer(plot, mark, "datum.kind === 'line' && isValid(datum.y_low)", **ends)
    del layer["encoding"]["color"]
    return [layer]


def _intervals(plot: Plot) -> list[dict[str, Any]]:
    made = []
    for name, axis in (("x", plot.x), ("y", plot.y)):
        marked = [one for one in plot.series if one.kind != "line"]
        ends = [getattr(point, f"{name}_interval") for one in marked for point in one.points]
        if not any(ends):
            continue
        mark = {"type": "rule", "strokeWidth": 1.6, "aria": False}
        encoding = {name: {**_channel(name, axis), "field": f"{name}_low"}}
        encoding[f"{name}2"] = {"field": f"{name}_high"}
        made.append(_layer(plot, mark, f"datum.kind !== 'line' && isValid(datum.{name}_low)", **encoding))
    return made


def _rules(plot: Plot) -> list[dict[str, Any]]:
    mark = {"type": "rule", "strokeDash": [4, 3], "color": "var(--soft)", "aria": False}
    return [
        {"data": {"values": [{}]}, "mark": mark, "encoding": {axis: {"datum": value, "type": "quantitative"}}}
        for axis, value in plot.rules
    ]


def _contours(plot: Plot) -> list[dict[str, Any]]:
    if not plot.contours:
        return []
    rows = [
        {"x": x, "y": y, "of": name, "last": place == len(points) // 2}
        for name, points in plot.contours.items()
        for place, (x, y) in enumerate(points)
    ]
    places = {"x": _channel("x", plot.x), "y": _channel("y", plot.y)}
    curve = {"type": "line", "strokeWidth": 1, "color": "var(--line)", "aria": False}
    text = {"type": "text", "fontSize": 10, "color": "var(--soft)", "dx": 7, "dy": -7, "aria": False}
    return [
        {"data": {"values": rows}, "mark": curve, "encoding": {**places, "detail": {"field": "of"}}},
        {
            "data": {"values": rows},
            "transform": [{"filter": "datum.last"}],
            "mark": text,
            "encoding": {**places, "text": {"field": "of"}},
        },
    ]
