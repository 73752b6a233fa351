"""docs/translate.md, done as it says: from an English file to a mixture, with the mock server."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from crossin.alignment.reasons import AlignmentReason
from crossin.cli.translate import command
from crossin.core.files import read_json, read_parquet
from crossin.core.settings import read_settings
from crossin.translation.config import TranslateConfig
from crossin.translation.reasons import TranslationReason
from tests.helpers.apart import crossin
from tests.helpers.paths import ROOT
from tests.helpers.translated_rows import mock_server, table_of, write_rows

DOCS = ROOT / "docs" / "translate.md"


def commands() -> list[list[str]]:
    """The words of every `crossin` command in a block of the page."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for _, block in blocks for line in block.splitlines() if line.startswith("crossin ")]
    return [shlex.split(line.partition("  #")[0])[1:] for line in lines]


def test_the_page_can_be_followed(tmp_path: Path) -> None:
    recipe = re.search(r"```yaml\n(name: first.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert recipe is not None
    (tmp_path / "recipe.yaml").write_text(recipe[1], "utf-8")
    table = table_of(write_rows(tmp_path / "rows.jsonl", 40), tmp_path / "table.json")
    said = []
    with mock_server(table) as url:
        for words in commands():
            put = {"MODEL": "mock", "http://localhost:8000/v1": url}
            ended = crossin(*(put.get(word, word) for word in words), folder=tmp_path, columns=160)
            assert ended.returncode == 0, (words, ended.stderr)
            said.append(ended.stdout + ended.stderr)
    assert len(said) == 4
    assert "nothing was requested" in said[0]
    assert said[1].count("passed") >= 10
    manifest = read_json(tmp_path / "corpora" / "rows" / "manifest.json")
    assert {language: one["passed"] for language, one in manifest["counts"]["languages"].items()} == {
        "es": 40,
        "zh": 40,
    }
    mixture = tmp_path / "mixtures" / "first" / "data" / "mixture-00000.parquet"
    rows = read_parquet(mixture, ["kind", "lang_in", "lang_out"]).to_pylist()
    assert len(rows) == 40
    assert {row["kind"] for row in rows} == {"base", "x2x", "trans"}


def test_the_settings_on_the_page_are_valid(tmp_path: Path) -> None:
    page = DOCS.read_text("utf-8")
    example = re.search(r"```yaml\n(# translate.yaml.*?)```", page, re.DOTALL)
    assert example is not None
    (tmp_path / "translate.yaml").write_text(example[1], "utf-8")
    read = read_settings(TranslateConfig, tmp_path / "translate.yaml", hint="see docs/translate.md")
    assert (read.to, read.server.budget, read.corpus) == (("es", "zh"), 20, tmp_path / "rows.jsonl")
    code = re.search(r"```python\n(.*?)translate\(", page, re.DOTALL)
    assert code is not None
    names: dict[str, TranslateConfig] = {}
    exec(code[1], names)
    assert names["config"].to == read.to


def test_every_reason_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z_]+)`", DOCS.read_text("utf-8")))
    assert {reason.value for reason in (*TranslationReason, *AlignmentReason)} <= named


def test_options_that_the_page_names_are_there() -> None:
    page = DOCS.read_text("utf-8")
    known = {name for one in command.params for name in one.opts}
    named = set(re.findall(r"`(--[a-z-]+)", page))
    assert len(named) > 15
    assert named <= known
