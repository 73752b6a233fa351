"""Shares of answers by place and for the shortest option, next to those of the right answers."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow
import pytest
from pyarrow.parquet import read_table

from crossin.core.files import write_parquet
from crossin.reports.preference import corrected_excess, preference_html, traits_of
from crossin.reports.results import load
from crossin.reports.summary import Summary, summarize
from tests.helpers.report_data import HOSTILE, IDS, write_run

DRAWS = 300


def listed_run(folder: Path, answers: dict[str, str]) -> Path:
    """A run that was shown a list in the order of IDS; in a language it answers always the same option, or
    the right one where there is none.
    """
    write_run(folder, folder.name, dict.fromkeys(answers, 0.5), items=32)
    rows = read_table(folder / "answers.parquet").to_pylist()
    for row in rows:
        row["answer"], row["shown"] = answers[row["language"]] or row["gold"], IDS
    write_parquet(folder / "answers.parquet", pyarrow.Table.from_pylist(rows))
    return folder


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    # Greek: of Αθήνα, Κάιρο, Ανόι and Μόσχα the third, Ανόι, has the fewest bytes (VN).
    folder = listed_run(tmp_path_factory.mktemp("runs") / "one", {"en": "", "th": "GR", "el": "VN"})
    return summarize(load({"one": folder}), draws=DRAWS)


def cells_of(html: str, box: str) -> dict[str, list[str]]:
    """What each row of a table says, by its heading."""
    table = html.split(f'aria-label="{box}">')[1].split("</table>")[0]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', table)
    return {
        head: [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in re.findall("<td.*?</td>", cells)]
        for head, cells in rows
    }


def test_the_share_at_each_place_stands_beside_that_of_the_right_answers(summary: Summary) -> None:
    assert traits_of(summary) == ["shortest", "place_1", "place_2", "place_3", "place_4"]
    rows = cells_of(preference_html(summary, {}), "Places: one")
    assert rows["English · en"] == [".25 (.25)"] * 4
    assert rows["Thai · th"][2] == "1.00 (.25) ▲"
    assert [cell[:9] for cell in rows["Thai · th"]] == [".00 (.25)", ".00 (.25)", "1.00 (.25", ".00 (.25)"]
    # A third of 1/4, 0 and 1 is the mean over the languages.
    assert rows["mean"][0] == ".42 (.25)"


def test_the_shortest_options_are_compared_in_the_same_way(summary: Summary) -> None:
    rows = cells_of(preference_html(summary, {}), "Shortest options")
    assert rows["Greek · el"] == ["1.00 (.25) ▲"]
    # Hanoi and Cairo are the shortest.
    assert rows["English · en"] == [".50 (.50)"]


def test_the_largest_clear_preference_of_each_kind_is_said(summary: Summary) -> None:
    html = preference_html(summary, {})
    assert (
        "In Greek, 100% of one&#x27;s answers are the shortest option, which is right 25% of the time."
        in html
    )
    assert re.search(
        "In (Thai|Greek), 100% of one&#x27;s answers are in place [13], which is right 25%", html
    )


def test_without_a_clear_preference_a_sentence_says_so(tmp_path: Path) -> None:
    made = summarize(load({"one": listed_run(tmp_path / "one", {"en": "", "th": ""})}), draws=DRAWS)
    html = preference_html(made, {})
    assert "one shows no clear preference for short options." in html
    assert "one shows no clear preference for a place in the list." in html
    assert not re.search("[▲▼]", html)


def test_marks_are_corrected_over_the_languages(summary: Summary) -> None:
    figures = summary.by_arm["one"]
    corrected = corrected_excess(figures)
    # Of three languages Thai has p = 0 and English, where nothing differs, p = 1.
    assert corrected["place_3_excess/th"] == 0 and corrected["place_3_excess/en"] == 1
    assert all(key.partition("/")[0].endswith("_excess") for key in corrected)


def test_names_of_runs_are_only_ever_text(tmp_path: Path) -> None:
    folder = listed_run(tmp_path / "one", {"en": "", "th": "GR"})
    html = preference_html(
        summarize(load({HOSTILE: folder, "two": folder, f"{HOSTILE}3": folder}), draws=DRAWS), {}
    )
    assert "<img" not in html and "<script" not in html and "&lt;img" in html
