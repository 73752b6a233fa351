from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from crossin.cli.score import show_scores
from crossin.logs.find import find_logs, read_logs
from crossin.logs.options import LogOptions
from crossin.metrics.texts import exact_match
from crossin.scoring.predictions import read_predictions
from crossin.scoring.scores import score
from crossin.scoring.values import all_values
from tests.helpers.errors import refused
from tests.helpers.lm_eval_samples import (
    CHOSEN,
    GOLDS,
    Sample,
    choice,
    sums,
    write_results,
    write_samples,
    write_set,
)
from tests.helpers.paths import REAL_DATA

OTHER_DATE = "2026-04-01T10-00-00.123456"


def read(place: Path, **options: Any) -> Any:
    [run] = find_logs(place)
    [log] = read_logs(run, LogOptions(**options))
    return log


def test_the_answer_is_the_likeliest_option_and_its_log_probabilities_are_kept(tmp_path: Path) -> None:
    write_set(tmp_path / "org__tiny")
    log = read(tmp_path)
    assert (log.model, log.benchmark, log.skipped) == ("tiny", "quiz", {})
    line = next(line for line in log.lines if (line["item"], line["language"]) == ("q2", "vi"))
    assert (line["answer"], line["gold"]) == ("C", "D")
    assert line["logprobs"] == [-2.5, -2.5, -1.5, -2.5]
    right = sum(gold == chosen for gold, chosen in zip(GOLDS, CHOSEN, strict=True))
    assert log.reported == {f"acc/{language}": right / 10 for language in ("en", "es", "vi")}
    item = next(item for item in log.items if (item.item, item.language) == ("q2", "vi"))
    assert (item.question, item.options[1]) == ("vi question 2?", "vi 2 b")


def test_a_model_is_named_after_its_folder_from_inside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "org__tiny")
    monkeypatch.chdir(tmp_path / "org__tiny")
    assert read(Path()).model == "tiny"


def test_of_equal_log_probabilities_the_first_counts(tmp_path: Path) -> None:
    def equal(sample: Sample, _: str) -> None:
        sample["filtered_resps"] = [["-1.0", "False"]] * 4
        sample["acc"] = float(sample["doc"]["answer"] == 0)

    write_set(tmp_path, change=equal)
    assert {line["answer"] for line in read(tmp_path).lines} == {"A"}


def test_files_of_several_calls_and_packed_files_are_one_run(tmp_path: Path) -> None:
    write_set(tmp_path, ["en", "es"])
    file = write_samples(tmp_path, "quiz_vi", [choice(n, "vi") for n in range(10)], OTHER_DATE)
    packed = file.with_name(f"{file.name}.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    [found] = read_predictions(packed)
    assert found.choices is not None
    assert found.choices.languages == ("en", "es", "vi")


def test_languages_in_folders_of_one_name_are_one_run(tmp_path: Path) -> None:
    for language in ("en", "es"):
        write_set(tmp_path / language / "org__tiny", [language])
    assert read(tmp_path).model == "tiny"


@pytest.mark.parametrize("form", ["lists", "numbers", "without arguments"])
def test_other_versions_write_samples_in_other_forms(tmp_path: Path, form: str) -> None:
    def change(sample: Sample, _: str) -> None:
        if form == "lists":
            sample["arguments"] = [list(one.values()) for one in sample["arguments"].values()]
            del sample["filter"], sample["metrics"]
        elif form == "numbers":
            sample["filtered_resps"] = [[float(value), False] for value, _ in sample["filtered_resps"]]
            sample["acc"] = bool(sample["acc"])
        else:
            del sample["arguments"]

    write_set(tmp_path, change=change)
    log = read(tmp_path)
    assert [line["answer"] for line in log.lines[:10]] == ["ABCD"[chosen] for chosen in CHOSEN]


@pytest.mark.parametrize("form", ["letter", "text", "continuation", "field", "from 1"])
def test_what_is_right_is_read_from_whatever_says_it(tmp_path: Path, form: str) -> None:
    def change(sample: Sample, _: str) -> None:
        doc, gold = sample["doc"], sample["doc"]["answer"]
        if form == "letter":
            sample["target"] = "ABCD"[gold]
        elif form == "text":
            sample["target"] = doc["choices"][gold]
        elif form == "continuation":
            sample["target"] = f" {doc['choices'][gold]}"
        else:
            sample["target"] = "and so on."
            doc["answer"] = str(gold + 1) if form == "from 1" else gold

    write_set(tmp_path, change=change)
    assert [line["gold"] for line in read(tmp_path).lines[:10]] == ["ABCD"[gold] for gold in GOLDS]


def test_an_accuracy_that_contradicts_the_log_probabilities_is_an_error(tmp_path: Path) -> None:
    def change(sample: Sample, language: str) -> None:
        if (sample["doc_id"], language) == (4, "es"):
            sample["acc"] = 1.0

    write_set(tmp_path, change=change)
    with refused("contradicts", "option A", "right option is B", row=5, field="acc") as caught:
        read(tmp_path)
    assert "samples_quiz_es" in str(caught.value.file)


def test_log_probabilities_that_are_not_numbers_are_an_error(tmp_path: Path) -> None:
    def change(sample: Sample, language: str) -> None:
        if (sample["doc_id"], language) == (2, "vi"):
            sample["filtered_resps"][1][0] = "nan"

    write_set(tmp_path, change=change)
    with refused("nan", row=3, field="filtered_resps"):
        read(tmp_path)


def test_a_half_written_line_is_an_error_with_its_row(tmp_path: Path) -> None:
    file = write_set(tmp_path)[1]
    text = file.read_text(encoding="utf-8")
    file.write_text(text[:-40], encoding="utf-8")
    with refused(file=file.name, row=10, hint="run the task again"):
        read(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_packed_file_that_was_cut_is_an_error(tmp_path: Path, share: float) -> None:
    file = write_set(tmp_path)[1]
    packed = gzip.compress(file.read_bytes())
    file.with_name(f"{file.name}.gz").write_bytes(packed[: int(share * len(packed))])
    file.unlink()
    with refused(file=f"{file.name}.gz"):
        read(tmp_path)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    file = write_set(tmp_path)[1]
    file.write_text("", encoding="utf-8")
    with refused(file=file.name):
        read(tmp_path)


def test_fewer_samples_than_the_results_say_are_an_error(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_results(tmp_path, {"quiz_en": {}, "quiz_es": {"samples": 12}, "quiz_vi": {}})
    with refused("10 samples", "12", hint="half written"):
        read(tmp_path)


def test_another_mean_than_the_results_have_is_an_error(tmp_path: Path) -> None:
    write_set(tmp_path)
    write_results(tmp_path, {"quiz_en": {}, "quiz_es": {}, "quiz_vi": {"acc": 0.8}})
    with refused("0.7", "0.8", field="acc"):
        read(tmp_path)


def test_languages_that_were_run_with_other_settings_are_an_error(tmp_path: Path) -> None:
    write_set(tmp_path, ["en", "es"])
    write_results(tmp_path, {"quiz_en": {}, "quiz_es": {"shots": 5}})
    with refused("en and es", "shots", "0", "5", field="shots"):
        read(tmp_path)
    write_results(tmp_path, {"quiz_en": {}, "quiz_es": {}})
    write_samples(tmp_path, "quiz_vi", [choice(n, "vi") for n in range(10)], OTHER_DATE)
    other = {"model": "hf", "model_args": "pretrained=org/large,dtype=float32,device=cuda"}
    write_results(tmp_path, {"quiz_vi": {}}, OTHER_DATE, config=other)
    with refused("org/tiny", "org/large", field="model_args"):
        read(tmp_path)
    other["model_args"] = "dtype=float32,pretrained=org/tiny,device=cuda"
    write_results(tmp_path, {"quiz_vi": {}}, OTHER_DATE, config=other)
    assert read(tmp_path).settings["shots"] == "0"


def test_without_results_the_prompts_show_how_many_shots_there_were(tmp_path: Path) -> None:
    def shots(sample: Sample, language: str) -> None:
        shot = "Why?\nAnswer: so\n\n" * (2 if language == "vi" else 1)
        for one in sample["arguments"].values():
            one["arg_0"] = shot + one["arg_0"]

    write_set(tmp_path, change=shots)
    with refused("en and vi", "shots", "1", "2", field="shots"):
        read(tmp_path)


def test_a_task_that_was_run_twice_is_an_error_unless_one_run_is_named(tmp_path: Path) -> None:
    files = write_set(tmp_path)
    for language in ("en", "es", "vi"):
        samples = [choice(n, language, chosen=0) for n in range(10)]
        write_samples(tmp_path, f"quiz_{language}", samples, OTHER_DATE)
    with refused("quiz_en", "2026-03", hint="folder of its own") as caught:
        read(tmp_path)
    assert OTHER_DATE in str(caught.value.file)
    assert read(files[0]).reported["acc/en"] == 0.7


def test_a_record_that_repeats_is_counted_and_one_that_contradicts_is_an_error(tmp_path: Path) -> None:
    files = write_set(tmp_path)
    first = choice(0, "es")
    with files[1].open("a", encoding="utf-8") as file:
        file.write(json.dumps(first, ensure_ascii=False) + "\n")
    log = read(tmp_path)
    assert log.skipped == {"repeated_sample:es": 1}
    assert len(log.lines) == 30
    with files[1].open("a", encoding="utf-8") as file:
        file.write(json.dumps(choice(0, "es", chosen=3), ensure_ascii=False) + "\n")
    with refused("document 0", "row 1", row=12, field="doc_id"):
        read(tmp_path)


def test_items_that_a_limited_run_did_not_ask_are_incomplete(tmp_path: Path) -> None:
    write_set(tmp_path, ["en", "es"])
    write_samples(tmp_path, "quiz_vi", [choice(n, "vi") for n in range(4)])
    [found] = read_predictions(tmp_path)
    assert len(found.choices.items if found.choices else ()) == 4
    assert set(found.incomplete.values()) == {"vi"}


def test_one_language_alone_is_read(tmp_path: Path) -> None:
    write_set(tmp_path, ["es"])
    [found] = read_predictions(tmp_path)
    assert found.languages == ("es",)


def test_tasks_that_cannot_be_read_are_counted_beside_others_and_an_error_alone(tmp_path: Path) -> None:
    write_set(tmp_path / "both")
    several = [choice(n, "en") | {"acc": 0.4} for n in range(3)]
    write_samples(tmp_path / "both", "truth_mc2", several)
    write_samples(tmp_path / "both", "truth_mc2_es", [choice(n, "es") for n in range(2)])
    write_samples(tmp_path / "both", "plain", [choice(n, "en") for n in range(2)])
    assert read(tmp_path / "both").skipped == {
        "several_right:truth_mc2": 3,
        "several_right:truth_mc2_es": 2,
        "task_without_language:plain": 2,
    }
    file = write_samples(tmp_path / "alone", "quiz_en", several)
    with refused("several options are right", file=file.name):
        read(tmp_path / "alone")


def test_replies_are_read_whole_unless_a_filter_is_named(tmp_path: Path) -> None:
    for language in ("en", "fr"):
        samples = [sums(n, language, name) for name in ("strict", "flexible") for n in range(6)]
        write_samples(tmp_path, f"mgsm_direct_{language}", samples)
    log = read(tmp_path)
    assert log.skipped == {}
    assert log.lines[2]["reply"] == "2 + 1 = 3."
    assert log.reported["exact_match,strict/fr"] == 0.5
    assert log.reported["exact_match,flexible/fr"] == 0
    [found] = read_predictions(tmp_path)
    assert found.texts is not None
    assert exact_match(found.texts).tolist() == [1, 1]
    [found] = read_predictions(tmp_path, filter="strict")
    assert found.texts is not None
    assert exact_match(found.texts).tolist() == [0.5, 0.5]
    assert found.log.reported == {"exact_match,strict/en": 0.5, "exact_match,strict/fr": 0.5}
    with refused("'lenient'", field="filter", hint="strict, flexible"):
        read(tmp_path, filter="lenient")


def test_older_versions_do_not_name_their_filters(tmp_path: Path) -> None:
    for language in ("en", "fr"):
        samples = [sums(n, language, name) for name in ("strict", "flexible") for n in range(6)]
        for sample in samples:
            del sample["filter"]
        write_samples(tmp_path, f"mgsm_direct_{language}", samples)
    assert read(tmp_path).reported["exact_match,1/fr"] == 0.5
    assert read(tmp_path, filter="2").reported == {"exact_match,2/en": 0, "exact_match,2/fr": 0}


def test_a_choice_that_was_written_is_read_from_the_reply(tmp_path: Path) -> None:
    for language in ("en", "vi"):
        samples = []
        for number in range(4):
            sample = choice(number, language)
            letter = "ABCD"[CHOSEN[number]]
            written = f"The answer is ({letter})." if number else "I do not know."
            sample |= {"target": "ABCD"[GOLDS[number]], "resps": [[written]], "filtered_resps": [letter]}
            sample["arguments"] = {"gen_args_0": {"arg_0": "?", "arg_1": {}}}
            del sample["acc"]
            samples.append(sample)
        write_samples(tmp_path, f"quiz_{language}", samples)
    lines = read(tmp_path).lines[:4]
    assert [line["answer"] for line in lines] == [None, "B", "C", "C"]
    assert [line["gold"] for line in lines] == ["A", "B", "D", "C"]


def test_a_long_prefix_that_replies_share_with_references_is_no_part_of_the_answer(tmp_path: Path) -> None:
    for language in ("ca", "en"):
        samples = []
        for number in range(3):
            sample = sums(number, language, "none", reply=f"A: {language} b{number}")
            sample["doc"] = {
                "id": 7 - number,
                "question": f"{language} {number}?",
                "best_answer": f"{language} a{number}",
                "correct_answers": [f"{language} a{number}.", f"{language} b{number}."],
            }
            sample["target"] = f"A: {language} a{number}"
            samples.append(sample)
        order = 1 if language == "ca" else -1
        write_samples(tmp_path, f"truthfulqa-multi_gen_{language}", samples[::order])
    log = read(tmp_path)
    line = next(line for line in log.lines if (line["item"], line["language"]) == ("6", "en"))
    assert (line["gold"], line["reply"]) == ("en a1", "en b1")
    assert line["aliases"] == ["en a1.", "en b1."]
    [found] = read_predictions(tmp_path)
    assert found.texts is not None
    assert exact_match(found.texts).tolist() == [1, 1]


@pytest.mark.skipif(
    not (REAL_DATA / "lm-eval-logs").is_dir(), reason="needs CROSSIN_TEST_DATA with lm-eval-logs"
)
@pytest.mark.slow
def test_real_logs_in_five_languages_have_every_figure_of_free_text() -> None:
    [found] = score(REAL_DATA / "lm-eval-logs", draws=10)
    log = found.predictions.log
    assert (log.benchmark, log.skipped) == ("truthfulqa-multi_gen", {})
    assert found.predictions.by_language == dict.fromkeys(("ca", "en", "es", "eu", "gl"), 817)
    for name in ("exact_match", "f1", "chrf", "fidelity"):
        languages = {"ca", "en", "es", "eu"} | ({"gl"} if name != "fidelity" else set())
        assert {x.rpartition("/")[2] for x in found.texts if x.startswith(f"{name}/")} >= languages
    assert log.reported["bleu_acc/en"] == pytest.approx(0.4504, abs=1e-4)
    assert not any(line["reply"].startswith("A:") for line in log.lines)


def test_the_harness_own_figures_are_shown_where_they_differ_and_with_details(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path / "same")
    scores = score(tmp_path / "same", draws=10)
    show_scores(scores, [])
    assert "reported" not in capsys.readouterr().out
    show_scores(scores, [], details=True)
    assert "reported" in capsys.readouterr().out
    write_set(tmp_path / "fewer", ["en", "es"])
    write_samples(tmp_path / "fewer", "quiz_vi", [choice(n, "vi") for n in range(5)])
    scores = score(tmp_path / "fewer", draws=10)
    show_scores(scores, [])
    assert "reported" in capsys.readouterr().out
    values = all_values(scores, [])["scores"][0]
    assert values["reported"] == {"acc/en": 0.7, "acc/es": 0.7, "acc/vi": 0.6}
    assert (values["benchmark"], values["skipped"]) == ("quiz", {})


def test_a_task_with_all_languages_is_read_where_its_documents_name_theirs(tmp_path: Path) -> None:
    samples = [choice(n, language) for n in range(5) for language in ("en", "es")]
    for number, sample in enumerate(samples):
        sample["doc_id"] = number
        sample["doc"]["lang"] = sample["doc"]["question"][:2]
    file = write_samples(tmp_path, "plain", samples)
    log = read(tmp_path)
    assert sorted({(line["item"], line["language"]) for line in log.lines})[:2] == [
        ("q0", "en"),
        ("q0", "es"),
    ]
    assert log.reported == {"acc/en": 0.6, "acc/es": 0.6}
    samples[3]["doc"]["lang"] = "?"
    write_samples(tmp_path, "plain", samples)
    with refused("no language", file=file.name, row=4, field="doc.lang"):
        read(tmp_path)
