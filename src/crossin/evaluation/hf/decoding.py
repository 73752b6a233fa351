"""Replies to prompts that share their beginnings: what is shared is computed and held once, finished replies
leave, and waiting prompts take their place. Sampled replies to one prompt share all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossin.evaluation.engine import Draw, Reply
from crossin.evaluation.hf.branches import Branches
from crossin.evaluation.hf.sampling import next_tokens
from crossin.evaluation.hf.scoring import Chain, Prefix, prefixes_of
from crossin.evaluation.hf.stops import Ends, GrowingReply
from crossin.evaluation.hf.tokens import Continuation
from crossin.evaluation.hf.units import TOKENS, Unit, plan_units
from crossin.models.memory import is_out_of_memory


@dataclass
class Limits:
    """How much goes on at once: `tokens` of a forward pass, `columns` of the cache, and `pairs`, the columns
    times the replies in progress. A reply alone may have more columns.

    Every reply's token is compared with every column, its own or not; beyond so many pairs, more time goes
    into that than one more reply in the pass saves.
    """

    tokens: int = TOKENS
    columns: int = 2**13
    pairs: int = 2**17

    def halve(self, branches: Branches) -> None:
        """Allow half of what did not fit, for good."""
        self.tokens = max(1, (branches.fed or self.tokens) // 2)
        self.columns = branches.width // 2


# Columns that are left free for each reply in progress, so that not all of them run out of room at once.
_ROOM = 32


@dataclass(eq=False)
class _Row:
    """A reply in progress: the prompt's tokens with its own so far, and the columns of the first of them."""

    number: int
    tokens: list[int]
    reply: GrowingReply
    draw: Draw | None = None
    computed: int = 0
    path: list[int] = field(default_factory=list)

    def result(self) -> tuple[int, Reply]:
        saved = max(0, len(self.tokens) - self.computed)
        return self.number, self.reply.reply(self.computed, saved)


def plan_replies(prompts: Sequence[Sequence[int]], *, tokens: int, rows: int) -> list[Unit]:
    """Units of about `tokens` tokens of prompts, of at most `rows` prompts, that hold every prompt once."""
    # A prompt's last token predicts the first of the reply, as it does that of an option.
    return plan_units(
        [[Continuation((*prompt, -1), len(prompt))] for prompt in prompts], tokens=tokens, places=rows
    )


def decode(
    model: Any,
    tokenizer: Any,
    prompts: Mapping[int, Sequence[int]],
    unit: Unit,
    prefixes: dict[Chain, Prefix],
    *,
    max_tokens: int,
    stop: Sequence[str] = (),
    draws: Mapping[int, Draw] | None = None,
    limits: Limits,
) -> Iterator[tuple[int, Reply]]:
    """The replies to the prompts of `unit` (token ids by number, none empty), each of at most `max_tokens`
    tokens, as they end. `prefixes` may have the prefix of the unit, as in `prefixes_of`.

    Decoding is greedy but for the numbers in `draws`; `Ends` says what ends a reply. What is computed
    together depends on the unit and the limits alone. Out of memory, the limits are halved; where one token
    of one reply is too much, the error is torch's own.
    """
    import torch

    ends = Ends(model, tokenizer, stop)
    drawn = draws or {}
    waiting = deque(
        _Row(number, list(prompts[number]), GrowingReply(ends), drawn.get(number)) for number in unit.requests
    )
    waiting[0].computed = unit.owed
    active: list[_Row] = []
    branches: Branches | None = None
    while waiting or active:
        ended = None
        try:
            with torch.inference_mode():
                if branches is None:
                    [prefix] = prefixes_of(model, [unit], prefixes)
                    branches = Branches(model, prefix, [token for run in unit.prefix for token in run])
                _make_room(branches, active, waiting, limits)
                _feed(branches, active, waiting, limits)
                ended = _advance(branches, active, max_tokens)
        except RuntimeError as error:
            if not is_out_of_memory(error) or branches is None or (len(active) == 1 and branches.fed == 1):
                raise
        # Only here has the error released what the failed pass held.
        if ended is None and branches is not None:
            limits.halve(branches)
            for row in reversed(active):
                row.path = []
                waiting.appendleft(row)
            active, branches = [], None
            prefixes.clear()
            torch.cuda.empty_cache()
            continue
        active = [row for row in active if row not in ended]
        yield from (row.result() for row in ended)


def _make_room(branches: Branches, active: list[_Row], waiting: deque[_Row], limits: Limits) -> None:
    """Drop columns that nobody needs; where there are too many of the others, the last rows wait again."""
    while True:
        # Prompts are in order: what any of them shares with those before it, the next one shares too.
        coming = branches.known(waiting[0].tokens) if waiting else []
        paths = [*(row.path for row in active), coming]
        needed = branches.needed(paths)
        if len(active) < 2 or len(needed) + len(active) <= limits.columns:
            break
        row = active.pop()
        row.path = []
        waiting.appendleft(row)
    if len(needed) <= 3 * branches.width // 4:
        branches.keep(needed, paths)


def _feed(branches: Branches, active: list[_Row], waiting: deque[_Row], limits: Limits) -> None:
    """Feed the tokens that are not computed yet, of waiting rows too as long as there is room."""
    for row in active:
        row.computed += branches.feed(row.path, row.tokens, limits.tokens - branches.fed)
    while waiting and branches.fed < limits.tokens:
        row = waiting[0]
        path = branches.known(row.tokens)
        rows = len(active) + 1
        columns = branches.width + len(row.tokens) - len(path) + _ROOM * rows
        if active and (columns > limits.columns or columns * rows > limits.pairs):
            break
        active.append(waiting.popleft())
        row.path = path
        row.computed += branches.feed(row.path, row.tokens, limits.tokens - branches.fed)


def _advance(branches: Branches, active: Sequence[_Row], max_tokens: int) -> list[_Row]:
    """Compute what was fed, and give each row that is complete its next token; the rows that have ended."""
    complete = [row for row in active if len(row.path) == len(row.tokens)]
    logits = branches.run([row.path[-1] for row in complete])
    found = next_tokens(logits, [row.draw for row in complete], [len(row.reply.tokens) for row in complete])
    ended = []
    for row, token in zip(complete, found, strict=True):
        if row.reply.ended_by(token) or len(row.reply.tokens) == max_tokens:
            ended.append(row)
        else:
            row.tokens.append(token)
    return ended
