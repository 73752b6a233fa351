"""The whole pipeline on the tiny model, through the command, killed in every stage and resumed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from click.testing import CliRunner

from crossin.cli.main import app
from crossin.core.files import sha256
from crossin.core.settings import read_settings
from crossin.experiments.demo import DemoConfig, plan_demo, run_demo
from crossin.reports.summary import to_json
from crossin.training import TrainConfig
from tests.helpers.apart import run
from tests.helpers.errors import refused

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
    """The demo; it is killed when it reports this much of a task."""
    torch.set_num_threads(1)

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def progress(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        if task.startswith(deadly) and done >= at_least:
            die()

    # Two stages are too short to report progress: they are killed where they write.
    if deadly == "bench":
        patch("crossin.facts.bench.finish_bench", die).start()
    if deadly == "report":
        patch("crossin.reports.make.write_text", die).start()
    training = TrainConfig(checkpoint_every=4)
    config = DemoConfig(languages=("en", "es"), model=str(model), recipe=recipe, training=training)
    run_demo(config, out, progress=progress)


@pytest.mark.slow
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
    words = ["demo", "--model", str(tiny_model), "--recipe", str(recipe), "--languages", "en,ar"]
    words += ["--out", str(tmp_path / "run"), "--consist", "--json"]
    ended = CliRunner().invoke(app, words, catch_exceptions=False)
    assert ended.exit_code == 0, ended.stderr
    figures = json.loads(ended.stdout)
    assert [arm["name"] for arm in figures["arms"]] == ["base model", "English only", "CrossIn"]
    assert {"accuracy", "consistency_2", "kappa_2", "right_2", "ac3_2"} <= figures["arms"][2][
        "figures"
    ].keys()
    for stage in ("facts", "bench", "compose", "train", "evaluate"):
        assert f"{stage}: " in ended.stderr
    assert (tmp_path / "run" / "base-model" / "answers" / "answers.parquet").exists()
    with refused("another run's files", "seed: 0 there, 1 here"):
        CliRunner().invoke(app, [*words, "--seed", "1"], catch_exceptions=False)


def test_a_finished_demo_is_left_as_it_is_also_after_an_upgrade(
    tiny_model: Path, recipe: Path, tmp_path: Path
) -> None:
    config = DemoConfig(languages=("en", "es"), model=str(tiny_model), recipe=recipe, consist=True)
    out = tmp_path / "run"
    first = run_demo(config, out)
    files = {path: sha256(path) for path in sorted(out.rglob("*")) if path.is_file()}
    # Another release writes other texts, and another one of pyarrow other bytes.
    with (
        patch("crossin.reports.page.caption", lambda _: "other words"),
        patch("crossin.reports.make.headline", lambda _: ["another sentence"]),
        patch("crossin.items.item.write_parquet", lambda path, _: path.write_bytes(b"other bytes")),
    ):
        for _ in range(2):
            again = run_demo(config, out)
            assert {path: sha256(path) for path in sorted(out.rglob("*")) if path.is_file()} == files
    assert (again.page, again.figures) == (first.page, first.figures)
    assert to_json(again.summary) == to_json(first.summary)
    run_demo(config, out)


@pytest.mark.parametrize(("consist", "tokens"), [(True, 30_000), (False, 24_000)])
def test_the_control_has_as_many_tokens_as_mixture_and_pairs(
    recipe: Path, consist: bool, tokens: int
) -> None:
    plan = plan_demo(DemoConfig(languages=("en", "es"), recipe=recipe, consist=consist))
    assert plan.control.components[0].tokens == plan.tokens == tokens
    assert [part.kind for part in plan.control.components] == ["base"]


def test_a_file_holds_the_settings_and_flags_override_them(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "demo.yaml").write_text(
        f"languages: [English, Thai]\nseed: 3\nrecipe: {recipe}\ntraining: {{batches: {{rows: 4}}}}\n"
    )
    config = read_settings(DemoConfig, tmp_path / "demo.yaml", {"seed": 4}, hint="")
    assert (config.languages, config.seed, config.recipe) == (("en", "th"), 4, recipe)
    assert config.training.batches.rows == 4
    words = ["demo", "--config", str(tmp_path / "demo.yaml"), "--languages", "es,eng_Latn", "--dry-run"]
    ended = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")], catch_exceptions=False)
    assert "official language in es, en" in ended.stdout.replace("\n", " ")
    assert not (tmp_path / "run").exists()


def test_a_recipe_without_tokens_cannot_have_a_control(tmp_path: Path) -> None:
    (tmp_path / "rows.yaml").write_text("name: rows\ncomponents: [{kind: base, rows: 10}]\n")
    with refused("tokens", file="rows.yaml", field="components"):
        plan_demo(DemoConfig(recipe=tmp_path / "rows.yaml"))


def test_without_the_pivot_language_it_says_so(recipe: Path, tmp_path: Path) -> None:
    with refused("pivot 'en'", hint="--languages en,es,vi"):
        run_demo(DemoConfig(languages=("es", "vi"), recipe=recipe), tmp_path / "run")
    assert not (tmp_path / "run").exists()
