"""Plots drawn as SVG."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from crossin.charts.parts import Plot, PlotAxis, Point, Series, shares, style_of
from crossin.charts.standalone import plots_page
from crossin.charts.svg import draw

pytest.importorskip("vl_convert")

HOSTILE = "</text><script>alert(1)</script><img src=x onerror=alert(1)> & 'a' \"b\" {{plots}} ${1} ภาษาไทย"


def plot(*names: str) -> Plot:
    """Two figures of each name, with intervals, by language."""
    series = tuple(
        Series(
            name,
            style_of(place),
            tuple(
                Point(language, value, f"{name}, {language}: {value}", y_interval=(value - 0.1, value + 0.1))
                for language, value in (("English\nen", 0.5), ("ไทย\nth", 0.25))
            ),
        )
        for place, name in enumerate(names)
    )
    x, y = PlotAxis(categories=("English\nen", "ไทย\nth")), shares("right answers")
    return Plot("by-language", "Accuracy", "By language.", series, x, y, grouped=True)


def labels(svg: str) -> list[str]:
    found = re.findall(r'<path aria-label="([^"]*)" role="graphics-symbol"', svg)
    return [html.unescape(one) for one in found]


def test_every_point_says_what_it_is() -> None:
    found = labels(draw(plot("base", "tuned")))
    assert sorted(found) == sorted(
        f"{name}, {language}: {value}"
        for name in ("base", "tuned")
        for language, value in (("English\nen", 0.5), ("ไทย\nth", 0.25))
    )


def test_equal_plots_are_equal_bytes_and_name_no_address() -> None:
    assert draw(plot("base", "tuned")) == draw(plot("base", "tuned"))
    assert "http" not in draw(plot("base"))


def test_names_of_javascript_are_names_like_others() -> None:
    x = PlotAxis(categories=("__proto__", "constructor"))
    one = Series("toString", style_of(0), tuple(Point(name, 0.5, name) for name in x.categories))
    drawn = draw(replace(plot(), x=x, series=(one,)))
    assert labels(drawn) == ["__proto__", "constructor"]
    assert {">__proto__<", ">constructor<"} <= {*re.findall(">[^<>]+<", drawn)}


def test_a_rule_is_dashed_and_one_series_needs_no_legend() -> None:
    ruled = draw(plot("base").with_rule("y", 0.25))
    assert ruled.count("stroke-dasharray") == 1
    assert "legend" not in ruled
    assert "role-legend" in draw(plot("base", "tuned"))


def test_colours_are_those_of_the_page() -> None:
    svg = draw(plot("base", "tuned"))
    assert "var(--arm-0)" in svg and "var(--arm-1)" in svg and "var(--ink)" in svg
    assert not re.search(r'(fill|stroke)="#(?!ddd)', svg)


def test_names_in_any_script_are_text_and_never_markup() -> None:
    page = plots_page(HOSTILE, HOSTILE, [plot(HOSTILE, "tuned")])
    assert "<img" not in page
    assert page.count("<script") == 1
    assert "ภาษาไทย" in page


def test_lines_and_bands_have_a_line_each() -> None:
    points = tuple(
        Point(step, 0.1 * step, f"step {step}", y_interval=(0.1 * step, 0.2 * step)) for step in range(4)
    )
    lines = tuple(Series(name, style_of(place), points, kind="joined") for place, name in enumerate("ab"))
    joined = draw(Plot("lines", "Lines", "", lines, PlotAxis("step", "d"), PlotAxis()))
    assert len(labels(joined)) == 8
    bands = tuple(Series(name, style_of(place), points, kind="line") for place, name in enumerate("ab"))
    drawn = draw(Plot("bands", "Bands", "", bands, PlotAxis("step", "d"), PlotAxis()))
    assert drawn.count("mark-area") == 2
    assert labels(drawn) == ["a", "b"]
    assert "role-legend" in drawn and "role-legend" in joined
