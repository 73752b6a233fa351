"""How many planted faults the alignment check finds, and how often it flags unchanged rows.

`python benchmarks/alignment.py --data ../shared/data/alpaca [--seed N]` reads the parallel Alpaca files,
plants each kind of fault in a copy of them, and counts. Rows of Chinese are those with score 5, rows of
Vietnamese those whose fields were not merged.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
from alignment_plants import PLANTS, Pair, load
from rich.console import Console
from rich.table import Table

PAIRS = ("zh", "vi", "de")


def wilson(found: int, planted: int) -> tuple[float, float]:
    """The 95% Wilson interval of a share."""
    z, n = 1.959964, max(planted, 1)
    share = found / n
    middle, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def measure(pair: Pair, seed: int, share: float) -> dict[str, Any]:
    """False alarms on the unchanged pair, and recall for each kind of fault by itself."""
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
        reported = np.bincount(findings.reason[changed], minlength=len(findings.reasons) + 1)
        kinds[kind] = {
            "planted": len(changed),
            "found": found,
            "recall": found / len(changed),
            "interval": wilson(found, len(changed)),
            "false alarms beside": float((rest > 0).mean()),
            "reported as": {
                name: int(n) for name, n in zip(("nothing", *findings.reasons), reported, strict=True) if n
            },
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
    table = Table(
        "pair", "fault", "planted", "found", "recall", "95% interval", "false alarms beside", "reported as"
    )
    for language, result in results.items():
        for kind, row in result["kinds"].items():
            low, high = row["interval"]
            reported = max(row["reported as"], key=lambda name: row["reported as"][name])
            table.add_row(
                f"en-{language}", kind, str(row["planted"]), str(row["found"]), f"{row['recall']:.1%}",
                f"{low:.1%} to {high:.1%}", f"{row['false alarms beside']:.2%}", reported,
            )  # fmt: skip
    console.print(table)
    table = Table("pair", "alarm on unchanged rows", "rows", "rate")
    for language, result in results.items():
        for reason, count in result["false alarms"].items():
            table.add_row(f"en-{language}", reason, str(count), f"{count / result['rows']:.3%}")
    console.print(table)
    for language, result in results.items():
        speed = result["rows"] / result["seconds"]
        console.print(
            f"en-{language}: {result['rows']} rows in {result['seconds']:.1f} s, {speed:,.0f} rows/s"
        )
        for note in result["notes"]:
            console.print(f"note: {note}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder with alpaca_en.json and the others"
    )
    parser.add_argument("--seed", type=int, default=0, help="decides which rows are changed")
    parser.add_argument(
        "--share", type=float, default=0.05, help="the share of rows that each fault is planted in"
    )
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
