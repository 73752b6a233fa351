"""Languages beside the pivot, pairs of languages, and what becomes of a question, counted by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow
import pytest
from pyarrow.parquet import read_table

from crossin.core.files import write_parquet
from crossin.reports import summary as summaries
from crossin.reports.cells import short
from crossin.reports.plots import report_plots
from crossin.reports.results import load
from crossin.reports.summary import Summary, summarize, to_json
from crossin.reports.why import languages_worst_first, why_html
from tests.helpers.report_data import HOSTILE, IDS, QUESTIONS, three_arms, write_run

DRAWS = 300


def run_of(folder: Path, answers: Mapping[str, Sequence[int]]) -> Path:
    """A run whose answers are so many options after the right one, by language: 0 is right."""
    write_run(folder, folder.name, dict.fromkeys(answers, 0.5), items=len(next(iter(answers.values()))))
    rows = read_table(folder / "answers.parquet").to_pylist()
    for row in rows:
        number = int(row["item"].split(":")[1])
        row["answer"] = IDS[(IDS.index(row["gold"]) + answers[row["language"]][number]) % 4]
    write_parquet(folder / "answers.parquet", pyarrow.Table.from_pylist(rows))
    return folder


# Thai keeps two of the four that English has right, and gains one of the four that it has wrong.
EIGHT = {"en": [0, 0, 0, 0, 1, 1, 1, 1], "vi": [0, 0, 0, 0, 1, 1, 1, 1], "th": [0, 0, 1, 1, 0, 1, 1, 2]}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    folder = run_of(tmp_path_factory.mktemp("alone") / "one", EIGHT)
    return summarize(load({"one": folder}), draws=DRAWS)


@pytest.fixture(scope="module")
def arms(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    runs = three_arms(tmp_path_factory.mktemp("arms"), ["en", "zh", "vi", "es", "th"], items=60, missing=0.1)
    return summarize(load(runs, "English only"), draws=DRAWS)


def rows_of(html: str, name: str) -> dict[str, str]:
    """The cells of the table in the box `name`, by the text of the row's heading."""
    table = html.split(f'aria-label="{name}">')[1].split("</table>")[0]
    found = re.findall(r'<tr[^>]*><th scope="row">(.*?)</th>(.*?)</tr>', table)
    return {re.sub("<[^>]*>", "", head): cells for head, cells in found}


def numbers(cells: str) -> list[str]:
    return re.findall("<b>(.*?)</b>", cells)


def test_each_language_stands_beside_the_pivot_the_worst_first(alone: Summary) -> None:
    assert languages_worst_first(alone) == ["en", "th", "vi"]
    rows = rows_of(why_html(alone), "Language by language")
    assert list(rows) == ["English · en", "Thai · th", "Vietnamese · vi"]
    # Accuracy, kept, gained, transfer (3/8 − 1/4) / (1/2 − 1/4), and the same answer as in English.
    assert numbers(rows["Thai · th"]) == [".38", ".50", ".25", ".50", ".50"]
    assert numbers(rows["Vietnamese · vi"]) == [".50", "1.00", ".00", "1.00", "1.00"]
    assert "Thai is worst, with 38% right. Of what is right in English, 50%" in why_html(alone)


def test_transfer_is_shown_only_where_the_pivot_is_better_than_guessing(
    alone: Summary, tmp_path: Path
) -> None:
    guessing = run_of(tmp_path / "guessing", {**EIGHT, "en": [0, 0, 0, 1, 1, 1, 1, 1]})
    made = summarize(load({"one": guessing}), draws=DRAWS)
    assert made.by_arm["one"]["accuracy/en"].low <= 0.25 < made.by_arm["one"]["accuracy/en"].value
    assert "transfer" not in why_html(made)
    assert alone.by_arm["one"]["accuracy/en"].low > 0.25
    assert "transfer" in why_html(alone)


def test_every_difference_to_the_baseline_has_the_mark_that_the_summary_gives_it(arms: Summary) -> None:
    pair = ("CrossIn", "English only")
    assert arms.main_pair == pair
    rows = rows_of(why_html(arms), "Language by language")
    marked = set()
    for label, cells in rows.items():
        code = label.split(" · ")[1]
        for figure, cell in zip(
            ("accuracy", "kept", "gained", "transfer", "pivot"), cells.split("<td")[1:], strict=True
        ):
            assert bool(re.search("[▲▼]", cell)) == arms.is_significant(pair, f"{figure}/{code}")
            marked |= {figure} if arms.is_significant(pair, f"{figure}/{code}") else set()
    assert "accuracy" in marked and len(marked) > 1


def test_marks_beside_the_pivot_are_corrected_over_the_languages_of_a_figure(arms: Summary) -> None:
    pair = ("CrossIn", "English only")
    alone, corrected = arms.p_values(pair), arms.corrected(pair)
    kept = sorted(alone[f"kept/{code}"] for code in ("zh", "vi", "es", "th"))
    assert min(corrected[f"kept/{code}"] for code in ("zh", "vi", "es", "th")) == min(1, 4 * kept[0])
    [found] = [one for one in to_json(arms)["differences"] if (one["arm"], one["to"]) == pair]
    assert {"kept/zh", "kappa/en+zh", "outcome/same_wrong"} <= found["corrected"].keys()


def test_a_sentence_says_what_the_pivot_gained_or_lost(tmp_path: Path) -> None:
    wrong, right = [1] * 24, [0] * 24
    runs = {
        "old": run_of(tmp_path / "old", {"en": right, "zh": wrong}),
        "new": run_of(tmp_path / "new", {"en": wrong, "zh": right}),
    }
    said = why_html(summarize(load(runs), draws=DRAWS))
    assert "In English, with which the others are compared, new answers 0% right" in said
    assert "against old it has lost (−100 points" in said
    turned = why_html(summarize(load(dict(reversed(runs.items()))), draws=DRAWS))
    assert "against new it has gained (+100 points" in turned
    same = why_html(summarize(load({"old": runs["old"], "twin": runs["old"]}), draws=DRAWS))
    assert "against old it has not clearly changed (0 points" in same


def test_a_heat_map_has_each_pair_twice_and_kappa_open(alone: Summary) -> None:
    html = why_html(alone)
    assert re.findall("<details[^>]*open><summary>(.*?)<", html) == ["Kappa"]
    assert re.findall("<summary>(.*?)<", html) == ["Kappa", "Agreement", "Right", "Wrong"]
    for kind in ("kappa", "agreement", "right", "wrong"):
        rows = rows_of(html, f"{kind.capitalize()}: one")
        shown = {code: re.findall("<td[^>]*>(.*?)</td>", cells) for code, cells in rows.items()}
        value = {key: short(one.value) for key, one in alone.by_arm["one"].items()}
        assert shown["en"] == ["", value[f"{kind}/en+vi"], value[f"{kind}/en+th"]]
        assert shown["th"] == [value[f"{kind}/en+th"], value[f"{kind}/vi+th"], ""]
    # English and Thai: the same answer to items 0, 1, 5 and 6 of 8, of which two are right.
    assert [alone.by_arm["one"][f"{kind}/en+th"].value for kind in ("agreement", "right", "wrong")] == [
        4 / 8,
        2 / 8,
        2 / 8,
    ]


def test_only_the_main_pair_has_figures_of_every_two_languages(arms: Summary) -> None:
    assert {name for name, figures in arms.by_arm.items() if "kappa/en+zh" in figures} == {
        "CrossIn",
        "English only",
    }
    assert [pair for pair, figures in arms.by_pair.items() if "kappa/en+zh" in figures] == [arms.main_pair]
    assert "Kappa: CrossIn − English only" in why_html(arms)


def test_with_many_languages_there_is_no_heat_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "_MOST_PAIRED", 2)
    made = summarize(load({"one": run_of(tmp_path / "one", EIGHT)}), draws=DRAWS)
    assert "Which languages agree" not in why_html(made)
    assert "Language by language" in why_html(made)


def test_what_becomes_of_a_question_is_counted(alone: Summary, arms: Summary) -> None:
    rows = rows_of(why_html(alone), "What becomes of a question")
    counts = {name: re.findall('class="count">(.*?)<', cells) for name, cells in rows.items()}
    # Items 0 and 1; 2, 3 and 4; 5 and 6; 7.
    assert counts == {
        "right in all languages": ["2"],
        "right in some": ["3"],
        "the same wrong answer in all": ["2"],
        "different wrong answers": ["1"],
    }
    assert numbers(rows["right in some"]) == [".38"]
    widths = re.findall("width:(.*?)%", why_html(alone))
    assert list(map(float, widths)) == [25, 37.5, 25, 12.5]
    assert len(numbers(rows_of(why_html(arms), "What becomes of a question")["right in some"])) == 4


def test_consistency_is_plotted_with_what_chance_gives(arms: Summary) -> None:
    [plot] = [one for one in report_plots(arms) if one.name == "by-size-consistency"]
    by_chance = plot.series[-1]
    assert (by_chance.name, by_chance.kind) == ("CrossIn by chance", "line")
    expected = [arms.by_arm["CrossIn"][f"expected_{s}"].value for s in range(2, 6)]
    assert [point.y for point in by_chance.points] == pytest.approx(expected, abs=1e-6)


def test_many_languages_have_a_plot_of_how_many_are_right(alone: Summary, arms: Summary) -> None:
    [plot] = [one for one in report_plots(arms) if one.name == "right-in"]
    assert sum(float(point.y) for point in plot.series[0].points) == pytest.approx(1, abs=1e-4)
    assert "right-in" not in [one.name for one in report_plots(alone)]


def test_one_language_has_no_section(tmp_path: Path) -> None:
    one = {"one": run_of(tmp_path / "one", {"en": [0, 1, 0, 1]})}
    made = summarize(load(one), draws=DRAWS)
    assert why_html(made) == ""
    assert to_json(made)["pivot"] is None


def test_names_of_runs_are_only_ever_text(tmp_path: Path) -> None:
    codes = list(QUESTIONS)[:3]
    runs = {
        name: write_run(tmp_path / str(place), "arm", dict.fromkeys(codes, 0.5))
        for place, name in enumerate((HOSTILE, f"{HOSTILE} too"))
    }
    html = why_html(summarize(load(runs), draws=DRAWS))
    assert "<img" not in html and "<script" not in html and "&lt;img" in html
