"""What can be known before the first request is an error before it, in evaluations and dry runs alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from crossin.core import extras
from crossin.core.formats import ITEMS
from crossin.evaluation import EvaluateConfig, evaluate
from crossin.evaluation.run import evaluation_outline
from crossin.items import Item
from crossin.items.item import write_items
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, Log, answering, completion

ASKED: dict[str, Callable[..., object]] = {"run": evaluate, "dry run": evaluation_outline}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """A question with options, and one that is answered in text."""
    items = [
        Item("q", "q", "colours", x, "", "q?", ["red", "blue"], ["r", "b"], "r", "made up", "CC0-1.0")
        for x in ("en", "es")
    ]
    free = [Item("f", "f", "names", x, "", "f?", [], [], "Lima", "made up", "CC0-1.0") for x in ("en", "es")]
    write_items(tmp_path / "bench" / ITEMS, [*items, *free])
    return tmp_path / "bench"


async def answer(asked: Asked) -> bytes:
    return completion("red")


@pytest.fixture
def log() -> Iterator[Log]:
    """A server that is asked nothing."""
    with answering(answer) as log:
        yield log
        assert log.asked == []


def config_of(log: Log, bench: Path, **settings: Any) -> EvaluateConfig:
    server = {"base_url": log.base_url}
    entries = {"models": ["m", "n"], "engine": "openai", "form": "generate", "server": server, **settings}
    return EvaluateConfig(bench=(str(bench),), **entries)


@pytest.mark.parametrize("mode", ASKED)
@pytest.mark.parametrize(
    ("package", "extra"), [("httpx2", "openai"), ("sacrebleu", "text"), ("lingua", "text")]
)
def test_a_package_that_is_missing(
    log: Log, bench: Path, monkeypatch: pytest.MonkeyPatch, mode: str, package: str, extra: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == package else find_spec(name))
    with refused(f"the package '{package}'", hint=f"[{extra}]"):
        ASKED[mode](config_of(log, bench), bench.parent / "out")


def test_without_items_in_free_text_the_packages_for_text_are_not_needed(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = ("sacrebleu", "lingua")
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in lacking else find_spec(name))
    with answering(answer) as log:
        config = config_of(log, bench, models=["m"], tasks=("colours",))
        (found,) = evaluate(config, bench.parent / "out")
        assert len(log.asked) > 1
    assert found.scores


@pytest.mark.parametrize("mode", ASKED)
def test_a_cache_that_is_none(log: Log, bench: Path, mode: str) -> None:
    (bench.parent / "rows.jsonl").write_text('{"a": 1}\n' * 9, "utf-8")
    for name, word in (
        ("rows.jsonl", "not a cache"),
        ("rows.jsonl/cache", "cannot write"),
        (".", "a folder"),
    ):
        with refused(word):
            ASKED[mode](config_of(log, bench, cache=bench.parent / name), bench.parent / "out")


@pytest.mark.parametrize("mode", ASKED)
def test_a_key_that_is_none(log: Log, bench: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "two\nlines")
    with refused("OPENAI_API_KEY"):
        ASKED[mode](config_of(log, bench), bench.parent / "out")


@pytest.mark.parametrize("mode", ASKED)
@pytest.mark.parametrize(
    ("settings", "word"), [({"device": "cuda:99"}, "cuda:99"), ({"adapter": Path("nowhere")}, "nowhere")]
)
def test_a_device_or_an_adapter_that_is_not_there(
    log: Log, bench: Path, tiny_model: Path, mode: str, settings: dict[str, Any], word: str
) -> None:
    with refused(word):
        ASKED[mode](
            config_of(log, bench, engine="hf", models=[str(tiny_model)], **settings), bench.parent / "out"
        )


@pytest.mark.parametrize("mode", ASKED)
@pytest.mark.parametrize("form", [None, "generate"])
@pytest.mark.parametrize("obstacle", ["claim", "other files", "a file"])
def test_a_folder_of_another_run_for_the_last_model(
    log: Log, bench: Path, mode: str, form: str | None, obstacle: str
) -> None:
    folder = bench.parent / "out" / "n" / "bench"
    folder.parent.mkdir(parents=True)
    if obstacle == "a file":
        folder.write_text("notes", "utf-8")
    else:
        folder.mkdir()
        (folder / ("stage.json" if obstacle == "claim" else "notes.txt")).write_text("{}", "utf-8")
    with refused(file="out/n/bench"):
        ASKED[mode](config_of(log, bench, form=form), bench.parent / "out")


@pytest.mark.parametrize("form", [None, "generate"])
def test_a_finished_folder_is_found_done(bench: Path, form: str | None) -> None:
    with answering(answer) as log:
        evaluate(config_of(log, bench, form=form), bench.parent / "out")
        asked = len(log.asked)
        again = evaluate(config_of(log, bench, form=form), bench.parent / "out")
        # Without a form, the server is asked what it supports.
        assert len(log.asked) - asked <= (0 if form else 12)
    assert [one.stage.done for one in again] == [True, True]
