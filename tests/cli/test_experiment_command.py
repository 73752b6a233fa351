"""The command `experiment`: what it shows before anything is run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crossin.cli.main import app
from tests.helpers.errors import refused

FILE = """
baseline: control
seeds: [1, 2]
languages: [en, th]
model: some/model
sources:
  facts: {make: facts}
  test: {make: facts-bench, facts: "${facts}"}
compose: {recipe: demo, data: "${facts}"}
train: {config: demo}
evaluate: {bench: {facts: "${test}"}}
axes: {amount: {entry: compose.components.x2x.rows, values: [5, 20], arms: [more]}}
arms:
  untouched: {train: null}
  control: {compose: {components: [{kind: base, rows: 40}]}}
  more: {compose: {components: [{kind: base, rows: 40}, {kind: x2x, rows: 1}]}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE)
    return path


def crossin(*words: str | Path) -> Result:
    """The command in this process; a user's error is raised."""
    arguments = ["experiment", *map(str, words)]
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        app, arguments, catch_exceptions=False, standalone_mode=False
    )


def test_a_dry_run_shows_the_arms_and_what_they_share_and_writes_nothing(file: Path, tmp_path: Path) -> None:
    shown = crossin(file, "--dry-run", "--out", tmp_path / "out").output
    for words in ("4 arms", "seeds 1, 2", "baseline is 'control'", "more, amount 20", "facts-bench: test"):
        assert words in shown
    assert not (tmp_path / "out").exists()
    jobs = json.loads(crossin(file, "--dry-run", "--json").stdout)
    assert len(jobs) == len({job["job"] for job in jobs}) == 2 + 1 + 3 * 2 * 3


def test_arms_are_chosen_by_name_with_or_without_a_value_of_an_axis(file: Path) -> None:
    assert "3 arms" in crossin(file, "--dry-run", "--only", "more").output
    shown = crossin(file, "--dry-run", "--only", "more, amount 20", "--only", "untouched").output
    assert "3 arms" in shown and "amount 5" not in shown
    with refused("'mor'", field="--only", hint="'more"):
        crossin(file, "--dry-run", "--only", "mor")


def test_entries_are_set_in_place_of_the_files(file: Path) -> None:
    words = ["--set", "axes.amount.values=[7]", "--set", "arms.untouched.model=other/model", "--seeds", "4"]
    shown = crossin(file, "--dry-run", *words).output
    assert "3 arms" in shown and "seeds 4" in shown and "amount 7" in shown
    with refused("'epochs'", field="train.epoch") as error:
        crossin(file, "--dry-run", "--set", "train.epoch=3")
    assert error.value.file is None


def test_a_run_needs_a_folder(file: Path) -> None:
    with refused("folder", hint="--out"):
        crossin(file)
