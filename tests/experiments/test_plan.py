"""Jobs: what decides the same result is one job, whichever arms need it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossin.experiments.jobs import references, replaced
from crossin.experiments.plan import ExperimentPlan
from crossin.experiments.run import planned
from tests.helpers.small_bench import write_bench

CONFIG: dict[str, Any] = {
    "baseline": "control",
    "seeds": [0, 1],
    "languages": ["en", "th"],
    "model": "some/model",
    "sources": {
        "facts": {"make": "facts"},
        "test": {"make": "facts-bench", "facts": "${facts}"},
        "seen": {"make": "facts-bench", "facts": "${facts}", "splits": ["train"]},
    },
    "compose": {"recipe": "demo", "data": "${facts}"},
    "train": {"config": "demo"},
    "evaluate": {"bench": {"facts": "${test}"}},
    "arms": {
        "base": {"train": None},
        "control": {},
        "same again": {},
        "pairs": {
            "train": {"consist": {}, "pairs": {"items": "${seen}", "apart_from": ["${test}"], "share": 0.2}}
        },
        "slow": {"train.optimiser.learning_rate": 1e-5},
    },
}


def plan(**more: Any) -> ExperimentPlan:
    return planned({**CONFIG, **more})


def counts(found: ExperimentPlan) -> dict[str, int]:
    stages = [job.stage for job in found.jobs]
    return {stage: stages.count(stage) for stage in dict.fromkeys(stages)}


def test_arms_share_what_is_the_same() -> None:
    found = plan()
    # Three trainings differ, with two seeds each; the base model answers once.
    assert counts(found) == {"facts": 1, "facts-bench": 2, "evaluate": 7, "compose": 2, "train": 6}
    arms = {arm.spec.name: arm.runs for arm in found.arms}
    assert arms["control"][0].training is arms["same again"][0].training
    assert arms["base"][0].answers["facts"] is arms["base"][1].answers["facts"]
    assert arms["base"][0].training is None


def test_needed_jobs_come_first() -> None:
    seen = set()
    for job in plan().jobs:
        assert all(needed.key in seen for needed in job.needs)
        seen.add(job.key)


def test_settings_name_other_jobs_by_their_keys() -> None:
    jobs = plan().jobs
    keys = {job.key for job in jobs}
    for job in jobs:
        named = set(references(job.settings))
        assert named <= keys
        assert named == {needed.key for needed in job.needs}


def test_a_key_depends_on_settings_seeds_and_what_files_hold(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")
    entries = {"evaluate": {"bench": {"mine": str(bench)}}, "arms": {"control": {}}, "seeds": [0]}

    def key(**more: Any) -> str:
        return plan(**{**entries, **more}).jobs[-1].key

    first = key()
    assert key() == first
    assert key(name="another name") == first
    assert key(seeds=[4]) != first
    assert key(train={"config": "demo", "epochs": 2}) != first
    assert key(languages=["en", "vi"]) != first
    items = bench / "items.parquet"
    other = tmp_path / "moved"
    bench.rename(other)
    assert key(evaluate={"bench": {"mine": str(other)}}) == first
    (other / items.name).write_bytes((other / items.name).read_bytes() + b" ")
    assert key(evaluate={"bench": {"mine": str(other)}}) != first


def test_a_source_may_depend_on_the_seed_and_an_arm_on_another() -> None:
    found = plan(
        sources={
            "facts": {"make": "facts"},
            "test": {"make": "facts-bench", "facts": "${facts}"},
            "taught": {"make": "teach", "questions": "${test}", "limit": 3, "seed": "${seed}"},
        },
        arms={
            "control": {},
            "self-taught": {"compose": {"data": "${taught}"}},
            "pupil": {
                "compose": {"data": "${taught}"},
                "sources": {"taught": {"teacher": "${arms.control}"}},
            },
        },
    )
    arms = {arm.spec.name: arm.runs for arm in found.arms}
    for number in range(2):
        jobs = {job.stage: job for job in arms["pupil"][number].jobs if job.stage != "train"}
        assert arms["control"][number].training in jobs["teach"].needs
    assert counts(found)["teach"] == 4


def test_only_some_arms_may_be_planned_with_the_baseline() -> None:
    names = [arm.spec.name for arm in planned(CONFIG, only=["slow"]).arms]
    assert names == ["control", "slow"]


def test_pairs_alone_need_no_mixture() -> None:
    pairs = {"consist": {}, "pairs": {"items": "${seen}", "share": 1}}
    found = plan(arms={"control": {}, "alone": {"compose": None, "train": pairs}})
    alone = next(arm for arm in found.arms if arm.spec.name == "alone")
    assert "compose" not in [job.stage for job in alone.runs[0].jobs]


def test_a_job_asks_for_the_gpus_of_its_arm() -> None:
    found = plan(arms={"control": {}, "large": {"resources": {"gpu": 1}, "train": {"epochs": 2}}})
    gpus: Mapping[str, Any] = {job.title: job.gpus for job in found.jobs}
    assert gpus["train: large, seed 0"] == 1
    assert gpus["train: control, seed 0"] == 0
    assert gpus["facts: facts"] == 0


def test_a_reference_may_be_followed_by_a_path() -> None:
    text = ["${facts}/names.parquet", {"a": "${facts}"}, "plain", 3]
    assert list(references(text)) == ["facts", "facts"]
    assert replaced(text, {"facts": "/x"}) == ["/x/names.parquet", {"a": "/x"}, "plain", 3]


def test_how_answers_are_requested_does_not_decide_them(tmp_path: Path) -> None:
    def key(**more: Any) -> str:
        return plan(arms={"control": {}}, seeds=[0], evaluate={**CONFIG["evaluate"], **more}).jobs[-1].key

    server = {"engine": "openai", "server": {"base_url": "http://localhost:1/v1"}}
    first = key(**server)
    (tmp_path / "answers.sqlite").write_bytes(b"answers")
    limits = {"base_url": "http://localhost:1/v1", "retries": 9, "concurrency": 2, "timeout": 3}
    assert key(engine="openai", server=limits, cache=str(tmp_path / "answers.sqlite")) == first
    assert key(engine="openai", server={"base_url": "http://localhost:2/v1"}) != first
    assert key(**server, limit=3) != first


def test_a_mapping_of_ones_own_is_found_beside_the_file_and_decides_the_benchmark(tmp_path: Path) -> None:
    import yaml

    def job() -> Any:
        return planned(tmp_path / "mine.yaml").jobs[0]

    sources = {"birds": {"make": "bench", "name": "birds.yaml"}}
    entries = {**CONFIG, "sources": sources, "evaluate": {"bench": {"b": "${birds}"}}}
    entries |= {"arms": {"control": {"train": None}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(entries))
    (tmp_path / "birds.yaml").write_text("licence: x")
    first = job()
    assert first.settings["name"] == str(tmp_path / "birds.yaml")
    (tmp_path / "birds.yaml").write_text("licence: y")
    assert job().key != first.key


def test_a_seed_in_the_file_of_a_stage_gives_way_to_those_of_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("seed: 42\nmodel: other/model\nepochs: 2\n")
    (tmp_path / "recipe.yaml").write_text("name: x\nseed: 7\ncomponents: [{kind: base, rows: 10}]\n")
    stages: dict[str, dict[str, Any]] = {
        "train": {"config": str(tmp_path / "train.yaml")},
        "compose": {"recipe": str(tmp_path / "recipe.yaml"), "data": "${facts}"},
    }
    jobs = plan(**stages, arms={"control": {}}).jobs
    trained = [job.settings for job in jobs if job.stage == "train"]
    assert [(one["seed"], one["model"], one["epochs"]) for one in trained] == [
        (0, "some/model", 2),
        (1, "some/model", 2),
    ]
    assert [job.settings["recipe"]["seed"] for job in jobs if job.stage == "compose"] == [0, 1]
    # One that the experiment itself names stays.
    stages["train"]["seed"] = 5
    assert {job.settings["seed"] for job in plan(**stages).jobs if job.stage == "train"} == {5}


def test_an_arm_that_is_not_trained_may_have_an_adapter(tmp_path: Path) -> None:
    adapted = {"train": None, "evaluate": {"adapter": str(tmp_path)}}
    job = plan(arms={"control": {}, "published": adapted}).arms[1].runs[0].answers["facts"]
    assert (job.settings["training"], job.settings["evaluate"]["adapter"]) == (None, str(tmp_path))


def test_a_model_may_be_a_folder_beside_the_file(tmp_path: Path) -> None:
    import yaml

    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "config.json").write_text("{}")
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({**CONFIG, "model": "near"}))
    assert planned(file).jobs[-1].settings["model"] == str(tmp_path / "near")
