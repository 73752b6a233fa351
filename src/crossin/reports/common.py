"""What all runs of a report have: the others' questions are left out, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from crossin.core.errors import CrossinError
from crossin.core.reasons import Reason
from crossin.logs.lines import Line
from crossin.logs.tables import Cell, Predictions, tables_of_log


class NotCommon(Reason):
    """Why a question in a language is not in all runs."""

    LANGUAGE = "language_not_in_all_runs", "in a language that not all runs were asked in"
    NOT_ASKED = "not_asked_of_all_runs", "not asked of all runs"
    DIFFERS = "differs_between_runs", "with other options or another right answer in another run"


def common_part(found: Sequence[Predictions]) -> tuple[set[Cell], dict[str, int]]:
    """The questions that all runs have, by item and language, and how many are left out, by reason code and
    language.

    Raises CrossinError where nothing is common.
    """
    cells = [cells_of(one) for one in found]
    every = dict.fromkeys(cell for of_run in cells for cell in of_run)
    languages = set.intersection(*({language for _, language in of_run} for of_run in cells))
    shared: set[Cell] = set()
    left_out: Counter[str] = Counter()
    for cell in every:
        if cell[1] not in languages:
            left_out[NotCommon.LANGUAGE.about(cell[1])] += 1
        elif not all(cell in of_run for of_run in cells):
            left_out[NotCommon.NOT_ASKED.about(cell[1])] += 1
        elif any(not same_question(of_run[cell], cells[0][cell]) for of_run in cells[1:]):
            left_out[NotCommon.DIFFERS.about(cell[1])] += 1
        else:
            shared.add(cell)
    if not shared:
        raise CrossinError(
            "the runs have no question in common",
            file=found[-1].file,
            hint="report runs on the same benchmark, in a language that all have",
        )
    return shared, dict(left_out)


def cells_of(found: Predictions) -> dict[Cell, Line]:
    """Every line of answers under a wording, by item and language."""
    asked = (line for line in found.log.lines if (line.get("prompt") or "") == found.prompt)
    return {(line["item"], line["language"]): line for line in asked}


def same_question(line: Line, other: Line) -> bool:
    """Whether two lines of an item in a language have the same options and the same right answer."""
    same = set(line["option_ids"]) == set(other["option_ids"]) and line["gold"] == other["gold"]
    return same and line.get("inventory") == other.get("inventory")


def only(found: Predictions, cells: set[Cell]) -> dict[str, Predictions]:
    """A log's answers to these questions, by wording of the prompt."""
    lines = [line for line in found.log.lines if (line["item"], line["language"]) in cells]
    tables = tables_of_log(replace(found.log, lines=lines), any_language=found.any_language)
    return {one.prompt: one for one in tables}
