"""Scores and comparisons as tables for a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from crossin.languages.codes import language_name
from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import (
    MARKS,
    NONE,
    Cell,
    difference_cell,
    digits,
    label,
    p_value,
    rounded,
    value_cell,
)
from crossin.reports.terminal import add_row, new_table
from crossin.scoring.comparison import is_overall, shown

if TYPE_CHECKING:
    from rich.table import Table

    from crossin.metrics.table import AnswerTable
    from crossin.scoring.comparison import Comparison
    from crossin.scoring.scores import Score, Wordings
    from crossin.scoring.seaeval_parity import Parity

# The figures of a table whose lines are the languages, and their headings.
_BY_LANGUAGE = {
    "accuracy": "accuracy",
    "answered": "answered",
    "missing": "missing",
    "pivot": "same as {pivot}",
    "kept": "kept",
    "gained": "gained",
    "transfer": "transfer",
}
_TEXT = {
    name: label(name)
    for name in (
        *("exact_match", "containment", "f1", "chrf", "bleu"),
        *("in_language", "fidelity", "undecided", "missing"),
    )
}
_BY_TASK = ("accuracy", "missing", "consistency_2", "kappa_2", "ac3_2")
_BY_SIZE = ("consistency", "kappa", "right", "wrong", "ac3")
# What is not clear from a heading.
_MEANING = {
    "answered": "the reply names an entity of the inventory",
    "missing": "no answer could be read from the reply",
    "pivot": "the same answer as in {pivot}",
    "kept": "right where {pivot} is right",
    "gained": "right where {pivot} is wrong",
    "transfer": "accuracy above chance, as a part of that in {pivot}",
    "consistency": "the same answer in s languages",
    "kappa": "how far consistency is above chance, at most 1",
    "right": "the same right answer",
    "wrong": "the same wrong answer",
    "ac3": "harmonic mean of accuracy and consistency",
    "f1": "words shared with the reference",
    "chrf": "0 to 100",
    "bleu": "0 to 100",
    "containment": "the reply contains the reference",
    "in_language": "of all replies, those in the language asked",
    "fidelity": "of the replies whose language is clear, those in the language asked",
    "undecided": "the reply's language is unclear",
}
_PAIRS = "{} of every two languages; intervals: --json"
_RANKC = ". Opposite rankings have {}, random ones {} on average"
# Figures of ours that mean the same as a harness's.
_OWN = {"acc": ("accuracy",), "accuracy": ("accuracy",), "exact_match": ("exact_match", "accuracy")}
_SUMMARY = ("accuracy", "consistency_2", "kappa_2", "ac3_2", "exact_match", "chrf")


def tables(score: Score, *, details: bool = False) -> list[Table]:
    """The tables of a score; `details` adds the agreement of every two languages."""
    made = []
    choices, texts = score.predictions.choices, score.predictions.texts
    if choices is not None:
        languages = choices.languages
        heads = {name: head.format(pivot=score.pivot) for name, head in _BY_LANGUAGE.items()}
        made.append(_by_language(score.choices, languages, heads, score.pivot))
        if len(languages) > 1 and choices.parallel:
            sizes = range(2, len(languages) + 1)
            rows = {f"s = {s}": {name: score.choices[f"{name}_{s}"] for name in _BY_SIZE} for s in sizes}
            made.append(_of_rows("languages", {name: label(f"{name}_s") for name in _BY_SIZE}, rows))
            made[-1].caption = f"Means over all sets of s languages. {_legend(_BY_SIZE)}"
        if details:
            made += [_pairs(score.choices, languages, kind) for kind in ("agreement", "kappa", "rankc")]
            if score.rankc_references is not None:
                floor, chance = (rounded(value, 4) for value in score.rankc_references)
                made[-1].caption = _PAIRS.format("rankc") + _RANKC.format(floor, chance)
    if score.by_task:
        named = {name for figures in score.by_task.values() for name in figures}
        heads = {name: label(name) for name in _BY_TASK if name in named}
        made.append(_of_rows("task", heads, score.by_task))
    if texts is not None:
        made.append(_by_language(score.texts, texts.languages, _TEXT, score.pivot))
    reported = score.predictions.log.reported
    if reported and (details or _is_other(reported, {**score.texts, **score.choices})):
        made.append(_reported(reported, score.predictions.languages))
    return [table for table in made if table.row_count]


def _is_other(reported: Mapping[str, float], figures: Mapping[str, Figure]) -> bool:
    """Whether a harness's own accuracy, or exact match, is another than ours in some language."""
    for name, value in reported.items():
        metric, _, language = name.rpartition("/")
        ours = [
            figures[f"{own}/{language}"].value
            for own in _OWN.get(metric.partition(",")[0], ())
            if f"{own}/{language}" in figures
        ]
        if ours and not any(math.isclose(value, own, abs_tol=1e-12) for own in ours):
            return True
    return False


def _reported(reported: Mapping[str, float], languages: Sequence[str]) -> Table:
    """The harness's own figures, by language."""
    metrics = dict.fromkeys(name.rpartition("/")[0] for name in reported)
    made = new_table("reported", [*metrics, ""])
    for language in languages:
        values = [reported.get(f"{metric}/{language}", math.nan) for metric in metrics]
        add_row(made, language, [*map(digits, values), _name(language)])
    made.caption = "The harness's own figures: the mean of what it logged for each record."
    return made


def summary(scores: Sequence[Score]) -> Table:
    """Many scores in one table, a line each; names that occur twice are shown with benchmark or file."""
    names = [score.predictions.name for score in scores]
    of = [score.predictions.log.benchmark for score in scores]
    if len(set(names)) < len(names) and len(set(of)) > 1:
        names = [
            f"{name}, {benchmark}" if benchmark else name for name, benchmark in zip(names, of, strict=True)
        ]
    rows = {}
    for score, name in zip(scores, names, strict=True):
        shown = name if names.count(name) == 1 else f"{name} ({score.predictions.file})"
        rows[shown] = {**score.texts, **score.choices}
    columns = [name for name in _SUMMARY if any(name in figures for figures in rows.values())]
    made = _of_rows("model", {name: label(name) for name in columns}, rows)
    made.caption = _legend(columns)
    return made


def wordings_table(wordings: Wordings) -> Table:
    """Median and range of each overall figure over the wordings of the prompt."""
    made = new_table(f"{wordings.model}: {len(wordings.prompts)} wordings", ["median", "lowest", "highest"])
    for name, found in wordings.spread.items():
        if is_overall(name, wordings.spread):
            add_row(made, label(name), [digits(x) for x in (found.median, found.low, found.high)])
    same = value_cell(wordings.agreement["wording_agreement"])
    made.caption = f"The same answer under all wordings of the prompt: {same}"
    return made


def comparison_tables(comparison: Comparison) -> list[Table]:
    """A table for multiple choice and one for free text: both models and their paired difference."""
    made = []
    kinds = (_kind(comparison.ours.choices), comparison.choices), ("free text", comparison.texts)
    for kind, compared in kinds:
        if compared is None:
            continue
        tests = {f"accuracy/{language}": p for language, p in comparison.p.items()}
        table = new_table(kind, ["A", "B", "A − B", "p, Holm"])
        names = shown(compared.difference)
        for name in names:
            difference, holm = compared.difference[name], compared.corrected.get(name)
            alone = tests.get(name, difference.p)
            cells: list[Cell | str] = [value_cell(compared.ours[name]), value_cell(compared.theirs[name])]
            cells.append(difference_cell(name, difference, holm))
            cells.append(NONE if holm is None else f"{p_value(alone)}, {p_value(holm)}")
            # The name stands below, as the intervals do.
            named = "\n".join(filter(None, (label(name), _name(name.partition("/")[2]))))
            add_row(table, named, cells)
        table.caption = f"{MARKS} {_legend(names, comparison.pivot)}"
        made.append(table)
    return made


def _kind(table: AnswerTable | None) -> str:
    """What the answers of a table are."""
    pools = table.pools if table else ()
    if not any(pools):
        return "multiple choice"
    return "entities named" if all(pools) else "options and entities"


def parity_table(found: Sequence[Parity]) -> Table:
    """SeaEval's figures of many logs, and how far they are from those published."""
    shown = {"overall_acc": "accuracy", "consistency_score_2": "consistency_2", "AC3_2": "AC3_2"}
    made = new_table("log", [*shown.values(), "drawn", "off by"])
    for one in found:
        cells = [digits(one.scores.get(name, math.nan)) for name in shown]
        cells += [f"{one.undetermined}/{one.cells}", NONE if one.furthest is None else f"{one.furthest:.1e}"]
        add_row(made, f"{one.file.parent.name}/{one.file.stem}", cells)
    made.caption = (
        "drawn: answers that SeaEval draws at random; the figures are expected values over the draws. "
        "off by: the largest difference to a figure published beside the log."
    )
    return made


def _legend(figures: Collection[str], pivot: str = "") -> str:
    """The meaning of the figures and of the brackets."""
    stems = dict.fromkeys(re.sub(r"_\d+$|/.*", "", figure) for figure in figures)
    named = [("AC3" if x == "ac3" else label(x), _MEANING[x]) for x in stems if x in _MEANING]
    meanings = [f"{name}: {meaning.format(pivot=pivot)}" for name, meaning in named]
    return "; ".join(["[ ]: 95% interval, not corrected", *meanings]) + "."


def _of_rows(corner: str, heads: Mapping[str, str], rows: Mapping[str, Mapping[str, Figure]]) -> Table:
    """Figures by row and by name; `heads` has the names shown, and their headings."""
    made = new_table(corner, heads.values())
    for row, figures in rows.items():
        add_row(made, row, [value_cell(figures.get(name)) for name in heads])
    return made


def _by_language(
    figures: Mapping[str, Figure], languages: Sequence[str], heads: Mapping[str, str], pivot: str
) -> Table:
    rows = {
        language: {name: figures[f"{name}/{language}"] for name in heads if f"{name}/{language}" in figures}
        for language in languages
    }
    shown = {name: head for name, head in heads.items() if _worth_showing(name, rows)}
    if "answered" in shown:
        # It says the same.
        shown.pop("missing", None)
    made = new_table("language", [*shown.values(), ""])
    for language, found in rows.items():
        add_row(made, language, [*(value_cell(found.get(name)) for name in shown), _name(language)])
    if len(languages) > 1:
        made.add_section()
        add_row(made, "mean", [value_cell(figures.get(name)) for name in shown])
    # The heading of the figure `pivot` explains it.
    made.caption = _legend([name for name in shown if name != "pivot"], pivot)
    return made


def _name(language: str) -> str:
    """The English name of a language; '' for what is not one language."""
    return language_name(language).partition(" ")[2] if "+" not in language else ""


def _worth_showing(name: str, rows: Mapping[str, Mapping[str, Figure]]) -> bool:
    values = [figures[name].value for figures in rows.values() if name in figures]
    return any(value != 0 for value in values) if name in ("missing", "undecided") else bool(values)


def _pairs(figures: Mapping[str, Figure], languages: Sequence[str], kind: str) -> Table:
    """A figure of every two languages, above the diagonal, without intervals."""
    made = new_table(kind, languages[1:])
    made.caption = _PAIRS.format(kind)
    for row, first in enumerate(languages[:-1]):
        keys = [f"{kind}/{first}+{second}" for second in languages[row + 1 :]]
        if all(key in figures for key in keys):
            add_row(made, language_name(first), [""] * row + [value_cell(figures[key]).value for key in keys])
    return made
