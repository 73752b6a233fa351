"""`crossin report` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from report_data import three_arms
from typer.testing import CliRunner

from crossin.cli.report import report
from crossin.errors import CrossinError

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


def test_two_runs_of_one_name_are_an_error(arguments: list[str], tmp_path: Path) -> None:
    folder = arguments[0].split("=")[1]
    outcome = CliRunner().invoke(app, [folder, folder, "--out", str(tmp_path / "report.html")])
    assert isinstance(outcome.exception, CrossinError)
    assert "NAME=FOLDER" in str(outcome.exception)
