"""A small mixture, benchmarks and settings, which the tests of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.core.stages import Stage
from crossin.facts import build_bench
from crossin.models.loading import load_tokenizer
from crossin.training import TrainConfig, train
from tests.conftest import built_once
from tests.helpers.training import mixture_of


@pytest.fixture(scope="session")
def mixture(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_once(tmp_path_factory, "mixture", lambda out: mixture_of(facts_folder, out))


@pytest.fixture(scope="session")
def benches(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Benchmarks of two splits."""

    def build(out: Path) -> None:
        for split in ("train", "test"):
            build_bench(facts_folder, out / split, split=split)

    folder = built_once(tmp_path_factory, "benches", build)
    return {split: folder / split for split in ("train", "test")}


@pytest.fixture(scope="session")
def tokenizer(tiny_model: Path) -> Any:
    return load_tokenizer(tiny_model)[0]


def settings_of(model: Path, mixture: Path) -> dict[str, Any]:
    """The settings of a run of 9 steps."""
    return {
        "model": str(model),
        "mixture": str(mixture),
        "method": {"rank": 4, "alpha": 8, "dropout": 0.1},
        "optimiser": {"learning_rate": 3e-2},
        "batches": {"rows": 32, "tokens": 256},
        "held_out": {"share": 0.1, "every": 4},
        "checkpoint_every": 3,
        "log_every": 1,
    }


@pytest.fixture
def entries(tiny_model: Path, mixture: Path) -> dict[str, Any]:
    return settings_of(tiny_model, mixture)


@pytest.fixture(scope="session")
def trained(tiny_model: Path, mixture: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A finished run with the settings of `entries`."""
    config = TrainConfig.model_validate(settings_of(tiny_model, mixture))
    return train(config, tmp_path_factory.mktemp("trained") / "out")
