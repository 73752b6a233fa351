"""The start of the command line: an interrupt while Python still imports ends it without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

SIGNALS = {"SIGINT": 130, "SIGTERM": 143}
# A module that is interrupted while it is imported: as Python does it, and as libraries in C may do it.
SENT = "import os, signal\nos.kill(os.getpid(), signal.{})\n"
RAISED = "raise KeyboardInterrupt\n"
TURNED = "try:\n    import os, signal\n    os.kill(os.getpid(), signal.{})\n    for _ in range(99): pass\n"
TURNED += "except BaseException as error:\n    raise ImportError('initialization failed') from error\n"


def crossin(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which finds the modules in a folder first."""
    code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    # As the script of an installed package.
    code += "from crossin.__main__ import main\nsys.exit(main())"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["--help"], "click"),
        (["misspelt"], "difflib"),
        (["train", "--help"], "pydantic"),
        (["bench", "list"], "rich"),
        (["score", "."], "numpy"),
        (["compose", "recipe.yaml"], "yaml"),
    ],
)
def test_an_interrupted_import_leaves_no_traceback(words: list[str], module: str, tmp_path: Path) -> None:
    for name, code in SIGNALS.items():
        for content in (SENT.format(name), TURNED.format(name), *([RAISED] if name == "SIGINT" else [])):
            (tmp_path / f"{module}.py").write_text(content)
            ended = crossin(*words, folder=tmp_path)
            assert (ended.returncode, ended.stdout) == (code, ""), ended.stderr
            assert "Traceback" not in ended.stderr
            assert ended.stderr.strip().startswith("stopped")


def test_python_m_starts_the_same(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(RAISED)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    ended = subprocess.run(
        [sys.executable, "-m", "crossin"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (130, "stopped; nothing was saved\n")


def test_the_script_is_the_same_function() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert scripts == {"crossin": "crossin.__main__:main"}


def test_where_ctrl_c_is_switched_off_it_stays_off(tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text(SENT.format("SIGINT") + "raise ImportError('it went on')")
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += "from crossin.__main__ import main\nmain()"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    ended = subprocess.run(
        [sys.executable, "-c", code, "bench", "list"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "it went on" in ended.stderr
