"""The page's table: by figure or by arm, with languages by name, definitions and p-values."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import pytest

from crossin import experiments, reports
from crossin.reports.definitions import DEFINITIONS, figure_of
from crossin.reports.figures_html import figures_table
from crossin.reports.plots import report_plots
from crossin.reports.results import load
from crossin.reports.summary import TEXT_FIGURES, Summary, summarize
from tests.helpers.report_data import HOSTILE, three_arms, write_run

CODES = ["en", "th", "es"]


def summary_of(runs: dict[str, Path]) -> Summary:
    return summarize(load(runs), draws=100)


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return summary_of(three_arms(tmp_path_factory.mktemp("runs"), CODES, items=40))


def many_arms(folder: Path, count: int) -> dict[str, Path]:
    return {
        f"arm {number} {HOSTILE}": write_run(folder / str(number), f"arm {number}", dict.fromkeys(CODES, 0.5))
        for number in range(count)
    }


def tables_in(html: str) -> list[list[list[str]]]:
    """The texts of the cells, by row and table."""
    return [
        [
            [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in re.findall("<t[hd].*?</t[hd]>", row)]
            for row in re.findall("<tr.*?</tr>", table)
        ]
        for table in re.findall("<table.*?</table>", html)
    ]


def test_of_up_to_four_arms_a_row_is_a_figure_in_a_language(summary: Summary) -> None:
    rows = tables_in(figures_table(summary))[0]
    assert rows[0][:4] == ["figure", "base model", "English only", "CrossIn"]
    assert [row[0] for row in rows[1:6]] == ["accuracy", "English · en", "Thai · th", "Spanish · es", "mean"]
    assert rows[6][0] == "consistency_2"


def test_of_more_arms_a_row_is_an_arm_and_then_a_difference(tmp_path: Path) -> None:
    summary = summary_of(many_arms(tmp_path, 5))
    html = figures_table(summary)
    rows = tables_in(html)[0]
    assert rows[0][:5] == [
        "arm",
        "accuracy English · en",
        "accuracy Thai · th",
        "accuracy Spanish · es",
        "accuracy mean",
    ]
    pairs = [f"{arm} − {other}" for arm, other in summary.results.pairs]
    assert [row[0] for row in rows[1:]] == [escape(name) for name in [*summary.by_arm, *pairs]]
    assert HOSTILE not in html


def test_every_figure_has_a_definition_that_its_rows_point_at(summary: Summary) -> None:
    assert {figure_of(key) for key in (*summary.rows, *TEXT_FIGURES, "missing", "answered")} == set(
        DEFINITIONS
    )
    html = figures_table(summary)
    pointed = set(re.findall('aria-describedby="(.*?)"', html))
    assert pointed == set(re.findall('<dd id="(.*?)"', html))
    assert {f"about-{figure_of(key)}" for key in summary.rows} == pointed


def test_kappa_is_consistency_corrected_for_chance_and_no_plain_difference(summary: Summary) -> None:
    [plot] = [plot for plot in report_plots(summary) if plot.name == "by-size-kappa"]
    pages = [Path(module.__file__ or "").with_name("page.html") for module in (reports, experiments)]
    for text in (DEFINITIONS["kappa"], plot.text):
        assert "(observed − chance) / (1 − chance)" in text
    for text in [plot.text, *(page.read_text(encoding="utf-8") for page in pages)]:
        assert "less what chance" not in text and "less the agreement" not in text


def test_a_difference_shows_its_p_value_corrected_and_alone(summary: Summary) -> None:
    pair = ("CrossIn", "base model")
    shown = summary.corrected(pair)["accuracy/th"], summary.p_values(pair)["accuracy/th"]
    corrected, alone = ("<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0") for p in shown)
    html = figures_table(summary)
    figures, tests = tables_in(html)
    assert tests[0] == ["figure", "English only − base model", "CrossIn − base model"]
    [row] = [row for row in tests if row[0] == "Thai · th"]
    assert row[2] == escape(f"{corrected} ({alone} alone)")
    assert escape(f'title="p {corrected} ({alone} alone)"', quote=False) in html
    assert len(figures) == len(tests)


def test_one_run_has_no_p_values(tmp_path: Path) -> None:
    html = figures_table(summary_of({"one": write_run(tmp_path / "one", "one", {"en": 0.5})}))
    assert len(tables_in(html)) == 1 and "p-values" not in html
