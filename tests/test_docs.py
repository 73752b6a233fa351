"""The documentation keeps its promises: length, terms, links, paths, and code that runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", *DOCS]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
# A file of the project that a page names, such as in a command.
PATH = re.compile(r"(?<![\w./])(?:tests|benchmarks|examples|src/crossin)/[\w./-]+\.(?:py|yaml)\b")

# Words of our own for what the field has a term for. The changelog is not searched: it lists what was renamed.
OLD_WORDS = {
    "packed sequences": r"behind (one another|each other)",
    "forward and backward": r"\bforth and back\b|\bon the way back\b",
    "hint": r"\bmend(s|ed|ing)?\b",
    "base model": r"\buntouched\b",
    "mock server": r"\bstand-ins?\b|\bstands? in for\b",
    "quality filter": r"\bgates?\b",
    "reports, returns": r"\b(is|are|was|were) told\b|\btells? (of|how|what|which|whether|the|you|apart)\b",
    "resumes": r"\b(goes|go|went|gone|going) on (from|with|where)\b",
    "N": r"\bso many\b",
    "expensive, recomputed": r"\bdear to\b|\bmade anew\b",
    "not a": r"(?<!there )\b(is|are) no (?!longer\b|more\b|less\b|better\b|worse\b|different\b)",
}


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def error_messages() -> Iterator[tuple[str, str]]:
    """Every text in the arguments of a CrossinError or of a subclass, with its place."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        errors = {"CrossinError", "Refused"} | {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and any(ast.unparse(one) == "CrossinError" for one in node.bases)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in errors:
                for part in ast.walk(node):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield f"{path.relative_to(ROOT)}:{part.lineno}", part.value


def test_readme_is_short() -> None:
    assert len(README.read_text("utf-8").split()) <= 950


def test_readme_marks_no_interval_that_touches_zero() -> None:
    marked = re.findall(r"[▲▼] \[([^\]]*)\]", README.read_text("utf-8"))
    assert len(marked) > 10
    assert not [interval for interval in marked if ".00" in interval.split()]


@pytest.mark.parametrize("term", OLD_WORDS)
def test_docs_and_errors_use_the_fields_terms(term: str) -> None:
    pattern = re.compile(OLD_WORDS[term], re.IGNORECASE)
    lines = [
        (f"{page.relative_to(ROOT)}:{number}", line)
        for page in PAGES
        for number, line in enumerate(page.read_text("utf-8").splitlines(), start=1)
    ]
    texts = [*lines, *error_messages()]
    found = [f"{place}: {match.group()}" for place, text in texts for match in pattern.finditer(text)]
    assert not found, f"say: {term}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_resolve(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        linked = (page.parent / target).resolve() if target else page
        if not linked.exists() or (anchor and anchor not in headings(linked)):
            broken.append(f"{target}#{anchor}")
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    named = PATH.findall(page.read_text("utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {target for target, _ in LINK.findall(index.read_text("utf-8"))}
    assert {page.name for page in DOCS} - {index.name} <= listed


def test_examples_resolve() -> None:
    # Some are symbolic links into the package.
    assert not [path.name for path in (ROOT / "examples").iterdir() if not path.exists()]
