"""Logs of inspect_ai, written by inspect_ai itself."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from crossin.core.hashing import hash64
from crossin.logs.answers import LoggedAnswers
from crossin.logs.find import find_logs, read_logs
from crossin.scoring.predictions import read_predictions
from crossin.scoring.scores import score
from tests.helpers.inspect_logs import LANGUAGES, accuracy, choice_records, require_inspect, run_task

require_inspect()


def read(*paths: Path) -> LoggedAnswers:
    """The only stored answers in files or folders."""
    [run] = find_logs(paths)
    [log] = read_logs(run)
    return log


def some_choice(prompt: str) -> str:
    """A reply that names a choice, by its letter in the prompt's list; to some prompts none."""
    drawn = hash64(prompt) % 5
    return "I would rather not say." if drawn == 4 else f"ANSWER: {'ABCD'[drawn]}"


@pytest.mark.parametrize("log_format", ["eval", "json"])
def test_four_languages_give_the_accuracy_that_inspect_ai_reports(tmp_path: Path, log_format: str) -> None:
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
    log = read(folder)
    assert {line["answer"] for line in log.lines} == {"B"}
    [found] = read_predictions(folder)
    assert found.choices is not None
    assert (found.choices.answers == 1).all()
