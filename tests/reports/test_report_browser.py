"""The page in a real browser: nothing fetched, nothing broken, every script shown, hostile text inert."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossin.reports.make import report
from tests.helpers.free_runs import two_models
from tests.helpers.report_data import COUNTRIES, HOSTILE, QUESTIONS, three_arms

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM or not DRIVER, reason="needs chromium (or google-chrome) and chromedriver on the PATH"
    ),
]
ITEMS = 40
_QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,900",
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in [*_QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    runs = three_arms(folder, list(QUESTIONS), items=ITEMS, stray=HOSTILE, missing=0.05)
    made = report(
        runs, folder / "report.html", baseline="English only", title="Hostile & harmless", draws=200
    )
    return made.page.as_uri()


@pytest.fixture
def page(browser: Any, address: str) -> Any:
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get("about:blank")
    browser.get(address)
    return browser


def text_of(page: Any, selector: str) -> list[str]:
    found: list[str] = page.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(node => node.textContent)", selector
    )
    return found


def choose(page: Any, name: str, text: str) -> None:
    """Choose the option that reads `text`, as a user does."""
    from selenium.webdriver.support.ui import Select

    Select(page.find_element("id", f"filter-{name}")).select_by_visible_text(text)


def press(page: Any, key: str) -> None:
    from selenium.webdriver.common.keys import Keys

    page.find_element("tag name", "body").send_keys(getattr(Keys, key))


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
        return [...document.querySelectorAll(".plot")].map((node) => [
            node.querySelector("svg").getBoundingClientRect().width,
            node.querySelectorAll("path[role=graphics-symbol]").length,
            node.querySelectorAll("details tbody tr").length,
        ]);
    """)
    assert len(drawn) == 6
    assert all(width > 100 and marks and marks == rows for width, marks, rows in drawn)


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


def test_a_question_is_shown_in_every_script(page: Any) -> None:
    shown = page.execute_script(
        "return [...document.querySelectorAll('.question')].map(node => [node.lang, node.textContent])"
    )
    expected = [[code, text.format(COUNTRIES[code][0]) + HOSTILE] for code, text in QUESTIONS.items()]
    assert shown == expected
    for selector in (".question[lang=ar]", "[data-language=ar] .option"):
        direction = "return getComputedStyle(document.querySelector(arguments[0])).direction"
        assert page.execute_script(direction, selector) == "rtl"
    assert (
        page.execute_script("return getComputedStyle(document.querySelector('.question[lang=el]')).direction")
        == "ltr"
    )


def test_steps_by_button_and_by_key(page: Any) -> None:
    assert text_of(page, "#position") == [f"1 of {ITEMS}"]
    page.execute_script("document.getElementById('next').scrollIntoView({block: 'center'})")
    page.find_element("id", "next").click()
    assert text_of(page, "#item > h3") == ["capital:001"]
    press(page, "ARROW_RIGHT")
    assert text_of(page, "#item > h3") == ["capital:002"]
    press(page, "ARROW_LEFT")
    press(page, "ARROW_LEFT")
    assert text_of(page, "#position") == [f"1 of {ITEMS}"]
    assert not page.find_element("id", "previous").is_enabled()


def test_filters_narrow_the_questions(page: Any) -> None:
    page.find_element("id", "filter-text").send_keys("อียิปต์ египет")
    assert text_of(page, "#position") == [f"1 of {ITEMS // 4}"]
    choose(page, "group", "EG1")
    assert text_of(page, "#position") == ["1 of 2"]
    choose(page, "task", "capital")
    assert text_of(page, "#position") == ["No question fits"]
    page.find_element("css selector", "#filters button[type=reset]").click()
    page.execute_async_script("setTimeout(arguments[0], 50)")
    assert text_of(page, "#position") == [f"1 of {ITEMS}"]


def test_where_the_method_helps_can_be_seen(page: Any) -> None:
    choose(page, "kind", "CrossIn right, English only wrong")
    choose(
        page, "language", next(text for text in text_of(page, "#filter-language option") if "(ar)" in text)
    )
    count = int(text_of(page, "#position")[0].split(" of ")[1])
    assert 0 < count < ITEMS
    for _ in range(min(count, 5)):
        card = page.find_element("css selector", "[data-language=ar]")
        marks = {mark.get_attribute("title") for mark in card.find_elements("css selector", "[role=img]")}
        assert "CrossIn chose this: right" in marks
        assert "English only chose this: right" not in marks
        page.execute_script("document.getElementById('next').click()")


def test_a_click_on_the_overview_shows_that_question(page: Any) -> None:
    painted = page.execute_script("""
        const grid = document.getElementById("grid"), seen = new Set();
        const pixels = grid.getContext("2d").getImageData(0, 0, grid.width, grid.height).data;
        for (let at = 0; at < pixels.length; at += 4) {
            if (pixels[at + 3] === 255) seen.add(pixels.slice(at, at + 3).join());
        }
        return [...seen];
    """)
    assert {"15,123,108", "243,201,169"} <= set(painted)
    page.execute_script(
        """
        const grid = document.getElementById("grid"), box = grid.getBoundingClientRect();
        const clientX = box.left + 54 + (box.width - 56) / arguments[0] * 7.5, clientY = box.top + 30;
        grid.dispatchEvent(new MouseEvent("click", {clientX, clientY, bubbles: true}));
        """,
        ITEMS,
    )
    assert text_of(page, "#item > h3") == ["capital:007"]


@pytest.fixture
def free(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A page of free text, of answers that are entities and of choices, without log-probabilities."""
    for extra in ("sacrebleu", "lingua"):
        pytest.importorskip(extra)
    folder = tmp_path_factory.mktemp("free")
    runs, bench = two_models(folder)
    made = report(runs, folder / "report.html", bench=bench, title="Free", draws=200)
    browser.get_log("browser")
    browser.get(made.page.as_uri())
    return browser


def test_replies_are_shown_beside_what_is_right_and_why_none_was_read(free: Any) -> None:
    assert [line for line in free.get_log("browser") if line["level"] == "SEVERE"] == []
    shown = set()
    for _ in range(8):
        [name] = text_of(free, "#item > h3")
        shown.add(name)
        if name == "austria":
            assert text_of(free, "[data-language=de] .option") == ["Wien", "Paris"]
            assert text_of(free, "[data-language=en] .option") == ["Vienna"]
            assert text_of(free, "[data-language=de] .reply") == ["Paris", "Wien"]
        if name == "name":
            assert text_of(free, "[data-language=en] .reference bdi") == ["Vienna"]
            assert len(text_of(free, "[data-language=en] .read")) == 2
            assert text_of(free, "[data-language=de] .read") == ["F1 1.00"]
            assert text_of(free, "[data-language=de] p.none") == ["No answer: old"]
        if name == "japan":
            unread = "No answer: the reply names no entity of the inventory"
            assert text_of(free, "[data-language=de] dd.none") == [unread]
        if name == "evil":
            assert HOSTILE in "".join(text_of(free, "[data-language=en] .reply"))
            assert text_of(free, "[data-language=en] .option") == [f"Good {HOSTILE}"]
        # No share is known, so there is no bar.
        assert free.execute_script("return document.querySelectorAll('.track').length") == 0
        free.execute_script("document.getElementById('next').click()")
    assert len(shown) == 8
    assert free.title == "Free"
    assert free.execute_script("return document.querySelectorAll('img').length") == 0


def test_replies_can_be_searched(free: Any) -> None:
    free.find_element("id", "filter-text").send_keys("i do not know")
    assert text_of(free, "#position") == ["1 of 1"]
    assert text_of(free, "#item > h3") == ["japan"]


def test_a_narrow_window_does_not_scroll_sideways(page: Any, tmp_path: Path) -> None:
    emulate = "Emulation.setDeviceMetricsOverride"
    page.execute_cdp_cmd(emulate, {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    try:
        page.get(page.current_url)
        assert page.execute_script("return document.documentElement.scrollWidth") <= 400
        page.save_screenshot(str(tmp_path / "narrow.png"))
        assert (tmp_path / "narrow.png").stat().st_size > 10_000
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
