"""Values that must be the same in every language of an item, but are read from each language's rows.

Such a value decides what is asked (cause or effect), or by what figures are broken down. Files are damaged
in one language and not in others, so the value of most languages counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crossin.core.files import read_json, write_json
from crossin.languages.segmentation import fold

DISAGREEMENTS = "disagreements.json"
# The share of values that the first language has, too, from which a language names things as it does.
_KNOWN = 0.95
# By item: each language's value.
Votes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Disagreement:
    """A language's `value` where most have `agreed`, which is '' where two values are as frequent."""

    item: str
    column: str
    language: str
    value: str
    agreed: str


def settle(column: str, votes: Votes, known: Iterable[str]) -> tuple[dict[str, str], list[Disagreement]]:
    """By item the value of most languages, as `known` spells it, and where languages have another one.

    Of values as frequent, a known one counts before an unknown one; where two known ones are, the item's
    value is ''.
    """
    spelled = {fold(value): value for value in known}
    agreed: dict[str, str] = {}
    disagreements: list[Disagreement] = []
    for item, values in votes.items():
        counts = Counter(fold(value) for value in values.values())
        counts.pop("", None)
        ranked = sorted(counts, key=lambda value: (-counts[value], value not in spelled))
        first, second = [*ranked, "", ""][:2]
        tie = first != "" and counts[first] == counts[second] and second in spelled
        agreed[item] = "" if tie else spelled.get(first, first)
        disagreements += [
            Disagreement(item, column, language, value, agreed[item])
            for language, value in values.items()
            if fold(value) != fold(agreed[item])
        ]
    return agreed, disagreements


def of_one_vocabulary(votes: Votes) -> dict[str, dict[str, str]]:
    """The votes of languages that name things as the first language of each item does: a column may also be
    translated.
    """
    known = {next(iter(values.values())) for values in votes.values()}
    cells = [(code, value) for values in votes.values() for code, value in values.items() if value]
    held, total = Counter(code for code, value in cells if value in known), Counter(code for code, _ in cells)
    return {
        item: {code: value for code, value in values.items() if held[code] >= _KNOWN * total[code]}
        for item, values in votes.items()
    }


def counted(disagreements: Iterable[Disagreement]) -> dict[str, dict[str, int]]:
    """The number of items by column and language."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in disagreements:
        found[one.column][one.language] += 1
    return {column: dict(languages.most_common()) for column, languages in found.items()}


def notes(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What is said of `counted` disagreements, a line for each column."""
    return [
        f"'{column}' differs between the languages of an item in "
        + ", ".join(f"{language} {count:,}" for language, count in languages.items())
        + f": the value of most languages was taken ({DISAGREEMENTS} lists the items)"
        for column, languages in counts.items()
    ]


def write_disagreements(folder: Path, disagreements: Iterable[Disagreement]) -> None:
    """Keep the disagreements in a benchmark's folder."""
    write_json(folder / DISAGREEMENTS, [asdict(one) for one in disagreements])


def read_disagreements(folder: Path) -> list[Disagreement]:
    """The disagreements that a build kept in a benchmark's folder; none where it kept none."""
    file = folder / DISAGREEMENTS
    lines: Any = read_json(file) if file.is_file() else []
    return [Disagreement(**line) for line in lines]
