from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import write_json
from crossin.evaluation import Reply, answers
from crossin.items import Form, Item, questions
from crossin.metrics.texts import exact_match, missing_replies
from crossin.scoring.predictions import find_predictions, read_predictions
from tests.helpers.errors import refused
from tests.helpers.small_bench import (
    GOLD,
    IDS,
    LANGUAGES,
    OPTIONS,
    answer_lines,
    replies,
    write_answers,
    write_bench,
    write_replies,
)


def write_log(path: Path) -> Path:
    names = dict(zip(LANGUAGES, ("English", "German", "Thai"), strict=True))
    log = []
    for item, gold in GOLD.items():
        cells: dict[str, Any] = {"id": item}
        for language, name in names.items():
            choices = [f"({letter}) {text}" for letter, text in zip("ABCD", OPTIONS[language], strict=True)]
            answer = choices[IDS.index(gold)]
            cells[name] = {
                "question": f"{item}?",
                "choices": choices,
                "answer": answer,
                "model_prediction": answer[:3],
            }
        log.append(cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(log), encoding="utf-8")
    return path


def test_an_evaluation_is_read_with_its_log_probabilities(tmp_path: Path) -> None:
    [found] = read_predictions(write_answers(tmp_path / "run", answer_lines()))
    assert (found.name, found.languages) == ("run", LANGUAGES)
    assert found.choices is not None
    assert found.choices.items == tuple(GOLD)
    assert found.choices.answers.tolist() == [[2] * 3, [1] * 3, [3] * 3]
    assert found.logprobs is not None
    assert found.logprobs[0, 0].tolist() == [-1, -1, 0, -1]
    assert found.texts is None


def test_an_evaluation_is_called_as_its_manifest_calls_it(tmp_path: Path) -> None:
    folder = write_answers(tmp_path / "answers", answer_lines())
    write_json(folder / "manifest.json", {"settings": {"name": "CrossIn"}})
    assert read_predictions(folder)[0].name == "CrossIn"


def test_replies_are_read_with_their_benchmark(tmp_path: Path) -> None:
    path = write_replies(tmp_path / "mine.jsonl", replies({("sky", "de"): None}))
    [found] = read_predictions(path, write_bench(tmp_path / "bench"))
    assert found.choices is not None
    assert found.choices.answers.tolist() == [[2, -1, 2], [1] * 3, [3] * 3]
    assert found.texts is not None
    assert found.texts.replies == (("Vienna", "Wien", "เวียนนา"),)
    assert found.logprobs is None


def test_the_benchmark_beside_the_answers_is_theirs(tmp_path: Path) -> None:
    lines = [{**line, "answer": None, "reply": "(D)"} for line in answer_lines()]
    folder = write_answers(write_bench(tmp_path / "run"), lines)
    [found] = read_predictions(folder)
    assert found.choices is not None
    assert (found.choices.answers == 3).all()


def test_replies_without_a_benchmark_ask_for_it(tmp_path: Path) -> None:
    with refused("replies", file="mine.jsonl", hint="--bench"):
        read_predictions(write_replies(tmp_path / "mine.jsonl", replies()))


def test_each_wording_is_a_table_of_its_own(tmp_path: Path) -> None:
    lines = [*replies(prompt="plain"), *replies({("sky", "en"): "green"}, prompt="polite")]
    found = read_predictions(write_replies(tmp_path / "mine.jsonl", lines), write_bench(tmp_path / "bench"))
    assert [one.name for one in found] == ["mine plain", "mine polite"]
    answers = [one.choices.answers[0, 0] for one in found if one.choices]
    assert answers == [2, 1]


def test_an_item_that_lacks_a_language_is_left_out_and_named(tmp_path: Path) -> None:
    lines = [line for line in replies() if (line["item"], line["language"]) not in (("sky", "th"),)]
    [found] = read_predictions(write_replies(tmp_path / "mine.jsonl", lines), write_bench(tmp_path / "bench"))
    assert found.choices is not None
    assert found.choices.items == ("grass", "coal")
    assert found.incomplete == {"sky": "th"}


def test_languages_asked_in_free_text_alone_are_not_forgotten(tmp_path: Path) -> None:
    lines = [line for line in replies() if line["item"] == "name" or line["language"] != "th"]
    [found] = read_predictions(write_replies(tmp_path / "mine.jsonl", lines), write_bench(tmp_path / "bench"))
    assert found.choices is not None
    assert found.choices.languages == ("en", "de")
    assert found.languages == LANGUAGES


def test_items_of_the_benchmark_that_are_not_in_the_file_are_counted(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")
    lines = [line for line in replies() if line["item"] not in ("sky", "name")]
    [found] = read_predictions(write_replies(tmp_path / "mine.jsonl", lines), bench)
    assert found.unanswered == 2
    assert read_predictions(write_replies(tmp_path / "all.jsonl", replies()), bench)[0].unanswered == 0


def test_a_benchmark_is_named_by_its_folder_or_its_file(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")
    path = write_replies(tmp_path / "mine.jsonl", replies())
    assert read_predictions(path, bench / "items.parquet")[0].languages == LANGUAGES
    with refused("not found", file="nowhere", hint="--bench"):
        read_predictions(path, tmp_path / "nowhere")


@pytest.mark.parametrize("manifest", [[], {"settings": None}])
def test_a_manifest_that_is_none_is_an_error(tmp_path: Path, manifest: Any) -> None:
    folder = write_answers(tmp_path / "answers", answer_lines())
    write_json(folder / "manifest.json", manifest)
    with refused("manifest", file="manifest.json"):
        read_predictions(folder)


def test_a_folder_that_is_called_like_a_log_is_none(tmp_path: Path) -> None:
    (tmp_path / "old.json").mkdir()
    folder = write_answers(tmp_path / "run", answer_lines())
    assert find_predictions([tmp_path]) == [folder]


def test_a_seaeval_log_is_read_as_it_is(tmp_path: Path) -> None:
    [found] = read_predictions(write_log(tmp_path / "some_model" / "zero_shot_p2.json"))
    assert (found.model, found.prompt) == ("some_model/zero_shot", "p2")
    assert found.languages == LANGUAGES
    assert found.choices is not None
    assert (found.choices.answers == found.choices.gold[:, None]).all()


def test_a_folder_gives_all_that_lies_in_it(tmp_path: Path) -> None:
    log = write_log(tmp_path / "logs" / "model" / "zero_shot_p1.json")
    (log.parent / "zero_shot_p1_score.json").write_text("{}", encoding="utf-8")
    run = write_answers(tmp_path / "runs" / "one" / "answers", answer_lines())
    assert find_predictions([tmp_path]) == [log, run]
    assert find_predictions([run, run]) == [run]


def test_a_folder_without_predictions_is_an_error(tmp_path: Path) -> None:
    with refused("no predictions", file=tmp_path):
        find_predictions([tmp_path])
    with refused("not found", file="absent.json"):
        find_predictions([tmp_path / "absent.json"])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("absent.jsonl", None, "not found"),
        ("empty.jsonl", "", "empty"),
        ("scores.json", '{"overall_acc": 1}', "SeaEval's scores"),
        ("replies.json", '[{"item": "sky", "language": "en", "reply": "blue"}]', "not a SeaEval log"),
    ],
)
def test_what_holds_no_predictions_is_one_clear_error(
    tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with refused(words, file=name):
        read_predictions(tmp_path / name, write_bench(tmp_path / "bench"))


def free(name: str, language: str, answer: str, **more: Any) -> Item:
    return Item(name, name, "t", language, "", "How many?", [], [], answer, "made up", "CC0-1.0", **more)


def test_a_benchmarks_aliases_and_numbers_count_for_replies_from_anywhere(tmp_path: Path) -> None:
    asked = [
        *(free("sum", language, "3,120", answer_type="number") for language in ("en", "te")),
        *(free("land", language, "Peru", aliases=["Pirú"]) for language in ("en", "te")),
    ]
    bench = write_bench(tmp_path / "bench", asked)
    said = {
        "sum": "<think>6 and 520, so 7?</think>It is ౩,౧౨౦.\nQuestion: and 5?\nAnswer: 5",
        "land": "pirú",
    }
    file = write_replies(
        tmp_path / "replies.jsonl",
        [{"item": one.item, "language": one.language, "reply": said[one.item]} for one in asked],
    )
    [found] = read_predictions(file, bench)
    assert found.texts is not None
    assert exact_match(found.texts).tolist() == [1, 1]


def test_an_evaluations_answers_say_themselves_how_they_are_compared(tmp_path: Path) -> None:
    item = free("sum", "en", "3,120", aliases=["3,121"], answer_type="number")
    [asked] = questions([item], Form())
    for said, right in (("3121", 1.0), ("3122", 0.0)):
        answers.write_answers(tmp_path / "answers.parquet", [answers.replied_row(asked, Reply(said))])
        [alone] = read_predictions(tmp_path)
        [held] = read_predictions(tmp_path, write_bench(tmp_path / "bench", [item]))
        assert alone.texts is not None and held.texts is not None
        assert exact_match(alone.texts).tolist() == exact_match(held.texts).tolist() == [right]


def test_a_thought_without_an_end_is_no_answer(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench", [free("sum", "en", "7", answer_type="number")])
    line = {"item": "sum", "language": "en", "reply": "<think>It could be 7"}
    [found] = read_predictions(write_replies(tmp_path / "replies.jsonl", [line]), bench)
    assert found.texts is not None
    assert (exact_match(found.texts).tolist(), missing_replies(found.texts).tolist()) == ([0], [1])


def test_thoughts_of_replies_are_not_read_and_those_that_were_cut_are_counted(tmp_path: Path) -> None:
    changed = {
        ("sky", "de"): "<think>Die Antwort ist A, oder",
        ("coal", "th"): "<think>A?</think>\n\n" + OPTIONS["th"][3],
        ("name", "en"): "<think>Graz?</think>Vienna",
        ("name", "de"): "◁think▷Wien",
    }
    file = write_replies(tmp_path / "replies.jsonl", replies(changed))
    [found] = read_predictions(file, write_bench(tmp_path / "bench"))
    assert found.thoughts_cut == {"de": 2}
    assert found.choices is not None
    sky = found.choices.items.index("sky")
    assert found.choices.answers[sky].tolist() == [2, -1, 2]
    assert found.texts is not None
    assert found.texts.replies == (("Vienna", None, "เวียนนา"),)
