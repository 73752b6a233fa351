"""Parts of a benchmark, and rows to train on made of one: `crossin bench part` and `crossin bench rows`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from crossin.cli.options import Command, option
from crossin.core.errors import CrossinError, located

bench_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
out_option = option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Folder for the results."
)


@click.command("part", cls=Command)
@bench_argument
@out_option
@option("--share", default="0,1", metavar="FROM,TO", help="Where the part begins and ends: 0,0.6.")
@option("--tasks", help="Only these tasks, with commas.")
@option("--by", type=click.Choice(["group", "task"]), default="group", help="Shares of groups, or of tasks.")
@option("--items", type=click.IntRange(min=1), help="Only the first groups that hold this many items.")
@option("--seed", type=click.IntRange(min=0), default=0, help="Decides the order of the groups.")
def build_bench_part(
    folder: Path,
    out: Path,
    share: str,
    by: Literal["group", "task"],
    tasks: str | None,
    items: int | None,
    seed: int,
) -> None:
    """Build a part of a benchmark, such as the questions to train on and those to ask afterwards.

    Parts whose shares do not overlap have no group in common:

    crossin bench part bench/klar --share 0,0.6 --out bench/taught
    crossin bench part bench/klar --share 0.6,1 --out bench/test

    With `--by task`, they have no task in common.
    """
    from crossin.bench.part import build_part
    from crossin.cli.console import say
    from crossin.core.coercion import listed

    try:
        low, high = map(float, share.split(","))
    except ValueError:
        raise CrossinError(
            f"expected two numbers, got '{share}'", field="--share", hint="such as 0,0.6"
        ) from None
    with located(field="--share"):
        wanted = None if tasks is None else listed(tasks)
    stage = build_part(folder, out, share=(low, high), by=by, tasks=wanted, items=items, seed=seed)
    say(f"{stage.manifest['counts']['items']:,} items")
    print(out)


@click.command("rows", cls=Command)
@bench_argument
@out_option
@option(
    "--wordings",
    type=click.Choice(["other", "same"]),
    default="other",
    help="Rows ask in the wordings that are not asked in an evaluation (other), where a question has any, "
    "or in the one that is (same).",
)
def write_bench_rows(folder: Path, out: Path, wordings: Literal["other", "same"]) -> None:
    """Make a corpus of a benchmark's questions and their right answers, in every language.

    `crossin compose` reads it like any corpus. Take a part of the benchmark that is not tested:

    crossin bench part bench/klar --share 0,0.6 --out bench/train
    crossin bench rows bench/train --out corpora/train
    """
    from crossin.cli.console import say
    from crossin.teaching.right_answers import bench_rows

    counts = bench_rows(folder, out, wordings=wordings).manifest["counts"]
    say(f"{counts['rows']:,} rows of {counts['questions']:,} questions, {counts['names']:,} names")
    print(out)
