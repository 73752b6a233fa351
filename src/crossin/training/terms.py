"""The terms beside the rows' loss, as the trainer takes them, made of the config and the pairs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from crossin.training.config import Consist, Pairs, TrainConfig
from crossin.training.leaks import apart_from
from crossin.training.objectives.align import align_loss
from crossin.training.objectives.answers import option_logprobs
from crossin.training.objectives.consist import answer_loss, sentence_loss, token_loss
from crossin.training.objectives.divergence import jensen_shannon
from crossin.training.pairs import Asked, Stock, Stream, read_stock
from crossin.training.schedule import weight_at
from crossin.training.trainer import Term

if TYPE_CHECKING:
    import torch

# The consistency gap is measured on so many questions of each language.
_MEASURED = 32
Version = TypeVar("Version")


@dataclass(frozen=True)
class Terms:
    """The terms, what the pairs are made of, and what of it was left out, by reason."""

    terms: list[Term]
    stock: Stock | None
    skipped: Mapping[str, int]


def terms_of(config: TrainConfig, model: Any, tokenizer: Any, step_tokens: float, steps: int) -> Terms:
    """The terms of a config. `model` is as it came, and may be asked for references; `step_tokens` are what a
    step's rows hold on the average, of which the pairs' tokens are `pairs.share`.
    """
    if config.pairs is None:
        return Terms([], None, {})
    stock = read_stock(config.pairs, tokenizer, config.batches)
    apart_from(stock, config.pairs.apart_from)
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    kinds = [kind for kind in (config.align, config.consist) if kind]
    tokens = step_tokens * config.pairs.share / len(kinds) / processes
    terms = []
    if config.align:
        terms.append(_align(config, stock, tokens, steps, rank, processes))
    if config.consist and config.consist.granularity == "answer":
        terms.append(_answers(config, config.consist, model, stock, tokens, steps, rank, processes))
    elif config.consist:
        terms.append(_completions(config, config.consist, stock, tokens, steps, rank, processes))
    return Terms(terms, stock, stock.skipped)


def measured_gap(stock: Stock, model: Any, pairs: Pairs) -> dict[str, float]:
    """The mean Jensen-Shannon divergence in nats of each language's answers from the pivot's, on the first
    questions of the stock; the pivot's own is 0.
    """
    import torch

    gaps: dict[str, list[float]] = {}
    with torch.no_grad():
        asked = [versions for versions in stock.asked.values() if pairs.pivot in versions]
        for versions in asked[:_MEASURED]:
            found = dict(zip(versions, option_logprobs(model, list(versions.values()), "sum"), strict=True))
            pivot = found[pairs.pivot].log_softmax(-1)
            for language, logprobs in found.items():
                gap = jensen_shannon(pivot, logprobs.log_softmax(-1))
                gaps.setdefault(language, []).append(gap.item())
    return {language: sum(values) / len(values) for language, values in gaps.items()}


def _stream(
    config: TrainConfig,
    versions: Mapping[str, Mapping[str, Version]],
    size: Callable[[Version], int],
    tokens: float,
    least: int = 1,
) -> Stream:
    """The pairs of what there is by id and language, of which one side has `size` tokens: about `tokens` a
    step, and at least so many pairs: a contrast needs two, to tell them apart.
    """
    assert config.pairs
    sizes = [size(one) for languages in versions.values() for one in languages.values()]
    count = max(least, round(tokens / (2 * sum(sizes) / len(sizes))))
    return Stream({name: list(versions[name]) for name in versions}, config.pairs, config.seed, count)


def _align(config: TrainConfig, stock: Stock, tokens: float, steps: int, rank: int, processes: int) -> Term:
    assert config.align
    settings = config.align
    texts: dict[str, dict[str, Sequence[int]]] = {
        name: {language: row.tokens[: row.learned_from] for language, row in versions.items()}
        for name, versions in stock.rows.items()
    }
    for name, versions in stock.asked.items():
        texts[name] = {language: asked.text for language, asked in versions.items()}
    stream = _stream(config, texts, len, tokens, least=2)

    def loss(model: Any, step: int) -> tuple[torch.Tensor, int, int]:
        chosen = stream.at(step, rank, processes)
        both = [(texts[pair.id][pair.one], texts[pair.id][pair.other]) for pair in chosen]
        read = sum(len(text) for pair in both for text in pair)
        return align_loss(model, both, settings.layers, settings.temperature), len(both), read

    return Term("align", lambda step: weight_at(settings.weight, settings.warmup, step, steps), loss)


def _answers(
    config: TrainConfig,
    settings: Consist,
    model: Any,
    stock: Stock,
    tokens: float,
    steps: int,
    rank: int,
    processes: int,
) -> Term:
    asked = stock.asked
    stream = _stream(config, asked, lambda one: one.size, tokens)
    references = _references(model, asked, settings) if settings.divergence == "dco" else {}

    def loss(model: Any, step: int) -> tuple[torch.Tensor, int, int]:
        chosen = stream.at(step, rank, processes)
        both = [(asked[pair.id][pair.one], asked[pair.id][pair.other]) for pair in chosen]
        held = [
            (references[pair.id, pair.one], references[pair.id, pair.other]) for pair in chosen if references
        ]
        read = sum(one.size for pair in both for one in pair)
        key = f"{config.seed}/{step}/{rank}"
        return answer_loss(model, both, settings, held, key), len(both), read

    return Term("consist", lambda step: weight_at(settings.weight, settings.warmup, step, steps), loss)


def _references(
    model: Any, asked: Mapping[str, Mapping[str, Asked]], settings: Consist
) -> dict[tuple[str, str], list[float]]:
    """The log-likelihoods of all options under the model as it is now, before it is trained."""
    import torch

    found: dict[tuple[str, str], list[float]] = {}
    model.eval()
    with torch.no_grad():
        for name, versions in asked.items():
            for language, logprobs in zip(
                versions, option_logprobs(model, list(versions.values()), settings.length), strict=True
            ):
                found[name, language] = logprobs.tolist()
    return found


def _completions(
    config: TrainConfig,
    settings: Consist,
    stock: Stock,
    tokens: float,
    steps: int,
    rank: int,
    processes: int,
) -> Term:
    rows = stock.rows
    least = 2 if settings.granularity == "sentence" else 1
    stream = _stream(config, rows, lambda row: len(row.tokens), tokens, least)

    def loss(model: Any, step: int) -> tuple[torch.Tensor, int, int]:
        chosen = stream.at(step, rank, processes)
        both = [(rows[pair.id][pair.one], rows[pair.id][pair.other]) for pair in chosen]
        read = sum(len(row.tokens) for pair in both for row in pair)
        if settings.granularity == "sentence":
            return sentence_loss(model, both, settings), len(both), read
        value, used = token_loss(model, both, settings)
        return value, used, read

    return Term("consist", lambda step: weight_at(settings.weight, settings.warmup, step, steps), loss)
