"""A model, adapter or mixture that was edited is not taken for the one before, by whatever reads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from crossin.core.stages import Stage
from crossin.evaluation import HfEngine, ask_bench
from crossin.facts import build_bench
from crossin.items import read_items
from crossin.items.item import write_items
from crossin.models.merging import merge
from crossin.probing.config import ProbeConfig
from crossin.probing.run import probe
from crossin.training import TrainConfig, train
from tests.cli.test_models_merge import adapter_of
from tests.helpers.errors import refused
from tests.helpers.parallel_files import write_texts
from tests.helpers.training import mixture_of


@pytest.fixture(scope="module")
def home(tiny_model: Path, facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the stages read: `merged` and `adapter` are folders with a manifest or below one."""
    folder = tmp_path_factory.mktemp("home")
    merge(tiny_model, adapter_of(tiny_model, folder / "first"), folder / "merged")
    adapter_of(folder / "merged", folder / "adapter")
    mixture_of(facts_folder, folder / "mixture")
    build_bench(facts_folder, folder / "bench")
    write_texts(folder / "texts")
    return folder


def training(home: Path, out: Path) -> Stage:
    entries: dict[str, Any] = {"model": str(home / "merged"), "mixture": str(home / "mixture")}
    return train(TrainConfig.model_validate({**entries, "batches": {"rows": 256}}), out)


def probing(home: Path, out: Path) -> Stage:
    given: dict[str, Any] = {"model": str(home / "merged"), "adapter": home / "adapter", "draws": 10}
    return probe(ProbeConfig(**given, parallel=home / "texts", device="cpu", name="tiny"), out)


def merging(home: Path, out: Path) -> Stage:
    return merge(home / "merged", home / "adapter", out)


def evaluating(home: Path, out: Path) -> Stage:
    engine = HfEngine(home / "merged", adapter=home / "adapter")
    try:
        return ask_bench(
            engine, home / "bench", out, name="tiny", tasks=["capital"], limit=2, languages=["en"]
        )
    finally:
        engine.close()


def edit_weights(path: Path) -> None:
    weights = load_file(path)
    save_file({name: weight + torch.ones_like(weight) for name, weight in weights.items()}, path)


def edit_json(path: Path) -> None:
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), "note": 1}))


def add_text(path: Path) -> None:
    path.write_text("{{ messages }}")


def edit_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def edit_items(path: Path) -> None:
    write_items(path, [replace(item, context="edited") for item in read_items(path)])


MODEL: list[tuple[str, Callable[[Path], None]]] = [
    ("merged/model.safetensors", edit_weights),
    ("merged/config.json", edit_json),
    ("merged/tokenizer.json", edit_json),
    ("merged/generation_config.json", edit_json),
    ("merged/chat_template.jinja", add_text),
]
ADAPTER: list[tuple[str, Callable[[Path], None]]] = [
    ("adapter/adapter_model.safetensors", edit_weights),
    ("adapter/adapter_config.json", edit_json),
]
READ: dict[Callable[[Path, Path], Stage], list[tuple[str, Callable[[Path], None]]]] = {
    training: [*MODEL, ("mixture/data/mixture-00000.parquet", edit_bytes)],
    probing: MODEL + ADAPTER,
    merging: MODEL + ADAPTER,
    evaluating: [*MODEL, *ADAPTER, ("bench/items.parquet", edit_items)],
}


@pytest.mark.parametrize("run", READ)
def test_what_a_finished_run_has_read_may_not_be_edited(
    run: Callable[[Path, Path], Stage], home: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(home, tmp_path / "home"))
    run(copy, tmp_path / "out")
    assert run(copy, tmp_path / "out").done
    for name, edit in READ[run]:
        path = copy / name
        before = path.read_bytes() if path.exists() else None
        edit(path)
        with refused("another run's files", "input", "differs", file=tmp_path / "out"):
            run(copy, tmp_path / "out")
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
    assert run(copy, tmp_path / "out").done


def test_an_adapter_of_an_edited_model_is_refused(home: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(home, tmp_path / "home"))
    trained = training(copy, tmp_path / "trained")
    assert merge(copy / "merged", trained.folder, tmp_path / "before").done
    edit_weights(copy / "merged" / "model.safetensors")
    with refused("another model", "another hash"):
        merge(copy / "merged", trained.folder, tmp_path / "after")
