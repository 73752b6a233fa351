"""The page of logs that other programs wrote."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from crossin.reports.make import report
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.pages import explorer_of
from tests.helpers.paths import REAL_DATA
from tests.helpers.report_data import HOSTILE

LM_EVAL = REAL_DATA / "lm-eval-logs"
DRAWS = 50
COLOURS = {"English": ["(A) red", "(B) blue"], "Vietnamese": ["(A) đỏ", "(B) xanh"]}


def seaeval_log(folder: Path, model: str, replies: list[tuple[str, str]], **changed: Any) -> Path:
    """A log of questions whose answer is B; `replies` are those in each language."""
    asked = [
        {
            "id": f"q{number}",
            **{
                name: {
                    "question": f"{number}? {HOSTILE}",
                    "choices": choices,
                    "answer": choices[1],
                    "model_prediction": reply,
                }
                for (name, choices), reply in zip(COLOURS.items(), of_item, strict=True)
            },
            **changed,
        }
        for number, of_item in enumerate(replies)
    ]
    file = folder / "colours" / model / "zero_shot_p1.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(asked), encoding="utf-8")
    return file


def scores_log(file: Path, items: dict[str, tuple[int, bool]]) -> Path:
    """A log of PolyFact's makers: each item's answer in both languages, and whether it is right there."""
    predictions = {}
    for item, (answer, correct) in items.items():
        scores = [-2.0, -2.5, -3.0, -3.5]
        scores[answer] = -1.0
        cell = {"pred_idx": answer, "correct": correct, "scores": scores}
        predictions[item] = {"en": cell, "zh": cell}
    right = sum(correct for _, correct in items.values()) / len(items)
    content = {
        "per_language_accuracy": {x: {"accuracy": right, "n": len(items)} for x in ("en", "zh")},
        "config": {"benchmark": "global_mmlu_lite", "model": file.stem, "score_mode": "avg"},
        "predictions": predictions,
    }
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return file


def test_replies_to_choices_are_shown_and_have_no_bars(tmp_path: Path) -> None:
    runs = {
        "old": seaeval_log(tmp_path, "old", [("(B) blue", "(A) đỏ"), ("no idea", "(B) xanh")]),
        "new": seaeval_log(tmp_path, "new", [("(B) blue", "(B) xanh"), ("(B)", "(B) xanh")]),
    }
    made = report(runs, tmp_path / "page.html", draws=DRAWS)
    [first, second] = explorer_of(made.page)["items"]
    assert first["logprobs"] == second["logprobs"] == [None, None]
    assert first["answers"] == [[1, 0], [1, 1]] and second["answers"][0] == [-1, 1]
    assert second["replies"][0] == ["no idea", "(B) xanh"]
    assert made.summary.parts["new", "old"]["new"].value == 0.25
    assert made.summary.chance == 0.5
    page = unescape(made.page.read_text(encoding="utf-8"))
    assert str(runs["old"]) in page and "colours" in page


def test_where_the_right_option_is_only_marked_all_runs_have_the_same(tmp_path: Path) -> None:
    plain = {f"virology/test/{number}": (1, True) for number in range(20)}
    # Alone, nothing tells which option is right here.
    unsure = "anatomy/test/1"
    runs = {
        "old": scores_log(tmp_path / "old.json", plain | {unsure: (0, False)}),
        "new": scores_log(tmp_path / "new.json", plain | {unsure: (3, True)}),
    }
    made = report(runs, tmp_path / "page.html", draws=DRAWS)
    [item] = [item for item in explorer_of(made.page)["items"] if item["id"] == unsure]
    assert item["ids"][item["gold"]] == "3"
    accuracy = {name: figures["accuracy"].value for name, figures in made.summary.by_arm.items()}
    assert accuracy == pytest.approx({"old": 20 / 21, "new": 1})


def test_the_figures_of_a_harness_stand_beside_ours(tmp_path: Path) -> None:
    items = {f"virology/test/{number}": (1, number > 4) for number in range(20)}
    made = report({"one": scores_log(tmp_path / "one.json", items)}, tmp_path / "page.html", draws=DRAWS)
    assert "0.750 (ours 0.750)" in made.page.read_text(encoding="utf-8")
    [arm] = json.loads(made.figures.read_text(encoding="utf-8"))["arms"]
    assert arm["reported"]["accuracy/en"] == 0.75


def test_a_question_whose_text_no_log_has_is_shown_by_its_ids(tmp_path: Path) -> None:
    items = {f"virology/test/{number}": (1, True) for number in range(20)}
    made = report({"one": scores_log(tmp_path / "one.json", items)}, tmp_path / "page.html", draws=DRAWS)
    first = explorer_of(made.page)["items"][0]
    assert first["texts"][0] is not None and first["texts"][0][2] == first["ids"]


@pytest.mark.parametrize("command", ["report", "score"])
def test_logs_of_two_benchmarks_make_a_page_each(tmp_path: Path, command: str) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    seaeval_log(logs, "old", [("(B) blue", "(A) đỏ")])
    scores_log(logs / "old.json", {f"virology/test/{number}": (1, True) for number in range(20)})
    out = ["--out"] if command == "report" else ["--draws", str(DRAWS), "--page"]
    done = crossin(command, logs, *out, tmp_path / "page.html")
    pages = sorted(path.name for path in tmp_path.glob("*.html"))
    assert pages == ["page-colours.html", "page-global_mmlu_lite.html"]
    assert all(page in done.stdout + done.stderr for page in pages)
    figures = json.loads((tmp_path / "page-colours.json").read_text(encoding="utf-8"))
    html = (tmp_path / "page-colours.html").read_text(encoding="utf-8")
    assert '<a href="" aria-current=page>colours</a>' in html
    assert '<a href="page-global_mmlu_lite.html">global_mmlu_lite</a>' in html
    assert figures["benchmark"] == "colours" and figures["title"].endswith(": colours")
    with refused("2 benchmarks", "colours (old/zero_shot)", hint="one benchmark"):
        report(logs, tmp_path / "page.html", draws=DRAWS)


@pytest.mark.slow
@pytest.mark.skipif(not LM_EVAL.is_dir(), reason=f"no logs of lm-eval in {REAL_DATA}")
def test_real_logs_in_five_languages_make_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    crossin("score", LM_EVAL, "--draws", DRAWS, "--page", page)
    [arm] = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["arms"]
    for language in ("ca", "en", "es", "eu", "gl"):
        assert 30 < arm["figures"][f"chrf/{language}"]["value"] < 36
        assert f"bleu_max/{language}" in arm["reported"]
    assert arm["figures"]["fidelity/eu"]["value"] > 0.98
    # lingua does not know Galician.
    assert arm["figures"]["undecided/gl"]["value"] > 0.99
    assert arm["figures"]["in_language/gl"]["value"] is None
    items = explorer_of(page)["items"]
    assert len(items) == 817
    assert all(reply for item in items for reply in item["replies"][0])
    assert page.stat().st_size < 4_000_000
