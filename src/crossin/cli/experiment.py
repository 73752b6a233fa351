"""The command `experiment`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossin.cli.options import (
    Command,
    dry_run_option,
    json_option,
    need_out,
    option,
    out_option,
    set_option,
    settings_options,
)
from crossin.core.cluster import Runner
from crossin.core.settings import Settings, setting, validated

if TYPE_CHECKING:
    from crossin.experiments.plan import ExperimentPlan

_WHERE = "Where it runs"
# Of a dry run's shared jobs, what fits on a screen.
_SHOWN = 12


class ExperimentOptions(Settings):
    """The options of `experiment` that are not settings of the file."""

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
@option(
    "--only",
    multiple=True,
    metavar="ARM",
    group="Settings",
    help="Run these arms and the baseline: --only x2x --only 'x2x, volume 500'.",
)
@set_option("train.max_steps=20")
@dry_run_option
@json_option
def command(
    config: str, out: Path | None, given: dict[str, Any], only: tuple[str, ...], dry_run: bool, as_json: bool
) -> int:
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
    from crossin.cli.experiment_live import watching
    from crossin.cli.report import show_experiment
    from crossin.core.examples import named_file
    from crossin.experiments.estimates import check_space, estimates_of
    from crossin.experiments.live import live_rows
    from crossin.experiments.run import experiment, index_of, planned

    names = ExperimentOptions.model_fields
    options = validated(
        ExperimentOptions, {key: given.pop(key) for key in names if key in given}, None, "see --help"
    )
    plan = planned(named_file("experiment", config, say), given, tiny=options.tiny, only=only)
    if dry_run:
        _show_plan(plan, out, options.jobs, as_json=as_json)
        return 0
    out = need_out(out).absolute()
    check_space(estimates_of(plan.jobs, out, at_once=options.jobs), out)
    label = f"rank {options.rank}: " if options.world_size > 1 else ""
    arms = {arm.spec.name: [job for run in arm.runs for job in run.jobs] for arm in plan.arms}
    with watching(
        arms,
        out,
        lambda: live_rows(index_of(plan, out), plan.config.headline),
        at_once=options.jobs,
        label=label,
    ) as watch:
        done = experiment(
            plan,
            out,
            processes=options.jobs,
            runner=options.runner,
            rank=options.rank,
            world_size=options.world_size,
            watch=watch,
        )
    if done.results is None:
        say(f"rank {options.rank} of {options.world_size} is done; the last one writes the results")
    elif as_json:
        print_json(done.results.to_arrow().to_pylist())
    else:
        show_experiment(done.results)
        say(f"results: {done.out}; the page: crossin report {done.out}")
    for title, failure in done.failures.items():
        say(f"failed: {title}: {failure.error}{failure.detail and chr(10)}{failure.detail}")
    return 1 if done.failures else 0


def _show_plan(plan: ExperimentPlan, out: Path | None, at_once: int, *, as_json: bool) -> None:
    """The arms and their jobs, what they share, and how long it will take."""
    from crossin.cli.console import console, first_lines, print_json, progress_bars, say
    from crossin.experiments.estimates import estimate_lines, estimates_of
    from crossin.experiments.run import check_out

    if out is not None:
        check_out(out.absolute())
    place = (out or Path()).absolute()
    with progress_bars() as progress:
        found = estimates_of(plan.jobs, place, at_once=at_once, measure=True, progress=progress)
    users: dict[str, list[str]] = {job.key: [] for job in plan.jobs}
    for arm in plan.arms:
        for key in dict.fromkeys(job.key for run in arm.runs for job in run.jobs):
            users[key].append(arm.spec.name)
    if as_json:
        open_jobs = {one.job.key: one for one in found}
        print_json(
            [
                {
                    "job": job.title,
                    "key": job.key,
                    "arms": users[job.key],
                    "needs": [needed.key for needed in job.needs],
                    "finished": job.key not in open_jobs,
                    "seconds": (one := open_jobs.get(job.key)) and one.seconds,
                    "bytes": one and one.size_bytes,
                }
                for job in plan.jobs
            ]
        )
        return
    seeds = ", ".join(map(str, plan.config.seeds))
    lines = [f"{len(plan.arms)} arms, seeds {seeds}; the baseline is '{plan.config.baseline}'"]
    width = max(len(arm.spec.name) for arm in plan.arms)
    for arm in plan.arms:
        own = [job for run in arm.runs for job in run.jobs if users[job.key] == [arm.spec.name]]
        stages = dict.fromkeys(job.stage for job in own)
        counts = [f"{len({j.key for j in own if j.stage == stage})} {stage}" for stage in stages]
        lines.append(f"  {arm.spec.name:<{width}}  {', '.join(counts) or 'shares all its jobs'}")
    shared = [f"{job.title} ({len(users[job.key])} arms)" for job in plan.jobs if len(users[job.key]) > 1]
    if shared:
        lines.append(f"shared by several arms: {len(shared)} jobs")
        lines += [f"  {text}" for text in first_lines(shared, _SHOWN, "jobs")]
    for line in [*lines, *estimate_lines(found, plan.jobs, place, at_once)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    say("dry run: nothing was run or written")
