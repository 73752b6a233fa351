"""Estimates of time and disk: from what was measured, for what is alike, and unknown elsewhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import write_json, write_text
from crossin.core.formats import MANIFEST
from crossin.experiments import rates
from crossin.experiments.estimates import (
    EARLIER,
    HERE,
    STEP,
    check_space,
    estimate_lines,
    estimates_of,
    span,
)
from crossin.experiments.jobs import Job
from crossin.experiments.rates import RATES, Rate, alike, note_rate, sizes_of, this_machine
from crossin.experiments.scheduling import run_jobs
from tests.helpers.errors import refused
from tests.helpers.made_up_jobs import job, run_made_up, two_arms


def finish(one: Job, out: Path, size: int = 0, **counts: int) -> Job:
    """Put a result of `size` bytes in a job's folder."""
    write_text(one.folder(out) / "data.txt", "x" * size)
    write_json(one.folder(out) / MANIFEST, {"counts": counts})
    return one


def compose(key: str, **size: int) -> Job:
    settings = {"recipe": {"components": [{"kind": "base", **size}]}, "data": "corpora"}
    return Job("compose", f"compose: {key}", settings, key)


def train(key: str, *needs: Job, model: str = "small", **settings: Any) -> Job:
    given = {"model": model, "mixture": f"${{{needs[0].key}}}" if needs else "rows.jsonl", **settings}
    return Job("train", f"train: {key}", given, key, needs)


def evaluate(key: str, *needs: Job, label: str = "facts", **settings: Any) -> Job:
    asked = {
        "evaluate": {"bench": [label], **settings},
        "model": "small",
        "training": "${t}",
        "bench": "${b}",
    }
    return Job("evaluate", f"evaluate: {key}", asked, key, needs)


def seconds_of(one: Job, out: Path, **options: Any) -> float | None:
    [found] = estimates_of([one], out, **options)
    return found.seconds


def test_nothing_measured_is_unknown(tmp_path: Path) -> None:
    [found] = estimates_of([train("a")], tmp_path)
    assert found.seconds is None and found.size_bytes is None


def test_a_finished_job_needs_no_estimate(tmp_path: Path) -> None:
    assert estimates_of([finish(train("a"), tmp_path)], tmp_path) == []


def test_the_same_job_with_another_seed_takes_as_long(tmp_path: Path) -> None:
    for key, seconds, size in (("a", 10.0, 300), ("b", 20.0, 100)):
        note_rate(finish(train(key, seed=1), tmp_path, size), tmp_path, seconds, at_once=1, cache=False)
    [found] = estimates_of([train("c", seed=2)], tmp_path)
    assert (found.seconds, found.basis) == (15.0, HERE)
    written = sum(path.stat().st_size for path in (tmp_path / "stages").glob("*/*"))
    assert found.size_bytes == written / 2


@pytest.mark.parametrize("unit", ["rows", "tokens"])
def test_a_training_on_twice_as_much_takes_twice_as_long_and_writes_as_much(
    tmp_path: Path, unit: str
) -> None:
    small, large = compose("small", **{unit: 100}), compose("large", **{unit: 200})
    note_rate(finish(train("a", small), tmp_path, 50), tmp_path, 10.0, at_once=1, cache=False)
    [found] = estimates_of([train("b", large)], tmp_path)
    assert found.seconds == pytest.approx(20) and found.basis == HERE
    assert found.size_bytes == estimates_of([train("c", small)], tmp_path)[0].size_bytes
    assert seconds_of(train("d", large, epochs=2), tmp_path) == pytest.approx(40)


def test_a_finished_mixture_is_as_large_as_its_manifest_says(tmp_path: Path) -> None:
    mixture = finish(compose("m", share=1), tmp_path, rows=70)
    assert sizes_of(train("a", mixture, epochs=2), tmp_path) == {"rows": 140}


def test_steps_at_most_are_the_size_of_a_training(tmp_path: Path) -> None:
    mixture = compose("m", rows=100)
    assert sizes_of(train("a", mixture, max_steps=5), tmp_path) == {"steps": 5}


def test_tokens_at_most_are_the_size_of_a_training(tmp_path: Path) -> None:
    mixture = compose("m", rows=100)
    assert sizes_of(train("a", mixture, max_tokens=700), tmp_path) == {"tokens": 700}


def test_an_evaluation_is_as_large_as_its_benchmark_or_its_limit(tmp_path: Path) -> None:
    bench = finish(Job("facts-bench", "bench", {}, "b"), tmp_path, items=120)
    training = compose("t")
    assert sizes_of(evaluate("a", training, bench), tmp_path) == {"items": 120}
    assert sizes_of(evaluate("a", bench, limit=8), tmp_path) == {"items": 8}


def test_another_benchmark_is_another_setting(tmp_path: Path) -> None:
    note_rate(finish(evaluate("a"), tmp_path), tmp_path, 10.0, at_once=1, cache=False)
    note_rate(finish(evaluate("b", label="mmlu"), tmp_path), tmp_path, 90.0, at_once=1, cache=False)
    assert (
        seconds_of(evaluate("c"), tmp_path) == 10 and seconds_of(evaluate("d", label="mmlu"), tmp_path) == 90
    )
    [found] = estimates_of([evaluate("e", label="new")], tmp_path)
    assert found.seconds == 50 and found.basis == f"{HERE}, with other settings"


def test_nothing_is_said_of_another_model_or_stage(tmp_path: Path) -> None:
    note_rate(finish(train("a"), tmp_path), tmp_path, 10.0, at_once=1, cache=True)
    assert seconds_of(train("b", model="large"), tmp_path) is None
    assert seconds_of(evaluate("c"), tmp_path) is None


def test_earlier_runs_on_this_machine_count_where_the_folder_has_none(
    tmp_path: Path, cache_of_its_own: Path
) -> None:
    note_rate(finish(train("a"), tmp_path / "one"), tmp_path / "one", 10.0, at_once=1, cache=True)
    [found] = estimates_of([train("b")], tmp_path / "two")
    assert (found.seconds, found.basis) == (10, EARLIER)
    # Like jobs there come before unlike ones here.
    unlike = finish(train("c", dtype="float16"), tmp_path / "two")
    note_rate(unlike, tmp_path / "two", 99.0, at_once=1, cache=False)
    assert seconds_of(train("b"), tmp_path / "two") == 10
    [line] = (cache_of_its_own / RATES).read_text().splitlines()
    write_text(cache_of_its_own / RATES, line.replace(this_machine(), "another") + "\n")
    assert seconds_of(train("b"), tmp_path / "three") is None


def test_jobs_that_ran_beside_as_many_others_are_preferred(tmp_path: Path) -> None:
    for key, seconds, at_once in (("a", 10.0, 1), ("b", 30.0, 4)):
        note_rate(finish(train(key), tmp_path), tmp_path, seconds, at_once=at_once, cache=False)
    assert [seconds_of(train("c"), tmp_path, at_once=n) for n in (1, 4, 2)] == [10, 30, 20]


def test_damaged_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    good = Rate("k", "train", "small", alike(train("a")), 10.0, 5)
    lines = ["{", '{"key": 1}', "[]", json.dumps(asdict(good)), '"cut']
    write_text(tmp_path / RATES, "\n".join(lines))
    assert seconds_of(train("a"), tmp_path) == 10


def test_the_file_of_rates_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MOST_BYTES", 2000)
    done = finish(train("a"), tmp_path)
    for number in range(40):
        note_rate(done, tmp_path, float(number), at_once=1, cache=False)
    lines = (tmp_path / RATES).read_text().splitlines()
    assert 1 <= len(lines) < 20 and json.loads(lines[-1])["seconds"] == 39


def test_jobs_that_ran_whole_leave_their_rates(tmp_path: Path, cache_of_its_own: Path) -> None:
    run_jobs(two_arms(error="for now"), tmp_path, run_made_up)
    noted = [json.loads(line)["key"] for line in (tmp_path / RATES).read_text().splitlines()]
    assert noted == ["facts-key", "mixture-a-key", "mixture-b-key", "tuned-b-key", "answers-b-key"]
    assert (cache_of_its_own / RATES).read_text() == (tmp_path / RATES).read_text()
    run_jobs(two_arms(), tmp_path, run_made_up)
    noted = [json.loads(line)["key"] for line in (tmp_path / RATES).read_text().splitlines()]
    assert noted[5:] == ["tuned-a-key", "answers-a-key"], "those found finished are not noted again"


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text(tmp_path / "file", "")
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "file"))
    assert len(run_jobs(two_arms(), tmp_path / "out", run_made_up).finished) == 7


def test_a_disk_without_the_room_is_an_error_before_the_first_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = job("a")
    run_jobs([one], tmp_path, run_made_up)
    left = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: left)
    with refused("disk has", "left", file=tmp_path, hint="free some space"):
        run_jobs([replace_key(one, "b")], tmp_path, run_made_up)
    check_space(estimates_of([one], tmp_path), tmp_path)


def replace_key(one: Job, key: str) -> Job:
    return replace(one, key=key)


def test_time_with_several_jobs_at_a_time_respects_what_they_need() -> None:
    first, second = job("first"), job("second")
    last = job("last", first, second)
    jobs = [first, second, last]
    seconds = {"first-key": 10.0, "second-key": 4.0, "last-key": 1.0}
    assert [span(seconds, jobs, count) for count in (1, 2, 3)] == [15, 11, 11]
    assert span({"last-key": 1.0}, jobs, 2) == 1 and span({}, jobs, 2) == 0


def test_the_lines_say_what_is_known_and_what_is_not(tmp_path: Path) -> None:
    mixture = compose("m", rows=10)
    for key in "ab":
        note_rate(finish(train(key, mixture), tmp_path, 500_000), tmp_path, 1800.0, at_once=1, cache=False)
    jobs = [train("a", mixture), train("c", mixture), train("d", mixture), evaluate("e"), compose("m2")]
    lines = estimate_lines(estimates_of(jobs, tmp_path), jobs, tmp_path, at_once=2)
    assert lines[0] == "1 of 5 jobs are finished"
    assert lines[1] == f"train: 2 jobs, 1:00:00 (from {HERE})"
    assert lines[2] == "evaluate: 1 job, time unknown until one has run"
    assert lines[4] == "time: at least 0:30:00, 2 jobs at a time"
    assert lines[5].startswith("disk: at least 1.0 MB; ")
    assert estimate_lines([], jobs, tmp_path) == ["all jobs are finished"]


def test_a_step_is_timed_where_nothing_is_known_but_model_and_mixture_are_there(
    tmp_path: Path, tiny_model: Path
) -> None:
    mixture = Job("facts", "rows", {}, "rows")
    rows = '{"prompt": "a", "completion": " b"}\n' * 32
    finish(mixture, tmp_path)
    write_text(mixture.folder(tmp_path) / "mixture.jsonl", rows)
    here = str(mixture.folder(tmp_path) / "mixture.jsonl")
    jobs = [
        Job(
            "train",
            "train",
            {"model": str(tiny_model), "mixture": here, "seed": seed},
            f"t{seed}",
            (mixture,),
        )
        for seed in (0, 1)
    ]
    found = estimates_of(jobs, tmp_path, measure=True)
    assert [one.basis for one in found] == [STEP, STEP] and found[0].seconds == found[1].seconds
    assert found[0].seconds is not None and found[0].seconds > 0
    assert found[0].size_bytes is None, "a step says nothing of the disk"
    assert seconds_of(jobs[0], tmp_path) is None, "unless it is asked for, nothing is loaded"
    elsewhere = Job("train", "train", {"model": "owner/not-there", "mixture": here}, "x", (mixture,))
    assert seconds_of(elsewhere, tmp_path, measure=True) is None, "nothing is downloaded"
