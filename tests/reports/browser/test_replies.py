"""Free text on the page: replies, how they were read, and references."""

from __future__ import annotations

from typing import Any

import pytest

from crossin.reports.make import report
from tests.helpers.browser import IN_BROWSER, open_page, text_of
from tests.helpers.free_runs import two_models
from tests.helpers.report_data import HOSTILE

pytestmark = IN_BROWSER


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
