"""What another rule between options would change, in a case made for it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pytest
from pyarrow.parquet import read_table

from crossin.core.files import read_json, write_json, write_parquet
from crossin.reports import other_choices
from crossin.reports.make import report
from crossin.reports.other_choices import by_choices, changed_marks, own_choice
from crossin.reports.preference import preference_html
from crossin.reports.results import load
from crossin.reports.summary import Summary, summarize
from tests.helpers.report_data import IDS, three_arms, write_run

DRAWS = 300


def scored(folder: Path, right: tuple[float, int], wrong: tuple[float, int]) -> Path:
    """A run that gives every right option, and one wrong one, this log-probability and number of tokens; it
    answers by the sum.
    """
    write_run(folder, folder.name, {"en": 0.5, "zh": 0.5})
    rows = read_table(folder / "answers.parquet").to_pylist()
    for row in rows:
        gold = IDS.index(row["gold"])
        other = (gold + 1) % 4
        row["logprobs"], row["tokens"] = [-90.0] * 4, [1] * 4
        row["logprobs"][gold], row["tokens"][gold] = right
        row["logprobs"][other], row["tokens"][other] = wrong
        row["answer"] = IDS[gold if right[0] > wrong[0] else other]
    write_parquet(folder / "answers.parquet", pyarrow.Table.from_pylist(rows))
    return folder


def pair_of(folder: Path, *, new_wrong: tuple[float, int]) -> Summary:
    runs = {
        # Wrong by the sum; right by token (-7 / 7 is above -4 / 1).
        "old": scored(folder / "old", (-7.0, 7), (-4.0, 1)),
        # Right by the sum.
        "new": scored(folder / "new", (-4.0, 1), new_wrong),
    }
    return summarize(load(runs), draws=DRAWS)


def test_a_mark_may_reverse_by_another_choice(tmp_path: Path) -> None:
    summary = pair_of(tmp_path, new_wrong=(-7.0, 7))
    choices = by_choices(summary, draws=DRAWS)
    assert list(choices) == ["sum", "token", "byte"]
    assert [choices[one].by_pair["new", "old"]["accuracy"].value for one in choices] == [1, -1, 1]
    found = changed_marks(summary, choices)
    assert {one.choice for one in found} == {"token"} and all(one.reverses for one in found)
    assert {"accuracy/en", "accuracy/zh", "accuracy", "right_2", "wrong_2"} <= {one.figure for one in found}
    html = preference_html(summary, choices)
    assert "per token decides, the marks of accuracy in English and Chinese, mean accuracy, " in html
    assert "are reversed." in html and "vanish" not in html


def test_a_mark_may_vanish_by_another_choice(tmp_path: Path) -> None:
    summary = pair_of(tmp_path, new_wrong=(-80.0, 1))
    choices = by_choices(summary, draws=DRAWS)
    found = changed_marks(summary, choices)
    assert {(one.choice, one.reverses) for one in found} == {("token", False)}
    assert "Where the log-probability per token decides, the marks of" in preference_html(summary, choices)
    assert "vanish." in preference_html(summary, choices)


def test_where_every_mark_stays_a_sentence_says_so(tmp_path: Path) -> None:
    right, wrong = (-4.0, 1), (-80.0, 1)
    runs = {"old": scored(tmp_path / "old", wrong, right), "new": scored(tmp_path / "new", right, wrong)}
    summary = summarize(load(runs), draws=DRAWS)
    choices = by_choices(summary, draws=DRAWS)
    assert changed_marks(summary, choices) == []
    assert "Every mark of the main difference stays" in preference_html(summary, choices)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return three_arms(tmp_path_factory.mktemp("arms"), ["en", "zh", "vi"], items=40)


def test_the_choice_of_the_evaluation_gives_the_figures_of_the_page(
    runs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = summarize(load(runs, "English only"), draws=DRAWS)
    assert own_choice(summary) == "sum"
    assert by_choices(summary, draws=DRAWS)["sum"] is summary
    monkeypatch.setattr(other_choices, "own_choice", lambda _: "")
    found = by_choices(summary, draws=DRAWS)["sum"]
    assert found.by_arm == summary.by_arm
    pair = ("CrossIn", "English only")
    assert found.by_pair[pair] == summary.by_pair[pair]
    assert found.corrected(pair) == summary.corrected(pair)


def test_runs_that_were_not_scored_have_no_choices(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", "arm", {"en": 0.5, "zh": 0.5})
    rows = read_table(folder / "answers.parquet").drop_columns(["logprobs", "tokens"])
    write_parquet(folder / "answers.parquet", rows)
    summary = summarize(load({"one": folder}), draws=DRAWS)
    assert by_choices(summary, draws=DRAWS) == {}
    assert "By what decides" not in preference_html(summary, {})


def test_runs_that_were_evaluated_by_different_choices_have_none_of_their_own(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "byte", "arm", dict.fromkeys(["en", "zh", "vi"], 0.5), items=40)
    manifest = read_json(folder / "manifest.json")
    manifest["settings"]["choice"] = "byte"
    write_json(folder / "manifest.json", manifest)
    summary = summarize(load({"base": runs["base model"], "byte": folder}), draws=DRAWS)
    assert own_choice(summary) == ""


def test_the_figures_of_each_choice_are_in_the_json(runs: dict[str, Path], tmp_path: Path) -> None:
    made = report(runs, tmp_path / "page.html", baseline="English only", draws=DRAWS)
    figures = json.loads(made.figures.read_text(encoding="utf-8"))
    assert figures["choice"] == "sum" and figures["choices"].keys() == {"sum", "token", "byte"}
    of_sum = figures["choices"]["sum"]
    assert [arm["name"] for arm in of_sum["arms"]] == list(runs)
    assert of_sum["arms"][0]["figures"]["accuracy"] == figures["arms"][0]["figures"]["accuracy"]
    assert (of_sum["difference"]["arm"], of_sum["difference"]["to"]) == ("CrossIn", "English only")
    assert isinstance(figures["changed_marks"], list)
