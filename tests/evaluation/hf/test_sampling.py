"""Sampled replies: drawn from the model's distribution, and decided by seed, prompt and number alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crossin.core.draws import hashed
from crossin.evaluation.engine import Draw, Reply, Request, Sampling
from crossin.evaluation.hf import HfEngine, sampling
from crossin.evaluation.hf.decoding import Limits
from crossin.evaluation.hf.generation import generate
from crossin.evaluation.hf.sampling import next_tokens, random_bits
from crossin.models.loading import load
from tests.helpers.decoding import shared

PROMPT = "What is the capital of Peru?"
both_ways = pytest.mark.parametrize("way", [generate, shared])


def chance(observed: Sequence[int], expected: Sequence[float]) -> float:
    """How probable counts at least so far from the expected ones are (Pearson's chi-square test)."""
    far = sum((seen - wanted) ** 2 / wanted for seen, wanted in zip(observed, expected, strict=True))
    freedom = torch.tensor(len(observed) - 1.0, dtype=torch.float64)
    return float(torch.special.gammaincc(freedom / 2, torch.tensor(far / 2, dtype=torch.float64)))


def draws(count: int, temperature: float = 1.0, top_p: float = 1.0) -> list[Draw]:
    sampled = [Sampling(number, temperature, top_p) for number in range(count)]
    return [draw for one in sampled if (draw := Request(PROMPT, sampling=one).draw)]


def replies(engine: HfEngine, requests: list[Request]) -> list[str]:
    found = dict(engine.generate(requests, range(len(requests))))
    return [found[number].text for number in range(len(requests))]


def sampled(prompts: list[str], numbers: range, **more: Any) -> list[Request]:
    return [
        Request(prompt, max_tokens=8, sampling=Sampling(number, **more))
        for prompt in prompts
        for number in numbers
    ]


@both_ways
@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (0.7, 0.6)])
def test_first_tokens_have_the_distribution_of_the_model(
    way: Any, temperature: float, top_p: float, tiny_model: Path
) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    with torch.no_grad():
        # Random weights say nearly nothing: as it is, all tokens are about as likely.
        model.lm_head.weight.mul_(25)
    prompt = tokenizer(PROMPT)["input_ids"]
    with torch.inference_mode():
        expected = (model(torch.tensor([prompt])).logits[0, -1] / temperature).softmax(-1).double()
    order = expected.argsort(descending=True)
    kept = order[expected[order].cumsum(-1) - expected[order] < top_p]
    expected = torch.zeros_like(expected).index_put((kept,), expected[kept])
    expected /= expected.sum()
    count = 1000
    firsts: list[int] = []

    class Recorded:
        """The tokenizer; what it decodes is each reply's one token."""

        def __getattr__(self, name: str) -> Any:
            return getattr(tokenizer, name)

        def decode(self, tokens: list[int], **_: Any) -> str:
            firsts.extend(tokens)
            return ""

    way(model, Recorded(), [prompt] * count, max_tokens=1, draws=draws(count, temperature, top_p))
    seen = Counter(firsts)
    assert set(seen) <= set(kept.tolist())
    frequent = (expected * count > 5).nonzero()[:, 0].tolist()
    observed = [seen[token] for token in frequent]
    wanted = [count * expected[token].item() for token in frequent]
    assert len(frequent) > 2
    # All others together are a class of their own, where there are enough.
    if count - sum(wanted) > 5:
        observed, wanted = [*observed, count - sum(observed)], [*wanted, count - sum(wanted)]
    wanted = [one * sum(observed) / sum(wanted) for one in wanted]
    assert chance(observed, wanted) > 0.001


def test_random_bits_are_those_of_all_other_draws() -> None:
    keys = [0, 1, 2**63, 2**64 - 1, 0x9E3779B97F4A7C15]
    found = random_bits(keys, torch.zeros(len(keys), 1000)).numpy().view(np.uint64)
    assert [row.tolist() for row in found] == [hashed(np.arange(1000), key).tolist() for key in keys]


def test_rows_are_drawn_apart_each_with_its_temperature_and_nucleus(monkeypatch: pytest.MonkeyPatch) -> None:
    logits = torch.randn(7, 50, generator=torch.Generator().manual_seed(0)) * 3
    some: list[Draw | None] = [*draws(2, 0.5), None, *draws(2, 2.0, 0.7), None, *draws(1, 1.0, 0.2)]
    places = [3, 0, 9, 1, 2, 0, 5]
    alone = [next_tokens(logits[[row]], [some[row]], [places[row]])[0] for row in range(7)]
    assert next_tokens(logits, some, places) == alone
    monkeypatch.setattr(sampling, "_NUMBERS", 120)
    assert next_tokens(logits, some, places) == alone
    assert [alone[row] for row in (2, 5)] == logits[[2, 5]].argmax(dim=-1).tolist()


def test_the_same_distribution_where_one_token_is_nearly_certain() -> None:
    logits = torch.tensor([[0.0, 6.0, -1.0, float("-inf")]]).expand(8_000, -1)
    found = Counter(next_tokens(logits, draws(8_000), [0] * 8_000))
    expected = logits[0, :3].double().softmax(-1) * 8_000
    assert found[3] == 0
    assert chance([found[0], found[1], found[2]], expected.tolist()) > 0.001


def test_places_of_a_reply_and_replies_are_independent() -> None:
    count = 4000
    logits = torch.zeros(count, 2)
    first, second = draws(2)
    one, later, other = (
        next_tokens(logits, [draw] * count, range(shift, count + shift))
        for draw, shift in ((first, 0), (first, 1), (second, 0))
    )
    for two in (later, other):
        assert chance(list(Counter(zip(one, two, strict=True)).values()), [1000] * 4) > 0.001


def test_replies_do_not_depend_on_order_batch_or_what_is_wanted(tiny_model: Path) -> None:
    prompts = [PROMPT, "What is the capital of Chile?", PROMPT + " And of Spain?", "1, 2, 3"]
    requests = sampled(prompts, range(5), temperature=0.8, seed=3)
    engine = HfEngine(tiny_model, device="cpu")
    expected = dict(zip(requests, replies(engine, requests), strict=True))
    assert len({text for request, text in expected.items() if request.prompt == PROMPT}) > 3
    shuffled = random.Random(0).sample(requests, len(requests))
    assert dict(zip(shuffled, replies(engine, shuffled), strict=True)) == expected
    for request in requests[::7]:
        assert replies(engine, [request]) == [expected[request]]
    assert {number: reply.text for number, reply in engine.generate(requests, [3, 17])} == {
        number: expected[requests[number]] for number in (3, 17)
    }


@pytest.mark.parametrize("limits", [Limits(tokens=7), Limits(columns=1), Limits(pairs=700)])
def test_replies_do_not_depend_on_what_goes_on_at_once(limits: Limits, tiny_model: Path) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    prompts = [tokenizer(PROMPT)["input_ids"]] * 6 + [[300], [40, 41, 42]]
    expected = generate(model, tokenizer, prompts, max_tokens=9, draws=draws(len(prompts)))
    found = shared(model, tokenizer, prompts, max_tokens=9, draws=draws(len(prompts)), limits=limits)
    assert [one.text for one in found] == [one.text for one in expected]


def test_seed_number_temperature_and_prompt_make_other_replies(tiny_model: Path) -> None:
    engine = HfEngine(tiny_model, device="cpu")
    first = Request(PROMPT, max_tokens=8, sampling=Sampling(0))
    others = [
        replace(first, sampling=Sampling(1)),
        replace(first, sampling=Sampling(0, seed=1)),
        replace(first, prompt=PROMPT + " "),
    ]
    texts = replies(engine, [first, *others])
    assert len(set(texts)) == 4
    assert len({one.draw for one in (first, *others)}) == len({one.content for one in (first, *others)}) == 4


def test_a_prompt_is_computed_once_for_all_its_samples(tiny_model: Path) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    prompt = tokenizer(PROMPT)["input_ids"]
    found = shared(model, tokenizer, [prompt] * 9, max_tokens=1, draws=draws(9))
    # Each has a column of its own for the last token, which says what follows.
    assert sorted(reply.computed for reply in found) == [*[1] * 8, len(prompt)]
    assert sum(reply.saved for reply in found) == 8 * (len(prompt) - 1)


def test_a_low_temperature_is_greedy(tiny_model: Path) -> None:
    greedy = Request(PROMPT, max_tokens=8)
    cold = replace(greedy, sampling=Sampling(4, temperature=1e-6))
    one, other = replies(HfEngine(tiny_model, device="cpu"), [greedy, cold])
    assert one == other


def test_greedy_replies_are_the_same_next_to_sampled_ones(tiny_model: Path) -> None:
    greedy = [Request(text, max_tokens=6) for text in (PROMPT, PROMPT + " Lima", "1, 2, 3")]
    engine = HfEngine(tiny_model, device="cpu")
    expected = dict(engine.generate(greedy, range(3)))
    mixed = [*greedy, *sampled([PROMPT], range(4))]
    assert {number: one for number, one in engine.generate(mixed, range(7)) if number < 3} == expected
    assert all(isinstance(one, Reply) for one in expected.values())


def test_what_decides_a_greedy_answer_is_as_before() -> None:
    """Else answers in the caches of earlier runs would be asked again."""
    assert Request("p", (), 5, ("\n",), "key", "name").content == ("p", (), 5, ("\n",))
