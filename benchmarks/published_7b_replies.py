"""Replies of the published runs on which their makers' flag and crossin's reader differ.

    python benchmarks/published_7b_replies.py --data ../shared/data

Counts them, draws replies over all runs and languages, and prints those, with the labels of a person who has
read them where published_7b_read.csv holds any.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import random
from collections import Counter
from pathlib import Path

from published_7b_runs import replied

LABELS = Path(__file__).with_name("published_7b_read.csv")


def disagreements(folder: Path, count: int, seed: int) -> None:
    """Print `count` replies on which they differ, each of another run and language."""
    cells: dict[tuple[str, str], list[list[str]]] = {}
    totals: Counter[str] = Counter()
    for file in sorted(folder.glob("*.json.gz")):
        found, flags = replied(file)
        log = found.log
        places = {item: place for place, item in enumerate(found.choices.items)} if found.choices else {}
        questions = {(item.item, item.language): item.question for item in log.items}
        for line in log.lines:
            cell = line["item"], line["language"]
            entity = found.entities.get(cell)
            flag = bool(flags[places[line["item"]], found.languages.index(line["language"])])
            right = entity == line["entity"]
            kind = "right" if right else "another" if entity else "unread"
            totals[f"flag {'right' if flag else 'wrong'}, ours {kind}"] += 1
            if flag != right:
                row = [
                    log.model,
                    line["language"],
                    line["item"],
                    questions[cell],
                    line["gold"],
                    line["reply"],
                ]
                cells.setdefault((log.model, line["language"]), []).append(
                    [*row, "right" if flag else "wrong", str(entity)]
                )
    print(dict(sorted(totals.items())))
    drawn = random.Random(seed)
    places_ = sorted(cells)
    drawn.shuffle(places_)
    chosen = [drawn.choice(cells[place]) for place in itertools.islice(itertools.cycle(places_), count)]
    labels = {}
    if LABELS.is_file():
        with LABELS.open(encoding="utf-8") as file_:
            labels = {(row["run"], row["language"], row["item"]): row for row in csv.DictReader(file_)}
    for row in sorted(chosen):
        label = labels.get((row[0], row[1], row[2]), {})
        print("\t".join([*row, label.get("kind", ""), label.get("right", "")]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with polyfact-runs")
    parser.add_argument("--count", type=int, default=50, help="replies to draw")
    parser.add_argument("--seed", type=int, default=22, help="of the draw")
    options = parser.parse_args()
    disagreements(options.data / "polyfact-runs" / "klar", options.count, options.seed)


if __name__ == "__main__":
    main()
