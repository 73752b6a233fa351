from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.logs.seaeval import is_log, read_log
from crossin.scoring.seaeval import aligned_table
from tests.helpers.errors import refused


def cell(choices: list[str], answer: int, reply: str) -> dict[str, Any]:
    return {
        "question": "?",
        "choices": choices,
        "answer": choices[answer],
        "model_input": "?\n",
        "model_prediction": reply,
    }


def records() -> list[dict[str, Any]]:
    return [
        {
            "Filipino": cell(["(A) pula", "(B) asul"], 0, "(A) pula"),
            "id": "q1",
            "Chinese": cell(["(A) 红", "(B) 蓝"], 0, "也许"),
        },
        {
            "Filipino": cell(["(A) isa", "(B) dalawa"], 1, "(A)"),
            "id": "q2",
            "Chinese": cell(["(A) 一", "(B) 二"], 1, "(B)\n(A)\n(A)。(A)"),
        },
    ]


def write(folder: Path, value: Any, name: str = "zero_shot_p1.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def test_a_log_keeps_its_order_of_languages_and_its_names(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, records()))
    assert log.names == ("Filipino", "Chinese")
    assert log.languages == ("fil", "zh")
    assert [(item.item, item.language) for item in log.items] == [
        ("q1", "fil"),
        ("q1", "zh"),
        ("q2", "fil"),
        ("q2", "zh"),
    ]
    assert log.replies["q1", "zh"] == "也许"
    assert log.items[1].options == ["(A) 红", "(B) 蓝"]
    assert (log.items[1].option_ids, log.items[1].answer) == (["(A)", "(B)"], "(A)")


def test_an_id_may_be_a_number(tmp_path: Path) -> None:
    numbered = [{**record, "id": number} for number, record in enumerate(records())]
    assert aligned_table(read_log(write(tmp_path, numbered))).items == ("0", "1")


def test_the_table_holds_seaevals_reading_and_leaves_open_what_it_draws(tmp_path: Path) -> None:
    table = aligned_table(read_log(write(tmp_path, records())))
    assert table.answers.tolist() == [[0, -1], [0, 0]]
    assert table.gold.tolist() == [0, 1]
    assert table.languages == ("fil", "zh")


def test_of_a_five_shot_run_the_first_line_counts(tmp_path: Path) -> None:
    table = aligned_table(read_log(write(tmp_path, records(), "five_shot_p1.json")))
    assert table.answers[1].tolist() == [0, 1]


def test_a_log_is_told_from_other_json(tmp_path: Path) -> None:
    assert is_log(write(tmp_path, records()))
    assert not is_log(write(tmp_path, {"overall_acc": 0.5}))
    assert not is_log(write(tmp_path, [{"id": "1", "question": "?"}]))
    assert not is_log(write(tmp_path, []))
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"[\xff\xfe")
    assert not is_log(broken)


def test_scores_given_for_a_log_are_an_error_that_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, {"overall_acc": 0.5}, "zero_shot_p1_score.json")
    with refused("scores", file=path, hint="without '_score'"):
        read_log(path)


def break_language(log: list[dict[str, Any]]) -> None:
    del log[1]["Chinese"]


def break_reply(log: list[dict[str, Any]]) -> None:
    log[1]["Chinese"]["model_prediction"] = None


def break_choices(log: list[dict[str, Any]]) -> None:
    del log[1]["Chinese"]["choices"]


def break_labels(log: list[dict[str, Any]]) -> None:
    log[1]["Chinese"].update(choices=["第一个甲", "第一个乙"], answer="第一个乙")


def break_answer(log: list[dict[str, Any]]) -> None:
    log[1]["Chinese"]["answer"] = "(C) 三"


def break_gold(log: list[dict[str, Any]]) -> None:
    log[1]["Chinese"]["answer"] = "(A) 一"


def break_id(log: list[dict[str, Any]]) -> None:
    log[1]["id"] = "q1"


def lose_id(log: list[dict[str, Any]]) -> None:
    del log[1]["id"]


@pytest.mark.parametrize(
    ("damage", "field", "message"),
    [
        (break_language, "Chinese", "missing"),
        (break_reply, "Chinese.model_prediction", "missing"),
        (break_choices, "Chinese.choices", "multiple choice"),
        (break_labels, "Chinese.choices", "label"),
        (break_answer, "Chinese.answer", "not among the choices"),
        (break_gold, "Chinese", "another answer than Filipino"),
        (break_id, "id", "second time"),
        (lose_id, "id", "missing"),
    ],
)
def test_a_broken_log_is_an_error_that_names_item_and_field(
    tmp_path: Path, damage: Any, field: str, message: str
) -> None:
    log = records()
    damage(log)
    path = write(tmp_path, log)
    with refused(message, file=path, row=2, field=field):
        read_log(path)


@pytest.mark.parametrize("value", [[], {}, ["text"], [{"id": "q1"}], "text"])
def test_what_is_no_log_is_an_error(tmp_path: Path, value: Any) -> None:
    with refused(file="zero_shot_p1.json"):
        read_log(write(tmp_path, value))


def test_a_language_that_is_none_is_an_error(tmp_path: Path) -> None:
    log = records()
    for record in log:
        record["Klingonish"] = record.pop("Chinese")
    with refused("unknown language", field="Klingonish"):
        read_log(write(tmp_path, log))
