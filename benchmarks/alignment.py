"""How many planted faults the alignment check finds, and how often it is wrong about untouched rows.

`python benchmarks/alignment.py --data ../shared/data/alpaca [--seed N]` reads the parallel Alpaca files, plants each
kind of fault in copies of them, and counts. Rows of Chinese are those with score 5, rows of Vietnamese those
whose fields were not merged.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from crossin.corpus.alignment import Findings, check_alignment

FIELDS = ("instruction", "input", "output")
Row = dict[str, Any]
Ints = npt.NDArray[np.int64]
PAIRS = ("zh", "vi", "de")


@dataclass
class Pair:
    """Claimed pairs of rows, in the order of the other language's file; `third` is a third language by id."""

    language: str
    pivot: list[Row]
    other: list[Row]
    place: Ints
    third: dict[int, Row] = field(default_factory=dict)

    def check(self, seed: int) -> Findings:
        return check_alignment(
            columns(self.pivot), columns(self.other), "en", self.language, self.place, seed=seed
        )


def columns(rows: list[Row]) -> dict[str, pa.LargeStringArray]:
    return {name: pa.array([row[name] for row in rows], pa.large_string()) for name in FIELDS}


def load(folder: Path, language: str) -> Pair:
    files = {name: json.loads((folder / f"alpaca_{name}.json").read_text("utf-8")) for name in ("en", language)}
    english = {row["id"]: row for row in files["en"]}
    kept = [
        (place, row)
        for place, row in enumerate(files[language])
        if row.get("score", 5) == 5 and not row.get("merged_input")
    ]
    third = json.loads((folder / f"alpaca_{'vi' if language != 'vi' else 'de'}.json").read_text("utf-8"))
    return Pair(
        language,
        [english[row["id"]] for _, row in kept],
        [row for _, row in kept],
        np.array([place for place, _ in kept], np.int64),
        {row["id"]: row for row in third if not row.get("merged_input")},
    )


# A plant changes rows of the copied pair and returns the changed ones.
Plant = Callable[[Pair, np.random.Generator, int], Ints]


def texts(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in FIELDS)


def shifted_block(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """Blocks of 5 to 300 rows whose translations slipped by 1 to 50 rows."""
    original, changed = list(pair.other), []
    taken = np.zeros(len(original), bool)
    while len(changed) < wanted:
        size, shift = int(random.integers(5, 301)), int(random.integers(1, 51))
        start = int(random.integers(0, len(original) - size - shift))
        if taken[start : start + size].any():
            continue
        taken[start : start + size] = True
        for row in range(start, start + size):
            pair.other[row] = original[row + shift]
            if texts(original[row]) != texts(original[row + shift]):
                changed.append(row)
    return np.array(changed)


def exchanged(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """Single rows exchanged with the next one, or with one anywhere in the file."""
    free = random.permutation(len(pair.other) - 1)
    used, changed = np.zeros(len(pair.other), bool), []
    for number, row in enumerate(free):
        mate = row + 1 if number % 2 else int(random.integers(0, len(pair.other)))
        if len(changed) >= wanted:
            break
        if used[row] or used[mate] or texts(pair.other[row]) == texts(pair.other[mate]):
            continue
        used[[row, mate]] = True
        pair.other[row], pair.other[mate] = pair.other[mate], pair.other[row]
        changed += [row, mate]
    return np.array(changed)


def swapped(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """Pivot and translation exchanged."""
    rows = random.permutation(len(pair.other))[:wanted]
    for row in rows:
        pair.pivot[row], pair.other[row] = pair.other[row], pair.pivot[row]
    return rows


def third_language(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """The same row in a third language in place of the translation."""
    able = [row for row, text in enumerate(pair.other) if text["id"] in pair.third]
    rows = random.permutation(able)[:wanted]
    for row in rows:
        pair.other[row] = pair.third[pair.other[row]["id"]]
    return rows


def dropped_number(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """One number deleted from one field of the translation."""
    import re

    number = re.compile(r"\d+(?:[.,]\d+)*")
    changed: list[int] = []
    for row in random.permutation(len(pair.other)):
        spots = [(name, spot) for name in FIELDS for spot in number.finditer(pair.other[row][name])]
        if not spots:
            continue
        name, spot = spots[int(random.integers(len(spots)))]
        text = pair.other[row][name]
        pair.other[row] = {**pair.other[row], name: text[: spot.start()] + text[spot.end() :]}
        changed.append(int(row))
        if len(changed) >= wanted:
            break
    return np.array(changed)


def copied_row(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """The pivot's whole row in place of the translation."""
    rows = random.permutation(len(pair.other))[:wanted]
    for row in rows:
        pair.other[row] = {**pair.other[row], **{name: pair.pivot[row][name] for name in FIELDS}}
    return rows


def copied_text(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """The pivot's instruction and output; the input is translated."""
    rows = random.permutation(len(pair.other))[:wanted]
    for row in rows:
        pair.other[row] = {**pair.other[row], **{name: pair.pivot[row][name] for name in ("instruction", "output")}}
    return rows


def emptied(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """A field of the translation emptied."""
    rows = random.permutation(len(pair.other))[:wanted]
    changed = []
    for number, row in enumerate(rows):
        name = FIELDS[number % 3]
        if pair.other[row][name].strip():
            pair.other[row] = {**pair.other[row], name: ""}
            changed.append(int(row))
    return np.array(changed)


PLANTS: dict[str, Plant] = {
    "shifted block": shifted_block,
    "exchanged rows": exchanged,
    "languages swapped": swapped,
    "third language": third_language,
    "number dropped": dropped_number,
    "copy of whole row": copied_row,
    "copy of instruction and output": copied_text,
    "field emptied": emptied,
}


def wilson(found: int, planted: int) -> tuple[float, float]:
    """The 95% Wilson interval of a share."""
    z, n = 1.959964, max(planted, 1)
    share = found / n
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def measure(pair: Pair, seed: int, share: float) -> dict[str, Any]:
    """False alarms on the untouched pair, and recall for each kind of fault planted alone."""
    begin = time.perf_counter()
    clean = pair.check(seed)
    seconds = time.perf_counter() - begin
    rows = len(pair.other)
    kinds: dict[str, Any] = {}
    for number, (kind, plant) in enumerate(PLANTS.items()):
        copy = Pair(pair.language, list(pair.pivot), list(pair.other), pair.place, pair.third)
        changed = plant(copy, np.random.default_rng([seed, number]), int(share * rows))
        findings = copy.check(seed)
        found = int((findings.reason[changed] > 0).sum())
        rest = np.delete(findings.reason, changed)
        told = np.bincount(findings.reason[changed], minlength=len(findings.reasons) + 1)
        kinds[kind] = {
            "planted": len(changed),
            "found": found,
            "recall": found / len(changed),
            "interval": wilson(found, len(changed)),
            "false alarms beside": float((rest > 0).mean()),
            "told as": {name: int(n) for name, n in zip(("nothing", *findings.reasons), told, strict=True) if n},
        }
    return {
        "rows": rows,
        "seconds": seconds,
        "false alarms": {"in all": int((clean.reason > 0).sum()), **clean.counts()},
        "notes": clean.notes,
        "kinds": kinds,
    }


def show(results: dict[str, Any]) -> None:
    console = Console()
    table = Table("pair", "fault", "planted", "found", "recall", "95% interval", "false alarms beside", "told as")
    for language, result in results.items():
        for kind, row in result["kinds"].items():
            low, high = row["interval"]
            told = max(row["told as"], key=lambda name: row["told as"][name])
            table.add_row(
                f"en-{language}", kind, str(row["planted"]), str(row["found"]), f"{row['recall']:.1%}",
                f"{low:.1%} to {high:.1%}", f"{row['false alarms beside']:.2%}", told,
            )  # fmt: skip
    console.print(table)
    table = Table("pair", "alarm on untouched rows", "rows", "rate")
    for language, result in results.items():
        for reason, count in result["false alarms"].items():
            table.add_row(f"en-{language}", reason, str(count), f"{count / result['rows']:.3%}")
    console.print(table)
    for language, result in results.items():
        speed = result["rows"] / result["seconds"]
        console.print(f"en-{language}: {result['rows']} rows in {result['seconds']:.1f} s, {speed:,.0f} rows/s")
        for note in result["notes"]:
            console.print(f"note: {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with alpaca_en.json and the others")
    parser.add_argument("--seed", type=int, default=0, help="decides which rows are spoiled")
    parser.add_argument("--share", type=float, default=0.05, help="how much of the rows each fault is planted in")
    parser.add_argument("--pairs", nargs="+", choices=PAIRS, default=["zh", "vi"], help="languages to check")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    results = {name: measure(load(options.data, name), options.seed, options.share) for name in options.pairs}
    if options.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
    else:
        show(results)


if __name__ == "__main__":
    main()
