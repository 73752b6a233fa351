"""Each objective moves what it claims to move, on pairs that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crossin.models.loading import load
from crossin.training import TrainConfig
from crossin.training.config import Batches, Consist, Method, Pairs
from crossin.training.method import apply
from crossin.training.objectives import answers
from crossin.training.objectives.answers import answer_loss, compared, option_logprobs
from crossin.training.objectives.distances import info_nce, jensen_shannon
from crossin.training.objectives.texts import align_loss, sentence_loss, shared_places, token_loss
from crossin.training.packing import Document, prepare, states
from crossin.training.pairs import PairPool, TokenizedQuestion, read_pool
from crossin.training.rows import Group, TrainingRow
from crossin.training.terms import terms_of

LAYER = 1


@pytest.fixture(scope="module")
def pool(benches: dict[str, Path], tokenizer: Any) -> PairPool:
    return read_pool(Pairs(items=benches["train"], languages=("es",)), tokenizer, Batches())


@pytest.fixture
def model(tiny_model: Path) -> Any:
    network = load(tiny_model)[0]
    prepare(network)
    return apply(network, Method(rank=8, alpha=32), seed=0)


def optimise(model: Any, steps: int, loss_at: Callable[[int], torch.Tensor], rate: float) -> None:
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=rate)
    model.train()
    for step in range(steps):
        torch.autograd.backward(loss_at(step))
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


def pairs_of(pool: PairPool) -> list[tuple[TokenizedQuestion, TokenizedQuestion]]:
    return [(versions["en"], versions["es"]) for versions in pool.questions.values()]


def gap(model: Any, pairs: list[tuple[TokenizedQuestion, TokenizedQuestion]]) -> float:
    with torch.no_grad():
        found = option_logprobs(model, [one for pair in pairs for one in pair], "sum")
        distributions = [one.log_softmax(-1) for one in found]
        gaps = [
            jensen_shannon(one, other)
            for one, other in zip(distributions[0::2], distributions[1::2], strict=True)
        ]
    return float(torch.stack(gaps).mean())


@pytest.mark.parametrize("divergence", ["js", "kl", "dco"])
def test_consistency_lowers_the_divergence_on_questions_not_seen(
    tiny_model: Path, pool: PairPool, divergence: str
) -> None:
    # All weights: beside random ones, an adapter can say little of questions that it has not seen.
    model = load(tiny_model)[0]
    prepare(model)
    pairs = pairs_of(pool)
    # Of every relation, a fifth of the facts.
    seen = [pair for number, pair in enumerate(pairs) if number % 5]
    unseen = pairs[::5]
    settings = Consist.model_validate({"divergence": divergence})
    references = []
    if divergence == "dco":
        with torch.no_grad():
            both = (option_logprobs(model, [pair[side] for pair in seen], "sum") for side in (0, 1))
            references = [(left.tolist(), right.tolist()) for left, right in zip(*both, strict=True)]
    before = gap(model, unseen)

    def loss_at(step: int) -> torch.Tensor:
        chosen = [(step * 16 + place) % len(seen) for place in range(16)]
        held = [references[number] for number in chosen if references]
        return answer_loss(model, [seen[number] for number in chosen], settings, held, str(step))

    optimise(model, 60, loss_at, 5e-3)
    assert gap(model, unseen) < 0.8 * before


def retrieval_error(model: Any, pairs: list[tuple[TokenizedQuestion, TokenizedQuestion]]) -> float:
    """The share of texts whose nearest text in the other language is not their own."""
    with torch.no_grad():
        sides = []
        for side in (0, 1):
            found = states(model, [Document(pair[side].text) for pair in pairs], layer=LAYER)
            parts = torch.split(found, [len(pair[side].text) for pair in pairs])
            sides.append(
                torch.nn.functional.normalize(torch.stack([part[1:].mean(0) for part in parts]), dim=-1)
            )
        return float(((sides[0] @ sides[1].T).argmax(1) != torch.arange(len(pairs))).float().mean())


def test_alignment_is_the_contrast_of_mean_states_without_the_first(model: Any, pool: PairPool) -> None:
    texts = [(one.text, other.text) for one, other in pairs_of(pool)[:5]]
    with torch.no_grad():
        left, right = (
            torch.stack([states(model, [Document(pair[side])], layer=LAYER)[1:].mean(0) for pair in texts])
            for side in (0, 1)
        )
        due = info_nce(left, right, 0.1)
        assert align_loss(model, texts, [LAYER], 0.1).item() == pytest.approx(due.item(), abs=1e-5)
        # A text of one token has no other state.
        assert align_loss(model, [*texts, ([5], [6])], [LAYER], 0.1).isfinite()


def test_alignment_lowers_the_retrieval_error_on_texts_not_seen(model: Any, pool: PairPool) -> None:
    pairs = pairs_of(pool)
    # Of every relation, a fifth of the facts.
    seen = [pair for number, pair in enumerate(pairs) if number % 5]
    unseen = pairs[::5]
    before = retrieval_error(model, unseen)

    def loss_at(step: int) -> torch.Tensor:
        chosen = [seen[(step * 32 + place) % len(seen)] for place in range(32)]
        return align_loss(model, [(one.text, other.text) for one, other in chosen], [LAYER], 0.1)

    optimise(model, 60, loss_at, 1e-2)
    assert retrieval_error(model, unseen) < 0.8 * before


def rows_of(left: list[int], right: list[int]) -> tuple[TrainingRow, TrainingRow]:
    return (
        TrainingRow(0, "a", Group("", "en", "en"), [5, 6, *left, 0], 2),
        TrainingRow(1, "a", Group("", "es", "es"), [7, 8, 9, *right, 0], 3),
    )


def test_shared_tokens_are_runs_of_the_completions_without_the_end() -> None:
    left, right = rows_of([20, 30, 31, 40], [50, 30, 31])
    # The places before tokens 30 and 31, on both sides.
    assert shared_places(left, right) == [(2, 3), (3, 4)]
    assert shared_places(*rows_of([20], [21])) == []


def test_token_consistency_draws_distributions_at_shared_tokens_together(model: Any) -> None:
    both = [rows_of([20, 30, 31, 40], [50, 30, 31]), rows_of([60, 33], [33, 61])]
    settings = Consist.model_validate({"granularity": "token"})
    before, used = token_loss(model, both, settings)
    assert used == 2
    optimise(model, 15, lambda _: token_loss(model, both, settings)[0], 1e-2)
    assert token_loss(model, both, settings)[0].item() < 0.5 * before.item()
    nothing, none_used = token_loss(model, [rows_of([20], [21])], settings)
    assert (nothing.item(), none_used) == (0.0, 0)


def test_sentence_consistency_draws_completions_together(model: Any) -> None:
    both = [rows_of([20, 30], [50, 51]), rows_of([60, 61], [70, 71]), rows_of([80], [81])]
    settings = Consist.model_validate({"granularity": "sentence", "layers": [1]})
    before = sentence_loss(model, both, settings).item()
    optimise(model, 15, lambda _: sentence_loss(model, both, settings), 1e-2)
    assert sentence_loss(model, both, settings).item() < 0.5 * before


@pytest.mark.parametrize("length", ["sum", "token"])
def test_options_as_branches_have_the_likelihoods_of_whole_texts(
    model: Any, pool: PairPool, length: str
) -> None:
    asked = [one for pair in pairs_of(pool)[:5] for one in pair]
    with torch.no_grad():
        found = option_logprobs(model, asked, length)
        for question, logprobs in zip(asked, found, strict=True):
            for whole, start, value in zip(question.wholes, question.starts, logprobs, strict=True):
                logits = model(torch.tensor([whole])).logits[0].log_softmax(-1)
                each = [float(logits[place - 1, whole[place]]) for place in range(start, len(whole))]
                due = sum(each) if length == "sum" else float(np.mean(each))
                assert value.item() == pytest.approx(due, abs=1e-4)


def loss_of_whole_texts(
    model: Any,
    pairs: list[tuple[TokenizedQuestion, TokenizedQuestion]],
    references: list[tuple[list[float], list[float]]],
    key: str,
) -> torch.Tensor:
    """The loss of DCO from its definition (arXiv 2603.04678), each option with its whole prompt."""

    def logprob(question: TokenizedQuestion, option: int) -> torch.Tensor:
        whole, start = question.wholes[option], question.starts[option]
        each = model(torch.tensor([whole])).logits[0].log_softmax(-1)
        places = range(start, len(whole))
        return torch.stack([each[place - 1, whole[place]] for place in places]).sum()

    losses = []
    for number, (both, held) in enumerate(zip(pairs, references, strict=True)):
        one, two = compared(len(both[0].wholes), f"{key}/{number}")
        lead = [logprob(question, one) - logprob(question, two) for question in both]
        due = [options[one] - options[two] for options in held]
        losses.append((lead[0] - due[0] - due[1]).abs() + (lead[1] - due[1] - due[0]).abs())
    return torch.stack(losses).mean()


@pytest.mark.parametrize("layout", ["packed", "padded"])
def test_dco_has_the_loss_and_gradient_of_whole_texts(model: Any, pool: PairPool, layout: str) -> None:
    pairs = pairs_of(pool)[:6]
    settings = Consist(divergence="dco")
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(len(pairs), 2, len(pairs[0][0].wholes), generator=generator).tolist()
    references = [(left, right) for left, right in drawn]
    model.get_base_model().crossin_layout = layout
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    due = loss_of_whole_texts(model, pairs, references, "step")
    due_gradient = torch.autograd.grad(due, weights)
    # In two parts, as a step of many pairs is computed.
    parts = [
        answer_loss(model, pairs[some], settings, references[some], "step", some.start) / 2
        for some in (slice(0, 3), slice(3, 6))
    ]
    loss = torch.stack(parts).sum()
    assert loss.item() == pytest.approx(due.item(), abs=1e-4)
    for found, expected in zip(torch.autograd.grad(loss, weights), due_gradient, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_dco_reads_the_two_options_that_it_compares_alone(
    model: Any, pool: PairPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def noting(model: Any, documents: list[Document]) -> torch.Tensor:
        read.append(sum(len(document.tokens) for document in documents))
        return states(model, documents)

    monkeypatch.setattr(answers, "states", noting)
    (pair,) = pairs_of(pool)[:1]
    held = [([0.0] * len(pair[0].wholes), [0.0] * len(pair[1].wholes))]
    answer_loss(model, [pair], Consist(divergence="dco"), held)
    answer_loss(model, [pair], Consist(divergence="js"))
    assert read[0] < read[1]


def test_terms_have_their_share_of_a_steps_tokens(
    model: Any, tokenizer: Any, benches: dict[str, Path]
) -> None:
    config = TrainConfig.model_validate(
        {"pairs": {"items": benches["train"], "share": 0.2}, "align": {}, "consist": {"divergence": "js"}}
    )
    terms = terms_of(config, model, tokenizer, 4000, 10)[0]
    assert [term.name for term in terms] == ["align", "consist"]
    for term in terms:
        value, used, read, _ = term.loss(model, 3)
        assert value.item() > 0
        assert used >= 2
        assert read == pytest.approx(500, rel=0.25)
