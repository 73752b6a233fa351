"""The stage from end to end on a small real model."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from crossin.core.files import read_json
from crossin.core.progress import Progress, silent
from crossin.core.reasons import sentence_of
from crossin.core.stages import Stage
from crossin.models.loading import load
from crossin.probing.config import ProbeConfig
from crossin.probing.figures import BY_SENTENCE, OF_ALL, layer_figures, resamples
from crossin.probing.run import probe
from crossin.probing.states import pooled_states
from tests.helpers.errors import refused
from tests.helpers.parallel_files import SENTENCES, write_texts

FILES = ["probe.html", "probe.json", "probe.parquet"]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("parallel"))


@pytest.fixture(scope="module")
def made(tiny_model: Path, texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return run(tiny_model, texts, tmp_path_factory.mktemp("probe") / "out")


def run(model: Path, texts: Path, out: Path, progress: Progress = silent, **options: Any) -> Stage:
    given = {"model": str(model), "parallel": texts, "name": "tiny", "device": "cpu", "draws": 200}
    return probe(ProbeConfig(**{**given, **options}), out, progress=progress)


def test_the_folder_holds_the_figures_and_no_more(made: Stage) -> None:
    assert sorted(path.name for path in made.folder.iterdir()) == ["manifest.json", *FILES]
    assert sorted(made.manifest["outputs"]) == FILES
    assert made.manifest["counts"] == {"sentences": 6, "languages": 3, "layers": 3}
    assert set(made.manifest["inputs"]) == {"model", "parallel/en", "parallel/es", "parallel/vi"}


def test_the_figures_are_those_of_the_states(made: Stage, tiny_model: Path) -> None:
    told = read_json(made.folder / "probe.json")
    assert (told["pivot"], told["languages"], told["layers"]) == ("en", ["en", "es", "vi"], 3)
    assert told["chance"]["retrieval"] == pytest.approx(1 / 6)
    network = load(tiny_model, device="cpu")
    states = {language: pooled_states(*network, texts) for language, texts in SENTENCES.items()}
    for pooling in ("mean", "last"):
        for layer in range(3):
            at_layer = {language: found[pooling][layer] for language, found in states.items()}
            for one in layer_figures(layer, pooling, at_layer, "en", resamples(6, 200, 0)):
                [entry] = [
                    entry
                    for entry in told["figures"]
                    if (entry["pooling"], entry["language"], entry["other"]) == (pooling, one.language, "en")
                ]
                for key in ("value", "low", "high"):
                    found, expected = entry[one.figure][key][layer], getattr(one, key)
                    assert (found is None) == math.isnan(expected)
                    assert found is None or found == pytest.approx(expected, abs=1e-6)


def test_the_long_form_holds_the_same_figures(made: Stage) -> None:
    lines = pyarrow.parquet.read_table(made.folder / "probe.parquet").to_pylist()
    told = read_json(made.folder / "probe.json")
    columns = ["layer", "pooling", "language", "other", "figure", "value", "low", "high"]
    assert list(lines[0]) == columns
    assert len(lines) == 3 * 2 * 3 * len((*BY_SENTENCE, *OF_ALL))
    for line in lines:
        [entry] = [
            entry
            for entry in told["figures"]
            if all(entry[key] == line[key] for key in ("pooling", "language", "other"))
        ]
        for key in ("value", "low", "high"):
            assert entry[line["figure"]][key][line["layer"]] == line[key]


def test_a_language_beside_its_own_copy_is_perfect(tiny_model: Path, tmp_path: Path) -> None:
    same = write_texts(tmp_path / "texts", {"en": SENTENCES["en"], "es": SENTENCES["en"]})
    told = read_json(run(tiny_model, same, tmp_path / "out").folder / "probe.json")
    for entry in told["figures"]:
        for figure in ("mexa", "retrieval", "cosine_matched", "cka", "cka_debiased"):
            # The embeddings of the last token, a full stop or question mark, are the same for most sentences.
            first = 1 if entry["pooling"] == "last" else 0
            np.testing.assert_allclose(entry[figure]["value"][first:], 1, atol=1e-6)
    [last] = [one for one in told["figures"] if (one["pooling"], one["language"]) == ("last", "es")]
    assert last["mexa"]["value"][0] < 1


def test_a_finished_folder_is_not_done_again(made: Stage, tiny_model: Path, texts: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in made.folder.iterdir()}
    again = run(tiny_model, texts, made.folder)
    assert again.done
    assert {path.name: path.stat().st_mtime_ns for path in made.folder.iterdir()} == before
    with refused("another run's files", "limit"):
        run(tiny_model, texts, made.folder, limit=5)


@pytest.mark.parametrize("stopped_at", ["reading vi", "measuring"])
def test_a_stopped_run_goes_on_and_ends_with_the_same_files(
    made: Stage, tiny_model: Path, texts: Path, tmp_path: Path, stopped_at: str
) -> None:
    def stop(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        if task == stopped_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tiny_model, texts, tmp_path, progress=stop)
    assert not (tmp_path / "probe.json").exists()
    (tmp_path / "states" / ".vi.safetensors.killed.tmp").write_bytes(b"half")
    tasks: set[str] = set()

    def listen(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        tasks.add(task)

    run(tiny_model, texts, tmp_path, progress=listen)
    assert tasks == ({"measuring"} if stopped_at == "measuring" else {"reading vi", "measuring"})
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (made.folder / name).read_bytes()
    assert not (tmp_path / "states").exists()


def test_another_pivot_and_all_pairs(tiny_model: Path, texts: Path, tmp_path: Path) -> None:
    stage = run(tiny_model, texts, tmp_path / "out", pivot="vi", all_pairs=True, limit=4)
    told = read_json(stage.folder / "probe.json")
    pairs = {(entry["language"], entry["other"]) for entry in told["figures"]}
    assert pairs == {("en", "vi"), ("es", "vi"), ("mean", "vi"), ("en", "es")}
    assert told["sentences"] == 4


def write_adapter(network: Any, folder: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "up_proj"], init_lora_weights=False)
    get_peft_model(network, config).save_pretrained(folder / "adapter")


def test_an_adapter_of_another_base_is_refused(tiny_model: Path, texts: Path, tmp_path: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    other = LlamaForCausalLM(LlamaConfig.from_pretrained(tiny_model, num_hidden_layers=3))
    write_adapter(other, tmp_path / "arm")
    with refused("adapter", "another model"):
        run(tiny_model, texts, tmp_path / "out", adapter=tmp_path / "arm")


def test_an_adapter_changes_the_figures(made: Stage, tiny_model: Path, texts: Path, tmp_path: Path) -> None:
    write_adapter(load(tiny_model, device="cpu")[0], tmp_path / "arm")
    stage = run(tiny_model, texts, tmp_path / "out", adapter=tmp_path / "arm")
    before, after = (read_json(folder / "probe.json")["figures"] for folder in (made.folder, stage.folder))
    assert before[0]["cosine_matched"]["value"][0] == after[0]["cosine_matched"]["value"][0]
    assert abs(before[0]["cosine_matched"]["value"][2] - after[0]["cosine_matched"]["value"][2]) > 1e-3
    assert "adapter" in stage.manifest["inputs"]


def test_a_sentence_that_is_too_long_is_named_with_its_file(tiny_model: Path, tmp_path: Path) -> None:
    lines = {**SENTENCES, "vi": ["dài " * 5_000, *SENTENCES["vi"][1:]]}
    texts = write_texts(tmp_path / "texts", lines)
    with refused("dài dài", "tokens", "context", file="vi.txt"):
        run(tiny_model, texts, tmp_path / "out", languages=["vi", "en"])
    assert not (tmp_path / "out").exists()


def test_a_mistake_leaves_no_claim_behind(tiny_model: Path, texts: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with refused(file="empty"):
        run(tmp_path / "empty", texts, tmp_path / "out")
    with refused("adapter", file="empty"):
        run(tiny_model, texts, tmp_path / "out", adapter=tmp_path / "empty")
    with refused("'fr'", field="pivot", hint="en, es, vi"):
        run(tiny_model, texts, tmp_path / "out", pivot="fr")
    assert not (tmp_path / "out").exists()


def test_without_vl_convert_there_is_no_page_and_the_manifest_says_so(
    tiny_model: Path, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossin.core.extras.find_spec", lambda name: None if name == "vl_convert" else name)
    stage = run(tiny_model, texts, tmp_path / "out")
    assert not (stage.folder / "probe.html").exists()
    assert stage.manifest["skipped"] == {"no_plots": 1}
    assert "pip install 'crossin[report]'" in sentence_of("no_plots")


def test_the_page_stands_alone_and_escapes_the_name(tiny_model: Path, texts: Path, tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>{{plots}}"
    stage = run(tiny_model, texts, tmp_path / "out", name=evil, draws=50)
    page = (stage.folder / "probe.html").read_text(encoding="utf-8")
    assert "alert(1)</script>" not in page
    assert page.count("{{plots}}") == 2
    assert "default-src 'none'" in page
    assert page.count("<svg") == 8
    told = read_json(stage.folder / "probe.json")
    figures = {figure for entry in told["figures"] for figure in entry if f'id="plot-{figure}-' in page}
    assert len(figures) == 4
    for entry in told["figures"]:
        for figure in figures if entry["other"] == told["pivot"] else ():
            drawn = page.split(f'id="plot-{figure}-{entry["pooling"]}"')[1].split("</figure>")[0]
            for layer, value in enumerate(entry[figure]["value"]):
                assert value is None or f"{entry['language']}, layer {layer}: {value:.3f}" in drawn
