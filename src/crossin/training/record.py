"""What a run knows of itself so far: its log, and what has been added up since the last line of it.

All of it is kept in every checkpoint, so that the log of a run that was stopped is that of one that was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crossin.core.files import read_json, write_json
from crossin.training.document import Group

RECORD = "crossin.json"


@dataclass
class Record:
    """`lines` are the log's; `shares` the languages' shares of each period of an adaptive sampler; `tokens`
    what a pass holds, which may have been halved; `zeros` for how many steps on end a term was 0. The rest is
    summed over the steps since the last line: `groups` holds loss and learned tokens by group (its three
    parts joined by tabs), `terms` each term's value, weighted value, weight and pairs.
    """

    tokens: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    shares: list[dict[str, float]] = field(default_factory=list)
    groups: dict[str, list[float]] = field(default_factory=dict)
    terms: dict[str, list[float]] = field(default_factory=dict)
    zeros: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    read: int = 0
    seconds: float = 0.0

    def add_groups(self, sums: Mapping[Group, tuple[float, int]]) -> None:
        """Add a step's loss (nats) and learned tokens by group."""
        for group, (loss, count) in sums.items():
            held = self.groups.setdefault("\t".join(group), [0.0, 0])
            held[0] += loss
            held[1] += count

    def add_term(self, term: str, value: float, weight: float, used: int) -> None:
        """Add a step's value of a term before its weight, and how many pairs it is of."""
        held = self.terms.setdefault(term, [0.0, 0.0, 0.0, 0])
        held[0] += value
        held[1] += weight * value
        held[2] += weight
        held[3] += used

    def clear(self) -> None:
        """Begin to sum anew: a line has been written."""
        self.groups, self.terms = {}, {}
        self.steps = self.read = 0
        self.seconds = 0.0


def write_record(folder: Path, record: Record) -> None:
    """Write the record into a checkpoint; it is written last, and so says that the checkpoint is whole."""
    write_json(folder / RECORD, asdict(record))


def read_record(folder: Path) -> Record:
    """The record in a checkpoint."""
    return Record(**read_json(folder / RECORD))
