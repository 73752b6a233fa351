"""The time of figures: closed form against enumeration, 100 languages, 10,000 bootstrap draws of everything.

`python benchmarks/metrics.py [--items 1190] [--languages 12] [--draws 10000] [--runs 3] [--json]` builds
a synthetic table of answers (no data needed) with as many items as XQuAD and measures

- consistency for every number of languages s: by enumeration of all subsets of s languages as SeaEval does it
  (a Python loop that compares the first three characters of the chosen options), by the same enumeration on
  NumPy arrays, and by crossin, which computes all other figures too; and the largest difference;
- every figure for 100 languages, s = 2 .. 100;
- bootstrap intervals of all figures that a table has (accuracy, consistency, kappa, right, wrong, AC3;
  agreement of pairs; pivot; transfer; RankC), with every item its own group and with 240 groups;
- the same (without RankC) for replies that name an entity, in KLAR's size: 2,619 items in 17 languages, whose
  answers are 857 entities of 20 inventories, in 1,900 groups; and the largest memory of the process.

Times are medians of the runs, in one process.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
from machine import machine
from rich.console import Console
from rich.table import Table

from crossin.metrics.bootstrap import resample
from crossin.metrics.choices import answer_family, figures
from crossin.metrics.pairwise import agreement_family, pivot_family
from crossin.metrics.pivot_transfer import transfer_family
from crossin.metrics.rankings import rankc_family
from crossin.metrics.table import MISSING, AnswerTable, Floats

OPTIONS = 4
PARAGRAPHS = 240
MANY = 100
# As KLAR: items, languages, groups, and how many entities each relation has.
KLAR = (2619, 17, 1900)
ENTITIES = (203, 150, 100, 80, 60, 50, 40, 30, 25, 22, 20, 18, 14, 12, 10, 8, 6, 4, 3, 2)
Result = dict[str, Any]


def synthetic(items: int, languages: int, groups: int) -> tuple[AnswerTable, Floats]:
    """Answers of a model that knows some items, guesses the rest, and likes some options: a table and its
    log-probabilities [I, L, K].
    """
    generator = np.random.default_rng(0)
    gold = generator.integers(0, OPTIONS, items)
    shared = generator.normal(size=(items, 1, OPTIONS)) + 2 * np.eye(OPTIONS)[gold][:, None]
    scores = shared + generator.normal(size=(items, languages, OPTIONS))
    table = AnswerTable(
        items=tuple(f"item-{i}" for i in range(items)),
        languages=tuple(f"language-{i}" for i in range(languages)),
        groups=tuple(f"group-{i * groups // items}" for i in range(items)),
        tasks=("questions",) * items,
        answers=scores.argmax(axis=2),
        gold=gold,
        options=np.full(items, OPTIONS),
    )
    return table, scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))


def enumerated(replies: dict[str, list[str]]) -> dict[int, float]:
    """Consistency as SeaEval computes it: every subset of languages, every item, in Python."""
    items = len(next(iter(replies.values())))
    found = {}
    for size in range(2, len(replies) + 1):
        shares = []
        for subset in combinations(replies, size):
            same = 0
            for i in range(items):
                first = replies[subset[0]][i][:3]
                if all(replies[language][i][:3] == first for language in subset[1:]):
                    same += 1
            shares.append(same / items)
        found[size] = sum(shares) / len(shares)
    return found


def enumerated_in_numpy(answers: np.ndarray[Any, np.dtype[np.int64]]) -> dict[int, float]:
    """The same enumeration, with all items of a subset compared at once."""
    columns = np.ascontiguousarray(answers.T)
    found = {}
    for size in range(2, len(columns) + 1):
        shares = []
        for subset in combinations(columns, size):
            same = subset[0] == subset[1]
            for column in subset[2:]:
                same &= subset[0] == column
            shares.append(same.mean())
        found[size] = float(np.mean(shares))
    return found


def seconds(call: Callable[[], object], runs: int) -> float:
    """The median time of a call."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def closed_form(items: int, languages: int, runs: int) -> Result:
    table, _ = synthetic(items, languages, items)
    replies = {
        language: [f"({'ABCD'[answer]}) the text of this option" for answer in table.answers[:, i]]
        for i, language in enumerate(table.languages)
    }
    ours = figures(table)
    largest = max(
        abs(ours[f"consistency_{size}"] - value)
        for found in (enumerated(replies), enumerated_in_numpy(table.answers))
        for size, value in found.items()
    )
    return {
        "SeaEval's way": seconds(lambda: enumerated(replies), runs),
        "enumeration in NumPy": seconds(lambda: enumerated_in_numpy(table.answers), runs),
        "crossin, all figures": seconds(lambda: figures(table), max(runs, 20)),
        "largest difference": largest,
    }


def bootstrap(items: int, languages: int, groups: int, draws: int, runs: int) -> Result:
    table, logprobs = synthetic(items, languages, groups)
    pivot = table.languages[0]

    def intervals() -> dict[str, Any]:
        families = [
            answer_family(table),
            agreement_family(table),
            pivot_family(table, pivot),
            transfer_family(table, pivot),
            rankc_family(table, logprobs),
        ]
        return resample(families, table.groups, draws=draws)

    return {"groups": groups, "figures": len(intervals()), "seconds": seconds(intervals, runs)}


def named(draws: int) -> Result:
    """Intervals of every figure of replies that name half of the entities rightly, and a fifth none."""
    items, languages, groups = KLAR
    generator = np.random.default_rng(0)
    pool = np.arange(items) * len(ENTITIES) // items
    options = np.array(ENTITIES)[pool]
    gold = generator.integers(0, options)
    others = generator.integers(0, options[:, None], (items, languages))
    answers = np.where(generator.random((items, languages)) < 0.5, gold[:, None], others)
    answers[generator.random((items, languages)) < 0.2] = MISSING
    table = AnswerTable(
        items=tuple(f"item-{i}" for i in range(items)),
        languages=tuple(f"language-{i}" for i in range(languages)),
        groups=tuple(f"group-{i}" for i in generator.integers(0, groups, items)),
        tasks=tuple(f"relation-{i}" for i in pool),
        answers=answers,
        gold=gold,
        options=options,
        pools=tuple(f"relation-{i}" for i in pool),
    )
    pivot = table.languages[0]
    start, busy = time.perf_counter(), time.process_time()
    families = [answer_family(table), agreement_family(table)]
    families += [pivot_family(table, pivot), transfer_family(table, pivot)]
    found = resample(families, table.groups, draws=draws)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "figures": len(found),
        "seconds": time.perf_counter() - start,
        "processor seconds": time.process_time() - busy,
        "memory, GB": memory,
    }


def measure(items: int, languages: int, draws: int, runs: int, console: Console) -> Result:
    console.print(f"consistency of {items:,} items in {languages} languages, s = 2 .. {languages}")
    result: Result = {"items": items, "languages": languages, "draws": draws, "runs": runs}
    result["consistency"] = closed_form(items, languages, runs)
    console.print(f"every figure of {items:,} items in {MANY} languages")
    many, _ = synthetic(items, MANY, items)
    result["100 languages"] = {"figures": len(figures(many)), "seconds": seconds(lambda: figures(many), runs)}
    console.print(f"{draws:,} draws of every figure, {languages} languages")
    result["bootstrap"] = [
        bootstrap(items, languages, groups, draws, runs) for groups in (items, min(items, PARAGRAPHS))
    ]
    console.print(f"{draws:,} draws of every figure of replies, {KLAR[0]:,} items in {KLAR[1]} languages")
    result["entities"] = named(draws)
    return result


def show(result: Result, console: Console) -> None:
    items, languages, found = result["items"], result["languages"], result["consistency"]
    ours = found["crossin, all figures"]
    table = Table(title=f"consistency, {items:,} items, {languages} languages")
    for heading in ("way", "seconds", "times crossin"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way, spent in found.items():
        if way != "largest difference":
            table.add_row(way, f"{spent:.5f}", f"{spent / ours:,.0f}")
    console.print(table)
    console.print(f"Largest difference: {found['largest difference']:.1e}")
    many = result["100 languages"]
    console.print(f"{MANY} languages: {many['figures']:,} figures in {many['seconds']:.3f} s")
    for entry in result["bootstrap"]:
        console.print(
            f"{result['draws']:,} draws of {entry['figures']:,} figures, {entry['groups']:,} groups: "
            f"{entry['seconds']:.2f} s"
        )
    found = result["entities"]
    console.print(
        f"{result['draws']:,} draws of {found['figures']:,} figures of replies, {sum(ENTITIES):,} entities: "
        f"{found['seconds']:.1f} s ({found['processor seconds']:.1f} s of the processor), "
        f"{found['memory, GB']:.2f} GB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=1190)
    parser.add_argument("--languages", type=int, default=12)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3, help="how often each is timed")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    result = measure(options.items, options.languages, options.draws, options.runs, console)
    result["machine"] = machine("numpy")
    if options.json:
        print(json.dumps(result, indent=2))
        return
    show(result, console)
    console.print(result["machine"])


if __name__ == "__main__":
    main()
