"""How a benchmark's items are put to a model: the form, and a question ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crossin.core.settings import Settings, setting
from crossin.items.item import Item

# A conversation: (role, text) per turn; `user` and `assistant` take turns, and the user begins and ends.
Chat = tuple[tuple[str, str], ...]


class Form(Settings):
    """How items are asked. Free-text items are always generated."""

    kind: Literal["text", "letters", "generate"] = setting(
        "text",
        "`text` scores each option's full text, `letters` lists the options and scores each letter, "
        "`generate` lets the model write a reply.",
        flag="--form",
    )
    wordings: tuple[str, ...] = setting(
        ("question",), "How the question is put: `question`, `plain`, `asked`.", min_length=1
    )
    chat: bool = setting(False, "Ask with the model's chat template.")
    shots: int = setting(0, "Worked examples before each question.", ge=0)
    order: Literal["fixed", "rotated"] = setting(
        "fixed", "Listed options begin at the first, or at an option that differs between languages."
    )
    max_tokens: int = setting(256, "Longest reply, in tokens.", ge=1)


@dataclass(frozen=True)
class Question:
    """One item in one language and wording.

    `options` are the continuations to score, in the order of the item's options, each with what separates it
    from the prompt; empty where a reply is generated. `shown` holds the places in the item of the options
    that the prompt lists, in the order listed. `cue` is the end of the prompt without the question
    ("Answer:"), for the likelihood of an option without its question; a chat has none. A reply to a plain
    prompt ends before any of the texts in `stop`.
    """

    item: Item
    wording: str
    prompt: str | Chat
    options: tuple[str, ...]
    shown: tuple[int, ...] = ()
    cue: str = ""
    stop: tuple[str, ...] = ()

    @property
    def shown_ids(self) -> list[str] | None:
        """The ids of the options in the order listed in the prompt; None where it lists none."""
        return [self.item.option_ids[place] for place in self.shown] or None
