"""Spans that must not change become placeholders, which are verified in the translation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from crossin.translation.blocks import code_blocks, json_values
from crossin.translation.reasons import Rejection, TranslationReason


@dataclass(frozen=True)
class Protected:
    """A text with placeholders ⟦1⟧, ⟦2⟧ … for spans.

    kept: what each is in the translation. kinds: what kind of span each is. first: the first one's number.
    """

    text: str
    kept: tuple[str, ...]
    kinds: tuple[str, ...]
    first: int = 1


PLACEHOLDER = re.compile(r"⟦\d+⟧")
# Tags are told from comparisons ("if a<b, then c>d") by their form: a name alone, or with attributes that
# have values or are these; a placeholder of several words (`<first name>`) stands apart from its neighbours.
_NAME = r"[a-z][\w:.-]{0,60}"
_VALUE = r"\s?=\s?(?:\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'|[^\s\"'<>=]{1,200})"
_BARE = (
    "allowfullscreen|async|autofocus|autoplay|checked|controls|default|defer|disabled|hidden|inert|loop|multiple|"
    "muted|novalidate|open|playsinline|readonly|required|reversed|selected"
)
_ATTRIBUTE = rf"\s+(?:[\w:@.-]{{1,60}}{_VALUE}|(?:{_BARE})(?![\w-]))"
_COMPARES = r"(?![^<>\n]*\b(?:and|or|but|if|then|than|when|while|is|are)\b)"
_TAG = "|".join(
    (
        rf"</{_NAME}\s?>",
        rf"<{_NAME}(?:{_ATTRIBUTE}){{1,30}}\s?/?>",
        rf"<{_NAME}\s?/>",
        # `a<b>c` compares, unless a tag closes.
        rf"(?<!\w)<{_NAME}(?:/[\w/-]{{1,60}})?>|<{_NAME}>(?!\w)|<(?:br|hr|li|td|tr|[a-z]\w{{2,60}})>|<{_NAME}>(?=[^<\n]{{0,200}}</)",
        rf"(?<!\w)<{_COMPARES}(?=[^<>\n]*[^\W\d_]{{2}})[a-z][\w'’-]*(?: [\w'’/-]+){{1,7}}>(?!\w)",
        # Several types, as in Map<String, Integer>.
        r"(?<=[a-z]{2})<[a-z_]\w{0,60}(?:, ?[a-z_]\w{0,60}){1,5}>(?!\w)",
        # Special tokens of models.
        r"<[|｜][^\s<>|｜]{1,60}[|｜]>",
        r"<(?:(?:https?|ftp)://|mailto:)[^\s<>]{1,2000}>|<[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+>",
        r"<!--.{0,2000}?-->|<!doctype[^<>\n]{0,200}>|<\?xml[^<>\n]{0,200}\?>",
    )
)
# A formula, which may begin with a digit if it is not two prices with words between them; and LaTeX in prose.
# The arguments of a command are part of it, but of one for text, which is translated.
_ARGUMENT = r"\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\}"
_TEXT_COMMANDS = (
    r"text(?:bf|it|rm|sf|tt|sc|sl|up|md)?|emph|underline|mbox|title|author|date|caption|footnote|paragraph|item|"
    r"(?:sub){0,2}section|chapter|part"
)
_FORMULAS = (
    "equation|align|alignat|gather|multline|eqnarray|displaymath|math|array|cases|split|aligned|gathered|"
    "[a-zA-Z]?matrix|smallmatrix"
)
_MATH = "|".join(
    (
        r"\$\$.{1,2000}?\$\$|\\\[.{1,2000}?\\\]|\\\(.{1,2000}?\\\)",
        r"(?<![\w$\\])\$(?=[^\s$\d])[^$\n]{1,200}?(?<=\S)\$(?![\w$])",
        r"(?<![\w$\\])\$(?=\d)(?![^$\n]*(?<![\\\w{])[^\W\d_]{2,}[\s,]+[^\W\d_]{2,})[^$\n]{1,200}?(?<=[^\s,-])\$(?![\w$])",
        rf"\\begin\{{(?P<formula>(?:{_FORMULAS})\*?)\}}.{{0,2000}}?\\end\{{(?P=formula)\}}",
        rf"\\(?:{_TEXT_COMMANDS})\b\*?(?=\s*\{{)",
        rf"\\[a-zA-Z]+\*?(?:\[[^\[\]\n]*\])?(?:{_ARGUMENT})*",
    )
)
_VARIABLE = "|".join(
    (
        r"\{\{[^{}\n]{1,80}\}\}|\$\{[^{}\n]{1,80}\}",
        # Not the argument of a LaTeX command.
        r"(?:(?<![a-z*])\{[a-z_][\w.]{0,40}|\{\d{0,3})(?:![rsa])?(?::[^{}\s]{1,20})?\}",
        # As in C, Python, Java and PHP; as in Windows and Drupal; as in Laravel.
        r"%\([A-Za-z_]\w*\)[-+#0]?\d*(?:\.\d+)?[sdifgxr]|%\d{1,2}\$[-+#0]?\d*(?:\.\d+)?[sdifgxcu@]",
        r"(?<![\d%])%[-+#0]?\d*(?:\.\d+)?(?:ll?|hh?|z)?[sdifgxcu@](?!\w)|(?<![\w%])%[A-Za-z_]\w{1,40}%(?!\w)",
        r"(?<![\w:)\]}])[:][a-z_]\w{1,40}:?(?![\w:])",
        # Of Jinja and ERB; as in Ruby; names in capitals.
        r"\{%.{1,200}?%\}|<%.{1,200}?%>|[#%]\{[^{}\n]{1,80}\}",
        r"(?-i:(?<!\w)__[A-Z][A-Z\d]*(?:_[A-Z\d]+)*__(?!\w)|\[[A-Z]+(?:_[A-Z\d]+)+\])",
        # What templates of chats write, and the special tokens of BERT.
        r"\[/?INST\]|<</?SYS>>|(?-i:\[(?:MASK|UNK|CLS|SEP|PAD|BOS|EOS)\])",
    )
)
_ENTITY = r"&(?:[a-z][a-z\d]{1,31}|\#\d{1,7}|\#x[\da-f]{1,6});"
# In the order of search: what a longer span holds is part of it.
_LINK_END = r"[^\s<>\"'.,;:!?)\]，。；！？）」』]"
_KINDS = {
    # Not the mark of "don`t", nor one that opens a quotation (`so').
    "inline code": r"``[^\n]+?``|(?<![a-z\d`])`[^`\n]+`(?!(?!s\b)[a-z\d])",
    "math": _MATH,
    "link": rf"\b(?:https?|ftp)://[^\s<>\"'，。；！？）」』]*{_LINK_END}|\bwww\.[^\s<>\"']+{_LINK_END}",
    "e-mail": r"\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+",
    "no input": r"<\s*no\s?input\s*>",
    "tag": _TAG,
    "variable": _VARIABLE,
    # Not in a word: "don&#39;t" has no place for a mark.
    "entity": rf"(?:(?<![^\W\d_]){_ENTITY}|{_ENTITY}(?![^\W\d_])|&(?:amp|lt|gt|quot|nbsp|[mn]dash|hellip);)",
    "placeholder": r"⟦[^⟦⟧\n]{0,20}⟧|[⟦⟧]",
}
_SPANS = re.compile(
    "|".join(f"(?P<{re.sub('[ -]', '_', name)}>{pattern})" for name, pattern in _KINDS.items()),
    re.DOTALL | re.IGNORECASE,
)
_NAMES = {re.sub("[ -]", "_", name): name for name in _KINDS}
_FENCE = re.compile(r"```.*?(?:```|\Z)|^~~~.*?(?:^~~~|\Z)", re.DOTALL | re.MULTILINE)
# A text without one of these holds no span.
_MAY_HOLD = re.compile(r"[`~$\\<{%@⟦⟧\[&]|//|www|:\w|__", re.IGNORECASE)
_MARK = re.compile(r"⟦\s*(\d{1,6})\s*⟧")


def protect(text: str, glossary: Mapping[str, str] = {}, first: int = 1) -> Protected:
    """Replace spans that must not change by placeholders, numbered from `first`; and the glossary's terms,
    which come back as their translations.
    """
    marked = _MAY_HOLD.search(text) is not None
    blocks = _blocks(text) if marked else [(*block, "code") for block in code_blocks(text)]
    if not (glossary or marked or blocks):
        return Protected(text, (), (), first)
    kept: list[str] = []
    kinds: list[str] = []

    def placeholder(span: str, kind: str) -> str:
        kept.append(span)
        kinds.append(kind)
        return f"⟦{first + len(kept) - 1}⟧"

    def replaced(found: re.Match[str]) -> str:
        kind = found.lastgroup or ""
        if kind == "term":
            return placeholder(terms[found[0].casefold()], "term")
        return placeholder(found[0], _NAMES[kind])

    terms = {term.casefold(): translation for term, translation in glossary.items()}
    pattern = _with_terms(tuple(sorted(glossary, key=len, reverse=True)))
    parts, place = [], 0
    for begin, end, kind in blocks:
        parts += [pattern.sub(replaced, text[place:begin]), placeholder(text[begin:end], kind)]
        place = end
    parts.append(pattern.sub(replaced, text[place:]))
    return Protected("".join(parts), tuple(kept), tuple(kinds), first)


@cache
def _with_terms(terms: tuple[str, ...]) -> re.Pattern[str]:
    """The spans, and terms as whole words, the longest first."""
    if not terms:
        return _SPANS
    words = "|".join(map(re.escape, terms))
    return re.compile(f"{_SPANS.pattern}|(?P<term>(?<!\\w)(?:{words})(?!\\w))", _SPANS.flags)


def _blocks(text: str) -> list[tuple[int, int, str]]:
    """Where fenced code, unfenced code and JSON begin and end, in order; one inside another is part of it."""
    found: list[tuple[int, int, str]] = [(*match.span(), "code") for match in _FENCE.finditer(text)]
    for spans, kind in ((code_blocks(text), "code"), (json_values(text), "JSON")):
        known = list(found)
        found += [
            (begin, end, kind)
            for begin, end in spans
            if all(end <= other[0] or begin >= other[1] for other in known)
        ]
    return sorted(found)


def restore(text: str, protected: Protected) -> str | Rejection:
    """The text with its spans again; a rejection where a placeholder is not there exactly once."""
    counts = Counter(map(int, _MARK.findall(text)))
    for number, kind in enumerate(protected.kinds, protected.first):
        if counts[number] != 1:
            repeated = counts[number] > 1
            return Rejection(
                TranslationReason.PLACEHOLDER_REPEATED if repeated else TranslationReason.PLACEHOLDER_MISSING,
                detail=f"⟦{number}⟧ ({kind})",
            )
    if counts.total() > len(protected.kept):
        return Rejection(TranslationReason.PLACEHOLDER_UNKNOWN)
    return _MARK.sub(lambda found: protected.kept[int(found[1]) - protected.first], text)
