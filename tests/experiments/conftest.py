"""What the tests of experiments share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_of_its_own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path | None:
    """A user's cache for each test: it keeps how long jobs took. Tests of real models use the real one."""
    if request.node.get_closest_marker("model"):
        return None
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("CROSSIN_CACHE", str(folder))
    return folder
