"""Where a reply ends by its text: found as its tokens come, each of which is decoded a few times only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossin.core.thoughts import parts_of_tags
from crossin.evaluation.engine import Reply, before

# What an incomplete character is decoded as.
_INCOMPLETE = "\ufffd"
# A character has at most four bytes: of that many tokens without one, the first belong to none.
_MOST_BYTES = 4
# Tokens that are kept as long as they have no text; a blank before the next may depend on them.
_MOST_TOKENS = 8


class StopSearch:
    """Looks for texts in a reply whose tokens come one by one.

    transformers' `stop_strings` would give other replies: they also match where the prompt's end and the
    reply's begin make the text together, and the names of special tokens.
    """

    def __init__(self, tokenizer: Any, texts: Sequence[str]) -> None:
        self._tokenizer, self._texts = tokenizer, texts
        self._special = set(tokenizer.all_special_ids)
        if getattr(tokenizer, "is_fast", False):
            # It leaves out these too: placeholders that have no role.
            added = tokenizer.added_tokens_decoder.items()
            self._special |= {number for number, one in added if one.special}
        # The end of the text so far, in which one of the texts may have begun.
        self._overlap = max(0, max(map(len, texts), default=0) - 1)
        self._text = ""
        # The last tokens; the first `_known` of them have their text in `_text`, and how they begin the
        # decoding of those after them is `_prefix`.
        self._tokens: list[int] = []
        self._known = 0
        self._prefix = ""

    def found(self, token: int) -> bool:
        """Take the next token; whether the reply now seems to hold one of the texts.

        It may err where bytes make no characters; the caller decodes the whole reply to be sure.
        """
        if not self._texts or token in self._special:
            return False
        self._tokens.append(token)
        new = self._new(self._tokens)
        seen = self._text + new
        self._advance(new)
        return any(text in seen for text in self._texts)

    def _advance(self, new: str) -> None:
        """Keep the text of whole characters; its last tokens stay, for the decoding of those that follow."""
        end = len(self._tokens)
        if not new or new.endswith(_INCOMPLETE):
            if end - self._known < _MOST_TOKENS:
                return
            end -= _MOST_BYTES - 1
            new = self._new(self._tokens[:end])
        self._text = (self._text + new)[-self._overlap :] if self._overlap else ""
        self._tokens, self._known = self._tokens[self._known :], end - self._known
        self._prefix = self._decode(self._tokens[: self._known])

    def _new(self, tokens: list[int]) -> str:
        """The text of `tokens` after that of the known ones; all of it where they now read differently."""
        return self._decode(tokens).removeprefix(self._prefix)

    def _decode(self, tokens: list[int]) -> str:
        return decoded(self._tokenizer, tokens)


class Ends:
    """What ends a reply: the end tokens of the model and the tokenizer, and the texts `stop`.

    The rest of the model's generation_config counts for nothing. A text of `stop` that is a special token
    ends a reply too.
    """

    def __init__(self, model: Any, tokenizer: Any, stop: Sequence[str]) -> None:
        self.tokenizer, self.stop = tokenizer, stop
        own = model.generation_config.eos_token_id
        ends = {*([own] if isinstance(own, int) else own or []), tokenizer.eos_token_id} - {None}
        # Special tokens are not part of the text, so they have to be found by number.
        special = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
        self.tokens: set[int] = ends | {special[text] for text in stop if text in special}


class GrowingReply:
    """A reply whose tokens come one by one."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends
        self._search = StopSearch(ends.tokenizer, ends.stop)
        self._ended = False
        self.tokens: list[int] = []

    def ended_by(self, token: int) -> bool:
        """Take the next token; whether the reply ends with it."""
        self.tokens.append(token)
        self._ended = token in self._ends.tokens or (
            self._search.found(token)
            and before(decoded(self._ends.tokenizer, self.tokens), self._ends.stop) is not None
        )
        return self._ended

    def reply(self, computed: int, saved: int = 0) -> Reply:
        """The reply, up to the first stop text; it was cut where nothing ended it.

        Special tokens are not part of the text, except for tags of thoughts.
        """
        text = decoded_with_thoughts(self._ends.tokenizer, self.tokens)
        shorter = before(text, self._ends.stop)
        cut = not self._ended and shorter is None
        return Reply(text if shorter is None else shorter, cut, computed, saved)


def decoded(tokenizer: Any, tokens: list[int]) -> str:
    """The text of tokens, without special ones."""
    text: str = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def decoded_with_thoughts(tokenizer: Any, tokens: list[int]) -> str:
    """The text of tokens without special ones, but for the tags of thoughts: without them a thought would
    read as an answer.
    """
    tags = parts_of_tags()
    special = {
        number: token.content
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special and token.content in tags
    }
    text, begin = "", 0
    for place, token in enumerate(tokens):
        if token in special:
            text += decoded(tokenizer, tokens[begin:place]) + special[token]
            begin = place + 1
    return text + decoded(tokenizer, tokens[begin:])
