"""Which logs of inspect_ai are one run, in which languages; the logs are written by inspect_ai itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.scoring.predictions import read_predictions
from crossin.scoring.scores import score
from tests.helpers.errors import refused
from tests.helpers.inspect_logs import (
    LANGUAGES,
    accuracy,
    choice_records,
    read_run,
    require_inspect,
    rewrite,
    run_task,
    some_choice,
)

require_inspect()
# Each runs a harness.
pytestmark = pytest.mark.slow


def test_one_file_stands_for_the_run_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    logs = [run_task(folder, f"quiz_{x}", choice_records(x), some_choice) for x in LANGUAGES]
    run_task(folder, "other_en", choice_records("en"), some_choice)
    [found] = read_predictions(Path(logs[2].location))
    assert set(found.languages) == set(LANGUAGES)


def test_named_files_are_the_whole_run(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    logs = [run_task(folder, f"quiz_{x}", choice_records(x), some_choice) for x in LANGUAGES]
    log = read_run(*(Path(log.location) for log in logs[:2]))
    assert {line["language"] for line in log.lines} == {"en", "de"}


def test_the_language_may_be_an_argument_of_the_task(tmp_path: Path) -> None:
    from inspect_ai import Task, eval, task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import choice
    from inspect_ai.solver import multiple_choice

    @task  # type: ignore[untyped-decorator, unused-ignore]
    def quiz(lang: str) -> Task:
        samples = [Sample(**record) for record in choice_records(lang)]
        return Task(dataset=MemoryDataset(samples), solver=multiple_choice(), scorer=choice())

    output = ModelOutput.from_content("mockllm/model", "ANSWER: C")
    output.usage = ModelUsage()
    for lang in ("English", "deu_Latn"):
        model = get_model("mockllm/model", custom_outputs=[output] * 8, memoize=False)
        eval(quiz(lang), model=model, log_dir=str(tmp_path), display="none")
    log = read_run(tmp_path)
    assert (log.benchmark, {line["language"] for line in log.lines}) == ("quiz", {"en", "de"})


def test_the_language_may_be_in_the_metadata_of_the_run(tmp_path: Path) -> None:
    for language in ("en", "de"):
        run_task(
            tmp_path / "logs", "quiz", choice_records(language), some_choice, metadata={"language": language}
        )
    assert {line["language"] for line in read_run(tmp_path / "logs").lines} == {"en", "de"}


@pytest.mark.parametrize("linked", ["id", "metadata"])
def test_a_log_may_hold_all_languages(tmp_path: Path, linked: str) -> None:
    records = [
        {**record, "language": x, "id": f"{record['id']}_{x}", "item": record["id"]}
        for x in LANGUAGES
        for record in choice_records(x)
    ]
    if linked == "metadata":
        records = [{**record, "id": str(place)} for place, record in enumerate(records)]
    theirs = run_task(tmp_path / "logs", "quiz", records, some_choice)
    [found] = score(tmp_path / "logs", draws=10)
    assert {line["item"] for line in found.predictions.log.lines} == {f"q{number}" for number in range(8)}
    assert found.choices["accuracy"].value == accuracy(theirs)


def test_samples_of_several_languages_that_nothing_links_are_refused(tmp_path: Path) -> None:
    records = [{**record, "language": x} for x in LANGUAGES for record in choice_records(x)]
    records = [{**record, "id": f"s{place}"} for place, record in enumerate(records)]
    run_task(tmp_path / "logs", "quiz", records, some_choice)
    with refused("same question", field="id", hint="metadata `item`"):
        read_run(tmp_path / "logs")


def test_a_log_that_names_no_language_is_refused(tmp_path: Path) -> None:
    run_task(tmp_path / "logs", "quiz", choice_records("en"), some_choice)
    with refused("names no language", hint="--metadata language"):
        read_run(tmp_path / "logs")


def test_a_log_that_names_no_language_is_counted_beside_others(tmp_path: Path) -> None:
    run_task(tmp_path / "logs", "gsm8k", choice_records("en"), some_choice)
    run_task(tmp_path / "logs", "quiz_en", choice_records("en"), some_choice)
    assert read_run(tmp_path / "logs").skipped == {"no_language:gsm8k": 8}


def test_a_run_that_was_broken_off_is_refused(tmp_path: Path) -> None:
    def failing(prompt: str) -> str:
        if "question 3?" in prompt:
            raise ValueError("out of order")
        return some_choice(prompt)

    records = choice_records("de", 12)
    run_task(tmp_path / "logs", "quiz_de", records, failing, max_samples=1, fail_on_error=True)
    with refused("of 12 de samples", "not in the log", file=".eval", hint="finish the run"):
        read_run(tmp_path / "logs")


def test_a_log_that_is_still_being_written_is_refused(tmp_path: Path) -> None:
    log = run_task(tmp_path / "logs", "quiz_en", choice_records("en"), some_choice)
    rewrite(Path(log.location), lambda name, content: content if name < "samples/q3" else None)
    with refused("5, asked, and not in the log", file=".eval"):
        read_run(tmp_path / "logs")


def test_a_run_that_failed_gives_way_to_the_one_that_ended(tmp_path: Path) -> None:
    def failing(_: str) -> str:
        raise ValueError("out of order")

    run_task(tmp_path / "logs", "quiz_en", choice_records("en"), failing)
    run_task(tmp_path / "logs", "quiz_en", choice_records("en"), some_choice)
    log = read_run(tmp_path / "logs")
    assert len(log.lines) == 8
    assert any("left out: its run ended as 'error'" in note for note in log.notes)


def test_a_language_twice_is_refused_and_read_from_two_folders(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        for language in ("en", "de"):
            run_task(tmp_path / "logs" / folder, f"quiz_{language}", choice_records(language), some_choice)
    assert len(score(tmp_path / "logs", draws=10)) == 2
    run_task(tmp_path / "logs" / "one", "quiz_en", choice_records("en"), some_choice)
    with refused("second time", hint="folders of their own"):
        read_run(tmp_path / "logs" / "one")


def test_runs_of_other_settings_are_several(tmp_path: Path) -> None:
    for temperature in (0.0, 1.0):
        for language in ("en", "de"):
            records = choice_records(language)
            run_task(tmp_path / "logs", f"quiz_{language}", records, some_choice, temperature=temperature)
    found = score(tmp_path / "logs", draws=10)
    assert {one.predictions.log.settings["temperature"] for one in found} == {0, 1}


def test_languages_of_other_settings_are_refused(tmp_path: Path) -> None:
    for language, temperature in (("en", 0.0), ("de", 1.0)):
        records = choice_records(language)
        run_task(tmp_path / "logs", f"quiz_{language}", records, some_choice, temperature=temperature)
    with refused("temperature", field="temperature", hint="same settings"):
        read_run(tmp_path / "logs")


def test_two_models_are_two_runs(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for language in ("en", "de"):
        run_task(folder, f"quiz_{language}", choice_records(language), some_choice)
        other = run_task(folder, f"quiz_{language}", choice_records(language), some_choice)

        def as_other(name: str, content: Any) -> Any:
            if name == "header.json":
                content["eval"]["model"] = "mockllm/other"
            return content

        rewrite(Path(other.location), as_other)
    assert {one.predictions.model for one in score(folder, draws=10)} == {"mockllm/model", "mockllm/other"}


def test_questions_that_are_not_parallel_are_refused(tmp_path: Path) -> None:
    for language, shift in (("en", 0), ("de", 1)):
        records = choice_records(language, 8 + shift)[shift:]
        records = [{**record, "id": f"q{number}"} for number, record in enumerate(records)]
        run_task(tmp_path / "logs", f"quiz_{language}", records, some_choice)
    with refused("joined by", file=".eval"):
        read_run(tmp_path / "logs")
