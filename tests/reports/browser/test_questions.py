"""The questions of a page: every script shown, filters, links, CSV, the table and the overview."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.helpers.browser import IN_BROWSER, ITEMS, choose, click, counted, open_page, preset, press, text_of
from tests.helpers.report_data import COUNTRIES, HOSTILE, QUESTIONS

pytestmark = IN_BROWSER

EVERY_ITEM = "return data.items.map((item, place) => ({...item, ...saidTo(place)}))"


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


def test_the_lines_of_a_text_stay_lines(page: Any) -> None:
    spaces = "return getComputedStyle(document.querySelector(arguments[0])).whiteSpace"
    assert [page.execute_script(spaces, name) for name in (".question", ".option")] == ["pre-wrap"] * 2


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
RELATIONS: dict[str, Callable[[int, int, int], bool]] = {
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
        for item in page.execute_script(EVERY_ITEM):
            answers = item["answers"][2]
            found = [holds(answers[place], item["gold"], answers[0]) for place in wanted]
            if any(found) if language == "any one language" else all(found):
                expected.append(item["id"])
        assert shown_items(page) == expected


def test_conditions_in_any_one_language_speak_of_the_same(page: Any) -> None:
    preset(page, "gained in any language")
    expected = [
        item["id"]
        for item in page.execute_script(EVERY_ITEM)
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
