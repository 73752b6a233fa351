"""The page: nothing fetched, nothing broken, every plot drawn, hostile text inert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers.browser import IN_BROWSER, open_page, text_of
from tests.helpers.report_data import HOSTILE

pytestmark = IN_BROWSER


def test_nothing_breaks_and_nothing_is_fetched(page: Any) -> None:
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []
    assert (
        page.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)") == []
    )
    asked = [
        line["message"]
        for line in page.get_log("performance")
        if "Network.requestWillBeSent" in line["message"]
    ]
    assert not any('"url":"http' in message for message in asked)


def test_the_policy_stops_requests_and_foreign_scripts(page: Any) -> None:
    outcome = page.execute_async_script("""
        const done = arguments[0];
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = true'>");
        const refused = () => setTimeout(() => done(window.ran ? "ran" : "stopped"), 200);
        fetch("http://127.0.0.1:9/").then(() => done("fetched"), refused);
    """)
    assert outcome == "stopped"
    assert any("Content Security Policy" in line["message"] for line in page.get_log("browser"))


def test_every_plot_is_drawn(page: Any) -> None:
    drawn = page.execute_script("""
        return [...document.querySelectorAll("#plots .plot")].map((node) => [
            node.querySelector("svg").getBoundingClientRect().width,
            node.querySelectorAll("path[role=graphics-symbol]").length,
            node.querySelectorAll("details tbody tr").length,
        ]);
    """)
    assert len(drawn) == 7
    # A line without symbols has rows in the table, too.
    assert all(width > 100 and 0 < marks <= rows for width, marks, rows in drawn)


def test_a_mark_says_what_it_is_where_it_is_pointed_at(page: Any) -> None:
    said = page.execute_script("""
        const mark = document.querySelector("#plot-by-language path[role=graphics-symbol]");
        const box = mark.getBoundingClientRect();
        const at = { bubbles: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
        mark.dispatchEvent(new PointerEvent("pointermove", at));
        const tip = document.querySelector(".mark-tip"), shown = [tip.hidden, tip.textContent];
        document.body.dispatchEvent(new PointerEvent("pointermove", at));
        return [...shown, mark.getAttribute("aria-label"), tip.hidden];
    """)
    assert said[:2] == [False, said[2]]
    assert "%" in said[2]
    assert said[3]


def test_hostile_text_is_only_text(page: Any) -> None:
    assert page.title == "Hostile & harmless"
    assert all(HOSTILE in question for question in text_of(page, ".question"))
    assert page.execute_script("return document.querySelectorAll('img').length") == 0


def test_a_narrow_window_does_not_scroll_sideways(page: Any, tmp_path: Path) -> None:
    emulate = "Emulation.setDeviceMetricsOverride"
    page.execute_cdp_cmd(emulate, {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    try:
        open_page(page, page.current_url)
        assert page.execute_script("return document.documentElement.scrollWidth") <= 400
        page.save_screenshot(str(tmp_path / "narrow.png"))
        assert (tmp_path / "narrow.png").stat().st_size > 10_000
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
