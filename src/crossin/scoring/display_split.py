"""What a difference in accuracy is made of, as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossin.languages.codes import language_name
from crossin.reports.cells import difference_cell, value_cell
from crossin.reports.difference_parts import parts_sentence
from crossin.reports.terminal import add_row, new_table

if TYPE_CHECKING:
    from rich.table import Table

    from crossin.scoring.comparison import Comparison

# The kinds of questions, and the figures that are A's and B's accuracy there.
_PARTS = {
    "new": ("newly answered: by A only", "new_accuracy", ""),
    "lost": ("no longer answered: by B only", "", "lost_accuracy"),
    "both": ("both answer", "both_ours", "both_theirs"),
    "neither": ("neither answers", "", ""),
}
_BY_LANGUAGE = {
    "new": "new",
    "new_accuracy": "A right",
    "lost": "lost",
    "lost_accuracy": "B right",
    "both": "both",
    "both_ours": "A right",
    "both_theirs": "B right",
}
_GAINS = {"gain_new": "new adds", "gain_lost": "lost adds", "gain_both": "both add"}
_LEGEND = "[ ]: 95% interval, not corrected; ▲ and ▼: it excludes 0."


def split_tables(comparison: Comparison, *, details: bool = False) -> list[Table]:
    """The parts of the difference in accuracy, none where both models answer every question; `details`: also
    in each language.
    """
    figures, choices = comparison.split, comparison.choices
    if not figures or choices is None:
        return []
    heads = ["questions", "accuracy A", "accuracy B", "adds to A − B"]
    made = new_table("what the difference is made of", heads)
    for kind, (name, ours, theirs) in _PARTS.items():
        cells = [value_cell(figures.get(key)) for key in (kind, ours, theirs)]
        add_row(made, name, [*cells, difference_cell("accuracy", figures.get(f"gain_{kind}"))])
    made.add_section()
    sides = [value_cell(side["accuracy"]) for side in (choices.ours, choices.theirs)]
    whole = difference_cell("accuracy", choices.difference["accuracy"])
    add_row(made, "all", [value_cell(None), *sides, whole])
    made.caption = f"{parts_sentence(choices.difference['accuracy'], figures)} {_LEGEND}"
    return [made, *_by_language(comparison)] if details else [made]


def _by_language(comparison: Comparison) -> list[Table]:
    figures = comparison.split
    shares = new_table("language", [*_BY_LANGUAGE.values(), ""])
    gains = new_table("language", [*_GAINS.values(), ""])
    for language in comparison.ours.languages:
        if f"new/{language}" not in figures:
            continue
        name = language_name(language).partition(" ")[2]
        cells = [value_cell(figures[f"{key}/{language}"]) for key in _BY_LANGUAGE]
        add_row(shares, language, [*cells, name])
        added = [difference_cell("accuracy", figures[f"{key}/{language}"]) for key in _GAINS]
        add_row(gains, language, [*added, name])
    shares.caption = (
        "new: questions that A answers and B does not; lost: that B answers and A does not; both: that both "
        f"answer; and how many of these answers are right. {_LEGEND}"
    )
    gains.caption = f"What each adds to the difference in accuracy. {_LEGEND}"
    return [shares, gains]
