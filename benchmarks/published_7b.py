"""The published runs of PolyFact's makers (arXiv 2606.06586), scored again: the tables of
docs/results/published-7b.md.

    python benchmarks/published_7b.py --data ../shared/data

DATA holds `polyfact-runs`: eleven models' replies to KLAR, and thirteen models' scores of the options of
Global-MMLU-Lite. Prints Markdown: figures with 95% intervals, and paired differences from the base model.
"makers" are the figures that follow from the files' own flags of what is right, "ours" those of the entity
that a reply names.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from published_7b_runs import Run, klar_runs, mmlu_runs, reproduced

from crossin.items.replies.entities import Unread
from crossin.metrics.bootstrap import Figure
from crossin.metrics.rankings import rankc_chance, rankc_floor
from crossin.metrics.significance import holm
from crossin.metrics.table import Floats


def number(value: float, signed: bool = False, digits: int = 3) -> str:
    """A value without its leading zero: .532, +.101, −.004."""
    if np.isnan(value):
        return "–"
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.replace("0.", ".", 1).replace("-", "−") if abs(value) < 1 else text.replace("-", "−")


def shown(figure: Figure | None, signed: bool = False) -> str:
    if figure is None or np.isnan(figure.value):
        return "–"
    low, high = (number(end, signed) for end in (figure.low, figure.high))
    return f"{number(figure.value, signed)} [{low} {high}]"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(f"\n{title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def values(runs: Sequence[Run], title: str, figures: Mapping[str, str]) -> None:
    """A table of figures: by run, those with these names under these headings."""
    rows = [[run.name, *(shown(run.pair.ours[name]) for name in figures)] for run in runs]
    table(title, ["run", *figures.values()], rows)


def differences(runs: Sequence[Run], title: str, figures: Mapping[str, str], main: str = "accuracy") -> None:
    """The same less the base model; with p of the `main` figure after Holm's correction over the runs."""
    tuned = [run for run in runs if run.name != run.base]
    p = holm({run.name: run.pair.difference[main].p for run in tuned})
    rows = [
        [
            run.name,
            *(shown(run.pair.difference[name], signed=True) for name in figures),
            "< .001" if p[run.name] < 0.001 else number(p[run.name]),
        ]
        for run in tuned
    ]
    table(title, ["run", *figures.values(), f"p of {figures[main]}"], rows)


def by_language(runs: Sequence[Run], title: str, figure: str) -> None:
    languages = runs[0].languages
    rows = [[run.name, *(shown(run.pair.ours[f"{figure}/{x}"]) for x in languages)] for run in runs]
    table(title, ["run", *languages], rows)


def changed_by_language(runs: Sequence[Run], title: str, figure: str) -> None:
    languages = runs[0].languages
    rows = [
        [run.name, *(shown(run.pair.difference[f"{figure}/{x}"], signed=True) for x in languages)]
        for run in runs
        if run.name != run.base
    ]
    table(title, ["run", *languages], rows)


def klar_tables(runs: Sequence[Run]) -> None:
    first = runs[0]
    cells = first.items * len(first.languages)
    print(f"\n## KLAR: {first.items:,} facts of {first.groups:,} subjects in {', '.join(first.languages)}")
    rows = [
        [run.name, f"{round(run.reported['accuracy'] * cells):,}", f"{run.reported['accuracy']:.4f}"]
        + [f"{run.reported[f'accuracy/{x}']:.4f}" for x in run.languages]
        for run in runs
    ]
    table(f"Right by the makers' flags, of {cells:,}", ["run", "right", "share", *first.languages], rows)
    main = {
        "flagged": "accuracy, makers",
        "accuracy": "accuracy, ours",
        "answered": "answered",
        "numbers": "a number instead",
        "right_if_answered": "right if answered",
        "containment": "containment",
        "fidelity": "fidelity",
    }
    together = {
        "consistency_2": "consistency_2",
        "kappa_2": "kappa_2",
        "right_2": "right_2",
        "wrong_2": "wrong_2",
        "ac3_2": "AC3_2",
    }
    values(runs, "Accuracy and answers", main)
    values(runs, "Languages together", together)
    differences(runs, "Accuracy and answers, less the base model", main)
    differences(runs, "Languages together, less the base model", {"accuracy": "accuracy, ours", **together})
    parts = {
        "both": "both answer",
        "both_theirs": "right there, base",
        "both_ours": "right there, run",
        "both_difference": "difference there",
        "new": "newly answered",
        "new_accuracy": "right there",
        "new_from_number": "base: a number",
        "lost": "no longer answered",
        "lost_accuracy": "right there, base",
    }
    gains = {"gain_both": "both answer", "gain_new": "newly answered", "gain_lost": "no longer answered"}
    tuned = [run for run in runs if run.name != run.base]
    rows = [
        [run.name, *(shown(run.split[name], name == "both_difference") for name in parts)] for run in tuned
    ]
    table("What a difference is made of: shares of all replies, and accuracy", ["run", *parts.values()], rows)
    rows = [
        [
            run.name,
            shown(run.pair.difference["accuracy"], True),
            *(shown(run.split[name], True) for name in gains),
        ]
        for run in tuned
    ]
    table("The difference in accuracy as a sum", ["run", "difference", *gains.values()], rows)
    for name, title in (("gain_both", "both answer"), ("gain_new", "newly answered")):
        rows = [[run.name, *(shown(run.split[f"{name}/{x}"], True) for x in run.languages)] for run in tuned]
        table(f"The part of the difference from questions that are: {title}", ["run", *first.languages], rows)
    reasons = [reason for reason in Unread if any(run.unread.get(reason) for run in runs)]
    rows = [[run.name, *(number(run.unread.get(one, 0) / cells) for one in reasons)] for run in runs]
    table("Why no entity was read: shares of all replies", ["run", *(one.sentence for one in reasons)], rows)
    by_language(runs, "Accuracy (ours) by language", "accuracy")
    changed_by_language(runs, "Accuracy (ours) by language, less the base model", "accuracy")
    by_language(runs, "Answered by language", "answered")
    by_language(runs, "Fidelity by language", "fidelity")


def mmlu_tables(runs: Sequence[Run], folder: Path) -> None:
    first = runs[0]
    print(f"\n## Global-MMLU-Lite: {first.items} of 400 items in {', '.join(first.languages)}")
    rows = [
        [
            run.name,
            f"{run.reported['accuracy']:.4f}",
            *(f"{run.reported[f'accuracy/{x}']:.4f}" for x in run.languages),
        ]
        for run in runs
    ]
    table("Accuracy by the makers' flags, all 400 items", ["run", "mean", *first.languages], rows)
    figures = {
        "accuracy": "accuracy",
        "consistency_2": "consistency_2",
        "kappa_2": "kappa_2",
        "right_2": "right_2",
        "wrong_2": "wrong_2",
        "ac3_2": "AC3_2",
        "rankc": "RankC",
    }
    floor, chance = (number(found(4), digits=4) for found in (rankc_floor, rankc_chance))
    values(runs, f"Figures (RankC: floor {floor}, random rankings {chance})", figures)
    differences(runs, "Less the base model", figures)
    changed_by_language(runs, "Accuracy by language, less the base model", "accuracy")
    furthest = max(reproduced(file) for file in sorted(folder.glob("*.json.gz")))
    print(
        f"\nLargest distance from the makers' RankC and agreement of two languages, all runs: {furthest:.1e}"
    )


def pearson(pairs: Floats) -> float:
    return float(np.asarray(np.corrcoef(pairs.T))[0, 1])


def spearman(pairs: Floats) -> float:
    return pearson(pairs.argsort(axis=0).argsort(axis=0).astype(np.float64))


def correlations(klar: Sequence[Run], mmlu: Sequence[Run]) -> None:
    """Whether multiple choice predicts free generation, over the models that have both."""
    chosen = {run.name: run for run in mmlu}
    both = [(run, chosen[run.name]) for run in klar if run.name in chosen]
    shared = [x for x in klar[0].languages if x in mmlu[0].languages]
    figures: list[tuple[str, Any]] = [
        ("accuracy", lambda figures: figures["accuracy"].value),
        (
            f"accuracy in {', '.join(shared)}",
            lambda figures: np.mean([figures[f"accuracy/{x}"].value for x in shared]),
        ),
        ("consistency_2", lambda figures: figures["consistency_2"].value),
        ("AC3_2", lambda figures: figures["ac3_2"].value),
    ]
    rows = []
    for label, figure in figures:
        for what, side, kept in (
            ("all", "ours", both),
            ("less the base model", "difference", [one for one in both if one[0].name != one[0].base]),
        ):
            pairs = np.array([[figure(getattr(one.pair, side)) for one in pair] for pair in kept])
            without = [np.delete(pairs, place, axis=0) for place in range(len(pairs))]
            row = [label, what, str(len(pairs))]
            for correlation in (pearson, spearman):
                found = [correlation(some) for some in without]
                row.append(
                    f"{number(correlation(pairs), True, 2)} ({number(min(found), True, 2)} to "
                    f"{number(max(found), True, 2)})"
                )
            rows.append(row)
    print("\n## Multiple choice against free generation")
    title = (
        "Correlation over the models that have both; in brackets, lowest and highest where one is left out"
    )
    table(title, ["figure", "models", "n", "Pearson", "Spearman"], rows)
    head = [
        "run",
        "KLAR, accuracy",
        "Global-MMLU-Lite, accuracy",
        "KLAR, consistency_2",
        "Global-MMLU-Lite, consistency_2",
    ]
    compared = [
        [
            free.name,
            *(
                shown(one.pair.difference[name], True)
                for name in ("accuracy", "consistency_2")
                for one in (free, choice)
            ),
        ]
        for free, choice in both
        if free.name != free.base
    ]
    table("Less the base model", head, compared)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with polyfact-runs")
    parser.add_argument("--draws", type=int, default=10_000, help="bootstrap draws")
    options = parser.parse_args()
    folder = options.data / "polyfact-runs"
    begin = time.perf_counter()
    klar = klar_runs(folder / "klar", options.draws)
    klar_tables(klar)
    mmlu = mmlu_runs(folder / "gmmlu-lite", options.draws)
    mmlu_tables(mmlu, folder / "gmmlu-lite")
    correlations(klar, mmlu)
    print(f"\n{options.draws:,} draws, {time.perf_counter() - begin:.0f} s, {machine('numpy')}")


if __name__ == "__main__":
    main()
