"""How fast a model answers the same in many languages, beside lm-evaluation-harness at its best batch size.

`python benchmarks/evaluate.py --data ../shared/data --model smollm2-135m --shape gemma3-270m [--threads 2]`
asks each model these workloads:

- xquad-text: Cross-XQuAD, options by their full text, a sample of whole paragraphs;
- xquad-letters: the same, options by their letters;
- mmlu-text: Cross-MMLU, options by their full text, a sample of items;
- facts-text: the facts suite, its multiple choice by full text, a sample of countries;
- klar-generation: KLAR, a reply after three shots, a sample by relation.

Both sides get the same questions (those of `crossin evaluate`, and of `crossin bench export --to lm-eval`),
run in processes of their own, in alternation, in float32 with as many threads. lm-eval first answers a part
of the questions with each of `--batch-sizes`; the fastest answers all of them. Seconds are those of asking;
start-up (imports, weights, a first small question) and peak memory are stated apart; figures are medians of
`--runs`. Log-probabilities are compared option by option, and for that part with those in float64. *Fewest*
tokens are the distinct beginnings of all sequences of a language, *without sharing* those of every option's
whole text. Of replies, both count each but for its last token, which need not be computed; where replies
differ, they are compared with those in float64.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# Nothing large is imported here: Linux counts a process's memory to the peaks of those that it starts.
from evaluate_works import part_of
from machine import machine
from rich.console import Console
from rich.table import Table

from crossin.core.reasons import sentence_of

HERE = Path(__file__).parent
WORKS = {
    "xquad-text": "Cross-XQuAD, full-text options",
    "xquad-letters": "Cross-XQuAD, letters",
    "mmlu-text": "Cross-MMLU, full-text options",
    "facts-text": "facts, full-text options",
    "klar-generation": "KLAR, replies",
}
SHAPES = {
    "gemma3-270m": "shape of Gemma 3 270M, random weights",
    "smollm2-135m": "shape of SmolLM2 135M, random weights",
    "mistral-7b": "shape of Mistral 7B, random weights",
}
Result = dict[str, Any]


def child(script: str, *arguments: object, threads: int) -> Result:
    """The result of a script in this folder, run with this many threads."""
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        env={**os.environ, **limits, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(map(str, arguments))} failed:\n{done.stderr[-3000:]}")
    answer: Result = json.loads(done.stdout.splitlines()[-1])
    return answer


def compare(
    model: Path,
    asked: Path,
    sizes: list[int],
    part: int,
    runs: int,
    threads: int,
    device: str,
    console: Console,
) -> Result:
    """Both sides with one model and one workload."""
    common = ["--model", model, "--requests", asked, "--threads", threads, "--device", device]
    sweep = {}
    for size in sizes if len(sizes) > 1 else []:
        found = child(
            "evaluate_baseline.py", "lm-eval", *common, "--batch-size", size, "--part", part, threads=threads
        )
        sweep[size] = found["seconds"]
        console.print(f"  lm-eval, a part, batch size {size}: {found['seconds']:.1f} s")
    best = min(sweep, key=sweep.__getitem__) if sweep else sizes[0]
    sides: dict[str, list[Result]] = {"lm-eval": [], "crossin": []}
    for run in range(runs):
        for side, found_runs in sides.items():
            found = child("evaluate_baseline.py", side, *common, "--batch-size", best, threads=threads)
            found_runs.append(found)
            console.print(f"  run {run + 1} of {runs}: {side}: {found['seconds']:.1f} s")
    tokens = child("evaluate_works.py", "tokens", "--model", model, "--requests", asked, threads=threads)
    medians = {side: summary(found_runs) for side, found_runs in sides.items()}
    replied = bool(sides["crossin"][0]["replies"])
    agreement = compare_replies if replied else compare_scores
    return {
        "sweep": sweep,
        "batch size": best,
        **medians,
        "times": medians["lm-eval"]["seconds"] / medians["crossin"]["seconds"],
        **agreement(sides, asked, part, common, threads),
        **tokens,
    }


def compare_scores(
    sides: dict[str, list[Result]], asked: Path, part: int, common: list[Any], threads: int
) -> Result:
    """How far the log-probabilities of both sides are from each other, and a part of them from float64."""
    exact = child("evaluate_baseline.py", "float64", *common, "--part", part, threads=threads)["logprobs"]
    chosen = part_of(json.loads(asked.read_text(encoding="utf-8")), part)
    theirs, ours = (sides[side][0]["logprobs"] for side in ("lm-eval", "crossin"))
    return {
        "largest difference": furthest(ours, theirs),
        "from float64": {
            side: furthest([logprobs[place] for place in chosen], exact)
            for side, logprobs in (("lm-eval", theirs), ("crossin", ours))
        },
        "other answers": sum(likeliest(one) != likeliest(two) for one, two in zip(ours, theirs, strict=True)),
    }


def compare_replies(
    sides: dict[str, list[Result]], asked: Path, _: int, common: list[Any], threads: int
) -> Result:
    """The replies that differ, each with that in float64 and the smallest lead of one of its tokens there."""
    theirs, ours = (sides[side][0]["replies"] for side in ("lm-eval", "crossin"))
    places = [place for place, (one, two) in enumerate(zip(ours, theirs, strict=True)) if one != two]
    exact: Result = {"replies": [], "leads": []}
    if places:
        chosen = asked.with_suffix(".places.json")
        chosen.write_text(json.dumps(places), encoding="utf-8")
        exact = child("evaluate_baseline.py", "float64", *common, "--places", chosen, threads=threads)
    return {
        "other answers": len(places),
        "characters": sum(map(len, ours)) / len(ours),
        "differences": [
            {"lm-eval": theirs[place], "crossin": ours[place], "float64": reply, "lead": lead}
            for place, reply, lead in zip(places, exact["replies"], exact["leads"], strict=True)
        ],
    }


def furthest(ours: list[list[float]], theirs: list[list[float]]) -> float:
    """The largest difference of an option's log-probability."""
    return max(
        abs(a - b) for one, two in zip(ours, theirs, strict=True) for a, b in zip(one, two, strict=True)
    )


def summary(runs: list[Result]) -> Result:
    """Medians of the runs of one side."""
    figures = [name for name in ("start", "seconds", "peak MiB", "GPU peak MiB") if name in runs[0]]
    return {
        **{name: statistics.median(run[name] for run in runs) for name in figures},
        **{name: runs[0][name] for name in ("tokens", "whole") if name in runs[0]},
        "notes": runs[0]["notes"],
        "all seconds": [run["seconds"] for run in runs],
    }


def likeliest(logprobs: list[float]) -> int:
    """The first of the likeliest options, as both sides choose."""
    return max(range(len(logprobs)), key=logprobs.__getitem__)


def rows(about: Result, found: Result) -> dict[str, str]:
    """The rows of a table for one model and one workload."""
    theirs, ours, exact = found["lm-eval"], found["crossin"], found.get("from float64")

    def both(figure: str, form: str) -> str:
        return f"{theirs[figure]:{form}} / {ours[figure]:{form}}"

    said = {
        "items x languages": f"{about['items']} x {len(about['languages'])}",
        "lm-eval's best batch size": str(found["batch size"]),
        "seconds to ask": both("seconds", ".1f"),
        "times as fast": f"{found['times']:.1f}",
        "start-up, seconds": both("start", ".1f"),
        "peak memory, MiB": both("peak MiB", ",.0f"),
    }
    if exact:
        said |= {
            "largest difference of log-probabilities": f"{found['largest difference']:.1e}",
            "largest distance from float64, of a part": f"{exact['lm-eval']:.1e} / {exact['crossin']:.1e}",
        }
    # Beyond the prompts, each reply but for its last token.
    replies = ours["whole"] - found["naive"] if "differences" in found else 0
    fewest, naive = found["fewest"] + replies, found["naive"] + replies
    said |= {
        "items with another answer": str(found["other answers"]),
        "tokens computed": both("tokens", ",d"),
        "fewest tokens possible": f"{fewest:,}",
        "crossin's tokens by the fewest": f"{ours['tokens'] / fewest:.3f}",
        "tokens without sharing": f"{naive:,}",
    }
    if "GPU peak MiB" in ours:
        said["peak memory of the GPU, MiB"] = both("GPU peak MiB", ",.0f")
    return said


def show(result: Result, console: Console) -> None:
    for model, works in result["models"].items():
        columns = {work: rows(result["works"][work], found) for work, found in works.items()}
        table = Table("lm-eval / crossin", title=model)
        for work in works:
            table.add_column(WORKS[work].replace(", ", "\n"), justify="right")
        for figure in next(iter(columns.values())):
            table.add_row(figure, *(said[figure] for said in columns.values()))
        console.print(table)
        for work, found in works.items():
            for note in found["crossin"]["notes"]:
                console.print(f"{WORKS[work]}: {sentence_of(note)}")
            for one in found.get("differences", ()):
                console.print(f"{WORKS[work]}, another reply: {one}", markup=False)
    for work, about in result["works"].items():
        console.print(f"{WORKS[work]}: {', '.join(about['languages'])}")


def measure(options: argparse.Namespace, work_folder: Path, console: Console) -> Result:
    threads = options.threads
    models: dict[str, Path] = {}
    for name in options.model:
        found = child("evaluate_works.py", "pull", name, threads=threads)
        models[name] = Path(found["folder"])
    for name in options.shape:
        console.print(f"making the {SHAPES[name]}")
        models[SHAPES[name]] = work_folder / name
        child("evaluate_works.py", "shape", name, "--out", work_folder / name, threads=threads)
    result: Result = {"works": {}, "models": {name: {} for name in models}}
    result["settings"] = {"threads": threads, "runs": options.runs, "device": options.device}
    sample = ["--data", options.data, "--items", options.items]
    sample += ["--languages", options.languages] if options.languages else []
    for work in options.work or WORKS:
        asked = work_folder / f"{work}.json"
        result["works"][work] = child(
            "evaluate_works.py", "questions", work, *sample, "--out", asked, threads=threads
        )
        for name, folder in models.items():
            console.print(f"{name}, {WORKS[work]}, {result['works'][work]['questions']:,} questions")
            sizes = [int(size) for size in options.batch_sizes.split(",")]
            result["models"][name][work] = compare(
                folder, asked, sizes, options.part, options.runs, threads, options.device, console
            )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with xquad/ and seaeval/")
    parser.add_argument("--model", action="append", default=[], help="a model, by name or folder; repeatable")
    parser.add_argument(
        "--shape", action="append", default=[], choices=SHAPES, help="a model made on the fly"
    )
    parser.add_argument("--work", action="append", choices=WORKS, help="all if not given; repeatable")
    parser.add_argument("--items", type=int, default=5, help="items of each work; whole paragraphs")
    parser.add_argument("--languages", help="with commas; all that a benchmark has if not given")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--batch-sizes", default="1,4,16", help="those that lm-eval tries, with commas")
    parser.add_argument(
        "--part",
        type=int,
        default=1,
        help="questions a language that it tries them on, and that are asked in float64",
    )
    parser.add_argument("--runs", type=int, default=1, help="how often each side asks everything")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    if not options.model and not options.shape:
        parser.error("name a model with --model, or a shape with --shape")
    console = Console(stderr=options.json)
    with tempfile.TemporaryDirectory(prefix="crossin-benchmark-") as folder:
        result = measure(options, Path(folder), console)
    result["machine"] = machine("torch", "transformers", "lm_eval")
    if options.json:
        print(json.dumps(result, indent=2))
        return
    show(result, console)
    console.print(result["machine"])


if __name__ == "__main__":
    main()
