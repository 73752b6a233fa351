from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch

from crossin.evaluation.engine import Request, Scores
from crossin.evaluation.hf import HfEngine, units, unshared
from crossin.evaluation.hf.tokens import tokenise
from crossin.models.loading import load
from tests.helpers import architectures
from tests.helpers.errors import refused

PARAGRAPHS = ["Paris is a city in France. " * 12, "Lima lies on the coast of Peru; La Paz does not. " * 9]


def requests() -> list[Request]:
    """Questions on two paragraphs, in two keys, as different in length as they come."""
    found = []
    for key in ("en", "zh"):
        for paragraph in PARAGRAPHS:
            for number in range(5):
                prompt = f"{paragraph}\nQuestion {number}: which city?\nAnswer:"
                options = (" Paris", " Par", " Lima, the capital of Peru", f" {number}")
                found.append(Request(prompt, options, key=key, name=f"item {number} in {key}"))
    return [*found, Request("Where?", (" Here",), key="en", name="alone")]


def asked(engine: HfEngine, wanted: set[int] | None = None) -> dict[int, Scores]:
    every = requests()
    found = dict(engine.logprobs(every, range(len(every)) if wanted is None else wanted))
    engine.close()
    return found


def plainly(folder: Path) -> list[list[float]]:
    """The log-probability of every option, each text alone through the whole model."""
    model, tokenizer = load(folder)
    found = []
    with torch.inference_mode():
        for options in tokenise(tokenizer, requests(), longest=None):
            sums = []
            for option in options:
                table = torch.log_softmax(model(torch.tensor([option.tokens])).logits[0].float(), -1)
                places = range(option.start, len(option.tokens))
                sums.append(sum(table[place - 1, option.tokens[place]].item() for place in places))
            found.append(sums)
    return found


@pytest.mark.parametrize("name", architectures.CONFIGURATIONS)
def test_every_architecture_gets_its_own_figures(name: str, tiny_model: Path, tmp_path: Path) -> None:
    folder = architectures.save(name, tiny_model, tmp_path / "model")
    engine = HfEngine(folder)
    found = asked(engine)
    for number, expected in enumerate(plainly(folder)):
        assert found[number].logprobs == pytest.approx(expected, abs=1e-3)
    # Where nothing can be shared the user is told, and only there.
    assert bool(engine.notes) == (name in architectures.CANNOT_SHARE)
    assert bool(sum(one.saved for one in found.values())) == (name not in architectures.CANNOT_SHARE)


def test_the_figures_are_the_same_bits_whatever_was_left_to_do(tiny_model: Path) -> None:
    everything = asked(HfEngine(tiny_model))
    for wanted in ({0}, {3, 17}, {20}, set(range(5, 15))):
        assert asked(HfEngine(tiny_model), wanted) == {number: everything[number] for number in wanted}


def test_the_figures_are_the_same_bits_in_any_order(tiny_model: Path) -> None:
    every = requests()
    order = sorted(range(len(every)), key=lambda number: (number * 7) % len(every))
    shuffled = dict(HfEngine(tiny_model).logprobs([every[number] for number in order], range(len(every))))
    expected = asked(HfEngine(tiny_model))
    for place, number in enumerate(order):
        assert shuffled[place].logprobs == expected[number].logprobs


def test_the_figures_of_a_key_do_not_hang_on_the_other_keys(tiny_model: Path) -> None:
    every = requests()
    english = [request for request in every if request.key == "en"]
    alone = dict(HfEngine(tiny_model).logprobs(english, range(len(english))))
    together = asked(HfEngine(tiny_model))
    numbers = [number for number, request in enumerate(every) if request.key == "en"]
    assert [alone[place] for place in range(len(english))] == [together[number] for number in numbers]


@pytest.mark.parametrize("tokens", [1, 40, 300, 5000])
def test_the_size_of_a_unit_changes_rounding_only(
    tokens: int, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = asked(HfEngine(tiny_model))
    monkeypatch.setattr(units.plan_units, "__kwdefaults__", {"tokens": tokens, "places": None})
    found = asked(HfEngine(tiny_model))
    for number, one in expected.items():
        assert found[number].logprobs == pytest.approx(one.logprobs, abs=1e-4)
        assert found[number].tokens == one.tokens


@pytest.mark.slow
def test_several_processes_find_the_same_bits_with_as_many_threads(tiny_model: Path) -> None:
    threads = torch.get_num_threads()
    # Two processes share this many threads, so that each has one.
    torch.set_num_threads(1)
    try:
        alone = asked(HfEngine(tiny_model))
        torch.set_num_threads(2)
        assert asked(HfEngine(tiny_model, processes=2)) == alone
    finally:
        torch.set_num_threads(threads)


def test_what_went_through_the_model_is_counted(tiny_model: Path) -> None:
    found = asked(HfEngine(tiny_model))
    _, tokenizer = load(tiny_model)
    for number, options in enumerate(tokenise(tokenizer, requests(), longest=None)):
        one = found[number]
        assert one.tokens == [len(option.tokens) - option.start for option in options]
        assert one.computed + one.saved == sum(len(option.tokens) - 1 for option in options)
        assert one.computed > 0
    # Ten questions on two paragraphs, four options each: by far most is shared.
    assert sum(one.saved for one in found.values()) > 10 * sum(one.computed for one in found.values())


@pytest.mark.slow
def test_a_process_that_cannot_load_the_model_says_why(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    engine = HfEngine(folder, processes=2)
    (folder / "model.safetensors").write_bytes(b"damaged")
    with refused("model.safetensors", "damaged"):
        asked(engine)
    engine.close()


@pytest.mark.slow
def test_a_process_that_dies_is_one_clear_error(tiny_model: Path) -> None:
    engine = HfEngine(tiny_model, processes=2)
    with refused("process", "died"):
        list(engine._spread(os._exit, [1]))
    engine.close()


def test_too_little_memory_for_the_check_is_no_reason_to_go_the_slow_way(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(unshared, "logprobs", fail)
    with refused("memory"):
        asked(HfEngine(tiny_model))
