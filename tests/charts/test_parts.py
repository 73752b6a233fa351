"""What plots are made of."""

from __future__ import annotations

import math
import re
from pathlib import Path

from crossin.charts import parts
from crossin.charts.parts import along, style_of
from crossin.metrics.bootstrap import Figure

CSS = (Path(parts.__file__).parent / "page.css").read_text("utf-8")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_no_two_series_look_alike() -> None:
    styles = [style_of(place) for place in range(64)]
    assert len({(style.colour, style.symbol) for style in styles}) == 64
    assert len({style.colour for style in styles[:8]}) == 8


def test_every_colour_has_a_contrast_of_3_to_1_in_light_and_dark() -> None:
    light, dark = CSS.split("prefers-color-scheme: dark", 1)
    for theme, card in ((light, "#ffffff"), (dark.split("* {")[0], "#1c2024")):
        colours = re.findall(r"--arm-\d: (#\w{6})", theme)
        assert len(colours) == len(set(colours)) == 8
        for colour in colours:
            lighter, darker = sorted((luminance(colour), luminance(card)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_a_figure_that_is_not_known_is_no_point() -> None:
    assert along("en", Figure(math.nan, math.nan, math.nan), "") is None
    alone = along("en", Figure(0.5, math.nan, math.nan), "")
    assert alone is not None and alone.y_interval is None
    across = along("en", Figure(0.5, 0.4, 0.6), "", across=True)
    assert across is not None and (across.x, across.y, across.x_interval) == (0.5, "en", (0.4, 0.6))
