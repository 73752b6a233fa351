"""`crossin train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from crossin.languages.codes import language_name
from crossin.training.config import TrainConfig

if TYPE_CHECKING:
    from crossin.core.stages import Stage
    from crossin.training.dry_run import TrainingPreview


# Of a dry run's rows, and of its groups of rows, what fits on a screen.
_PROMPT, _COMPLETION, _GROUPS = 240, 120, 12


@click.command(cls=Command)
@click.argument("config", metavar="CONFIG")
@out_option
@settings_options(TrainConfig, nested=False)
@set_option("batches.rows=8")
@dry_run_option
@json_option
def command(config: str, out: Path | None, given: dict[str, Any], dry_run: bool, as_json: bool) -> None:
    """Tune a model on a mixture in one stage, by the settings in a YAML file (docs/train.md).

    CONFIG is that file, or an example's name (`crossin examples`).

    Interrupted at any point, the same command resumes from its last checkpoint, with the same result. Several
    processes: `torchrun --nproc-per-node 2 -m crossin train CONFIG --out DIR`.

    \b
    Look first:
      crossin train demo --model smollm2-135m --mixture MIXTURE --dry-run
    Then train: the same with `--out runs/train` in place of `--dry-run`.
    """
    from crossin.cli.console import print_json, progress_bars, say
    from crossin.core.examples import named_file
    from crossin.training import read_config

    settings = read_config(named_file("train", config, say), given)
    if dry_run:
        from crossin.training.dry_run import preview

        with progress_bars() as progress:
            shown = preview(settings, progress=progress)
        if as_json:
            print_json(asdict(shown))
        else:
            _show_preview(shown, settings.mixture)
        return
    from crossin.training import train

    with progress_bars() as progress:
        stage = train(settings, need_out(out), progress=progress, say=say)
    if stage.rank > 0:
        return
    if as_json:
        print_json({"counts": stage.manifest["counts"], "skipped": stage.manifest["skipped"]})
    else:
        _show_result(stage, settings.mixture)


def _show_preview(shown: TrainingPreview, mixture: Path | None) -> None:
    """A row of each of the first micro-batches, what is learned in colour; then the figures."""
    from rich.panel import Panel
    from rich.text import Text

    from crossin.cli.console import console, excerpt, first_lines, say, say_skipped

    for number, batch in enumerate(shown.shown, start=1):
        prompt, completion = batch[0]
        body = Text.assemble(
            (excerpt(prompt, _PROMPT), "dim"), (excerpt(completion, _COMPLETION), "bold green")
        )
        title = f"micro-batch {number}, row 1 of {len(batch):,}: dim is read, green is learned"
        console.print(Panel(body, title=title, title_align="left"))
    groups = [f"{name:<40} {count:>9,} rows" for name, count in shown.groups.items()]
    for line in first_lines(groups, _GROUPS, "groups of rows"):
        console.print(Text(line))
    figures = {
        "rows": f"{shown.rows:,}, and {shown.rows_held_out:,} held out",
        "pairs": f"{shown.pairs:,}",
        "tokens": f"{shown.tokens:,}, of which {shown.learned_tokens:,} are learned; no padding",
        "steps": f"{shown.steps:,}, of {shown.micro_batches_per_step:.1f} micro-batches of rows",
        "terms": ", ".join([*(["sft"] if shown.rows else []), *shown.terms]),
        "weights": f"{shown.trained_weights:,} of {shown.weights:,} are trained",
        "reach": f"{shown.reached_share:.0%} of the model's own weights can change",
        "memory": f"about {shown.memory_mb:,.0f} MiB",
        "time": f"about {shown.seconds / 60:,.1f} minutes, estimated from one step here",
    }
    for name, value in figures.items():
        console.print(Text(f"{name:<10} {value}"))
    say_skipped(shown.skipped, notes=_notes(mixture, shown.rows + shown.rows_held_out, shown.skipped))
    for note in shown.notes:
        say(note)
    say("dry run: nothing was trained or written; --json shows every row of these micro-batches")


def _show_result(stage: Stage, mixture: Path | None) -> None:
    """The losses at the beginning and the end, and where the weights are."""
    from rich.table import Table
    from rich.text import Text

    from crossin.cli.console import say, say_skipped, show
    from crossin.core.files import read_parquet
    from crossin.training.run import ADAPTER, MODEL

    columns = ["split", "component", "lang_in", "lang_out", "loss"]
    table = Table("rows", "from", "to", "first loss", "last loss")
    curves: dict[tuple[str, ...], list[float]] = {}
    for line in read_parquet(stage.folder / "losses.parquet", columns).to_pylist():
        *group, loss = line.values()
        curves.setdefault(tuple(group), []).append(loss)
    terms: dict[str, list[float]] = {}
    for line in read_parquet(stage.folder / "terms.parquet", ["term", "value"]).to_pylist():
        if line["term"] != "sft":
            terms.setdefault(line["term"], []).append(line["value"])
    for (split, component, lang_in, lang_out), losses in sorted(curves.items()):
        # Measured once, it has not changed.
        first = f"{losses[0]:.3f}" if len(losses) > 1 else "–"
        sides = (language_name(lang_in), language_name(lang_out))
        cells = (f"{component}, {split}", *sides, first, f"{losses[-1]:.3f}")
        table.add_row(*map(Text, cells))
    for name, values in terms.items():
        table.add_row(*map(Text, (f"term {name}", "", "", f"{values[0]:.3f}", f"{values[-1]:.3f}")))
    show(table)
    counts, skipped = stage.manifest["counts"], stage.manifest["skipped"]
    say_skipped(skipped, notes=_notes(mixture, counts["rows"] + counts["rows_held_out"], skipped))
    seconds = sum(read_parquet(stage.folder / "speed.parquet", ["seconds"])["seconds"].to_pylist())
    weights = stage.folder / (ADAPTER if (stage.folder / ADAPTER).is_dir() else MODEL)
    say(
        f"train: {counts['steps']:,} steps, {counts['tokens']:,} tokens, "
        f"{counts['tokens'] / seconds:,.0f} per second, in {weights} ({stage.manifest['wall_seconds']:.0f} s)"
    )


def _notes(mixture: Path | None, used: int, skipped: Mapping[str, int]) -> list[str]:
    """What to do where much of the mixture is not trained on; `used` are the rows that are."""
    from crossin.core.reasons import fix_of
    from crossin.core.skipping import skipped_note

    # A code with a detail is of the pairs, and one without a remedy of rows that are used.
    lost = {code: count for code, count in skipped.items() if ":" not in code and fix_of(code)}
    return skipped_note(mixture or "", used + sum(lost.values()), lost)
