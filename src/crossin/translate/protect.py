"""What must stay as it is in a translation becomes a placeholder, and is verified after."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crossin.translate.code import code_blocks


@dataclass(frozen=True)
class Protected:
    """A text with ⟦1⟧, ⟦2⟧ … in the place of spans; `kept` is what each stands for in the translation,
    `kinds` what each is, and `first` the number of the first.
    """

    text: str
    kept: tuple[str, ...]
    kinds: tuple[str, ...]
    first: int = 1


# In the order in which they are looked for: what a longer span holds is part of it.
_KINDS = {
    "code": r"```.*?```|~~~.*?~~~",
    "inline code": r"``[^\n]+?``|`[^`\n]+`",
    "math": r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)|(?<![\w$])\$(?=[^\s$\d])[^$\n]{1,200}?(?<=\S)\$(?![\w$])",
    "link": r"\b(?:https?|ftp)://[^\s<>\"'，。；！？）」』]*[^\s<>\"'.,;:!?)\]，。；！？）」』]|\bwww\.[^\s<>\"']+[^\s<>\"'.,;:!?)\]]",
    "e-mail": r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "no input": r"<\s*no\s?input\s*>",
    "tag": r"</?[A-Za-z][^<>\n]{0,300}>|<!--.*?-->",
    "variable": r"\{\{[^{}\n]{1,80}\}\}|\$\{[^{}\n]{1,80}\}|\{[A-Za-z_][\w.]{0,40}\}"
    r"|%\([A-Za-z_]\w*\)[sdf]|(?<!\d)%[sd]\b",
    "placeholder": r"⟦[^⟦⟧\n]{0,20}⟧|[⟦⟧]",
}
_SPANS = re.compile(
    "|".join(
        f"(?P<{name.replace(' ', '_').replace('-', '_')}>{pattern})" for name, pattern in _KINDS.items()
    ),
    re.DOTALL | re.IGNORECASE,
)
_NAMES = {name.replace(" ", "_").replace("-", "_"): name for name in _KINDS}
_MARK = re.compile(r"⟦\s*(\d{1,6})\s*⟧")


def protect(text: str, glossary: Mapping[str, str] = {}, first: int = 1) -> Protected:
    """Put placeholders, numbered from `first`, in the place of spans that must stay, and of the glossary's
    terms, which come back as their translations.
    """
    kept: list[str] = []
    kinds: list[str] = []
    terms = {term.casefold(): translation for term, translation in glossary.items()}
    pattern = _SPANS
    if terms:
        longest = sorted(glossary, key=len, reverse=True)
        words = "|".join(map(re.escape, longest))
        pattern = re.compile(f"{_SPANS.pattern}|(?P<term>(?<!\\w)(?:{words})(?!\\w))", _SPANS.flags)

    def replaced(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        kept.append(terms[found[0].casefold()] if kind == "term" else found[0])
        kinds.append(_NAMES.get(kind, kind))
        return f"⟦{first + len(kept) - 1}⟧"

    parts, place = [], 0
    for begin, end in code_blocks(text):
        parts.append(pattern.sub(replaced, text[place:begin]))
        if "```" in text[place:begin] or "⟦" in text[begin:end]:
            # Inside a fence, or with marks that must not be taken for ours.
            parts.append(pattern.sub(replaced, text[begin:end]))
        else:
            kept.append(text[begin:end])
            kinds.append("code")
            parts.append(f"⟦{first + len(kept) - 1}⟧")
        place = end
    parts.append(pattern.sub(replaced, text[place:]))
    return Protected("".join(parts), tuple(kept), tuple(kinds), first)


def restore(text: str, protected: Protected) -> tuple[str | None, str]:
    """The text with its spans again, or None and which placeholder is not there just once."""
    numbers = [int(number) for number in _MARK.findall(text)]
    last = protected.first + len(protected.kept)
    for number in range(protected.first, last):
        if numbers.count(number) != 1:
            kind = protected.kinds[number - protected.first]
            wrong = "is missing" if number not in numbers else "stands more than once"
            return None, f"placeholder {wrong}: ⟦{number}⟧ ({kind})"
    if len(numbers) > len(protected.kept):
        return None, "placeholder that was not asked for"
    return _MARK.sub(lambda found: protected.kept[int(found[1]) - protected.first], text), ""
