"""Logs of other harnesses, which a mapping explains."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from crossin.logs.answers import LoggedAnswers
from crossin.logs.find import find_logs, read_logs
from crossin.logs.options import LogOptions
from crossin.scoring.scores import score
from tests.helpers.errors import refused
from tests.helpers.paths import ROOT

Record = dict[str, Any]
# English, German and Vietnamese words of one question after the other, the right one first.
WORDS = {
    "en": ("red", "blue", "green", "black", "white", "brown"),
    "de": ("rot", "blau", "grün", "schwarz", "weiß", "braun"),
    "vi": ("đỏ", "xanh dương", "xanh lá", "đen", "trắng", "nâu"),
}
CHOICES = """
item: "{id}"
question: "{q}"
options: {column: choices}
gold: {column: gold, form: letter}
reply: out
"""


def records(language: str, **more: Any) -> list[Record]:
    """Six questions with three choices; the reply names one by its text, in two of three the right one."""
    words = WORDS[language]
    made = []
    for place, right in enumerate(words):
        choices = [words[(place + step) % 6] for step in (0, 1, 2)]
        choices = choices[place % 3 :] + choices[: place % 3]
        reply = right if place % 3 else choices[(choices.index(right) + 1) % 3]
        record = {"id": f"c{place}", "q": f"{right}?", "choices": choices, "out": reply, **more}
        made.append({**record, "gold": "ABC"[choices.index(right)]})
    return made


def write(file: Path, lines: Iterable[Record]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return file


def mapping(folder: Path, text: str) -> Path:
    file = folder / "map.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def on_page(name: str) -> str:
    """An example of the page about logs, by its name."""
    page = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")
    found = re.search(rf"^`{name}`:\n\n```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def read(paths: Path | list[Path], by: Path) -> list[LoggedAnswers]:
    options = LogOptions(log_mapping=by)
    [run] = find_logs(paths, options)
    return read_logs(run, options)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for language in WORDS:
        write(tmp_path / "logs" / f"tiny_{language}.jsonl", records(language))
    return tmp_path / "logs"


def test_a_mapping_gives_the_figures(logs: Path, tmp_path: Path) -> None:
    [found] = score(logs, log_mapping=mapping(tmp_path, CHOICES), draws=10)
    assert found.choices["accuracy"].value == pytest.approx(4 / 6)
    assert found.choices["consistency_3"].value == 1
    assert (found.predictions.model, found.predictions.languages) == ("tiny", ("de", "en", "vi"))


def test_one_file_may_hold_all_languages_and_models(tmp_path: Path) -> None:
    file = write(
        tmp_path / "all.jsonl",
        (
            {**record, "model": model, "lang": language}
            for model in ("a", "b")
            for language in ("en", "de")
            for record in records(language)
        ),
    )
    by = mapping(tmp_path, CHOICES + 'model: "{model}"\nlanguage: "{lang}"\n')
    assert [one.model for one in read(file, by)] == ["a", "b"]


def test_a_language_may_have_a_name_of_the_logs_own(tmp_path: Path) -> None:
    file = write(tmp_path / "all.jsonl", (one for x in ("en", "de") for one in records(x, lang=f"{x}-set")))
    by = mapping(tmp_path, CHOICES + 'language: "{lang}"\nlanguages: {pt: en-set, de: de-set}\n')
    [log] = read(file, by)
    assert {line["language"] for line in log.lines} == {"pt", "de"}


def test_what_the_harness_read_goes_before_the_reply(logs: Path, tmp_path: Path) -> None:
    file = write(logs / "tiny_en.jsonl", ({**one, "read": "C"} for one in records("en")))
    [log] = read(file, mapping(tmp_path, CHOICES + "answer: {column: read, form: letter}\n"))
    assert {line["answer"] for line in log.lines} == {"C"}


def test_what_the_harness_counts_as_right_decides(tmp_path: Path) -> None:
    file = write(
        tmp_path / "x_en.jsonl", ({**one, "ok": place == 0} for place, one in enumerate(records("en")))
    )
    [log] = read(file, mapping(tmp_path, CHOICES + "correct: ok\n"))
    assert sum(line["answer"] == line["gold"] for line in log.lines) == 1
    assert log.reported == {"accuracy/en": 1 / 6}
    assert any("contradict" in note for note in log.notes)


def test_log_probabilities_choose_the_first_of_the_largest(tmp_path: Path) -> None:
    file = write(tmp_path / "x_en.jsonl", ({**one, "scores": [-3, -1.5, -1.5]} for one in records("en")))
    [log] = read(file, mapping(tmp_path, CHOICES.replace("reply: out", "logprobs: scores")))
    assert {line["answer"] for line in log.lines} == {"B"}
    assert log.lines[0]["logprobs"] == [-3, -1.5, -1.5]


def test_free_text_has_references(tmp_path: Path) -> None:
    for language in ("en", "de"):
        lines = [{**one, "gold": [one["q"][:-1], "any"]} for one in records(language)]
        write(tmp_path / "logs" / f"x_{language}.jsonl", lines)
    text = 'item: "{id}"\nquestion: "{q}"\ngold: {column: gold, form: text}\nreply: out\n'
    [found] = score(tmp_path / "logs", log_mapping=mapping(tmp_path, text), draws=10)
    assert found.texts["exact_match"].value == pytest.approx(4 / 6)


def test_records_are_chosen_by_their_values(tmp_path: Path) -> None:
    lines = [*records("en", split="test"), *records("en", split="train")]
    file = write(tmp_path / "x_en.jsonl", lines)
    by = mapping(tmp_path, CHOICES + "where: {split: test}\n")
    assert len(read(file, by)[0].lines) == 6
    with refused("12 records", field="where", hint="where"):
        read(file, mapping(tmp_path, CHOICES + "where: {split: [dev]}\n"))


@pytest.mark.parametrize(
    ("name", "model"),
    [("gpt-4.1_en.jsonl", "gpt-4.1"), ("en.jsonl", "tiny"), ("gpt-4.1_en.jsonl.gz", "gpt-4.1")],
)
def test_a_model_is_named_by_its_file_or_folder(tmp_path: Path, name: str, model: str) -> None:
    file = write(tmp_path / "tiny" / name, records("en"))
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(file.read_bytes()))
    [log] = read(file, mapping(tmp_path, CHOICES))
    assert log.model == model


def test_wordings_are_named_by_a_template(tmp_path: Path) -> None:
    lines = [one for name in ("a", "b") for one in records("en", template=name)]
    file = write(tmp_path / "x_en.jsonl", lines)
    [log] = read(file, mapping(tmp_path, CHOICES + 'prompt: "{template}"\n'))
    assert {line["prompt"] for line in log.lines} == {"a", "b"}


def test_a_repeated_record_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "x_en.jsonl", [*records("en"), records("en")[1]])
    with refused("'c1' occurs a second time", row=7, field="item", hint="prompt"):
        read(file, mapping(tmp_path, CHOICES))


def test_languages_that_are_not_parallel_are_refused(tmp_path: Path) -> None:
    lines = records("de")
    shifted = [{**one, "id": f"c{place}"} for place, one in enumerate(lines[1:] + lines[:1])]
    write(tmp_path / "logs" / "x_en.jsonl", records("en"))
    write(tmp_path / "logs" / "x_de.jsonl", shifted)
    with refused("joined by", file=".jsonl"):
        read(tmp_path / "logs", mapping(tmp_path, CHOICES))


def test_records_without_a_right_answer_are_left_out_and_counted(tmp_path: Path) -> None:
    lines = [{**one, "id": f"{turn}{one['id']}"} for turn in range(4) for one in records("en")]
    lines[3]["gold"] = None
    file = write(tmp_path / "x_en.jsonl", lines)
    [log] = read(file, mapping(tmp_path, CHOICES))
    assert (len(log.lines), log.skipped) == (23, {"empty_text:answer": 1})


def test_too_many_records_without_a_right_answer_are_refused(tmp_path: Path) -> None:
    lines = [{**one, "id": f"{turn}{one['id']}"} for turn in range(4) for one in records("en")]
    file = write(
        tmp_path / "x_en.jsonl",
        (one if place % 4 else {**one, "gold": ""} for place, one in enumerate(lines)),
    )
    with refused("6 of 24 records are left out", row=1, hint="where"):
        read(file, mapping(tmp_path, CHOICES))


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        (("reply: out", "replay: out"), "replay", "did you mean 'reply'"),
        (("reply: out", ""), "reply", "add `answer`"),
        (("form: letter", "form: leter"), "gold.form", ""),
        (("options: {column: choices}", ""), "answer.form", ""),
        (('item: "{id}"', 'item: "id"'), "item", "write {column}"),
    ],
)
def test_a_wrong_entry_is_named(
    logs: Path, tmp_path: Path, change: tuple[str, str], field: str, hint: str
) -> None:
    with refused(file="map.yaml", field=field, hint=hint):
        read(logs, mapping(tmp_path, CHOICES.replace(*change)))


@pytest.mark.parametrize("change", [("reply: out", "reply: outt"), ("column: choices", "column: choicez")])
def test_a_column_that_no_record_has_is_named(logs: Path, tmp_path: Path, change: tuple[str, str]) -> None:
    with refused("there is no column", file=".jsonl", row=1, hint="did you mean"):
        read(logs, mapping(tmp_path, CHOICES.replace(*change)))


def test_a_file_that_names_no_language_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "results.jsonl", records("en"))
    with refused("names no language", file="results.jsonl", field="language", hint="languages"):
        read(file, mapping(tmp_path, CHOICES))


def test_the_example_of_the_page_is_read(tmp_path: Path) -> None:
    for language in ("en", "de"):
        lines = [
            {
                "qid": one["id"],
                "subject": "colours",
                "question": one["q"],
                "options": dict(zip("ABC", one["choices"], strict=True)),
                "key": one["gold"],
                "output": [{"text": one["out"]}],
                "n_shots": 5,
            }
            for one in records(language)
        ]
        write(tmp_path / "logs" / f"quiz_{language}.jsonl", lines)
    [log] = read(tmp_path / "logs", mapping(tmp_path, on_page("map.yaml")))
    assert ({line["task"] for line in log.lines}, len(log.lines)) == ({"colours"}, 12)
    assert None not in {line["answer"] for line in log.lines}


def helm_state(language: str) -> Record:
    """What HELM saves of a run: the requests with their instances and results."""
    states = []
    for one in records(language):
        references = [
            {"output": {"text": text}, "tags": ["correct"] if letter == one["gold"] else []}
            for letter, text in zip("ABC", one["choices"], strict=True)
        ]
        instance = {"id": one["id"], "input": {"text": one["q"]}, "references": references, "split": "test"}
        letter = "ABC"[one["choices"].index(one["out"])]
        states.append(
            {
                "instance": instance,
                "train_trial_index": 0,
                "output_mapping": dict(zip("ABC", one["choices"], strict=True)),
                "result": {"success": True, "completions": [{"text": f" {letter}", "logprob": -0.1}]},
            }
        )
    return {"adapter_spec": {"model": "org/tiny"}, "request_states": states}


def test_helms_scenario_state_is_read_by_a_mapping(tmp_path: Path) -> None:
    for language in WORDS:
        file = tmp_path / "runs" / f"colours:language={language},model=tiny" / "scenario_state.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(helm_state(language)), encoding="utf-8")
    [found] = score(tmp_path / "runs", log_mapping=mapping(tmp_path, on_page("helm-state.yaml")), draws=10)
    assert found.predictions.model == "org/tiny"
    assert found.choices["accuracy/vi"].value == pytest.approx(4 / 6)


def test_helms_predictions_are_joined_with_its_instances(tmp_path: Path) -> None:
    for language in WORDS:
        folder = tmp_path / "runs" / f"colours:language={language},model=tiny"
        folder.mkdir(parents=True)
        states = helm_state(language)["request_states"]
        shown = [
            {
                "instance_id": one["instance"]["id"],
                "predicted_text": one["result"]["completions"][0]["text"],
                "stats": {"exact_match": float(place % 3 > 0)},
            }
            for place, one in enumerate(states)
        ]
        (folder / "display_predictions.json").write_text(json.dumps(shown), encoding="utf-8")
        (folder / "instances.json").write_text(
            json.dumps([one["instance"] for one in states]), encoding="utf-8"
        )
    files = sorted((tmp_path / "runs").glob("*/display_predictions.json"))
    [found] = score(files, log_mapping=mapping(tmp_path, on_page("helm-display.yaml")), draws=10)
    assert found.predictions.log.notes == []
    assert found.choices["accuracy/en"].value == found.predictions.log.reported["accuracy/en"]
