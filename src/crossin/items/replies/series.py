"""Which labels name which options: the series of all scripts (labels.yaml), by language.

All texts here are `visible`: （Ａ）, Ⓐ, ①, ٢ and ⑴ are (A), A, 1, 2 and (1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from crossin.items.replies.texts import alphabet, data, script, visible
from crossin.languages.codes import script_of

# The forms of the label at each place.
Series = list[tuple[str, ...]]
# How an option begins with its label: "(A) red", "B. green".
_HEAD = re.compile(r"\W?([^\W_][^\s()\[\].:、-]{0,3})[.:)\]}>】〕」』》〉、-]\s*(?=\S)")
# Numerals within options.
_NUMERALS = {"digits": r"\d", "LATIN": r"\b[IVX]+\b", "CJK": "[一二三四五六七八九十]"}


@dataclass(frozen=True)
class Labels:
    """The positions of an item's options by label, and the pattern that finds these labels.

    The prompt or the options showed the labels `shown`; `numerals` also count other things than options, and
    `strict` labels are words, too.
    """

    positions: dict[str, int]
    pattern: re.Pattern[str]
    shown: frozenset[str]
    numerals: frozenset[str]
    strict: frozenset[str]


def labels_for(texts: Sequence[str], shown: Sequence[str] | None, language: str | None = None) -> Labels:
    """The labels that may name options with these texts: those `shown`, then those of the language's own
    series and of every script's, then numerals. A label that two series of one section put at different
    places among the options is left out.

    The Cyrillic В is the third letter but looks like the second Latin one: it counts as the former where the
    options or the language are written in Cyrillic, else as the latter. Numerals that were not shown are not
    labels where an option holds one of their kind.
    """
    cyrillic, held = _written(" ".join(texts))
    cyrillic = cyrillic or (language is not None and script_of(language) == "Cyrl")
    code = language.partition("-")[0] if language else ""
    return _labels(len(texts), tuple(map(visible, shown or ())), code, cyrillic, held)


@lru_cache(maxsize=256)
def _written(text: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a text has Cyrillic letters, and which kinds of numerals."""
    cyrillic = not text.isascii() and any(script(character) == "CYRILLIC" for character in set(text))
    return cyrillic, tuple(kind for kind, pattern in _NUMERALS.items() if re.search(pattern, text))


def labels_of(texts: Sequence[str]) -> list[str] | None:
    """The labels with which all of these texts begin, in the order of a series; None where they do not."""
    heads = [_HEAD.match(text) for text in texts]
    labels = [head[1] for head in heads if head]
    if not 2 <= len(labels) == len(heads):
        return None
    sections = ("languages", "scripts", "older", "numerals")
    known = [*(series for section in sections for series in _section(section)), _digits(len(labels))]
    if any(_begins_with(series, labels) for series in known):
        return labels
    return None


def _begins_with(series: Series, labels: Sequence[str]) -> bool:
    return len(labels) <= len(series) and all(
        label in forms for label, forms in zip(labels, series, strict=False)
    )


@cache
def _section(section: str, name: str | None = None) -> list[Series]:
    """The series in a section of labels.yaml, of one script or language or of all."""
    by_name: dict[str, list[str]] = data("labels.yaml")[section]
    listed = [by_name.get(name, [])] if name is not None else by_name.values()
    return [_series(text) for texts in listed for text in texts]


def _series(text: str, *, small: bool = True) -> Series:
    """A series as labels.yaml writes it; with the small form of each letter."""
    places = [[visible(form) for form in place.split("/")] for place in text.split()]
    return [(*forms, *(form.lower() for form in forms if small)) for forms in places]


def _digits(count: int) -> Series:
    return [(str(number),) for number in range(1, count + 1)]


@lru_cache(maxsize=256)
def _labels(
    count: int, shown: tuple[str, ...], language: str, cyrillic: bool, held: tuple[str, ...]
) -> Labels:
    first: Series = [(label, label.lower()) for label in shown]
    letters = [[first], _section("languages", language), _section("scripts")]
    lookalikes = [_series(data("labels.yaml")["lookalikes"], small=False)]
    letters.insert(len(letters) if cyrillic else 1, lookalikes)
    positions = _positions([*letters, _section("older")], count)
    numerals = [
        series for kind in ("LATIN", "CJK") if kind not in held for series in _section("numerals", kind)
    ]
    numerals += [] if "digits" in held else [_digits(count)]
    counting = {
        label: place for label, place in _positions([numerals], count).items() if label not in positions
    }
    known = {label: place for label, place in {**positions, **counting}.items() if place is not None}
    by_language: dict[str, str] = data("labels.yaml")["words"]
    listed = [by_language[language]] if language in by_language else by_language.values()
    words = {visible(word) for text in listed for word in text.split()}
    written = {label for label in counting if not label.isdigit()}
    long = {label for label in known if len(label) > 1 and not label.isdigit()}
    strict = frozenset((words | written | long) - set(shown))
    return Labels(known, _pattern(known), frozenset(shown), frozenset(counting), strict)


def _positions(sections: Iterable[Iterable[Series]], count: int) -> dict[str, int | None]:
    """The place of each label below `count`, by the first section that has it; None where it has several."""
    positions: dict[str, int | None] = {}
    for section in sections:
        places: dict[str, set[int]] = {}
        for series in section:
            for place, forms in enumerate(series[:count]):
                for label in forms:
                    places.setdefault(label, set()).add(place)
        for label, found in places.items():
            positions.setdefault(label, found.pop() if len(found) == 1 else None)
    return positions


def _pattern(labels: Iterable[str]) -> re.Pattern[str]:
    """A pattern that matches any of these labels, the longest first."""
    long = sorted((re.escape(label) for label in labels if len(label) > 1), key=len, reverse=True)
    single: dict[str, list[str]] = {}
    for label in sorted(label for label in labels if len(label) == 1):
        single.setdefault(script(label), []).append(label)
    return re.compile("|".join([*long, *(_apart(name, each) for name, each in single.items())]) or r"(?!)")


def _apart(script_name: str, labels: Sequence[str]) -> str:
    """A pattern for letters of one script. Most are within words; passing over them here is fastest."""
    letters, marks = alphabet(script_name)
    pattern = f"[{''.join(map(re.escape, labels))}]"
    if letters:
        pattern += f"(?<![{letters}].)(?![{letters}{marks}])"
    if letters and marks:
        pattern += f"(?<![{letters}][{marks}].)"
    return pattern
