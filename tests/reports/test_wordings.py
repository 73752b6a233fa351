"""Several wordings of the prompt on one page."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest

from crossin.reports.arms import find_arms, with_wording
from crossin.reports.make import report
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.pages import explorer_of
from tests.helpers.report_data import in_wordings, write_run

DRAWS = 50


def test_page_json_and_terminal_have_median_and_range_of_each_figure(tmp_path: Path) -> None:
    run = in_wordings(tmp_path / "model", {"one": 2, "two": 4, "three": 8})
    out = tmp_path / "page.html"
    shown = crossin("report", run, "--wording", "two", "--out", out).stdout
    page = unescape(out.read_text(encoding="utf-8"))
    found = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["wordings"]["model"]
    assert (found["reported"], found["prompts"]) == ("two", ["one", "two", "three"])
    assert found["spread"]["accuracy"] == {"median": 0.5, "low": 0.25, "high": 1.0}
    # Two questions are right under all, and the wrong answers to four are the same under two only.
    assert found["wording_agreement"]["wording_agreement"]["value"] == 0.25
    for text in (shown, page):
        assert "Reported is 'two', of one, two, three." in " ".join(text.split())
        assert "0.250" in text and "1.000" in text


def test_reported_is_the_first_wording_that_all_runs_have(tmp_path: Path) -> None:
    one = in_wordings(tmp_path / "one", {"a": 1, "b": 2, "c": 3})
    two = in_wordings(tmp_path / "two", {"c": 3, "b": 2})
    alone = write_run(tmp_path / "alone", "alone", {"en": 0.5, "vi": 0.5}, items=8)
    made = report([one, two, alone], tmp_path / "page.html", draws=DRAWS)
    assert [run.answers.prompt for run in made.summary.results.runs] == ["b", "b", ""]
    assert list(made.wordings) == ["one", "two"]
    three = in_wordings(tmp_path / "three", {"x": 1, "y": 2})
    with refused("no wording", field="prompt", hint="--wording"):
        report([one, three], tmp_path / "page.html", draws=DRAWS)


def test_what_is_common_is_so_under_every_wording(tmp_path: Path) -> None:
    one = in_wordings(tmp_path / "one", {"a": 1, "b": 4})
    two = write_run(tmp_path / "two", "two", {"en": 0.5, "vi": 0.5}, items=4)
    made = report([one, two], tmp_path / "page.html", common=True, draws=DRAWS)
    spread = made.wordings["one"].spread["accuracy"]
    assert (spread.low, spread.high) == (0.25, 1)
    assert made.summary.results.excluded == {
        "not_asked_of_all_runs:en": 4,
        "not_asked_of_all_runs:vi": 4,
    }


def test_questions_have_the_answers_under_each_wording_that_all_runs_have(tmp_path: Path) -> None:
    one = in_wordings(tmp_path / "one", {"a": 1, "b": 2, "c": 3})
    two = in_wordings(tmp_path / "two", {"c": 0, "b": 8})
    alone = write_run(tmp_path / "alone", "alone", {"en": 0.5, "vi": 0.5}, items=8)
    data = explorer_of(report([one, two, alone], tmp_path / "page.html", draws=DRAWS).page)
    assert data["wordings"] == ["b", "c"]
    golds = [item["gold"] for item in data["items"]]

    def right(wording: int, arm: int) -> int:
        answers = [said["answers"][arm][0] for said in data["said"][wording]]
        return sum(answer == gold for answer, gold in zip(answers, golds, strict=True))

    assert [[right(wording, arm) for arm in (0, 1)] for wording in (0, 1)] == [[2, 8], [3, 0]]
    # The run with one wording stays as it is.
    assert right(0, 2) == right(1, 2)


@pytest.mark.parametrize("wording", ["b", None])
def test_a_run_with_one_wording_needs_no_choice(tmp_path: Path, wording: str | None) -> None:
    from crossin.logs.options import LogOptions

    run = in_wordings(tmp_path / "one", {"b": 2})
    [arm] = with_wording(find_arms(run, LogOptions()), wording)
    assert (arm.answers.prompt, arm.wordings) == ("b", ())
