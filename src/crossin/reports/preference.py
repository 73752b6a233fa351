"""The page's section on whether answers show knowledge or a preference: for a place in the list, for short
options, and by what decides between options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from crossin.languages.codes import language_label, language_word
from crossin.metrics.significance import corrected
from crossin.reports.cells import NONE, difference_cell, is_significant, label, short, value_cell
from crossin.reports.figures_html import TableLine, box, cell_html, folded, table_html
from crossin.reports.other_choices import changed_marks, own_choice
from crossin.reports.sentences import in_a_row, percent
from crossin.reports.summary import Figures, Summary

_CHOICES = {
    "sum": "the sum of an option's log-probabilities",
    "token": "the log-probability per token",
    "byte": "the log-probability per byte",
}
_BIAS = (
    "The share of answers that are the shortest option, or at a place of the prompt's list; in brackets, the "
    "share of right answers that are. A mark says that the two differ, after Holm's correction over the "
    "languages. Only questions with an answer count."
)


def preference_html(summary: Summary, choices: Mapping[str, Summary]) -> str:
    """The section; empty where nothing is known of places, lengths or choices. choices: of `by_choices`."""
    traits = traits_of(summary)
    if not traits and not choices:
        return ""
    said = [*(_bias_sentences(summary, traits)), *choice_sentences(summary, choices)]
    sentences = "".join(f"<li>{escape(one)}</li>" for one in said)
    body = f'<ul class="sentences">{sentences}</ul>{_bias(summary, traits)}{_by_choice(summary, choices)}'
    return f'<section id="preference"><h2>Knowledge or preference?</h2>{body}</section>'


def traits_of(summary: Summary) -> list[str]:
    """What is known of the options chosen, in some run: `shortest`, `place_1` and so on."""
    found = (key for figures in summary.by_arm.values() for key in figures)
    return list(dict.fromkeys(key.removesuffix("_excess") for key in found if key.endswith("_excess")))


def corrected_excess(figures: Figures) -> dict[str, float]:
    """The p-values of each excess by language, after Holm's correction over the languages."""
    return corrected({key: one.p for key, one in figures.items() if "_excess/" in key})


def choice_sentences(summary: Summary, choices: Mapping[str, Summary]) -> list[str]:
    """Which marks of the main difference another choice takes away or turns round."""
    if summary.main_pair is None or not choices:
        return []
    rows: dict[tuple[str, bool], list[str]] = {}
    for one in changed_marks(summary, choices):
        rows.setdefault((one.choice, one.reverses), []).append(one.figure)
    said = []
    for (choice, reverses), keys in rows.items():
        several = len(keys) > 1
        verb = ("are" if several else "is") + " reversed" if reverses else "vanish" + "es" * (not several)
        marks = f"mark{'s' if several else ''} of {in_a_row(_named(keys))}"
        said.append(f"Where {_CHOICES[choice]} decides, the {marks} {verb}.")
    return said or ["Every mark of the main difference stays, whatever decides between options."]


def _bias_sentences(summary: Summary, traits: Sequence[str]) -> list[str]:
    """The clear preference of the run under study that is farthest from the right answers, of each kind."""
    figures = summary.by_arm[summary.subject]
    p = corrected_excess(figures)
    said = []
    short_ones = [trait for trait in traits if trait == "shortest"]
    for of_kind in (short_ones, [trait for trait in traits if trait not in short_ones]):
        clear = [
            (figures[f"{trait}_excess/{code}"].value, trait, code)
            for trait in of_kind
            for code in summary.choice_languages
            if is_significant(figures[f"{trait}_excess/{code}"], p.get(f"{trait}_excess/{code}"))
        ]
        if clear and (largest := max(clear))[0] > 0:
            _, trait, code = largest
            ours, golds = figures[f"{trait}/{code}"], figures[f"{trait}_gold/{code}"]
            said.append(
                f"In {language_word(code)}, {percent(ours.value)} of {summary.subject}'s answers are "
                f"{_in_words(trait)}, which is right {percent(golds.value)} of the time."
            )
        elif of_kind:
            kind = "short options" if of_kind == ["shortest"] else "a place in the list"
            said.append(f"{summary.subject} shows no clear preference for {kind}.")
    return said


def _named(keys: Sequence[str]) -> list[str]:
    """Figures in words, the languages of one together: `accuracy in Thai and Greek`, `mean accuracy`."""
    languages: dict[str, list[str]] = {}
    for key in keys:
        figure, _, language = key.partition("/")
        languages.setdefault(figure if language else key, []).extend([language] * bool(language))
    named = []
    for key, codes in languages.items():
        if codes:
            named.append(f"{label(f'{key}/').strip()} in {in_a_row(list(map(language_word, codes)))}")
        if not codes or key in keys:
            named.append("mean accuracy" if key == "accuracy" else label(key))
    return named


def _in_words(trait: str) -> str:
    return "the shortest option" if trait == "shortest" else f"in place {trait.removeprefix('place_')}"


def _bias(summary: Summary, traits: Sequence[str]) -> str:
    """A table of the shortest options, with a column for each run, and one of the places for each run."""
    parts = []
    if "shortest" in traits:
        columns = {name: (figures, "shortest") for name, figures in summary.by_arm.items()}
        parts.append(box("Shortest options", _shares(summary, "shortest", columns)))
    places = [trait for trait in traits if trait != "shortest"]
    for name, figures in summary.by_arm.items() if places else ():
        columns = {trait.replace("_", " "): (figures, trait) for trait in places}
        made = box(f"Places: {name}", _shares(summary, "place in the list", columns))
        parts.append(folded(f"Places: {escape(name)}", made, is_open=name == summary.subject))
    key = f'<p class="key">{escape(_BIAS)}</p>'
    return f"<h3>Which options are chosen</h3>{''.join(parts)}{key}" if parts else ""


def _shares(summary: Summary, corner: str, columns: Mapping[str, tuple[Figures, str]]) -> str:
    """A row for each language, and a column for each head, of the figures of a run and a trait."""
    p = {head: corrected_excess(figures) for head, (figures, _) in columns.items()}
    codes = summary.choice_languages
    lines = []
    for code in (*codes, *([""] if len(codes) > 1 else [])):
        cells = [_share(figures, trait, code, p[head]) for head, (figures, trait) in columns.items()]
        name = escape(language_label(code)) if code else "mean"
        lines.append(TableLine(name, cells, "" if code else "sum"))
    return table_html(corner, [f'<th scope="col">{escape(head)}</th>' for head in columns], [lines])


def _share(figures: Figures, trait: str, code: str, p: Mapping[str, float]) -> str:
    """The share of answers, that of the right answers, and a mark where they differ."""
    end = f"/{code}" if code else ""
    key, golds = f"{trait}_excess{end}", figures.get(f"{trait}_gold{end}")
    cell = value_cell(figures.get(f"{trait}{end}"))
    marked = difference_cell(key, figures.get(key), p.get(key)).mark if code else ""
    beside = f"({short(golds.value)})" if golds and cell.value != NONE else ""
    return (
        f'<td title="{escape(cell.interval)}"><b>{escape(cell.value)}</b> '
        f'<span class="interval">{beside}</span> <span class="mark">{marked}</span></td>'
    )


def _by_choice(summary: Summary, choices: Mapping[str, Summary]) -> str:
    """Accuracy of every run, and the main difference by language, by each choice."""
    if not choices:
        return ""
    own = own_choice(summary)
    heads = [
        f'<th scope="col">{choice}{" (as evaluated)" if choice == own else ""}</th>' for choice in choices
    ]
    groups = [[TableLine("accuracy, mean")]]
    for name in summary.results.names:
        cells = [value_cell(of.by_arm[name]["accuracy"]) for of in choices.values()]
        groups[0].append(TableLine(escape(name), list(map(cell_html, cells))))
    if pair := summary.main_pair:
        p = {choice: of.corrected(pair) for choice, of in choices.items()}
        groups.append([TableLine(f"accuracy, {escape(' − '.join(pair))}")])
        for code in (*summary.choice_languages, ""):
            key = f"accuracy/{code}" if code else "accuracy"
            cells = [
                difference_cell(key, of.by_pair[pair][key], p[choice].get(key))
                for choice, of in choices.items()
            ]
            name = escape(language_label(code)) if code else "mean"
            groups[1].append(TableLine(name, list(map(cell_html, cells)), "" if code else "sum"))
    made = box("By what decides between options", table_html("decided by", heads, groups))
    text = ". ".join(f"{choice}: {_CHOICES[choice]}" for choice in choices)
    return f'<h3>By what decides between options</h3>{made}<p class="key">{escape(text)}.</p>'
