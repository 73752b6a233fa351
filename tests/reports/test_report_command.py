"""`crossin report` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from crossin.core.files import read_json, write_json
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.report_data import three_arms, write_run


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    runs = three_arms(tmp_path_factory.mktemp("runs"), ["en", "vi"])
    return [f"{name}={folder}" for name, folder in runs.items()]


def test_it_prints_the_table_and_where_the_page_is(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    shown = crossin("report", *arguments, "--out", out, "--baseline", "English only").stdout
    assert "accuracy vi" in shown and f"Page: {out}" in shown
    assert out.exists() and out.with_suffix(".json").exists()


def test_it_prints_json_and_markdown(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    figures = json.loads(crossin("report", *arguments, "--out", out, "--json").stdout)
    assert figures["baseline"] == "base model"
    text = crossin("report", *arguments, "--out", out, "--markdown").stdout
    assert text.startswith("| figure | base model |")


def set_model(folder: Path, name: str) -> None:
    """Let a run's manifest name its model."""
    manifest = read_json(folder / "manifest.json")
    manifest["settings"]["name"] = name
    write_json(folder / "manifest.json", manifest)


def in_two_wordings(folder: Path) -> Path:
    """The run's answers as those to `question`; those to `plain` are all A, in words. With free text, too."""
    lines = pyarrow.parquet.read_table(folder / "answers.parquet").to_pylist()
    free: dict[str, Any] = {
        "item": "free",
        "group": "free",
        "task": "name",
        "option_ids": [],
        "answer": None,
        "gold": "x",
    }
    lines += [{**line, **free, "logprobs": None, "reply": "x"} for line in lines if line is lines[0]]
    # The first line decides which columns there are.
    lines = [{"reply": None, **line} for line in lines]
    answers = [{**line, "prompt": "question"} for line in lines]
    first = {"logprobs": None, "reply": "A", "prompt": "plain"}
    answers += [
        {**line, **first, "answer": line["option_ids"][0] if line["option_ids"] else None} for line in lines
    ]
    pyarrow.parquet.write_table(pa.Table.from_pylist(answers), folder / "answers.parquet")
    items = pyarrow.parquet.read_table(folder / "items.parquet").to_pylist()
    asked = {name: free[name] for name in ("item", "group", "task", "option_ids")}
    items.append({**items[0], **asked, "options": [], "answer": "x"})
    pyarrow.parquet.write_table(pa.Table.from_pylist(items), folder / "items.parquet")
    return folder


def test_of_several_wordings_one_is_reported(tmp_path: Path) -> None:
    runs = three_arms(tmp_path / "runs", ["en", "vi"])
    arguments = ["report", *(f"{name}={folder}" for name, folder in runs.items())]
    arguments += ["--out", str(tmp_path / "report.html")]
    once = json.loads(crossin(*arguments, "--json").stdout)
    for folder in runs.values():
        in_two_wordings(folder)
    figures = {
        wording: json.loads(crossin(*arguments, "--wording", wording, "--json").stdout)
        for wording in ("question", "plain")
    }
    for arm, alone in zip(figures["question"]["arms"], once["arms"], strict=True):
        assert arm["figures"].items() >= alone["figures"].items()
        assert arm["figures"]["exact_match/en"]["value"] == 1
    assert figures["plain"]["arms"][0]["figures"]["exact_match/en"]["value"] == 0
    # Of four options in turn, the first is right for a quarter.
    assert figures["plain"]["arms"][0]["figures"]["accuracy"]["value"] == 0.25
    # Without a choice, it is the first.
    chosen = json.loads(crossin(*arguments, "--json").stdout)
    assert chosen == figures["question"]
    assert chosen["wordings"]["CrossIn"]["prompts"] == ["question", "plain"]
    with refused("asked", file="answers.parquet", hint="question, plain"):
        crossin(*arguments, "--wording", "asked")


def test_two_runs_of_one_name_are_an_error(arguments: list[str], tmp_path: Path) -> None:
    folder = arguments[0].split("=")[1]
    with refused("named twice", file=folder, hint="NAME=PATH"):
        crossin("report", folder, folder, "--out", tmp_path / "report.html")
    with refused("two runs are called 'one'", hint="NAME=PATH"):
        crossin("report", f"one={folder}", f"one={folder}", "--out", tmp_path / "report.html")


def names_in(page: Path) -> list[str]:
    arms = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["arms"]
    return [arm["name"] for arm in arms]


def test_runs_without_names_have_their_models_and_folders_of_them_an_arm_each(tmp_path: Path) -> None:
    three_arms(tmp_path / "runs", ["en", "vi"], items=8)
    for arm in ("base-model", "CrossIn"):
        set_model(tmp_path / "runs" / arm, "small")
    page = tmp_path / "report.html"
    crossin("report", tmp_path / "runs", "--out", page)
    assert names_in(page) == ["small (CrossIn)", "English-only", "small (base-model)"]
    crossin("report", tmp_path / "runs" / "CrossIn", f"b={tmp_path / 'runs' / 'base-model'}", "--out", page)
    assert names_in(page) == ["small", "b"]
    # A name that is given to several models stands before theirs.
    crossin("report", f"all={tmp_path / 'runs'}", "--out", page)
    assert names_in(page) == ["all small (CrossIn)", "all English-only", "all small (base-model)"]


def test_of_a_missing_cell_the_error_names_common_which_says_what_it_leaves_out(tmp_path: Path) -> None:
    whole = write_run(tmp_path / "whole", "whole", {"en": 0.5, "vi": 0.5, "th": 0.5}, items=8)
    lacking = write_run(tmp_path / "lacking", "lacking", {"en": 0.5, "vi": 0.5}, items=8)
    lines = pyarrow.parquet.read_table(lacking / "answers.parquet").to_pylist()
    pyarrow.parquet.write_table(pa.Table.from_pylist(lines[:1] + lines[2:]), lacking / "answers.parquet")
    page = tmp_path / "report.html"
    with refused("different questions", hint="--common"):
        crossin("report", whole, lacking, "--out", page)
    shown = crossin("report", whole, lacking, "--common", "--out", page).stdout
    said = "left out: 8 questions in a language, in a language that not all runs were asked in (th)"
    also = "left out: 1 questions in a language, not asked of all runs (vi)"
    text = page.read_text(encoding="utf-8")
    assert said in shown and also in shown and said in text and also in text
    figures = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert figures["excluded"] == {"language_not_in_all_runs:th": 8, "not_asked_of_all_runs:vi": 1}
    # What is left of the question in the other language takes no part either.
    assert (figures["languages"], figures["items"]) == (["en", "vi"], 7)
    assert figures["incomplete"] == {"capital:000": "vi"}


def test_score_writes_a_page_of_all_runs_that_it_finds(tmp_path: Path) -> None:
    three_arms(tmp_path / "runs", ["en", "vi"])
    page = tmp_path / "all.html"
    done = crossin("score", tmp_path / "runs", "--draws", "100", "--page", page)
    assert "accuracy" in done.stdout and f"Page: {page}" in done.stderr
    arms = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["arms"]
    assert [arm["name"] for arm in arms] == ["CrossIn", "English-only", "base-model"]


def test_score_gives_each_wording_a_column_and_two_models_of_a_name_their_folders(tmp_path: Path) -> None:
    runs = three_arms(tmp_path / "runs", ["en", "vi"])
    page = tmp_path / "all.html"
    for name, folder in runs.items():
        set_model(folder, "same")
        if name == "CrossIn":
            in_two_wordings(folder)
    crossin("score", runs["base model"], runs["English only"], "--draws", "100", "--page", page)
    arms = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["arms"]
    assert [arm["name"] for arm in arms] == ["same (base-model)", "same (English-only)"]
    crossin("score", runs["CrossIn"], "--draws", "100", "--page", page)
    arms = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["arms"]
    assert [arm["name"] for arm in arms] == ["same question", "same plain"]


def test_score_writes_no_page_of_runs_that_answer_different_questions(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "one", "one", {"en": 0.5, "vi": 0.5}, items=8)
    write_run(tmp_path / "runs" / "two", "two", {"en": 0.5, "vi": 0.5}, items=16)
    page = tmp_path / "all.html"
    with refused("different questions", file="one", hint="one benchmark"):
        crossin("score", tmp_path / "runs", "--draws", "100", "--page", page)
    with refused(".html", file="all.pdf"):
        crossin("score", tmp_path / "runs", "--draws", "100", "--page", tmp_path / "all.pdf")
    with refused("seaeval", field="page"):
        crossin("score", tmp_path / "runs", "--seaeval", "--page", page)
    assert not page.exists()
