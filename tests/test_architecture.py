"""The design's table, held: which package may know which."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import crossin

SOURCE = Path(crossin.__file__).parent
# What everybody may use.
COMMON = {
    "cluster",
    "errors",
    "extras",
    "files",
    "languages",
    "mixing",
    "progress",
    "settings",
    "stage",
    "store",
}
MAY_IMPORT: dict[str, set[str]] = {
    "languages": set(),
    "models": set(),
    "metrics": set(),
    "bench": {"corpus"},
    "corpus": set(),
    "compose": {"corpus"},
    "translate": {"corpus", "models"},
    "train": {"bench", "compose", "models"},
    "evaluate": {"bench", "models"},
    "probe": {"bench", "models", "report"},
    "score": {"bench", "evaluate", "metrics", "report"},
    "report": {"metrics"},
    "experiment": {"bench", "compose", "corpus", "evaluate", "metrics", "models", "report", "train"},
}


def imported_packages(package: str) -> set[str]:
    found = set()
    for path in (SOURCE / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found |= {name.split(".")[1] for name in names if name.startswith("crossin.")}
    return found - {package}


def test_every_package_stands_in_the_table() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert packages | {"cli"} == {*MAY_IMPORT, "cli"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_stage_imports_no_later_stage(package: str) -> None:
    assert imported_packages(package) <= COMMON | MAY_IMPORT[package]


def test_common_modules_import_no_stage() -> None:
    for name in ("cluster", "errors", "extras", "files", "mixing", "progress", "settings", "stage", "store"):
        text = (SOURCE / f"{name}.py").read_text(encoding="utf-8")
        for package in {*MAY_IMPORT, "cli"} - {"languages"}:
            assert f"crossin.{package}" not in text
