"""What users install: the wheel holds every file that the program reads, and works from anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from crossin.core.examples import list_examples
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.slow
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the content of the wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    environment = dict(os.environ)
    if find_spec("hatchling") is None:
        get = [*PIP, "install", "-q", "--target", str(folder / "build"), "hatchling"]
        got = subprocess.run(get, check=False)
        if got.returncode:
            pytest.skip("hatchling is neither installed nor to be had from a package registry")
        environment["PYTHONPATH"] = str(folder / "build")
    build = [*PIP, "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, env=environment)
    [wheel] = folder.glob("crossin-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "unpacked")
    return folder / "unpacked"


def run(unpacked: Path, folder: Path, *words: object) -> str:
    """What a command prints, by the unpacked wheel, in a folder without a checkout."""
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "crossin", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_wheel_holds_every_file_of_the_package(unpacked: Path) -> None:
    source = ROOT / "src"
    files = {
        path.relative_to(source)
        for path in (source / "crossin").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    kinds = {path.suffix for path in files}
    assert {".py", ".typed", ".yaml", ".html", ".css", ".js"} <= kinds
    assert not [str(path) for path in sorted(files) if not (unpacked / path).is_file()]


def test_examples_are_listed_printed_and_composed_from_the_wheel(
    unpacked: Path, facts_folder: Path, tmp_path: Path
) -> None:
    place = [sys.executable, "-P", "-c", "import crossin; print(crossin.__file__)"]
    env = {**os.environ, "PYTHONPATH": str(unpacked)}
    found = subprocess.run(place, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(unpacked)
    listed = run(unpacked, tmp_path, "examples")
    assert [one.name for one in list_examples() if f" {one.name} " not in listed] == []
    (tmp_path / "mine.yaml").write_text(run(unpacked, tmp_path, "examples", "compose/demo"), "utf-8")
    for recipe in ("demo", "mine.yaml"):
        words = ["--data", facts_folder, "--languages", "en,zh,vi,es", "--dry-run"]
        assert "crossin-demo: 1,062 rows" in run(unpacked, tmp_path, "compose", recipe, *words)
