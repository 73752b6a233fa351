"""The page in a real browser: nothing fetched, nothing broken, every script shown, hostile text inert."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
    open_page(browser, address)
    return browser


def text_of(page: Any, selector: str) -> list[str]:
    found: list[str] = page.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map(node => node.textContent)", selector
    )
    return found


def open_page(browser: Any, address: str) -> None:
    """Open a page, and wait until its questions can be read."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(address)
    ready = "return 'ready' in document.body.dataset"
    WebDriverWait(browser, 300).until(lambda page: page.execute_script(ready))


def click(page: Any, name: str) -> None:
    page.execute_script("document.getElementById(arguments[0]).click()", name)


def preset(page: Any, name: str) -> str:
    """Choose the first preset that begins with `name`; what it says."""
    from selenium.webdriver.support.ui import Select

    field = Select(page.find_element("id", "filter-preset"))
    found = next(one for one in text_of(page, "#filter-preset option") if one.startswith(name))
    field.select_by_visible_text(found)
    return found


def counted(preset: str) -> int:
    """The number of questions that a preset says it shows."""
    return int(preset.rpartition("(")[2].rstrip(")"))


def choose(page: Any, name: str, text: str) -> None:
    """Choose the option that reads `text`, as a user does."""
    from selenium.webdriver.support.ui import Select

    Select(page.find_element("id", f"filter-{name}")).select_by_visible_text(text)


def press(page: Any, key: str) -> None:
    """Press a key, by its letter or the name that WebDriver has for it."""
    from selenium.webdriver.common.keys import Keys

    page.find_element("tag name", "body").send_keys(getattr(Keys, key, key))


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
    # With more than four languages, the first alone is open.
    assert len(text_of(page, ".question")) == 1
    click(page, "every-card")
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
    assert page.find_element("id", "grid-frame").is_displayed() is False
    page.find_element("css selector", "#filters button[type=reset]").click()
    page.execute_async_script("setTimeout(arguments[0], 50)")
    assert text_of(page, "#position") == [f"1 of {ITEMS}"]


def test_a_search_marks_what_it_found(page: Any) -> None:
    page.find_element("id", "filter-text").send_keys("CAPITAL egypt")
    assert text_of(page, ".question mark") == ["capital", "Egypt"]
    assert text_of(page, ".question")[0].startswith(QUESTIONS["en"].format("Egypt"))


@pytest.mark.parametrize(
    "name", ["all questions", "gained in", "lost in any", "CrossIn languages disagree", "no arm right"]
)
def test_a_preset_shows_as_many_questions_as_it_says(page: Any, name: str) -> None:
    count = counted(preset(page, name))
    assert text_of(page, "#position") == [f"1 of {count}" if count else "No question fits"]


def test_where_the_method_helps_can_be_seen(page: Any) -> None:
    assert 0 < counted(preset(page, "gained in العربية")) < ITEMS
    click(page, "every-card")
    for _ in range(5):
        card = page.find_element("css selector", "[data-language=ar]")
        marks = {mark.get_attribute("title") for mark in card.find_elements("css selector", "[role=img]")}
        assert "CrossIn chose this: right" in marks
        assert "English only chose this: right" not in marks
        page.execute_script("document.getElementById('next').click()")


def shown_items(page: Any) -> list[str]:
    found: list[str] = page.execute_script("return state.shown.map(item => data.items[item].id)")
    return found


# How each relation is decided, given the arm's answer, the right one, and the answer in the first language.
RELATIONS = {
    "is right": lambda answer, gold, pivot: answer == gold,
    "is not right": lambda answer, gold, pivot: answer != gold,
    "is wrong": lambda answer, gold, pivot: answer not in (gold, -1),
    "gives no answer": lambda answer, gold, pivot: answer == -1,
    "answers as in en": lambda answer, gold, pivot: answer == pivot != -1,
    "answers otherwise than in en": lambda answer, gold, pivot: answer != pivot or answer == -1,
}


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_condition_keeps_what_it_says(page: Any, relation: str) -> None:
    from selenium.webdriver.support.ui import Select

    click(page, "add-condition")
    holds = RELATIONS[relation]
    everywhere = range(len(QUESTIONS))
    for language, wanted in (
        ("th", [list(QUESTIONS).index("th")]),
        ("every language", everywhere),
        ("any one language", everywhere),
    ):
        for label, text in (("answer", relation), ("language", language)):
            field = Select(page.find_element("css selector", f"#conditions [aria-label={label}]"))
            names = [one.text for one in field.options]
            field.select_by_visible_text(next(one for one in names if text in (one, one.split(" · ")[-1])))
        expected = []
        for item in page.execute_script("return data.items"):
            answers = item["answers"][2]
            found = [holds(answers[place], item["gold"], answers[0]) for place in wanted]
            if any(found) if language == "any one language" else all(found):
                expected.append(item["id"])
        assert shown_items(page) == expected


def test_conditions_in_any_one_language_speak_of_the_same(page: Any) -> None:
    preset(page, "gained in any language")
    expected = [
        item["id"]
        for item in page.execute_script("return data.items")
        if any(
            ours == item["gold"] != theirs
            for ours, theirs in zip(item["answers"][2], item["answers"][1], strict=True)
        )
    ]
    assert shown_items(page) == expected


def test_a_link_brings_back_what_was_shown(page: Any) -> None:
    preset(page, "CrossIn languages disagree")
    page.find_element("id", "filter-text").send_keys("capital")
    choose(page, "order", "fewest right first: CrossIn")
    press(page, "j")
    page.execute_script("writeLink()")
    before = [shown_items(page), text_of(page, "#position"), text_of(page, "#item > h3")]
    assert not before[1][0].startswith("1 of ")
    address = page.current_url
    assert "#" in address and "CrossIn" in address
    click(page, "copy-link")
    page.get("about:blank")
    open_page(page, address)
    assert [shown_items(page), text_of(page, "#position"), text_of(page, "#item > h3")] == before


def test_a_link_of_another_page_does_no_harm(page: Any, address: str) -> None:
    where = quote(json.dumps(["no such arm", "right", "en"]))
    page.get("about:blank")
    open_page(page, f"{address}#where={where}&where=[&task=none&item=none&search=capital")
    assert text_of(page, "#position") == [f"1 of {ITEMS}"]
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_what_is_shown_can_be_saved(page: Any) -> None:
    count = counted(preset(page, "gained in ไทย"))
    text = page.execute_script("return csvText()")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == count * len(QUESTIONS)
    thai = [row for row in rows if row["language"] == "th"]
    assert {row["CrossIn: verdict"] for row in thai} == {"right"}
    assert all(row["CrossIn: answer"] == row["right answer"] for row in thai)
    preset(page, "all questions")
    assert HOSTILE in page.execute_script("return csvText()").replace('""', '"')
    fields = page.execute_script("return ['=1+1', '-3.5', '+a', 'a,b', 'a\"b', '@x'].map(csvField)")
    assert fields == ["'=1+1", "-3.5", "'+a", '"a,b"', '"a""b"', "'@x"]
    click(page, "save-csv")
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_the_table_of_a_question_has_each_arm_once_a_language(page: Any) -> None:
    cells = page.execute_script("""
        const rows = [...document.querySelectorAll(".matrix tbody tr")];
        return rows.map((row) => [...row.querySelectorAll("td")].map((cell) =>
            [...cell.querySelectorAll(".symbol")].map((mark) => mark.title)));
    """)
    for column in zip(*cells, strict=True):
        names = sorted(title.split(": ")[0] for cell in column for title in cell)
        assert names == ["CrossIn", "English only", "base model"]
    for row, option in zip(cells, text_of(page, ".matrix .option"), strict=False):
        assert all(title.endswith("right") == (option == "Hanoi") for cell in row for title in cell)


def test_a_click_on_a_language_opens_its_card(page: Any) -> None:
    heads = page.find_elements("css selector", ".matrix thead button")
    assert [head.text for head in heads] == list(QUESTIONS)
    heads[4].click()
    assert page.execute_script("return [...state.cards]") == [0, 4]
    assert len(page.find_elements("css selector", ".card[data-language=ar]")) == 1
    heads[4].click()
    assert page.find_elements("css selector", ".card[data-language=ar]") == []


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
    page.execute_script("""
        const scroll = document.getElementById("grid-scroll"), box = scroll.getBoundingClientRect();
        const at = { clientX: box.left + 7.5 * view.column, clientY: box.top + 30, bubbles: true };
        scroll.dispatchEvent(new MouseEvent("mousemove", at));
        scroll.dispatchEvent(new MouseEvent("click", at));
    """)
    assert text_of(page, "#item > h3") == ["capital:007"]
    assert text_of(page, "#grid-tip")[0].startswith("capital:007: en, ")
    # A filter may hide that question.
    preset(page, "gained in any")
    assert text_of(page, "#grid-tip") == ["\u00a0"]


def test_a_step_draws_nothing_but_the_frame(page: Any) -> None:
    drawn = page.execute_script("""
        const frame = document.getElementById("grid-frame"), grid = document.getElementById("grid");
        const before = [frame.style.transform, grid.getContext("2d").getImageData(0, 0, 9, 9).data.join()];
        let painted = 0;
        const fill = CanvasRenderingContext2D.prototype.fillRect;
        CanvasRenderingContext2D.prototype.fillRect = function (...box) { painted++; fill.apply(this, box); };
        step(1);
        CanvasRenderingContext2D.prototype.fillRect = fill;
        return [painted, before[0] !== frame.style.transform];
    """)
    assert drawn == [0, True]


@pytest.fixture
def free(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A page of free text, of answers that are entities and of choices, without log-probabilities."""
    for extra in ("sacrebleu", "lingua"):
        pytest.importorskip(extra)
    folder = tmp_path_factory.mktemp("free")
    runs, bench = two_models(folder)
    made = report(runs, folder / "report.html", bench=bench, title="Free", draws=200)
    browser.get_log("browser")
    open_page(browser, made.page.as_uri())
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
        open_page(page, page.current_url)
        assert page.execute_script("return document.documentElement.scrollWidth") <= 400
        page.save_screenshot(str(tmp_path / "narrow.png"))
        assert (tmp_path / "narrow.png").stat().st_size > 10_000
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
