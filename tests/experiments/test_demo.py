"""The whole road on the tiny model, through the command, killed in every stage and started again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from unittest.mock import patch

import pytest
import torch

from crossin.core.files import sha256
from crossin.experiments.demo import Demo, run_demo
from crossin.training import TrainConfig
from tests.helpers import apart
from tests.helpers.apart import run

SMALL = """
name: small
components:
  - {kind: base, tokens: 4000}
  - {kind: mono, tokens: 4000}
  - {kind: x2en, tokens: 4000}
  - {kind: en2x, tokens: 4000}
  - {kind: x2x, tokens: 4000}
  - {kind: trans, corpus: names, tokens: 4000}
"""
SAME = [
    "facts/facts.parquet",
    "bench/items.parquet",
    "english-only/mixture/data/mixture-00000.parquet",
    "crossin/mixture/data/mixture-00000.parquet",
    "crossin/training/adapter/adapter_model.safetensors",
    "crossin/answers/answers.parquet",
    "report.json",
]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(SMALL)
    return path


def demo(out: Path, model: Path, recipe: Path, deadly: str = "never", at_least: int = 0) -> None:
    """The demo; it is killed when it tells of so much of a task."""
    torch.set_num_threads(1)

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def progress(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        if task.startswith(deadly) and done >= at_least:
            die()

    # Two stages are too short to tell of their progress: they die where they write.
    if deadly == "bench":
        patch("crossin.facts.bench.write_items", die).start()
    if deadly == "report":
        patch("crossin.reports.make.write_text", die).start()
    training = TrainConfig(checkpoint_every=4)
    plan = Demo(out, ["en", "es"], model=str(model), recipe_file=recipe, training=training)
    run_demo(plan, progress=progress)


def test_killed_in_each_stage_and_started_again_it_ends_the_same(
    tiny_model: Path, recipe: Path, tmp_path: Path
) -> None:
    for task, done in (
        ("collecting", 2),
        ("bench", 0),
        ("composing", 1),
        ("training", 6),
        ("asking English", 100),
        ("asking CrossIn", 300),
        ("report", 0),
    ):
        assert run(demo, tmp_path / "killed", tiny_model, recipe, task, done) == -9, task
        assert not (tmp_path / "killed" / "manifest.json").exists()
    for out in ("killed", "whole"):
        assert run(demo, tmp_path / out, tiny_model, recipe) == 0
    for name in SAME:
        assert sha256(tmp_path / "killed" / name) == sha256(tmp_path / "whole" / name), name
    assert not list((tmp_path / "killed").rglob("*.tmp"))
    assert not list((tmp_path / "killed").rglob("stage.json"))
    assert "</html>" in (tmp_path / "killed" / "report.html").read_text()


def test_the_command_prints_the_figures_and_leaves_the_page(
    tiny_model: Path, recipe: Path, tmp_path: Path
) -> None:
    command: list[str | Path] = ["demo", "--model", tiny_model, "--recipe", recipe, "--languages", "en,ar"]
    command += ["--out", tmp_path / "run", "--consist", "--json"]
    ended = apart.crossin(*command)
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout)
    assert [arm["name"] for arm in figures["arms"]] == ["untouched", "English only", "CrossIn"]
    assert {"accuracy", "consistency_2", "kappa_2", "right_2", "ac3_2"} <= figures["arms"][2][
        "figures"
    ].keys()
    for stage in ("facts", "bench", "compose", "train", "evaluate"):
        assert f"{stage}: " in ended.stderr
    again = apart.crossin(*command, "--seed", "1")
    assert again.returncode == 2
    assert "another run's files (seed: 0 there, 1 here)" in again.stderr.replace("\n", " ")


@pytest.mark.parametrize(("consist", "tokens"), [(True, 30_000), (False, 24_000)])
def test_the_control_has_as_many_tokens_as_mixture_and_pairs(
    recipe: Path, consist: bool, tokens: int
) -> None:
    plan = Demo(out=Path("x"), languages=["en", "es"], recipe_file=recipe, consist=consist)
    assert plan.control.components[0].tokens == plan.tokens == tokens
    assert [part.kind for part in plan.control.components] == ["base"]


def test_without_the_pivot_language_it_says_so(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"pivot 'en' is not among .* --languages en,es,vi"):
        run_demo(Demo(out=tmp_path / "run", languages=["es", "vi"], recipe_file=recipe))
    assert not (tmp_path / "run").exists()
