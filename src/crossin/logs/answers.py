"""What a log of any harness is read into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from crossin.items import Item
from crossin.items.inventories import Inventories
from crossin.logs.lines import Line


class Marks(NamedTuple):
    """Of one item, the ids of the options that a log marks as right, and as wrong, in any language."""

    options: tuple[str, ...]
    right: frozenset[str]
    wrong: frozenset[str]


@dataclass(frozen=True, eq=False, repr=False)
class LoggedAnswers:
    """One model's stored answers to one benchmark, in all languages and wordings.

    `lines` are in the form of `answers.parquet` and complete (`crossin.logs.lines.complete`). `items` are
    what was asked, as far as the log or the benchmark knows it; empty where neither does. `file` stands for
    the log in messages. `settings` are how the model was asked (shots, template, versions), for the page.
    `skipped` counts the records that were left out, by reason code. `reported` are the harness's own figures,
    from what it logged for each record: by metric and language. `unanswered` counts the benchmark's items
    that are not in the log (0 where the benchmark is not known). `notes` are what people should know besides.
    `marks` are those of every item, in a log that says of each answer whether it is right, and not which
    option is (`crossin.logs.golds`).
    """

    model: str
    benchmark: str
    file: Path
    lines: list[Line]
    items: Sequence[Item] = ()
    inventories: Inventories = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    reported: Mapping[str, float] = field(default_factory=dict)
    unanswered: int = 0
    notes: Sequence[str] = ()
    marks: Mapping[str, Marks] = field(default_factory=dict)
