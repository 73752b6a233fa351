"""An experiment on the tiny model, from its file to its results."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from crossin.cli.main import app
from crossin.core.files import sha256
from crossin.experiments.index import read_index
from crossin.experiments.run import Experiment, experiment
from crossin.experiments.watching import JobEvent
from tests.helpers.apart import run
from tests.helpers.errors import refused

RESULTS = ["results.parquet", "table.md", "table.tex", "table.csv", "experiment.json"]


def config(model: Path, **more: Any) -> dict[str, Any]:
    return {
        "name": "small",
        "baseline": "control",
        "seeds": [0, 1],
        "languages": ["en", "es"],
        "model": str(model),
        "sources": {
            "facts": {"make": "facts"},
            "test": {"make": "facts-bench", "facts": "${facts}"},
        },
        "compose": {"recipe": "demo", "data": "${facts}", "components": [{"kind": "base", "rows": 24}]},
        "train": {"config": "demo", "checkpoint_every": 1},
        "evaluate": {"bench": {"facts": "${test}"}, "limit": 12},
        "arms": {
            "base": {"train": None},
            "control": {},
            "x2x": {"compose": {"components": [{"kind": "x2x", "rows": 24}]}},
        },
        **more,
    }


def run_small(out: Path, model: Path, deadly: int = -1, **more: Any) -> Experiment:
    """The experiment; it is killed at the event with this number."""
    torch.set_num_threads(1)
    left = deadly

    def watch(_: JobEvent) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    return experiment(config(model, **more), out, watch=watch)


def hashes(out: Path) -> dict[str, str]:
    return {name: sha256(out / name) for name in RESULTS}


@pytest.fixture(scope="module")
def whole(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    assert run_small(out, tiny_model).failures == {}
    return out


def test_every_arm_and_seed_has_results(whole: Path) -> None:
    index = read_index(whole)
    assert [(arm.name, [run.seed for run in arm.runs]) for arm in index.arms] == [
        ("base", [0, 1]),
        ("control", [0, 1]),
        ("x2x", [0, 1]),
    ]
    base, control, _ = index.arms
    assert base.runs[0].answers == base.runs[1].answers
    assert control.runs[0].answers != control.runs[1].answers
    assert (whole / "manifest.json").exists()


def test_a_finished_experiment_is_left_as_it_is(whole: Path, tiny_model: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.is_file()}
    again = run_small(whole, tiny_model)
    assert again.to_arrow().num_rows > 0
    assert {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_killed_at_ten_moments_and_started_again_it_ends_the_same(
    whole: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    # Events of the whole run are some 200; each start is killed a little later in what is left.
    moments = [1, 4, 7, 3, 11, 2, 9, 5, 14, 6]
    for moment in moments:
        assert run(run_small, out, tiny_model, moment) == -signal.SIGKILL
    assert run(run_small, out, tiny_model) == 0
    assert hashes(out) == hashes(whole)


def test_a_new_arm_makes_only_what_is_new(whole: Path, tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    out = tmp_path / "more"
    shutil.copytree(whole, out)
    before = {path.name for path in (out / "stages").iterdir()}
    arms = config(tiny_model)["arms"] | {"longer": {"train": {"epochs": 2}}}
    experiment(config(tiny_model, arms=arms), out)
    new = sorted(
        path.name.partition("-")[0] for path in (out / "stages").iterdir() if path.name not in before
    )
    assert new == ["evaluate", "evaluate", "train", "train"]


def test_a_failed_arm_is_reported_and_the_others_go_on(tiny_model: Path, tmp_path: Path) -> None:
    arms = {"control": {}, "broken": {"train": {"batches": {"longest": 2}}}}
    done = experiment(config(tiny_model, arms=arms, seeds=[0]), tmp_path / "run")
    assert list(done.failures) == ["train: broken, seed 0"]
    index = read_index(tmp_path / "run")
    assert len(index.arms[0].runs) == 1
    assert "no row is left" in index.arms[1].failed[0]
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_where_all_arms_fail_there_are_no_results(tiny_model: Path, tmp_path: Path) -> None:
    train = {"config": "demo", "batches": {"longest": 2}}
    arms: dict[str, Any] = {"control": {}}
    with refused("no arm finished", "no row is left"):
        experiment(config(tiny_model, arms=arms, train=train, seeds=[0]), tmp_path / "run")


def test_the_command_prints_the_tables_and_ends_with_1_where_an_arm_failed(
    tiny_model: Path, tmp_path: Path
) -> None:
    entries = config(tiny_model, seeds=[0])
    entries["arms"] = {"control": {}, "broken": {"train": {"batches": {"longest": 2}}}}
    file = tmp_path / "mine.yaml"
    file.write_text(json.dumps(entries))
    words = ["experiment", str(file), "--out", str(tmp_path / "run")]
    dry = CliRunner().invoke(app, [*words, "--dry-run"], catch_exceptions=False)
    assert dry.exit_code == 0
    assert not (tmp_path / "run").exists()
    ended = CliRunner().invoke(app, words, standalone_mode=False, catch_exceptions=False)
    assert ended.return_value == 1
    assert "control" in ended.stdout
    assert "broken" in ended.stderr
    only = CliRunner().invoke(app, [*words, "--only", "control", "--json"], standalone_mode=False)
    assert only.return_value == 0
    assert {row["arm"] for row in json.loads(only.stdout)} == {"control"}


def test_another_folder_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with refused("holds no experiment"):
        experiment(config(tiny_model), tmp_path)
