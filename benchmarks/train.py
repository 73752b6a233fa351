"""How fast a model is tuned, beside TRL's SFTTrainer and, on a GPU, Unsloth.

`python benchmarks/train.py --data ../shared/data/alpaca [--model smollm2-135m] [--shape gemma3-270m]` tunes
each model on a CrossIn mixture of Alpaca in English, Chinese and Vietnamese, LoRA of rank 16 on all linear
layers, for `--steps` steps of `--rows` rows:

- crossin: micro-batches of at most `--tokens` tokens;
- trl-defaults: TRL's defaults, a step's rows as one batch, but in float32;
- trl-best: batches of one row, accumulated, without checkpointing, in float32;
- trl-bf16 (where asked for by `--sides`): as trl-defaults, in bfloat16 as TRL has it; its losses are others.

With `--device cuda --dtype bfloat16` the sides are these (no flash-attn is needed, nor used):

- crossin, and crossin-recompute, which computes activations again instead of keeping them;
- trl-tuned: batches of `--batch` rows, those of a step sorted by length, Liger's kernels, no checkpointing;
- trl-padding-free: the same, with packed sequences; trl-recompute: with checkpointing;
- unsloth and unsloth-recompute: `FastLanguageModel` without and with its own checkpointing, batches alike.

All get the same tokens, labels, order, first weights and settings (Unsloth draws the adapter's itself), in
processes of their own, one after the other, with `--threads` and one run each. `--warmup` steps come first:
they are not counted, nor is start-up. Tokens are real ones, no padding. *Work* is what the linear layers and
the head multiply, forward and backward, by the fewest: computed from shapes, not measured
(`train_works.py`); *MFU* is the fewest by the seconds and `--peak`. Where the first weights of two sides
differ, or losses in float32 by more than 1e-3, the exit status is 1. A side that fails is named, and the
others go on.

With `--work dco` the work is another: pairs of questions alone, by DCO as published, beside crossin's
(`train_dco.py`); `--pairs` are those of a step, and losses in float32 must agree to 1e-4.

With `--objectives` crossin is also run with `align`, with `consist` (answers), and with both, on pairs that
have `--share` of all tokens: what that adds to tokens and seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

# Nothing large is imported here: Linux counts a process's memory to the peaks of those that it starts.
import dco
from evaluate import SHAPES, child
from machine import machine
from rich.console import Console

from crossin.core.reasons import counted_sentences

CPU = ("trl-best", "trl-defaults", "trl-bf16")
GPU = (
    "crossin-recompute",
    "trl-tuned",
    "trl-padding-free",
    "trl-recompute",
    "unsloth",
    "unsloth-recompute",
)
TERMS: tuple[tuple[str, ...], ...] = ((), ("align",), ("consist",), ("align", "consist"))
ALIKE = 1e-3
Result = dict[str, Any]


def compare(common: list[object], work: Result, options: argparse.Namespace, console: Console) -> Result:
    """All sides on one model, each beside crossin."""
    sides: dict[str, Result] = {}
    for side in ("crossin", *options.sides):
        try:
            found = child("train_peer.py", side, *common, threads=options.threads)
        except SystemExit as error:
            if side == "crossin":
                raise
            console.print(f"  {error}", markup=False, highlight=False)
            continue
        seconds, fewest = sum(found["seconds"]), work["work"]["fewest"]
        found["speed"] = work["tokens"] / seconds
        spent = side.replace("crossin", "fewest" if found.get("layout") != "padded" else "crossin, padded")
        found["work"] = work["work"][spent] / fewest if spent in work["work"] else None
        found["MFU"] = 2 * fewest / seconds / options.peak if options.peak else None
        ours = sides.setdefault("crossin", found)
        found["times"] = ours["speed"] / found["speed"]
        pairs = zip(ours["losses"], found["losses"], strict=True)
        found["differs"] = max(abs(one - other) for one, other in pairs)
        found["same weights"] = ours["first"] == found["first"]
        sides[side] = found
        console.print(
            f"  {side}: {found['speed']:.0f} tokens/s, {found['peak MiB']:,.0f} MiB, losses differ by "
            f"{found['differs']:.1e} at most, first weights {found['first']}",
            highlight=False,
            soft_wrap=True,
        )
        for note in found["notes"]:
            console.print(f"  {note}")
    return sides


def terms(
    common: list[object], work: Result, items: str, options: argparse.Namespace, console: Console
) -> list[Result]:
    """Crossin with each of `TERMS`, and what they add to the tokens and seconds of the first, without any."""
    runs: list[Result] = []
    for chosen in TERMS:
        pairs = ["--terms", *chosen, "--items", items, "--share", options.share] if chosen else []
        found = child("train_peer.py", "crossin", *common, *pairs, threads=options.threads)
        seconds = sum(found["seconds"])
        added = sum(found["tokens"][1:]) - work["tokens"]
        runs.append({"terms": chosen, "seconds": seconds, "peak MiB": found["peak MiB"], "tokens": added})
        runs[-1]["added tokens"] = added / work["tokens"]
        runs[-1]["added seconds"] = seconds / runs[0]["seconds"] - 1
        console.print(f"  {' + '.join(chosen) or 'rows alone'}: {seconds:.1f} s, {added:,} tokens of pairs")
    return runs


def measure(options: argparse.Namespace, home: Path, console: Console) -> Result:
    threads = options.threads
    models: dict[str, Path] = {}
    for name in options.model:
        models[name] = Path(child("train_works.py", "model", name, threads=threads)["folder"])
    for name in options.shape:
        models[SHAPES[name]] = home / name
        drawn = ["--out", home / name, "--device", options.device, "--dtype", options.dtype]
        drawn += ["--tokenizer", options.tokenizer] if options.tokenizer else []
        child("evaluate_works.py", "shape", name, *drawn, threads=threads)
    mixture, rows = home / "mixture", options.rows * (options.steps + options.warmup)
    if options.mixture:
        mixture = options.mixture
    else:
        made = ["--data", options.data, "--rows", rows, "--out", mixture]
        child("train_works.py", "mixture", *made, threads=threads)
    items = ""
    if options.objectives:
        items = child("train_works.py", "pairs", "--out", home / "pairs", threads=threads)["folder"]
    places = ("data", "mixture", "tokenizer")
    result: Result = {"models": {}, "settings": {k: v for k, v in vars(options).items() if k not in places}}
    for name, folder in models.items():
        common = ["--model", folder, "--mixture", mixture, "--rows", options.rows, "--tokens", options.tokens]
        common += ["--warmup", options.warmup]
        work = child("train_works.py", "work", *common, threads=threads)
        console.print(f"{name}: {work['rows']} rows, {work['tokens']:,} tokens, {work['learned']:,} learned")
        common += ["--threads", threads, "--device", options.device, "--dtype", options.dtype]
        common += ["--batch", options.batch] if options.batch else []
        about: Result = {"work": work, "sides": compare(common, work, options, console)}
        if options.objectives:
            about["objectives"] = terms(common, work, items, options, console)
        result["models"][name] = about
    return result


def lines_of(result: Result) -> list[str]:
    """The figures as tables in Markdown."""
    lines = [
        "| model | trainer | tokens/s | crossin is faster by | seconds | start and warm-up, s | peak MiB "
        "| work by the fewest | MFU | largest difference of a loss |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, about in result["models"].items():
        for side, one in about["sides"].items():
            times = "" if side == "crossin" else f"{one['times']:.2f}×"
            lines.append(
                f"| {name} | {side} | {one['speed']:.0f} | {times} | {sum(one['seconds']):.1f} | "
                f"{one['start']:.1f} | {one['peak MiB']:,.0f} | {_shown(one['work'], '.2f')} | "
                f"{_shown(one['MFU'], '.0%')} | {one['differs']:.1e} |"
            )
    for name, about in result["models"].items():
        work = about["work"]
        left_out = "".join(f"; {line}" for line in counted_sentences(work["skipped"]))
        lines += [
            "",
            f"{name}: {work['steps']} counted steps, {work['rows']} rows, {work['tokens']:,} tokens, "
            f"{work['learned']:,} learned{left_out}; fewest {work['work']['fewest']:.2f}e12 multiply-adds",
        ]
        if "objectives" not in about:
            continue
        lines += ["", "| terms | tokens of pairs | seconds | peak MiB |", "|---|---|---|---|"]
        for one in about["objectives"]:
            lines.append(
                f"| {' + '.join(one['terms']) or 'rows alone'} | {one['tokens']:,} "
                f"({one['added tokens']:+.0%}) | {one['seconds']:.1f} ({one['added seconds']:+.0%}) | "
                f"{one['peak MiB']:,.0f} |"
            )
    return lines


def _shown(figure: float | None, form: str) -> str:
    return "" if figure is None else format(figure, form)


def faults(result: Result, precise: bool) -> list[str]:
    """Where two sides did not do the same."""
    found = []
    for name, about in result["models"].items():
        for side, one in about["sides"].items():
            if not one["same weights"] and not side.startswith("unsloth"):
                found.append(f"{name}, {side}: the first weights differ")
            if precise and side != "trl-bf16" and not one["differs"] <= ALIKE:
                found.append(f"{name}, {side}: losses differ by {one['differs']:.1e}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the folder of the Alpaca files")
    parser.add_argument("--mixture", type=Path, help="one that is already composed, in place of --data")
    parser.add_argument("--tokenizer", type=Path, help="the folder of the shapes' tokenizer")
    parser.add_argument("--model", nargs="*", default=["smollm2-135m"], help="by name or folder")
    parser.add_argument("--shape", nargs="*", default=[], choices=SHAPES, help="random weights")
    parser.add_argument("--work", choices=("rows", "dco"), default="rows")
    parser.add_argument("--steps", type=int, help="counted steps, after those that are not: 3, of dco 6")
    parser.add_argument("--pairs", type=int, default=4, help="pairs a step, of dco")
    parser.add_argument("--rows", type=int, default=16, help="rows a step")
    parser.add_argument("--tokens", type=int, default=512, help="of a micro-batch of crossin")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", nargs="*", choices=CPU + GPU, help="beside crossin; none without a name")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--batch", type=int, help="rows a batch of TRL's on a GPU; by default all of a step")
    parser.add_argument("--warmup", type=int, default=1, help="steps that come first and are not counted")
    parser.add_argument("--peak", type=float, help="what the device multiplies, in TFLOP/s, for the MFU")
    parser.add_argument("--objectives", action="store_true", help="also what align and consist add")
    parser.add_argument("--share", type=float, default=1 / 6, help="of all tokens that pairs have")
    parser.add_argument("--versions", nargs="*", default=[], help="of these too, beside the figures")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if not options.model and not options.shape:
        parser.error("name a model with --model, or a shape with --shape")
    pairs = options.work == "dco"
    if not pairs and not options.data and not options.mixture:
        parser.error("name the rows with --data or --mixture")
    if options.steps is None:
        options.steps = dco.STEPS if pairs else 3
    if options.steps < 1 or options.warmup < 1:
        parser.error("--steps and --warmup must be at least 1")
    if options.sides is None:
        options.sides = CPU[:2] if options.device == "cpu" else GPU
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="crossin-benchmark-") as home:
        result = (dco.measure if pairs else measure)(options, Path(home), console)
    result["machine"] = machine("torch", "transformers", "trl", "peft", *options.versions)
    if options.device == "cuda":
        import torch

        result["machine"] += f", {torch.cuda.get_device_name()}"
    result["faults"] = (dco.faults if pairs else faults)(result, options.dtype == "float32")
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print("\n".join([result["machine"], "", *(dco.lines_of if pairs else lines_of)(result)]))
    for fault in result["faults"]:
        console.print(fault)
    sys.exit(1 if result["faults"] else 0)


if __name__ == "__main__":
    main()
