"""The gap in a question: the dataset's mark becomes one that occurs nowhere else in the text."""

from __future__ import annotations

import re

# What marks a gap in an item: longer where the text has that already.
_SHORTEST = 4


def occurrences(text: str, mark: str) -> int:
    """How often a mark occurs in a text, overlaps too."""
    return len(re.findall(f"(?={re.escape(mark)})", text))


def with_gap(text: str, mark: str) -> tuple[str, str]:
    """The text with a line in the place of the one `mark`, and that line: `____`, or longer than any line
    that the text has.
    """
    before, after = text.split(mark)
    runs = re.findall("_+", f"{before} {after}")
    line = "_" * max([_SHORTEST, *(len(run) + 1 for run in runs)])
    return before + line + after, line
