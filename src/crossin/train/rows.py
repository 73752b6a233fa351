"""From a mixture to tokens: which are read and which are learned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.errors import CrossinError
from crossin.mixing import draw
from crossin.models.joining import heading_of, split
from crossin.train.config import Batches
from crossin.train.document import Row
from crossin.train.texts import Text, read_texts

_TEXTS_AT_ONCE = 1024


def read_rows(place: Path, tokenizer: Any, batches: Batches) -> tuple[list[Row], dict[str, int]]:
    """The rows of a mixture or dataset (`read_texts`) as tokens, in order, and how many were left out, by
    reason.

    The tokens of a row are what the tokenizer puts before every text, the prompt, the completion and one end
    of text; learned are those of the completion, from the first that holds a character of it, and the end.
    """
    end = tokenizer.eos_token_id
    if end is None:
        raise CrossinError(
            "this model's tokenizer has no token that ends a text", fix="set its eos_token, and save it"
        )
    texts = read_texts(place, tokenizer)
    rows: list[Row] = []
    skipped = Counter[str]()
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        part = texts[start : start + _TEXTS_AT_ONCE]
        for text, (tokens, border) in zip(part, _tokenise(tokenizer, part), strict=True):
            learned = [*tokens[border:], *([] if tokens[-1] == end else [end])]
            row = _fitted(text, list(tokens[:border]), learned, tokenizer, batches)
            if isinstance(row, str):
                skipped[row] += 1
            else:
                rows.append(row)
    return rows, dict(skipped)


def held_out(rows: Sequence[Row], share: float) -> tuple[list[Row], list[Row]]:
    """The rows to train on, and about the `share` of them to hold out; a row's translations are on one side."""
    kept: list[Row] = []
    training: list[Row] = []
    for row in rows:
        out = draw("held out", row.id or f"row {row.number}") < share * 2**64
        (kept if out else training).append(row)
    return training, kept


def _tokenise(tokenizer: Any, texts: Sequence[Text]) -> list[tuple[tuple[int, ...], int]]:
    """The tokens of each text with what stands before it, and where its completion begins."""
    heading = heading_of(tokenizer)
    wholes = [text.prompt + text.completion for text in texts]
    found = split(tokenizer, wholes, [len(text.prompt) for text in texts])
    begin = tokenizer.bos_token
    joined = []
    for text, (tokens, border) in zip(texts, found, strict=True):
        head = () if begin and text.prompt.startswith(begin) else heading
        if not head and not border:
            # The first token that is learned needs one before it.
            head = (tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id,)
        joined.append(((*head, *tokens), border + len(head)))
    return joined


def _fitted(text: Text, prompt: list[int], learned: list[int], tokenizer: Any, batches: Batches) -> Row | str:
    """The row, its prompt cut where it must be; or why it is left out."""
    excess = len(prompt) + len(learned) - batches.longest
    if excess > 0:
        if batches.too_long == "skip":
            return f"row: longer than {batches.longest} tokens"
        kept = len(heading_of(tokenizer))
        # Something must stand before what is learned.
        if len(prompt) - max(1, kept) < excess:
            return f"row: completion alone longer than {batches.longest} tokens"
        prompt = [*prompt[:kept], *prompt[kept + excess :]]
    return Row(text.number, text.id, text.group, [*prompt, *learned], len(prompt))
