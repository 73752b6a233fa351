"""Is a benchmark truly parallel? First the form of its items, then what its texts say.

A structural finding means that an item is not the same question everywhere: figures from it are wrong. A
content finding is a sign, for somebody who reads the language to look at.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from crossin.bench.assemble import NotBuilt
from crossin.bench.content import ContentSign, Finding, content_findings
from crossin.bench.golds import golds_apart, right_elsewhere
from crossin.bench.heuristics import hardness
from crossin.bench.inventories import entity_faults
from crossin.bench.keys import read_disagreements
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.items.item import (
    Fault,
    Item,
    ItemFault,
    difference,
    faults,
    items_file,
    read_unchecked,
    share_items,
)
from crossin.languages import parse_language
from crossin.languages.segmentation import fold

# Examples of each reason and language.
_EXAMPLES = 3
_NOT_PARALLEL = (
    "each item is in one language only: the benchmark is not parallel, and has accuracy by language, but no "
    "consistency"
)
_ENDS = " .,;:!?。、！？؟।"


@dataclass(frozen=True)
class CheckResult:
    """The findings in a benchmark of `items` items in these languages; `notes` are about whole languages.

    `guessing` has by task the `chance`, and the share of items that each heuristic of
    `crossin.bench.heuristics` answers right, the mean over languages. It is empty where there are structural
    findings or no options.
    """

    items: int
    languages: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    guessing: dict[str, dict[str, float]]

    @property
    def structural(self) -> int:
        """The number of structural findings."""
        return sum(finding.structural for finding in self.findings)

    def counted(self) -> list[dict[str, Any]]:
        """A line for each reason and language, structural ones first, with a few items as examples."""
        lines: dict[tuple[bool, str, str], list[Finding]] = defaultdict(list)
        for finding in self.findings:
            lines[not finding.structural, finding.reason, finding.language].append(finding)
        return [
            {
                "reason": reason,
                "structural": not content,
                "language": language,
                "count": len(found),
                "examples": [{"item": one.item, "note": one.note} for one in found[:_EXAMPLES]],
            }
            for (content, reason, language), found in sorted(lines.items(), key=lambda line: line[0])
        ]


def check_bench(place: Path | str, *, progress: Progress = silent) -> CheckResult:
    """Check every item of a benchmark (its file or folder) in every language.

    The others are compared with English, or else with the first language. Raises CrossinError only for a file
    that cannot be read, and for a language that is not spelt as in CLDR.
    """
    items, file = read_unchecked(place), items_file(place)
    if not items:
        raise CrossinError("there are no items", file=file, hint="build the benchmark again")
    _check_codes(items, file)
    languages = sorted(dict.fromkeys(item.language for item in items), key=lambda code: code != "en")
    found: dict[str, dict[str, Item]] = defaultdict(dict)
    findings: list[Finding] = []
    for item in items:
        if item.language in found[item.item]:
            findings.append(Finding(ItemFault.ITEM_TWICE, item.language, item.item, True))
        else:
            found[item.item][item.language] = item
    parallel = share_items(items)
    for name, versions in found.items():
        missing = [language for language in languages if parallel and language not in versions]
        findings += [Finding(ItemFault.MISSING_LANGUAGE, language, name, True) for language in missing]
        first = next(versions[language] for language in languages if language in versions)
        for item in versions.values():
            if differs := difference(first, item):
                findings.append(_structural(differs, item))
            findings += _within(item)
    findings += [_structural(fault, item) for item, fault in entity_faults(items, file.parent)]
    findings += _source_findings(file.parent, found)
    findings += _golds(found, languages)
    content, notes = content_findings(found, languages, progress)
    if not parallel:
        notes.insert(0, _NOT_PARALLEL)
    guessing = {} if any(finding.structural for finding in findings) else _guessing(items)
    return CheckResult(len(found), tuple(languages), (*findings, *content), tuple(notes), guessing)


def _check_codes(items: Sequence[Item], file: Path) -> None:
    """Two spellings of a language would be two languages, and an unknown one has no script."""
    rows: dict[str, int] = {}
    for row, item in enumerate(items, start=1):
        rows.setdefault(item.language, row)
    for language, row in rows.items():
        try:
            code = parse_language(language)
        except CrossinError as error:
            raise CrossinError(
                error.message, file=file, row=row, field="language", hint=error.hint
            ) from error
        if code != language:
            message = f"'{language}' is not spelt as in CLDR"
            raise CrossinError(message, file=file, row=row, field="language", hint=f"write {code}")


def _guessing(items: Sequence[Item]) -> dict[str, dict[str, float]]:
    tasks: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.options:
            tasks[item.task].append(item)
    return {
        task: {
            "chance": fmean(1 / len(item.options) for item in asked),
            **{heuristic: shares["mean"] for heuristic, shares in hardness(asked).items()},
        }
        for task, asked in tasks.items()
    }


def _structural(fault: Fault, item: Item) -> Finding:
    return Finding(fault.reason, item.language, item.item, True, fault.detail)


def _golds(found: Mapping[str, Mapping[str, Item]], languages: Sequence[str]) -> Iterator[Finding]:
    """Items of a language that are one text with two golds.

    A question that has several references in every language has several right answers; where one language
    does not tell it from another question, these are right answers of both. A sum has one result.
    """
    sound = {
        language: [
            versions[language]
            for versions in found.values()
            if language in versions and not any(faults(versions[language]))
        ]
        for language in languages
    }
    apart = {language: list(golds_apart(items)) for language, items in sound.items()}
    # By name, the items that are the same text in every language.
    alike: dict[str, set[str]] = defaultdict(set)
    for one_name, two_name in set.intersection(
        *({(one.item, two.item) for one, two in pairs} for pairs in apart.values())
    ):
        alike[one_name].add(two_name)
        alike[two_name].add(one_name)

    def accepted(item: Item) -> set[str]:
        return {found[name][item.language].right_text for name in (item.item, *alike[item.item])}

    seen: set[tuple[str, str]] = set()
    for language, pairs in apart.items():
        for one, two in pairs:
            words = one.free_text and one.answer_type == "text"
            several = words and two.item in alike[one.item]
            if words and not several and accepted(one) & accepted(two):
                continue
            if several and (one.item, two.item) in seen:
                continue
            reason = ContentSign.OTHER_REFERENCE if several else NotBuilt.TWO_GOLDS
            for item, other in ((one, two), (two, one)):
                note = f"{item.right_text}; {other.item}: {other.right_text}"
                yield Finding(reason, language, item.item, not several, note)
                seen.add((item.item, other.item))
        for item, other in right_elsewhere(sound[language]):
            # What is so in one language is mostly so in all.
            if (item.item, other.item) not in seen:
                seen.add((item.item, other.item))
                note = f"{other.right_text}: {other.item}"
                yield Finding(ContentSign.RIGHT_ELSEWHERE, language, item.item, False, note)


def _source_findings(folder: Path, found: Mapping[str, Mapping[str, Item]]) -> Iterator[Finding]:
    """Where a build found that the source differs between the languages of an item."""
    for one in read_disagreements(folder):
        if one.language in found.get(one.item, {}):
            note = f"{one.value or '(empty)'}, in most languages {one.agreed}"
            yield Finding(NotBuilt.KEY_DIFFERS.about(one.column), one.language, one.item, True, note)


def _within(item: Item) -> Iterator[Finding]:
    """What is wrong with an item by itself."""
    for fault in faults(item):
        if fault.reason != ItemFault.OPTIONS_ALIKE:
            yield _structural(fault, item)
    plain = [fold(option).strip(_ENDS) for option in item.options]
    for text, count in Counter(plain).items():
        if text and count > 1:
            yield _structural(Fault(ItemFault.OPTIONS_ALIKE, "options", text), item)
    for inner in plain:
        # As whole words: a reader of replies that looks for the option's text finds both.
        pattern = rf"(?<![\w+−-]){re.escape(inner)}(?!\w)"
        longer = (other for other in plain if inner and inner != other and inner in other)
        outer = next((other for other in longer if re.search(pattern, other)), None)
        if outer is not None:
            note = f"{inner} | {outer}"
            yield Finding(ContentSign.OPTION_IN_OPTION, item.language, item.item, False, note)
            break
