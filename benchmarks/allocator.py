"""What another memory allocator gains on a CPU: the same training and evaluation with glibc's and with it.

`OMP_NUM_THREADS=1 python benchmarks/allocator.py MIXTURE BENCH --allocator libjemalloc.so.2` runs each in
processes of their own, side by side, on a core each, and prints seconds, their ratio, and whether the weights
are the same bytes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crossin.core.files import sha256


def seconds(arguments: Sequence[str], allocator: str) -> float:
    """How long a command of crossin takes with an allocator in place of glibc's, if one is named."""
    started = time.monotonic()
    environment = os.environ | ({"LD_PRELOAD": allocator} if allocator else {})
    subprocess.run(
        [sys.executable, "-m", "crossin", *arguments], check=True, env=environment, capture_output=True
    )
    return time.monotonic() - started


def run(given: argparse.Namespace, allocator: str, home: Path) -> tuple[list[float], str]:
    """Seconds of the training and of the evaluation, and the hash of the trained weights."""
    shared = ["--dtype", "bfloat16"]
    train = ["train", "paper", "--model", given.model, "--mixture", str(given.mixture), *shared]
    train += ["--max-steps", str(given.steps), "--out", str(home / "training")]
    ask = ["evaluate", str(home / "training"), "--bench", str(given.bench), "--form", "text", *shared]
    ask += ["--limit", str(given.limit), "--out", str(home / "answers")]
    found = [seconds(command, allocator) for command in (train, ask)]
    return found, sha256(home / "training" / "adapter" / "adapter_model.safetensors")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mixture", type=Path)
    parser.add_argument("bench", type=Path)
    parser.add_argument("--allocator", required=True, help="the shared library")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--limit", type=int, default=150)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        places = [Path(folder) / name for name in ("glibc", "other")]
        both = list(pool.map(lambda pair: run(given, *pair), zip(("", given.allocator), places, strict=True)))
    (glibc, one), (other, same) = both
    for name, left, right in zip(("training", "evaluation"), glibc, other, strict=True):
        print(f"{name}: {left:.0f} s with glibc, {right:.0f} s with the other: {left / right:.2f}x")
    print("weights:", "the same bytes" if one == same else "DIFFERENT")


if __name__ == "__main__":
    main()
