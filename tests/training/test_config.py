"""The settings of a run as a file holds them: the presets, paths, and what is said of a wrong entry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from crossin.core.errors import CrossinError
from crossin.experiments.demo import TRAINING
from crossin.training.config import TrainConfig
from crossin.training.read_config import read_config
from tests.helpers.paths import ROOT

EXAMPLES = ROOT / "examples"


def read(folder: Path, text: str) -> TrainConfig:
    path = folder / "run.yaml"
    path.write_text(text)
    return read_config(path)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("train-*.yaml")), ids=lambda path: str(path.stem))
def test_a_preset_reads_and_leaves_model_and_mixture_to_the_user(path: Path) -> None:
    config = read_config(path)
    assert (config.model, config.mixture) == (None, None)
    assert f"train-{config.name}" == path.stem


def test_the_demos_preset_is_what_is_taken_where_nothing_is_said() -> None:
    assert read_config(EXAMPLES / "train-demo.yaml") == TRAINING.model_copy(update={"name": "demo"})


def test_the_papers_preset_is_the_papers() -> None:
    config = read_config(EXAMPLES / "train-paper.yaml")
    method = config.method
    assert (method.rank, method.alpha, method.dropout, method.embeddings) == (64, 128, 0.05, True)
    assert (config.optimiser.schedule, config.optimiser.warmup, config.optimiser.weight_decay) == (
        "cosine",
        0.03,
        0.01,
    )
    assert (config.batches.rows, config.batches.longest, config.seed, config.weigh) == (16, 4096, 42, "row")


def test_the_released_codes_fault_is_off_and_one_line_away(tmp_path: Path) -> None:
    path = EXAMPLES / "train-released-code.yaml"
    assert read_config(path).method.targets == "all-linear"
    text = path.read_text().replace("  targets: all-linear\n", "").replace("  # targets:", "  targets:")
    targets = read(tmp_path, text).method.targets
    assert "q_proj" not in targets
    assert len(targets) == 6


def test_paths_start_from_the_files_folder_and_a_model_may_be_a_name(tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    config = read(
        tmp_path,
        "model: tuned\nmixture: mixtures/a\n"
        "pairs: {items: bench, rows: /data/rows, apart_from: [test, /data/test]}\nalign: {}",
    )
    assert config.model == str(tmp_path / "tuned")
    assert config.mixture == tmp_path / "mixtures" / "a"
    assert config.pairs is not None
    assert (config.pairs.items, config.pairs.rows) == (tmp_path / "bench", Path("/data/rows"))
    assert config.pairs.apart_from == (tmp_path / "test", Path("/data/test"))
    assert read(tmp_path, "model: smollm2-135m").model == "smollm2-135m"


def test_what_is_given_takes_the_place_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("model: a\nmixture: b\nseed: 3")
    config = read_config(path, {"model": "c", "seed": 0})
    assert (config.model, config.mixture, config.seed) == ("c", tmp_path / "b", 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch: 2", "field 'epoch': there is no key 'epoch' here. Hint: did you mean 'epochs'?"),
        (
            "method: {rnk: 8}",
            "field 'method.rnk': there is no key 'rnk' here. Hint: did you mean 'rank'?",
        ),
        (
            "pairs: {items: a}\nconsist: {divergance: kl}",
            "field 'consist.divergance': there is no key 'divergance' here. Hint: did you mean",
        ),
        ("held_out: {qqqq: 1}", "use one of: every, share"),
        ("optimiser: {learning_rate: 0}", "field 'optimiser.learning_rate': Input should be greater than 0"),
        ("optimiser: {learning_rate: 3}", "field 'optimiser.learning_rate': Input should be less than"),
        ("method: {kind: lorra}", "field 'method.kind': Input should be 'lora' or 'full'"),
        ("align: {}", "`align` and `consist` need `pairs`"),
        ("pairs: {items: a}", "`pairs` are there for `align` or `consist`"),
        ("pairs: {rows: a}\nconsist: {}", "`granularity: answer` needs `pairs.items`"),
        ("sampler: {kind: adaptive}", "`sampler.criterion: loss` needs `held_out.share`"),
        ("- a\n- b", "is no mapping of keys to values"),
        ("", "is no mapping of keys to values"),
    ],
)
def test_a_wrong_entry_is_named_with_its_file_and_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CrossinError, match=r"run\.yaml.*" + re.escape(words)):
        read(tmp_path, text)


def test_every_key_has_a_line_in_the_docs() -> None:
    page = (EXAMPLES.parent / "docs" / "train.md").read_text()
    keys = []
    for name, field in TrainConfig.model_fields.items():
        parts = [
            kind for kind in (field.annotation, *get_args(field.annotation)) if hasattr(kind, "model_fields")
        ]
        keys += [f"{name}.{key}" for part in parts for key in part.model_fields] if parts else [name]
    assert len(keys) > 40
    assert [key for key in keys if f"`{key}`" not in page] == []
