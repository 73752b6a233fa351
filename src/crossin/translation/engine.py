"""What the translate stage asks of whatever translates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from crossin.core.errors import CrossinError


@dataclass(frozen=True)
class Ask:
    """Texts to be translated together, from the language `source` into `target` (codes).

    `names` say what each text is (`instruction`, `input`, `output`, or `text`); spans that must stay as they
    are stand in `texts` as placeholders (`crossin.translation.protect`). `attempt` is 0 for the first time;
    later ones are asked in another way.
    """

    source: str
    target: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    attempt: int = 0


@dataclass(frozen=True)
class Answer:
    """As many texts as were asked for, or None, and in `trouble` why there are none.

    `cut` says that the engine reached the limit of its tokens; `prompt_tokens` and `completion_tokens` are
    what it read and wrote, 0 where it does not count. `kept` is False for what is no answer of the engine's,
    such as a connection that broke off: another run asks again.
    """

    texts: tuple[str, ...] | None
    trouble: str = ""
    cut: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    kept: bool = True


class Engine(Protocol):
    """One way to translate.

    `unit` says what is asked at once: a row's texts together, or a sentence. `attempts` is how
    often a text may be asked before it is given up.
    """

    unit: Literal["row", "sentence"]
    attempts: int

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides a translation beside the ask, as JSON values: kind, model, prompt, settings."""

    @property
    def by_span(self) -> bool:
        """Whether texts must be cut at placeholders from the start, since the engine cannot write them."""

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Raise CrossinError where the engine does not have one of these languages."""

    def translate(self, asks: Iterable[Ask]) -> Iterator[tuple[Ask, Answer]]:
        """Each ask with its answer, as they come; `asks` is read as places become free.

        Raises CrossinError where it cannot go on; what has come before stays good.
        """

    def close(self) -> None:
        """Let go of models and connections."""


class BudgetSpent(CrossinError):
    """The money that a run may cost is spent."""
