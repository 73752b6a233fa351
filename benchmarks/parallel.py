"""How many rows that changed places the check of rows joined by position finds, and how many true pairs it
takes for such.

    python benchmarks/parallel.py --data DATA [--set mgsm]

DATA holds mgsm/mgsm_<language>.tsv, truthfulqa-multi/<language>.json and bmlama17/<language>.tsv. The rows of
one language are moved in four ways: a tenth of them change places at random; one pair of neighbours; a tenth
of them, in pairs of neighbours; and a tenth, one block that slips by one. The first two of these sets were at
hand when the check was written; its numbers are no estimate for them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossin.bench.row_order import compare_texts

Ints = npt.NDArray[np.int64]


def lines(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").splitlines()]


def mgsm(data: Path, code: str) -> list[str]:
    return [line[0] for line in lines(data / "mgsm" / f"mgsm_{code}.tsv")]


def truthfulqa(data: Path, code: str) -> list[str]:
    rows = json.loads((data / "truthfulqa-multi" / f"{code}.json").read_text("utf-8"))
    return ["\n".join([row["question"], *row["mc1_targets"]["choices"]]) for row in rows]


def bmlama(data: Path, code: str) -> list[str]:
    return ["\n".join([line[0], line[2]]) for line in lines(data / "bmlama17" / f"{code}.tsv")[1:]]


SETS: dict[str, tuple[Callable[[Path, str], list[str]], str]] = {
    "mgsm": (mgsm, "de es fr ru bn te sw th ja zh"),
    "truthfulqa-multi": (truthfulqa, "es ca gl eu"),
    "bmlama17": (bmlama, "fr zh"),
}


def moves(count: int) -> dict[str, Ints]:
    """Which row stands where, by the way in which rows are moved."""
    random = np.random.default_rng(0)
    still = np.arange(count)
    tenth = count // 10
    moved = {name: still.copy() for name in ("random tenth", "one pair", "pairs", "block")}
    places = random.permutation(count)[:tenth]
    moved["random tenth"][places] = np.roll(places, 1)
    for name, pairs in (("one pair", 1), ("pairs", tenth // 2)):
        for first in 2 * random.permutation(count // 2)[:pairs]:
            moved[name][[first, first + 1]] = first + 1, first
    moved["block"][count // 3 : count // 3 + tenth] = np.roll(still[count // 3 : count // 3 + tenth], 1)
    return moved


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=SETS)
    arguments = parser.parse_args()
    print(
        "set\tlanguage\trows\tin order: found\t" + "\t".join(f"{name}: found, wrongly" for name in moves(100))
    )
    for name in [arguments.set] if arguments.set else SETS:
        read, codes = SETS[name]
        first = read(arguments.data, "en")
        for code in codes.split():
            texts = read(arguments.data, code)
            cells = [name, code, f"{len(texts):,}", str(len(compare_texts(first, texts).apart))]
            for order in moves(len(texts)).values():
                moved = order != np.arange(len(texts))
                found = np.zeros(len(texts), bool)
                found[compare_texts(first, [texts[place] for place in order]).apart] = True
                cells.append(f"{found[moved].mean():.0%}, {np.count_nonzero(found & ~moved)}")
            print("\t".join(cells), flush=True)


if __name__ == "__main__":
    main()
