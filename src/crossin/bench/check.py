"""Is a benchmark truly parallel? Its form item by item, and then what its texts say.

A structural finding means that an item is not the same question everywhere: figures made from it are wrong.
A content finding is a sign, to be looked at by somebody who reads the language.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from crossin.bench.content import content_findings
from crossin.bench.findings import Finding
from crossin.bench.hardness import hardness
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.items.item import Item, difference, faults, items_file, read_unchecked
from crossin.languages import parse_language

# Items shown of each kind and language.
_EXAMPLES = 3
_ENDS = " .,;:!?。、！？؟।"


@dataclass(frozen=True)
class Report:
    """All that was found in a benchmark of so many items and these languages; `notes` are about a whole
    language.

    `guessing` has for each task `chance`, and the share of items that each heuristic of
    `crossin.bench.hardness` answers rightly, the mean over languages; it is empty where there are structural
    findings or no options.
    """

    items: int
    languages: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    guessing: dict[str, dict[str, float]]

    @property
    def structural(self) -> int:
        """How many findings are structural."""
        return sum(finding.structural for finding in self.findings)

    def counted(self) -> list[dict[str, Any]]:
        """A line for each kind and language, structural first, with a few items as examples."""
        lines: dict[tuple[bool, str, str], list[Finding]] = defaultdict(list)
        for finding in self.findings:
            lines[not finding.structural, finding.kind, finding.language].append(finding)
        return [
            {
                "kind": kind,
                "structural": not content,
                "language": language,
                "count": len(found),
                "examples": [
                    {"item": one.item, "language": language, "note": one.note} for one in found[:_EXAMPLES]
                ],
            }
            for (content, kind, language), found in sorted(lines.items(), key=lambda line: line[0])
        ]


def check_bench(place: Path, *, progress: Progress = silent) -> Report:
    """Look at every item of a benchmark (its file or folder) in every language.

    English, or else the first language, is what the others are held against. Raises CrossinError only for a
    file that cannot be read, and for a language that is not written as CLDR spells it.
    """
    items, file = read_unchecked(place), items_file(place)
    if not items:
        raise CrossinError("holds no items", file=file, hint="build the benchmark again")
    _check_codes(items, file)
    languages = sorted(dict.fromkeys(item.language for item in items), key=lambda code: code != "en")
    found: dict[str, dict[str, Item]] = defaultdict(dict)
    findings: list[Finding] = []
    for item in items:
        if item.language in found[item.item]:
            findings.append(_structural("item twice in a language", item))
        else:
            found[item.item][item.language] = item
    for versions in found.values():
        findings += _between(versions, languages)
        for item in versions.values():
            findings += _within(item)
    content, notes = content_findings(found, languages, progress)
    guessing = {} if any(finding.structural for finding in findings) else _guessing(items)
    return Report(len(found), tuple(languages), (*findings, *content), tuple(notes), guessing)


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
            message = f"'{language}' is not spelt as CLDR does"
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


def _structural(kind: str, item: Item, note: str = "") -> Finding:
    return Finding(kind, item.language, item.item, True, note)


def _between(versions: dict[str, Item], languages: Sequence[str]) -> Iterator[Finding]:
    """What sets the languages of an item apart."""
    some = next(iter(versions.values()))
    for language in languages:
        if language not in versions:
            yield Finding("language missing", language, some.item, True)
    first = next(versions[language] for language in languages if language in versions)
    for item in versions.values():
        if differs := difference(first, item):
            kind = {
                "options": "other number of options",
                "option_ids": "other option ids or order",
                "answer": "other answer",
            }
            yield _structural(kind.get(differs[0], f"other {differs[0]}"), item, differs[1])


def _within(item: Item) -> Iterator[Finding]:
    """What is wrong with an item in itself."""
    for fault in faults(item):
        yield _structural(fault.kind, item, fault.value)
    plain = [_plain(option) for option in item.options]
    for text, count in Counter(plain).items():
        if text and count > 1:
            yield _structural("options alike", item, text)
    for inner in plain:
        # As whole words: a reader of replies that looks for the option's text finds both.
        pattern = rf"(?<![\w+−-]){re.escape(inner)}(?!\w)"
        longer = (other for other in plain if inner and inner != other and inner in other)
        outer = next((other for other in longer if re.search(pattern, other)), None)
        if outer is not None:
            yield Finding("option within another", item.language, item.item, False, f"{inner} | {outer}")
            break


def _plain(text: str) -> str:
    """A text as one sees it: one form of each character, any case, single spaces, no mark at its end."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(_ENDS)
