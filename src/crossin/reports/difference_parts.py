"""What a difference in accuracy is made of, as people read it (`crossin.metrics.difference_parts`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from crossin.languages.codes import language_label
from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import Cell, signed_cell, value_cell
from crossin.reports.terminal import add_row, new_table

if TYPE_CHECKING:
    from rich.table import Table

Figures = Mapping[str, Figure]

TITLE = "What the difference in accuracy is made of"
CAPTION = (
    "Shares of questions, by which of two runs answer them: both, only the first (newly answered), or only "
    "the other (no longer answered); how many of these answers are right; and what each part adds to the "
    "difference, which is the sum of the three. A question is answered where an option or an entity could be "
    "read from the reply. In brackets: 95% intervals, not corrected."
)
# The figures, and their names.
_SHARES = {
    "both": "both answer",
    "new": "newly answered",
    "lost": "no longer answered",
    "neither": "neither answers",
}
_ACCURACIES = {
    "both_ours": "both answer: right",
    "both_theirs": "both answer: right, the other",
    "new_accuracy": "newly answered: right",
    "lost_accuracy": "no longer answered: right, the other",
}
_DIFFERENCE = {"both_difference": "both answer: difference"}
_GAINS = {
    "gain_both": "both answer: adds",
    "gain_new": "newly answered: adds",
    "gain_lost": "no longer answered: adds",
}
_NAMES = {**_SHARES, **_GAINS, **_ACCURACIES, **_DIFFERENCE}
HEADS = list(_NAMES.values())


def parts_cells(parts: Figures, language: str = "") -> list[Cell]:
    """The cells of HEADS: over all languages, or of one."""
    end = f"/{language}" if language else ""
    signed = (*_GAINS, *_DIFFERENCE)
    return [(signed_cell if key in signed else value_cell)(parts.get(key + end)) for key in _NAMES]


def parts_rows(parts: Figures, languages: Sequence[str]) -> list[tuple[str, list[Cell]]]:
    """A row for each language, and the mean."""
    rows = [(language_label(language), parts_cells(parts, language)) for language in languages]
    return rows + [("mean", parts_cells(parts))] * (len(languages) > 1)


def parts_table(of_pairs: Mapping[tuple[str, str], Figures]) -> Table:
    """The table for a terminal, over all languages: a column for each pair of runs."""
    heads = [f"{ours} − {theirs}" for ours, theirs in of_pairs]
    made = new_table("questions", heads, title=TITLE, caption=CAPTION)
    columns = [parts_cells(parts) for parts in of_pairs.values()]
    for name, *cells in zip(HEADS, *columns, strict=True):
        add_row(made, name, cells)
    return made


def parts_sentence(difference: Figure, parts: Figures) -> str:
    """The parts of a difference in accuracy, in one sentence."""
    said = [f"{_points(parts['gain_both'])} from the {_share(parts['both'])} of questions that both answer"]
    if not math.isnan(parts["both_ours"].value):
        said[0] += f" ({_share(parts['both_ours'])} right against {_share(parts['both_theirs'])})"
    for share, accuracy, gain, named in (
        ("new", "new_accuracy", "gain_new", "newly answered"),
        ("lost", "lost_accuracy", "gain_lost", "no longer answered"),
    ):
        if parts[share].value > 0:
            right = f"{_share(parts[accuracy])} of them right" + (" before" if share == "lost" else "")
            said.append(f"{_points(parts[gain])} from the {_share(parts[share])} {named} ({right})")
    # The largest part first.
    sizes = ["gain_both", *(f"gain_{share}" for share in ("new", "lost") if parts[share].value > 0)]
    ordered = sorted(zip(sizes, said, strict=True), key=lambda part: -abs(parts[part[0]].value))
    kind = "gain" if difference.value > 0 else "loss" if difference.value < 0 else "difference"
    amount = f"{abs(100 * difference.value):.1f}"
    return f"The {kind} of {amount} points is made of {'; '.join(text for _, text in ordered)}."


def _share(figure: Figure) -> str:
    return f"{100 * figure.value:.1f}%"


def _points(figure: Figure) -> str:
    text = _signed(figure.value)
    return text if math.isnan(figure.low) else f"{text} [{_signed(figure.low)}, {_signed(figure.high)}]"


def _signed(value: float) -> str:
    text = f"{100 * value:+.1f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
