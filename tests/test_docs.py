"""The documentation keeps its promises: length, terms, links, paths, and code that runs."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

import crossin
from crossin.cli.main import app
from tests.helpers.paths import ROOT
from tests.test_architecture import MAY_IMPORT

README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", *DOCS]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
# A file of the project that a page names, such as in a command.
PATH = re.compile(r"(?<![\w./])(?:tests|benchmarks|examples|src/crossin)/[\w./-]+\.(?:py|yaml)\b")

# Words of our own for what the field has a term for. The changelog lists renames, so it is not searched.
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


@cache
def error_messages() -> list[tuple[str, str]]:
    """Every text in the arguments of a CrossinError or of a subclass, with its place."""
    found = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        errors = {"CrossinError", "Refused"} | {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and any(ast.unparse(one) == "CrossinError" for one in node.bases)
        }
        constants = {
            ast.unparse(target): node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
        }
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in errors:
                parts = [
                    part
                    for node in [*call.args, *(one.value for one in call.keywords)]
                    for part in ast.walk(node)
                ]
                parts += [
                    constants[part.id]
                    for part in parts
                    if isinstance(part, ast.Name) and part.id in constants
                ]
                texts = [part for part in parts if isinstance(part, ast.Constant)]
                found += [
                    (f"{path.relative_to(ROOT)}:{part.lineno}", part.value)
                    for part in texts
                    if isinstance(part.value, str)
                ]
    return found


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


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every `crossin` command in a page's blocks and code spans."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    for line in [*lines, *(span.replace("\n", " ") for span in re.findall(r"`([^`]*)`", prose))]:
        if line.startswith("crossin "):
            yield line.partition("  #")[0].split()[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_flags_exist(page: Path) -> None:
    unknown = []
    for words in commands(page):
        command: click.Command = app
        while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
            # "bench list | build" names several at once.
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, f"an unknown command, before {words}"
            command = found
        shown = [one for one in command.params if not getattr(one, "hidden", False)]
        flags = {"--help", *(flag for one in shown for flag in (*one.opts, *one.secondary_opts))}
        if command is app:
            flags.add("--version")
        named = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}
        unknown += [f"{command.name}: {flag}" for flag in sorted(named - flags)]
    assert not unknown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    named = PATH.findall(page.read_text("utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_no_page_installs_crossin_from_an_index_which_has_none() -> None:
    by_name = re.compile(r"pip install (-e )?['\"]?crossin(?!-\d)")
    assert by_name.search("pip install 'crossin[demo]'") and by_name.search("pip install crossin")
    assert not [page.name for page in PAGES if by_name.search(page.read_text("utf-8"))]


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {target for target, _ in LINK.findall(index.read_text("utf-8"))}
    assert {page.name for page in DOCS} - {index.name} <= listed


def test_the_architecture_page_has_the_table_of_the_layout_test() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", ARCHITECTURE.read_text("utf-8"), flags=re.MULTILINE)
    table = {package: set(re.findall(r"`(\w+)`", imports)) for package, imports in rows}
    assert table == {**MAY_IMPORT, "cli": set()}


def test_readme_python_runs(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)
    assert 8 <= len(code.splitlines()) <= 16
    # A small model in place of the real one, with the same label.
    model = shutil.copytree(tiny_model, tmp_path / "smollm2-135m")
    code = code.replace('"smollm2-135m"', repr(str(model)))
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(README), "exec"), {})
    assert "CrossIn" in (tmp_path / "report.html").read_text("utf-8")


def test_api_example_runs(tiny_model: Path, tmp_path: Path) -> None:
    example = runpy.run_path(str(ROOT / "examples" / "api.py"))
    example["main"](tmp_path, str(tiny_model))
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "probe" / "probe.json").exists()


def test_api_example_translates(tmp_path: Path) -> None:
    from tests.helpers.translated_rows import mock_server, table_of, write_rows

    table = table_of(write_rows(tmp_path / "rows.jsonl", 8), tmp_path / "table.json")
    example = runpy.run_path(str(ROOT / "examples" / "api.py"))
    with mock_server(table) as url:
        done = example["translate_rows"](tmp_path / "rows.jsonl", tmp_path / "out", url, "mock")
    assert {one["passed"] for one in done.manifest["counts"]["languages"].values()} == {8}


def test_api_example_uses_every_exported_function() -> None:
    tree = ast.parse((ROOT / "examples" / "api.py").read_text("utf-8"))
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert set(crossin.__all__) <= called


@pytest.mark.parametrize("name", crossin.__all__)
def test_exported_functions_are_functions_with_help(name: str) -> None:
    function = getattr(crossin, name)
    assert inspect.isfunction(function)
    assert function.__name__ == name
    assert (inspect.getdoc(function) or "").strip()
    signature = inspect.signature(function)
    assert all(one.annotation is not inspect.Parameter.empty for one in signature.parameters.values())
