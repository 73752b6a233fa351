"""lm-evaluation-harness itself asks its own multilingual tasks, and crossin reads what it logged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossin.metrics.texts import exact_match
from crossin.scoring.scores import Score, score
from tests.helpers.lm_eval_runs import run_lm_eval, write_task

COUNT = 12
XCOPA = ("et", "it", "sw", "th")
BELEBELE = {"eng_Latn": "en", "deu_Latn": "de", "vie_Latn": "vi", "zho_Hans": "zh"}
MGSM = {
    "de": "Frage: Wie viel ist",
    "en": "Question: How much is",
    "fr": "Question: Combien font",
    "ru": "Вопрос: Сколько",
}
GLOBAL_MMLU = ("de", "en", "es", "fr")
PAWS = {"de": "Das ist", "en": "This is", "es": "Esto es", "fr": "C'est"}
WINOGRAD = {"en": "The cup and the plate fell; the _ broke.", "jp": "コップと皿が落ちて、_が割れた。"}


def rows(family: str, language: str) -> Iterator[dict[str, Any]]:
    """The rows of a language; golds vary, and belebele has another order in each language."""
    for number in range(COUNT):
        gold = (number * 7 + number // 3) % 4
        if family == "xcopa":
            yield {
                "premise": f"{language} {number} p.",
                "choice1": f"{language} a{number}.",
                "choice2": f"{language} bb{number}.",
                "question": "cause" if number % 2 else "effect",
                "label": gold % 2,
                "idx": number,
                "changed": False,
            }
        elif family == "belebele":
            turned = (number + len(language)) % COUNT
            gold = (turned * 7 + turned // 3) % 4
            yield {
                "link": f"https://example.org/{turned // 2}",
                "question_number": turned % 2 + 1,
                "flores_passage": f"{language} passage {turned // 2}",
                "question": f"{language} question {turned}?",
                **{f"mc_answer{one}": f"{language} {turned} {'abcd'[one - 1] * one}" for one in range(1, 5)},
                "correct_answer_num": str(gold + 1),
                "dialect": language,
                "ds": "2023-05-03",
            }
        elif family == "mgsm":
            question = f"{MGSM[language]} {number} + {gold}?"
            yield {
                "question": question,
                "answer": None,
                "answer_number": number + gold,
                "equation_solution": None,
            }
        elif family == "global_mmlu":
            yield {
                "sample_id": f"law/test/{number}",
                "subject": "law",
                "subject_category": "STEM" if number % 3 else "Humanities",
                "question": f"{language} {number}?",
                **{f"option_{letter}": f"{language} {letter}{number}" for letter in "abcd"},
                "answer": "ABCD"[gold],
            }
        elif family == "paws":
            label = gold % 2
            yield {
                "id": number + 1,
                "sentence1": f"{PAWS[language]} {number}",
                "sentence2": f"{PAWS[language]} {number + label}",
                "label": label,
            }
        else:
            for_one = f"{number} {WINOGRAD[language]}"
            yield {"sentence": for_one, "option1": "cup", "option2": "plate", "answer": str(gold % 2 + 1)}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """Logs of six families, two calls of lm_eval."""
    pytest.importorskip("lm_eval")
    place = tmp_path_factory.mktemp("own_tasks")
    tasks = {f"xcopa_{x}": (f"xcopa/default_{x}.yaml", "xcopa", x) for x in XCOPA}
    tasks |= {f"belebele_{x}": (f"belebele/belebele_{x}.yaml", "belebele", x) for x in BELEBELE}
    tasks |= {f"mgsm_direct_{x}": (f"mgsm/direct/mgsm_direct_{x}.yaml", "mgsm", x) for x in MGSM}
    for x in GLOBAL_MMLU:
        for subject in ("stem", "humanities"):
            name = f"global_mmlu_{x}_{subject}"
            tasks[name] = (f"global_mmlu/default/{x}/{name}.yaml", "global_mmlu", x)
    tasks |= {f"paws_{x}": (f"paws-x/paws_{x}.yaml", "paws", x) for x in PAWS}
    tasks |= {f"xwinograd_{x}": (f"xwinograd/xwinograd_{x}.yaml", "xwinograd", x) for x in WINOGRAD}
    for name, (source, family, language) in tasks.items():
        write_task(place, name, source, list(rows(family, language)))
    names = list(tasks)
    generation = ("--gen_kwargs", "max_gen_toks=8")
    run_lm_eval(place, tiny_model, names[::2], *generation)
    return run_lm_eval(place, tiny_model, names[1::2], *generation)


@pytest.fixture(scope="module")
def scores(logs: Path) -> dict[str, Score]:
    """By benchmark."""
    return {one.predictions.log.benchmark: one for one in score(logs, draws=10)}


def results(logs: Path) -> dict[str, dict[str, float]]:
    """The harness's own figures, by task."""
    found: dict[str, dict[str, float]] = {}
    for file in logs.glob("results_*.json"):
        found |= json.loads(file.read_text(encoding="utf-8"))["results"]
    return found


@pytest.mark.slow
def test_every_family_is_one_run_of_one_model(scores: dict[str, Score]) -> None:
    asked = {name: (one.predictions.model, set(one.predictions.languages)) for name, one in scores.items()}
    assert asked == {
        "xcopa": ("tiny", set(XCOPA)),
        "belebele": ("tiny", set(BELEBELE.values())),
        "mgsm_direct": ("tiny", set(MGSM)),
        "global_mmlu": ("tiny", set(GLOBAL_MMLU)),
        "paws": ("tiny", set(PAWS)),
        "xwinograd": ("tiny", {"en", "ja"}),
    }


@pytest.mark.parametrize(
    ("family", "tasks"),
    [
        ("xcopa", {x: f"xcopa_{x}" for x in XCOPA}),
        ("belebele", {code: f"belebele_{x}" for x, code in BELEBELE.items()}),
        ("paws", {x: f"paws_{x}" for x in PAWS}),
        ("xwinograd", {"en": "xwinograd_en", "ja": "xwinograd_jp"}),
    ],
)
@pytest.mark.slow
def test_accuracy_is_the_harness_own_to_the_last_digit(
    scores: dict[str, Score], logs: Path, family: str, tasks: dict[str, str]
) -> None:
    found, own = scores[family], results(logs)
    for language, task in tasks.items():
        assert found.choices[f"accuracy/{language}"].value == own[task]["acc,none"]
        assert found.predictions.log.reported[f"acc/{language}"] == own[task]["acc,none"]
    assert found.predictions.log.skipped == {}
    # A tiny model is right now and then: neither never nor always.
    assert any(0 < own[task]["acc,none"] < 1 for task in tasks.values())


@pytest.mark.slow
def test_subtasks_of_a_language_are_scored_together_and_each_alone(
    scores: dict[str, Score], logs: Path
) -> None:
    found, own = scores["global_mmlu"], results(logs)
    assert found.predictions.items == COUNT
    for language in GLOBAL_MMLU:
        for subject in ("stem", "humanities"):
            figure = found.by_task[subject][f"accuracy/{language}"]
            assert figure.value == own[f"global_mmlu_{language}_{subject}"]["acc,none"]


@pytest.mark.slow
def test_documents_are_joined_by_their_id_where_their_order_differs(scores: dict[str, Score]) -> None:
    items = scores["belebele"].predictions.log.items
    for item in items:
        number = int(item.item.rpartition("/")[2].partition("#")[0]) * 2 + int(item.item[-1]) - 1
        assert item.question.endswith(f"question {number}?")
    assert scores["belebele"].predictions.parallel


@pytest.mark.slow
def test_each_language_alone_is_scored_where_a_family_is_not_parallel(scores: dict[str, Score]) -> None:
    assert not scores["xwinograd"].predictions.parallel
    assert "consistency_2" not in scores["xwinograd"].choices


@pytest.mark.slow
def test_sums_are_compared_by_their_number_and_both_filters_are_reported(
    scores: dict[str, Score], logs: Path
) -> None:
    found, own = scores["mgsm_direct"].predictions, results(logs)
    for language in MGSM:
        for name in ("remove_whitespace", "flexible-extract"):
            metric = f"exact_match,{name}"
            assert found.log.reported[f"{metric}/{language}"] == own[f"mgsm_direct_{language}"][metric]
    assert found.texts is not None
    assert found.texts.numbers == frozenset(range(COUNT))
    assert len(exact_match(found.texts)) == len(MGSM)
