"""The gradient of every term is that of its value: as by finite differences, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from crossin.models.loading import load
from crossin.training.config import Batches, Consist, Pairs, Prefer
from crossin.training.objectives.answers import answer_loss, option_logprobs
from crossin.training.objectives.preferences import preference_loss
from crossin.training.objectives.texts import align_loss, sentence_loss, token_loss
from crossin.training.packing import prepare
from crossin.training.pairs import PairPool, TokenizedQuestion, read_pool
from crossin.training.rows import Group, TrainingRow

Loss = Callable[[Any], torch.Tensor]


@pytest.fixture(scope="module")
def pool(benches: dict[str, Path], tokenizer: Any) -> PairPool:
    return read_pool(Pairs(items=benches["train"], languages=("es",)), tokenizer, Batches())


@pytest.fixture
def model(tiny_model: Path) -> Any:
    network = load(tiny_model)[0].double()
    for module in network.modules():
        if isinstance(module, LlamaRMSNorm):
            # Transformers computes it in single precision.
            module.forward = partial(normalised, module)
    prepare(network)
    return network.eval()


def normalised(norm: LlamaRMSNorm, states: torch.Tensor) -> torch.Tensor:
    size: torch.Tensor = states.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon
    found: torch.Tensor = norm.weight * states * torch.rsqrt(size)
    return found


def row(language: str, *tokens: int) -> TrainingRow:
    return TrainingRow(0, "a", Group("", language, language), tokens, 2)


def losses_of(pool: PairPool, model: Any) -> dict[str, Loss]:
    """Each term as a function of the model."""
    pairs = [(one["en"], one["es"]) for one in list(pool.questions.values())[:4]]
    rows = [
        (row("en", 5, 6, 20, 30, 31, 0), row("es", 7, 8, 50, 30, 31, 9, 0)),
        (row("en", 9, 6, 60, 33, 0), row("es", 7, 5, 33, 61, 0)),
    ]
    two = [first_two(one) for pair in pairs for one in pair]
    with torch.no_grad():
        held = [one + torch.randn(len(one)) for pair in pairs for one in option_logprobs(model, pair, "sum")]
    references = [(held[place].tolist(), held[place + 1].tolist()) for place in range(0, len(held), 2)]
    chosen = [reference[:2] for both in references for reference in both]
    prefer = Prefer(data=Path("data"), beta=0.3, smoothing=0.1)
    dco = Consist(divergence="dco")
    return {
        "align": lambda network: align_loss(network, [(a.text, b.text) for a, b in pairs], [1, 2], 0.1),
        "js": lambda network: answer_loss(network, pairs, Consist()),
        "js of means": lambda network: answer_loss(network, pairs, Consist(length="token")),
        "dco": lambda network: answer_loss(network, pairs, dco, references, "key", 0, [2.0] * 4),
        "token": lambda network: token_loss(network, rows, Consist(granularity="token"))[0],
        "sentence": lambda network: sentence_loss(network, rows, Consist(granularity="sentence")),
        "prefer": lambda network: preference_loss(network, two, chosen, prefer)[0],
    }


def first_two(question: TokenizedQuestion) -> TokenizedQuestion:
    return TokenizedQuestion(question.wholes[:2], question.starts[:2], ())


@pytest.mark.parametrize("term", ["align", "js", "js of means", "dco", "token", "sentence", "prefer"])
def test_the_gradient_is_the_slope_of_the_term(pool: PairPool, model: Any, term: str) -> None:
    torch.manual_seed(0)
    loss = losses_of(pool, model)[term]
    weights = list(model.parameters())
    direction = [torch.randn_like(weight) for weight in weights]
    torch.autograd.backward(loss(model))
    slope = sum(
        float((weight.grad * way).sum())
        for weight, way in zip(weights, direction, strict=True)
        if weight.grad is not None
    )
    step = 1e-6
    values = []
    with torch.no_grad():
        for sign in (1, -2):
            for weight, way in zip(weights, direction, strict=True):
                weight += sign * step * way
            values.append(loss(model).item())
    assert abs(slope) > 1e-6
    assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize("settings", [{"divergence": "kl"}, {"divergence": "js", "hold_pivot": True}])
def test_a_pivot_that_is_followed_has_no_gradient(
    pool: PairPool, model: Any, settings: dict[str, Any]
) -> None:
    """The gradient is that of a loss in which the pivot's answers are numbers."""
    pairs = [(one["en"], one["es"]) for one in list(pool.questions.values())[:4]]
    torch.autograd.backward(answer_loss(model, pairs, Consist.model_validate(settings)))
    found = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    losses = []
    for pivot, other in pairs:
        p = option_logprobs(model, [pivot], "sum")[0].log_softmax(-1).detach()
        q = option_logprobs(model, [other], "sum")[0].log_softmax(-1)
        if settings["divergence"] == "kl":
            losses.append((p.exp() * (p - q)).sum())
        else:
            m = ((p.exp() + q.exp()) / 2).log()
            losses.append(((p.exp() * (p - m)).sum() + (q.exp() * (q - m)).sum()) / 2)
    torch.autograd.backward(torch.stack(losses).mean())
    for gradient, weight in zip(found, model.parameters(), strict=True):
        assert torch.allclose(gradient, weight.grad, atol=1e-7)


@pytest.mark.parametrize("length", ["sum", "token"])
def test_preferences_have_the_loss_and_gradient_of_a_plain_computation(
    pool: PairPool, model: Any, length: str
) -> None:
    """A forward pass for each answer, all logits, and the formula of arXiv 2305.18290."""
    pairs = [first_two(one["es"]) for one in list(pool.questions.values())[:5]]
    settings = Prefer.model_validate({"data": "data", "beta": 0.5, "length": length})
    references = [[-4.0 - number, -5.0 + number] for number in range(5)]
    loss, margins = preference_loss(model, pairs, references, settings)
    torch.autograd.backward(loss)
    found = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    due = []
    for question, reference in zip(pairs, references, strict=True):
        gains = []
        for whole, start, held in zip(question.wholes, question.starts, reference, strict=True):
            logits = model(torch.tensor([whole])).logits[0].log_softmax(-1)
            each = torch.stack([logits[place - 1, whole[place]] for place in range(start, len(whole))])
            gains.append((each.sum() if length == "sum" else each.mean()) - held)
        due.append(0.5 * (gains[0] - gains[1]))
    assert torch.allclose(margins, torch.stack(due).detach(), atol=1e-6)
    expected = -torch.stack(due).sigmoid().log().mean()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)
    torch.autograd.backward(expected)
    for gradient, weight in zip(found, model.parameters(), strict=True):
        assert torch.allclose(gradient, weight.grad, atol=1e-6)


def test_smoothing_counts_the_other_order(pool: PairPool, model: Any) -> None:
    pairs = [first_two(one["es"]) for one in list(pool.questions.values())[:3]]
    references = [[-3.0, -5.0]] * 3

    def loss_with(smoothing: float, order: slice) -> float:
        turned = [TokenizedQuestion(one.wholes[order], one.starts[order], ()) for one in pairs]
        settings = Prefer(data=Path("data"), smoothing=smoothing)
        held = [reference[order] for reference in references]
        return preference_loss(model, turned, held, settings)[0].item()

    same, other = slice(None), slice(None, None, -1)
    due = 0.8 * loss_with(0, same) + 0.2 * loss_with(0, other)
    assert loss_with(0.2, same) == pytest.approx(due)
