"""Which option would have been chosen by another measure: from the stored log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import numpy as np

from crossin.items import Item
from crossin.items.scored_options import Choice, best_option, option_values
from crossin.logs.lines import Line
from crossin.logs.tables import Predictions
from crossin.metrics.table import MISSING, AnswerTable

# The log-probability of an option as it is, or for each of its tokens or bytes. A table by each of them needs
# nothing but what every evaluation stores.
CHOICES: tuple[Choice, ...] = tuple(one for one in get_args(Choice) if one != "bare")


def choice_of(predictions: Predictions) -> str:
    """What decided between the options; empty where none was scored by its text."""
    scored, settings = _scored(predictions), predictions.log.settings
    known = "choice" in settings or any(line.get("logprobs") for line in scored)
    return str(settings.get("choice", CHOICES[0])) if scored and known else ""


def answers_by_choice(predictions: Predictions) -> dict[str, AnswerTable]:
    """The table of options as each of CHOICES decides between them, by the rule of `crossin evaluate`; empty
    where an option's log-probability, tokens or text is not known, and where replies or letters decided.

    An item whose answer is read from a reply keeps it.
    """
    table, scored = predictions.choices, _scored(predictions)
    if (
        table is None
        or not scored
        or any(not (line.get("logprobs") and line.get("tokens")) for line in scored)
    ):
        return {}
    items = {(item.item, item.language): item for item in predictions.log.items}
    if any((line["item"], line["language"]) not in items for line in scored):
        return {}
    found = {choice: table.answers.copy() for choice in CHOICES}
    rows = {item: row for row, item in enumerate(table.items)}
    columns = {language: column for column, language in enumerate(table.languages)}
    first: dict[str, list[str]] = {}
    for line in predictions.log.lines:
        first.setdefault(line["item"], line["option_ids"])
    for line in scored:
        if line["item"] not in rows:
            continue
        cell = rows[line["item"]], columns[line["language"]]
        texts = _scored_texts(items[line["item"], line["language"]], line, predictions.log.settings)
        for choice in CHOICES:
            best = best_option(option_values(texts, line["logprobs"], line["tokens"], None, choice))
            place = MISSING if best is None else first[line["item"]].index(line["option_ids"][best])
            # What the evaluation did not take as an answer is none by any measure.
            found[choice][cell] = MISSING if line["answer"] is None else place
    return {choice: replace(table, answers=np.asarray(answers)) for choice, answers in found.items()}


def _scored(predictions: Predictions) -> list[Line]:
    """The lines whose options were scored by their text: they have neither a list of options nor a reply."""
    return [
        line
        for line in predictions.log.lines
        if (line.get("prompt") or "") == predictions.prompt
        and line["option_ids"]
        and not line.get("shown")
        and not line.get("reply")
    ]


def _scored_texts(item: Item, line: Line, settings: Mapping[str, object]) -> list[str]:
    """The texts that were scored, in the order of the line: those of a gap are whole sentences, but for a
    chat.
    """
    texts = dict(zip(item.option_ids, item.options, strict=True))
    options = [texts[option] for option in line["option_ids"]]
    if item.gap and not settings.get("chat"):
        return list(map(item.filled, options))
    return options
