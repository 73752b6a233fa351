"""`crossin report` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
import typer
from typer.testing import CliRunner

from crossin.cli.report import report
from crossin.core.errors import CrossinError
from tests.helpers.report_data import three_arms

app = typer.Typer()
app.command()(report)


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    runs = three_arms(tmp_path_factory.mktemp("runs"), ["en", "vi"])
    return [f"{name}={folder}" for name, folder in runs.items()]


def test_it_prints_the_table_and_where_the_page_is(arguments: list[str], tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    outcome = CliRunner().invoke(app, [*arguments, "--out", str(out), "--baseline", "English only"])
    assert outcome.exit_code == 0, outcome.output
    assert "accuracy vi" in outcome.output and str(out) in outcome.output.replace("\n", "")
    assert out.exists() and out.with_suffix(".json").exists()


def test_it_prints_json_and_markdown(arguments: list[str], tmp_path: Path) -> None:
    out = str(tmp_path / "report.html")
    figures = json.loads(CliRunner().invoke(app, [*arguments, "--out", out, "--json"]).output)
    assert figures["baseline"] == "untouched"
    text = CliRunner().invoke(app, [*arguments, "--out", out, "--markdown"]).output
    assert text.startswith("| figure | untouched |")


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
    told = [{**line, "prompt": "question"} for line in lines]
    first = {"logprobs": None, "reply": "A", "prompt": "plain"}
    told += [
        {**line, **first, "answer": line["option_ids"][0] if line["option_ids"] else None} for line in lines
    ]
    pyarrow.parquet.write_table(pa.Table.from_pylist(told), folder / "answers.parquet")
    items = pyarrow.parquet.read_table(folder / "items.parquet").to_pylist()
    items.append({**items[0], "item": "free", "options": [], "option_ids": [], "answer": "x"})
    pyarrow.parquet.write_table(pa.Table.from_pylist(items), folder / "items.parquet")
    return folder


def test_of_several_wordings_one_is_reported(tmp_path: Path) -> None:
    runs = three_arms(tmp_path / "runs", ["en", "vi"])
    out = str(tmp_path / "report.html")
    arguments = [f"{name}={folder}" for name, folder in runs.items()]
    once = json.loads(CliRunner().invoke(app, [*arguments, "--out", out, "--json"]).output)
    for folder in runs.values():
        in_two_wordings(folder)
    figures = {}
    for wording in ("question", "plain"):
        outcome = CliRunner().invoke(app, [*arguments, "--out", out, "--wording", wording, "--json"])
        assert outcome.exit_code == 0, outcome.exception
        figures[wording] = json.loads(outcome.output)
    assert figures["question"]["arms"] == once["arms"]
    # Of four options in turn, the first is right for a quarter.
    assert figures["plain"]["arms"][0]["figures"]["accuracy"]["value"] == 0.25
    for more, words in (
        (
            [],
            "2 wordings of the prompt: question, plain. Hint: say which to report, as in --wording qu",
        ),
        (
            ["--wording", "asked"],
            "no answers in the wording 'asked'. Hint: choose --wording among: question, plain",
        ),
    ):
        refused = CliRunner().invoke(app, [*arguments, "--out", out, *more])
        assert isinstance(refused.exception, CrossinError)
        assert words in str(refused.exception)


def test_two_runs_of_one_name_are_an_error(arguments: list[str], tmp_path: Path) -> None:
    folder = arguments[0].split("=")[1]
    outcome = CliRunner().invoke(app, [folder, folder, "--out", str(tmp_path / "report.html")])
    assert isinstance(outcome.exception, CrossinError)
    assert "NAME=FOLDER" in str(outcome.exception)
