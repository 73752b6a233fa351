"""Logs of inspect_ai, written by inspect_ai itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crossin.core.hashing import hash64
from crossin.scoring.predictions import read_predictions
from crossin.scoring.scores import score
from tests.helpers.errors import refused
from tests.helpers.inspect_logs import (
    LANGUAGES,
    Record,
    accuracy,
    always,
    choice_records,
    edit_json,
    read_run,
    require_inspect,
    rewrite,
    run_task,
    some_choice,
)

require_inspect()
# Each runs a harness.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("log_format", ["eval", "json"])
def test_four_languages_give_the_accuracy_that_inspect_ai_reports(tmp_path: Path, log_format: Any) -> None:
    folder = tmp_path / "logs"
    theirs = {
        language: accuracy(
            run_task(folder, f"quiz_{language}", choice_records(language), some_choice, log_format=log_format)
        )
        for language in LANGUAGES
    }
    [found] = score(folder, draws=10)
    assert found.predictions.log.benchmark == "quiz"
    assert {x: found.choices[f"accuracy/{x}"].value for x in LANGUAGES} == theirs
    assert found.predictions.log.reported == {f"accuracy/{x}": value for x, value in theirs.items()}
    assert len(set(theirs.values())) > 1
    assert "consistency_2" in found.choices


def test_a_log_is_read_without_inspect_ai(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    run_task(folder, "quiz_en", choice_records("en"), some_choice)
    code = (
        "import sys; sys.modules['inspect_ai'] = None; sys.modules['zstandard'] = None\n"
        f"from crossin.scoring.predictions import read_predictions as read; print(read({str(folder)!r}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "8 items in en" in ran.stdout, ran.stderr


def test_choices_that_the_solver_shuffled_are_those_of_the_sample(tmp_path: Path) -> None:
    from inspect_ai.solver import multiple_choice

    def second_text(prompt: str) -> str:
        """The letter of the choice that ends in x, wherever the prompt lists it."""
        found = re.search(r"^([A-D])\) .*x$", prompt, re.MULTILINE)
        assert found is not None
        return f"ANSWER: {found[1]}"

    folder = tmp_path / "logs"
    for seed, language in enumerate(LANGUAGES):
        solver = multiple_choice(shuffle=Random(seed))
        run_task(folder, f"quiz_{language}", choice_records(language), second_text, solver=solver)
    assert {line["answer"] for line in read_run(folder).lines} == {"B"}
    [found] = read_predictions(folder)
    assert found.choices is not None
    assert (found.choices.answers == 1).all()


def test_choices_that_were_shuffled_differently_in_the_data_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for seed, language in enumerate(LANGUAGES):
        records = choice_records(language)
        run_task(folder, f"quiz_{language}", records, some_choice, loading={"shuffle_choices": seed})
    with refused("joined by", hint="one version"):
        read_run(folder)


def test_choices_that_were_shuffled_alike_in_the_data_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    logs = {
        x: run_task(folder, f"quiz_{x}", choice_records(x), some_choice, loading={"shuffle_choices": 3})
        for x in LANGUAGES
    }
    assert read_run(folder).reported == {f"accuracy/{x}": accuracy(log) for x, log in logs.items()}


def test_logs_of_older_versions_are_deflated(tmp_path: Path) -> None:
    log = run_task(tmp_path / "logs", "quiz_en", choice_records("en"), some_choice)
    before = read_run(tmp_path / "logs").lines
    rewrite(Path(log.location), lambda _, content: content)
    assert read_run(tmp_path / "logs").lines == before


def test_another_scorer_of_choices_gives_its_own_accuracy(tmp_path: Path) -> None:
    from inspect_ai.scorer import answer

    theirs = run_task(
        tmp_path / "logs", "quiz_en", choice_records("en", 12), some_choice, scorer=answer("letter")
    )
    [found] = score(tmp_path / "logs", draws=10)
    assert found.choices["accuracy/en"].value == accuracy(theirs, "answer")
    answers = {line["answer"] for line in found.predictions.log.lines}
    assert {"A", "B", "C", "D", None} == answers


def test_epochs_are_wordings(tmp_path: Path) -> None:
    replies = iter(range(1000))

    def by_turns(_: str) -> str:
        return f"ANSWER: {'ABCD'[hash64(next(replies)) % 4]}"

    theirs = {
        x: accuracy(run_task(tmp_path / "logs", f"quiz_{x}", choice_records(x), by_turns, epochs=3))
        for x in ("en", "de")
    }
    found = score(tmp_path / "logs", draws=10)
    assert [one.predictions.prompt for one in found] == ["epoch 1", "epoch 2", "epoch 3"]
    for language, value in theirs.items():
        ours = [one.choices[f"accuracy/{language}"].value or 0 for one in found]
        assert sum(ours) / 3 == pytest.approx(value, abs=1e-15)
        assert found[0].predictions.log.reported[f"accuracy/{language}"] == value


def test_free_text_has_all_targets_and_the_scores_of_inspect_ai(tmp_path: Path) -> None:
    from inspect_ai.scorer import f1, includes, match
    from inspect_ai.solver import generate

    def records(language: str) -> list[Record]:
        targets = [[f"{language} sea", "ocean"], "tree", ["stone"], "river"]
        return [
            {"id": place, "input": f"{language}: what is {place}?", "target": target}
            for place, target in enumerate(targets, start=1)
        ]

    def reply(prompt: str) -> str:
        return ("It is the ocean", "tree", "", "a stone river")[int(prompt[-2]) - 1]

    logs = {
        language: run_task(
            tmp_path / "logs",
            f"nature_{language}",
            records(language),
            reply,
            solver=generate(),
            scorer=[match(), includes(), f1()],
        )
        for language in ("en", "de")
    }
    log = read_run(tmp_path / "logs")
    asked = next(line for line in log.lines if (line["item"], line["language"]) == ("1", "en"))
    assert (asked["gold"], asked["aliases"]) == ("en sea", ["ocean"])
    for language, theirs in logs.items():
        for scorer, metric in (("match", "accuracy"), ("includes", "accuracy"), ("f1", "mean")):
            assert log.reported[f"{scorer}.{metric}/{language}"] == accuracy(theirs, scorer, metric)
    [found] = score(tmp_path / "logs", draws=10)
    assert found.texts["exact_match"].value == 0.25


def test_numbers_that_inspect_ai_compares_by_value_are_numbers(tmp_path: Path) -> None:
    from inspect_ai.scorer import match
    from inspect_ai.solver import generate

    for language in ("en", "de"):
        records = [{"id": n, "input": f"{language} {n}", "target": f"{n}000"} for n in range(1, 5)]
        run_task(
            tmp_path / "logs",
            f"sums_{language}",
            records,
            lambda prompt: f"It is {prompt[-1]},000.",
            solver=generate(),
            scorer=match(numeric=True),
        )
    [found] = score(tmp_path / "logs", draws=10)
    assert found.texts["exact_match"].value == 1
    assert found.predictions.log.reported == {"accuracy/en": 1, "accuracy/de": 1}


def test_an_answer_that_only_crossin_reads_stays_missing_and_is_counted(tmp_path: Path) -> None:
    theirs = run_task(tmp_path / "logs", "quiz_en", choice_records("en"), always("The answer is (B)."))
    log = read_run(tmp_path / "logs")
    assert {line["answer"] for line in log.lines} == {None}
    assert accuracy(theirs) == log.reported["accuracy/en"] == 0
    assert any("crossin reads one: 8" in note for note in log.notes)


def test_replies_of_a_log_without_scores_are_read(tmp_path: Path) -> None:
    run_task(tmp_path / "logs", "quiz_en", choice_records("en"), always("The answer is (B)."), score=False)
    assert {line["answer"] for line in read_run(tmp_path / "logs").lines} == {"B"}


def test_a_score_that_was_edited_counts(tmp_path: Path) -> None:
    from inspect_ai.log import ProvenanceData, edit_score, read_eval_log, recompute_metrics, write_eval_log
    from inspect_ai.scorer import ScoreEdit

    theirs = run_task(tmp_path / "logs", "quiz_en", choice_records("en"), always("ANSWER: A"))
    log = read_eval_log(theirs.location)
    edit_score(
        log, "q1", "choice", ScoreEdit(value="C", provenance=ProvenanceData(author="me", reason="why"))
    )
    recompute_metrics(log)
    write_eval_log(log, theirs.location)
    [found] = score(tmp_path / "logs", draws=10)
    assert found.choices["accuracy/en"].value == accuracy(log) == 3 / 8
    assert any("contradict" in note for note in found.predictions.log.notes)


def test_samples_that_failed_are_left_out_and_counted(tmp_path: Path) -> None:
    def failing(prompt: str) -> str:
        if "question 7?" in prompt:
            raise ValueError("out of order")
        return some_choice(prompt)

    theirs = {
        x: accuracy(
            run_task(tmp_path / "logs", f"quiz_{x}", choice_records(x, 12), reply, fail_on_error=False)
        )
        for x, reply in (("en", some_choice), ("de", failing))
    }
    [found] = score(tmp_path / "logs", draws=10)
    assert found.predictions.log.skipped == {"record_failed": 1}
    assert found.predictions.incomplete == {"q7": "de"}
    assert found.predictions.log.reported["accuracy/de"] == theirs["de"]
    assert found.choices["accuracy/de"].value == theirs["de"]


def test_half_of_a_file_is_refused(tmp_path: Path) -> None:
    file = Path(run_task(tmp_path / "logs", "quiz_en", choice_records("en"), some_choice).location)
    file.write_bytes(file.read_bytes()[:4000])
    with refused("not a whole .eval file", file=file.name):
        read_run(tmp_path / "logs")


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    file = Path(run_task(tmp_path / "logs", "quiz_en", choice_records("en"), some_choice).location)
    content = bytearray(file.read_bytes())
    place = content.index(b"samples/q0_epoch_1.json") + 300
    content[place : place + 8] = b"\0" * 8
    file.write_bytes(bytes(content))
    with refused("samples/q0_epoch_1.json", file=file.name):
        read_run(tmp_path / "logs")


def test_figures_that_the_samples_do_not_give_are_refused(tmp_path: Path) -> None:
    log = run_task(tmp_path / "logs", "quiz_en", choice_records("en"), always("ANSWER: A"), log_format="json")

    def change(content: Any) -> None:
        content["samples"][0]["scores"]["choice"]["value"] = "I"

    edit_json(Path(log.location), change)
    with refused("reports 0.25", "0.125", file=".json"):
        read_run(tmp_path / "logs")


def test_a_sample_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    log = run_task(tmp_path / "logs", "quiz_en", choice_records("en"), some_choice, log_format="json")
    edit_json(Path(log.location), lambda content: content["samples"].append(content["samples"][2]))
    with refused("'q2' occurs a second time", file=".json"):
        read_run(tmp_path / "logs")


def test_long_texts_and_samples_in_parts_are_read(tmp_path: Path) -> None:
    from inspect_ai.log._recorders.chunked.convert import convert_eval_logs_to_chunked

    long = "word " * 400
    for language in ("en", "ja"):
        records = [
            {
                **record,
                "id": f"part/{record['id']} {language}",
                "input": [{"role": "user", "content": f"{long}{record['input']}"}],
                "choices": [f"{one} {long}" for one in record["choices"]],
            }
            for record in choice_records(language)
        ]
        run_task(tmp_path / "logs", f"quiz_{language}", records, lambda prompt: long + some_choice(prompt))
    convert_eval_logs_to_chunked(str(tmp_path / "logs"), str(tmp_path / "parts"))
    whole, parts = read_run(tmp_path / "logs"), read_run(tmp_path / "parts")
    assert parts.lines == whole.lines
    assert parts.items == whole.items
    assert {line["item"] for line in whole.lines} == {f"part/q{number}" for number in range(8)}


def test_a_question_with_several_right_choices_is_left_out(tmp_path: Path) -> None:
    from inspect_ai.solver import multiple_choice

    records = choice_records("en", 12)
    records[5]["target"] = ["A", "C"]
    run_task(
        tmp_path / "logs", "quiz_en", records, some_choice, solver=multiple_choice(multiple_correct=True)
    )
    log = read_run(tmp_path / "logs")
    assert (len(log.lines), log.skipped) == (11, {"several_right": 1})
