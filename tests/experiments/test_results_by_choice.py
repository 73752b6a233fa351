"""Differences by each choice between options, from stored log-probabilities, as an evaluation decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import write_json
from crossin.evaluation.answers import scored_row, write_answers
from crossin.evaluation.engine import Scores
from crossin.experiments.marks import depends_on_choice
from crossin.experiments.results import computed
from crossin.items import Form, Item, questions
from crossin.items.item import write_items
from crossin.items.scored_options import Choice
from crossin.logs.choices import CHOICES, answers_by_choice, choice_of
from crossin.metrics.bootstrap import Figure
from crossin.metrics.reading import read_answers
from crossin.scoring.predictions import read_predictions
from tests.helpers.experiment_folders import write_answers_of, write_experiment
from tests.helpers.report_data import draw

NAMES = {"en": ["Oder", "Danube", "Mississippi", "Po"], "th": ["แม่น้ำโขง", "ปิง", "เจ้าพระยา", "น่าน"]}


def river_items(gap: str = "") -> list[Item]:
    return [
        Item(
            item=f"r{number}",
            group=f"g{number}",
            task="rivers",
            language=language,
            context="",
            question=f"Number {number} is {gap} here." if gap else f"Which river is {number}?",
            options=names if number % 2 else names[::-1],
            option_ids=list("abcd"),
            answer="abcd"[number % 4],
            source="made for a test",
            licence="CC0",
            gap=gap,
        )
        for number in range(12)
        for language, names in NAMES.items()
    ]


def asked(folder: Path, items: list[Item], form: Form, choice: Choice) -> Path:
    """What `crossin evaluate` stores with this choice, of a model that knows nothing."""
    rows = []
    for question in questions(items, form):
        key = (question.item.item, question.item.language)
        logprobs: list[float | None] = [-20 * draw(*key, place) for place in range(4)]
        tokens = [1 + int(9 * draw("tokens", *key, place)) for place in range(4)]
        rows.append(scored_row(question, Scores(logprobs, tokens), None, choice))
    folder.mkdir(parents=True)
    write_answers(folder / "answers.parquet", rows)
    write_items(folder / "items.parquet", items)
    settings = {"name": "a model", "choice": choice, "form": form.model_dump(mode="json")}
    write_json(folder / "manifest.json", {"settings": settings})
    return folder


@pytest.mark.parametrize("gap", ["", "___"])
@pytest.mark.parametrize("chat", [False, True])
def test_each_choice_decides_as_an_evaluation_with_it(tmp_path: Path, gap: str, chat: bool) -> None:
    form, items = Form(chat=chat), river_items(gap)
    stored = read_predictions(asked(tmp_path / "byte", items, form, "byte"))[0]
    assert choice_of(stored) == "byte"
    found = answers_by_choice(stored)
    expected = {
        choice: read_answers(asked(tmp_path / f"by-{choice}", items, form, choice)) for choice in CHOICES
    }
    assert {choice: found[choice].answers.tolist() for choice in CHOICES} == {
        choice: table.answers.tolist() for choice, table in expected.items()
    }
    # The three differ, or nothing would be tested.
    assert len({str(table.answers.tolist()) for table in found.values()}) == 3


def test_letters_and_replies_have_no_choice(tmp_path: Path) -> None:
    letters = read_predictions(asked(tmp_path / "letters", river_items(), Form(kind="letters"), "sum"))[0]
    replies = read_predictions(write_answers_of(tmp_path / "replies", {"en": 0.5}, name="x", free=True))[0]
    for found in (letters, replies):
        assert choice_of(found) == ""
        assert answers_by_choice(found) == {}


def test_answers_without_log_probabilities_are_counted_in_a_note(tmp_path: Path) -> None:
    out = write_experiment(tmp_path, {"a": lambda _: {"en": 0.4}, "b": lambda _: {"en": 0.6}}, seeds=[0])
    folder = tmp_path / "stages" / "evaluate-b-0"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    write_answers_of(folder, {"en": 0.6}, name="b 0", stored=False)
    results = computed(out, draws=50)
    assert {row["choice"] for row in results.rows if row["arm"] == "a"} == {"sum", "token", "byte"}
    apart = [row for row in results.rows if row["less"] and row["figure"] == "accuracy"]
    assert {row["depends"] for row in apart} == {None}
    assert any("1 of 2 runs lack log-probabilities" in note for note in results.notes)


def lengthy(bonus: float) -> Any:
    """Log-probabilities of a model whose right options are long: a `bonus` for each of their bytes."""

    def logprobs(language: str, number: int, gold: int) -> list[float]:
        wrong = [-4.0 - draw("wrong", language, number, place) for place in range(4)]
        return [(-12.0 + bonus) if place == gold else wrong[place] for place in range(4)]

    return logprobs


def test_a_gain_that_only_one_choice_shows_depends_on_it(tmp_path: Path) -> None:
    # The right option is long. By byte both models choose it; by its probability only the tuned one does.
    def texts(number: int, language: str) -> list[str]:
        gold = int(4 * draw("gold", "", number))
        return [
            "a very long name of a river, which goes on" if place == gold else f"R{place}"
            for place in range(4)
        ]

    for seed in (0, 1, 2):
        for arm, bonus in (("base", 0.0), ("tuned", 11.0)):
            write_answers_of(
                tmp_path / "stages" / f"evaluate-{arm}-{seed}",
                {"en": 0.5, "es": 0.5},
                name=f"{arm} {seed}",
                texts=texts,
                logprobs=lengthy(bonus),
            )
    nothing = {"base": lambda _: {"en": 0.0}, "tuned": lambda _: {"en": 0.0}}
    results = computed(write_experiment(tmp_path, nothing), draws=200)
    rows = {
        row["choice"]: row
        for row in results.rows
        if row["less"] and row["figure"] == "accuracy" and row["language"] is None
    }
    assert rows["sum"]["value"] == 1
    assert rows["byte"]["value"] == 0
    assert all(row["depends"] for row in rows.values())
    assert [row["main"] for row in rows.values()] == [True, False, False]


def test_the_same_gain_by_every_choice_does_not_depend_on_it(tmp_path: Path) -> None:
    arms = {"base": lambda _: {"en": 0.3, "es": 0.3}, "tuned": lambda _: {"en": 0.8, "es": 0.8}}
    # Names of four letters each: all choices are the same.
    results = computed(
        write_experiment(tmp_path, arms, seeds=[0], texts=lambda *_: ["Oder", "Elbe", "Arno", "Ebro"]),
        draws=100,
    )
    apart = [row for row in results.rows if row["less"]]
    assert {row["depends"] for row in apart} == {False}
    assert {row["choice"] for row in apart} == {"sum", "token", "byte"}


GAIN, LOSS = Figure(0.1, 0.05, 0.15, 0.01), Figure(-0.1, -0.15, -0.05, 0.01)
SMALL, SMALL_LOSS = Figure(0.02, -0.05, 0.09, 0.6), Figure(-0.02, -0.09, 0.05, 0.6)
NOTHING = Figure(0.0, -0.02, 0.02, 1.0)


@pytest.mark.parametrize(
    ("found", "depends"),
    [
        ([GAIN, GAIN, GAIN], False),
        ([GAIN, SMALL, GAIN], True),
        ([GAIN, LOSS, GAIN], True),
        ([SMALL, SMALL_LOSS, SMALL], True),
        ([SMALL, NOTHING, SMALL], False),
        ([NOTHING, NOTHING, NOTHING], False),
    ],
)
def test_sign_and_significance_decide(found: list[Figure], depends: bool) -> None:
    by_choice: dict[str, tuple[Figure, float | None]] = {}
    for choice, figure in zip(CHOICES, found, strict=True):
        by_choice[choice] = figure, figure.p
    assert depends_on_choice(by_choice) is depends


def test_arms_that_chose_in_several_ways_are_also_compared_by_each(tmp_path: Path) -> None:
    form, items = Form(), river_items()
    chosen: dict[str, Choice] = {"by-sum": "sum", "by-byte": "byte"}
    for arm, choice in chosen.items():
        asked(tmp_path / "stages" / f"evaluate-{arm}-0", items, form, choice)
    nothing = {"by-sum": lambda _: {"en": 0.0}, "by-byte": lambda _: {"en": 0.0}}
    results = computed(write_experiment(tmp_path, nothing, seeds=[0]), draws=100)
    apart = {
        row["choice"]: row["value"]
        for row in results.rows
        if row["less"] and row["figure"] == "accuracy" and row["language"] is None
    }
    # The same log-probabilities: only as they were evaluated do the two differ.
    assert {name: value for name, value in apart.items() if name} == {"sum": 0, "token": 0, "byte": 0}
    assert apart[None] != 0
    assert any("in several ways (byte, sum)" in note for note in results.notes)
