"""How a benchmark's items are put to a model: the form, and a question ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from crossin.items.item import Item

# A conversation: (role, text) a turn; `user` and `assistant` take turns, and the user begins and ends.
Chat = tuple[tuple[str, str], ...]


class Form(BaseModel):
    """How items are asked.

    `kind`: options are scored as full `text`, as `letters` behind a list of the options, or a reply is
    generated (`generate`) and read. Items in free text are always generated.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["text", "letters", "generate"] = "text"
    wordings: Annotated[tuple[str, ...], Field(min_length=1)] = ("question",)
    chat: bool = False
    shots: Annotated[int, Field(ge=0)] = 0
    order: Literal["fixed", "rotated"] = "fixed"
    max_tokens: Annotated[int, Field(ge=1)] = 256


@dataclass(frozen=True)
class Question:
    """One item in one language and wording.

    `options` are the continuations to score, in the order of the item's options, each with what separates it
    from the prompt; empty where a reply is generated. `shown` holds, for each option in the order of the list
    in the prompt, its place in the item; empty where the prompt lists none. `cue` is the end of the prompt
    without the question ("Answer:"), for the likelihood of an option without its question; a chat has none.
    `stop` are the texts before which a generated reply ends; a chat knows its end.
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
        """The ids of the options in the order of the list in the prompt; None where it lists none."""
        return [self.item.option_ids[place] for place in self.shown] or None
