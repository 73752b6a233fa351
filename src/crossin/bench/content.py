"""What the texts of a benchmark say about it: not translated, in another language, digits or length off.

Each language is held against the first by the corpus's own alignment check, the question read as an
instruction, the context as its input, the options (or the reference) as its output; task by task, since
what is usual in one (numbers, names, long texts) is strange in another.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from crossin.bench.findings import Finding
from crossin.core.progress import Progress
from crossin.items.item import Item
from crossin.languages import script_of

# UTF-8 that was read as Latin-1 or Windows-1252, and the mark of a character that could not be read.
_MOJIBAKE = re.compile("Ã[ƒ‚\u0080-\u00bf]|Â[\u0080-\u00bf]|â€|â‚|\ufffd")
# A text with fewer letters may be a formula, and an option with fewer words in lower case a name.
_LETTERS, _WORDS = 8, 2
# The least share of letters in the language's script: formulas and names may be in others.
_SHARE = 0.1
# Scripts as CLDR and as the alignment check call them.
_SCRIPTS: dict[str, tuple[str, ...]] = {
    "Arab": ("Arabic",),
    "Armn": ("Armenian",),
    "Beng": ("Bengali",),
    "Cyrl": ("Cyrillic",),
    "Deva": ("Devanagari",),
    "Ethi": ("Ethiopic",),
    "Geor": ("Georgian",),
    "Grek": ("Greek",),
    "Gujr": ("Gujarati",),
    "Guru": ("Gurmukhi",),
    "Hans": ("Han",),
    "Hant": ("Han",),
    "Hebr": ("Hebrew",),
    "Jpan": ("Han", "Kana"),
    "Khmr": ("Khmer",),
    "Knda": ("Kannada",),
    "Kore": ("Hangul", "Han"),
    "Laoo": ("Lao",),
    "Latn": ("Latin",),
    "Mlym": ("Malayalam",),
    "Mymr": ("Myanmar",),
    "Orya": ("Odia",),
    "Sinh": ("Sinhala",),
    "Taml": ("Tamil",),
    "Telu": ("Telugu",),
    "Thai": ("Thai",),
    "Tibt": ("Tibetan",),
}
_FIELDS = {"instruction": "question", "input": "context", "output": "option"}


def content_findings(
    found: Mapping[str, Mapping[str, Item]], languages: Sequence[str], progress: Progress
) -> tuple[list[Finding], list[str]]:
    """Findings about the texts of each item, and notes about a language as a whole."""
    findings = [finding for versions in found.values() for finding in _same(versions, languages)]
    findings += [finding for versions in found.values() for finding in _moved(versions, languages)]
    notes: list[str] = []
    for language in languages:
        items = [versions[language] for versions in found.values() if language in versions]
        findings += [finding for item in items for finding in _broken(item)]
        findings += _script(items, language)
        notes += _language(items, language)
        pairs: dict[str, list[tuple[Item, Item]]] = defaultdict(list)
        for item in items if language != languages[0] else ():
            if first := found[item.item].get(languages[0]):
                pairs[first.task].append((first, item))
        for task in pairs.values():
            of_task, told = _aligned(task, languages[0], language, progress)
            findings += of_task
            notes += told
    # The first language is looked at again beside each other one.
    return list(dict.fromkeys(findings)), list(dict.fromkeys(notes))


def _same(versions: Mapping[str, Item], languages: Sequence[str]) -> Iterator[Finding]:
    """Texts that are word for word the same in two languages."""
    seen: dict[tuple[str, str], str] = {}
    for language in languages:
        if language not in versions:
            continue
        item = versions[language]
        for field, text in _texts(item):
            plain = text.casefold()
            letters = len(re.findall(r"[^\W\d_]", plain))
            name = field == "option" and sum(word[0].islower() for word in text.split()) < _WORDS
            if letters < _LETTERS or name:
                continue
            other = seen.setdefault((field, plain), language)
            if other != language:
                note = f"as in {other}: {text[:60]}"
                yield Finding(f"same {field} in two languages", language, item.item, False, note)


def _moved(versions: Mapping[str, Item], languages: Sequence[str]) -> Iterator[Finding]:
    """Numbers and names among the options that stand at one another's places: then the answer is another."""
    first = next(versions[language] for language in languages if language in versions)
    before = [_mark(option) for option in first.options]
    for item in versions.values():
        after = [_mark(option) for option in item.options]
        for one, two in combinations(range(min(len(before), len(after))), 2):
            if before[one] != before[two] and (before[one], before[two]) == (after[two], after[one]):
                note = f"{item.options[one]} | {item.options[two]}"
                yield Finding(
                    f"options changed places with {first.language}", item.language, item.item, False, note
                )


def _mark(option: str) -> str:
    """What of an option is the same in every language: its digits where it has some, a name as it is."""
    digits = "".join(str(unicodedata.decimal(one)) for one in option if one.isdecimal())
    return digits or option.strip().casefold()


def _broken(item: Item) -> Iterator[Finding]:
    """Text whose bytes were once read in a wrong encoding."""
    for field, text in _texts(item):
        if found := _MOJIBAKE.search(text):
            note = text[max(0, found.start() - 20) : found.end() + 20]
            yield Finding(f"broken characters in the {field}", item.language, item.item, False, note)


def _script(items: Sequence[Item], language: str) -> Iterator[Finding]:
    """Texts of a language with hardly a letter of a script that it is written in."""
    import numpy
    import pyarrow

    from crossin.alignment.characters import read_text, tables
    from crossin.languages.scripts import SCRIPT_NAMES

    # None where the alignment check does not tell the language's script from others.
    own = [SCRIPT_NAMES.index(name) for name in _SCRIPTS.get(script_of(language), ())]
    for field in ("question", "context") if own else ():
        texts = [getattr(item, field) for item in items]
        read = read_text(pyarrow.array(texts, pyarrow.large_string()))
        script = tables().script[read.codes]
        letters, owned = read.count(script >= 0), read.count(numpy.isin(script, own))
        for index in numpy.flatnonzero((letters >= _LETTERS) & (owned < _SHARE * letters)).tolist():
            note = texts[index][:60]
            yield Finding(f"wrong script in the {field}", language, items[index].item, False, note)


def _texts(item: Item) -> list[tuple[str, str]]:
    """The item's texts, each with what it is."""
    texts = [("question", item.question), ("context", item.context)]
    return [(name, text.strip()) for name, text in (*texts, *(("option", one) for one in item.options))]


def _aligned(
    pairs: Sequence[tuple[Item, Item]], pivot: str, language: str, progress: Progress
) -> tuple[list[Finding], list[str]]:
    import numpy
    import pyarrow

    from crossin.alignment.check import check_alignment
    from crossin.alignment.reasons import AlignmentReason

    columns = [
        {
            "instruction": pyarrow.array([item.question for item in side], pyarrow.large_string()),
            "input": pyarrow.array([item.context for item in side], pyarrow.large_string()),
            "output": pyarrow.array(
                ["\n".join(item.options) or item.answer for item in side], pyarrow.large_string()
            ),
        }
        for side in ([one for one, _ in pairs], [other for _, other in pairs])
    ]
    found = check_alignment(
        columns[0], columns[1], pivot, language, numpy.arange(len(pairs)), progress=progress
    )
    findings = []
    for index in numpy.flatnonzero(found.reason).tolist():
        check = found.check_of(index)
        # `_same` finds texts that are not translated.
        if check is not None and check.reason is not AlignmentReason.UNTRANSLATED:
            reason = check.reason.about(*filter(None, [_FIELDS.get(check.field)]))
            findings.append(Finding(reason, check.language, pairs[index][0].item, False))
    return findings, list(found.notes)


def _language(items: Sequence[Item], language: str) -> list[str]:
    """A note where the texts as a whole look to be in another language; none where lingua is missing."""
    import pyarrow

    from crossin.languages.detection import file_language_notes

    texts = dict.fromkeys(text for item in items for _, text in _texts(item) if text)
    return file_language_notes(pyarrow.array(list(texts), pyarrow.large_string()), language)
