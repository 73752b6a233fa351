"""The command `teach`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crossin.core.files import read_json
from crossin.facts import build_bench
from crossin.teaching.config import TeachConfig
from tests.helpers import small_bench
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin


@pytest.fixture(scope="module")
def bench(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bench(facts_folder, tmp_path_factory.mktemp("bench") / "facts").folder


def test_a_dry_run_shows_what_would_be_asked_and_taught(bench: Path, tmp_path: Path) -> None:
    arguments = ["teach", "smollm2-135m", "--questions", bench, "--tasks", "capital", "--languages", "vi"]
    shown = crossin(*arguments, "--dry-run", "--out", tmp_path / "out").stdout
    assert "Question: " in shown
    assert "vi: " in shown
    assert "rows in en, vi" in shown
    found = json.loads(crossin(*arguments, "--dry-run", "--json").stdout)
    assert found["answers"] == 3 * found["questions"]
    assert {row["language"] for row in found["rows"]} == {"en", "vi"}
    assert {row["output"] for row in found["rows"]} == {"…"}
    assert not (tmp_path / "out").exists()


def test_it_teaches_and_says_how_much(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["teach", tiny_model, "--questions", bench, "--limit", "20", "--device", "cpu", "--out", out]
    said = crossin(*arguments, "--ask", "question", "--set", "margin=0").stderr
    counts = read_json(out / "manifest.json")["counts"]
    assert counts["certain"] == counts["questions"] >= 20
    assert f"{counts['rows']:,} rows" in said
    # It is done: the figures without asking again.
    again = json.loads(crossin(*arguments, "--ask", "question", "--margin", "0", "--json").stdout)
    assert again["counts"]["rows"] == counts["rows"]
    with refused("another run", file=out):
        crossin(*arguments, "--ask", "question", "--margin", "2")


def test_errors_name_the_option(bench: Path, tmp_path: Path) -> None:
    arguments = ["teach", "smollm2-135m", "--questions", bench, "--dry-run"]
    with refused("0.5", field="--agreement"):
        crossin(*arguments, "--agreement", "0.5")
    with refused("samples"):
        crossin(*arguments, "--samples", "3", "--form", "text")
    with refused("teacher"):
        crossin(*arguments, "--teacher", "other", "--adapter", tmp_path)
    with refused("nowhere", hint="path"):
        crossin("teach", "smollm2-135m", "--questions", tmp_path / "nowhere", "--dry-run")
    with refused("wording", field="--ask", hint="asked"):
        crossin(*arguments, "--ask", "loudly")
    with refused(field="--questions"):
        crossin("teach", "smollm2-135m", "--dry-run")


def test_the_teacher_is_a_model_or_an_adapter_on_the_model(tmp_path: Path) -> None:
    adapter, training, full = tmp_path / "peft", tmp_path / "lora", tmp_path / "full"
    for file in (adapter / "adapter_config.json", training / "adapter" / "adapter_config.json"):
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    (full / "model").mkdir(parents=True)
    (full / "model" / "config.json").write_text("{}")

    def answering(teacher: str | Path | None, **more: object) -> tuple[str, Path | None]:
        entries = {"model": "student", "questions": "q", "teacher": teacher and str(teacher), **more}
        return TeachConfig.model_validate(entries).answering

    assert answering(None) == ("student", None)
    assert answering("larger") == ("larger", None)
    assert answering(adapter) == ("student", adapter)
    assert answering(training) == ("student", training)
    assert answering(full) == (str(full / "model"), None)
    assert answering("gpt", engine="openai") == ("gpt", None)


def test_a_pivot_without_phrases_is_asked_in_the_plain_wording(tmp_path: Path) -> None:
    items = [replace(item, language="lb") for item in small_bench.items() if item.language == "en"]
    bench = small_bench.write_bench(tmp_path / "bench", [item for item in items if item.options])
    arguments = ["teach", "smollm2-135m", "--questions", bench, "--pivot", "lb", "--dry-run"]
    with refused("lb", field="--ask", hint="--ask plain"):
        crossin(*arguments)
    assert json.loads(crossin(*arguments, "--ask", "plain", "--json").stdout)["answers"] == 3
