from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.items import Item
from crossin.logs.lm_eval_exported import read_samples
from crossin.scoring.comparison import compare
from crossin.scoring.predictions import find_predictions, read_predictions
from tests.helpers.errors import refused
from tests.helpers.small_bench import GOLD, IDS, LANGUAGES, items, write_bench

DATE = "2026-03-01T10-00-00.123456"
# Log-probabilities of red, green, blue and black, as lm-eval writes them.
PREFERS_GREEN = ["-2.5", "-1.25", "-2.5", "-3.75"]


def sample(item: Item, benchmark: str = "crossin_colours", **changed: Any) -> dict[str, Any]:
    """A line as lm-eval logs it: numbers and truth values as text."""
    doc: dict[str, Any] = {
        "benchmark": benchmark,
        "item": item.item,
        "group": item.group,
        "task": item.task,
        "language": item.language,
        "wording": "question",
        "option_ids": item.option_ids,
        "gold": item.answer,
        "prompt": item.question,
    }
    answered: list[Any]
    if item.options:
        doc |= {"choices": item.options, "target": item.option_ids.index(item.answer)}
        answered = [[value, "True" if value == "-1.25" else "False"] for value in PREFERS_GREEN]
    else:
        doc |= {"options": [], "target": item.answer}
        answered = ["Vienna"]
    return {"doc_id": 0, "doc": doc, "filtered_resps": answered, "filter": "none", **changed}


def write_samples(folder: Path, task: str, samples: list[dict[str, Any]], date: str = DATE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"samples_{task}_{date}.jsonl"
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in samples), encoding="utf-8")
    return path


def write_run(folder: Path, benchmark: str = "crossin_colours", date: str = DATE) -> list[Path]:
    """A run over the small benchmark: a file a language, and one for its free text."""
    written = []
    for language in LANGUAGES:
        for free in (False, True):
            asked = [item for item in items() if item.language == language and item.free_text == free]
            task = f"{benchmark}_{language}" + ("_generate" if free else "")
            written.append(write_samples(folder, task, [sample(item, benchmark) for item in asked], date))
    return sorted(written)


def test_the_answer_is_the_likeliest_option(tmp_path: Path) -> None:
    [line] = read_samples(write_samples(tmp_path, "t", [sample(items()[0])]))
    assert line == {
        "item": "sky",
        "group": "sky",
        "task": "colour",
        "language": "en",
        "gold": "blue",
        "prompt": "question",
        "option_ids": IDS,
        "logprobs": [-2.5, -1.25, -2.5, -3.75],
        "greedy": [False, True, False, False],
        "answer": "green",
    }


def test_the_first_of_equals_is_the_answer_as_in_lm_eval(tmp_path: Path) -> None:
    equal = sample(
        items()[0], filtered_resps=[["-3", "False"], ["-2", "False"], ["-2", "False"], ["-3", "False"]]
    )
    assert read_samples(write_samples(tmp_path, "t", [equal]))[0]["answer"] == "green"


def test_an_option_without_any_probability_is_no_answer_but_no_error(tmp_path: Path) -> None:
    none = sample(items()[0], filtered_resps=[["-inf", "False"]] * 3 + [["-9", "False"]])
    assert read_samples(write_samples(tmp_path, "t", [none]))[0]["answer"] == "black"


def test_a_reply_in_words_names_an_option(tmp_path: Path) -> None:
    told = sample(items()[0], filtered_resps=["It is green."])
    del told["doc"]["choices"]
    told["doc"] |= {"options": items()[0].options, "shown": [*IDS[2:], *IDS[:2]]}
    [line] = read_samples(write_samples(tmp_path, "t", [told]))
    assert (line["answer"], line["reply"], "logprobs" in line) == ("green", "It is green.", False)


def test_a_reply_in_letters_goes_by_the_list_in_the_prompt(tmp_path: Path) -> None:
    told = sample(items()[0], filtered_resps=["A"])
    del told["doc"]["choices"]
    told["doc"] |= {"options": items()[0].options, "shown": [*IDS[2:], *IDS[:2]]}
    assert read_samples(write_samples(tmp_path, "t", [told]))[0]["answer"] == IDS[2]
    told["doc"]["shown"] = IDS[:2]
    with refused(row=1, field="doc.shown"):
        read_samples(write_samples(tmp_path, "t", [told]))


def test_a_reply_that_was_cut_within_a_thought_of_its_template_names_none(tmp_path: Path) -> None:
    told = []
    for item, reply in zip(
        items(), ["Not (A), so (B)?\n</think>\n(A)", "It is (A), or rather"], strict=False
    ):
        told.append(sample(item, filtered_resps=[reply]))
        del told[-1]["doc"]["choices"]
        told[-1]["doc"] |= {"options": item.options, "shown": IDS}
    assert [line["answer"] for line in read_samples(write_samples(tmp_path, "t", told))] == [IDS[0], None]


def test_a_run_is_all_languages_together(tmp_path: Path) -> None:
    files = write_run(tmp_path / "lab__some-model")
    [found] = read_predictions(files[2])
    assert (found.name, found.file) == ("some-model question", files[0])
    assert found.choices is not None
    assert found.choices.items == tuple(GOLD)
    assert sorted(found.languages) == sorted(LANGUAGES)
    assert (found.choices.answers == IDS.index("green")).all()
    assert found.logprobs is not None
    assert found.logprobs[0, 0].tolist() == [-2.5, -1.25, -2.5, -3.75]
    assert found.texts is not None
    assert found.texts.replies == (("Vienna",) * 3,)


def test_any_file_and_any_folder_above_stand_for_the_run(tmp_path: Path) -> None:
    files = write_run(tmp_path / "out" / "model")
    assert find_predictions([tmp_path]) == files[:1]
    assert find_predictions(files) == files[:1]
    assert read_predictions(tmp_path / "out")[0].file == files[0]


def test_runs_of_another_date_or_benchmark_stay_apart(tmp_path: Path) -> None:
    first = write_run(tmp_path)
    other = write_run(tmp_path, "crossin_colours_2")
    later = write_run(tmp_path, date="2026-03-02T10-00-00.5")
    assert sorted(find_predictions([tmp_path])) == sorted([first[0], other[0], later[0]])
    with refused("3 runs", hint="name a file"):
        read_predictions(tmp_path)


def test_tasks_that_crossin_did_not_export_are_passed_over_in_a_folder(tmp_path: Path) -> None:
    files = write_run(tmp_path)
    other = [{"doc": {"question": "?"}, "filtered_resps": [["-1", "True"]]}]
    for task in ("aclue", "arc"):
        write_samples(tmp_path, task, other)
    assert find_predictions([tmp_path]) == files[:1]


def test_a_run_is_compared_with_another(tmp_path: Path) -> None:
    write_run(tmp_path / "one")
    write_run(tmp_path / "two")
    made = compare(tmp_path / "one", tmp_path / "two", draws=10)
    assert made.choices is not None
    assert made.choices.difference["accuracy"].value == 0


def test_samples_are_held_against_their_benchmark(tmp_path: Path) -> None:
    file = write_run(tmp_path / "out")[0]
    bench = write_bench(tmp_path / "bench")
    assert read_predictions(file, bench)[0].unanswered == 0
    others = [item for item in items() if item.item != "coal"]
    with refused("another benchmark", "1 of its 3 items", file=file, row=3):
        read_predictions(file, write_bench(tmp_path / "other", others))


BAD: list[tuple[Any, str | None, str]] = [
    ([1], None, "object"),
    ({"doc": {"question": "?"}}, "doc.benchmark", "not a task that crossin exported"),
    (sample(items()[0], filtered_resps=None), "filtered_resps", "list"),
    (sample(items()[0], filtered_resps=[["-1", "True"]] * 3), "filtered_resps", "3 log-probabilities for 4"),
    (sample(items()[0], filtered_resps=["-1.5"] * 4), "filtered_resps", "log-probabilities"),
    (sample(items()[0], filtered_resps=[["x", "True"]] * 4), "filtered_resps", "log-probabilities"),
    (sample(items()[0], filtered_resps=[["nan", "True"]] * 4), "filtered_resps", "nan"),
    (sample(items()[-1], filtered_resps=[["-1", "True"]]), "filtered_resps", "reply"),
]


@pytest.mark.parametrize(("bad", "field", "words"), BAD)
def test_a_sample_that_is_none_is_named(tmp_path: Path, bad: Any, field: str | None, words: str) -> None:
    path = write_samples(tmp_path, "t", [sample(items()[1]), bad])
    with refused(words, file=path, row=2, field=field, hint="--log_samples"):
        read_predictions(path)


@pytest.mark.parametrize("cut", [20, -30])
def test_half_a_line_is_an_error(tmp_path: Path, cut: int) -> None:
    path = write_run(tmp_path)[0]
    path.write_text(path.read_text(encoding="utf-8").rstrip()[:cut], encoding="utf-8")
    for read in (read_predictions, lambda file: [read_predictions(one) for one in find_predictions([file])]):
        with refused(file=path, row=1 if cut > 0 else 3):
            read(tmp_path)


def test_an_empty_file_holds_no_answers(tmp_path: Path) -> None:
    path = write_samples(tmp_path, "t", [])
    with refused("no answers", file=path):
        read_predictions(path)


def test_the_same_item_twice_is_an_error(tmp_path: Path) -> None:
    path = write_samples(tmp_path, "t", [sample(items()[0])] * 2)
    with refused("second time", row=2, field="item"):
        read_predictions(path)
