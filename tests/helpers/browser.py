"""A page in headless Chromium, and what a reader does there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
# How many questions the page of `address` has.
ITEMS = 40
# The marks of every test in the browser.
IN_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM or not DRIVER, reason="needs chromium (or google-chrome) and chromedriver on the PATH"
    ),
]
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


def opened_browser(profile: Path) -> Any:
    """Headless Chromium with a profile of its own; the caller quits it."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in [*_QUIET, f"--user-data-dir={profile}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


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
