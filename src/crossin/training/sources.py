"""Where the pairs of each term come from, and what its loss is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from crossin.core.hashing import hash64
from crossin.training.config import Align, Consist, Pairs, Prefer, TrainConfig
from crossin.training.objectives.answers import answer_loss, option_logprobs
from crossin.training.objectives.preferences import preference_loss
from crossin.training.objectives.texts import align_loss, sentence_loss, token_loss
from crossin.training.packing import unwrapped
from crossin.training.pairs import PairPool, PairStream, Rounds, TokenizedQuestion, languages_paired
from crossin.training.preferences import Preference
from crossin.training.sampling import parts_of, rank_and_world_size


class TermPair(NamedTuple):
    """A pair as a term reads it: a text, question or row in each of two languages, or one preference."""

    versions: tuple[Any, ...]
    languages: tuple[str, ...] = ()


# From a step and a process, the pairs of the step in the process.
PairsAt = Callable[[int, int], list[TermPair]]
# From the model, some pairs of a step, its number, and the place of the first of these pairs in it: the
# term's mean, how many pairs have what it compares, and means of figures of its own.
Loss = Callable[[Any, Sequence[TermPair], int, int], tuple[torch.Tensor, int, dict[str, float]]]


@dataclass(frozen=True)
class TermSource:
    """Where a term's pairs come from. share: of a step's tokens. size: the tokens of a pair; tokens: their
    mean. pairs: how many are in a pass over all. stream: from the pairs of a step in a process, at most, the
    pairs by step and process. prepare: from the model before training and all the pairs it will see, the
    loss. least: the pairs of a step at least; a contrast needs two. separable: pairs may be computed a few at
    a time.
    """

    settings: Align | Consist | Prefer
    share: float
    size: Callable[[TermPair], int]
    tokens: float
    pairs: int
    stream: Callable[[int], PairsAt]
    prepare: Callable[[Any, Iterable[TermPair]], Loss]
    least: int = 1
    separable: bool = False

    def count(self, step_tokens: float) -> int:
        """The pairs of a step in this process, of all of whose steps' tokens over all processes."""
        tokens = step_tokens * self.share / rank_and_world_size()[1]
        return max(self.least, round(tokens / self.tokens))


def pair_sources(config: TrainConfig, pairs: Pairs, pool: PairPool) -> list[TermSource]:
    """The terms that compare two languages; they have equal shares of the pairs' tokens."""
    align, consist = config.align, config.consist
    share = pairs.share / (bool(align) + bool(consist))

    def source(
        settings: Align | Consist,
        versions: Mapping[str, Mapping[str, Any]],
        size: Callable[[Any], int],
        prepare: Callable[[Any, Iterable[TermPair]], Loss],
        **more: Any,
    ) -> TermSource:
        sizes = [size(one) for languages in versions.values() for one in languages.values()]

        def stream(count: int) -> PairsAt:
            found = PairStream(versions, pairs, config.seed, count)

            def at(step: int, process: int) -> list[TermPair]:
                chosen = found.at(step, process, rank_and_world_size()[1])
                return [
                    TermPair((versions[id][one], versions[id][other]), (one, other))
                    for id, one, other in chosen
                ]

            return at

        return TermSource(
            settings,
            share,
            lambda example: sum(map(size, example.versions)),
            2 * sum(sizes) / len(sizes),
            sum(len(list(languages_paired(languages, pairs))) for languages in versions.values()),
            stream,
            prepare,
            **more,
        )

    sources = []
    if align:
        texts: dict[str, dict[str, Sequence[int]]] = {
            name: {language: row.prompt for language, row in versions.items()}
            for name, versions in pool.rows.items()
        }
        for name, asked in pool.questions.items():
            texts[name] = {language: question.text for language, question in asked.items()}

        def aligned(
            model: Any, examples: Sequence[TermPair], _: int, __: int
        ) -> tuple[torch.Tensor, int, dict[str, float]]:
            both = [(left, right) for (left, right), _ in examples]
            return align_loss(model, both, align.layers, align.temperature), len(both), {}

        sources.append(source(align, texts, len, lambda *_: aligned, least=2))
    if consist and consist.granularity == "answer":

        def compared(model: Any, every: Iterable[TermPair]) -> Loss:
            references = (
                _references(model, config, consist.length, every) if consist.divergence == "dco" else {}
            )

            def answered(
                model: Any, examples: Sequence[TermPair], step: int, first: int
            ) -> tuple[torch.Tensor, int, dict[str, float]]:
                both = [(left, right) for (left, right), _ in examples]
                held = [(references[left], references[right]) for left, right in both if references]
                key = f"{config.seed}/{step}/{rank_and_world_size()[0]}"
                balances = [consist.balance(*languages) for _, languages in examples]
                return answer_loss(model, both, consist, held, key, first, balances), len(both), {}

            return answered

        def size(question: TokenizedQuestion) -> int:
            return question.size_of(2) if consist.divergence == "dco" else question.size

        # Beside rows, the few pairs of a step are computed at once.
        sources.append(source(consist, pool.questions, size, compared, separable=not config.rows_share))
    elif consist:

        def completed(
            model: Any, examples: Sequence[TermPair], _: int, __: int
        ) -> tuple[torch.Tensor, int, dict[str, float]]:
            both = [(left, right) for (left, right), _ in examples]
            if consist.granularity == "sentence":
                return sentence_loss(model, both, consist), len(both), {}
            return *token_loss(model, both, consist), {}

        least = 2 if consist.granularity == "sentence" else 1
        sources.append(
            source(consist, pool.rows, lambda row: len(row.tokens), lambda *_: completed, least=least)
        )
    return sources


def preference_source(config: TrainConfig, prefer: Prefer, preferences: Sequence[Preference]) -> TermSource:
    """The term that compares a better and a worse answer."""
    examples = {str(number): TermPair((one.answers,)) for number, one in enumerate(preferences)}
    sizes = [one.answers.size for one in preferences]

    def stream(count: int) -> PairsAt:
        rounds = Rounds(examples, count, lambda *key: hash64(config.seed, "preferences", *key))

        def at(step: int, process: int) -> list[TermPair]:
            return [examples[name] for name, _ in rounds.at(step, process, rank_and_world_size()[1])]

        return at

    def prepare(model: Any, every: Iterable[TermPair]) -> Loss:
        references = _references(model, config, prefer.length, every)

        def preferred(
            model: Any, chosen: Sequence[TermPair], _: int, __: int
        ) -> tuple[torch.Tensor, int, dict[str, float]]:
            answers = [one for (one,), _ in chosen]
            value, margins = preference_loss(model, answers, [references[one] for one in answers], prefer)
            figures = {"margin": margins.mean().item(), "preferred": (margins > 0).double().mean().item()}
            return value, len(answers), figures

        return preferred

    return TermSource(
        prefer,
        prefer.share,
        lambda example: example.versions[0].size,
        sum(sizes) / len(sizes),
        len(examples),
        stream,
        prepare,
        separable=True,
    )


@torch.no_grad()
def _references(
    model: Any, config: TrainConfig, length: str, every: Iterable[TermPair]
) -> dict[TokenizedQuestion, list[float]]:
    """The log-likelihoods under the model before training of all options, or of both answers, of what the run
    will see. With an adapter they are those of the model with the adapter switched off, since it does nothing
    yet.
    """
    # Neighbours in this order begin alike: that is computed once.
    needed = sorted(
        dict.fromkeys(question for example in every for question in example.versions),
        key=lambda question: question.wholes[0],
    )
    room = config.batches.tokens_on(unwrapped(model).device.type)
    found: dict[TokenizedQuestion, list[float]] = {}
    for part in parts_of((question.size for question in needed), room):
        some = needed[part.start : part.stop]
        logprobs = option_logprobs(model, some, length)
        found |= {question: one.tolist() for question, one in zip(some, logprobs, strict=True)}
    return found
