"""A run's folder in a real browser: the index leads to pages that work, and none of them can read another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from crossin.training.record import log_writer
from crossin.viewing.server import FolderServer
from tests.helpers.browser import IN_BROWSER, opened_browser, text_of
from tests.training.test_loss_page import made_lines

pytestmark = IN_BROWSER
# What a page from somebody else could try.
THIEF = "<title>thief</title><script>window.ran = true</script>"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FolderServer]:
    (tmp_path / "thief.html").write_text(THIEF)
    log_writer(tmp_path, made_lines())
    with FolderServer(tmp_path) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = opened_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


def test_the_index_leads_to_pages_that_work_and_cannot_read_each_other(
    server: FolderServer, browser: Any
) -> None:
    browser.get(server.url_to_open())
    assert browser.current_url == server.url
    assert text_of(browser, "a") == ["loss.html", "thief.html"]
    browser.find_element("link text", "loss.html").click()
    assert len(text_of(browser, "svg")) == 4
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []
    browser.get(f"{server.url}thief.html")
    outcome = browser.execute_async_script("""
        const done = arguments[0], frame = document.createElement("iframe");
        frame.src = "./";
        document.body.append(frame);
        fetch("./").then(() => done("read"), () => done([window.ran, self.origin, frame.contentDocument]));
    """)
    assert outcome == [True, "null", None]
