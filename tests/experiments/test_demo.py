"""The whole pipeline on the tiny model, through the command, killed in every stage and resumed."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import pytest
import torch
from click.testing import CliRunner

from crossin.cli.main import app
from crossin.core.errors import CrossinError
from crossin.core.files import sha256
from crossin.core.progress import Progress
from crossin.core.settings import read_settings
from crossin.core.stages import Stage
from crossin.experiments.demo import EXPERIMENT, DemoConfig, changes, plan_demo, run_demo
from crossin.experiments.index import Index, write_index
from crossin.experiments.jobs import Job
from crossin.experiments.kinds import run_job
from crossin.experiments.run import planned
from crossin.reports.summary import to_json
from crossin.training import TrainConfig
from crossin.training.config import Batches, Optimiser
from tests.helpers.apart import run
from tests.helpers.errors import refused

SMALL = """
name: small
components:
  - {kind: base, tokens: 800}
  - {kind: mono, tokens: 800}
  - {kind: x2en, tokens: 800}
  - {kind: en2x, tokens: 800}
  - {kind: x2x, tokens: 800}
  - {kind: trans, corpus: names, tokens: 800}
"""
# What a run writes that says when and where it was.
_ITS_OWN = {"rates.jsonl", "manifest.json", "report.html", "speed.parquet"}


def files_of(out: Path) -> dict[str, str]:
    """The hashes of all files of a run, but those that say when and where it was."""
    files = (path for path in sorted(out.rglob("*")) if path.is_file() and path.name not in _ITS_OWN)
    return {str(path.relative_to(out)): sha256(path) for path in files}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "small.yaml"
    path.write_text(SMALL)
    return path


def jobs_of(config: DemoConfig) -> list[Job]:
    return planned(EXPERIMENT, changes(config)).jobs


def demo(out: Path, model: Path, recipe: Path, deadly: str = "never", at_least: int = 0) -> None:
    """The demo; it is killed when it reports this much of a task."""
    torch.set_num_threads(1)

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def progress(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        if task.startswith(deadly) and done >= at_least:
            die()

    # These are too short to report progress: they are killed where they write.
    for stage, writer in (
        ("bench", "crossin.facts.bench.finish_bench"),
        ("results", "crossin.experiments.run.write_results"),
        ("report", "crossin.reports.make.write_text"),
    ):
        if deadly == stage:
            patch(writer, die).start()
    training = TrainConfig(batches=Batches(rows=2), checkpoint_every=4)
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
        ("train: English only", 6),
        ("evaluate: English only", 100),
        ("train: CrossIn", 6),
        ("evaluate: CrossIn", 300),
        ("results", 0),
        ("report", 0),
    ):
        assert run(demo, tmp_path / "killed", tiny_model, recipe, task, done) == -9, task
        assert not (tmp_path / "killed" / "report.html").exists()
    for out in ("killed", "whole"):
        assert run(demo, tmp_path / out, tiny_model, recipe) == 0
    whole = files_of(tmp_path / "whole")
    assert files_of(tmp_path / "killed") == whole
    names = {Path(name).name for name in whole}
    assert {
        "questions.parquet",
        "items.parquet",
        "mixture-00000.parquet",
        "adapter_model.safetensors",
    } < names
    assert {"answers.parquet", "results.parquet", "report.json"} < names
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
    assert (tmp_path / "run" / "results.parquet").exists()


def test_another_seed_shares_what_no_seed_changes(recipe: Path) -> None:
    one, other = (jobs_of(DemoConfig(seed=seed, languages=("en", "es"), recipe=recipe)) for seed in (0, 1))
    shared = {job.key for job in one} & {job.key for job in other}
    assert [job.stage for job in one if job.key in shared] == ["facts", "facts-bench", "evaluate"]


def test_a_page_of_other_results_does_not_stay(tiny_model: Path, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_index(out, Index("demo", "English only", "en", ("en",), {}, ()))
    for name in ("report.html", "report.json"):
        (out / name).write_text("of another seed")
    with (
        patch("crossin.experiments.demo.experiment", side_effect=KeyboardInterrupt),
        suppress(KeyboardInterrupt),
    ):
        run_demo(DemoConfig(languages=("en", "es"), model=str(tiny_model), recipe=recipe), out)
    assert not list(out.glob("report.*"))


def test_what_fails_is_an_error_that_names_the_arm(tiny_model: Path, recipe: Path, tmp_path: Path) -> None:
    config = DemoConfig(languages=("en", "es"), model=str(tiny_model), recipe=recipe)
    real = run_job

    def fail(job: Job, out: Path, progress: Progress) -> Stage:
        if job.title.startswith("train: CrossIn"):
            raise CrossinError("no memory is left", hint="take a smaller model")
        return real(job, out, progress)

    with patch("crossin.experiments.run.run_job", fail), refused("CrossIn", "no memory", hint="run again"):
        run_demo(config, tmp_path / "run")
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_finished_demo_is_left_as_it_is_also_after_an_upgrade(
    tiny_model: Path, recipe: Path, tmp_path: Path
) -> None:
    config = DemoConfig(languages=("en", "es"), model=str(tiny_model), recipe=recipe, consist=True)
    out = tmp_path / "run"
    first = run_demo(config, out)
    files = {path: sha256(path) for path in sorted(out.rglob("*")) if path.is_file()}
    # Another release writes other texts, and another one of pyarrow other bytes.
    with (
        patch("crossin.reports.figures_html.caption", lambda _: "other words"),
        patch("crossin.reports.make.headline", lambda _: ["another sentence"]),
        patch("crossin.items.item.write_parquet", lambda path, _: path.write_bytes(b"other bytes")),
    ):
        for _ in range(2):
            again = run_demo(config, out)
            assert {path: sha256(path) for path in sorted(out.rglob("*")) if path.is_file()} == files
    assert (again.page, again.figures) == (first.page, first.figures)
    assert to_json(again.summary) == to_json(first.summary)
    run_demo(config, out)


@pytest.mark.parametrize(("consist", "tokens"), [(True, 6_000), (False, 4_800)])
def test_the_control_has_as_many_tokens_as_mixture_and_pairs(
    recipe: Path, consist: bool, tokens: int
) -> None:
    config = DemoConfig(languages=("en", "es"), recipe=recipe, consist=consist)
    assert plan_demo(config).tokens == tokens
    recipes = {job.title: job.settings["recipe"] for job in jobs_of(config) if job.stage == "compose"}
    control, mixture = (
        recipes[f"compose: {arm}, seed 0"]["components"] for arm in ("English only", "CrossIn")
    )
    assert [(part["kind"], part["tokens"]) for part in control] == [("base", tokens)]
    assert sum(part["tokens"] for part in mixture) == 4_800


def test_settings_reach_every_stage(recipe: Path) -> None:
    training = TrainConfig(optimiser=Optimiser(learning_rate=2e-4))
    jobs = jobs_of(
        DemoConfig(
            languages=("en", "th"), seed=3, recipe=recipe, held_out="dev", consist=True, training=training
        )
    )
    by_stage = {stage: [job for job in jobs if job.stage == stage] for stage in {job.stage for job in jobs}}
    assert {stage: len(found) for stage, found in by_stage.items()} == {
        "facts": 1,
        "facts-bench": 2,
        "compose": 2,
        "train": 2,
        "evaluate": 3,
    }
    [facts] = by_stage["facts"]
    assert (facts.settings["held_out"], facts.settings["languages"]) == ("dev", ["en", "th"])
    assert {tuple(job.settings["splits"]) for job in by_stage["facts-bench"]} == {("dev",), ("train",)}
    assert {job.settings["recipe"]["seed"] for job in by_stage["compose"]} == {3}
    assert {tuple(job.settings["recipe"]["languages"]) for job in by_stage["compose"]} == {("en", "th")}
    assert {job.settings["seed"] for job in by_stage["train"]} == {3}
    assert {job.settings["optimiser"]["learning_rate"] for job in by_stage["train"]} == {2e-4}
    assert [bool(job.settings["consist"]) for job in by_stage["train"]] == [False, True]


def test_without_settings_it_is_the_experiment_of_that_name() -> None:
    assert {job.key for job in jobs_of(DemoConfig())} == {job.key for job in planned("demo").jobs}


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
