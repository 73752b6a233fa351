"""The result in plain words: what rises, what falls, and what may be chance."""

from __future__ import annotations

import math
from collections.abc import Sequence

from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import excludes_zero, rounded, scale
from crossin.reports.difference_parts import parts_sentence
from crossin.reports.summary import Figures, Summary

# A percentile bootstrap over fewer groups gives intervals that are too narrow (crossin.metrics.intervals).
_FEW_GROUPS = 30
# The figures of free text that sentences give, and what they call them.
_NOUNS = {"exact_match": "exact match", "chrf": "chrF", "fidelity": "replies in the language asked"}


def headline(summary: Summary) -> list[str]:
    """The run under study (the last) against the baseline and the first run; the main result comes first."""
    results = summary.results
    subject = summary.subject
    pairs = [pair for pair in results.pairs if pair[0] == subject]
    if not pairs:
        return _alone(summary, subject)
    sentences = []
    for place, (arm, other) in enumerate(pairs):
        if summary.choice_languages:
            sentences.append(_accuracy(summary, arm, other))
            if parts := summary.parts.get((arm, other)):
                sentences.append(parts_sentence(summary.by_pair[arm, other]["accuracy"], parts))
            if place == 0:
                sentences += _by_language(summary, arm, other)
            sentences += _agreement(summary, arm, other, summary.by_pair[arm, other])
        sentences += text_changes(summary, arm, other)
    return sentences + _warnings(summary, subject)


def _alone(summary: Summary, arm: str) -> list[str]:
    figures = summary.by_arm[arm]
    sentences = []
    if summary.choice_languages:
        guessing = "" if math.isnan(summary.chance) else f", where guessing gives {percent(summary.chance)}"
        sentences.append(
            f"{arm} answers {percent(figures['accuracy'].value)} right on average "
            f"{within(figures['accuracy'])}{guessing}."
        )
    if "consistency_2" in figures:
        sentences.append(
            f"Its answers agree between two languages {percent(figures['consistency_2'].value)} of the time "
            f"{within(figures['consistency_2'])}."
        )
    sentences += texts_alone(summary, arm)
    return sentences + _warnings(summary, arm)


def _accuracy(summary: Summary, arm: str, other: str) -> str:
    ours, theirs = summary.by_arm[arm]["accuracy"], summary.by_arm[other]["accuracy"]
    change = summary.by_pair[arm, other]["accuracy"]
    said = f"{arm} answers {percent(ours.value)} right on average, {other} {percent(theirs.value)}"
    said = f"{said}: {points(change)}."
    row = _mean_row("accuracy", summary.choice_languages)
    if summary.is_significant((arm, other), row):
        return said
    return f"{said} {_unclear(summary, change)}"


def _mean_row(name: str, languages: Sequence[str]) -> str:
    """The mean over one language is that language, and the table has a row for it only."""
    return name if len(languages) > 1 else f"{name}/{''.join(languages)}"


def _unclear(summary: Summary, change: Figure) -> str:
    asked = len(summary.results.items)
    why = "Corrected for the number of figures" if excludes_zero(change) else "The interval includes 0"
    return f"{why}: these {asked} questions do not show which is better."


def texts_alone(summary: Summary, arm: str) -> list[str]:
    """What a run's replies in free text are like."""
    parts = [
        f"{_NOUNS[name]} {_amount(name, found.value)} {within(found, scale(name))}"
        for name, key in _text_keys(summary)
        if not math.isnan((found := summary.by_arm[arm][key]).value)
    ]
    return [f"{arm} in free text: {in_a_row(parts)}."] if parts else []


def text_changes(summary: Summary, arm: str, other: str) -> list[str]:
    """How a run's replies in free text differ from another's."""
    parts = []
    for name, key in _text_keys(summary):
        change = summary.by_pair[arm, other][key]
        if math.isnan(change.value):
            continue
        ours, theirs = summary.by_arm[arm][key].value, summary.by_arm[other][key].value
        said = f"{_NOUNS[name]} {_amount(name, ours)} against {_amount(name, theirs)}"
        clear = summary.is_significant((arm, other), key)
        parts.append(f"{said} ({points(change, scale(name))}{'' if clear else ', not clear'})")
    return [f"In free text, {arm} against {other}: {in_a_row(parts)}."] if parts else []


def _text_keys(summary: Summary) -> list[tuple[str, str]]:
    """The main figures of free text, and their keys: the mean over languages, or the only language."""
    codes = summary.text_languages
    return [(name, _mean_row(name, codes)) for name in _NOUNS] if codes else []


def _amount(name: str, value: float) -> str:
    return _whole(value) if scale(name) == 1 else f"{_whole(100 * value)}%"


def _by_language(summary: Summary, arm: str, other: str) -> list[str]:
    """The languages whose change the table marks: it is corrected for their number."""
    if len(summary.choice_languages) < 2:
        return []
    figures = summary.by_pair[arm, other]
    changes = [(code, figures[f"accuracy/{code}"]) for code in summary.choice_languages]
    clear = [(x, change) for x, change in changes if summary.is_significant((arm, other), f"accuracy/{x}")]
    clear.sort(key=lambda found: -found[1].value)
    rises, falls = (
        [_changed(x, change, len(clear)) for x, change in clear if (change.value > 0) == up]
        for up in (True, False)
    )
    said = []
    if rises:
        said.append(f"Language by language it is better than {other} in {in_a_row(rises)}.")
    if falls:
        said.append(f"It is worse than {other} in {in_a_row(falls)}.")
    if not clear:
        said.append(f"No single language shows a clear difference to {other}.")
    return said


def _changed(code: str, change: Figure, among: int) -> str:
    """A language and its change; among many languages without the interval."""
    return f"{code} ({points(change)})" if among <= 4 else f"{code} ({_signed(100 * change.value)})"


def _agreement(summary: Summary, arm: str, other: str, figures: Figures) -> list[str]:
    if "consistency_2" not in figures:
        return []
    ours, theirs = summary.by_arm[arm]["consistency_2"], summary.by_arm[other]["consistency_2"]
    change = figures["consistency_2"]
    clear = summary.is_significant((arm, other), "consistency_2")
    verb = ("rises" if change.value > 0 else "falls") if clear else "does not clearly change"
    said = (
        f"Agreement between two languages {verb}: {percent(ours.value)} of the time, "
        f"against {percent(theirs.value)} for {other} ({points(change)})"
    )
    right = figures["right_2"]
    if summary.is_significant((arm, other), "right_2"):
        also = "more often" if right.value > 0 else "less often"
        said += f"; two languages agree on the right answer {also} ({points(right)})"
    return [said + "."]


def _warnings(summary: Summary, arm: str) -> list[str]:
    """Where answers are no better than guesses, and where intervals are too narrow."""
    low = [
        code
        for code in summary.choice_languages
        if summary.by_arm[arm][f"accuracy/{code}"].low <= summary.chance
    ]
    said = []
    if low:
        said.append(
            f"{arm} is not shown to be better than guessing ({percent(summary.chance)}) in {in_a_row(low)}."
        )
    if summary.groups < _FEW_GROUPS:
        said.append(f"With as few as {summary.groups} groups of questions the intervals are too narrow.")
    return said


def percent(value: float) -> str:
    """A share as a whole percentage."""
    return "–" if math.isnan(value) else f"{100 * value:.0f}%"


def points(change: Figure, times: int = 100) -> str:
    """A difference in points with its interval: +8 points [5, 11]; `times` turns it into points."""
    size = _signed(times * change.value)
    return f"{size} point{'' if size in ('+1', '−1') else 's'} {_range(change, times, signed=True)}"


def within(figure: Figure, times: int = 100) -> str:
    """A figure's interval in points: [5, 11]."""
    return _range(figure, times)


def _range(figure: Figure, scale: float, *, signed: bool = False) -> str:
    if math.isnan(figure.low) or math.isnan(figure.high):
        return "[no interval]"
    form = _signed if signed else _whole
    return f"[{form(scale * figure.low)}, {form(scale * figure.high)}]"


def _whole(value: float) -> str:
    return rounded(value, 0)


def _signed(value: float) -> str:
    # One decimal below one point, so that an interval that excludes 0 never reads as if it touched it.
    text = f"{value:+.0f}" if abs(value) >= 0.95 else f"{value:+.1f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def in_a_row(words: list[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
