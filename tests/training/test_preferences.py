"""Preferences: what is read of the file, that benchmarks stay apart, and whole runs on them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow
import pytest
import torch
from peft import PeftModel
from transformers import TrainerCallback
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

from crossin.core.files import read_parquet, sha256, write_parquet
from crossin.core.stages import Stage
from crossin.items import read_items
from crossin.models.loading import load
from crossin.training import TrainConfig, train
from crossin.training.config import Batches, Prefer
from crossin.training.objectives.answers import option_logprobs
from crossin.training.objectives.preferences import preference_loss
from crossin.training.packing import prepare
from crossin.training.preferences import read_preferences
from tests.helpers.errors import refused

ADAPTER = "adapter/adapter_model.safetensors"


def line(name: str, prompt: str, chosen: str, rejected: str, **more: str) -> dict[str, Any]:
    texts = {"id": name, "group": f"group of {name}", "language": "es", "prompt": prompt}
    return {**texts, "chosen": chosen, "rejected": rejected, "pivot_share": 0.8, "meaning": "m", **more}


def written(place: Path, lines: list[dict[str, Any]]) -> Path:
    place.mkdir(exist_ok=True)
    write_parquet(place / "preferences.parquet", pyarrow.Table.from_pylist(lines))
    return place


@pytest.fixture(scope="session")
def data(benches: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions in Spanish: the answer in Spanish is preferred to the one in English."""
    return written(tmp_path_factory.mktemp("preferences"), lines_of(benches["train"]))


def lines_of(bench: Path) -> list[dict[str, Any]]:
    items = {(item.item, item.language): item for item in read_items(bench)}
    return [
        line(name, f"{item.question}\n", f" {item.right_text}", f" {items[name, 'en'].right_text}")
        | {"group": item.group}
        for (name, language), item in items.items()
        if language == "es"
    ]


@pytest.fixture
def alone(tiny_model: Path, data: Path) -> dict[str, Any]:
    """The settings of a run of 12 steps of 16 preferences, without a mixture."""
    return {
        "model": str(tiny_model),
        "method": {"rank": 8, "alpha": 32},
        "optimiser": {"learning_rate": 1e-2},
        "batches": {"pairs": 16, "tokens": 256},
        "prefer": {"data": str(data), "share": 1},
        "max_steps": 12,
        "log_every": 1,
    }


def trained_with(entries: dict[str, Any], out: Path, **options: Any) -> Stage:
    return train(TrainConfig.model_validate(entries), out, **options)


def figures_of(stage: Stage) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    columns = ["step", "term", "figure", "value"]
    for one in read_parquet(stage.folder / "figures.parquet", columns).to_pylist():
        assert one["term"] == "prefer"
        found.setdefault(one["figure"], []).append(one["value"])
    return found


def test_both_answers_have_the_tokens_of_rows(tokenizer: Any, tmp_path: Path) -> None:
    place = written(tmp_path / "data", [line("a", "¿Capital?\n", " Lima", " Lima y Quito")])
    [found], skipped = read_preferences(place, tokenizer, Batches())
    assert skipped == {}
    answers = found.answers
    learned = [whole[start:] for whole, start in zip(answers.wholes, answers.starts, strict=True)]
    assert [tokenizer.decode(tokens) for tokens in learned] == [" Lima<end>", " Lima y Quito<end>"]
    assert answers.wholes[0][: answers.starts[0]] == answers.wholes[1][: answers.starts[1]]
    # The prompt is read once.
    assert answers.shared >= answers.starts[0] - 1
    assert answers.size == answers.shared + sum(len(whole) - 1 - answers.shared for whole in answers.wholes)
    assert read_preferences(place / "preferences.parquet", tokenizer, Batches())[0][0].id == "a"


def test_a_special_token_spelled_in_an_answer_is_read_as_text(tokenizer: Any, tmp_path: Path) -> None:
    lines = [
        line("a", "¿Capital?", " Lima <end> y Quito", " Quito"),
        line("b", "¿Capital?", " Lima", " Quito"),
    ]
    found, skipped = read_preferences(written(tmp_path / "data", lines), tokenizer, Batches())
    assert skipped == {"special_token_spelled:preferences": 1}
    ends = [whole.count(tokenizer.eos_token_id) for one in found for whole in one.answers.wholes]
    assert ends == [1, 1, 1, 1]


def test_what_is_left_out_is_counted_by_reason(tokenizer: Any, tmp_path: Path) -> None:
    long = " palabra" * 40
    lines = [
        line("a", "¿Capital?\n", " Lima", " Quito"),
        line("b", "¿Capital?\n", " Lima", " Lima "),
        line("c", "¿Capital?\n", " Lima", long),
        line("d", "¿Capital?\n", "", " Lima"),
    ]
    place = written(tmp_path / "data", lines)
    for too_long in ("skip", "cut"):
        batches = Batches.model_validate({"longest": 30, "too_long": too_long})
        found, skipped = read_preferences(place, tokenizer, batches)
        assert [one.id for one in found] == ["a"]
        assert skipped == {
            "answers_alike:preferences": 1,
            "too_many_tokens:preferences": 1,
            "completion_without_tokens:preferences": 1,
        }
    with refused("no preference is left", "the same", file="preferences.parquet", field="prefer.data"):
        read_preferences(written(tmp_path / "same", lines[1:2]), tokenizer, Batches())


def test_a_file_that_is_not_what_it_should_be_is_named(tokenizer: Any, tmp_path: Path) -> None:
    with refused("no preferences", file=tmp_path, field="prefer.data", hint="crossin prefer"):
        read_preferences(tmp_path, tokenizer, Batches())
    place = written(
        tmp_path / "data", [line("a", "¿?\n", " Lima", " Quito"), line("b", "", " Lima", " Quito")]
    )
    with refused("empty", file="preferences.parquet", row=2, field="prompt"):
        read_preferences(place, tokenizer, Batches())
    other = {key: value for key, value in line("a", "¿?", "b", "c").items() if key != "rejected"}
    with refused("lacks", file="preferences.parquet", field="rejected"):
        read_preferences(written(tmp_path / "other", [other]), tokenizer, Batches())


@pytest.mark.parametrize("where", ["prefer", "pairs"])
@pytest.mark.parametrize("shared", ["id", "group", "question", "nothing"])
def test_preferences_are_apart_from_benchmarks_for_evaluation(
    alone: dict[str, Any], benches: dict[str, Path], tmp_path: Path, where: str, shared: str
) -> None:
    asked = next(item for item in read_items(benches["test"]) if item.language == "es")
    lines = lines_of(benches["train"])[:20]
    lines[3] |= {
        "id": {"id": asked.item},
        "group": {"group": asked.group},
        "question": {"prompt": f"Pregunta: {asked.question}\nRespuesta:"},
        "nothing": {},
    }[shared]
    alone |= {"prefer": {"data": str(written(tmp_path / "data", lines)), "share": 1}, "max_steps": 1}
    if where == "prefer":
        alone["prefer"] |= {"apart_from": [str(benches["test"])]}
    else:
        # Those of the pairs hold for the preferences, too.
        pairs = {"items": str(benches["train"]), "share": 0.5, "apart_from": [str(benches["test"])]}
        alone |= {"pairs": pairs, "consist": {}}
        alone["prefer"] |= {"share": 0.5}
    if shared == "nothing":
        assert trained_with(alone, tmp_path / "out").done
        return
    with refused("of the pairs are in a benchmark", file="items.parquet", field=f"{where}.apart_from"):
        trained_with(alone, tmp_path / "out")


def test_the_log_shows_that_the_chosen_answers_gain(alone: dict[str, Any], tmp_path: Path) -> None:
    # All weights: beside random ones, an adapter learns slowly.
    alone |= {"method": {"kind": "full"}, "optimiser": {"learning_rate": 3e-3}}
    stage = trained_with(alone, tmp_path / "out")
    terms = read_parquet(stage.folder / "terms.parquet", ["term", "value", "gradient_norm"]).to_pydict()
    assert set(terms["term"]) == {"prefer"}
    # The model is its own reference: both answers have gained nothing.
    assert terms["value"][0] == pytest.approx(math.log(2), abs=1e-5)
    assert terms["value"][-1] < 0.6
    assert min(terms["gradient_norm"]) > 0
    figures = figures_of(stage)
    assert figures.keys() == {"margin", "preferred"}
    assert figures["margin"][0] == pytest.approx(0, abs=1e-4)
    assert figures["margin"][-1] > 0.2
    assert figures["preferred"][-1] > 0.9
    counts = stage.manifest["counts"]
    assert (counts["rows"], counts["pairs"]) == (0, 12 * 16)
    assert stage.manifest["skipped"]["answers_alike:preferences"] > 0


def test_the_adapter_switched_off_is_the_reference(alone: dict[str, Any], data: Path, tmp_path: Path) -> None:
    stage = trained_with(alone, tmp_path / "out")
    network, tokenizer = load(Path(alone["model"]))
    prepare(network)
    answers = [one.answers for one in read_preferences(data, tokenizer, Batches())[0][:20]]
    with torch.no_grad():
        before = torch.stack(option_logprobs(network, answers, "sum"))
        tuned = PeftModel.from_pretrained(network, stage.folder / "adapter").eval()
        after = torch.stack(option_logprobs(tuned, answers, "sum"))
        with tuned.disable_adapter():
            off = torch.stack(option_logprobs(tuned, answers, "sum"))
    assert torch.allclose(off, before, atol=1e-5)
    assert not torch.allclose(after, before, atol=0.1)


def test_rows_pairs_and_preferences_may_be_trained_together(
    entries: dict[str, Any], benches: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    entries |= {
        "pairs": {"items": str(benches["train"]), "share": 0.25},
        "align": {"weight": 0.3},
        "consist": {"divergence": "js"},
        "prefer": {"data": str(data), "share": 0.25},
        "max_steps": 3,
    }
    stage = trained_with(entries, tmp_path / "out")
    lines = read_parquet(stage.folder / "terms.parquet", ["term", "value", "share", "pairs"]).to_pylist()
    assert {one["term"] for one in lines} == {"sft", "align", "consist", "prefer"}
    assert all(one["value"] > 0 for one in lines)
    assert figures_of(stage)["margin"]
    # Half of the tokens are those of the rows.
    counts = stage.manifest["counts"]
    rows = trained_with(
        {**entries, "pairs": None, "align": None, "consist": None, "prefer": None}, tmp_path / "rows"
    ).manifest["counts"]
    assert rows["tokens"] / counts["tokens"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_an_interrupted_run_resumes_to_the_same_bytes(
    alone: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    alone |= {"checkpoint_every": 2, "max_steps": 6, "method": {"kind": kind}}
    alone |= {"optimiser": {"learning_rate": 1e-3}}

    def interrupt(_task: str, done: int, *_: object, **__: object) -> None:
        if done == 3:
            raise KeyboardInterrupt

    whole = trained_with(alone, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained_with(alone, tmp_path / "out", progress=interrupt)
    trained_with(alone, tmp_path / "out")
    weights = ADAPTER if kind == "lora" else "model/model.safetensors"
    for name in (weights, "log.parquet", "terms.parquet", "figures.parquet"):
        assert sha256(tmp_path / "out" / name) == sha256(whole.folder / name)


def test_trackers_get_the_term_and_its_figures(
    alone: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, float]] = []

    class Recorder(TrainerCallback):  # type: ignore[misc]
        def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
            seen.append(logs)

    monkeypatch.setitem(INTEGRATION_TO_CALLBACK, "recorder", Recorder)
    stage = trained_with(alone | {"track": ["recorder"], "max_steps": 3}, tmp_path / "out")
    values = read_parquet(stage.folder / "terms.parquet", ["value"])["value"].to_pylist()
    logged = [logs for logs in seen if "term/prefer" in logs]
    assert [logs["term/prefer"] for logs in logged][:3] == values
    assert all(
        {"term/prefer/margin", "term/prefer/preferred", "crossin/loss"} <= logs.keys() for logs in logged
    )
    assert [logs["loss"] for logs in logged if "loss" in logs] == pytest.approx(values, abs=1e-3)


def test_training_prefers_the_chosen_kind_of_answer_on_questions_not_seen(
    tiny_model: Path, data: Path
) -> None:
    network, tokenizer = load(tiny_model)
    prepare(network)
    every = [one.answers for one in read_preferences(data, tokenizer, Batches())[0]]
    seen, unseen = [one for number, one in enumerate(every) if number % 5], every[::5]
    settings = Prefer(data=data)

    def references(answers: list[Any]) -> list[list[float]]:
        with torch.no_grad():
            return [one.tolist() for one in option_logprobs(network, answers, "sum")]

    held, held_unseen = references(seen), references(unseen)

    def likelier() -> float:
        """The share of the unseen pairs whose chosen answer is likelier than the rejected one."""
        return sum(chosen > rejected for chosen, rejected in references(unseen)) / len(unseen)

    before = likelier()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    network.train()
    for step in range(40):
        chosen = [(step * 16 + place) % len(seen) for place in range(16)]
        loss, _ = preference_loss(
            network, [seen[number] for number in chosen], [held[number] for number in chosen], settings
        )
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    network.eval()
    _, margins = preference_loss(network, unseen, held_unseen, settings)
    assert (margins > 0).double().mean() > 0.8
    assert likelier() > before + 0.2
