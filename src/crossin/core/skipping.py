"""How much of a file may be left out: more than a tenth stops the run, or is told with its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.reasons import fix_of, sentence_of

MOST_SKIPPED = 0.1
# Fewer rows do not stop a run, unless they are all of their file: of a handful, one is more than a tenth.
_FEW = 5


@dataclass
class FileFaults:
    """What is left out of the `rows` of one file, by reason code, and the number of the first such row, from
    1. `what` is a word on the rows: their language; `unit` is what they are.
    """

    file: str | Path
    rows: int
    what: str = ""
    unit: str = "rows"
    first: int | None = None
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, count: int, first: int | None) -> None:
        """Count rows that are left out for a reason."""
        self.reasons[reason] += count
        self.first = min((one for one in (self.first, first) if one is not None), default=None)


def check_faults(files: Iterable[FileFaults], most: float, override: str) -> list[str]:
    """Notes on the files of which a larger share than `most` is left out.

    Raises CrossinError for the first such file where it is more than a handful of rows or the whole file; its
    hint says what to do, and how to go on without these rows (`override`).
    """
    notes = []
    for one in files:
        count = one.reasons.total()
        if count <= most * one.rows:
            continue
        message, fix = _told(one.rows, one.reasons, one.what, one.unit)
        if count >= _FEW or count == one.rows or most < MOST_SKIPPED:
            hint = f"{fix}; to go on without these rows, {override}" if fix else override
            raise CrossinError(message, file=one.file, row=one.first, hint=hint)
        # Without its folder: the same data elsewhere gives the same manifest.
        notes.append(f"{Path(one.file).name}: {message}{f': {fix}' if fix else ''}")
    return notes


def skipped_note(file: str | Path, rows: int, skipped: Mapping[str, int], unit: str = "rows") -> list[str]:
    """A note with what to do, where more than a tenth is left out for reasons that can be helped."""
    helped = Counter({code: count for code, count in skipped.items() if count and fix_of(code)})
    if helped.total() <= MOST_SKIPPED * rows:
        return []
    message, fix = _told(rows, helped, unit=unit)
    return [f"{Path(file).name}: {message}: {fix}"]


def _told(rows: int, reasons: Counter[str], what: str = "", unit: str = "rows") -> tuple[str, str]:
    """What is left out, and what to do about the most frequent of its reasons."""
    listed = "; ".join(f"{count:,}, {sentence_of(code)}" for code, count in reasons.most_common())
    of = f"{rows:,} {what} {unit}" if what else f"{rows:,} {unit}"
    fixes = dict.fromkeys(filter(None, (fix_of(code) for code, _ in reasons.most_common())))
    return f"{reasons.total():,} of {of} are left out ({listed})", next(iter(fixes), "")
