"""An experiment's tables, curves and page, and what the command line prints of them."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crossin.cli.main import app
from crossin.core.errors import CrossinError
from crossin.experiments.curves import curve_plots, curves_of
from crossin.experiments.index import Arm, Index, read_index, write_index
from crossin.experiments.live import live_rows
from crossin.experiments.page import seed_grids, sentences, write_experiment_page
from crossin.experiments.results import ExperimentResults, computed, write_results
from crossin.experiments.tables import BEST, as_csv, as_latex, as_markdown, grids, terminal_tables
from crossin.reports.figures_html import SORTING
from tests.helpers.experiment_folders import Skill, write_experiment
from tests.helpers.report_data import HOSTILE

DRAWS = 200


def skill(chance: float) -> Skill:
    return lambda _: {"en": chance, "vi": chance}


VOLUMES = {"x2x, volume 0": 0.3, "x2x, volume 500": 0.5, "x2x, volume 1000": 1.2}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An axis with numbers, an arm without a place on it, an arm that failed, and names that are hostile."""
    arms = {"control": skill(0.4), **{name: skill(chance) for name, chance in VOLUMES.items()}}
    arms |= {HOSTILE: skill(0.3), "100% of_it & more": skill(0.3)}
    places = {name: {"volume": name.rpartition(" ")[2]} for name in VOLUMES}
    failed = {"100% of_it & more": {0: f"no memory {HOSTILE}", 1: "no memory", 2: "no memory"}}
    folder = tmp_path_factory.mktemp("experiment")
    axes = {"volume": ["0", "500", "1000"]}
    write_experiment(folder, arms, axes=axes, places=places, failed=failed, items=50)
    (folder / "experiment.yaml").write_text(f"name: rivers  # {HOSTILE}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def results(out: Path) -> ExperimentResults:
    return write_results(out)


def test_a_table_has_a_row_for_every_arm_also_without_results(results: ExperimentResults) -> None:
    first = grids(results)[0]
    assert [name for name, _ in first.rows] == [arm.name for arm in results.index.arms]
    assert {cell.value for cell in first.rows[-1][1]} == {"–"}
    assert first.heads[0] == "accuracy"


def test_the_best_arm_is_marked_in_every_form(results: ExperimentResults) -> None:
    assert as_markdown(results).count(BEST) > 1
    [row] = [line for line in as_markdown(results).splitlines() if line.startswith("| x2x, volume 1000")][:1]
    assert "**" in row
    latex = [line for line in as_latex(results).splitlines() if line.startswith("x2x, volume 1000")]
    assert latex[0].count(r"\textbf") == row.count(BEST)
    cells = next(csv.DictReader(io.StringIO(as_csv(results))))
    assert cells["best"] in ("true", "false")


def test_markdown_has_as_many_cells_in_every_row(results: ExperimentResults) -> None:
    rows = [line for line in as_markdown(results).splitlines() if line.startswith("|")]
    for head, ruler in itertools.pairwise(rows):
        if set(ruler) <= set("|-"):
            assert len(re.findall(r"(?<!\\)\|", head)) == ruler.count("|")


def test_latex_is_escaped(results: ExperimentResults) -> None:
    made = as_latex(results)
    assert r"100\% of\_it \& more & --" in made
    lines = [line for line in made.splitlines() if not line.startswith("%")]
    assert not [line for line in lines if re.search(r"(?<!\\)[%#_]", line)]
    for name in ("toprule", "midrule", "bottomrule", "begin{tabular}", "end{tabular}"):
        assert made.count(f"\\{name}") == len(grids(results))
    for line in lines:
        # A row of a table has as many cells as its head.
        assert line.count(r"\\") <= 1


def test_csv_holds_the_figures_of_the_tables(results: ExperimentResults) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(results))))
    [row] = [
        row
        for row in rows
        if row["arm"] == "x2x, volume 1000"
        and row["figure"] == "accuracy"
        and not row["language"]
        and row["choice"] == "sum"
    ]
    [value] = [
        one["value"]
        for one in results.rows
        if one["arm"] == "x2x, volume 1000"
        and one["figure"] == "accuracy"
        and one["main"]
        and one["seed"] is None
        and one["language"] is None
        and one["less"] is None
    ]
    assert float(row["value"]) == value
    assert row["less"] == "control"
    assert float(row["difference_low"]) > 0


def test_the_caption_says_what_the_marks_mean(results: ExperimentResults) -> None:
    text = as_markdown(results)
    assert "better than every other" in text
    assert "depends on the choice" in text
    assert "failed: no memory" in text


def test_a_terminal_shows_figures_and_differences(results: ExperimentResults) -> None:
    titles = [str(table.title) for table in terminal_tables(results)]
    assert titles == ["facts", "facts, difference to control"]
    assert len(terminal_tables(results, details=True)) == len(grids(results))


def test_a_curve_has_a_line_for_each_arm_and_the_baseline_beside(results: ExperimentResults) -> None:
    found = {curve.name: curve for curve in curves_of(results)}
    curve = found["accuracy"]
    assert curve.values == [0.0, 500.0, 1000.0]
    assert list(curve.lines) == ["x2x"]
    values = [figure.value for figure in curve.lines["x2x"]]
    assert values == sorted(values)
    assert all(figure.low < figure.value < figure.high for figure in curve.lines["x2x"])
    assert curve.baseline is not None
    drawn = curve_plots([curve])[0]
    assert [point.x for point in drawn.series[0].points] == curve.values
    assert len(drawn.rules) == 1


def test_an_axis_of_names_keeps_their_order_and_one_line_for_each_other_place(tmp_path: Path) -> None:
    names = [f"x2x, tag {tag}, n {number}" for tag in ("none", "name") for number in (1, 2)]
    places = {name: {"tag": name.split()[2].rstrip(","), "n": name[-1]} for name in names}
    axes = {"tag": ["none", "name"], "n": ["1", "2"]}
    arms = {name: skill(0.5) for name in names}
    folder = write_experiment(tmp_path, arms, seeds=[0], axes=axes, places=places, items=12)
    found = {curve.axis: curve for curve in curves_of(computed(folder, draws=50)) if curve.name == "accuracy"}
    assert found["tag"].values == ["none", "name"]
    assert list(found["tag"].lines) == ["x2x, n 1", "x2x, n 2"]
    assert list(found["n"].lines) == ["x2x, tag none", "x2x, tag name"]
    # The baseline is on the axis.
    assert found["n"].baseline is None
    assert curve_plots([found["tag"]])[0].x.categories == ("none", "name")


def test_one_language_has_curves_and_tables_of_seeds_too(tmp_path: Path) -> None:
    arms = {name: lambda _: {"en": 0.5} for name in VOLUMES}
    places = {name: {"volume": name.rpartition(" ")[2]} for name in VOLUMES}
    axes = {"volume": ["0", "500", "1000"]}
    folder = write_experiment(tmp_path, arms, seeds=[0], axes=axes, places=places, items=12)
    results = computed(folder, draws=50)
    assert [curve.name for curve in curves_of(results)] == ["accuracy/en"]
    assert len(seed_grids(results)) == 1
    assert "accuracy" in sentences(results)[0]


def test_the_page_is_escaped_and_complete(out: Path, results: ExperimentResults) -> None:
    pytest.importorskip("vl_convert")
    page = write_experiment_page(out)
    html = page.read_text("utf-8")
    assert HOSTILE not in html
    assert "<img src=x" not in html
    for text in ("no memory", "x2x, volume 1000", "name: rivers", "seed 2", "by token", "{{title"):
        assert (text in html) is (text != "{{title")
    assert '<table class="figures sortable' in html
    assert SORTING.read_text("utf-8") in html
    values = json.loads((out / "report.json").read_text("utf-8"))
    assert values["arms"][-1]["failed"]["1"] == "no memory"
    assert values["curves"][0]["axis"] == "volume"
    assert values["result"][0].startswith("x2x, volume 1000 against control on facts")
    before = page.read_bytes()
    write_experiment_page(out)
    assert page.read_bytes() == before


def test_results_that_are_not_written_yet_make_a_page_too(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    out = write_experiment(tmp_path, {"control": skill(0.4), "x2x": skill(0.6)}, seeds=[0], items=12)
    page = write_experiment_page(out, tmp_path / "other.html", title="Rivers", draws=50)
    assert page == tmp_path / "other.html"
    assert "<title>Rivers</title>" in page.read_text("utf-8")
    assert not (out / "results.parquet").exists()


def test_an_experiment_without_any_result_has_a_page(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert")
    index = Index("empty", "control", "en", ("en",), {}, (Arm("control", {}, (), {0: "no memory"}),))
    write_index(tmp_path, index)
    assert write_results(tmp_path).rows == []
    assert "no arm has a result" in write_experiment_page(tmp_path).read_text("utf-8")


def run(*args: Any) -> tuple[int, str]:
    found = CliRunner().invoke(app, list(map(str, args)))
    return found.exit_code, found.stdout + (repr(found.exception) if found.exception else "")


def test_report_makes_the_page_of_an_experiment(out: Path, results: ExperimentResults) -> None:
    pytest.importorskip("vl_convert")
    code, printed = run("report", out)
    assert code == 0, printed
    assert f"Page: {out / 'report.html'}" in printed
    assert "facts, difference to control" in printed
    assert "note: 100% of_it & more, seed 1, failed: no memory" in printed
    code, printed = run("report", out, "--markdown")
    assert as_markdown(results) in printed


def test_report_without_a_place_for_the_page_is_an_error_elsewhere(out: Path) -> None:
    folder = next((out / "stages").iterdir())
    with pytest.raises(CrossinError, match=r"report\.html|page"):
        CliRunner().invoke(app, ["report", str(folder)], standalone_mode=False, catch_exceptions=False)


def test_report_of_an_experiment_takes_no_baseline(out: Path) -> None:
    with pytest.raises(CrossinError) as error:
        CliRunner().invoke(
            app, ["report", str(out), "--baseline", "x"], standalone_mode=False, catch_exceptions=False
        )
    assert error.value.field == "baseline"


def test_score_prints_the_table_of_an_experiment(out: Path, results: ExperimentResults) -> None:
    code, printed = run("score", out)
    assert code == 0, printed
    assert "facts, difference to control" in printed
    code, printed = run("score", out, "--json")
    assert json.loads(printed)["figures"] == results.rows


def test_live_rows_have_what_is_finished(out: Path, results: ExperimentResults) -> None:
    found = live_rows(read_index(out))
    assert found.heads == ["accuracy", "consistency_2", "kappa_2", "AC3_2"]
    rows = dict(found.rows)
    assert rows["100% of_it & more"] == [""] * 4
    [mean] = [
        row["value"]
        for row in results.rows
        if row["arm"] == "control"
        and row["figure"] == "accuracy"
        and row["main"]
        and row["seed"] is None
        and row["language"] is None
    ]
    assert float(rows["control"][0]) == pytest.approx(mean, abs=0.005)
    assert live_rows(read_index(out), ("right_2",)).heads == ["right_2"]


def test_live_rows_of_nothing_are_empty(tmp_path: Path) -> None:
    index = Index("new", "control", "en", ("en",), {}, (Arm("control", {}, (), {}),))
    assert live_rows(index).rows == [("control", [])]
