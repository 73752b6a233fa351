"""Scripts: which one each letter belongs to, and which ones a language is written in."""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from crossin.languages.codes import script_of

# The characters that have a place of their own in tables by character; the rest (rare Han, emoji) share one.
TABLE_SIZE = 0x20000
# Scripts without spaces between words, as ranges of a regular expression: Han, kana, Thai, Lao, Burmese and
# Khmer. Hangul is written with spaces.
SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\U00020000-\U0003ffff"
)

# The first characters of runs of one script, in order; letters between two entries belong to the earlier one.
_RANGES: tuple[tuple[int, str], ...] = (
    (0x0000, "Latin"), (0x0370, "Greek"), (0x0400, "Cyrillic"), (0x0530, "Armenian"), (0x0590, "Hebrew"),
    (0x0600, "Arabic"), (0x0700, "Syriac"), (0x0750, "Arabic"), (0x0780, "Thaana"), (0x07C0, "N'Ko"),
    (0x0800, "other"), (0x0870, "Arabic"), (0x0900, "Devanagari"), (0x0980, "Bengali"), (0x0A00, "Gurmukhi"),
    (0x0A80, "Gujarati"), (0x0B00, "Odia"), (0x0B80, "Tamil"), (0x0C00, "Telugu"), (0x0C80, "Kannada"),
    (0x0D00, "Malayalam"), (0x0D80, "Sinhala"), (0x0E00, "Thai"), (0x0E80, "Lao"), (0x0F00, "Tibetan"),
    (0x1000, "Myanmar"), (0x10A0, "Georgian"), (0x1100, "Hangul"), (0x1200, "Ethiopic"), (0x13A0, "other"),
    (0x1780, "Khmer"), (0x1800, "Mongolian"), (0x18B0, "other"), (0x1C80, "Cyrillic"), (0x1C90, "Georgian"),
    (0x1CC0, "other"), (0x1D00, "Latin"), (0x1F00, "Greek"), (0x2000, "Latin"), (0x2D00, "Georgian"),
    (0x2D30, "other"), (0x2DE0, "Cyrillic"), (0x2E00, "other"), (0x2E80, "Han"), (0x3040, "Kana"),
    (0x3100, "Han"), (0x3130, "Hangul"), (0x3190, "Han"), (0x31F0, "Kana"), (0x3200, "Han"),
    (0xA000, "other"), (0xA640, "Cyrillic"), (0xA6A0, "other"), (0xA720, "Latin"), (0xA800, "other"),
    (0xAC00, "Hangul"), (0xD800, "other"), (0xF900, "Han"), (0xFB00, "Latin"), (0xFB1D, "Hebrew"),
    (0xFB50, "Arabic"), (0xFE00, "other"), (0xFE70, "Arabic"), (0xFF00, "Latin"), (0xFF66, "Kana"),
    (0xFFA0, "Hangul"), (0x10000, "other"), (0x20000, "Han"),
)  # fmt: skip
SCRIPT_NAMES: tuple[str, ...] = tuple(sorted({name for _, name in _RANGES}))
# The scripts by their ISO 15924 code. Korean is Hangul: Han alone is Chinese.
_BY_ISO = {
    "Arab": "Arabic", "Aran": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Cyrl": "Cyrillic",
    "Deva": "Devanagari", "Ethi": "Ethiopic", "Geor": "Georgian", "Grek": "Greek", "Gujr": "Gujarati",
    "Guru": "Gurmukhi", "Hans": "Han", "Hant": "Han", "Hebr": "Hebrew", "Jpan": "Han Kana", "Khmr": "Khmer",
    "Knda": "Kannada", "Kore": "Hangul", "Laoo": "Lao", "Latn": "Latin", "Mlym": "Malayalam",
    "Mymr": "Myanmar", "Orya": "Odia", "Sinh": "Sinhala", "Taml": "Tamil", "Telu": "Telugu", "Thai": "Thai",
    "Tibt": "Tibetan",
}  # fmt: skip


@cache
def letter_scripts() -> npt.NDArray[np.int8]:
    """The script of each character, [TABLE_SIZE + 1]: an index into SCRIPT_NAMES, -1 for what is not a letter
    or mark. The last place is that of all characters from TABLE_SIZE on.
    """
    numbers = np.arange(TABLE_SIZE + 1)
    starts = np.array([start for start, _ in _RANGES])
    names = np.array([SCRIPT_NAMES.index(name) for _, name in _RANGES], dtype=np.int8)
    letter = np.array([unicodedata.category(chr(number))[0] in "LM" for number in numbers])
    letter[TABLE_SIZE] = True
    return np.where(letter, names[np.searchsorted(starts, numbers, side="right") - 1], -1).astype(np.int8)


def scripts_of(language: str) -> tuple[str, ...]:
    """The names in SCRIPT_NAMES of the scripts that a language is written in; none for a rare script."""
    return scripts_of_iso(script_of(language))


def scripts_of_iso(script: str) -> tuple[str, ...]:
    """The names in SCRIPT_NAMES of a script's ISO 15924 code; `Jpan` is two; none for a rare script."""
    return tuple(_BY_ISO.get(script, "").split())


def letter_script(character: str) -> str:
    """The script of a letter; '' for any other character."""
    number = letter_scripts()[min(ord(character), TABLE_SIZE)]
    return SCRIPT_NAMES[number] if number >= 0 else ""


def script_share(text: str, language: str) -> tuple[int, float]:
    """The number of letters in a text, and the share of them in the scripts of a language (0 without any)."""
    counts = script_counts(text)
    letters = sum(counts.values())
    return letters, sum(counts[name] for name in scripts_of(language)) / max(letters, 1)


def script_counts(text: str) -> dict[str, int]:
    """The number of letters of a text in each script, by its name in SCRIPT_NAMES."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.int32)
    found = letter_scripts()[np.minimum(codes, TABLE_SIZE)]
    counts = np.bincount(found[found >= 0], minlength=len(SCRIPT_NAMES))
    return dict(zip(SCRIPT_NAMES, counts.tolist(), strict=True))
