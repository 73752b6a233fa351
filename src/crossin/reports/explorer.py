"""The data of the item explorer: every question in every language, with each run's answer or reply."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossin.core.reasons import sentence_of
from crossin.items.inventories import Inventory
from crossin.logs.lines import Line
from crossin.logs.tables import Cell
from crossin.metrics.table import MISSING
from crossin.metrics.texts import overlaps
from crossin.reports.plots import run_styles
from crossin.reports.results import Results, Run
from crossin.reports.summary import Summary


def explorer_data(summary: Summary) -> dict[str, Any]:
    """The explorer's data; options are in the first language's order, and an answer is a position in it.
    `texts` are those of each item, by language; null in a language in which it was not asked.

    `said` holds what the runs answered to each item under each of the `wordings`, the one reported first.
    `shown` in it is the order of the options in each language, null where that is the first's.

    Of an item with an inventory, the options are the right entity and those that some reply names. An item
    in free text without one has no options; each reply has its F1 in `scores` (null where there is none).
    """
    results = summary.results
    asked = {
        item: (task, group)
        for table in results.runs[0].answers.tables
        for item, task, group in zip(table.items, table.tasks, table.groups, strict=True)
    }
    wordings = _by_wording(results)
    every_run = [run for runs in wordings.values() for run in runs]
    codes = [language.code for language in results.languages]
    stored = _Stored()
    orders = {item: _order(every_run, item, codes) for item in asked}
    items = [
        {"id": item, "task": task, "group": group, **_item(results, item, orders[item], stored)}
        for item, (task, group) in asked.items()
    ]
    said = []
    for runs in wordings.values():
        scores = [_scores(run) for run in runs]
        said.append([_said(runs, item, codes, orders[item], stored, scores) for item in asked])
    # Language by language, which compresses better.
    texts = [list(column) for column in zip(*(item.pop("texts") for item in items), strict=True)]
    return {
        "arms": run_styles(summary),
        "baseline": results.names.index(results.baseline),
        "languages": [
            {"code": language.code, "name": language.name, "direction": language.direction}
            for language in results.languages
        ],
        "wordings": list(wordings),
        "items": items,
        "said": said,
        "texts": texts,
        "contexts": list(stored.contexts),
        "reasons": list(stored.reasons),
    }


def _by_wording(results: Results) -> dict[str, Sequence[Run]]:
    """The runs under the wording reported, and under each other that all runs with several have."""
    several = [run for run in results.runs if run.wordings]
    reported = several[0].answers.prompt if several else ""
    found: dict[str, Sequence[Run]] = {reported: results.runs}
    by_run = {run.name: {one.prompt: Run(run.name, one) for one in run.wordings} for run in several}
    for name in dict.fromkeys(name for runs in by_run.values() for name in runs):
        if name != reported and all(name in runs for runs in by_run.values()):
            found[name] = [by_run[run.name][name] if run.wordings else run for run in results.runs]
    return found


class _Stored:
    """Texts that many cells share, each stored once: paragraphs, and why a reply was not read."""

    def __init__(self) -> None:
        self.contexts: dict[str, int] = {}
        self.reasons: dict[str, int] = {}

    def context(self, text: str) -> int:
        return self.contexts.setdefault(text, len(self.contexts)) if text else MISSING

    def reason(self, code: str | None) -> int:
        return MISSING if code is None else self.reasons.setdefault(sentence_of(code), len(self.reasons))


@dataclass(frozen=True)
class _Order:
    """The ids of an item's options in the page's order, the right one, and the inventory that names them."""

    ids: list[str]
    gold: str
    inventory: Inventory | None


def _order(runs: Sequence[Run], item: str, codes: Sequence[str]) -> _Order:
    first = next(filter(None, (runs[0].cells.get((item, code)) for code in codes)))
    inventory = runs[0].answers.log.inventories.get(first.get("inventory") or "")
    if inventory is None:
        return _Order(list(first["option_ids"]), first["gold"], None)
    # The right entity and those that a reply names, in the inventory's order.
    named = {first["entity"], *(run.answers.entities.get((item, code)) for run in runs for code in codes)}
    return _Order([entity for entity in inventory.ids if entity in named], first["entity"], inventory)


def _item(results: Results, item: str, order: _Order, stored: _Stored) -> dict[str, Any]:
    """What was asked."""
    lines = [results.runs[0].cells.get((item, language.code)) for language in results.languages]
    return {
        "ids": order.ids,
        "gold": _place(order.ids, order.gold),
        "texts": [None if line is None else _texts(results, line, order, stored) for line in lines],
        **({"listed": False} if order.inventory else {}),
    }


def _said(
    runs: Sequence[Run],
    item: str,
    codes: Sequence[str],
    order: _Order,
    stored: _Stored,
    scores: Sequence[Mapping[Cell, float]],
) -> dict[str, Any]:
    """What the runs answered, by language."""
    lines = [[run.cells.get((item, code)) for code in codes] for run in runs]
    found: dict[str, Any] = {
        "answers": [
            [
                _place(order.ids, _answer(run, item, code, line))
                for code, line in zip(codes, of_run, strict=True)
            ]
            for run, of_run in zip(runs, lines, strict=True)
        ],
        "logprobs": [
            [_logprobs(line, order.ids) for line in of_run] if any(map(_scored, of_run)) else None
            for of_run in lines
        ],
    }
    if any(order_shown := [_shown(line, order.ids) for line in lines[0]]):
        found["shown"] = order_shown
    if any((line or {}).get("reply") for of_run in lines for line in of_run):
        found["replies"] = [[(line or {}).get("reply") for line in of_run] for of_run in lines]
    if order.inventory:
        found["unread"] = [
            [stored.reason(run.answers.reasons.get((item, code))) for code in codes] for run in runs
        ]
    elif not order.ids:
        found["scores"] = [[_rounded(of_run.get((item, code))) for code in codes] for of_run in scores]
    return found


def _shown(line: Line | None, order: list[str]) -> list[int] | None:
    """The places in `order` of the options in the order that the model saw; None where that is `order`."""
    seen = (line or {}).get("shown") or (line or {}).get("option_ids") or ()
    places = [_place(order, option) for option in seen]
    return None if places == list(range(len(order))) or sorted(places) != list(range(len(order))) else places


def _texts(results: Results, line: Line, order: _Order, stored: _Stored) -> list[Any]:
    """The question, its context's place, the options' texts, and the references of free text; what is not
    known is empty, and an option without a text has its id.
    """
    code = line["language"]
    item = results.questions.get((line["item"], code))
    if inventory := order.inventory:
        names = {entity: next(iter(inventory.names[entity].get(code, ())), entity) for entity in order.ids}
    else:
        names = dict(zip(item.option_ids, item.options, strict=True)) if item else {}
    references = [] if line["option_ids"] else [line["gold"], *(line.get("aliases") or ())]
    return [
        item.question if item else "",
        stored.context(item.context if item else ""),
        [names.get(option, option) for option in order.ids],
        list(dict.fromkeys(references)),
    ]


def _answer(run: Run, item: str, code: str, line: Line | None) -> str | None:
    """The id of the option chosen, or of the entity read."""
    return run.answers.entities.get((item, code)) or (line or {}).get("answer")


def _scores(run: Run) -> dict[Cell, float]:
    """The F1 of each reply in free text that is read as no entity, by item and language."""
    texts, choices = run.answers.texts, run.answers.choices
    if texts is None or set(texts.items) <= set(choices.items if choices else ()):
        return {}
    return {
        (item, code): float(score)
        for item, replies, scores in zip(texts.items, texts.replies, overlaps(texts), strict=True)
        for code, reply, score in zip(texts.languages, replies, scores, strict=True)
        if reply and reply.strip()
    }


def _place(order: list[str], option: str | None) -> int:
    return order.index(option) if option in order else MISSING


def _scored(line: Line | None) -> bool:
    return bool((line or {}).get("logprobs"))


def _logprobs(line: Line | None, order: list[str]) -> list[float | None]:
    found = dict(zip((line or {}).get("option_ids", ()), (line or {}).get("logprobs") or [], strict=False))
    return [_rounded(found.get(option)) for option in order]


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 2)
