"""How published free replies to KLAR are read: the entity that each names, next to the makers' own flag.

`python benchmarks/entities.py --data ../shared/data [--sample N --seed S]` builds KLAR, reads the replies of
every run in `polyfact-runs/klar`, and counts by run and language. The makers' flag `correct` says that the
reply contains the reference. `--sample` also prints N replies a language from which an entity was read, and N
from which none was, drawn from all runs, for somebody who reads the language to judge.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from crossin.bench.catalogue import build_named
from crossin.items.inventories import Inventories, read_inventories
from crossin.items.item import Item, read_items
from crossin.items.replies.entities import EntityReading, read_entity


@dataclass(frozen=True)
class Reply:
    """One reply of a run: what was read from it, and the makers' flag."""

    run: str
    item: Item
    text: str
    flag: bool
    reading: EntityReading

    @property
    def right(self) -> bool:
        return self.reading.entity == self.item.entity


def replies(files: Iterable[Path], items: Sequence[Item], inventories: Inventories) -> Iterator[Reply]:
    by_key = {(item.item, item.language): item for item in items}
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            records = json.load(stream)["records"]
        for record in records:
            item = by_key[str(record["index"]), record["language"]]
            reading = read_entity(
                record["pred"], inventories[item.inventory], item.language, question=item.question
            )
            yield Reply(file.name.removesuffix(".json.gz"), item, record["pred"], record["correct"], reading)


def counted(found: Sequence[Reply]) -> list[str]:
    def share(number: int) -> str:
        return f"{number / len(found):.3f}"

    return [
        f"{len(found):,}",
        share(sum(one.reading.entity is not None for one in found)),
        share(sum(one.right for one in found)),
        share(sum(one.flag for one in found)),
        f"{sum(one.right and not one.flag for one in found):,}",
        f"{sum(one.flag and not one.right for one in found):,}",
    ]


def counts(found: Sequence[Reply]) -> Table:
    columns = ("run", "language", "replies", "answered", "right", "flag", "only right", "only flag")
    table = Table(*columns, title="Replies by run and language")
    groups: dict[tuple[str, str], list[Reply]] = defaultdict(list)
    for one in found:
        groups[one.run, one.item.language].append(one)
        groups[one.run, "all"].append(one)
        groups["all", one.item.language].append(one)
    for (run, language), group in sorted(groups.items(), key=lambda pair: (pair[0][0] == "all", pair[0])):
        table.add_row(run, language, *counted(group))
    return table


def sample(found: Sequence[Reply], size: int, seed: int) -> Iterator[str]:
    """Lines with language, relation, subject, reply, and the entity or the reason code."""
    for language in dict.fromkeys(one.item.language for one in found):
        for read in (True, False):
            among = [
                one
                for one in found
                if one.item.language == language and (one.reading.entity is not None) == read
            ]
            drawn = random.Random(f"{seed} {language} {read}").sample(among, min(size, len(among)))
            for one in drawn:
                subject = one.item.question.partition("____")[0].strip()
                read_as = one.reading.entity or f"({one.reading.unread})"
                yield f"{language} | {one.item.task} | {subject} | {one.text} | {read_as}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="Folder with klar/ and polyfact-runs/.")
    parser.add_argument("--sample", type=int, default=0, help="Replies of each kind and language to print.")
    parser.add_argument("--seed", type=int, default=1, help="Seed of the sample.")
    arguments = parser.parse_args()
    files = sorted((arguments.data / "polyfact-runs" / "klar").glob("*.json.gz"))
    with tempfile.TemporaryDirectory() as folder:
        bench = build_named("klar", Path(folder) / "klar", source=arguments.data / "klar").folder
        items, inventories = read_items(bench), read_inventories(bench)
    begin = time.process_time()
    found = list(replies(files, items, inventories))
    seconds = time.process_time() - begin
    console = Console(width=140)
    console.print(counts(found))
    reasons = Counter(one.reading.unread for one in found if one.reading.unread)
    console.print(", ".join(f"{reason}: {count:,}" for reason, count in reasons.most_common()))
    console.print(f"{len(found):,} replies, {seconds:.1f} s of CPU time")
    for line in sample(found, arguments.sample, arguments.seed):
        print(line)


if __name__ == "__main__":
    main()
