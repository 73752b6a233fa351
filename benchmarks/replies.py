"""How SeaEval's published replies are read: by SeaEval's own rule, for equal scores, and by this project's.

`python benchmarks/replies.py --data ../shared/data/seaeval [--differences]` reads every published run, counts
what either reads, and compares the scores that follow from SeaEval's rule with those published.
`--differences` also prints every reply that the two read differently.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from crossin.items.replies import read_reply
from crossin.logs.seaeval import SeaEvalLog, is_log, read_log
from crossin.metrics.table import MISSING, AnswerTable
from crossin.scoring.seaeval import aligned_table
from crossin.scoring.seaeval_parity import parity


@dataclass(frozen=True)
class Run:
    name: str
    log: SeaEvalLog
    theirs: list[int]
    ours: list[int]
    largest: float
    mean: float
    explained: bool

    def counts(self) -> dict[str, int]:
        pairs = list(zip(self.theirs, self.ours, strict=True))
        return {
            "open": sum(a == MISSING for a, _ in pairs),
            "agree": sum(a == b != MISSING for a, b in pairs),
            "differ": sum(MISSING not in (a, b) and a != b for a, b in pairs),
            "ours open": sum(a != MISSING == b for a, b in pairs),
            "only ours": sum(a == MISSING != b for a, b in pairs),
        }


def within_draws(table: AnswerTable, published: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Whether each published accuracy and each subset's consistency can come from some answers to what is
    open.
    """
    open_cells = table.answers == MISSING
    bounds = []
    for column, name in enumerate(names):
        right = table.answers[:, column] == table.gold
        bounds.append((right, right | open_cells[:, column], published["language_acc"][name]))
    for by_subset in published["detailed_consistency_score"].values():
        for subset, value in by_subset.items():
            columns = [names.index(name) for name in subset.split(",")]
            answers = [set(row) - {MISSING} for row in table.answers[:, columns].tolist()]
            may_agree = np.array([len(chosen) <= 1 for chosen in answers])
            bounds.append((may_agree & ~open_cells[:, columns].any(axis=1), may_agree, value))
    return all(low.mean() - 1e-12 <= value <= high.mean() + 1e-12 for low, high, value in bounds)


def read(file: Path, name: str) -> Run:
    log = read_log(file)
    table = aligned_table(log)
    published = json.loads(file.with_name(f"{file.stem}_score.json").read_text(encoding="utf-8"))
    [found] = parity([file])
    assert found.furthest is not None and found.mean is not None
    chosen = [
        read_reply(log.replies[item.item, item.language], item.options, language=item.language)
        for item in log.items
    ]
    return Run(
        name,
        log,
        table.answers.reshape(-1).tolist(),
        [MISSING if position is None else position for position in chosen],
        found.furthest,
        found.mean,
        within_draws(table, published, log.names),
    )


def show(runs: list[Run]) -> None:
    table = Table()
    for heading in (
        "run", "cells", "open by SeaEval's rule", "agree", "share", "differ", "ours open", "only ours",
        "scores: largest difference", "mean", "within the draws",
    ):  # fmt: skip
        table.add_column(heading, no_wrap=heading == "run")
    for run in runs:
        counts = run.counts()
        share = counts["agree"] / (len(run.theirs) - counts["open"])
        table.add_row(
            run.name, str(len(run.theirs)), str(counts["open"]), str(counts["agree"]), f"{share:.2%}",
            str(counts["differ"]), str(counts["ours open"]), str(counts["only ours"]),
            f"{run.largest:.1e}", f"{run.mean:.1e}", "yes" if run.explained else "no",
        )  # fmt: skip
    Console(width=160).print(table)
    determined = sum(len(run.theirs) - run.counts()["open"] for run in runs)
    agree = sum(run.counts()["agree"] for run in runs)
    print(
        f"in all, {agree} of {determined} cells that SeaEval's rule decides agree: {agree / determined:.2%}"
    )


def show_differences(run: Run) -> None:
    for item, theirs, ours in zip(run.log.items, run.theirs, run.ours, strict=True):
        if theirs == ours:
            continue
        shown = ["-" if cell == MISSING else item.option_ids[cell] for cell in (theirs, ours)]
        reply = run.log.replies[item.item, item.language]
        print(
            f"{run.name} {item.item} {item.language}: SeaEval {shown[0]}, ours {shown[1]}, gold {item.answer}"
        )
        print(f"    {[option[:50] for option in item.options]}")
        print(f"    {reply if len(reply) < 350 else f'{reply[:200]} ... {reply[-150:]}'!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds runs/")
    parser.add_argument("--differences", action="store_true", help="print every reply read differently")
    arguments = parser.parse_args()
    folder = arguments.data / "runs"
    files = [file for file in sorted(folder.rglob("*.json")) if is_log(file)]
    runs = [read(file, str(file.relative_to(folder).with_suffix(""))) for file in files]
    show(runs)
    if arguments.differences:
        for run in runs:
            show_differences(run)


if __name__ == "__main__":
    main()
