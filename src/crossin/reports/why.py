"""The page's section on why a run is as it is: its languages beside the pivot, pairs of languages, and what
becomes of a question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape

from crossin.charts.heat_map import HeatCell, HeatMap, heat_table
from crossin.languages.codes import language_label, language_word
from crossin.metrics.bootstrap import Figure
from crossin.metrics.outcomes import OUTCOMES
from crossin.reports.cells import NONE, Cell, difference_cell, value_cell
from crossin.reports.figures_html import TableLine, box, cell_content, cell_html, folded, table_html
from crossin.reports.sentences import percent, points, within
from crossin.reports.summary import Summary

# By figure: its heading, and what it means.
_LANGUAGES = {
    "accuracy": ("accuracy", "right answers"),
    "kept": ("kept", "of the questions right in {pivot}, those right in the language, too"),
    "gained": ("gained", "of the questions wrong in {pivot}, those right in the language"),
    "transfer": ("transfer", "how far accuracy is above guessing, as a part of that in {pivot}"),
    "pivot": ("same as {pivot}", "the same answer as in {pivot}, right or wrong"),
}
_PAIRS = {
    "kappa": ("Kappa", "The same answer in two languages, corrected for chance; 1 is always, 0 is chance"),
    "agreement": ("Agreement", "The same answer in two languages, as a share of all questions"),
    "right": ("Right", "The same right answer in two languages, as a share of all questions"),
    "wrong": ("Wrong", "The same wrong answer in two languages, as a share of all questions"),
}
_OUTCOMES = {
    "right_in_all": "right in all languages",
    "right_in_some": "right in some",
    "same_wrong": "the same wrong answer in all",
    "different_wrong": "different wrong answers",
    "missing": "no answer in any language",
}
_UNDEFINED = Figure(math.nan, math.nan, math.nan)


def why_html(summary: Summary) -> str:
    """The section; empty where languages cannot be compared question by question."""
    if not summary.sizes:
        return ""
    return (
        f'<section id="why"><h2>Why: {escape(_versus(summary))}</h2>'
        f"<h3>Language by language</h3>{_sentences(summary)}{_languages(summary)}"
        f"{_pairs(summary)}<h3>What becomes of a question</h3>{_outcomes(summary)}</section>"
    )


def languages_worst_first(summary: Summary) -> list[str]:
    """The languages by the accuracy of the run under study, the pivot before all others."""
    figures = summary.by_arm[summary.subject]
    others = [code for code in summary.choice_languages if code != summary.pivot]
    return [summary.pivot, *sorted(others, key=lambda code: figures[f"accuracy/{code}"].value)]


def _corrected(summary: Summary) -> dict[str, float]:
    return summary.corrected(summary.main_pair) if summary.main_pair else {}


def _versus(summary: Summary) -> str:
    pair = summary.main_pair
    return " against ".join(pair) if pair else summary.subject


def _difference(summary: Summary, key: str) -> Figure:
    return summary.by_pair[summary.main_pair].get(key, _UNDEFINED) if summary.main_pair else _UNDEFINED


def _sentences(summary: Summary) -> str:
    """What the pivot gained or lost, and how the worst language is related to it."""
    subject, pivot, worst = summary.subject, summary.pivot, languages_worst_first(summary)[1]
    figures, key = summary.by_arm[subject], f"accuracy/{summary.pivot}"
    said = f"In {language_word(pivot)}, with which the others are compared, {subject} answers "
    said += f"{percent(figures[key].value)} right {within(figures[key])}"
    if summary.main_pair:
        change = _difference(summary, key)
        clear = summary.is_significant(summary.main_pair, key)
        verb = ("has gained" if change.value > 0 else "has lost") if clear else "has not clearly changed"
        said += f"; against {summary.main_pair[1]} it {verb} ({points(change)})"
    kept, same = figures[f"kept/{worst}"], figures[f"pivot/{worst}"]
    also = (
        f"{language_word(worst)} is worst, with {percent(figures[f'accuracy/{worst}'].value)} right. Of what "
        f"is right in {language_word(pivot)}, {percent(kept.value)} {within(kept)} is right there, too; the "
        f"answer is the same for {percent(same.value)} {within(same)} of the questions."
    )
    return f"<p>{escape(said)}. {escape(also)}</p>"


def _languages(summary: Summary) -> str:
    pivot, chance = language_word(summary.pivot), 0 if math.isnan(summary.chance) else summary.chance
    # Where the pivot may be no better than guessing, transfer divides by almost nothing.
    known = summary.by_arm[summary.subject][f"accuracy/{summary.pivot}"].low > chance
    shown = [name for name in _LANGUAGES if known or name != "transfer"]
    p = _corrected(summary)
    lines = [
        TableLine(
            escape(language_label(code)),
            [_two_lines(summary, f"{name}/{code}", p) for name in shown],
            "sum" if code == summary.pivot else "",
        )
        for code in languages_worst_first(summary)
    ]
    heads = [f'<th scope="col">{escape(_LANGUAGES[name][0].format(pivot=pivot))}</th>' for name in shown]
    meanings = "; ".join(
        f"{head.format(pivot=pivot)}: {text.format(pivot=pivot)}"
        for head, text in (_LANGUAGES[name] for name in shown if name != "accuracy")
    )
    second = f"Below each figure, the difference to {summary.main_pair[1]}. " if summary.main_pair else ""
    text = f"{second}The worst language comes first. {meanings[0].upper()}{meanings[1:]}."
    table = table_html("language", heads, [lines[:1], lines[1:]])
    return f'{box("Language by language", table)}<p class="key">{escape(text)}</p>'


def _two_lines(summary: Summary, key: str, p: dict[str, float]) -> str:
    """The cell of a figure of the run under study, with its main difference below."""
    content = cell_content(value_cell(summary.by_arm[summary.subject].get(key)))
    change = difference_cell(key, _difference(summary, key), p.get(key))
    if change.value != NONE:
        content += f'<div class="{change.tone}">{cell_content(change)}</div>'
    return f"<td>{content}</td>"


def _pairs(summary: Summary) -> str:
    """Heat maps of every two languages, of the run under study and of its main difference."""
    codes, subject, pair = summary.choice_languages, summary.subject, summary.main_pair
    if f"kappa/{codes[0]}+{codes[1]}" not in summary.by_arm[subject]:
        return ""
    p = _corrected(summary)
    parts = []
    for kind, (title, text) in _PAIRS.items():
        keys = [key for key in summary.by_arm[subject] if key.startswith(f"{kind}/")]
        found = {key: summary.by_arm[subject][key] for key in keys}
        cells = {key: value_cell(one) for key, one in found.items()}
        maps = heat_table(_matrix(f"{title}: {subject}", f"{text}.", codes, found, cells))
        if pair:
            found = {key: _difference(summary, key) for key in keys}
            cells = {key: difference_cell(key, one, p.get(key)) for key, one in found.items()}
            maps += heat_table(
                _matrix(f"{title}: {' − '.join(pair)}", "The difference.", codes, found, cells)
            )
        parts.append(folded(title, f'<div class="pair">{maps}</div>', is_open=kind == "kappa"))
    return f"<h3>Which languages agree</h3>{''.join(parts)}"


def _matrix(
    title: str, text: str, codes: Sequence[str], found: Mapping[str, Figure], cells: Mapping[str, Cell]
) -> HeatMap:
    """A figure of every two languages; the strongest colour is that of the largest number."""
    by_pair = {
        key.partition("/")[2]: HeatCell(one.value, cells[key].value + cells[key].mark, str(cells[key]))
        for key, one in found.items()
    }
    rows = []
    for first in codes:
        # A pair is named in the order of the languages.
        pairs = ["+".join(sorted((first, second), key=codes.index)) for second in codes]
        rows.append((first, [by_pair.get(pair, HeatCell(None, "")) for pair in pairs]))
    most = max((abs(one.value) for one in found.values() if not math.isnan(one.value)), default=0)
    return HeatMap(title, text, "language", codes, rows, most)


def _outcomes(summary: Summary) -> str:
    """The share of questions with each outcome, by run, as bars and as a table."""
    pair, items = summary.main_pair, len(_items(summary))
    kinds = [kind for kind in OUTCOMES if kind != "missing" or _is_any(summary, "outcome/missing")]
    p = _corrected(summary)
    lines = []
    for kind in kinds:
        key = f"outcome/{kind}"
        cells = [_counted(figures[key], items) for figures in summary.by_arm.values()]
        if pair:
            # More of an outcome is neither better nor worse.
            change = replace(difference_cell(key, summary.by_pair[pair][key], p.get(key)), tone="")
            cells.append(cell_html(change, "difference"))
        lines.append(TableLine(f'<i class="outcome {kind}"></i>{escape(_OUTCOMES[kind])}', cells))
    named = [*summary.by_arm, *([" − ".join(pair)] if pair else [])]
    heads = [f'<th scope="col">{escape(name)}</th>' for name in named]
    table = table_html("outcome", heads, [lines])
    return _bars(summary, kinds) + box("What becomes of a question", table)


def _bars(summary: Summary, kinds: Sequence[str]) -> str:
    """A bar for each run; the table below says the same."""
    rows = []
    for name, figures in summary.by_arm.items():
        parts = "".join(
            f'<i class="outcome {kind}" style="width:{100 * figures[f"outcome/{kind}"].value:.2f}%"></i>'
            for kind in kinds
        )
        rows.append(f"<div><span>{escape(name)}</span><span>{parts}</span></div>")
    return f'<div class="outcomes" aria-hidden="true">{"".join(rows)}</div>'


def _counted(figure: Figure, items: int) -> str:
    count = f'<span class="count">{round(figure.value * items):,}</span>'
    return f"<td>{cell_content(value_cell(figure))} {count}</td>"


def _items(summary: Summary) -> Sequence[str]:
    choices = summary.results.runs[0].answers.choices
    return choices.items if choices else ()


def _is_any(summary: Summary, key: str) -> bool:
    return any(bool(figures[key].value > 0) for figures in summary.by_arm.values())
