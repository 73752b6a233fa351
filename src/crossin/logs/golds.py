"""The right options of logs that do not hold them, but say of each answer whether it is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crossin.core.errors import CrossinError
from crossin.core.skipping import MOST_SKIPPED
from crossin.logs.answers import LoggedAnswers, Marks
from crossin.logs.parallel import NotParallel


def with_golds(logs: Sequence[LoggedAnswers]) -> list[LoggedAnswers]:
    """Logs of the same benchmark, each with the right options that the `marks` of all of them tell, so that
    they can be compared.

    An option that a language was right with is right in all. Where every answer was wrong, the first option
    that nobody chose takes its place: no figure depends on which of these it is, since no language has the
    item right. Items are left out of all logs where the languages of any two have different right options:
    two options are right, one is right and wrong, or all are wrong. Raises CrossinError where that is more
    than a tenth of the items.
    """
    marks: dict[str, Marks] = {}
    for log in logs:
        for item, found in log.marks.items():
            marks[item] = _joined(marks[item], found) if item in marks else found
    golds = {item: gold_of(found) for item, found in marks.items()}
    differing = sum(gold is None for gold in golds.values())
    if differing > MOST_SKIPPED * len(golds):
        raise CrossinError(
            f"of {len(golds):,} items, {differing:,} have another right option in another language",
            file=logs[-1].file,
            hint="check that all answers are to the same benchmark, with the options in the same order",
        )
    open_ = sum(not found.right and golds[item] is not None for item, found in marks.items())
    note = f"the right option of {open_:,} items is not known: no language has them right. No figure needs it"
    return [_with(log, golds, [note] if open_ else []) for log in logs]


def gold_of(marks: Marks) -> str | None:
    """The right option, or one that nobody chose where it is not known; None where the marks contradict each
    other.
    """
    if len(marks.right) > 1 or marks.right & marks.wrong:
        return None
    return next(iter(marks.right), next((one for one in marks.options if one not in marks.wrong), None))


def _joined(one: Marks, other: Marks) -> Marks:
    # Other options are an error when the tables are made.
    return Marks(one.options, one.right | other.right, one.wrong | other.wrong)


def _with(log: LoggedAnswers, golds: Mapping[str, str | None], notes: Sequence[str]) -> LoggedAnswers:
    lines = [{**line, "gold": golds[line["item"]]} for line in log.lines if golds[line["item"]] is not None]
    left_out = Counter(log.skipped)
    left_out[NotParallel.GOLD_DIFFERS] += len(log.lines) - len(lines)
    skipped = {code: count for code, count in left_out.items() if count}
    return replace(log, lines=lines, skipped=skipped, notes=notes)
