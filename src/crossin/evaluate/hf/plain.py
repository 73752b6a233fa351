"""The slow way that every causal model can go: one option a pass, and the check whether the fast way may be
taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossin.evaluate.engine import Scores
from crossin.evaluate.hf.passes import NO_PREFIX, extend, logprobs
from crossin.evaluate.hf.tokens import Continuation
from crossin.evaluate.hf.trie import grow

_KINDS = {"full_attention", "sliding_attention"}
# The tokens of the check.
_PREFIX, _OPTION = 24, 8


def score_plain(
    model: Any, requests: Mapping[int, Sequence[Continuation]], wanted: Sequence[int]
) -> Iterator[tuple[int, Scores]]:
    """The scores of the requests numbered `wanted`, each option with its whole prompt."""
    for number in wanted:
        options = requests[number]
        found = [_plain(model, option) for option in options]
        computed = sum(len(option.tokens) - 1 for option in options)
        yield number, Scores([sum(one) for one in found], [len(one) for one in found], computed, 0)


def cannot_share(model: Any, longest: int) -> str | None:
    """Why this model's passes cannot be shared, or None where they can.

    What a model cannot do does not show in its configuration alone: positions that are counted in the row
    instead of being told, states that run on from token to token. So two options behind a prefix are computed
    both ways. `longest` is the longest sequence to come: a model whose attention has a window is tried beyond
    it where that matters.
    """
    import torch

    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    if not kinds <= _KINDS:
        return f"it has layers of the kind {', '.join(sorted(kinds - _KINDS))}"
    window = getattr(config, "sliding_window", None)
    length = window + _PREFIX if window is not None and longest > window else _PREFIX
    tokens = [number % (config.vocab_size - 1) for number in range(1, length + 2 * _OPTION + 1)]
    beginning, one, other = tokens[:length], tokens[length:-_OPTION], tokens[-_OPTION:]
    options = [Continuation((*beginning, *option), length) for option in (one, other)]
    with torch.inference_mode():
        expected = [_plain(model, option) for option in options]
        try:
            prefix = extend(model, NO_PREFIX, beginning[: length // 2])
            found = logprobs(model, [grow([options], length // 2)], [prefix])[0]
        except (
            AttributeError,
            IndexError,
            NotImplementedError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            return f"it fails with a shared beginning ({type(error).__name__}: {error})"
    apart = max(
        abs(a - b) for told, due in zip(found, expected, strict=True) for a, b in zip(told, due, strict=True)
    )
    # Half precision rounds coarsely: two right ways differ by tenths, a wrong one by whole units.
    allowed = 1e-3 if model.dtype == torch.float32 else 0.5
    return (
        None if apart <= allowed else f"its log-probabilities change by {apart:.2g} behind a shared beginning"
    )


def _plain(model: Any, option: Continuation) -> list[float]:
    """The natural logarithm of the probability of every scored token, the text alone in its pass."""
    import torch

    with torch.inference_mode():
        tokens = torch.tensor([option.tokens[:-1]], device=model.device)
        logits = model(input_ids=tokens, use_cache=False).logits[0, option.start - 1 :].float()
        found = torch.log_softmax(logits, dim=-1)
        targets = torch.tensor(option.tokens[option.start :], device=found.device)
        logarithms: list[float] = found.gather(-1, targets[:, None])[:, 0].tolist()
    return logarithms
