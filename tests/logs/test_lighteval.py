from __future__ import annotations

from pathlib import Path

import pytest

from crossin.logs.answers import LoggedAnswers
from crossin.logs.find import find_logs, read_logs
from crossin.scoring.scores import score
from tests.helpers.errors import refused
from tests.helpers.lighteval_details import (
    Values,
    choice_detail,
    older,
    text_detail,
    write_details,
)

RIGHT = {"eng": (1, 1, 0, 1, 0, 1, 0, 0), "deu": (1, 0, 0, 1, 0, 0, 0, 0), "vie": (1, 1, 1, 1, 0, 1, 1, 0)}


def read(*paths: Path) -> LoggedAnswers:
    """The only stored answers in files or folders."""
    [run] = find_logs(paths)
    [log] = read_logs(run)
    return log


def quiz(language: str) -> list[Values]:
    return [choice_detail(language, number, bool(right)) for number, right in enumerate(RIGHT[language])]


@pytest.mark.parametrize("form", ["new", "older"])
def test_languages_give_the_accuracy_that_lighteval_logged(tmp_path: Path, form: str) -> None:
    for language in RIGHT:
        details = quiz(language) if form == "new" else [older(one) for one in quiz(language)]
        write_details(tmp_path, f"lighteval|quiz_{language}_mcf", details)
    [found] = score(tmp_path, draws=10)
    codes = {"eng": "en", "deu": "de", "vie": "vi"}
    theirs = {codes[language]: sum(right) / 8 for language, right in RIGHT.items()}
    assert {code: found.choices[f"accuracy/{code}"].value for code in theirs} == theirs
    assert found.predictions.log.reported == {f"acc/{code}": value for code, value in theirs.items()}
    assert (found.predictions.model, found.predictions.log.benchmark) == ("org/model", "quiz_mcf")
    assert found.predictions.logprobs is not None


def test_documents_are_joined_by_their_id_in_any_order(tmp_path: Path) -> None:
    write_details(tmp_path, "quiz_eng", quiz("eng"))
    write_details(tmp_path, "quiz_deu", quiz("deu")[::-1])
    answers = {(line["item"], line["language"]): line["answer"] for line in read(tmp_path).lines}
    assert answers["3", "en"] == answers["3", "de"] == "D"


def test_the_metric_says_how_options_are_compared(tmp_path: Path) -> None:
    # By the length of their texts, the first is best, and by the sum the second.
    detail = choice_detail("eng", 0, right=True, metrics={"acc_norm": 1})
    detail["doc"]["choices"] = [" a very long answer", " b", " c", " d"]
    detail["model_response"]["logprobs"] = [-6.0, -3.0, -8.0, -9.0]
    write_details(tmp_path, "quiz_eng", [detail] * 1)
    [line] = read(tmp_path).lines
    assert line["answer"] == "A"
    assert line["values"][0] == max(line["values"])


def test_parts_of_a_task_are_tasks(tmp_path: Path) -> None:
    for language in ("eng", "deu"):
        for part in ("anatomy", "law"):
            write_details(tmp_path, f"lighteval|mmlu_{language}_mcf:{part}", quiz(language))
    log = read(tmp_path)
    assert {line["task"] for line in log.lines} == {"anatomy", "law"}
    assert len({line["item"] for line in log.lines}) == 16


def test_free_text_has_the_choices_as_references(tmp_path: Path) -> None:
    for language in ("eng", "deu"):
        replies = [text_detail(language, number, str(number % 2), number < 2) for number in range(4)]
        write_details(tmp_path, f"gen_{language}", replies)
    [found] = score(tmp_path, draws=10)
    assert found.texts["exact_match"].value == 0.5
    assert found.predictions.log.reported == {"em/en": 0.5, "em/de": 0.5}


def test_a_reply_to_a_list_counts_as_lighteval_scored_it(tmp_path: Path) -> None:
    replies = [("The answer is B.", 0, 0), ("(A)", 0, 1), ("I pass.", 1, 0), ("Surely the second.", 1, 1)]
    details = []
    for number, (reply, gold, right) in enumerate(replies):
        detail = text_detail("eng", number, reply, bool(right))
        detail["doc"] |= {"choices": list("ABCD"), "gold_index": [gold]}
        details.append(detail)
    write_details(tmp_path, "quiz_eng", details)
    log = read(tmp_path)
    assert [line["answer"] for line in log.lines] == ["B", "A", None, "B"]
    assert log.reported == {"em/en": 0.5}


def test_a_file_stands_for_the_others_of_its_run(tmp_path: Path) -> None:
    write_details(tmp_path, "quiz_eng", quiz("eng"))
    file = write_details(tmp_path, "quiz_deu", quiz("deu"), date="2026-01-03T03-04-05.678901")
    write_details(tmp_path, "other_deu", quiz("deu"))
    assert {line["language"] for line in read(file).lines} == {"en", "de"}


def test_two_dates_with_the_same_languages_are_two_runs(tmp_path: Path) -> None:
    for date in ("2026-01-02T03-04-05.678901", "2026-01-03T03-04-05.678901"):
        for language in ("eng", "deu"):
            write_details(tmp_path, f"quiz_{language}", quiz(language), date=date)
    assert len(score(tmp_path, draws=10)) == 2


def test_languages_with_other_shots_are_refused(tmp_path: Path) -> None:
    write_details(tmp_path, "quiz_eng", quiz("eng"), shots=5)
    write_details(tmp_path, "quiz_deu", quiz("deu"))
    with refused("shots", file=".parquet", hint="one run"):
        read(tmp_path)


def test_figures_that_the_records_do_not_give_are_refused(tmp_path: Path) -> None:
    write_details(tmp_path, "quiz_eng", quiz("eng"), results={"acc": 0.75})
    with refused("0.5", "0.75", file=".parquet", field="metric.acc"):
        read(tmp_path)


def test_a_task_that_names_no_language_is_refused_alone_and_counted_beside_others(tmp_path: Path) -> None:
    alone = write_details(tmp_path, "gsm8k", quiz("eng"))
    with refused("no language", file=".parquet"):
        read(alone)
    write_details(tmp_path, "quiz_eng", quiz("eng"))
    assert read(tmp_path).skipped == {"no_language:gsm8k": 8}


def test_questions_with_several_right_options_are_left_out(tmp_path: Path) -> None:
    details = [choice_detail("eng", number, right=True) for number in range(12)]
    details[4]["doc"]["gold_index"] = [0, 1]
    write_details(tmp_path, "quiz_eng", details)
    assert read(tmp_path).skipped == {"several_right": 1}


def test_a_document_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    write_details(tmp_path, "quiz_eng", [*quiz("eng"), quiz("eng")[2]])
    with refused("occurs a second time", file=".parquet"):
        read(tmp_path)


def test_half_of_a_file_is_refused(tmp_path: Path) -> None:
    file = write_details(tmp_path, "quiz_eng", quiz("eng"))
    file.write_bytes(file.read_bytes()[:-200])
    with refused("Parquet", file=file.name):
        read(tmp_path)


def test_another_parquet_file_of_that_name_is_refused(tmp_path: Path) -> None:
    write_details(tmp_path, "quiz_eng", [{"question": "?"}])
    with refused("not a record of lighteval", row=1, field="choices"):
        read(tmp_path)
