from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crossin.cli.main import app
from crossin.core.formats import ITEMS
from crossin.items.item import read_items, write_items
from tests.helpers.errors import refused
from tests.helpers.messages import messages


def bench_command(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["bench", *map(str, words)], catch_exceptions=False)


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
    ended = bench_command("build", "cross-mmlu", "--source", source, "--out", out)
    assert ended.exit_code == 0, ended.stderr
    return out


def test_the_list_names_every_benchmark_and_its_licence() -> None:
    ended = bench_command("list")
    assert ended.exit_code == 0
    for words in ("facts", "cross-mmlu", "cross-xquad", "belebele", "bmlama", "built", "MIT"):
        assert words in ended.stdout
    known = {line["name"]: line for line in json.loads(bench_command("list", "--json").stdout)}
    assert known["mgsm"]["items"] == 250
    assert known["belebele"]["languages"] == 122


def test_a_finished_build_and_its_check_say_the_same_again(source: Path, tmp_path: Path) -> None:
    words = ("build", "cross-mmlu", "--source", source, "--out", tmp_path / "bench")
    first, again = (bench_command(*words) for _ in range(2))
    assert (first.stdout, messages(first.stderr)) == (again.stdout, messages(again.stderr))
    assert "note: cross_mmlu.json: 1 of 3 items" in again.stderr
    assert "leave the language out with --languages" in again.stderr
    items = read_items(tmp_path / "bench")
    write_items(tmp_path / "bench" / ITEMS, [replace(items[0], options=["same", "same"]), *items[1:]])
    assert [bench_command("check", tmp_path / "bench").exit_code for _ in range(2)] == [1, 1]


def test_a_build_prints_what_it_built_and_what_it_left_out(source: Path, tmp_path: Path) -> None:
    words = ("build", "cross-mmlu", "--source", source, "--out", tmp_path / "bench")
    for _ in range(2):
        ended = bench_command(*words, "--languages", "Thai,eng_Latn")
        assert ended.exit_code == 0, ended.stderr
        assert "knowledge: en 2  th 2" in ended.stdout
        assert "left out: 1 items" in ended.stderr and "(th)" in ended.stderr
        assert "bench: 2 items, in" in ended.stderr
    made = json.loads(bench_command(*words, "--languages", "en", "--languages", "th", "--json").stdout)
    assert made["counts"]["items"] == 2
    assert made["skipped"] == {"missing_language:th": 1}


def test_another_build_in_the_same_folder_is_refused(bench: Path, source: Path) -> None:
    with refused("another run's files", file=bench):
        bench_command("build", "cross-mmlu", "--source", source, "--languages", "en", "--out", bench)


def test_an_item_is_shown_without_colour_where_none_is_wanted(bench: Path) -> None:
    ended = bench_command("show", bench, "test_2", "--languages", "th")
    assert ended.exit_code == 0, ended.stderr
    assert "✓ B" in ended.stdout and "อันนั้นที่นั่น" in ended.stdout
    assert "English" not in ended.stdout and "this one" not in ended.stdout
    # The console finds out about colours once in a process.
    command = [sys.executable, "-m", "crossin.cli.main", "bench", "show", str(bench)]
    for settings, coloured in (({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)):
        text = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, **settings}
        ).stdout
        assert ("\x1b[1;32m" in text) == coloured


def test_a_sound_benchmark_passes_and_a_broken_one_ends_with_1(bench: Path, tmp_path: Path) -> None:
    ended = bench_command("check", bench)
    assert ended.exit_code == 0
    assert "finding" not in ended.stdout and "longest" in ended.stdout
    assert "check: 2 items in 2 languages; 0 structural findings, 0 about content" in ended.stderr
    items = read_items(bench)
    write_items(tmp_path / "broken" / ITEMS, [replace(items[0], answer="B"), *items[1:]])
    ended = bench_command("check", tmp_path / "broken")
    assert ended.exit_code == 1
    assert "structural" in ended.stdout and "test_1" in ended.stdout
    # Codes are for programs.
    assert "differs_" not in ended.stdout and "differs" in ended.stdout
    figures = json.loads(bench_command("check", tmp_path / "broken", "--json").stdout)
    assert (figures["structural"], figures["languages"]) == (1, ["en", "th"])
    assert figures["findings"][0]["reason"] == "differs_by_language:answer"
    assert figures["findings"][0]["examples"][0]["item"] == "test_1"


def test_the_template_file_of_a_language_is_checked_by_name() -> None:
    ended = bench_command("check", "facts", "--languages", "en")
    assert (ended.exit_code, ended.stdout) == (0, "en: complete\n")
    ended = bench_command("check", "facts", "--languages", "yo", "--json")
    assert ended.exit_code == 1
    assert json.loads(ended.stdout) == {"yo": ["no file"]}


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (["build", "belebel", "--out", "x"], "did you mean belebele"),
        (["build", "belebele", "--languages", "en", "--out", "x"], "--source DIR"),
        (["build", "cross-mmlu", "--source", "none.json", "--out", "x"], "none.json"),
        (["build", "facts", "--languages", "tlh", "--out", "x"], "tlh"),
        (["build", "facts", "--languages", ",", "--out", "x"], "--languages"),
        (["build", "xcopa", "--languages", "Vietnamse", "--out", "x"], "'--languages': unknown"),
        (["show", "x", "--languages", "en,Vietnamse"], "'--languages': unknown"),
        (["export", "x", "--languages", "Vietnamse", "--out", "y"], "'--languages': unknown"),
        (["check", "nowhere"], "no benchmark"),
        (["check", "facts"], "--languages sv"),
        (["show", "nowhere"], "no benchmark"),
        (["export", "nowhere", "--out", "x"], "no benchmark"),
        (["export", "nowhere", "--out", "x", "--shots", "-1"], "--shots"),
    ],
)
def test_bad_input_is_one_clear_error_that_leaves_nothing_behind(
    words: list[str], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with refused(key):
        bench_command(*words)
    assert list(tmp_path.iterdir()) == []


def test_help_shows_the_five_commands() -> None:
    text = bench_command("--help").output
    for name in ("list", "build", "show", "check", "export"):
        assert f"\n  {name}" in text


def test_an_export_says_how_to_run_it(bench: Path, tmp_path: Path) -> None:
    out = tmp_path / "tasks"
    words = ("export", bench, "--to", "lm-eval", "--out", out, "--languages", "Thai")
    ended = bench_command(*words, "--form", "letters", "--wordings", "question,plain")
    assert ended.exit_code == 0, ended.stderr
    assert "left out: 2 questions" in ended.stderr
    assert "export: 4 questions in 2 tasks" in ended.stderr
    assert f"--tasks crossin_bench --include_path {out} --log_samples" in ended.stderr
    assert sorted(path.stem for path in out.glob("*.jsonl")) == [
        "crossin_bench_th_plain",
        "crossin_bench_th_question",
    ]
