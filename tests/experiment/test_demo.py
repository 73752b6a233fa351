"""The whole road on the tiny model, through the command, killed in every stage and started again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crossin.experiment.demo import Demo, run_demo
from crossin.files import sha256

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
KILLED = """
import os, signal, sys
from pathlib import Path
import crossin.bench.facts, crossin.report.make
from crossin.experiment.demo import Demo, run_demo
from crossin.train import TrainConfig

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def progress(task, done, total, unit, note=""):
    if task.startswith(sys.argv[4]) and done >= int(sys.argv[5]):
        die()

# Two stages are too short to tell of their progress: they die where they write.
if sys.argv[4] == "bench":
    crossin.bench.facts.write_items = die
if sys.argv[4] == "report":
    crossin.report.make.write_text = die
training = TrainConfig(checkpoint_every=4)
out, model, recipe = sys.argv[1:4]
plan = Demo(Path(out), ["en", "es"], model=model, recipe_file=Path(recipe), training=training)
run_demo(plan, progress=progress)
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
        command = [
            sys.executable,
            "-c",
            KILLED,
            str(tmp_path / "killed"),
            str(tiny_model),
            str(recipe),
            task,
            str(done),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == -9, ended.stderr
        assert not (tmp_path / "killed" / "manifest.json").exists()
    subprocess.run([*command[:-2], "never", "0"], check=True)
    subprocess.run([*command[:3], str(tmp_path / "whole"), *command[4:-2], "never", "0"], check=True)
    for name in SAME:
        assert sha256(tmp_path / "killed" / name) == sha256(tmp_path / "whole" / name), name
    assert not list((tmp_path / "killed").rglob("*.tmp"))
    assert not list((tmp_path / "killed").rglob("stage.json"))
    assert "</html>" in (tmp_path / "killed" / "report.html").read_text()


def test_the_command_prints_the_figures_and_leaves_the_page(
    tiny_model: Path, recipe: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "crossin.cli.main",
        "demo",
        "--model",
        str(tiny_model),
        "--recipe",
        str(recipe),
    ]
    command += ["--languages", "en,ar", "--out", str(tmp_path / "run"), "--consist", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = json.loads(ended.stdout)
    assert [arm["name"] for arm in figures["arms"]] == ["untouched", "English only", "CrossIn"]
    assert {"accuracy", "consistency_2", "kappa_2", "right_2", "ac3_2"} <= figures["arms"][2][
        "figures"
    ].keys()
    for stage in ("facts", "bench", "compose", "train", "evaluate"):
        assert f"{stage}: " in ended.stderr
    again = subprocess.run([*command, "--seed", "1"], capture_output=True, text=True, check=False)
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
