"""The facts suite in all languages, built once."""

from __future__ import annotations

import pytest

from crossin.bench.items import Item, read_items
from crossin.bench.suite import build_suite
from crossin.languages import available
from crossin.stage import Stage


@pytest.fixture(scope="session")
def whole_suite(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return build_suite(tmp_path_factory.mktemp("bench") / "suite", languages=available())


@pytest.fixture(scope="session")
def items(whole_suite: Stage) -> list[Item]:
    return read_items(whole_suite.folder / "items.parquet")


@pytest.fixture(scope="session")
def english(items: list[Item]) -> list[Item]:
    return [item for item in items if item.language == "en"]
