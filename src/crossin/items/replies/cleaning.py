"""Removing what is not part of the answer: wrappers, text that follows it, and repeated options."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crossin.core.thoughts import without_thoughts
from crossin.items.replies.labels import LabelKind, labels_in
from crossin.items.replies.series import labels_for
from crossin.items.replies.texts import any_of, visible

# What models and their templates put around a reply: <pad>, </s>, <|im_end|>, [INST]; markdown; LaTeX.
_WRAPPERS = re.compile(
    r"<\|?/?[a-z_]+\|?>|\[/?INST\]|[*`]|__|^#+|\\(?:text|textbf|mathrm|mathbf)\b|\\[()\[\]]",
    re.IGNORECASE | re.MULTILINE,
)
# A formula's dollars; those of "$5 and $6" are prices.
_FORMULA = re.compile(r"\$\$?(?=\S)([^$\n]*)(?<=\S)\$\$?(?!\d)")
_NEXT_QUESTION = re.compile(rf"\n{any_of('question')}\s*\d*\s*:", re.IGNORECASE)


def cleaned(reply: str) -> str:
    """A `visible` reply, without wrappers, thoughts and empty lines, up to the next question (base models ask
    themselves another one); '' where it ends within a thought.
    """
    # Before all else, which could change a tag.
    text = visible(without_thoughts(reply) or "").replace("’", "'")
    text = _FORMULA.sub(r"\1", _WRAPPERS.sub("", text))
    lines = (line.strip() for line in text.split("\n"))
    text = "\n".join(line for line in lines if line)
    following = _NEXT_QUESTION.search(text)
    return text[: following.start()] if following else text


def own_answer(reply: str) -> str | None:
    """A reply as written, without its thoughts and up to the next question; None if it ends in a thought."""
    text = without_thoughts(reply)
    if text is None:
        return None
    following = _NEXT_QUESTION.search(text)
    return text[: following.start()] if following else text


def without_labels(options: Sequence[str], shown: Sequence[str] | None) -> list[str]:
    """The options' `visible` texts, without labels where every option begins with its own: "(A) red"."""
    texts = [visible(option).strip() for option in options]
    labels = labels_for(texts, shown)
    bare = []
    for position, text in enumerate(texts):
        # Most texts begin with none, which is seen here without looking at all others.
        if not (labels.pattern.match(text) or labels.pattern.match(text, 1)):
            return texts
        first = next(labels_in(text, labels), None)
        if (
            first is None
            or first.start > 0
            or (first.position, first.kind) != (position, LabelKind.MARKED)
            or not text[first.end :].strip()
        ):
            return texts
        bare.append(text[first.end :].strip())
    return bare


def without_listing(reply: str, texts: Sequence[str], positions: dict[str, int]) -> str:
    """A reply without repetitions of all options in their order, each with its label."""
    words = [word.lower() for text in texts for word in _words(text)]
    # Compiling takes longer than all else.
    if len(texts) == 1 or not _in_order(reply.lower(), words):
        return reply
    parts = []
    for position, text in enumerate(texts):
        label = "|".join(re.escape(label) for label, place in positions.items() if place == position)
        option = r"\W{0,9}".join(map(re.escape, _words(text))) or re.escape(text)
        parts.append(rf"[^\w\n]{{0,3}}(?:{label})\W{{1,9}}{option}")
    return re.sub(r"\W{0,9}".join(parts), "\n", reply, flags=re.IGNORECASE)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _in_order(text: str, words: Sequence[str]) -> bool:
    """Whether a text has these words in this order, whatever is between them."""
    place = 0
    for word in words:
        found = text.find(word, place)
        if found < 0:
            return False
        place = found + len(word)
    return True
