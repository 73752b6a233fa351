"""Whether a text is in a language: by the script of its letters, and between languages of a script by lingua.

`likelihood` rates prose by its letters, `verdict` a line by its words. The alignment check needs neither: it
compares the rows of a file with each other (crossin.alignment.wrong_language). A file as a whole is judged by
crossin.languages.file_language.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from crossin.core.extras import require
from crossin.languages.codes import script_of
from crossin.languages.han import is_other_chinese
from crossin.languages.scripts import letter_script, script_share, scripts_of

if TYPE_CHECKING:
    from lingua import Language, LanguageDetector

RIGHT, WRONG, UNDECIDED = 1, 0, -1

# Languages that models confuse, by the script that they share.
CONFUSED = {
    "Latn": "en es fr de pt it nl vi id tr pl ro sv tl",
    "Cyrl": "ru uk bg sr",
    "Arab": "ar fa ur",
    "Deva": "hi mr",
}
# Codes of lingua that differ from CLDR's.
_LINGUA_CODES = {"fil": "tl", "no": "nb"}
# The least share of a text in the scripts of its language.
_OWN_SHARE = 0.5

# Letters that a text needs to be rated by its script, by lingua where that is sure, and by lingua at all.
_FEW, _SURE, _SOME = 6, 14, 30
# A short text is in another language where that is so many times likelier than for a long one.
_LENIENT = 5.0
_HEAD = 400
# Letters of one alphabet: `和Python` is two words.
_WORD = re.compile(r"[A-Za-zÀ-ɏ'’]+|[^\W\dA-Za-zÀ-ɏ]+")

# A line with fewer words is not given to lingua: a name can be of any language.
_WORDS = 5
# How many times likelier one language must be than the next for a verdict.
_ODDS = 10.0
# So many characters without any kana are not Japanese; more than this share of kana is not Chinese.
_KANA_EXPECTED, _KANA_SHARE = 10, 0.1


def require_for(language: str) -> None:
    """Raise CrossinError where a language cannot be recognised without lingua, and it is not installed."""
    if script_of(language) in CONFUSED:
        require("text", "lingua")


def likelihood(text: str, language: str, *, source_text: str = "", source: str = "en") -> float:
    """How well a text fits `language`, 0..1; below 0.1 it is in another language, and 1 if it is too short.

    For a script of its own: the share of its letters in that script; 0 in the other Chinese script. For a
    shared script: how likely lingua finds the language, compared with the likeliest one. Words of
    `source_text`, which is in the language `source`, do not count: names do not change in a translation.
    """
    known = {word.casefold() for word in _WORD.findall(source_text)}
    words = [word for word in _WORD.findall(text[: 4 * _HEAD]) if word.casefold() not in known]
    own = " ".join(words)[:_HEAD]
    letters, share = script_share(own, language)
    script = script_of(language)
    if letters < _FEW or not scripts_of(language):
        return 1.0
    if share < _OWN_SHARE:
        # Half of the letters in another script is much, but a short text may be all names.
        return share / 5 if letters >= _SOME else share
    if is_other_chinese(own, script):
        return 0.0
    if script == "Jpan":
        return 1.0 if letters < _SOME or any(letter_script(x) == "Kana" for x in own) else 0.05
    if script not in CONFUSED:
        return share
    if letters < _SURE:
        return 1.0
    found = odds(own, language, {source, "en", *CONFUSED[script].split()})
    return 1.0 if found is None else min(1.0, found if letters >= _SOME else _LENIENT * found)


def verdict(
    text: str, words: Sequence[str], language: str, others: Collection[str], ignored: Collection[str] = ()
) -> int:
    """RIGHT, WRONG or UNDECIDED: whether a text, such as a line of a reply, is in `language`.

    words: the text's words; characters in scripts without spaces. others: the languages that it may be in
    instead. ignored: words that do not count where they are in another script, such as HTML.
    The rules are 3 to 5 of `crossin.metrics.language_fidelity.verdicts`.
    """
    script, code = script_of(language), lingua_code(language)
    own, candidates = scripts_of(language), _known_candidates(script, frozenset(others))
    if script == "Latn" and code not in candidates:
        return UNDECIDED
    written = ((word, next(filter(None, map(letter_script, word)), "")) for word in words)
    scripts = [name for word, name in written if name and (name in own or word not in ignored)]
    if not own or not scripts:
        return UNDECIDED
    if sum(name in own for name in scripts) < _OWN_SHARE * len(scripts):
        return WRONG
    kana = scripts.count("Kana")
    if script == "Jpan" and not kana and len(scripts) >= _KANA_EXPECTED:
        return WRONG
    if own == ("Han",) and kana > _KANA_SHARE * len(scripts):
        return WRONG
    if is_other_chinese(text, script):
        return WRONG
    if len(scripts) >= _WORDS and len(candidates) > 1 and code in candidates:
        found = odds(text, language, candidates)
        assert found is not None
        return RIGHT if found > _ODDS else WRONG if found < 1 / _ODDS else UNDECIDED
    return UNDECIDED if script == "Latn" else RIGHT


def odds(text: str, language: str, others: Collection[str]) -> float | None:
    """How many times likelier lingua finds `language` than the likeliest of the `others`; None where it does
    not know the language.
    """
    code, known = lingua_code(language), lingua_languages()
    if code not in known:
        return None
    candidates = frozenset({code, *map(lingua_code, others)}).intersection(known)
    values = _detector(candidates).compute_language_confidence_values(text)
    found = {_code_of(value.language): value.value for value in values}
    own, other = found.pop(code), max(found.values(), default=0.0)
    return own / other if other else float("inf") if own else 1.0


def can_judge(language: str) -> bool:
    """Whether texts can be told to be in this language: lingua knows it, or it is not in Latin script."""
    return lingua_code(language) in lingua_languages() or script_of(language) != "Latn"


def lingua_code(language: str) -> str:
    """lingua's code of a language, whether it knows that or not."""
    code = language.split("-")[0]
    return _LINGUA_CODES.get(code, code)


def _code_of(language: Language) -> str:
    return str(language.iso_code_639_1.name).lower()


@cache
def lingua_languages() -> dict[str, Language]:
    """The languages that lingua knows, by its codes; none where it is not installed."""
    if find_spec("lingua") is None:
        return {}
    from lingua import Language

    return {_code_of(language): language for language in Language.all()}


@lru_cache(maxsize=256)
def _known_candidates(script: str, languages: frozenset[str]) -> frozenset[str]:
    """lingua's codes of those languages that it knows and that are written in `script`."""
    codes = {lingua_code(language) for language in languages} & lingua_languages().keys()
    return frozenset(code for code in codes if script_of(code) == script)


@lru_cache(maxsize=64)
def _detector(candidates: frozenset[str]) -> LanguageDetector:
    from lingua import LanguageDetectorBuilder

    languages = [lingua_languages()[code] for code in sorted(candidates)]
    return LanguageDetectorBuilder.from_languages(*languages).build()
