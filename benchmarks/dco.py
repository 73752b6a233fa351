"""What `train.py --work dco` compares: crossin's DCO (arXiv 2603.04678) beside the published way."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from evaluate import SHAPES, child
from rich.console import Console
from train_dco import LANGUAGES, SIDES

# The pairs of a published run: they decide how much of its time the reference takes.
RUN = 5000
ALIKE = 1e-4
STEPS = 6
# Of the table, their forms, and what follows crossin's ratio.
FIGURES = (
    ("speed", ".3f", "×"),
    ("whole run", ".3f", "×"),
    ("peak MiB", ",.0f", ""),
    ("above MiB", ",.0f", ""),
)
Result = dict[str, Any]


def measure(options: argparse.Namespace, home: Path, console: Console) -> Result:
    """All sides on each model, in processes of their own, one after the other."""
    threads = options.threads
    made = ["--out", home / "pairs", "--languages", *LANGUAGES]
    questions = child("train_works.py", "pairs", *made, threads=threads)["folder"]
    models: dict[str, Path] = {}
    for name in options.model:
        models[name] = Path(child("train_works.py", "model", name, threads=threads)["folder"])
    for name in options.shape:
        models[SHAPES[name]] = home / name
        shaped = ["--out", home / name, "--device", options.device, "--dtype", options.dtype]
        shaped += ["--tokenizer", options.tokenizer] if options.tokenizer else []
        child("evaluate_works.py", "shape", name, *shaped, threads=threads)
    places = ("data", "mixture", "tokenizer")
    result: Result = {"models": {}, "settings": {k: v for k, v in vars(options).items() if k not in places}}
    for name, folder in models.items():
        common = ["--model", folder, "--questions", questions, "--tokens", options.tokens]
        common += ["--device", options.device, "--dtype", options.dtype, "--threads", threads]
        count = ["--steps", options.steps + options.warmup, "--pairs", options.pairs]
        drawn = child("train_dco.py", "pairs", *common, *count, "--out", home / "work", threads=threads)
        console.print(f"{name}: {drawn['pairs']} pairs of {drawn['questions']} questions")
        common += ["--work", home / "work", "--warmup", options.warmup]
        result["models"][name] = {"pairs": drawn, "sides": sides(common, threads, console)}
    return result


def sides(common: list[object], threads: int, console: Console) -> dict[str, Result]:
    """Each side beside crossin, which is the first."""
    found: dict[str, Result] = {}
    for side in SIDES:
        try:
            one = child("train_dco.py", side, *common, threads=threads)
        except SystemExit as error:
            if side == "crossin":
                raise
            console.print(f"  {error}", markup=False, highlight=False)
            continue
        one["speed"] = one["pairs"] / sum(one["seconds"])
        one["whole run"] = RUN / (RUN / one["speed"] + one["reference"])
        ours = found.setdefault("crossin", one)
        differences = zip(ours["losses"], one["losses"], strict=True)
        one["differs"] = max(abs(left - right) for left, right in differences)
        one["same weights"] = ours["first"] == one["first"]
        found[side] = one
        console.print(
            f"  {side}: {one['speed']:.3f} pairs/s, {one['peak MiB']:,.0f} MiB, {one['above MiB']:,.0f} "
            f"above the loaded model, losses differ by {one['differs']:.1e} at most",
            highlight=False,
            soft_wrap=True,
        )
    return found


def lines_of(result: Result) -> list[str]:
    """The figures as tables in Markdown; in brackets, crossin's speed or memory by a side's."""
    heads = [
        "model",
        "side",
        "tokens computed a pair",
        "pairs/s in a step",
        f"pairs/s in a run of {RUN:,}, with the reference",
        "peak MiB of the process",
        "MiB above the loaded model",
        "largest difference of a loss",
    ]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, about in result["models"].items():
        ours, pairs = about["sides"]["crossin"], about["pairs"]
        for side, one in about["sides"].items():
            cells = [name, side, f"{pairs['tokens'][side]:.0f}"]
            for figure, form, unit in FIGURES:
                ratio = f" ({ours[figure] / one[figure]:.2f}{unit})" if one is not ours else ""
                cells.append(f"{one[figure]:{form}}{ratio}")
            lines.append(f"| {' | '.join([*cells, format(one['differs'], '.1e')])} |")
    for name, about in result["models"].items():
        ours, pairs = about["sides"]["crossin"], about["pairs"]
        lines += [
            "",
            f"{name}: {pairs['pairs']} pairs, with those of the warm-up; the four texts of a pair have "
            f"{pairs['tokens']['real']:.0f} tokens, of which {pairs['tokens']['scored']:.0f} are scored. The "
            f"reference of all {pairs['questions']} questions in every language takes crossin about "
            f"{ours['reference']:.0f} s (estimated from a part of them); reading them, with the reference of "
            f"these pairs alone, took {ours['before']:.1f} s.",
        ]
    return lines


def faults(result: Result, precise: bool) -> list[str]:
    """Where two sides did not do the same; `precise` is in float32."""
    found = []
    for name, about in result["models"].items():
        for side, one in about["sides"].items():
            if not one["same weights"]:
                found.append(f"{name}, {side}: the first weights differ")
            if precise and not one["differs"] <= ALIKE:
                found.append(f"{name}, {side}: losses differ by {one['differs']:.1e}")
    return found
