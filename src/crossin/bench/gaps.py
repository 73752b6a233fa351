"""The gap in a question: the dataset's mark, or some tokens, become a mark that occurs nowhere else in the
text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from crossin.bench.assemble import NotBuilt
from crossin.bench.dataset import DatasetRow
from crossin.bench.mapping import TokenSpan
from crossin.bench.row_values import RowValues

# What marks a gap in an item: longer where the text has that already.
_SHORTEST = 4
# How tokenizers in the way of the Penn Treebank write quotes and brackets.
_PENN = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")"}


def with_gap(values: RowValues, row: DatasetRow, text: str, line: str = "") -> tuple[str, str]:
    """The question with its gap marked by a line, `____` or longer than any line in it, and that line; '' for
    a mapping without a gap. line: the mark to use instead. Raises RowFault where there is no gap, or more
    than one.
    """
    gap = values.mapping.gap
    if not gap or not text:
        return text, ""
    if isinstance(gap, TokenSpan):
        start, end = _span(values, row, text, gap)
    else:
        places = [found.start() for found in re.finditer(f"(?={re.escape(gap)})", text)]
        if len(places) != 1:
            raise row.fault(
                NotBuilt.SEVERAL_GAPS if places else NotBuilt.NO_GAP,
                f"expected the mark '{gap}' once, found it {len(places)} times in '{text[:60]}'",
                "question",
                "correct `gap` in the mapping, or the row",
            )
        start, end = places[0], places[0] + len(gap)
    before, after = text[:start], text[end:]
    if before.endswith("_") or after.startswith("_"):
        raise row.fault(
            NotBuilt.SEVERAL_GAPS, f"a line touches the gap in '{text[:60]}'", "question", "repair the row"
        )
    line = line or "_" * max([_SHORTEST, *(len(run) + 1 for run in re.findall("_+", text))])
    return before + line + after, line


def _span(values: RowValues, row: DatasetRow, text: str, gap: TokenSpan) -> tuple[int, int]:
    """Where the tokens of the gap begin and end in the text, in characters."""
    tokens = [str(token) for token in values.list_at(row, gap.tokens, NotBuilt.NO_GAP)]
    span = values.list_at(row, gap.span, NotBuilt.NO_GAP)
    numbers = [number for number in span if type(number) is int]
    places = _places(tokens, text)
    if len(span) != 2 or len(numbers) != 2 or not 0 <= numbers[0] < numbers[1] <= len(tokens):
        raise row.fault(
            NotBuilt.NO_GAP,
            f"{span} is not a span of the {len(tokens)} tokens",
            values.spelled(gap.span),
            "correct `gap.span` in the mapping, or the row",
        )
    if not places:
        raise row.fault(
            NotBuilt.NO_GAP,
            f"'{text[:60]}' is not made of the tokens",
            values.spelled(gap.tokens),
            "correct `gap.tokens` in the mapping, or the row",
        )
    return places[numbers[0]][0], places[numbers[1] - 1][1]


def _places(tokens: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Where each token begins and ends in a text that has nothing but spaces between them; [] for another
    text.
    """
    places, at = [], 0
    for token in map(str.strip, tokens):
        start = at + len(text[at:]) - len(text[at:].lstrip())
        found = next((one for one in (token, _PENN.get(token, token)) if text.startswith(one, start)), None)
        if found is None:
            return []
        at = start + len(found)
        places.append((start, at))
    return [] if text[at:].strip() else places
