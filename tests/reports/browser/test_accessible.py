"""The page by axe's rules (WCAG 2.1 and good practice), on a desktop and on a phone, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.reports.make import report
from tests.helpers.browser import IN_BROWSER, click, open_page
from tests.helpers.report_data import HOSTILE, three_arms

pytestmark = IN_BROWSER

AXE = """
    const done = arguments[0];
    axe.run().then(({ violations }) => done(violations.map(({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`)));
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    runs = three_arms(folder, ["en", "zh", "ar", "th", "el"], items=24, stray=HOSTILE, missing=0.1)
    return report(runs, folder / "report.html", baseline="English only", draws=50).page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 400])
def test_axe_finds_nothing(browser: Any, made: Path, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_core_python")
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        browser.get("about:blank")
        open_page(browser, made.as_uri())
        click(browser, "add-condition")
        browser.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
        browser.set_script_timeout(300)
        browser.execute_script((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        assert browser.execute_async_script(AXE) == []
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
