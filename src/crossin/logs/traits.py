"""Where the options that were answered stood in the prompt's list, and whether they are the shortest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from crossin.items import Item
from crossin.items.scored_options import byte_length
from crossin.logs.lines import Line
from crossin.logs.tables import Cell, Predictions
from crossin.metrics.option_bias import UNKNOWN, OptionTraits
from crossin.metrics.table import AnswerTable

# The ids of an item's shortest options, by item and language.
Shortest = Mapping[Cell, frozenset[str]]


def shortest_options(items: Iterable[Item]) -> Shortest:
    """The shortest options of items, by the bytes of their texts."""
    found = {}
    for item in items:
        lengths = list(map(byte_length, item.options))
        least = min(lengths, default=0)
        ids = zip(item.option_ids, lengths, strict=True)
        found[item.item, item.language] = frozenset(one for one, length in ids if length == least)
    return found


def option_traits(predictions: Predictions, table: AnswerTable, shortest: Shortest) -> OptionTraits:
    """The traits of the answers in `table`, which is that of the predictions in any order.

    A reply answers a list, in the order of its option ids where the log does not say another. Options that
    were scored by their text were in no list.
    """
    shape = table.answers.shape
    rows = {item: row for row, item in enumerate(table.items)}
    columns = {language: column for column, language in enumerate(table.languages)}
    found = [np.full(shape, UNKNOWN).tolist() for _ in range(4)]
    for line in predictions.log.lines:
        row, column = rows.get(line["item"]), columns.get(line["language"])
        wording = line.get("prompt") or ""
        if row is None or column is None or wording != predictions.prompt or line["answer"] is None:
            continue
        chosen = (line["answer"], line["gold"])
        if listed := _listed(line):
            found[0][row][column], found[1][row][column] = map(listed.index, chosen)
        if short := shortest.get((line["item"], line["language"])):
            found[2][row][column], found[3][row][column] = (int(option in short) for option in chosen)
    place, gold_place, short_answer, short_gold = (np.array(one, dtype=np.int64) for one in found)
    return OptionTraits(table.languages, place, gold_place, short_answer, short_gold)


def _listed(line: Line) -> list[str]:
    """The option ids in the order of the prompt's list; empty where it had none."""
    return line.get("shown") or (line["option_ids"] if line.get("reply") else [])
