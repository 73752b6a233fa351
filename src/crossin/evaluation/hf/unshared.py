"""Scoring without sharing, one option at a time, which works for every causal model; and the check whether a
model can share.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from typing import Any

from crossin.evaluation.engine import EngineNote, Scores
from crossin.evaluation.hf.scoring import NO_PREFIX, extend, logprobs
from crossin.evaluation.hf.tokens import Continuation
from crossin.evaluation.hf.units import SHORTEST_PREFIX, TOKENS, token_tree
from crossin.models.memory import is_out_of_memory

_KINDS = {"full_attention", "sliding_attention"}
# The check compares this many tokens of an option, in sequences of this many: more than the windows of models
# whose configuration does not name them (GPT-Neo's 256).
_SCORED, _LENGTH = 8, 320
# A window up to this is always tried beyond, so that it costs no time later; a wider one where texts are.
_NARROW = 1024
# Kinds of rotary positions that depend on how long the whole text is.
_BY_LENGTH = {"longrope", "dynamic", "su"}


def score_unshared(
    model: Any, requests: Mapping[int, Sequence[Continuation]], wanted: Sequence[int]
) -> Iterator[tuple[int, Scores]]:
    """The scores of the requests numbered `wanted`, each option with its whole prompt."""
    for number in wanted:
        options = requests[number]
        found = [_logprobs_alone(model, option) for option in options]
        computed = sum(len(option.tokens) - 1 for option in options)
        yield number, Scores([sum(one) for one in found], [len(one) for one in found], computed, 0)


def length_to_check(config: Any, longest: int) -> int:
    """How long the sequences of `cannot_share` should be for texts of up to `longest` tokens."""
    if _BY_LENGTH & set(_kinds_of_positions(config)):
        return longest
    window = getattr(config, "sliding_window", None) or 0
    beyond = window + SHORTEST_PREFIX if window and (window <= _NARROW or longest > window) else 0
    most = getattr(config, "max_position_embeddings", None) or _LENGTH
    return max(min(_LENGTH, most), beyond)


def _kinds_of_positions(config: Any) -> Iterator[str]:
    """The kinds of rotary positions in the configuration, which may differ by kind of layer."""
    found = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    for one in (found, *found.values()):
        if isinstance(one, dict):
            yield str(one.get("rope_type") or one.get("type"))


def cannot_share(model: Any, length: int) -> str | None:
    """Why this model cannot share prefixes, as a code of `EngineNote`, tried with sequences of `length`
    tokens; None where it can.

    The configuration alone does not show it: states that run on from token to token, positions or windows
    that are counted in the row instead of being passed, positions that are scaled where a text is long. So
    options after a chain of prefixes are computed both ways, in a row as full as a unit.
    """
    import torch

    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    if not kinds <= _KINDS:
        return EngineNote.UNSHARED_LAYERS.about(*sorted(kinds - _KINDS))
    depth = length // 2
    # In the row the last is far from the beginning that it continues.
    lengths = [*[length - depth] * (1 + TOKENS // (length - depth)), _SCORED]
    # From all over the vocabulary: those it begins with are special, and models waver at them.
    numbers = (number * 7919 % (config.vocab_size - 1) for number in count(1))
    beginning = tuple(islice(numbers, depth))
    options = [Continuation((*beginning, *islice(numbers, own)), depth + own - _SCORED) for own in lengths]
    with torch.inference_mode():
        expected = [_logprobs_alone(model, option) for option in (options[0], options[-1])]
        try:
            prefix = NO_PREFIX
            short = min(SHORTEST_PREFIX, depth // 2)
            for run in (beginning[:short], beginning[short:-1]):
                prefix = extend(model, prefix, run)
            found = logprobs(model, [token_tree([options], prefix.length)], [prefix])[0]
        # Models of all kinds fail here in all ways.
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return EngineNote.UNSHARED_FAILURE.about(type(error).__name__, str(error))
    difference = max(
        abs(a - b)
        for shared, alone in zip((found[0], found[-1]), expected, strict=True)
        for a, b in zip(shared, alone, strict=True)
    )
    # Half precision rounds coarsely: two right ways differ by tenths, a wrong one by whole units.
    allowed = 1e-3 if model.dtype == torch.float32 else 0.5
    return None if difference <= allowed else EngineNote.UNSHARED_DIFFERENCE.about(f"{difference:.2g}")


def _logprobs_alone(model: Any, option: Continuation) -> list[float]:
    """The natural logarithm of the probability of every scored token, with the text alone in its batch."""
    import torch

    with torch.inference_mode():
        tokens = torch.tensor([option.tokens[:-1]], device=model.device)
        targets = torch.tensor(option.tokens[option.start :], device=model.device)
        # Where the model takes this argument, its head leaves out the prompt.
        can = "logits_to_keep" in inspect.signature(model.forward).parameters
        narrow = {"logits_to_keep": len(targets)} if can else {}
        logits = model(input_ids=tokens, use_cache=False, **narrow).logits[0, -len(targets) :]
        found = torch.log_softmax(logits.float(), dim=-1)
        logarithms: list[float] = found.gather(-1, targets[:, None])[:, 0].tolist()
    return logarithms
