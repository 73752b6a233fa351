"""The settings of a run as a file holds them: the presets, paths, and what is said of a wrong entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from crossin.core.examples import find_example, list_examples
from crossin.experiments.demo import TRAINING
from crossin.training.config import Align, Batches, Consist, Optimiser, TrainConfig, read_config
from tests.helpers.errors import refused
from tests.helpers.paths import ROOT


def read(folder: Path, text: str) -> TrainConfig:
    path = folder / "run.yaml"
    path.write_text(text)
    return read_config(path)


@pytest.mark.parametrize("name", [one.name for one in list_examples("train")])
def test_a_preset_reads_and_leaves_model_and_mixture_to_the_user(name: str) -> None:
    config = read_config(name)
    assert (config.model, config.mixture) == (None, None)
    assert config.name == name


def test_the_demos_preset_is_what_is_taken_where_nothing_is_said() -> None:
    assert read_config("demo") == TRAINING.model_copy(update={"name": "demo"})


def test_the_papers_preset_is_the_papers() -> None:
    config = read_config("paper")
    method = config.method
    assert (method.rank, method.alpha, method.dropout, method.embeddings) == (64, 128, 0.05, True)
    assert (config.optimiser.schedule, config.optimiser.warmup, config.optimiser.weight_decay) == (
        "cosine",
        0.03,
        0.01,
    )
    assert (config.batches.rows, config.batches.longest, config.seed, config.weigh) == (16, 4096, 42, "row")


def test_the_released_codes_fault_is_off_and_one_line_away(tmp_path: Path) -> None:
    path = find_example("train/released-code").path
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
    config = read_config(path, {"model": "c", "seed": 0, "batches": {"rows": 2}})
    assert (config.model, config.mixture, config.seed) == ("c", tmp_path / "b", 0)
    assert config.batches == Batches(rows=2)


@pytest.mark.parametrize(
    ("pairs", "prefer", "rows"), [(0.25, 0.25, 0.5), (0.7, 0.3, 0), (1, None, 0), (None, 1, 0), (0, None, 1)]
)
def test_rows_have_the_tokens_that_pairs_leave(
    pairs: float | None, prefer: float | None, rows: float
) -> None:
    entries: dict[str, Any] = {}
    if pairs is not None:
        entries |= {"pairs": {"items": "a", "share": pairs}, "consist": {}}
    if prefer is not None:
        entries |= {"prefer": {"data": "b", "share": prefer}}
    assert TrainConfig.model_validate(entries).rows_share == rows


def test_a_direction_is_the_number_of_the_first_by_that_of_the_second() -> None:
    consist = Consist.model_validate({"divergence": "dco", "direction": {"English": 4, "zh": 2}})
    assert consist.balance("en", "vi") == 4
    assert consist.balance("vi", "en") == 1 / 4
    assert consist.balance("en", "zh") == 2
    assert consist.balance("es", "vi") == 1


def test_languages_have_any_spelling(tmp_path: Path) -> None:
    config = read(tmp_path, "pairs: {items: a, pivot: English, languages: [Vietnamese, zho_Hans]}\nalign: {}")
    assert config.pairs is not None
    assert (config.pairs.pivot, config.pairs.languages) == ("en", ("vi", "zh"))
    with refused("und", field="pairs.languages.0"):
        read(tmp_path, "pairs: {items: a, languages: [und]}\nalign: {}")


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("epoch: 2", "epoch", ["did you mean 'epochs'"]),
        ("method: {rnk: 8}", "method.rnk", ["did you mean 'rank'"]),
        (
            "pairs: {items: a}\nconsist: {divergance: kl}",
            "consist.divergance",
            ["did you mean 'divergence'"],
        ),
        ("held_out: {qqqq: 1}", "held_out.qqqq", ["use one of: every, share"]),
        ("optimiser: {learning_rate: 0}", "optimiser.learning_rate", ["greater than 0"]),
        ("optimiser: {learning_rate: 3}", "optimiser.learning_rate", ["less than"]),
        ("method: {kind: lorra}", "method.kind", ["lora", "full"]),
        ("dtype: 4bit", "dtype", ["bfloat16"]),
        ("align: {}", None, ["`align`", "need `pairs`"]),
        ("pairs: {items: a}", None, ["`pairs` need"]),
        ("pairs: {rows: a}\nconsist: {}", None, ["`granularity: answer` needs `pairs.items`"]),
        (
            "pairs: {items: a}\nconsist: {granularity: token, divergence: dco}",
            "consist",
            ["`divergence: dco` needs"],
        ),
        ("pairs: {items: a}\nconsist: {granularity: token}", None, ["need `pairs.rows`", "sentence"]),
        ("pairs: {items: a, among: any}\nconsist: {hold_pivot: true}", None, ["`pairs.among: pivot`"]),
        ("pairs: {}\nalign: {}", "pairs", ["`rows` or `items`"]),
        ("pairs: {items: a, share: 1.2}\nalign: {}", "pairs.share", ["less than or equal to 1"]),
        ("pairs: {items: a, share: 0.6}\nalign: {}\nprefer: {data: a, share: 0.6}", None, ["more than 1"]),
        (
            "pairs: {items: a, share: 1}\nalign: {}\nheld_out: {share: 0.1}",
            None,
            ["`held_out.share` needs rows"],
        ),
        (
            "pairs: {items: a, share: 1}\nconsist: {}\nsampler: {kind: adaptive, criterion: gap}",
            None,
            ["adaptive", "needs rows"],
        ),
        ("prefer: {}", "prefer.data", ["missing"]),
        ("prefer: {data: a, smoothing: 0.5}", "prefer.smoothing", ["less than 0.5"]),
        ("pairs: {items: a}\nconsist: {direction: {en: 2}}", "consist", ["`divergence: dco`"]),
        (
            "pairs: {items: a}\nconsist: {divergence: dco, direction: {en: 0}}",
            "consist.direction.en",
            ["greater than 0"],
        ),
        ("sampler: {kind: adaptive}", None, ["`sampler.criterion: loss` needs `held_out.share`"]),
        (
            "sampler: {kind: adaptive, every: 7}\nheld_out: {share: 0.1}",
            None,
            ["`sampler.every` must be a multiple"],
        ),
        ("sampler: {kind: adaptive, criterion: gap}", None, ["needs `pairs.items`"]),
        ("- a\n- b", None, ["mapping"]),
        ("", None, ["mapping"]),
    ],
)
def test_a_wrong_entry_is_named_with_its_file_and_place(
    tmp_path: Path, text: str, field: str | None, words: list[str]
) -> None:
    with refused(*words, file="run.yaml", field=field):
        read(tmp_path, text)


def test_every_key_has_a_line_in_the_docs() -> None:
    page = (ROOT / "docs" / "train.md").read_text()
    keys = []
    for name, field in TrainConfig.model_fields.items():
        parts = [
            kind for kind in (field.annotation, *get_args(field.annotation)) if hasattr(kind, "model_fields")
        ]
        keys += [f"{name}.{key}" for part in parts for key in part.model_fields] if parts else [name]
    assert len(keys) > 40
    assert [key for key in keys if f"`{key}`" not in page] == []


@pytest.mark.parametrize(
    ("schedule", "half_way", "last"), [("cosine", 0.5, 0), ("linear", 0.5, 0), ("constant", 1, 1)]
)
def test_the_learning_rate_warms_up_and_then_follows_its_schedule(
    schedule: str, half_way: float, last: float
) -> None:
    optimiser = Optimiser.model_validate({"learning_rate": 0.1, "warmup": 0.1, "schedule": schedule})
    rates = [optimiser.learning_rate_at(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[9] == rates[10] == pytest.approx(0.1)
    assert rates[55] == pytest.approx(0.1 * half_way)
    assert rates[99] == pytest.approx(0.1 * last, abs=0.002)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_without_warm_up_the_first_step_has_the_whole_rate() -> None:
    assert Optimiser(learning_rate=0.1, warmup=0).learning_rate_at(0, 10) == 0.1


def test_the_weight_of_a_term_rises_over_its_warm_up() -> None:
    rising = Align(weight=2.0, warmup=0.5)
    assert [rising.weight_at(step, 8) for step in range(6)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert Align(weight=2.0).weight_at(0, 8) == 2.0
