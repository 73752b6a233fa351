"""What an experiment costs beyond its distinct stages.

`python benchmarks/experiment.py [--model smollm2-135m] [--steps 4] [--limit 16] [--threads 2]` runs `crossin
experiment` in a process of its own: 12 arms (the base model, and 11 trainings of four mixtures) that share
corpus, benchmark and mixtures. The seconds of the whole command, from its start to the tables, are compared
with the sum of the seconds that the manifests of its distinct stages state, and with what the arms' stages
would take without sharing, by the same manifests. Where the first ratio is above 1.1, the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from machine import machine

MOST = 1.1
RATES = (1e-3, 5e-4, 2e-4)
MIXTURES = ("x2en", "en2x", "x2x")
Result = dict[str, Any]


def config_of(options: argparse.Namespace) -> Result:
    """The experiment: each mixture at three learning rates, the English rows at two, and the base model."""
    arms: Result = {"base model": {"train": None}}
    grid = [("base", rate) for rate in RATES[:2]] + [(kind, rate) for kind in MIXTURES for rate in RATES]
    for kind, rate in grid:
        arms[f"{kind} at {rate:g}"] = {
            "compose": {"components": [{"kind": kind, "rows": 8 * options.steps}]},
            "train": {"optimiser": {"learning_rate": rate}},
        }
    return {
        "name": "overhead",
        "baseline": "base model",
        "seeds": [0],
        "languages": ["en", "zh", "vi", "es"],
        "model": options.model,
        "sources": {
            "facts": {"make": "facts"},
            "test": {"make": "facts-bench", "facts": "${facts}"},
        },
        "compose": {"recipe": "demo", "data": "${facts}", "tag": "none"},
        "train": {"config": "demo", "max_steps": options.steps, "batches": {"rows": 8}},
        "evaluate": {"bench": {"facts": "${test}"}, "form": "text", "limit": options.limit},
        "arms": arms,
    }


def measure(options: argparse.Namespace, home: Path) -> Result:
    config = config_of(options)
    file, out = home / "experiment.yaml", home / "out"
    # JSON is YAML, too.
    file.write_text(json.dumps(config), encoding="utf-8")
    limits = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    command = [sys.executable, "-m", "crossin", "experiment", str(file), "--out", str(out)]
    begin = time.perf_counter()
    done = subprocess.run(
        [*command, "--jobs", str(options.jobs)],
        env={**os.environ, **limits, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"crossin experiment failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return {"seconds": seconds, "arms": len(config["arms"]), **stages(file, out)}


def stages(file: Path, out: Path) -> Result:
    """The seconds of the distinct stages, by kind, and of all the stages of all arms."""
    from crossin.core.files import read_json
    from crossin.core.formats import MANIFEST
    from crossin.experiments.run import planned

    plan = planned(file)
    took = {job.key: read_json(job.folder(out) / MANIFEST)["wall_seconds"] for job in plan.jobs}
    by_kind: dict[str, float] = {}
    for job in plan.jobs:
        by_kind[job.stage] = by_kind.get(job.stage, 0.0) + took[job.key]
    unshared = sum(took[job.key] for arm in plan.arms for run in arm.runs for job in run.jobs)
    return {
        "stages": dict(Counter(job.stage for job in plan.jobs)),
        "by kind": by_kind,
        "distinct": sum(took.values()),
        "unshared": unshared,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2-135m", help="by name or folder")
    parser.add_argument("--steps", type=int, default=4, help="of each training, of 8 rows")
    parser.add_argument("--limit", type=int, default=16, help="questions that each arm is asked")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1, help="stages that run at once")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crossin-benchmark-") as home:
        found = measure(options, Path(home))
    found["ratio"] = found["seconds"] / found["distinct"]
    found["machine"] = machine("torch", "transformers", "peft")
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        kinds = ", ".join(f"{count} {kind}" for kind, count in found["stages"].items())
        print(found["machine"], "", "| | seconds | by the distinct stages |", "|---|---|---|", sep="\n")
        for name, seconds in (
            (f"{found['arms']} arms, the whole command", found["seconds"]),
            (f"distinct stages ({kinds})", found["distinct"]),
            ("every arm's stages, nothing shared", found["unshared"]),
        ):
            print(f"| {name} | {seconds:.1f} | {seconds / found['distinct']:.2f} |")
    sys.exit(1 if found["ratio"] > MOST and options.jobs == 1 else 0)


if __name__ == "__main__":
    main()
