"""The first prompts on a report's page."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from crossin.core.files import write_json
from crossin.core.formats import PROMPTS
from crossin.reports.first_prompts import prompts_html
from crossin.reports.results import load
from tests.helpers.report_data import HOSTILE, three_arms


def prompt(language: str, text: str, *options: str, wording: str = "plain") -> dict[str, Any]:
    return {"language": language, "wording": wording, "prompt": text, "options": list(options)}


def test_prompts_that_runs_share_are_shown_once(tmp_path: Path) -> None:
    runs = three_arms(tmp_path, ["en", "zh"])
    for folder in runs.values():
        write_json(folder / PROMPTS, [prompt("en", "Capital of Japan:", " Tokyo"), prompt("th", "ไทย")])
    page = prompts_html(load(runs))
    assert page.count("Capital of Japan:") == 1
    assert " Tokyo</span>" in page
    # A language that was not reported.
    assert "ไทย" not in page


def test_prompts_that_differ_name_their_runs(tmp_path: Path) -> None:
    runs = three_arms(tmp_path, ["en", "zh"])
    for name, folder in runs.items():
        write_json(folder / PROMPTS, [prompt("en", f"{name} {HOSTILE}")])
    page = prompts_html(load(runs))
    for name in runs:
        assert f": {name}</summary>" in page
        assert escape(f"{name} {HOSTILE}") in page
    assert "<img" not in page


def test_without_prompts_nothing_is_shown(tmp_path: Path) -> None:
    assert prompts_html(load(three_arms(tmp_path, ["en", "zh"]))) == ""
