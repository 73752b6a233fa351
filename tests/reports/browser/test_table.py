"""The page's table in a real browser: sorted, restored, in sight while it is scrolled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.reports.make import report
from tests.helpers.browser import IN_BROWSER
from tests.helpers.report_data import HOSTILE, QUESTIONS, three_arms, write_run

pytestmark = IN_BROWSER
CODES = list(QUESTIONS)
TABLE = "#figures table.sortable"
# The names and the figures of a column, row by row, in the accuracy of languages.
COLUMN = """
    const [table, column] = [document.querySelector(arguments[0]), arguments[1]];
    const rows = [...table.tBodies[0].rows].filter((row) => row.cells.length > 1);
    return rows.map(({ cells }) => [cells[0].textContent, cells[column].querySelector("b").textContent]);
"""


def opened(browser: Any, page: Path) -> Any:
    browser.get_log("browser")
    browser.get("about:blank")
    browser.get(page.as_uri())
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
    return browser


@pytest.fixture(scope="module")
def by_figure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    runs = three_arms(folder, CODES, items=40, missing=0.05)
    runs[HOSTILE] = runs.pop("CrossIn")
    return report(runs, folder / "report.html", draws=100).page


@pytest.fixture(scope="module")
def by_arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arms")
    runs = {
        f"arm {number}": write_run(
            folder / str(number), f"arm {number}", dict.fromkeys(CODES, 0.3 + number / 20), items=24
        )
        for number in range(8)
    }
    return report(runs, folder / "report.html", draws=100).page


def click_head(page: Any, column: int) -> str | None:
    """Click a column's button; the order that the column then says it has."""
    head = page.execute_script(
        "return document.querySelector(arguments[0]).tHead.rows[0].cells[arguments[1]]", TABLE, column
    )
    page.execute_script("arguments[0].querySelector('button').click()", head)
    order: str | None = head.get_attribute("aria-sort")
    return order


def column_of(page: Any, column: int) -> list[list[str]]:
    found: list[list[str]] = page.execute_script(COLUMN, TABLE, column)
    return found


def number(shown: str) -> float:
    return float(shown.replace("−", "-"))


def test_a_column_is_sorted_down_up_and_back_within_its_group(browser: Any, by_figure: Path) -> None:
    page = opened(browser, by_figure)
    before = column_of(page, 5)
    assert [name.split(" · ")[1] for name, _ in before[:-1]] == CODES
    assert click_head(page, 5) == "descending"
    down = column_of(page, 5)
    assert [number(value) for _, value in down[:-1]] == sorted(
        (number(value) for _, value in before[:-1]), reverse=True
    )
    # The mean stays below.
    assert down[-1] == before[-1] and before[-1][0] == "mean"
    assert click_head(page, 5) == "ascending"
    values = [number(value) for _, value in column_of(page, 5)[:-1]]
    assert values == sorted(values)
    assert click_head(page, 5) is None
    assert column_of(page, 5) == before


def test_one_column_at_a_time_says_that_it_is_sorted(browser: Any, by_figure: Path) -> None:
    page = opened(browser, by_figure)
    assert click_head(page, 0) == "ascending"
    names = [name for name, _ in column_of(page, 1)[:-1]]
    assert names == sorted(names)
    assert click_head(page, 2) == "descending"
    sorted_heads = f"return document.querySelectorAll('{TABLE} [aria-sort]').length"
    # The table of p-values is sorted by itself.
    assert page.execute_script(sorted_heads) == 1


def test_arms_and_differences_are_sorted_apart(browser: Any, by_arm: Path) -> None:
    page = opened(browser, by_arm)
    assert click_head(page, 1) == "descending"
    names = [name for name, _ in column_of(page, 1)]
    assert len(names) == 8 and not any("−" in name for name in names)


def test_names_are_only_text(browser: Any, by_figure: Path) -> None:
    page = opened(browser, by_figure)
    click_head(page, 3)
    heads = page.execute_script(
        f"return [...document.querySelectorAll('{TABLE} thead th')].map((th) => th.textContent)"
    )
    assert heads[3] == HOSTILE
    assert page.execute_script("return document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize(("name", "width"), [("by_figure", 1300), ("by_arm", 1300), ("by_arm", 400)])
def test_head_and_first_column_stay_in_sight(
    browser: Any,
    name: str,
    width: int,
    request: pytest.FixtureRequest,
) -> None:
    emulate = "Emulation.setDeviceMetricsOverride"
    browser.execute_cdp_cmd(emulate, {"width": width, "height": 500, "deviceScaleFactor": 1, "mobile": False})
    try:
        page = opened(browser, request.getfixturevalue(name))
        left, top, scrolled = page.execute_script(
            """
            const table = document.querySelector(arguments[0]), box = table.parentElement;
            box.scrollTo(300, 200);
            const from = box.getBoundingClientRect(), at = (cell) => cell.getBoundingClientRect();
            const last = table.tBodies[1].rows[0].cells[0], head = table.tHead.rows[0].cells[1];
            return [at(last).left - from.left, at(head).top - from.top, box.scrollTop];
            """,
            TABLE,
        )
        assert (round(left), round(top)) == (0, 0)
        assert scrolled > 0
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_three_arms_and_the_parts_of_a_difference_fit_1300_pixels(browser: Any, by_figure: Path) -> None:
    metrics = {"width": 1300, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        page = opened(browser, by_figure)
        wide = page.execute_script("""
            for (const one of document.querySelectorAll("#figures details")) one.open = true;
            const boxes = [...document.querySelectorAll("#figures .scroll")];
            return boxes.map((box) => box.scrollWidth - box.clientWidth);
        """)
        assert len(wide) >= 2
        assert wide == [0] * len(wide)
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_what_figures_mean_opens_by_key_and_touch(browser: Any, by_figure: Path) -> None:
    page = opened(browser, by_figure)
    about = page.find_element("id", "about-kappa")
    assert not about.is_displayed()
    page.execute_script("arguments[0].closest('details').querySelector('summary').click()", about)
    assert about.is_displayed()
    assert "(observed − chance) / (1 − chance)" in about.text
