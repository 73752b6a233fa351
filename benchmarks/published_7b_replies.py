"""Replies of the published runs on which their makers' flag and crossin's reader differ.

    python benchmarks/published_7b_replies.py --data ../shared/data

Counts them, draws replies over all runs and languages, and prints those, with labels
where published_7b_read.csv holds any. Counts the flags that follow from a rule, too (`flagged`).
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from published_7b_runs import replied

from crossin.core.hashing import hash64

# What the makers' rule takes off the ends of a text, and, with spaces, what it ends words at.
SIGNS = ".,;:!?()'\"“”‘’、，。？！；：…"
LABELS = Path(__file__).with_name("published_7b_read.csv")


def flagged(target: str, reply: str) -> bool:
    """The rule that the makers' flags follow: the reply begins with the target, or one of its words is it."""
    wanted, text = target.lower().strip(SIGNS + " "), reply.strip(SIGNS + " ")
    return text.startswith(wanted) or wanted in re.split(rf"[{re.escape(SIGNS)}\s]+", text)


def differing(folder: Path, totals: Counter[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Run, language and reply of all on which they differ; every reply is counted in `totals`."""
    for file in sorted(folder.glob("*.json.gz")):
        found, flags = replied(file)
        assert found.choices is not None
        places = {item: place for place, item in enumerate(found.choices.items)}
        subjects = {(item.item, item.language): item.question for item in found.log.items}
        for line in found.log.lines:
            cell = line["item"], line["language"]
            entity = found.entities.get(cell)
            flag = bool(flags[places[cell[0]], found.choices.languages.index(cell[1])])
            right = entity == line["entity"]
            kind = "right" if right else "another" if entity else "unread"
            totals[f"makers {'right' if flag else 'wrong'}, ours {kind}"] += 1
            totals["flag as by the rule"] += flag == flagged(line["gold"], line["reply"])
            if flag != right:
                yield (
                    found.model,
                    cell[1],
                    [cell[0], subjects[cell], line["gold"], line["reply"], entity or ""],
                )


def drawn(folder: Path, count: int, seed: int, totals: Counter[str]) -> list[list[str]]:
    """`count` of these replies, each of another run and language: of each, the first fact in an order that
    depends on the seed only, so that a change of the reader leaves most as they are.
    """
    replies: dict[tuple[str, str], list[list[str]]] = {}
    for run, language, reply in differing(folder, totals):
        replies.setdefault((run, language), []).append(reply)
    order = sorted(replies, key=lambda key: hash64(seed, *key))[:count]
    firsts = [min(replies[key], key=lambda reply: hash64(seed, *key, reply[0])) for key in order]
    return sorted([*key, *reply] for key, reply in zip(order, firsts, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with polyfact-runs")
    parser.add_argument("--count", type=int, default=50, help="replies to draw")
    parser.add_argument("--seed", type=int, default=22, help="of the draw")
    options = parser.parse_args()
    totals: Counter[str] = Counter()
    rows = drawn(options.data / "polyfact-runs" / "klar", options.count, options.seed, totals)
    labels = {}
    if LABELS.is_file():
        with LABELS.open(encoding="utf-8") as file:
            labels = {(one["run"], one["language"], one["item"]): one for one in csv.DictReader(file)}
    kinds: Counter[tuple[str, str]] = Counter()
    for row in rows:
        label = labels.get((row[0], row[1], row[2]), {"kind": "not read", "right": ""})
        kinds[label["kind"], label["right"]] += 1
        print("\t".join([*row, label["kind"], label["right"]]))
    print("\n| replies | number |\n|---|---|")
    for name, number in sorted(totals.items()):
        print(f"| {name} | {number:,} |")
    print("\n| kind | right | number |\n|---|---|---|")
    for (kind, right), number in kinds.most_common():
        print(f"| {kind} | {right} | {number} |")


if __name__ == "__main__":
    main()
