"""Language fidelity: whether a reply is in the language that was asked for.

After the Language Confusion Benchmark (Marchisio et al., 2024, arXiv 2406.20052), whose line-level pass rate
is the share of replies of which every line is in the language asked, and whose word-level pass rate is that
of replies without an English word among those in another script. Here one figure goes by lines, and foreign
words count by their share in a line. Many answers are one name, so how many cannot be judged is told too.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from crossin.core.extras import require
from crossin.languages import script_of
from crossin.metrics.families import Family, observed
from crossin.metrics.normalisation import tokens
from crossin.metrics.table import Floats, Integers
from crossin.metrics.texts import TextTable, Words, mean_family

if TYPE_CHECKING:
    from lingua import Language, LanguageDetector

RIGHT, WRONG, UNDECIDED, ABSENT = 1, 0, -1, -2

# Scripts by their ISO 15924 code: how the Unicode names of their letters begin.
_SCRIPTS = {
    "Arab": "ARABIC", "Armn": "ARMENIAN", "Beng": "BENGALI", "Cyrl": "CYRILLIC", "Deva": "DEVANAGARI",
    "Ethi": "ETHIOPIC", "Geor": "GEORGIAN", "Grek": "GREEK", "Gujr": "GUJARATI", "Guru": "GURMUKHI",
    "Hans": "CJK", "Hant": "CJK", "Hebr": "HEBREW", "Jpan": "HIRAGANA KATAKANA CJK", "Khmr": "KHMER",
    "Knda": "KANNADA", "Kore": "HANGUL", "Laoo": "LAO", "Latn": "LATIN", "Mlym": "MALAYALAM",
    "Mymr": "MYANMAR", "Orya": "ORIYA", "Sinh": "SINHALA", "Taml": "TAMIL", "Telu": "TELUGU", "Thai": "THAI",
    "Tibt": "TIBETAN",
}  # fmt: skip
_NAMES = frozenset(name for names in _SCRIPTS.values() for name in names.split())
# Scripts in which lingua knows several languages.
_SHARED = {"Arab": "arabic", "Cyrl": "cyrillic", "Deva": "devanagari", "Latn": "latin"}
# Where lingua's code differs from CLDR's.
_LINGUA_CODES = {"fil": "tl", "no": "nb"}
# What models fall into: the languages of the Language Confusion Benchmark. They are always candidates.
_LIKELY = ("ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "ru", "tr", "vi", "zh")

# The least share of a line's words that are in the right script.
_OWN_SHARE = 0.5
# With fewer words than this, lingua is not asked: a name can be of any language.
_WORDS = 5
# How many times likelier one language must be than the next.
_ODDS = 10.0
# So many characters in a line without any kana are not Japanese; more than this share of kana is not Chinese.
_KANA_EXPECTED, _KANA_SHARE = 10, 0.1
_KANA = ("HIRAGANA", "KATAKANA")


def fidelity(table: TextTable) -> Floats:
    """Share of the decided replies that are in the language asked, per language: [L], 0..1; nan where none is
    decided. See `verdicts`.
    """
    found = observed(fidelity_family(table))
    return np.array([found[f"fidelity/{language}"] for language in table.languages])


def fidelity_family(table: TextTable) -> Family:
    """`fidelity/<language>`, and `fidelity`, their mean, which is nan where one of them is;
    `undecided/<language>`, the share of items whose reply is there and does not tell its language, and
    `undecided`, their mean. What is left are the missing replies (`missing_family`).
    """
    found = verdicts(table)
    shares = mean_family("fidelity", table.languages, (found == RIGHT).astype(np.float64), found >= WRONG)
    undecided = mean_family("undecided", table.languages, (found == UNDECIDED).astype(np.float64))
    width = shares.columns.shape[1]
    return Family(
        np.hstack([shares.columns, undecided.columns]),
        lambda sums: {**shares.estimate(sums[:, :width]), **undecided.estimate(sums[:, width:])},
    )


def verdicts(table: TextTable) -> Integers:
    """RIGHT, WRONG, UNDECIDED, or ABSENT (no reply) for each reply: [I, L].

    1. A reply that is the item's reference in this language, and in no other of the table though one shares
       the script, is right; one that is the reference in other languages only is wrong. So `Wien` tells
       German from English, and `Paris` does not.
    2. Else every line is judged; one wrong line makes a reply wrong. Where no line can be judged, they are
       judged together.
    3. A line with fewer than half of its words in the language's script is wrong (characters count as words
       in scripts without spaces; foreign words of the reference do not count, such as HTML). So are ten
       characters without kana, as Japanese, and more than a tenth of kana, as Chinese.
    4. Where several candidates share the script, lingua judges lines of five words and more: wrong where some
       other language is ten times likelier than the language asked, right where this is ten times likelier
       than any other, else undecided. Candidates are the languages of the table and of the Language
       Confusion Benchmark.
    5. Any other line is right, but undecided in Latin script: models fall into English, which hides there.

    A language that lingua does not know (Khmer, Nepali) is judged by script alone; where that script is Latin
    (Galician), which tells nothing, only rule 1 is left. Simplified and traditional Chinese are one here.
    """
    require("text", "lingua")
    found = np.full((len(table.items), len(table.languages)), ABSENT, dtype=np.int64)
    for i, (replies, references) in enumerate(zip(table.replies, table.references, strict=True)):
        answers = dict(zip(table.languages, map(_words, references), strict=True))
        for j, (language, reply) in enumerate(zip(table.languages, replies, strict=True)):
            if reply and _words(reply):
                found[i, j] = _verdict(reply, language, answers)
    return found


def _words(text: str) -> Words:
    # Of no one language: an article tells the language as well as any word.
    return tokens(text, "und")


def _verdict(reply: str, language: str, answers: dict[str, Words]) -> int:
    said = _words(reply)
    equal = {other for other, answer in answers.items() if said == answer}
    if equal == {language} and script_of(language) in {
        script_of(other) for other in answers if other != language
    }:
        return RIGHT
    if equal and language not in equal:
        return WRONG
    told = [_judge(line, language, answers) for line in reply.splitlines()]
    decided = [verdict for verdict in told if verdict != UNDECIDED]
    return min(decided) if decided else _judge(" ".join(reply.split()), language, answers)


def _judge(line: str, language: str, answers: dict[str, Words]) -> int:
    script, code = script_of(language), _lingua_code(language)
    own = _SCRIPTS.get(script, "").split()
    candidates = _candidates(script, tuple(answers))
    if script == "Latn" and code not in candidates:
        return UNDECIDED
    written = [(word, _written_in(word)) for word in _words(line)]
    scripts = [name for word, name in written if name and (name in own or word not in answers[language])]
    if not own or not scripts:
        return UNDECIDED
    if sum(name in own for name in scripts) < _OWN_SHARE * len(scripts):
        return WRONG
    kana = sum(name in _KANA for name in scripts)
    if script == "Jpan" and not kana and len(scripts) >= _KANA_EXPECTED:
        return WRONG
    if own == ["CJK"] and kana > _KANA_SHARE * len(scripts):
        return WRONG
    if len(scripts) >= _WORDS and len(candidates) > 1 and code in candidates:
        return _likelier(line, code, candidates)
    return UNDECIDED if script == "Latn" else RIGHT


def _likelier(line: str, code: str, candidates: frozenset[str]) -> int:
    values = _detector(candidates).compute_language_confidence_values(line)
    own = next(found.value for found in values if _code_of(found.language) == code)
    other = max(found.value for found in values if _code_of(found.language) != code)
    if own > _ODDS * other:
        return RIGHT
    return WRONG if other > _ODDS * own else UNDECIDED


@lru_cache(maxsize=2**16)
def _letter(character: str) -> str:
    """The script of a letter, by its Unicode name; '' for any other character."""
    name = unicodedata.name(character, "").split(" ")[0]
    return name if unicodedata.category(character)[0] == "L" and name in _NAMES else ""


def _written_in(word: str) -> str:
    """The script of a word's first letter."""
    return next(filter(None, map(_letter, word)), "")


@lru_cache
def _candidates(script: str, languages: tuple[str, ...]) -> frozenset[str]:
    """lingua's codes of the candidates that are written in a script that languages share."""
    from lingua import Language

    if script not in _SHARED:
        return frozenset()
    known = {_code_of(language) for language in getattr(Language, f"all_with_{_SHARED[script]}_script")()}
    return frozenset(known & {_lingua_code(language) for language in (*languages, *_LIKELY)})


@lru_cache
def _detector(candidates: frozenset[str]) -> LanguageDetector:
    from lingua import Language, LanguageDetectorBuilder

    chosen = sorted((x for x in Language.all() if _code_of(x) in candidates), key=_code_of)
    return LanguageDetectorBuilder.from_languages(*chosen).build()


def _lingua_code(language: str) -> str:
    code = language.split("-")[0]
    return _LINGUA_CODES.get(code, code)


def _code_of(language: Language) -> str:
    return str(language.iso_code_639_1.name).lower()
