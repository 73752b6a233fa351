"""The command `experiment`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crossin.cli.options import (
    Command,
    dry_run_option,
    json_option,
    need_out,
    out_option,
    set_option,
    settings_options,
)
from crossin.core.cluster import Runner
from crossin.core.settings import Settings, setting, validated

_WHERE = "Where it runs"


class ExperimentOptions(Settings):
    """The options of `experiment` that are not settings of the file."""

    only: tuple[str, ...] = setting((), "Run these arms and the baseline: --only x2x --only en2x.")
    tiny: bool = setting(False, "Make the file's `tiny` changes, to see that it runs.")
    jobs: int = setting(1, "How many jobs run at once on this machine.", ge=1, group=_WHERE)
    runner: Runner = setting(
        "local", "Who runs the jobs: this machine, or a Ray cluster.", flag="--engine", group=_WHERE
    )
    rank: int = setting(0, "This process's number among several, from 0.", group=_WHERE)
    world_size: int = setting(1, "Number of processes that work in OUT.", group=_WHERE)


class ExperimentSettings(ExperimentOptions):
    """All options. Those of the file that have an option of their own are changes to it."""

    seeds: tuple[int, ...] | None = setting(None, "Seeds in place of the file's, with commas: 0,1,2.")
    model: str | None = setting(None, "Model in place of the file's.")


@click.command(cls=Command)
@click.argument("config", metavar="FILE")
@out_option
@settings_options(ExperimentSettings)
@set_option("train.max_steps=20")
@dry_run_option
@json_option
def command(config: str, out: Path | None, given: dict[str, Any], dry_run: bool, as_json: bool) -> int:
    """Compare arms: mixtures, trainings or models, each with several seeds, on the same questions.

    FILE is a YAML file (docs/experiment.md), or an example's name (`crossin examples`). What several arms
    need is made once. Interrupted at any point, the same command resumes. `crossin report OUT` makes the
    page of the results.

    \b
    Look first:
      crossin experiment paper --dry-run
    Try it:
      crossin experiment paper --tiny --out runs/tiny
    Then run it:
      crossin experiment paper --out runs/paper
    """
    from crossin.cli.console import print_json, say
    from crossin.cli.report import show_experiment
    from crossin.core.examples import named_file
    from crossin.experiments.run import experiment, planned

    names = ExperimentOptions.model_fields
    options = validated(
        ExperimentOptions, {key: given.pop(key) for key in names if key in given}, None, "see --help"
    )
    file = named_file("experiment", config, say)
    plan = planned(file, given, tiny=options.tiny, only=options.only)
    if dry_run:
        for job in plan.jobs:
            say(job.title)
        return 0
    done = experiment(
        plan,
        need_out(out),
        processes=options.jobs,
        runner=options.runner,
        rank=options.rank,
        world_size=options.world_size,
    )
    for title, failure in done.failures.items():
        say(f"failed: {title}: {failure.error}")
    if done.results is None:
        say(f"rank {options.rank} of {options.world_size} is done; the last one writes the results")
    elif as_json:
        print_json(done.results.to_arrow().to_pylist())
    else:
        show_experiment(done.results)
        say(f"results: {done.out}; the page: crossin report {done.out}")
    return 1 if done.failures else 0
