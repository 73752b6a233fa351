"""Pictures of a page of results, as they are in the documentation.

`python benchmarks/screenshots.py PAGE.html OUT.png [--section figures] [--width 1300] [--height 900] [--dark]
[--print]` opens the page in headless Chromium (selenium, chromedriver), scrolls to a section (result,
figures, why, preference, plots, explorer, made), and saves what is seen; with `--print` the page as paper
shows it, as a PDF (OUT.pdf).
"""

from __future__ import annotations

import argparse
import shutil
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars")


def browser() -> Any:
    """Headless Chromium."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in _QUIET:
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def take(page: Path, out: Path, section: str, size: tuple[int, int], *, dark: bool, on_paper: bool) -> None:
    """Save a picture of a section of the page, or the whole page as paper shows it."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver = browser()
    try:
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.get(page.resolve().as_uri())
        ready = "return !document.getElementById('explorer') || 'ready' in document.body.dataset"
        WebDriverWait(driver, 300).until(lambda one: one.execute_script(ready))
        if on_paper:
            out.write_bytes(b64decode(driver.execute_cdp_cmd("Page.printToPDF", {})["data"]))
            return
        driver.execute_script("document.getElementById(arguments[0]).scrollIntoView()", section)
        out.write_bytes(b64decode(driver.get_screenshot_as_base64()))
    finally:
        driver.quit()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--section", default="figures", help="the id of a section of the page")
    parser.add_argument("--width", type=int, default=1300)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--dark", action="store_true", help="in dark colours")
    parser.add_argument("--print", action="store_true", dest="on_paper", help="as a PDF")
    given = parser.parse_args(arguments)
    size = given.width, given.height
    take(given.page, given.out, given.section, size, dark=given.dark, on_paper=given.on_paper)


if __name__ == "__main__":
    main()
