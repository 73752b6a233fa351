"""Signs in the texts of a benchmark: not translated, in another language, digits or length off.

Each language is compared with the first by the corpus's alignment check, with the question as instruction,
the context as input, and the options (or the reference) as output; task by task, since what is usual in one
(numbers, names, long texts) is unusual in another. Whether the texts say the same is judged over all tasks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy
import pyarrow

from crossin.alignment.check import check_alignment
from crossin.alignment.reasons import AlignmentReason
from crossin.bench.assemble import NotBuilt
from crossin.bench.option_order import compare_options, mark
from crossin.bench.row_order import compare_rows
from crossin.core.progress import Progress
from crossin.core.reasons import Reason
from crossin.items.item import Item, faults
from crossin.languages.codes import language_name
from crossin.languages.file_language import wrong_language
from crossin.languages.scripts import script_share, scripts_of

# UTF-8 that was read as Latin-1 or Windows-1252, and the replacement character.
_MOJIBAKE = re.compile("Ã[ƒ‚\u0080-\u00bf]|Â[\u0080-\u00bf]|â€|â‚|\ufffd")
# A text with fewer letters may be a formula, and an option with fewer words in lower case a name.
_LETTERS, _WORDS = 8, 2
# The least share of letters in the language's script: formulas and names may be in others.
_SHARE = 0.1
# The alignment check's fields by what they are here.
_FIELDS = {"instruction": "question", "input": "context", "output": "option"}


class ContentSign(Reason):
    """What looks wrong with an item's texts, besides the reasons of the alignment check."""

    SAME_TEXT = "same_text", "the same text in two languages"
    OPTIONS_SWAPPED = "options_swapped", "options changed places between languages"
    BROKEN_CHARACTERS = "broken_characters", "broken characters"
    WRONG_SCRIPT = "wrong_script", "hardly a letter of the language's script"
    OPTION_IN_OPTION = "option_in_option", "an option within another one"
    OTHER_REFERENCE = "other_reference", "the same text as another item, with another reference"
    RIGHT_ELSEWHERE = "right_elsewhere", "a wrong option that is right in another item of the same text"


@dataclass(frozen=True)
class Finding:
    """A reason (a code with details) found for an item in a language; `note` is the text it was found in.

    A structural finding makes figures wrong; another one is a sign, for a reader of the language to look at.
    """

    reason: str
    language: str
    item: str
    structural: bool
    note: str = ""


def content_findings(
    found: Mapping[str, Mapping[str, Item]], languages: Sequence[str], progress: Progress
) -> tuple[list[Finding], list[str]]:
    """Findings about the texts of each item, and notes about whole languages."""
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
            findings += _aligned(task, languages[0], language, progress)
        if together := [pair for task in pairs.values() for pair in task]:
            findings += _together(together, languages[0], language)
    # The first language is checked again with each other one.
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
                yield Finding(ContentSign.SAME_TEXT.about(field), language, item.item, False, note)


def _moved(versions: Mapping[str, Item], languages: Sequence[str]) -> Iterator[Finding]:
    """Numbers and names among the options that changed places with the first language: the answer changes."""
    first = next(versions[language] for language in languages if language in versions)
    before = [mark(option) for option in first.options]
    for item in versions.values():
        after = [mark(option) for option in item.options]
        for one, two in combinations(range(min(len(before), len(after))), 2):
            if before[one] != before[two] and (before[one], before[two]) == (after[two], after[one]):
                note = f"{item.options[one]} | {item.options[two]}"
                yield Finding(ContentSign.OPTIONS_SWAPPED, item.language, item.item, False, note)


def _broken(item: Item) -> Iterator[Finding]:
    """Text whose bytes were once read in a wrong encoding."""
    for field, text in _texts(item):
        if found := _MOJIBAKE.search(text):
            note = text[max(0, found.start() - 20) : found.end() + 20]
            reason = ContentSign.BROKEN_CHARACTERS.about(field)
            yield Finding(reason, item.language, item.item, False, note)


def _script(items: Sequence[Item], language: str) -> Iterator[Finding]:
    """Texts of a language with hardly a letter of a script that it is written in."""
    # None for rare scripts.
    for field in ("question", "context") if scripts_of(language) else ():
        for item in items:
            text: str = getattr(item, field)
            letters, share = script_share(text, language)
            if letters >= _LETTERS and share < _SHARE:
                yield Finding(ContentSign.WRONG_SCRIPT.about(field), language, item.item, False, text[:60])


def _texts(item: Item) -> list[tuple[str, str]]:
    """The item's texts, each with what it is."""
    texts = [("question", item.question), ("context", item.context)]
    return [(name, text.strip()) for name, text in (*texts, *(("option", one) for one in item.options))]


def _aligned(
    pairs: Sequence[tuple[Item, Item]], pivot: str, language: str, progress: Progress
) -> list[Finding]:
    fields = {
        "instruction": lambda item: item.question,
        "input": lambda item: item.context,
        "output": lambda item: "\n".join(item.options) or item.answer,
    }
    ours, theirs = (
        {name: pyarrow.array(map(text, side), pyarrow.large_string()) for name, text in fields.items()}
        for side in zip(*pairs, strict=True)
    )
    found = check_alignment(ours, theirs, pivot, language, numpy.arange(len(pairs)), progress=progress)
    findings = []
    for row, (item, _) in enumerate(pairs):
        check = found.check_of(row)
        # `_same` reports texts that are the same,
        # and `_together` compares what texts say, in tasks of any size.
        if check is not None and check.reason not in (AlignmentReason.UNTRANSLATED, AlignmentReason.CONTENT):
            reason = check.reason.about(*filter(None, [_FIELDS.get(check.field)]))
            findings.append(Finding(reason, check.language, item.item, False))
    return findings


def _together(items: Sequence[tuple[Item, Item]], pivot: str, language: str) -> Iterator[Finding]:
    """Items that are not the same question as in the first language, by what their texts say; and options
    that stand at other places as a whole.
    """
    order = compare_rows(items)
    if order.offset != 0:
        note = f"all items, as in {pivot}"
        yield Finding(NotBuilt.OTHER_ROW, language, items[0][1].item, True, note)
    apart, doubtful = ([items[row][1] for row in rows] for rows in (order.apart, order.doubtful))
    yield from (Finding(NotBuilt.OTHER_ROW, language, one.item, True, one.question[:60]) for one in apart)
    for one in doubtful:
        yield Finding(AlignmentReason.CONTENT, language, one.item, False, one.question[:60])
    sound = [(first, item) for first, item in items if not (any(faults(first)) or any(faults(item)))]
    options = compare_options(sound)
    if options.other:
        note = f"{options.moved} of {options.judged}"
        for name in options.marked or [sound[0][1].item]:
            yield Finding(NotBuilt.OPTIONS_MOVED, language, name, True, note)


def _language(items: Sequence[Item], language: str) -> list[str]:
    """A note where most texts look to be in another language."""
    # Options may be names, which are the same in many languages.
    texts = dict.fromkeys(text for item in items for text in (item.question, item.context))
    wrong = wrong_language(list(texts), language)
    return [f"not in {language_name(language)}: {wrong}"] if wrong else []
