"""Whether a file as a whole is in the language that it is said to be in.

Each of a sample of texts is judged by itself: by the script of its letters first, then, between languages of
a script, by lingua. A file is in another language where most of its texts are, whatever a few untranslated
rows, names or lines of code look like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from crossin.languages.codes import language_name, script_of
from crossin.languages.detection import CONFUSED, lingua_code, lingua_languages, odds
from crossin.languages.scripts import SCRIPT_NAMES, script_counts, scripts_of_iso

if TYPE_CHECKING:
    from lingua import LanguageDetector

OWN, SCRIPT, LANGUAGE = "own", "script", "language"

# Texts that are sampled, and the part of each that is read.
_SAMPLE, _HEAD = 200, 2_000
# Fewer letters may be a name or a formula; half of them where a letter is a syllable. lingua needs more.
_LETTERS, _GUESSED = 10, 20
# With hardly a letter of the language's scripts a text is in another one; with this share, in its own.
_NONE, _SHARE = 0.1, 0.3
# Characters without any kana are no Japanese; more kana than this share is no Chinese.
_KANA = 0.1
# A file is in another language where so many of its judged texts are, and at most so many in its own.
_MOST, _FEW = 0.5, 0.3
# The fewest judged texts for that. With three, one of 2,400 samples of correct files was a false alarm.
_ROWS = 5
# Texts together are not in another language than is said where that is hardly likelier.
_NEARLY = 0.2
# The fewest where all are in a script that the language is not written in.
_STRANGE_ROWS = 3
# The same for a language that lingua does not know: its texts may look like any other's but English.
_SURE = 0.8
# Languages that lingua does not tell apart.
_ALIKE = ({"bs", "hr", "sr"}, {"nb", "nn", "no", "da"}, {"id", "ms"}, {"tl", "fil"})
# Languages that English is a part of.
_NEAR_ENGLISH = {"en", "sco", "pcm", "jam", "kri", "bzj", "gul", "tpi", "bi", "pis", "srn", "wes", "hwc"}
# What is no prose: fenced and inline code, tags, links.
_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|<[^<>\n]{1,200}>|\b(?:https?://|www\.)\S+", re.DOTALL)
# Marks of code, and the largest share of them in prose.
_MARKS, _MARKED = re.compile(r"[(){}\[\];=<>_\\/+*|&^$#]"), 0.06
# A word of prose, with the marks around it.
_PLAIN = re.compile(r"[\"'“‘(\[]*[^\W\d_]+(?:['’-][^\W\d_]+)*[\"'”’)\].,;:!?…]*")


def wrong_language(texts: Sequence[str] | pa.Array, language: str, seed: int = 0) -> str:
    """What a sample of the texts looks like, where that is another language than `language`; else ''.

    Without lingua, and for a language that it does not know, the script decides alone. Texts of a few letters
    and code are not judged.
    """
    chosen = _sampled(texts, seed)
    judged = [found for found in (_judged(text, language) for text in chosen) if found]
    own = sum(found == OWN for found, _ in judged)
    others = Counter(looks for found, looks in judged if found != OWN)
    # In another script all are wrong, whatever each looks like; in the same, what looks alike is, each by
    # itself or all together.
    strange = sum(found == SCRIPT for found, _ in judged)
    enough = _ROWS if strange < len(judged) else _STRANGE_ROWS
    if len(judged) < enough or own > _FEW * len(judged):
        return ""
    first = max(sorted(others), key=others.__getitem__)
    count, most = max(strange, others[first]), _MOST
    joined = " ".join(chosen)[: 2 * _HEAD]
    if count <= most * len(judged) and lingua_code(language) in lingua_languages():
        looks = _between(joined, language, _GUESSED)
        first, count = (looks, len(judged) - own) if looks not in ("", language) else (first, count)
    if not strange and first == "en" and lingua_code(language) not in lingua_languages():
        most = _SURE
    if count <= most * len(judged) or (not strange and _likelier(joined, language, first)):
        return ""
    looks = language_name(first) if first not in SCRIPT_NAMES else f"text in {first} script"
    return f"{count} of {len(judged)} sampled rows look like {looks}, {own} like {language_name(language)}"


def unchecked_notes(languages: Iterable[str]) -> list[str]:
    """A note on the languages that are not told apart from others of their script, for want of lingua."""
    shared = [language for language in languages if script_of(language) in CONFUSED]
    if not shared or lingua_languages():
        return []
    return [f"only the script of {', '.join(shared)} was checked: lingua is not installed (the extra `data`)"]


def _likelier(text: str, language: str, other: str) -> bool:
    """Whether a text is likelier in `language` than in the other and in all that models confuse it with, by
    lingua's slow and better way. Short rows of one form look alike in the fast one.
    """
    others = {other, *CONFUSED.get(script_of(language), "").split()} - {language}
    return (odds(text, language, others) or 0.0) > _NEARLY


def _sampled(texts: Sequence[str] | pa.Array, seed: int) -> list[str]:
    size = min(len(texts), _SAMPLE)
    chosen = np.sort(np.random.default_rng(seed).choice(len(texts), size, replace=False))
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        return [text or "" for text in texts.take(pa.array(chosen)).to_pylist()]
    return [texts[place] for place in chosen]


def _judged(text: str, language: str) -> tuple[str, str] | None:
    """Whether a text is in its language (OWN), in another SCRIPT or LANGUAGE, and what it looks like; None
    where it has no say.
    """
    prose = _NO_PROSE.sub(" ", text[:_HEAD])
    counts = script_counts(prose)
    total, own = sum(counts.values()), sum(counts[name] for name in _scripts(language))
    if not _scripts(language) or not total:
        return None
    script = max(counts, key=counts.__getitem__)
    if 2 * total < _LETTERS or (total < _LETTERS and script in ("Latin", "Cyrillic", "Greek", "Arabic")):
        return None
    if own < _NONE * total:
        looks = _other(prose, script, total)
        return (SCRIPT, looks) if looks else None
    if own < _SHARE * total:
        return None
    main = script_of(language)
    if main == "Jpan" and not counts["Kana"]:
        return SCRIPT, "zh"
    if main in ("Hans", "Hant") and counts["Kana"] > _KANA * total:
        return SCRIPT, "ja"
    looks = _between(prose, language, total)
    return ((OWN if looks == language else LANGUAGE), looks) if looks else None


def _other(prose: str, script: str, letters: int) -> str:
    """What a text in none of the language's scripts is: a language by lingua, or else the script."""
    if script == "Latin" and not _is_prose(prose):
        return ""
    sure = letters >= _GUESSED or script != "Latin"
    return (_guess(prose) if sure else "") or script


def _between(prose: str, language: str, letters: int) -> str:
    """The language among those of its script, '' where that is not known."""
    code, known = lingua_code(language), lingua_languages()
    if script_of(language) not in CONFUSED or not known:
        return language
    if letters < _GUESSED or not _is_prose(prose):
        return ""
    guess = _guess(prose)
    if code not in known:
        return "en" if guess == "en" and language.split("-")[0] not in _NEAR_ENGLISH else language
    alike = next((group for group in _ALIKE if code in group), {code, language})
    return language if guess in alike else guess


def _is_prose(text: str) -> bool:
    """Whether a text in a script with spaces is mostly words: code and formulas are not."""
    words = text.split()
    marks = len(_MARKS.findall(text))
    plain = sum(_PLAIN.fullmatch(word) is not None for word in words)
    return marks <= _MARKED * len(text) and 2 * plain > len(words)


def _guess(text: str) -> str:
    """The likeliest of all languages that lingua knows; '' where it has no guess or is not installed."""
    if not lingua_languages():
        return ""
    guess = _all_languages().detect_language_of(text)
    code = "" if guess is None else str(guess.iso_code_639_1.name).lower()
    return "fil" if code == "tl" else code


@cache
def _scripts(language: str) -> tuple[str, ...]:
    """The scripts that a language may be written in, by CLDR; those of a tag with a script, its own alone."""
    from langcodes import Language
    from langcodes.data_dicts import LIKELY_SUBTAGS

    tag = Language.get(language)
    found = {script_of(language)}
    if tag.script is None:
        found |= {
            full.split("-")[1] for key, full in LIKELY_SUBTAGS.items() if key.split("-")[0] == tag.language
        }
    return tuple(sorted({name for script in found for name in scripts_of_iso(script)}))


@cache
def _all_languages() -> LanguageDetector:
    from lingua import LanguageDetectorBuilder

    return LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()
