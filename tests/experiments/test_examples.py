"""The experiments that come with the package: each can be planned, and each runs in its tiny form."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossin.core.examples import Example, list_examples
from crossin.core.files import read_text
from crossin.experiments.config import read_config
from crossin.experiments.index import read_index
from crossin.experiments.plan import ExperimentPlan
from crossin.experiments.run import experiment, planned
from crossin.languages.words import phrases_file
from tests.helpers.errors import refused
from tests.helpers.paper_data import write_paper_data
from tests.helpers.paths import REAL_DATA, ROOT

EXAMPLES = {one.name: one for one in list_examples("experiment")}
# With data of the user's.
ALPACA, KLAR = "alpaca", "klar"
OTHERS = sorted(EXAMPLES.keys() - {ALPACA, KLAR})


def run_tiny(name: str, model: Path, out: Path, only: Sequence[str] = ()) -> ExperimentPlan:
    """Run an example in its tiny form, and check that every arm has its answers and figures."""
    plan = planned(name, {"model": str(model)}, tiny=True, only=only)
    done = experiment(plan, out)
    assert done.failures == {}
    assert done.results is not None
    found = {arm.name: {run.seed: set(run.answers) for run in arm.runs} for arm in read_index(out).arms}
    benches = set(plan.arms[0].spec.entries["evaluate"]["bench"])
    assert found == {arm.spec.name: dict.fromkeys(plan.config.seeds, benches) for arm in plan.arms}
    assert {row["arm"] for row in done.to_arrow().to_pylist()} == found.keys()
    return plan


def steps_of(plan: ExperimentPlan, out: Path) -> set[int]:
    manifests = (job.folder(out) / "manifest.json" for job in plan.jobs if job.stage == "train")
    return {json.loads(path.read_text())["counts"]["steps"] for path in manifests}


def test_there_is_one_for_each_question_of_the_paper_and_ours() -> None:
    assert set(EXAMPLES) == {
        "alpaca",
        "balance",
        "demo",
        "how-many-languages",
        "klar",
        "label-free",
        "objectives",
        "paper",
        "transfer",
        "translation-share",
        "twelve-languages",
        "unseen-languages",
        "volume",
    }


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda one: one.name)
def test_its_comment_says_what_it_asks_how_to_run_it_how_long_it_takes_and_what_is_ours(
    example: Example,
) -> None:
    text = read_text(example.path)
    head = text[: text.index("\nname: ")]
    assert all(line.startswith("#") for line in head.splitlines())
    assert f"crossin experiment {example.name} " in head
    assert re.search(r"minutes|hours|not measured", head)
    assert "ours" in head.casefold()
    assert f"\nname: {example.name}\n" in text
    assert re.search(r"^tiny:", text, re.MULTILINE)


@pytest.mark.parametrize("tiny", [False, True], ids=["whole", "tiny"])
@pytest.mark.parametrize("name", OTHERS)
def test_every_arm_can_be_planned(name: str, tiny: bool) -> None:
    plan = planned(name, tiny=tiny)
    assert [arm.spec.name for arm in plan.arms].count(plan.config.baseline) == 1
    assert len(plan.config.seeds) == (1 if tiny or name == "demo" else 3)
    steps = {job.settings["max_steps"] for job in plan.jobs if job.stage == "train"}
    # Trainings on pairs alone end by their steps.
    assert steps == ({2} if tiny else {None, 200, 83} if name == "label-free" else {None})


def tokens_of(plan: ExperimentPlan) -> dict[str, float]:
    """The tokens that each trained arm reads, pairs included, by the sizes of its recipe."""
    found = {}
    for arm in plan.arms:
        entries = arm.spec.entries
        if entries["train"] is not None and entries["compose"] is not None:
            rows = sum(part["tokens"] for part in entries["compose"]["components"])
            share = sum((entries["train"].get(key) or {}).get("share", 0) for key in ("pairs", "prefer"))
            found[arm.spec.name] = rows / (1 - share)
    return found


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("balance", 24_000),
        ("how-many-languages", 24_000),
        ("label-free", 64_000),
        ("objectives", 24_000),
        ("paper", 24_000),
        ("twelve-languages", 48_000),
        ("unseen-languages", 24_000),
    ],
)
def test_arms_read_as_many_tokens_as_each_other(name: str, tokens: int) -> None:
    assert set(tokens_of(planned(name)).values()) == {tokens}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_there_are_words_to_ask_for_a_translation_in_every_language(name: str) -> None:
    for language in read_config(name)[0].languages:
        assert phrases_file(language), language


def test_what_is_taught_is_asked_in_other_words_than_what_is_tested() -> None:
    plan = planned("label-free")
    benches = [job for job in plan.jobs if job.stage == "facts-bench"]
    assert [job.settings["other_wording"] for job in benches] == [False, True]
    taught = next(job for job in plan.jobs if job.stage == "teach")
    assert taught.settings["wordings"] == "other"


def test_larger_volumes_hold_the_smaller_ones(tiny_model: Path, tmp_path: Path) -> None:
    from crossin.experiments.kinds import run_job

    plan = planned("volume", {"model": str(tiny_model)}, tiny=True, only=["x2x"])
    jobs = {job.title: job for job in plan.jobs}
    for job in plan.jobs:
        if job.stage in ("facts", "compose") and not re.search(r"volume (125|500|1000)", job.title):
            run_job(job, tmp_path)
    rows: list[set[tuple[Any, ...]]] = []
    for volume in (0, 250):
        import pyarrow.parquet

        folder = jobs[f"compose: x2x, volume {volume}, seed 0"].folder(tmp_path)
        table = pyarrow.parquet.read_table(next((folder / "data").glob("*.parquet")))
        rows.append({tuple(row.values()) for row in table.to_pylist()})
    assert (len(rows[0]), len(rows[1])) == (200, 450)
    assert rows[0] < rows[1]


def test_facts_that_no_model_can_know_are_another_set_for_each_seed() -> None:
    plan = planned("transfer")
    facts = [job for job in plan.jobs if job.stage == "counterfactual"]
    assert [job.settings["seed"] for job in facts] == [0, 1, 2]


def documented() -> dict[str, Any]:
    """The experiment that docs/experiment.md begins with."""
    blocks = re.findall(r"```yaml\n(.*?)```", read_text(ROOT / "docs" / "experiment.md"), re.DOTALL)
    first: dict[str, Any] = yaml.safe_load(blocks[0])
    assert len(blocks[0].splitlines()) <= 20
    return first


def test_the_documented_experiment_can_be_planned() -> None:
    plan = planned(documented())
    assert [arm.spec.name for arm in plan.arms] == ["English", "asking", "answering"]
    assert len([job for job in plan.jobs if job.stage == "train"]) == 9


@pytest.mark.slow
def test_the_documented_experiment_runs(tiny_model: Path, tmp_path: Path) -> None:
    plan = planned(documented(), {"model": str(tiny_model)}, tiny=True)
    assert experiment(plan, tmp_path / "run").failures == {}


def test_the_page_lists_every_example() -> None:
    ready = (
        read_text(ROOT / "docs" / "experiment.md").partition("## Ready experiments")[2].partition("\n## ")[0]
    )
    rows = re.findall(r"^\| `([\w-]+)` \| .* \| (\d+)", ready, re.MULTILINE)
    assert {name for name, _ in rows} == EXAMPLES.keys()
    for name, arms in rows:
        assert len(read_config(name)[0].arms) == int(arms), name


def test_the_paper_runs(tiny_model: Path, tmp_path: Path) -> None:
    plan = run_tiny("paper", tiny_model, tmp_path / "run", only=["untrained", "x2x + translation"])
    assert [arm.spec.name for arm in plan.arms] == ["untrained", "base", "x2x + translation"]
    assert steps_of(plan, tmp_path / "run") == {2}


def test_transfer_runs(tiny_model: Path, tmp_path: Path) -> None:
    run_tiny("transfer", tiny_model, tmp_path / "run", only=["x2x + trans + consist KL"])


def test_instruction_data_runs(
    tiny_model: Path, facts_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_paper_data(facts_folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    plan = run_tiny(ALPACA, tiny_model, tmp_path / "run", only=["x2x + translation"])
    rows = {job.settings["recipe"]["rows"] for job in plan.jobs if job.stage == "compose"}
    assert rows == {100}


@pytest.mark.slow
def test_free_generation_runs_on_the_real_data(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A random model answers nothing that could be taught: its own answers, and the plan of the rest."""
    if not (REAL_DATA / "klar").is_dir():
        pytest.skip(f"KLAR is not in {REAL_DATA}")
    (tmp_path / "data").symlink_to(REAL_DATA)
    monkeypatch.chdir(tmp_path)
    assert set(tokens_of(planned(KLAR)).values()) == {28_000}
    run_tiny(KLAR, tiny_model, tmp_path / "run", only=["base model"])


def test_without_its_files_it_says_which_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with refused("no such file", hint=""):
        planned(ALPACA)


@pytest.mark.slow
def test_every_arm_runs_on_instruction_data(
    tiny_model: Path, facts_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_paper_data(facts_folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    run_tiny(ALPACA, tiny_model, tmp_path / "run")


@pytest.mark.slow
def test_it_runs_on_the_real_data(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if any(not (REAL_DATA / name).is_dir() for name in ("alpaca", "seaeval", "xquad")):
        pytest.skip(f"Alpaca, SeaEval or XQuAD is not in {REAL_DATA}")
    (tmp_path / "data").symlink_to(REAL_DATA)
    monkeypatch.chdir(tmp_path)
    run_tiny(ALPACA, tiny_model, tmp_path / "run", only=["x2x + translation"])


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_arm_runs(name: str, tiny_model: Path, tmp_path: Path) -> None:
    run_tiny(name, tiny_model, tmp_path / "run")
