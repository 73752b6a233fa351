"""The command `experiment`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossin.cli.options import (
    Command,
    dry_run_option,
    json_option,
    out_option,
    set_option,
    settings_options,
)
from crossin.core.cluster import Runner
from crossin.core.settings import Settings, setting

if TYPE_CHECKING:
    pass


class ExperimentOptions(Settings):
    """The options of `experiment`, which are arguments of `crossin.experiment`."""

    only: tuple[str, ...] = setting((), "Run these arms and the baseline: --only x2x --only en2x.")
    seeds: tuple[int, ...] | None = setting(None, "Seeds in place of the file's, with commas: 0,1,2.")
    model: str | None = setting(None, "Model in place of the file's.")
    tiny: bool = setting(False, "Make the file's `tiny` changes, to see that it runs.")
    jobs: int = setting(1, "How many jobs run at once on this machine.", ge=1, group="Where it runs")
    runner: Runner = setting(
        "local",
        "Who runs the jobs: this machine, or a Ray cluster.",
        flag="--engine",
        group="Where it runs",
    )
    rank: int = setting(0, "This process's number among several, from 0.", group="Where it runs")
    world_size: int = setting(1, "Number of processes that work in OUT.", group="Where it runs")


@click.command(cls=Command)
@click.argument("config", metavar="FILE")
@out_option
@settings_options(ExperimentOptions)
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
    raise NotImplementedError
