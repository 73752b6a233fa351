"""The table, the Markdown, the JSON and the sentences say what the answers say."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pyarrow
import pytest
from pyarrow.parquet import read_table as read_parquet
from rich.console import Console

from crossin.charts.standalone import packed_json
from crossin.core.files import write_json, write_parquet
from crossin.metrics.bootstrap import Figure
from crossin.metrics.significance import holm
from crossin.reports.make import report
from crossin.reports.page import page_html
from crossin.reports.plots import report_plots
from crossin.reports.results import load
from crossin.reports.sentences import headline, points
from crossin.reports.summary import Summary, summarize, to_json
from crossin.reports.table import as_rich, grid, markdown
from tests.helpers.errors import refused
from tests.helpers.pages import explorer_of, unpacked
from tests.helpers.report_data import HOSTILE, QUESTIONS, three_arms, write_run

DRAWS = 200


def summary_of(runs: dict[str, Path], baseline: str | None = None) -> Summary:
    return summarize(load(runs, baseline), draws=DRAWS)


def printed(summary: Summary, width: int = 120) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(as_rich(summary, width=width))
    return console.export_text()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return three_arms(tmp_path_factory.mktemp("runs"), ["en", "zh", "vi", "es"], items=60)


@pytest.fixture(scope="module")
def summary(runs: dict[str, Path]) -> Summary:
    return summary_of(runs, "English only")


def test_the_table_has_a_row_a_figure_and_fits_a_terminal(runs: dict[str, Path], summary: Summary) -> None:
    text = printed(summary)
    for row in ("accuracy en", "accuracy, mean", "consistency_2", "consistency_4", "kappa_2", "AC3_4"):
        assert row in text
    assert max(map(len, text.splitlines())) <= 120
    assert "CrossIn − English only" in text and "CrossIn − base model" in text
    assert "…" not in text
    assert len(as_rich(summarize(load(runs, "English only"), draws=DRAWS)).columns) == 6


def test_values_are_shares_of_right_answers(runs: dict[str, Path], summary: Summary) -> None:
    cells = load(runs).run("CrossIn").cells.values()
    right = [cell["answer"] == cell["gold"] for cell in cells if cell["language"] == "zh"]
    assert summary.by_arm["CrossIn"]["accuracy/zh"].value == pytest.approx(sum(right) / len(right))


def test_markdown_has_the_same_rows_and_columns(summary: Summary) -> None:
    lines = [line for line in markdown(summary).splitlines() if line.startswith("|")]
    assert lines[0].startswith("| figure | base model | English only | CrossIn | CrossIn − English only")
    assert {line.count("|") for line in lines} == {7}
    assert len(lines) == 2 + len(summary.rows)
    assert "▲" in "".join(lines)


def test_one_arm_in_one_language(tmp_path: Path) -> None:
    one = {"alone": write_run(tmp_path / "alone", "alone", {"en": 0.6})}
    made = report(one, tmp_path / "page.html", draws=DRAWS)
    figures = json.loads(made.figures.read_text())
    assert figures["differences"] == []
    assert not any(key.startswith("consistency") for key in figures["arms"][0]["figures"])
    assert "alone answers" in figures["result"][0]
    assert "accuracy en" in printed(made.summary)


def test_a_question_that_lacks_a_language_is_left_out_and_counted(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "one", "one", {"en": 0.6, "vi": 0.4})
    answers = read_parquet(folder / "answers.parquet")
    write_parquet(folder / "answers.parquet", answers.slice(0, len(answers) - 1))
    made = report({"one": folder}, tmp_path / "page.html", draws=DRAWS)
    assert json.loads(made.figures.read_text())["incomplete"] == {"capital:023": "vi"}
    assert "1 question not asked in every language left out." in " ".join(printed(made.summary).split())


def test_many_arms_and_languages_stay_readable(tmp_path: Path) -> None:
    codes = list(QUESTIONS)
    many = {
        f"arm {number}": write_run(
            tmp_path / str(number), f"arm {number}", dict.fromkeys(codes, 0.5), items=12
        )
        for number in range(7)
    }
    summary = summary_of(many)
    assert [row for row in summary.rows if row.startswith("consistency")] == [
        "consistency_2",
        "consistency_15",
    ]
    assert set(summary.by_arm["arm 0"]) >= {f"consistency_{s}" for s in range(2, 16)}
    text = printed(summary)
    assert max(map(len, text.splitlines())) <= 120
    assert len(summary.results.main_pairs) == 6


def test_json_holds_every_figure_with_its_interval(runs: dict[str, Path], tmp_path: Path) -> None:
    made = report(runs, tmp_path / "page.html", baseline="English only", draws=DRAWS)
    figures = json.loads(made.figures.read_text(encoding="utf-8"))
    assert [arm["name"] for arm in figures["arms"]] == ["base model", "English only", "CrossIn"]
    assert set(figures["arms"][0]["accuracy_by_task"]) == {"capital", "currency"}
    pairs = [(pair["arm"], pair["to"]) for pair in figures["differences"]]
    assert pairs == [("base model", "English only"), ("CrossIn", "English only"), ("CrossIn", "base model")]
    for arm in figures["arms"]:
        for figure in arm["figures"].values():
            assert figure["low"] <= figure["value"] <= figure["high"]
    assert all(0 <= test["p"] <= test["holm"] <= 1 for test in figures["differences"][1]["mcnemar"].values())
    gain = figures["differences"][1]["figures"]["accuracy"]["value"]
    ours, control = (figures["arms"][place]["figures"]["accuracy"]["value"] for place in (2, 1))
    assert gain == pytest.approx(ours - control, abs=2e-6)


def test_same_results_give_the_same_bytes(runs: dict[str, Path], tmp_path: Path) -> None:
    first = report(runs, tmp_path / "a" / "page.html", draws=DRAWS)
    as_text = {name: str(folder) for name, folder in runs.items()}
    second = report(as_text, str(tmp_path / "b" / "page.html"), draws=DRAWS)
    assert first.page.read_bytes() == second.page.read_bytes()
    assert first.figures.read_bytes() == second.figures.read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["page.html", "page.json"]


def test_headline_says_what_cannot_be_told(tmp_path: Path) -> None:
    skill = {"en": 0.6, "zh": 0.4}
    same = {name: write_run(tmp_path / name, "same", skill) for name in ("control", "twin")}
    said = " ".join(headline(summary_of(same)))
    assert "twin answers" in said and "The interval includes 0" in said
    assert "No single language shows" in said and "does not clearly change" in said


def test_headline_says_when_it_is_worse(runs: dict[str, Path]) -> None:
    turned = {name: runs[name] for name in ("CrossIn", "base model")}
    said = headline(summary_of(turned))
    assert said[0].startswith("base model answers") and "−" in said[0]
    assert any("worse than CrossIn in" in sentence for sentence in said)
    assert any("not shown to be better than guessing" in sentence for sentence in said)


def marked_cells(summary: Summary) -> list[str]:
    rows = [line for line in markdown(summary).splitlines() if line.startswith("|")]
    return [cell for row in rows for cell in row.split("|") if {"▲", "▼"} & set(cell)]


def test_no_interval_in_the_table_that_touches_zero_carries_a_mark(summary: Summary) -> None:
    assert marked_cells(summary)
    assert not [cell for cell in marked_cells(summary) if "[.00" in cell or ".00]" in cell]
    # Just above 0, as an interval over many questions may be.
    nearly = Figure(0.03, 1e-5, 0.06)
    by_pair = {pair: dict.fromkeys(figures, nearly) for pair, figures in summary.by_pair.items()}
    touching = replace(summary, by_pair=by_pair)
    assert "[.00 +.06]" in markdown(touching)
    assert marked_cells(touching) == []


# Items of different groups.
APART = [number for number in range(60) if number % 8 < 4]


def run_with(folder: Path, right: dict[str, list[int]], items: int) -> Path:
    """A run that is right on these items of each language."""
    write_run(folder, folder.name, dict.fromkeys(right, 0.5), items=items)
    rows = read_parquet(folder / "answers.parquet").to_pylist()
    for row in rows:
        number = int(row["item"].split(":")[1])
        wrong = next(option for option in row["option_ids"] if option != row["gold"])
        row["answer"] = row["gold"] if number in right[row["language"]] else wrong
    write_parquet(folder / "answers.parquet", pyarrow.Table.from_pylist(rows))
    return folder


@pytest.fixture(scope="module")
def three_languages(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """Two runs; of the items that differ, ours has 8 of 9 in en and zh, and 10 of 10 in vi."""
    folder = tmp_path_factory.mktemp("three")
    ours = {"en": APART[:8], "zh": APART[4:12], "vi": APART[10:20]}
    theirs = {"en": APART[20:21], "zh": APART[21:22], "vi": []}
    runs = {name: run_with(folder / name, right, 60) for name, right in (("old", theirs), ("new", ours))}
    return summarize(load(runs), draws=2000)


def test_a_language_is_marked_after_holms_correction_over_the_languages(three_languages: Summary) -> None:
    # McNemar: 2 (1 + 9) / 512 = 0.039 in en and zh, times 2; 2 / 1024 = 0.002 in vi, times 3.
    corrected = three_languages.corrected(("new", "old"))
    expected = {"accuracy/en": 40 / 512, "accuracy/zh": 40 / 512, "accuracy/vi": 6 / 1024}
    assert {key: corrected[key] for key in expected} == pytest.approx(expected)
    differences = three_languages.by_pair["new", "old"]
    assert all(differences[key].low > 0 for key in expected)
    lines = [line for line in markdown(three_languages).splitlines() if line.startswith("| accuracy")]
    assert {line.split("|")[1].strip(): "▲" in line for line in lines} == {
        "accuracy en English": False,
        "accuracy zh Chinese": False,
        "accuracy vi Vietnamese": True,
        "accuracy, mean": True,
    }
    [said] = [line for line in headline(three_languages) if "Language by language" in line]
    assert "in vi (" in said and "en (" not in said and "zh (" not in said


def test_the_marks_of_the_other_figures_are_corrected_for_their_number(three_languages: Summary) -> None:
    pair = ("new", "old")
    alone = {key: three_languages.by_pair[pair][key].p for key in three_languages.rows if "/" not in key}
    assert three_languages.corrected(pair).items() >= holm(alone).items()


def test_table_sentences_plot_and_json_agree_on_what_is_significant(
    summary: Summary, three_languages: Summary, tmp_path: Path
) -> None:
    for one in (summary, three_languages):
        shape = grid(one, one.results.pairs)
        for place, pair in enumerate(one.results.pairs):
            cells = {key: row[shape.runs + place] for key, (_, row) in zip(one.rows, shape.rows, strict=True)}
            marked = {key for key, cell in cells.items() if cell.mark}
            assert marked == {key for key in one.rows if one.is_significant(pair, key)}
            difference = next(
                one_ for one_ in to_json(one)["differences"] if (one_["arm"], one_["to"]) == pair
            )
            for key in marked:
                assert difference["corrected"][key] <= 0.05
                assert difference["figures"][key]["low"] * difference["figures"][key]["high"] > 0
            for language, test in difference["mcnemar"].items():
                assert difference["corrected"][f"accuracy/{language}"] == test["holm"]
        [forest] = [plot for plot in report_plots(one) if plot.name == "differences"]
        assert ("x", 0.0) in forest.rules
        for series, pair in zip(forest.series, one.results.pairs, strict=True):
            keys = [key for key in one.rows if key not in ("wrong_2", "missing")]
            filled = [point.filled for point in series.points]
            assert filled == [one.is_significant(pair, key) for key in keys]


def test_what_the_correction_leaves_open_is_not_said_to_include_0(three_languages: Summary) -> None:
    pair = ("new", "old")
    figures = three_languages.by_pair[pair]
    # By itself significant, but not among ten figures.
    weak = replace(figures["accuracy"], p=0.04)
    tests = {language: replace(one, p=0.04) for language, one in three_languages.tests[pair].items()}
    unsure = replace(
        three_languages,
        by_pair={pair: {**dict.fromkeys(figures, weak)}},
        tests={pair: tests},
    )
    assert marked_cells(unsure) == []
    said = headline(unsure)
    assert "Corrected for the number of figures" in said[0] and "includes 0" not in said[0]
    assert any("No single language shows" in line for line in said)
    assert any("does not clearly change" in line for line in said)


def test_with_one_language_sentence_and_table_agree(tmp_path: Path) -> None:
    # McNemar's p is 2 / 32, although the interval excludes 0.
    runs = {
        name: run_with(tmp_path / name, {"en": right}, 24)
        for name, right in (("old", []), ("new", APART[:5]))
    }
    one = summarize(load(runs), draws=500)
    assert one.by_pair["new", "old"]["accuracy"].low > 0
    assert marked_cells(one) == []
    assert "do not show which is better" in headline(one)[0]


def test_the_caption_and_the_page_say_how_marks_are_corrected(summary: Summary, tmp_path: Path) -> None:
    page = page_html(summary, title="t")
    for text in (printed(summary), markdown(summary), page):
        flat = " ".join(text.split())
        assert "after Holm's correction" in unescape(flat)
        assert "Intervals are not corrected" in unescape(flat)


def test_points_never_hide_a_small_difference() -> None:
    assert points(Figure(0.08, 0.05, 0.11)) == "+8 points [+5, +11]"
    assert points(Figure(0.011, -0.002, 0.024)) == "+1 point [−0.2, +2]"
    assert points(Figure(0.0, 0.0, 0.0)) == "0 points [0, 0]"


def test_a_sentence_calls_no_change_clear_whose_interval_it_shows_to_touch_zero(summary: Summary) -> None:
    pair = ("CrossIn", "English only")
    for low, clear in ((0.004, True), (0.0002, False)):
        change = Figure(0.03, low, 0.06)
        figures = dict.fromkeys(summary.by_pair[pair], change)
        said = headline(replace(summary, by_pair={**summary.by_pair, pair: figures}))
        assert ("includes 0" not in said[0]) == clear
        assert ("[0, +6]" not in said[0]) == clear
        assert any("two languages rises" in sentence for sentence in said) == clear


def test_data_cannot_leave_its_element(tmp_path: Path) -> None:
    assert not re.search(r"[<\s\0]", packed_json([HOSTILE, "</script>", "\u2028", "<!--", *range(10_000)]))
    assert unpacked(packed_json([HOSTILE, "\ud800"])) == [HOSTILE, "\ud800"]
    one = {HOSTILE: write_run(tmp_path / "run", "arm", {"en": 0.6, "zh": 0.5}, stray=HOSTILE)}
    made = report(one, tmp_path / "page.html", title=HOSTILE, notes=[(HOSTILE, [HOSTILE])], draws=DRAWS)
    page = made.page.read_text(encoding="utf-8")
    assert "<img" not in page
    assert explorer_of(made.page)["items"][0]["texts"][0][0].endswith(HOSTILE)


def test_explorer_data_is_what_was_answered(runs: dict[str, Path], tmp_path: Path) -> None:
    data = explorer_of(report(runs, tmp_path / "page.html", draws=DRAWS).page)
    cells = load(runs).run("base model").cells
    for item in data["items"][:10]:
        assert item["group"].startswith(item["ids"][item["gold"]])
        for place, language in enumerate(data["languages"]):
            answer = item["answers"][0][place]
            assert item["ids"][answer] == cells[item["id"], language["code"]]["answer"]


def test_the_page_asks_the_network_for_nothing(runs: dict[str, Path], tmp_path: Path) -> None:
    page = report(runs, tmp_path / "page.html", draws=DRAWS).page.read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "http://" not in page and "https://" not in page
    # The packed data may hold any characters but "<".
    assert "{{" not in re.sub('id="item-data">[^<]*', "", page)


def test_a_page_of_300_questions_in_15_languages_is_small(tmp_path: Path) -> None:
    big = three_arms(tmp_path, list(QUESTIONS), items=300)
    made = report(big, tmp_path / "page.html", draws=DRAWS)
    assert made.page.stat().st_size < 3_000_000


def test_errors_say_what_to_do(runs: dict[str, Path], tmp_path: Path) -> None:
    with refused("nobody", hint="English only"):
        load(runs, "nobody")
    with refused("not found", file="gone"):
        load({"gone": tmp_path / "gone"})
    unfinished = write_run(tmp_path / "unfinished", "unfinished", {"en": 0.5})
    (unfinished / "manifest.json").rename(unfinished / "stage.json")
    with refused("manifest.json", file="unfinished", hint="finish the evaluation"):
        load({"unfinished": unfinished})
    fewer = write_run(tmp_path / "fewer", "fewer", dict.fromkeys(["en", "zh", "vi", "es"], 0.5), items=8)
    with refused("different questions", file="fewer"):
        load({**runs, "fewer": fewer})
    with refused(".html", file="page.json"):
        report(runs, tmp_path / "page.json")
    with refused("no run"):
        load({})


def test_without_vl_convert_the_error_names_the_extra(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with refused("vl-convert", hint="crossin[report]"):
        report(runs, tmp_path / "page.html", draws=DRAWS)
    assert not (tmp_path / "page.html").exists() and not (tmp_path / "page.json").exists()


@pytest.mark.parametrize("name", ["page.html", "figures.html", "manifest.html"])
def test_no_page_takes_the_place_of_a_finished_runs_output(
    runs: dict[str, Path], tmp_path: Path, name: str
) -> None:
    write_json(tmp_path / "manifest.json", {"outputs": {"page.html": "0", "figures.json": "0"}})
    with refused("belongs to a finished run", str(tmp_path), hint="--out"):
        report(runs, tmp_path / name, draws=DRAWS)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    assert report(runs, tmp_path / "other.html", draws=DRAWS).page.exists()
