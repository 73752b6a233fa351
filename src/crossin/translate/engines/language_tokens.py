"""How a translation model is told its languages: each family has its way, and its vocabulary shows which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from crossin.errors import CrossinError
from crossin.languages.codes import parse_language

# NLLB, M2M100 and mBART-50 begin a text with its language; MADLAD and Marian are told the target alone.
_BOTH = (r"([a-z]{3}_[A-Z][a-z]{3})", r"__([a-z]{2,3})__", r"([a-z]{2}_[A-Z]{2})")
_TARGET = (r"<2([A-Za-z_]+)>", r">>([A-Za-z_]+)<<")
# Names that differ, in models and in CLDR, for what is one language to both.
_SAME = {"no": "nb", "nb": "no", "ps": "pbt", "qu": "quy", "ff": "fuv", "ms": "zlm", "nso": "ns"}
_FIX = "leave it out, or take a model that has it"
# Languages that an error names, at most.
_NAMED = 12


@dataclass(frozen=True)
class Marks:
    """What goes around a text: tokens before the source's, text before the source's text, and tokens that the
    translation begins with.
    """

    source_tokens: tuple[str, ...] = ()
    source_text: str = ""
    target_tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Naming:
    """The languages of a model: the token of each, and whether the source is marked too.

    A model without tokens translates between the two languages of `pair`, as far as they are known.
    """

    tokens: Mapping[str, str] = field(default_factory=dict)
    both: bool = False
    pair: tuple[str | None, str | None] = (None, None)

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Raise CrossinError that names the languages (codes) that the model lacks, and what it has near
        them.
        """
        known = self.pair[0]
        if self.both and self._token(source) is None:
            raise self._lacks("from", [source])
        if known is not None and _plain(known) != _plain(source):
            raise CrossinError(
                f"the model translates from {known}, not from {source}", field="from", fix=_FIX
            )
        if self.tokens:
            if lacking := [target for target in targets if self._token(target) is None]:
                raise self._lacks("to", lacking)
            return
        known = self.pair[1]
        if known is not None and (wrong := [one for one in targets if _plain(one) != _plain(known)]):
            raise CrossinError(
                f"the model translates into {known}, not into {', '.join(wrong)}", field="to", fix=_FIX
            )
        if known is None and len(set(targets)) > 1:
            raise CrossinError(
                "the model names no languages, so that it translates into one only",
                field="to",
                fix="name the one that it translates into",
            )

    def marks(self, source: str, target: str) -> Marks:
        """The marks for a pair of languages (codes); errors as `check`.

        NLLB: `eng_Latn` before the source, `vie_Latn` before the target. M2M100: `__en__`, `__vi__`.
        mBART-50: `en_XX`, `vi_VN`. MADLAD: the text begins with `<2vi>`. Marian for several targets: with
        `>>vie<<`. Marian for one pair has no marks.
        """
        self.check(source, [target])
        to = self._token(target)
        if to is None:
            return Marks()
        if not self.both:
            return Marks((), f"{to} ", ())
        return Marks((self._token(source) or "",), "", (to,))

    def _token(self, language: str) -> str | None:
        names = (language, _SAME.get(language, ""), _plain(language))
        return next((self.tokens[name] for name in names if name in self.tokens), None)

    def _lacks(self, where: str, languages: list[str]) -> CrossinError:
        few = len(self.tokens) <= _NAMED
        roots = {language.partition("-")[0] for language in languages}
        near = sorted(name for name in self.tokens if few or name.partition("-")[0] in roots)
        has = f"; it has {', '.join(near[:_NAMED])}" if near else f"; it has {len(self.tokens)} others"
        which = f"language{'s' if len(languages) > 1 else ''} {', '.join(languages)}"
        return CrossinError(f"the model does not have the {which}{has}", field=where, fix=_FIX)


def naming(vocabulary: Iterable[str], pair: tuple[str | None, str | None] = (None, None)) -> Naming:
    """How a model with these tokens names its languages; `pair` (codes) is for a model that names none.

    Where several tokens name a language, that with a script is taken, since it says more, then the first of
    the alphabet. Raises CrossinError for the mBART of 25 languages, which puts its marks in another order.
    """
    vocabulary = set(vocabulary)
    for both, forms in ((True, _BOTH), (False, _TARGET)):
        for form in forms:
            pattern = re.compile(form)
            names = {token: found[1] for token in vocabulary if (found := pattern.fullmatch(token))}
            if form == _BOTH[2]:
                # A few letters alike may be a word of any vocabulary; mBART's have this one.
                if "en_XX" not in names:
                    continue
                if "pt_XX" not in names:
                    raise CrossinError(
                        "mBART of 25 languages is not supported", fix="take mBART-50, NLLB or another model"
                    )
            tokens: dict[str, str] = {}
            for token in sorted(names, key=lambda one: ("_" not in names[one], one)):
                if (language := _language(names[token], region=form != _BOTH[2])) is not None:
                    tokens.setdefault(language, token)
            if len(tokens) > int(both):
                return Naming(tokens, both, (None if both else pair[0], None))
    return Naming(pair=pair)


def tokens_of(tokenizer: Any) -> frozenset[str]:
    """All tokens of a tokenizer of transformers, those that were added among them."""
    # M2M100 keeps the languages beside its vocabulary.
    beside = getattr(tokenizer, "lang_token_to_id", {})
    return frozenset(tokenizer.get_vocab()) | frozenset(tokenizer.all_special_tokens) | frozenset(beside)


def declared_pair(tokenizer: Any) -> tuple[str | None, str | None]:
    """The languages (codes) that a Marian tokenizer says it is for, None for a group of languages."""
    return (
        _single(getattr(tokenizer, "source_lang", None)),
        _single(getattr(tokenizer, "target_lang", None)),
    )


def _single(name: str | None) -> str | None:
    language = _language(name) if name else None
    # Three letters may be a group, such as `zle`, the East Slavic languages.
    return language if language is not None and len(language.partition("-")[0]) == 2 else None


@cache
def _language(name: str, region: bool = True) -> str | None:
    """The code of a name in a vocabulary; None where it is no language."""
    try:
        language = parse_language(name)
        if language.endswith("-Hang"):
            # What CLDR writes Kore.
            return parse_language(language.removesuffix("-Hang"))
        if not region and re.search(r"-[A-Z]{2}$", language):
            # Mbart names a country of every language.
            return parse_language(language.partition("-")[0])
    except CrossinError:
        return None
    return language


@cache
def _plain(language: str) -> str:
    """The language without its country: to most models Portuguese is one."""
    plain = re.sub(r"-(?:[A-Z]{2}|\d{3})\b", "", language)
    return parse_language(plain) if plain != language else language
