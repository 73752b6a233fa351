"""Heat maps as tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crossin.charts import heat_map as module
from crossin.charts.heat_map import HeatCell, HeatMap, heat_table
from tests.charts.test_parts import luminance

HOSTILE = "<img src=x onerror=alert(1)>\" '"
CSS = (Path(module.__file__).parent / "page.css").read_text("utf-8")


def cells(*values: float | None, most: float = 1.0) -> list[tuple[str, str]]:
    """The style and the text of each cell."""
    row = [HeatCell(value, str(value)) for value in values]
    made = heat_table(HeatMap("MEXA", "Text.", "language", [""] * len(row), [("th", row)], most))
    return re.findall(r"<td([^>]*)>(.*?)</td>", made)


def test_a_cell_has_its_number_and_more_colour_the_further_it_is_from_0() -> None:
    shown = cells(0.5, 1.0, -1.0, 0.0, None)
    assert [text for _, text in shown] == ["0.5", "1.0", "-1.0", "0.0", "None"]
    assert [re.findall(r"--arm-\d\) \d+%", style) for style, _ in shown] == [
        ["--arm-0) 22%"],
        ["--arm-0) 45%"],
        ["--arm-1) 45%"],
        [],
        [],
    ]


def test_the_strongest_colour_is_that_of_the_greatest_number() -> None:
    assert "45%" in cells(0.1, most=0.1)[0][0]
    assert cells(0.0, most=0.0) == [("", "0.0")]


def test_rows_and_columns_have_heads_and_names_are_text() -> None:
    made = heat_table(
        HeatMap(HOSTILE, HOSTILE, HOSTILE, [HOSTILE], [(HOSTILE, [HeatCell(1, HOSTILE, HOSTILE)])], 1)
    )
    assert "<img" not in made
    assert made.count('scope="col"') == 2 and made.count('scope="row"') == 1
    assert re.search(r'<td style="[^"]*" title="&lt;img[^"]*">', made)


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_can_be_read_on_the_strongest_colours(dark: bool) -> None:
    theme = CSS.split("prefers-color-scheme: dark", 1)[dark].split("* {")[0]
    colours: dict[str, str] = dict(re.findall(r"--([\w-]+): (#\w+)", theme))
    card = "#ffffff" if colours["card"] == "#fff" else colours["card"]
    for arm in ("arm-0", "arm-1"):
        mixed = "#" + "".join(
            f"{round(0.45 * int(colours[arm][at : at + 2], 16) + 0.55 * int(card[at : at + 2], 16)):02x}"
            for at in (1, 3, 5)
        )
        lighter, darker = sorted((luminance(mixed), luminance(colours["ink"])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5
