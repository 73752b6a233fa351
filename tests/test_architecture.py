"""The design's table, held: which package may know which, and what files are called."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import crossin

SOURCE = Path(crossin.__file__).parent
# What everybody may use.
COMMON = {"core", "languages"}
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "languages": set(),
    "alignment": set(),
    "items": set(),
    "metrics": set(),
    "charts": {"metrics"},
    "models": set(),
    "servers": set(),
    "corpus": {"alignment"},
    "facts": {"items"},
    "bench": {"alignment", "corpus", "facts", "items"},
    "mixture": {"alignment", "corpus", "models"},
    "translation": {"alignment", "corpus", "models", "servers"},
    "training": {"bench", "charts", "corpus", "items", "mixture", "models"},
    "evaluation": {"bench", "items", "models", "scoring", "servers"},
    "teaching": {
        "bench",
        "corpus",
        "evaluation",
        "facts",
        "items",
        "metrics",
        "models",
        "servers",
        "translation",
    },
    "logs": {"alignment", "bench", "corpus", "items", "metrics"},
    "reports": {"charts", "items", "logs", "metrics"},
    "scoring": {"corpus", "items", "logs", "metrics", "reports"},
    "probing": {"charts", "corpus", "items", "models", "reports"},
    "publishing": {"corpus", "logs", "metrics", "mixture", "models", "scoring"},
    "viewing": {"charts", "training"},
    "experiments": {
        "bench",
        "charts",
        "evaluation",
        "facts",
        "items",
        "logs",
        "metrics",
        "mixture",
        "models",
        "reports",
        "scoring",
        "teaching",
        "training",
        "translation",
    },
}


def imported_packages(package: str) -> set[str]:
    found = set()
    for path in (SOURCE / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found |= {name.split(".")[1] for name in names if name.startswith("crossin.")}
    return found - {package}


def public_definitions(path: Path) -> set[str]:
    """The public functions and classes that a module defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, kinds)}


def test_every_package_stands_in_the_table() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert packages | {"cli"} == {*MAY_IMPORT, "cli"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_the_table_allows(package: str) -> None:
    allowed = MAY_IMPORT[package] | (COMMON if package not in COMMON else {"core"})
    assert imported_packages(package) <= allowed


def test_nothing_but_the_command_line_imports_the_command_line() -> None:
    assert not [package for package in MAY_IMPORT if "cli" in imported_packages(package)]


def test_no_module_or_package_has_the_name_of_a_function_that_it_exports() -> None:
    shadowed = []
    for path in SOURCE.rglob("*.py"):
        package = path.parent
        if path.name != "__init__.py":
            if path.stem in public_definitions(path):
                shadowed.append(str(path))
            continue
        exported = {
            alias.asname or alias.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        inside = {
            one.stem for one in package.iterdir() if one.suffix == ".py" or (one / "__init__.py").exists()
        }
        shadowed += [f"{package}: {name}" for name in exported & (inside | {package.name})]
    assert not shadowed


def test_no_file_is_much_over_400_lines() -> None:
    files = [*SOURCE.rglob("*.py"), *Path(__file__).parent.rglob("*.py")]
    assert not [path for path in files if path.read_text(encoding="utf-8").count("\n") > 410]


def test_a_public_class_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(path))
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
