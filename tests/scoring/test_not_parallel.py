"""Benchmarks whose languages have items of their own: accuracy by language, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.compute
import pyarrow.parquet
import pytest

from crossin.core.files import write_parquet
from crossin.evaluation import Form, HfEngine, ask_bench
from crossin.items import Item
from crossin.reports.make import report
from crossin.scoring.comparison import compare
from crossin.scoring.scores import Score, score, wordings
from crossin.scoring.values import comparison_values, score_values
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.report_data import write_run
from tests.helpers.small_bench import GOLD, items, replies, right_reply, write_bench, write_replies


def own_items() -> list[Item]:
    """The small items under names of their language, but for Thai, which has `sky` and `name` alone."""
    return [
        replace(item, item=f"{item.item} {item.language}", group=f"{item.group} {item.language}")
        for item in items()
        if item.language != "th" or item.item in ("sky", "name")
    ]


def own_replies(changed: Mapping[str, str | None] = {}, **more: Any) -> list[dict[str, Any]]:
    """Right replies to all of them, but for those `changed`."""
    return [
        {
            "item": item.item,
            "language": item.language,
            "reply": changed.get(item.item, right_reply(item)),
            **more,
        }
        for item in own_items()
    ]


def scored(folder: Path, lines: list[dict[str, Any]]) -> list[Score]:
    return score(
        [write_replies(folder / "mine.jsonl", lines)], bench=write_bench(folder / "bench", own_items())
    )


def test_each_language_has_the_accuracy_of_its_own_items(tmp_path: Path) -> None:
    [made] = scored(tmp_path, own_replies({"sky de": "rot", "coal en": None, "name th": "?"}))
    values = {name: round(figure.value, 6) for name, figure in made.choices.items()}
    assert values == {
        "accuracy/en": round(2 / 3, 6),
        "accuracy/de": round(2 / 3, 6),
        "accuracy/th": 1,
        "accuracy": round(7 / 9, 6),
        "missing/en": round(1 / 3, 6),
        "missing/de": 0,
        "missing/th": 0,
        "missing": round(1 / 9, 6),
    }
    low, high = made.choices["accuracy/de"].low, made.choices["accuracy/de"].high
    assert 0 <= low < 2 / 3 < high <= 1
    assert [made.texts[f"exact_match/{x}"].value for x in ("en", "de", "th")] == [1, 1, 0]
    assert made.texts["chrf/de"].value == pytest.approx(100)
    assert made.texts["chrf/th"].value == 0
    assert score_values(made)["parallel"] is False
    assert score_values(made)["items_by_language"] == {"en": 4, "de": 4, "th": 2}


def test_the_figures_are_those_of_each_language_alone(tmp_path: Path) -> None:
    lines = own_replies({"sky de": "rot", "coal en": None, "name de": "Vienna", "name th": "Vienna"})
    [together] = scored(tmp_path, lines)
    for language in ("en", "de", "th"):
        alone = [line for line in lines if line["language"] == language]
        [one] = score([write_replies(tmp_path / "alone.jsonl", alone)], bench=tmp_path / "bench")
        for name in ("accuracy", "missing"):
            assert together.choices[f"{name}/{language}"].value == one.choices[f"{name}/{language}"].value
        for name in ("exact_match", "f1", "chrf", "fidelity", "undecided", "missing"):
            ours, theirs = (found.texts[f"{name}/{language}"].value for found in (together, one))
            assert ours == pytest.approx(theirs, nan_ok=True)


def test_a_task_has_the_languages_that_have_items_of_it(tmp_path: Path) -> None:
    asked = [replace(item, task="dark" if item.item == "coal de" else item.task) for item in own_items()]
    [made] = score(
        [write_replies(tmp_path / "mine.jsonl", own_replies({"coal de": "rot"}))],
        bench=write_bench(tmp_path / "bench", asked),
    )
    assert {name: figure.value for name, figure in made.by_task["dark"].items()} == {
        "accuracy/de": 0,
        "accuracy": 0,
        "missing/de": 0,
        "missing": 0,
    }
    assert made.by_task["colour"]["accuracy"].value == 1


def test_wordings_agree_over_the_items_of_a_language(tmp_path: Path) -> None:
    lines = [*own_replies(prompt="a"), *own_replies({"sky en": "red"}, prompt="b")]
    [found] = wordings(scored(tmp_path, lines))
    same = {name: figure.value for name, figure in found.agreement.items()}
    assert same["wording_agreement/en"] == pytest.approx(2 / 3)
    assert (same["wording_agreement/de"], same["wording_agreement/th"]) == (1, 1)


def test_an_item_that_lacks_a_wording_is_left_out(tmp_path: Path) -> None:
    lines = [*own_replies(prompt="a"), *own_replies(prompt="b")[1:]]
    for made in scored(tmp_path, lines):
        assert made.predictions.incomplete == {"sky en": "en"}


def test_two_models_are_compared_language_by_language(tmp_path: Path) -> None:
    worse = own_replies({"sky de": "rot", "coal de": "rot", "name en": "Berlin"})
    made = compare(
        write_replies(tmp_path / "ours.jsonl", own_replies()),
        write_replies(tmp_path / "theirs.jsonl", worse[::-1]),
        bench=write_bench(tmp_path / "bench", own_items()),
    )
    assert made.choices is not None
    assert made.texts is not None
    assert made.choices.difference["accuracy/de"].value == pytest.approx(2 / 3)
    assert made.choices.difference["accuracy"].value == pytest.approx(2 / 9)
    assert made.texts.difference["exact_match/en"].value == 1
    assert made.p == {"en": 1, "de": pytest.approx(0.5), "th": 1}
    assert comparison_values(made)["ours"]["parallel"] is False


def test_the_commands_say_in_words_what_there_is_not(tmp_path: Path) -> None:
    write_bench(tmp_path / "bench", own_items())
    path = write_replies(tmp_path / "mine.jsonl", own_replies({"sky de": "rot"}))
    shown = crossin("score", path, "--bench", tmp_path / "bench", "--details").stdout
    assert "mine: 10 items in 3 languages" in shown
    assert "one language only (en 4, de 4, th 2)" in shown
    assert "consistency, AC3, kappa, RankC and transfer need the same items in every language" in shown
    assert "consistency_" not in shown
    [german] = [line for line in shown.splitlines() if line.startswith(" de") and ".67" in line]
    assert "German" in german
    compared = crossin("compare", path, path, "--bench", tmp_path / "bench").stdout
    assert compared.count("need the same items in every language") == 2


def test_replies_to_a_parallel_benchmark_in_one_language_each_are_refused(tmp_path: Path) -> None:
    languages = dict(zip((*GOLD, "name"), ("en", "de", "th", "en"), strict=True))
    lines = [line for line in replies() if languages[line["item"]] == line["language"]]
    path = write_replies(tmp_path / "mine.jsonl", lines)
    with refused("one language only", file=path, field="language"):
        score([path], bench=write_bench(tmp_path / "bench"))


def test_some_shared_items_are_a_parallel_benchmark_as_before(tmp_path: Path) -> None:
    asked = [item for item in items() if item.item in ("sky", "name") or item.language == "en"]
    lines = [line for line in replies() if line["item"] in ("sky", "name") or line["language"] == "en"]
    [made] = score(
        [write_replies(tmp_path / "mine.jsonl", lines)], bench=write_bench(tmp_path / "bench", asked)
    )
    assert made.predictions.parallel
    assert made.predictions.incomplete == {"grass": "de", "coal": "de"}
    assert "consistency_3" in made.choices


def test_a_model_is_asked_and_scored(tmp_path: Path, tiny_model: Path) -> None:
    bench = write_bench(tmp_path / "bench", [item for item in own_items() if item.options])
    stage = ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", form=Form(kind="text"))
    [made] = score([stage.folder])
    assert not made.predictions.parallel
    assert {name for name in made.choices if name.startswith("accuracy")} == {
        "accuracy",
        "accuracy/en",
        "accuracy/de",
        "accuracy/th",
    }
    assert not any(name.startswith("rankc") for name in made.choices)


def run_of_own_items(folder: Path, arm: str, skill: dict[str, float]) -> Path:
    """An evaluation that asked each item in one language: in turns."""
    write_run(folder, arm, skill)
    languages = list(skill)
    for name in ("answers.parquet", "items.parquet"):
        table = pyarrow.parquet.read_table(folder / name)
        turns = [languages[int(item.as_py()[-3:]) % len(languages)] for item in table["item"]]
        write_parquet(
            folder / name, table.filter(pyarrow.compute.equal(table["language"], pyarrow.array(turns)))
        )
    return folder


def test_a_report_has_accuracy_by_language_and_says_what_it_lacks(tmp_path: Path) -> None:
    runs = {
        "base": run_of_own_items(tmp_path / "base", "base", {"en": 0.6, "vi": 0.3, "th": 0.3}),
        "tuned": run_of_own_items(tmp_path / "tuned", "tuned", {"en": 0.6, "vi": 0.6, "th": 0.6}),
    }
    made = report(runs, tmp_path / "report.html", draws=200)
    assert made.summary.sizes == []
    assert made.summary.rows[:4] == ["accuracy/en", "accuracy/vi", "accuracy/th", "accuracy"]
    page = made.page.read_text(encoding="utf-8")
    assert "Each question was asked in one language only" in page
    assert "consistency_2" not in made.summary.by_arm["base"]
    crossin("report", *(f"{name}={place}" for name, place in runs.items()), "--out", tmp_path / "two.html")
