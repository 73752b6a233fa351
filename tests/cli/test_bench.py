from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.apart import crossin


def record(number: int, answer: int = 0) -> dict[str, Any]:
    """An item in SeaEval's form."""
    texts = {
        "English": (f"Which of these is number {number}?", ["this one here", "that one there"]),
        "Thai": (f"ข้อใดคือหมายเลข {number}", ["อันนี้ที่นี่", "อันนั้นที่นั่น"]),
    }
    found: dict[str, Any] = {"id": f"test_{number}"}
    for name, (question, options) in texts.items():
        choices = [f"({label}) {option}" for label, option in zip("AB", options, strict=True)]
        found[name] = {"question": question, "choices": choices, "answer": choices[answer]}
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "cross_mmlu.json"
    records = [record(1), record(2, 1), record(3)]
    del records[2]["Thai"]
    file.write_text(json.dumps(records), encoding="utf-8")
    return file


@pytest.fixture
def bench(source: Path, tmp_path: Path) -> Path:
    out = tmp_path / "bench"
    ended = crossin("bench", "build", "cross-mmlu", "--source", str(source), "--out", str(out))
    assert ended.returncode == 0, ended.stderr
    return out


def test_the_list_names_every_benchmark_and_its_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = crossin("bench", "list")
    assert ended.returncode == 0
    for words in ("facts", "cross-mmlu", "cross-xquad", "belebele", "bmlama", "built here", "MIT"):
        assert words in ended.stdout
    known = {line["name"]: line for line in json.loads(crossin("bench", "list", "--json").stdout)}
    assert known["mgsm"]["items"] == 250
    assert known["belebele"]["languages"] == 122


def test_a_build_prints_what_it_made_and_what_it_left_out(source: Path, tmp_path: Path) -> None:
    arguments = ["bench", "build", "cross-mmlu", "--source", str(source), "--out", str(tmp_path / "bench")]
    for _ in range(2):
        ended = crossin(*arguments, "--languages", "Thai,eng_Latn")
        assert ended.returncode == 0, ended.stderr
        assert "knowledge: en 2  th 2" in ended.stdout
        assert "left out: 1, not in th" in ended.stderr
        assert "bench: 2 items, in" in ended.stderr
    made = json.loads(crossin(*arguments, "--languages", "en,th", "--json").stdout)
    assert made["counts"]["items"] == 2
    assert made["skipped"] == {"not in th": 1}


def test_another_wish_in_the_same_folder_is_refused(bench: Path, source: Path) -> None:
    ended = crossin(
        "bench", "build", "cross-mmlu", "--source", str(source), "--languages", "en", "--out", str(bench)
    )
    assert ended.returncode == 2
    assert "holds another run's files" in ended.stderr


def test_an_item_is_shown_without_colour_where_none_is_wanted(bench: Path) -> None:
    ended = crossin("bench", "show", str(bench), "test_2", "--languages", "th")
    assert ended.returncode == 0, ended.stderr
    assert "✓ B" in ended.stdout and "อันนั้นที่นั่น" in ended.stdout
    assert "English" not in ended.stdout and "this one" not in ended.stdout
    command = [sys.executable, "-m", "crossin.cli.main", "bench", "show", str(bench)]
    for settings, coloured in (({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)):
        text = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, **settings}
        ).stdout
        assert ("\x1b[1;32m" in text) == coloured


def test_a_sound_benchmark_passes_and_a_broken_one_ends_with_1(bench: Path, tmp_path: Path) -> None:
    ended = crossin("bench", "check", str(bench))
    assert ended.returncode == 0
    assert "finding" not in ended.stdout and "longest" in ended.stdout
    assert "check: 2 items in 2 languages; 0 structural findings, 0 about content" in ended.stderr
    from dataclasses import replace

    from crossin.core.formats import ITEMS
    from crossin.items.item import read_items, write_items

    items = read_items(bench)
    write_items(tmp_path / "broken" / ITEMS, [replace(items[0], answer="B"), *items[1:]])
    ended = crossin("bench", "check", str(tmp_path / "broken"))
    assert ended.returncode == 1
    assert "structural" in ended.stdout and "other answer" in ended.stdout and "test_1" in ended.stdout
    figures = json.loads(crossin("bench", "check", str(tmp_path / "broken"), "--json").stdout)
    assert (figures["structural"], figures["languages"]) == (1, ["en", "th"])
    assert figures["findings"][0]["examples"][0]["item"] == "test_1"


def test_the_template_file_of_a_language_is_checked_by_name() -> None:
    ended = crossin("bench", "check", "facts", "--languages", "en")
    assert (ended.returncode, ended.stdout) == (0, "en: complete\n")
    ended = crossin("bench", "check", "facts", "--languages", "yo", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout) == {"yo": ["no file"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["build", "belebel", "--out", "x"], "near it are: belebele"),
        (["build", "belebele", "--languages", "en", "--out", "x"], "--source DIR"),
        (["build", "cross-mmlu", "--source", "none.json", "--out", "x"], "none.json: cannot be read"),
        (["build", "facts", "--languages", "tlh", "--out", "x"], "tlh"),
        (["check", "nowhere"], "nowhere: there is no benchmark here"),
        (["check", "facts"], "--languages sv"),
        (["show", "nowhere"], "nowhere: there is no benchmark here"),
        (["build", "facts", "--languages", ",", "--out", "x"], "names no language"),
        (["export", "nowhere", "--out", "x"], "nowhere: there is no benchmark here"),
    ],
)
def test_bad_input_is_one_clear_error_and_exit_code_2(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = crossin("bench", *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_shows_the_five_verbs() -> None:
    ended = crossin("bench", "--help")
    for verb in ("list", "build", "show", "check", "export"):
        assert verb in ended.stdout


def test_an_export_says_how_to_run_it(bench: Path, tmp_path: Path) -> None:
    out = tmp_path / "tasks"
    arguments = ["bench", "export", str(bench), "--to", "lm-eval", "--out", str(out)]
    ended = crossin(*arguments, "--languages", "Thai", "--form", "letters", "--wordings", "question,plain")
    assert ended.returncode == 0, ended.stderr
    assert "left out: 2, question: in another language" in ended.stderr
    assert "export: 4 questions in 2 tasks" in ended.stderr
    assert f"--tasks crossin_bench --include_path {out} --log_samples" in ended.stderr
    assert sorted(path.stem for path in out.glob("*.jsonl")) == [
        "crossin_bench_th_plain",
        "crossin_bench_th_question",
    ]
