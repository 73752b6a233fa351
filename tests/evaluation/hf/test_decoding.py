"""Replies that share what their prompts begin with: those of `model.generate`, whatever goes on at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig

from crossin.evaluation.engine import Request
from crossin.evaluation.hf import HfEngine, branches, engine, scoring
from crossin.evaluation.hf.decoding import Limits, plan_replies
from crossin.evaluation.hf.generation import generate
from crossin.models.loading import load
from tests.helpers.architectures import CANNOT_SHARE, CONFIGURATIONS, save
from tests.helpers.decoding import shared
from tests.helpers.errors import refused

# From one row at a time to more than there are; passes that divide prompts; hardly any room.
LIMITS = [
    Limits(),
    Limits(tokens=7),
    Limits(tokens=1),
    Limits(pairs=1),
    Limits(pairs=700),
    Limits(columns=1),
    Limits(columns=90),
    Limits(tokens=20, columns=150, pairs=2000),
]


def tree(seed: int, count: int = 8) -> list[list[int]]:
    """Prompts that begin alike in several ways: from nested beginnings of up to 130 tokens, one of them
    inside another, one twice, and some alone.
    """
    draw = random.Random(seed)

    def some(least: int, most: int) -> list[int]:
        return [draw.randrange(5, 800) for _ in range(draw.randint(least, most))]

    whole = some(70, 80)
    beginnings = [[], whole, whole + some(30, 50), whole[:40] + some(0, 20)]
    found = [draw.choice(beginnings) + some(1, 12) for _ in range(count)]
    return [*found, found[0], found[1] + some(1, 5), whole, [*whole, 3], some(1, 1)]


def alone(model: Any, prompts: Sequence[Sequence[int]], most: int) -> list[list[int]]:
    """The tokens that transformers generates after each prompt."""
    found = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        whole = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=GenerationConfig(do_sample=False, max_new_tokens=most, eos_token_id=0),
        )
        found.append(whole[0, len(prompt) :].tolist())
    return found


def beginnings(sequences: Sequence[Sequence[int]]) -> int:
    return len({tuple(one[:length]) for one in sequences for length in range(1, len(one) + 1)})


@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if name not in CANNOT_SHARE])
def test_replies_are_those_of_transformers_on_every_architecture(
    name: str, tiny_model: Path, tmp_path: Path
) -> None:
    model, tokenizer = load(save(name, tiny_model, tmp_path / "model"), device="cpu")
    for seed, most in ((0, 6), (1, 20), (2, 1)):
        prompts = tree(seed)
        expected = [
            tokenizer.decode(tokens, skip_special_tokens=True) for tokens in alone(model, prompts, most)
        ]
        assert len(set(expected)) > 3
        for limits in LIMITS[seed::3]:
            found = shared(model, tokenizer, prompts, max_tokens=most, limits=limits)
            assert [reply.text for reply in found] == expected


@pytest.mark.parametrize("limits", LIMITS)
def test_stops_end_the_same_replies_at_the_same_places_as_without_sharing(
    limits: Limits, tiny_model: Path
) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    prompts = tree(3)
    whole = "".join(reply.text for reply in generate(model, tokenizer, prompts, max_tokens=12))
    for stop in ([], [whole[9:11]], [whole[40:41], whole[60:64]]):
        expected = generate(model, tokenizer, prompts, max_tokens=12, stop=stop)
        found = shared(model, tokenizer, prompts, max_tokens=12, stop=stop, limits=limits)
        assert [(one.text, one.cut) for one in found] == [(one.text, one.cut) for one in expected]


@pytest.mark.parametrize("prompt", [[300], list(range(5, 205))])
def test_a_prompt_alone_is_a_unit(prompt: list[int], tiny_model: Path) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    [expected] = generate(model, tokenizer, [prompt], max_tokens=9)
    assert shared(model, tokenizer, [prompt], max_tokens=9) == [expected]


@pytest.mark.parametrize("unit_tokens", [1, 60])
def test_units_share_a_prefix_that_is_computed_once(unit_tokens: int, tiny_model: Path) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    prompts = tree(4)
    plan = plan_replies(prompts, tokens=unit_tokens, rows=10**6)
    assert sum(unit.depth > 0 for unit in plan) > 1
    expected = generate(model, tokenizer, prompts, max_tokens=9)
    found = shared(model, tokenizer, prompts, max_tokens=9, unit_tokens=unit_tokens)
    assert [one.text for one in found] == [one.text for one in expected]


def test_units_hold_every_prompt_once_and_keep_to_the_number_of_rows() -> None:
    prompts = tree(5, 60)
    for rows in (1, 7, 1000):
        plan = plan_replies(prompts, tokens=500, rows=rows)
        assert sorted(number for unit in plan for number in unit.requests) == list(range(len(prompts)))
        assert all(len(unit.requests) <= rows for unit in plan)


def test_each_beginning_is_computed_once_and_counted_once(tiny_model: Path) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    prompts = tree(6)
    # All are different: a prompt's last token is computed for itself.
    prompts = [list(one) for one in dict.fromkeys(map(tuple, prompts))]
    ends = alone(model, prompts, 10)
    found = shared(model, tokenizer, prompts, max_tokens=10)
    sequences = [[*prompt, *reply[:-1]] for prompt, reply in zip(prompts, ends, strict=True)]
    for one, sequence in zip(found, sequences, strict=True):
        assert one.computed > 0
        assert one.computed + one.saved == len(sequence)
    total = sum(one.computed for one in found)
    assert beginnings(sequences) <= total <= beginnings(sequences) + len(prompts)
    assert total < sum(map(len, sequences)) / 2


def test_prompts_join_as_replies_end_and_columns_keep_to_the_limit(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    prompts = tree(7, 60)
    expected = generate(model, tokenizer, prompts, max_tokens=30)
    passes: list[tuple[int, int]] = []
    run = branches.Branches.run

    def observed(self: branches.Branches, columns: Sequence[int]) -> Any:
        passes.append((self.width, self.fed))
        return run(self, columns)

    monkeypatch.setattr(branches.Branches, "run", observed)
    limits = Limits(tokens=64, columns=400)
    found = shared(model, tokenizer, prompts, max_tokens=30, limits=limits)
    assert [one.text for one in found] == [one.text for one in expected]
    assert sum(fed for _, fed in passes) == sum(one.computed for one in found)
    assert max(fed for _, fed in passes) <= 64
    # Columns of replies that have ended stay until a quarter of all is theirs.
    assert max(width for width, _ in passes) <= 400 * 4 / 3 + 64


def test_too_little_memory_halves_what_goes_on_at_once(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    prompts = tree(8)
    expected = generate(model, tokenizer, prompts, max_tokens=20)
    forward = scoring.forward
    refusals = []

    def scarce(model: Any, tokens: Any, positions: Any, mask: Any, cache: Any) -> Any:
        if mask.shape[-1] > 200 or tokens.shape[1] > 40:
            refusals.append(mask.shape)
            raise torch.OutOfMemoryError("too much")
        return forward(model, tokens, positions, mask, cache)

    monkeypatch.setattr(branches, "forward", scarce)
    found = shared(model, tokenizer, prompts, max_tokens=20, unit_tokens=150)
    assert refusals
    assert [one.text for one in found] == [one.text for one in expected]


def test_one_reply_that_is_too_much_for_the_memory_is_an_error(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.OutOfMemoryError("too much")

    monkeypatch.setattr(branches, "forward", fail)
    with refused("memory"):
        list(HfEngine(tiny_model).generate(asked(), range(6)))


def asked() -> list[Request]:
    """Requests in two languages and two lengths, with shots that a language shares."""
    found = []
    for key in ("en", "vi"):
        shots = f"{key}: What is the capital of Peru? Lima\n\n" * 6
        for number in range(12):
            question = f"{shots}What is the capital of country {number}{' or so' * (number % 3)}?"
            found.append(
                Request(question, max_tokens=12 - number % 2, stop=("e",), key=key, name=f"{number}")
            )
    return found


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_REPLY_TOKENS", 60)


@pytest.mark.usefixtures("small_units")
def test_replies_and_counts_are_the_same_whatever_was_left_to_do(tiny_model: Path) -> None:
    requests = asked()
    everything = dict(HfEngine(tiny_model).generate(requests, range(len(requests))))
    assert sorted(everything) == list(range(len(requests)))
    for wanted in ({0}, {3, 17}, set(range(5, 15))):
        found = dict(HfEngine(tiny_model).generate(requests, wanted))
        assert found == {number: everything[number] for number in wanted}


@pytest.mark.usefixtures("small_units")
def test_replies_do_not_hang_on_the_order(tiny_model: Path) -> None:
    requests = asked()
    expected = dict(HfEngine(tiny_model).generate(requests, range(len(requests))))
    order = sorted(range(len(requests)), key=lambda number: (number * 7) % len(requests))
    found = dict(HfEngine(tiny_model).generate([requests[number] for number in order], range(len(order))))
    assert [found[place] for place in range(len(order))] == [expected[number] for number in order]


@pytest.mark.slow
@pytest.mark.usefixtures("small_units")
def test_several_processes_find_the_same_replies(tiny_model: Path) -> None:
    requests = asked()
    with_one = dict(HfEngine(tiny_model).generate(requests, range(len(requests))))
    several = HfEngine(tiny_model, processes=2)
    assert dict(several.generate(requests, range(len(requests)))) == with_one
    several.close()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_an_engine_gives_every_architecture_its_own_replies_and_says_where_nothing_is_shared(
    name: str, tiny_model: Path, tmp_path: Path
) -> None:
    folder = save(name, tiny_model, tmp_path / "model")
    found = HfEngine(folder)
    replies = dict(found.generate(asked(), range(len(asked()))))
    model, tokenizer = load(folder, device="cpu")
    for number, request in enumerate(asked()):
        prompt = tokenizer(request.prompt)["input_ids"]
        how: dict[str, Any] = {"max_tokens": request.max_tokens, "stop": request.stop}
        [expected] = generate(model, tokenizer, [prompt], **how)
        assert replies[number].text == expected.text
    assert bool(found.notes) == (name in CANNOT_SHARE)
    assert bool(sum(one.saved for one in replies.values())) == (name not in CANNOT_SHARE)
