"""How free replies to KLAR are read: the entity that each names, next to whether it contains the reference.

`python benchmarks/entities.py --data ../shared/data [--sample N --seed S]` builds KLAR, reads the replies of
every run in `polyfact-runs/klar`, and counts by run and language. The makers' flag `correct` says that the
reply contains the reference. `--sample` also prints N replies a language from which an entity was read, and N
(or `--unread`) from which none was, drawn from all runs, for somebody who reads the language to judge.

`python benchmarks/entities.py --run RUN [--sample N --unread M --seed S] [--labels FILE]` does the same with
the replies of an evaluation, and the flag is computed here. FILE says of a drawn reply, by language and item,
what a person found: of one that was read, whether it means that entity (`right`: 1 or 0), and of one that was
not, whether it names an entity nonetheless. Their shares are printed by language. `--shots-from BENCH`
counts the replies that repeat the answer of a shot.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alignment import wilson
from rich.console import Console
from rich.table import Table

from crossin.bench.catalogue import build_named
from crossin.core.files import read_json, read_parquet
from crossin.core.formats import ANSWERS, MANIFEST
from crossin.core.hashing import hash64
from crossin.items.inventories import Inventories, read_inventories
from crossin.items.item import Item, read_items
from crossin.items.replies.entities import EntityReading, read_entity
from crossin.items.shots import choose_shots


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


def published(files: Iterable[Path], items: Sequence[Item], inventories: Inventories) -> Iterator[Reply]:
    by_key = {(item.item, item.language): item for item in items}
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            records = json.load(stream)["records"]
        for record in records:
            item = by_key[str(record["index"]), record["language"]]
            run = file.name.removesuffix(".json.gz")
            yield read(run, item, record["pred"], record["correct"], inventories)


def evaluated(run: Path) -> Iterator[Reply]:
    by_key = {(item.item, item.language): item for item in read_items(run)}
    inventories = read_inventories(run)
    for row in read_parquet(run / ANSWERS, ["item", "language", "reply"]).to_pylist():
        item = by_key[row["item"], row["language"]]
        contains = item.answer.casefold() in row["reply"].partition("\n")[0].casefold()
        yield read(run.parent.name, item, row["reply"], contains, inventories)


def read(run: str, item: Item, text: str, flag: bool, inventories: Inventories) -> Reply:
    reading = read_entity(text, inventories[item.inventory], item.language, question=item.question)
    return Reply(run, item, text, flag, reading)


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


def sample(found: Sequence[Reply], sizes: tuple[int, int], seed: int) -> Iterator[Reply]:
    """So many replies a language from which an entity was read, and so many from which none was."""
    for language in dict.fromkeys(one.item.language for one in found):
        for size, was_read in zip(sizes, (True, False), strict=True):
            among = [
                one
                for one in found
                if one.item.language == language and (one.reading.entity is not None) == was_read
            ]
            # A draw that hardly changes where the reader does.
            among.sort(key=lambda one: hash64(str(seed), one.run, one.item.language, one.item.item))
            yield from among[:size]


def line(one: Reply) -> str:
    """Language, item, relation, subject, reply, and the entity or the reason code."""
    subject = one.item.question.partition("____")[0].strip()
    reading = one.reading.entity or f"({one.reading.unread})"
    return " | ".join(
        [
            one.item.language,
            one.item.item,
            one.item.task,
            subject,
            one.text.strip().replace("\n", " ⏎ "),
            reading,
        ]
    )


def judged(drawn: Sequence[Reply], file: Path) -> Table:
    """By language, what a person found of the replies drawn, with 95% Wilson intervals."""
    with file.open(encoding="utf-8") as stream:
        labels = {(row["language"], row["item"]): row for row in csv.DictReader(stream)}
    table = Table("language", "read", "rightly", "unread", "name an entity", title=f"By hand: {file.name}")
    for language in [*dict.fromkeys(one.item.language for one in drawn), "all"]:
        cells = []
        for was_read in (True, False):
            found = [
                labels[cell]["right"] == "1"
                for one in drawn
                if (one.reading.entity is not None) == was_read
                and language in (one.item.language, "all")
                and (cell := (one.item.language, one.item.item)) in labels
            ]
            low, high = wilson(sum(found), len(found))
            cells += [str(len(found)), f"{sum(found)} [{low:.3f} {high:.3f}]"]
        table.add_row(language, *cells)
    unknown = sum((one.item.language, one.item.item) not in labels for one in drawn)
    table.caption = f"{unknown} of the {len(drawn)} drawn were not read by hand" if unknown else None
    return table


def repeated(found: Sequence[Reply], run: Path, bench: Path) -> Table:
    """By language, how many of the entities read are the answer of one of the question's shots, which come
    from the benchmark itself.
    """
    settings = read_json(run / MANIFEST)["settings"]
    items = [one.item for one in found]
    shots = choose_shots(items, read_items(bench), settings["form"]["shots"], settings["seed"])
    table = Table("language", "read", "a shot's answer", "of these right")
    for language in [*dict.fromkeys(item.language for item in items), "all"]:
        read = [one for one in found if one.reading.entity and language in (one.item.language, "all")]
        copied = [
            one
            for one in read
            if one.reading.entity in {shot.entity for shot in shots[one.item.item, one.item.language]}
        ]
        low, high = wilson(len(copied), len(read))
        share = f"{len(copied) / max(len(read), 1):.3f} [{low:.3f} {high:.3f}]"
        table.add_row(language, f"{len(read):,}", share, str(sum(one.right for one in copied)))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="Folder with klar/ and polyfact-runs/.")
    source.add_argument("--run", type=Path, help="Folder of an evaluation on KLAR.")
    parser.add_argument("--shots-from", type=Path, help="The benchmark asked, which gave the run its shots.")
    parser.add_argument("--sample", type=int, default=0, help="Replies of each kind and language to print.")
    parser.add_argument("--unread", type=int, help="The same for those from which no entity was read.")
    parser.add_argument("--seed", type=int, default=1, help="Seed of the sample.")
    parser.add_argument("--labels", type=Path, help="What a person found of the sample.")
    arguments = parser.parse_args()
    begin = time.process_time()
    if arguments.run:
        found = list(evaluated(arguments.run))
    else:
        files = sorted((arguments.data / "polyfact-runs" / "klar").glob("*.json.gz"))
        with tempfile.TemporaryDirectory() as folder:
            bench = build_named("klar", Path(folder) / "klar", source=arguments.data / "klar").folder
            items, inventories = read_items(bench), read_inventories(bench)
        begin = time.process_time()
        found = list(published(files, items, inventories))
    seconds = time.process_time() - begin
    console = Console(width=140)
    console.print(counts(found))
    reasons = Counter(one.reading.unread for one in found if one.reading.unread)
    console.print(", ".join(f"{reason}: {count:,}" for reason, count in reasons.most_common()))
    console.print(f"{len(found):,} replies, {seconds:.1f} s of CPU time")
    if arguments.run and arguments.shots_from:
        console.print(repeated(found, arguments.run, arguments.shots_from))
    unread = arguments.sample if arguments.unread is None else arguments.unread
    drawn = list(sample(found, (arguments.sample, unread), arguments.seed))
    if arguments.labels:
        console.print(judged(drawn, arguments.labels))
    else:
        print("\n".join(map(line, drawn)))


if __name__ == "__main__":
    main()
