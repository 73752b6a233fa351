"""The browser, and a page of three arms in 15 languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crossin.reports.make import report
from tests.helpers.browser import ITEMS, open_page, opened_browser
from tests.helpers.report_data import HOSTILE, QUESTIONS, three_arms


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = opened_browser(tmp_path_factory.mktemp("profile"))
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
