"""What can be known before the first request is an error before it: in runs, samples and dry runs alike."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from crossin.core import extras
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.translated_rows import counts, mock_server, table_of, write_rows

MODES = {"run": [], "sample": ["--sample", "2"], "dry run": ["--dry-run"]}


@pytest.fixture(scope="module")
def home(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the commands name."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tmp_path_factory.mktemp("home")
    table_of(write_rows(folder / "rows.jsonl", 8), folder / "table.json")
    (folder / "terms.yaml").write_text("es: one\n", "utf-8")
    (folder / "claimed").mkdir()
    (folder / "claimed" / "stage.json").write_text('{"stage": "translate", "fingerprint": "x"}', "utf-8")
    (folder / "finished").mkdir()
    (folder / "finished" / "manifest.json").write_text('{"stage": "compose"}', "utf-8")
    for outputs in (1, 2):
        model = AutoModelForSequenceClassification.from_pretrained(tiny_model, num_labels=outputs)
        model.save_pretrained(folder / f"estimator-{outputs}")
        AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder / f"estimator-{outputs}")
    for name, file in (("no-tokenizer", "tokenizer.json"), ("no-weights", "model.safetensors")):
        shutil.copytree(folder / "estimator-1", folder / name)
        (folder / name / file).unlink()
    return folder


@pytest.fixture
def url(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that is asked nothing; the working directory is a copy of `home`."""
    shutil.copytree(home, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    before = sorted(Path().rglob("*"))
    with mock_server(Path("table.json").absolute()) as base_url:
        yield base_url
        assert counts(base_url)["asked"] == 0
    assert sorted(Path().rglob("*")) == before, "nothing is written"


def translate(url: str, mode: str, *words: str, out: str = "out") -> None:
    server = ["--engine", "openai", "--model", "mock", "--base-url", url]
    crossin("translate", "rows.jsonl", "--to", "es", *server, "--out", out, *words, *MODES[mode])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("package", "words", "extra"),
    [
        ("httpx2", [], "openai"),
        ("lingua", [], "text"),
        ("sacrebleu", ["--round-trip", "30"], "text"),
        ("torch", ["--quality-model", "estimator-1"], "train"),
        ("transformers", ["--quality-model", "estimator-1"], "train"),
        ("ray", ["--runner", "ray"], "ray"),
    ],
)
def test_a_package_that_is_missing(
    url: str, monkeypatch: pytest.MonkeyPatch, mode: str, package: str, words: list[str], extra: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == package else find_spec(name))
    with refused(f"the package '{package}'", hint=f"[{extra}]"):
        translate(url, mode, *words)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "en"], "already"),
        (["--column", "output=reply"], "rows.jsonl"),
        (["--glossary", "terms.yaml"], "terms.yaml"),
        (["--glossary", "nothing.yaml"], "nothing.yaml"),
        (["--prompt", "nothing.txt"], "nothing.txt"),
        (["--quality-model", "nowhere"], "nowhere: not a folder"),
        (["--quality-model", "estimator-2"], "one output, this one has 2"),
        (["--quality-model", "no-tokenizer"], "no model that can be loaded"),
        (["--quality-model", "no-weights"], "no weights"),
        (["--quality-model", "estimator-1", "--device", "cuda:99"], "cuda:99"),
        (["--cache", "rows.jsonl"], "not a cache"),
        (["--cache", "rows.jsonl/cache.sqlite"], "cannot write"),
        (["--rank", "2", "--world-size", "2"], "no rank 2 of 2"),
    ],
)
def test_settings_that_are_wrong(url: str, mode: str, words: list[str], message: str) -> None:
    with refused(message):
        translate(url, mode, *words)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("claimed", "another run's files"),
        ("finished", "another run's files"),
        ("estimator-1", "not empty"),
        ("rows.jsonl", "cannot write"),
        ("rows.jsonl/below/out", "cannot write"),
    ],
)
def test_a_folder_that_is_not_free(url: str, mode: str, out: str, message: str) -> None:
    with refused(message, file=out):
        translate(url, mode, out=out)


@pytest.mark.parametrize("mode", MODES)
def test_a_key_that_is_none(url: str, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "two\nlines")
    with refused("OPENAI_API_KEY"):
        translate(url, mode)


def test_a_folder_that_may_not_be_written_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests may run as root, who may write anywhere.
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    with refused("cannot write", file="out", hint="--out"):
        translate(url, "dry run")


@pytest.mark.parametrize("mode", ["run", "sample"])
def test_weights_of_a_quality_model_that_are_damaged(url: str, mode: str) -> None:
    weights = Path("estimator-1", "model.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    with refused("no model that can be loaded", file="estimator-1"):
        translate(url, mode, "--quality-model", "estimator-1")


@pytest.mark.parametrize("mode", ["run", "sample"])
def test_a_quality_model_whose_head_was_never_trained(url: str, tiny_model: Path, mode: str) -> None:
    config = Path("estimator-1", "config.json").read_bytes()
    shutil.copy(tiny_model / "model.safetensors", "estimator-1")
    assert Path("estimator-1", "config.json").read_bytes() == config
    with refused("tensors are missing", file="estimator-1"):
        translate(url, mode, "--quality-model", "estimator-1")
