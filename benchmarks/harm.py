"""What tuning does to questions that it was not for: the models of an experiment on other benchmarks.

`python benchmarks/harm.py runs/label-free --bench bench/cross-mmlu bench/cross-logiqa --out runs/harm` runs
`crossin evaluate` for each arm and seed, by the options' texts, and writes into OUT the index of an
experiment, of which `python benchmarks/evidence.py OUT` and `crossin report OUT` make tables. Finished
evaluations stay; a run that was stopped resumes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from crossin.core.files import make_folder
from crossin.experiments.index import ArmRun, read_index, write_index


def evaluated(
    run: ArmRun, arm: str, base: str, benches: Sequence[Path], limit: int, out: Path
) -> dict[str, Path]:
    """The folders of a model's answers, by benchmark."""
    model = base if run.training is None else str(run.training)
    home = out / f"{arm.replace(' ', '-')}-{run.seed}"
    answers = {}
    for bench in benches:
        command = ["evaluate", model, "--bench", str(bench), "--out", str(home), "--form", "text"]
        command += ["--limit", str(limit)] if limit else []
        subprocess.run([sys.executable, "-m", "crossin", *command], check=True)
        name = bench.resolve().name
        answers[name] = home / Path(model).name / name
    return answers


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--bench", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", default="smollm2-135m", help="the model of arms that nothing trained")
    parser.add_argument("--limit", type=int, default=0, help="items of each benchmark")
    parser.add_argument("--jobs", type=int, default=1, help="models that are asked at a time")
    given = parser.parse_args(arguments)
    index = read_index(given.experiment)
    make_folder(given.out)
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // given.jobs))
    with ThreadPoolExecutor(given.jobs) as pool:
        # An arm that nothing trained is the same for every seed.
        asked = {
            (arm.name, run.seed): pool.submit(
                evaluated, run, arm.name, given.base, given.bench, given.limit, given.out
            )
            for arm in index.arms
            for run in (arm.runs if arm.runs[0].training else arm.runs[:1])
        }

    def answers(arm: str, run: ArmRun, first: ArmRun) -> ArmRun:
        return ArmRun(run.seed, asked[arm, run.seed if run.training else first.seed].result())

    arms = tuple(
        replace(arm, runs=tuple(answers(arm.name, run, arm.runs[0]) for run in arm.runs))
        for arm in index.arms
    )
    write_index(given.out, replace(index, name="harm", arms=arms))


if __name__ == "__main__":
    main()
