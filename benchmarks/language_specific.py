"""How often rows are rightly taken for language-specific, and how many such rows are missed, on Alpaca.

    python benchmarks/language_specific.py --data DATA

DATA holds alpaca_en.json. `language_specific_labels.csv` holds one reader's labels, without the texts: a
row's id, a hash of its text, the reason that the first version of the rules gave (`before`), and whether the
row is really specific to its language.

**The labelling rule.** A row is specific if a faithful translation of its instruction, input and output into,
say, Spanish or Thai would be wrong or meaningless, because the task is about the words, not about what they
say. That is so if the row

- asks for a translation, or for a text in a language that it names;
- corrects or judges spelling, grammar, punctuation, capitals or the order of words, or analyses the parts of
  speech or the kind of a given sentence;
- puts a given text into another tense, voice, number or degree, which many languages do not mark;
- depends on letters, sounds, syllables, rhyme or the count of words: puzzles, puns, acronyms that are spelled
  out, alphabetical order, mnemonics, verse in a fixed form;
- asks for words by their relation to words: synonyms, antonyms, homophones, idioms, slang, etymology, or
  prefixes and suffixes.

It is not if the task is solved by meaning: adjectives that describe a castle, a word for a blank, a story in
the first person, a sentence as a question, a proverb explained, what a haiku is, a password, or a program
that counts vowels.

**The samples.** Rows whose id is divisible by 3 served to write the rules. The others were read only when the
rules were final. Of these, the first 200 of each reason in the order of a hash are its sample (all, where
there are fewer). The first 300 and 400 that no rule takes, with and without a word like "sentence", show what
is missed. One reason, `correction`, was narrowed after its sample had been read (then 85.9% of 85 rows), so
that its figure is of rows on which it was made. Whoever changes the rules sees which rows lack a label.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignment import wilson

from crossin.core.formats import FIELDS
from crossin.translation.instruction_rules import LanguageSpecific
from crossin.translation.language_specific import language_specific_reason

LABELS = Path(__file__).with_suffix("").with_name("language_specific_labels.csv")
SAMPLE, SUSPICIOUS, OTHER = 200, 300, 400
# Rows that the first version of the rules took, of those with an id that 3 does not divide.
BEFORE = {
    "translation_task": 223,
    "grammar": 1262,
    "spelling": 78,
    "verse": 321,
    "word_puzzle": 137,
    "letters": 211,
    "word_choice": 454,
    "correction": 133,
}
TELLING = re.compile(
    r"\b(?:words?|sentences?|phrases?|english|languages?|letters?|spell\w*|riddle|jokes?|verbs?|nouns?|adjectives?"
    r"|adverbs?|pronouns?|blanks?|edit|idiom\w*|proverb|grammar\w*|rhym\w*|abbreviat\w*|acronym\w*|translat\w*"
    r"|alphabet\w*|punctuat\w*|tense|vocabulary|poem|slang|prefix|suffix|palindrom\w*|anagram\w*|errors?|mistakes?"
    r"|correct\w*)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Label:
    """A label by hand. before: the reason that the first version of the rules gave, or ''."""

    before: str
    specific: bool


@dataclass(frozen=True)
class Share:
    """How many of `read` rows are specific, of a group of `rows`."""

    rows: int
    read: int
    specific: int

    @property
    def interval(self) -> tuple[float, float]:
        """95%."""
        return wilson(self.specific, self.read)

    def expected(self, share: float | None = None) -> float:
        """So many rows of the group are specific."""
        return self.rows * (self.specific / max(self.read, 1) if share is None else share)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--show", action="store_true", help="print the rows that the rules get wrong")
    options = parser.parse_args()
    path = options.data / "alpaca_en.json"
    if not path.exists():
        parser.error(f"there is no {path}: --data is the folder of Alpaca")
    rows = [{field: row[field] for field in FIELDS} for row in json.loads(path.read_text("utf-8"))]
    labels = read_labels(rows)
    reasons = [language_specific_reason(row, "en") or "" for row in rows]
    print(f"{sum(map(bool, reasons)):,} of {len(rows):,} rows are taken for language-specific")

    order = sorted((number for number in range(len(rows)) if number % 3), key=rank)
    groups: dict[str, list[int]] = {reason.value: [] for reason in LanguageSpecific}
    missed: dict[bool, list[int]] = {True: [], False: []}
    for number in order:
        reason = reasons[number]
        told = bool(TELLING.search(rows[number]["instruction"]))
        (groups[reason] if reason else missed[told]).append(number)

    print("\n| reason | before: rows | read | precision | now: rows | read | precision |")
    print("|---" * 7 + "|")
    before, now = [], []
    for reason, count in BEFORE.items():
        old = [number for number in order if number in labels and labels[number].before == reason]
        before.append(share_of(old[:SAMPLE], count, labels))
        now.append(share_of(groups[reason][:SAMPLE], len(groups[reason]), labels))
        cells = (f"{one.rows:,} | {one.read} | {in_words(one)}" for one in (before[-1], now[-1]))
        print(f"| {reason} | {' | '.join(cells)} |")

    telling = share_of(missed[True][:SUSPICIOUS], len(missed[True]), labels)
    other = share_of(missed[False][:OTHER], len(missed[False]), labels)
    for name, one in (("with a telling word", telling), ("others", other)):
        print(f"\nnot taken, {one.rows:,} {name}: {one.specific} of {one.read} are specific")
    # What is missed is the uncertain part of recall.
    right = sum(one.expected() for one in now)
    misses = [telling.expected() + other.expected()]
    misses += [sum(one.expected(one.interval[end]) for one in (telling, other)) for end in (1, 0)]
    recall, low, high = (right / (right + miss) for miss in misses)
    print(f"recall: {recall:.0%} [{low:.0%} {high:.0%}]")
    print(f"recall before: {sum(one.expected() for one in before) / (right + misses[0]):.0%}")
    then, wrong = (sum(one.rows - one.expected() for one in shares) for shares in (before, now))
    print(f"taken wrongly: {wrong:.0f} rows, {then:.0f} before")
    if options.show:
        show(rows, reasons, labels)


def rank(number: int) -> bytes:
    """The place of a row in the order of sampling."""
    return hashlib.sha256(f"language-specific {number}".encode()).digest()


def read_labels(rows: Sequence[Mapping[str, str]]) -> dict[int, Label]:
    """The labels by row. Ends where a row is not the one that was labelled."""
    found = {}
    with LABELS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            number = int(line["id"])
            text = "\0".join(rows[number].values()) if number < len(rows) else ""
            if hashlib.sha256(text.encode()).hexdigest()[: len(line["hash"])] != line["hash"]:
                raise SystemExit(f"row {number} is not the one that was labelled: another version of Alpaca?")
            found[number] = Label(line["before"], line["specific"] == "1")
    return found


def share_of(sample: Iterable[int], rows: int, labels: Mapping[int, Label]) -> Share:
    sample = list(sample)
    known = [number for number in sample if number in labels]
    unknown = [number for number in sample if number not in labels]
    if unknown:
        print(f"{len(unknown)} rows of this sample have no label: {', '.join(map(str, unknown))}")
    return Share(rows, len(known), sum(labels[number].specific for number in known))


def in_words(one: Share) -> str:
    low, high = one.interval
    return f"{one.specific / max(one.read, 1):.1%} [{100 * low:.1f} {100 * high:.1f}]"


def show(rows: Sequence[Mapping[str, str]], reasons: Sequence[str], labels: Mapping[int, Label]) -> None:
    kinds: Counter[str] = Counter()
    for number, label in labels.items():
        if label.specific == bool(reasons[number]):
            continue
        kind = f"taken wrongly, {reasons[number]}" if reasons[number] else "missed"
        kinds[kind] += 1
        print(f"\n{kind}: row {number}")
        print("\n".join(f"  {text[:150]}" for text in rows[number].values() if text))
    print(kinds)


if __name__ == "__main__":
    main()
