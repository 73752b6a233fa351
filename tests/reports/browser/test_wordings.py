"""The choice of the prompt's wording above the questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from crossin.reports.make import report
from tests.helpers.browser import IN_BROWSER, choose, open_page, text_of
from tests.helpers.report_data import in_wordings

pytestmark = IN_BROWSER


def _counts(page: Any) -> list[str]:
    """What the presets on right and wrong answers say."""
    texts = text_of(page, "#filter-preset option")
    return [one for one in texts if "right everywhere" in one or "wrong everywhere" in one]


def test_answers_presets_and_link_follow_the_wording(browser: Any, tmp_path: Path) -> None:
    run = in_wordings(tmp_path / "model", {"one": 2, "two & 2": 6})
    address = report([run], tmp_path / "page.html", draws=50).page.as_uri()
    open_page(browser, address)
    assert text_of(browser, "#filter-wording option") == ["one (reported)", "two & 2"]
    assert _counts(browser) == ["right everywhere (2)", "wrong everywhere (6)"]
    open_page(browser, f"{address}#item=capital%3A002")
    assert text_of(browser, ".card h4 > span:last-child") == ["wrong", "wrong"]
    choose(browser, "wording", "two & 2")
    assert _counts(browser) == ["right everywhere (6)", "wrong everywhere (2)"]
    assert text_of(browser, ".card h4 > span:last-child") == ["right", "right"]
    browser.execute_script("writeLink()")
    assert "wording=two & 2" in unquote(browser.current_url).replace("+", " ")
    again = browser.current_url
    browser.get("about:blank")
    open_page(browser, again)
    assert _counts(browser) == ["right everywhere (6)", "wrong everywhere (2)"]
    choose(browser, "wording", "one (reported)")
    assert _counts(browser) == ["right everywhere (2)", "wrong everywhere (6)"]


def test_without_several_wordings_there_is_no_choice(page: Any) -> None:
    assert not page.find_element("id", "filter-wording").is_displayed()
