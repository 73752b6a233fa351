"""The figures of an experiment: over seeds, of each seed, and as differences to the baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from crossin.core.errors import CrossinError
from crossin.experiments.index import read_index, write_index
from crossin.experiments.results import (
    WRITTEN,
    ExperimentResults,
    computed,
    current_results,
    read_results,
    write_results,
)
from crossin.experiments.tables import as_markdown
from crossin.metrics.bootstrap import intervals
from crossin.scoring.comparison import compare
from crossin.scoring.predictions import read_predictions
from tests.helpers.experiment_folders import Skill, write_answers_of, write_experiment

DRAWS = 300


def skill(chance: float, by_seed: float = 0.0) -> Skill:
    """As good in both languages; each seed `by_seed` better than the one before."""
    return lambda seed: {"en": chance + by_seed * seed, "vi": chance + by_seed * seed}


def where(results: ExperimentResults, **wanted: Any) -> list[dict[str, Any]]:
    """The rows with these values."""
    return [row for row in results.rows if all(row[name] == value for name, value in wanted.items())]


def one(results: ExperimentResults, **wanted: Any) -> dict[str, Any]:
    """The only row with these values; if not said, over all tasks and languages, by the main choice."""
    [row] = where(results, **{"task": None, "language": None, "main": True, "less": None, **wanted})
    return row


def folder_of(out: Path, arm: str, seed: int) -> Path:
    arms: Mapping[str, Any] = {one.name: one for one in read_index(out).arms}
    found: Path = next(run.answers["facts"] for run in arms[arm].runs if run.seed == seed)
    return found


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    arms = {"base": skill(0.3), "control": skill(0.5), "x2x": skill(0.9, 0.01)}
    return write_experiment(
        tmp_path_factory.mktemp("experiment"),
        arms,
        baseline="control",
        fixed=["base"],
        tasks=("rivers", "lakes"),
    )


@pytest.fixture(scope="module")
def results(out: Path) -> ExperimentResults:
    return write_results(out, draws=DRAWS)


def test_each_seed_has_the_figures_of_its_own_answers(out: Path, results: ExperimentResults) -> None:
    table = read_predictions(folder_of(out, "x2x", 1))[0].choices
    assert table is not None
    alone = intervals(table, draws=DRAWS)
    for name, language in (("accuracy", None), ("accuracy", "vi"), ("kappa_2", None)):
        row = one(results, arm="x2x", seed=1, figure=name, language=language)
        figure = alone[f"{name}/{language}" if language else name]
        assert [row["value"], row["low"], row["high"]] == pytest.approx(
            [figure.value, figure.low, figure.high], abs=1e-8
        )


def test_an_arm_has_the_mean_over_its_seeds(results: ExperimentResults) -> None:
    of_seeds = [one(results, arm="x2x", seed=seed, figure="accuracy")["value"] for seed in (0, 1, 2)]
    mean = one(results, arm="x2x", seed=None, figure="accuracy")
    assert mean["value"] == pytest.approx(sum(of_seeds) / 3)
    assert mean["low"] < mean["value"] < mean["high"]
    assert mean["seeds"] == 3


def test_tasks_have_figures_and_differences_of_their_own(results: ExperimentResults) -> None:
    for task in ("rivers", "lakes"):
        assert one(results, arm="x2x", seed=None, figure="accuracy", task=task)["value"] is not None
        apart = one(results, arm="x2x", figure="accuracy", task=task, less="control")
        assert apart["p"] is not None
        assert apart["holm"] is None


def test_differences_are_corrected_over_all_arms_and_figures_shown(results: ExperimentResults) -> None:
    shown = where(results, shown=True, main=True, less="control", language=None)
    assert {row["arm"] for row in shown} == {"base", "x2x"}
    least = min(shown, key=lambda row: (row["p"], -row["holm"]))
    assert all(row["holm"] >= row["p"] for row in shown)
    assert least["holm"] == pytest.approx(min(1, len(shown) * least["p"]), abs=1e-8)


def test_one_seed_is_compared_as_crossin_compare_does(tmp_path: Path) -> None:
    arms = {"control": skill(0.5), "x2x": skill(0.7)}
    out = write_experiment(tmp_path, arms, seeds=[4])
    results = write_results(out, draws=DRAWS)
    same = compare(folder_of(out, "x2x", 4), folder_of(out, "control", 4), draws=DRAWS)
    assert same.choices is not None
    for name, language in (("accuracy", None), ("accuracy", "en"), ("right_2", None)):
        row = one(results, arm="x2x", figure=name, language=language, less="control")
        expected = same.choices.difference[f"{name}/{language}" if language else name]
        assert [row["value"], row["low"], row["high"]] == pytest.approx(
            [expected.value, expected.low, expected.high], abs=1e-8
        )
    assert one(results, arm="x2x", figure="accuracy", language="en", less="control")["p"] == pytest.approx(
        same.p["en"], abs=1e-8
    )
    assert any("covers 1 seed only" in note for note in results.notes)


def test_two_seeds_have_a_warning_and_three_have_none(tmp_path: Path) -> None:
    arms = {"base": skill(0.3), "x2x": skill(0.7)}
    for seeds, warned in (([0, 1], True), ([0, 1, 2], False)):
        folder = write_experiment(tmp_path / str(len(seeds)), arms, seeds=seeds, fixed=["base"])
        notes = computed(folder, draws=50).notes
        assert any("covers 2 seeds only" in note for note in notes) is warned
        # No seed changes the base model.
        assert not any("base" in note.partition(":")[0] for note in notes)


def test_the_same_answers_give_the_same_bytes(out: Path, results: ExperimentResults) -> None:
    before = {name: (out / name).read_bytes() for name in WRITTEN}
    write_results(out, draws=DRAWS)
    assert {name: (out / name).read_bytes() for name in WRITTEN} == before


def test_results_are_read_back_with_their_notes(tmp_path: Path) -> None:
    out = write_experiment(tmp_path, {"control": skill(0.5), "x2x": skill(0.7)}, seeds=[0])
    written = write_results(out, draws=50)
    read = read_results(out)
    assert read.rows == written.rows
    assert read.notes == written.notes


def test_results_of_other_runs_are_not_read_but_computed(tmp_path: Path) -> None:
    out = write_experiment(tmp_path, {"control": skill(0.5), "x2x": skill(0.7)}, seeds=[0])
    write_results(out)
    index = read_index(out)
    write_index(out, type(index)(**{**vars(index), "arms": index.arms[:1]}))
    with pytest.raises(CrossinError, match="of other runs"):
        read_results(out)
    assert {row["arm"] for row in current_results(out).rows} == {"control"}


def test_a_frame_has_one_row_for_each_figure(results: ExperimentResults) -> None:
    pandas = pytest.importorskip("pandas")
    frame = results.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    keys = ["arm", "seed", "bench", "prompt", "task", "language", "figure", "choice", "less"]
    assert not frame.duplicated(keys).any()


def test_the_file_holds_neither_times_nor_paths(out: Path, results: ExperimentResults) -> None:
    schema = pyarrow.parquet.read_schema(out / "results.parquet")
    assert set(schema.metadata) == {b"crossin.index", b"crossin.draws", b"crossin.notes"}
    assert str(out) not in json.dumps(results.rows)


def test_an_arm_that_beats_every_other_is_the_best(results: ExperimentResults) -> None:
    best = {row["arm"] for row in where(results, figure="accuracy", language=None, best=True)}
    assert best == {"x2x"}


def test_no_arm_is_the_best_where_the_two_best_cannot_be_told_from_each_other(tmp_path: Path) -> None:
    arms = {"control": skill(0.3), "x2x": skill(0.8), "x2en": skill(0.8)}
    results = computed(write_experiment(tmp_path, arms), draws=DRAWS)
    assert not where(results, best=True, figure="accuracy")
    assert where(results, best=False, figure="accuracy")


def test_seeds_with_questions_of_their_own_are_nested(tmp_path: Path) -> None:
    arms = {"base": skill(0.3), "x2x": skill(0.6)}
    results = computed(write_experiment(tmp_path, arms, own_worlds=True), draws=DRAWS)
    assert any("each seed has questions of its own" in note for note in results.notes)
    apart = one(results, arm="x2x", figure="accuracy", less="base")
    assert apart["seeds"] == 3
    assert apart["low"] > 0


def test_a_failed_seed_is_named_and_the_others_are_compared(tmp_path: Path) -> None:
    failed = {"x2x": {2: "out of memory"}}
    arms = {"control": skill(0.4), "x2x": skill(0.7)}
    results = computed(write_experiment(tmp_path, arms, failed=failed), draws=DRAWS)
    assert any("seed 2, failed: out of memory" in note for note in results.notes)
    assert any("over the seeds of both: 0, 1" in note for note in results.notes)
    apart = one(results, arm="x2x", figure="accuracy", less="control")
    control = [one(results, arm="control", seed=seed, figure="accuracy")["value"] for seed in (0, 1)]
    ours = one(results, arm="x2x", seed=None, figure="accuracy")["value"]
    assert apart["value"] == pytest.approx(ours - sum(control) / 2)


def test_without_the_baseline_there_are_figures_and_no_differences(tmp_path: Path) -> None:
    failed = {"control": {0: "full disk", 1: "full disk"}}
    arms = {"control": skill(0.4), "x2x": skill(0.7)}
    results = computed(write_experiment(tmp_path, arms, seeds=[0, 1], failed=failed), draws=50)
    assert where(results, arm="x2x", figure="accuracy")
    assert not [row for row in results.rows if row["less"]]
    assert any("the baseline 'control' has no result" in note for note in results.notes)


def test_arms_that_were_asked_other_questions_are_not_compared(tmp_path: Path) -> None:
    out = write_experiment(tmp_path, {"control": skill(0.4), "x2x": skill(0.7)}, seeds=[0])
    folder = folder_of(out, "x2x", 0)
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    write_answers_of(folder, {"en": 0.5, "vi": 0.5}, name="x2x", items=12)
    results = computed(out, draws=50)
    assert not [row for row in results.rows if row["less"] or row["best"]]
    assert any("asked other questions" in note for note in results.notes)


def test_free_text_has_its_own_figures_and_no_choice(tmp_path: Path) -> None:
    out = write_experiment(
        tmp_path, {"control": skill(0.4), "x2x": skill(0.8)}, seeds=[0], free=True, items=30
    )
    results = computed(out, draws=50)
    for name in ("exact_match", "containment", "f1", "chrf", "fidelity", "in_language", "no_reply"):
        assert one(results, arm="x2x", seed=None, figure=name)["choice"] is None
    assert one(results, arm="x2x", figure="exact_match", less="control")["holm"] is not None
    assert all(row["depends"] is None for row in results.rows)


def test_axes_are_columns_with_numbers_where_all_values_are(tmp_path: Path) -> None:
    arms = {
        "control": skill(0.4),
        "x2x, volume 0, tag none": skill(0.5),
        "x2x, volume 500, tag name": skill(0.6),
    }
    places = {
        "x2x, volume 0, tag none": {"volume": "0", "tag": "none"},
        "x2x, volume 500, tag name": {"volume": "500", "tag": "name"},
    }
    axes = {"volume": ["0", "500"], "tag": ["none", "name"]}
    results = computed(write_experiment(tmp_path, arms, seeds=[0], axes=axes, places=places), draws=50)
    row = one(results, arm="x2x, volume 500, tag name", seed=0, figure="accuracy")
    assert (row["axis.volume"], row["axis.tag"]) == (500.0, "name")
    assert one(results, arm="control", seed=0, figure="accuracy")["axis.volume"] is None


def test_a_folder_without_an_experiment_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="no experiment"):
        write_results(tmp_path)


def test_each_wording_of_the_prompt_has_figures_of_its_own(tmp_path: Path) -> None:
    out = write_experiment(tmp_path, {"control": skill(0.4), "x2x": skill(0.7)}, seeds=[0], items=20)
    for arm in ("control", "x2x"):
        file = folder_of(out, arm, 0) / "answers.parquet"
        lines = pyarrow.parquet.read_table(file).to_pylist()
        asked = [{**line, "prompt": "asked", "answer": line["gold"]} for line in lines]
        schema = pyarrow.parquet.read_schema(file)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(lines + asked, schema), file)
    results = computed(out, draws=50)
    assert [part.prompt for part in results.parts] == ["question", "asked"]
    assert one(results, arm="x2x", seed=None, figure="accuracy", prompt="asked")["value"] == 1
    assert one(results, arm="x2x", figure="accuracy", prompt="asked", less="control")["value"] == 0
    assert "## facts, asked" in as_markdown(results)
