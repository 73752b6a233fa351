"""The thoughts of a reply: what a model writes before its answer, between tags of many kinds.

`thoughts.yaml` lists the tags. Both the reading of replies and the rendering of prompts go by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from crossin.core.files import read_yaml

# What marks a thought where a server gives it apart from the reply, or a template has begun it.
OPENING, CLOSING = "<think>\n", "\n</think>\n\n"
# The fields beside its content in which servers and chat templates have the thought of a turn.
THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking")
# Each character by another: places in the text stay the same. Some tokenizers spell a tag so; what cannot be
# seen may stand beside one.
_UNSEEN = (
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_PLAIN = str.maketrans("＜＞｜［］／▁" + _UNSEEN, "<>|[]/_" + " " * len(_UNSEEN))
_QUOTES = "\"'`“”„«»‘’「」『』"
# What may stand before a tag that begins a thought, apart from markdown: the end of a line, of another tag,
# of a sentence.
_BORDERS, _MARKDOWN = "\n>]▷|.!?:;…。！？：；", " \t*_#`\"'"
# A special token that a server left at the end of an answer.
_ENDS = r"<\|?/?[\w:]+\|?>"
# A model that was not asked to think may write a stray tag now and then.
_SHARE = 0.1


class _Tag(NamedTuple):
    """A tag's place in a text; `kind` is the same for the two tags of a thought."""

    start: int
    end: int
    kind: str
    opens: bool


def without_thoughts(reply: str) -> str | None:
    """The answer in a reply, without thoughts; None where the reply ends within a thought.

    The answer is what follows the last thought, or where that is blank what stands before. A tag that ends a
    thought which never began ends all before it: templates of some models begin the thought. A tag that is
    only mentioned ("the tag <think> is …") is text. A reply without tags is returned as it is.
    """
    text = reply.translate(_PLAIN)
    before: list[str] = []
    begin = depth = 0
    kind, opened = "", -1
    for tag in _tags(text):
        if depth:
            if tag.kind != kind or _is_mentioned(text, tag):
                continue
            if not tag.opens:
                depth -= 1
                begin = tag.end
            elif text[opened : tag.start].strip():
                depth += 1
            # A model may begin a thought once more where its template began it.
            opened = tag.end
        elif tag.opens and _begins(text, tag, begin):
            before.append(reply[begin : tag.start])
            depth, kind, opened = 1, tag.kind, tag.end
        elif not tag.opens and not _is_mentioned(text, tag):
            before.clear()
            begin = tag.end
    if depth:
        return None
    if not begin:
        return reply
    return _unwrapped(reply[begin:]) or "".join(before).strip()


def opening_at_end(prompt: str, asked: str = "") -> str:
    """The end of a prompt from the tag on that begins a thought which nothing ends; '' where none does.

    Only what follows the last of `asked`, the question's own words, is looked at; where that is not known,
    only tags at the very end.
    """
    text, words = prompt.translate(_PLAIN), asked.strip().translate(_PLAIN)
    begin = text.rfind(words) + len(words) if words and words in text else 0
    opening: _Tag | None = None
    end = 0
    for tag in _tags(text):
        if tag.start >= begin:
            if not tag.opens:
                opening = None
            elif opening is None or (not begin and text[end : tag.start].strip()):
                opening = tag
            end = tag.end
    if opening is None or (not begin and text[end:].strip()):
        return ""
    return prompt[opening.start :]


def begins_within_thought(reply: str) -> bool:
    """Whether a reply ends a thought that it did not begin."""
    first = _first_tag(reply)
    return first is not None and not first.opens


def cut_without_a_tag(replies: Sequence[str]) -> set[int]:
    """The places of those among a model's replies that were cut within a thought which the template begins.

    They have no tag; the others show it: a tenth or more of all end a thought that they did not begin, and
    more of them than begin one. A reply much shorter than one of those was not cut at a limit: it has no
    thought.
    """
    firsts = [_first_tag(reply) for reply in replies]
    ended = [reply for reply, tag in zip(replies, firsts, strict=True) if tag is not None and not tag.opens]
    begun = sum(tag is not None and tag.opens for tag in firsts)
    if len(ended) <= begun or len(ended) < _SHARE * len(replies):
        return set()
    least = max(map(_bytes, ended)) / 2
    return {
        place
        for place, (reply, tag) in enumerate(zip(replies, firsts, strict=True))
        if tag is None and _bytes(reply) >= least
    }


def empty_thought(text: str) -> re.Match[str] | None:
    """What a text begins with if that is an empty thought, or the end of one, and white space."""
    return _patterns().empty.match(text.translate(_PLAIN))


def empty_thought_at_end(text: str) -> str:
    """What a text ends with if that is an empty thought, or the end of one; '' where it is not."""
    # Longer than the longest pair of tags.
    end = text[-200:]
    found = _patterns().empty_at_end.search(end.translate(_PLAIN))
    return end[found.start() :] if found else ""


def holds_thought(text: str) -> bool:
    """Whether there is a tag of a thought in a text that is more than mentioned."""
    plain = text.translate(_PLAIN)
    return any(not _is_mentioned(plain, tag) for tag in _tags(plain))


def lines_within(text: str) -> list[str]:
    """The lines of a thought that are more than tags."""
    for tag in _patterns().tags:
        for found in tag.finditer(text.translate(_PLAIN)):
            text = text[: found.start()] + "\n" * len(found[0]) + text[found.end() :]
    return [line for line in text.split("\n") if line.strip()]


@cache
def parts_of_tags() -> frozenset[str]:
    """The tags, each with the special tokens that it is made of."""
    tags = [tag for pair in _data()["pairs"] for tag in pair]
    tags += [f"{begin}{word}>" for word in _data()["words"] for begin in ("<", "</")]
    return frozenset(tags + [part for tag in tags for part in re.findall(r"<[^<>]+>", tag)])


class _Patterns(NamedTuple):
    tags: tuple[re.Pattern[str], ...]
    kinds: dict[str, tuple[str, bool]]
    empty: re.Pattern[str]
    empty_at_end: re.Pattern[str]
    unwrapped: re.Pattern[str]


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(Path(__file__).with_name("thoughts.yaml"))
    return found


@cache
def _patterns() -> _Patterns:
    data = _data()
    words = "|".join(sorted(map(re.escape, data["words"]), key=len, reverse=True))
    word = rf"(?:[a-z]+[:_])?(?:{words})"
    # Some servers escape "<" for HTML.
    tag = rf"(?:<|&lt;)\|?\s?(?P<close>/?)\s?(?P<word>{word})(?:\s[^<>\n]{{0,40}})?\|?(?:>|&gt;)"
    literal = [tuple(map(re.escape, pair)) for pair in data["pairs"]]
    parts: dict[bool, list[str]] = {True: [], False: []}
    kinds: dict[str, tuple[str, bool]] = {}
    for number, pair in enumerate([*literal, *map(tuple, data["patterns"])]):
        # Pairs with one end are of one kind.
        kinds |= {f"o{number}": (pair[1], True), f"c{number}": (pair[1], False)}
        parts[pair in literal] += [f"(?P<o{number}>{pair[0]})", f"(?P<c{number}>{pair[1]})"]
    # Behind the others: <|think|> may have an end of its own.
    parts[True].append(tag)
    begins = "|".join([rf"<\|?(?:{word})\|?>", *(pair[0] for pair in literal)])
    ends = "|".join([rf"<\|?/(?:{word})\|?>", *(pair[1] for pair in literal)])
    empty = rf"(?:(?:{begins})\s*)?(?:{ends})"
    opening, closing = ("|".join(re.escape(pair[side]) for pair in data["answers"]) for side in (0, 1))
    flags = re.IGNORECASE
    return _Patterns(
        # Their first characters are looked for first, which is a hundred times faster.
        (re.compile(rf"(?=[<&◁\[])(?:{'|'.join(parts[True])})", flags), re.compile("|".join(parts[False]))),
        kinds,
        re.compile(rf"\s*{empty}\s*", flags),
        re.compile(rf"{empty}\s*\Z", flags),
        re.compile(rf"\A\s*(?:{opening})|(?:{closing}|{_ENDS})\s*\Z", flags),
    )


def _tags(text: str) -> Iterator[_Tag]:
    tags, kinds, *_ = _patterns()
    places = sorted((found for tag in tags for found in tag.finditer(text)), key=lambda found: found.start())
    for found in places:
        if found.lastgroup == "word":
            yield _Tag(*found.span(), found["word"].lower(), not found["close"])
        else:
            yield _Tag(*found.span(), *kinds[str(found.lastgroup)])


def _bytes(text: str) -> int:
    """The length of a text, roughly by tokens in any script."""
    return len(text.encode("utf-8", "replace"))


def _first_tag(reply: str) -> _Tag | None:
    text = reply.translate(_PLAIN)
    return next((tag for tag in _tags(text) if not _is_mentioned(text, tag)), None)


def _begins(text: str, tag: _Tag, begin: int) -> bool:
    """Whether a tag stands where a thought can begin: not within a sentence, nor quoted."""
    end = tag.start
    while end > begin and text[end - 1] in _MARKDOWN:
        end -= 1
    # Written together with a word: "B<think>"; some scripts have no spaces between words.
    glued = end == tag.start > begin and text[end - 1].isascii() and text[end - 1].isalnum()
    return not _is_quoted(text, tag) and (end == begin or text[end - 1] in _BORDERS or glued)


def _is_mentioned(text: str, tag: _Tag) -> bool:
    """Whether a sentence speaks of a tag: "the tag </think> ends it"."""
    before, after = text[max(0, tag.start - 2) : tag.start], text[tag.end : tag.end + 2]
    if _is_quoted(text, tag):
        return True
    within = before.endswith(" ") and (before[:1].isalnum() or before[:1] == ",")
    return within and (after[:1] in tuple(".,;:)") or (after[:1] == " " and after[1:].islower()))


def _is_quoted(text: str, tag: _Tag) -> bool:
    return tag.start > 0 and text[tag.start - 1] in _QUOTES and text[tag.end : tag.end + 1] in tuple(_QUOTES)


def _unwrapped(text: str) -> str:
    """An answer without what some models write around it after a thought."""
    pattern = _patterns().unwrapped
    while (shorter := pattern.sub("", text)) != text:
        text = shorter
    return text.strip()
