"""The verb `train`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crossin.core.errors import CrossinError

if TYPE_CHECKING:
    from crossin.core.stages import Stage
    from crossin.training.dry_run import Preview


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="The run's settings (YAML); examples/train-*.yaml.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the adapter, the log and the plot.")] = None,
    model: Annotated[
        str | None, typer.Option(help="A built-in name, a hub id or a folder, in place of the config's.")
    ] = None,
    mixture: Annotated[
        Path | None, typer.Option(help="A mixture folder or a dataset, in place of the config's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed in place of the config's.")] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Estimate memory and time, show three passes; train nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Tune a model on a mixture in one stage: completions, and if asked for near states and like answers.

    Stopped at any point, the same command goes on from its last checkpoint and ends as if it had not been.
    Several processes: `torchrun --nproc-per-node 2 -m crossin train CONFIG --out DIR`.

    Look first: `crossin train examples/train-demo.yaml --model smollm2-135m --mixture MIXTURE --dry-run`

    Then train: the same with `--out runs/train` in place of `--dry-run`
    """
    from crossin.cli.console import print_json, progress_bars, say
    from crossin.training.dry_run import preview
    from crossin.training.read_config import read_config
    from crossin.training.run import train as run

    options = {"model": model, "mixture": mixture, "seed": seed}
    read = read_config(config, {name: value for name, value in options.items() if value is not None})
    if dry_run:
        with progress_bars() as progress:
            shown = preview(read, progress=progress)
        if as_json:
            print_json(asdict(shown))
        else:
            _show(shown)
        return
    if out is None:
        raise CrossinError("needs a folder to write to", hint="--out DIR, or look first with --dry-run")
    with progress_bars() as progress:
        stage = run(read, out, progress=progress, say=say)
    if not stage.done:
        return
    if as_json:
        print_json({"counts": stage.manifest["counts"], "skipped": stage.manifest["skipped"]})
        return
    _show_result(stage)


def _show(shown: Preview) -> None:
    """The dry run: figures, and passes with what is learned in colour."""
    from rich.panel import Panel
    from rich.text import Text

    from crossin.cli.console import console, say

    figures = [
        ("rows", f"{shown.rows:,}, and {shown.held_out:,} held out"),
        ("tokens", f"{shown.tokens:,}, of which {shown.learned:,} are learned; no padding"),
        ("steps", f"{shown.steps:,}, of {shown.passes_per_step:.1f} passes"),
        ("terms", ", ".join(["sft", *shown.terms])),
        ("weights", f"{shown.trained_weights:,} of {shown.weights:,} are trained"),
        ("memory", f"about {shown.memory_mb:,.0f} MiB"),
        (
            "time",
            f"about {shown.seconds / 60:,.1f} minutes ({shown.seconds:,.0f} s), by one step computed here",
        ),
    ]
    for name, value in figures:
        console.print(Text(f"{name:<10} {value}"))
    for name, count in shown.groups.items():
        console.print(Text(f"{name:<40} {count:>9,} rows"))
    _show_skipped(shown.skipped)
    for number, part in enumerate(shown.shown, start=1):
        body = Text()
        for read, learned in part:
            body.append(read, style="dim")
            body.append(learned + "\n", style="bold green")
        console.print(Panel(body, title=f"pass {number}: dim is read, green is learned", title_align="left"))
    say("dry run: nothing was trained or written")


def _show_result(stage: Stage) -> None:
    """The losses at the beginning and the end, and what there is."""
    from rich.table import Table
    from rich.text import Text

    from crossin.cli.console import say, show
    from crossin.core.files import read_parquet
    from crossin.training.run import ADAPTER, MODEL

    columns = ["step", "split", "component", "lang_in", "lang_out", "loss"]
    table = Table("rows", "from", "to", "first loss", "last loss")
    curves: dict[tuple[Any, ...], list[float]] = {}
    for line in read_parquet(stage.folder / "losses.parquet", columns).to_pylist():
        key = (line["split"], line["component"], line["lang_in"], line["lang_out"])
        curves.setdefault(key, []).append(line["loss"])
    for (split, component, lang_in, lang_out), losses in sorted(curves.items()):
        cells = (f"{component}, {split}", lang_in, lang_out, f"{losses[0]:.3f}", f"{losses[-1]:.3f}")
        table.add_row(*map(Text, cells))
    show(table)
    _show_skipped(stage.manifest["skipped"])
    counts = stage.manifest["counts"]
    seconds = sum(read_parquet(stage.folder / "speed.parquet", ["seconds"])["seconds"].to_pylist())
    weights = stage.folder / (ADAPTER if (stage.folder / ADAPTER).is_dir() else MODEL)
    say(
        f"train: {counts['steps']:,} steps, {counts['tokens']:,} tokens, {counts['tokens'] / seconds:,.0f} a "
        f"second, in {weights} ({stage.manifest['wall_seconds']:.0f} s)"
    )


def _show_skipped(skipped: dict[str, int]) -> None:
    from crossin.cli.console import say

    for reason, count in skipped.items():
        say(f"left out: {count:,}, {reason}")
