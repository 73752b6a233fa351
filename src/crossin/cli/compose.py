"""The verb `compose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from crossin.cli.options import codes
from crossin.core.errors import CrossinError

if TYPE_CHECKING:
    from crossin.mixture.dry_run import Preview
    from crossin.mixture.run import Engine


def compose(
    recipe: Annotated[
        Path,
        typer.Argument(
            metavar="RECIPE", help="A recipe (YAML), or a mixture's manifest.json to make it again."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the mixture.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that the recipe's paths start from; that of the recipe if not given."),
    ] = None,
    languages: Annotated[
        str | None, typer.Option(help="Languages in place of the recipe's, with commas: en,zh,Vietnamese.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed in place of the recipe's.")] = None,
    corpus: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FILE", help="Take a corpus from another file, in the pivot language."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at rows that fail the join or the alignment check.")
    ] = False,
    rank: Annotated[int, typer.Option(help="Make only the shards of this process, from 0.")] = 0,
    world_size: Annotated[int, typer.Option(help="How many processes share the work.")] = 1,
    engine: Annotated[
        str, typer.Option(help="`local`, or `ray`: the shards as tasks of a Ray cluster.")
    ] = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the components and ten rows, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Compose a mixture: English, cross-lingual and translation rows from parallel instruction data.

    The same recipe, data and seed give the same bytes, on one process or many; half the rows are the first
    half of the mixture. Stopped at any point, the same command goes on with the files that are missing.

    Look first: `crossin compose examples/first-paper-x2x-translation.yaml --data DATA --dry-run`

    Then make it: the same with `--out mixtures/x2x` in place of `--dry-run`
    """
    from crossin.cli.console import console, print_json, progress_bars, say
    from crossin.mixture.dry_run import preview
    from crossin.mixture.run import compose as make

    wanted, files = codes(languages), _files(corpus or [])
    if dry_run:
        with progress_bars() as progress:
            shown = preview(
                recipe, data, languages=wanted, seed=seed, files=files, strict=strict, progress=progress
            )
        if as_json:
            print_json(_as_dict(shown))
        else:
            _show(shown)
        return
    if out is None:
        raise CrossinError("needs a folder to write to", hint="--out DIR, or look first with --dry-run")
    with progress_bars() as progress:
        stage = make(
            recipe,
            data,
            out,
            languages=wanted,
            seed=seed,
            files=files,
            strict=strict,
            rank=rank,
            world_size=world_size,
            engine=cast("Engine", engine),
            progress=progress,
        )
    if not stage.done:
        say(f"rank {rank} of {world_size} is done, in {out}; whoever finds all shards writes the manifest")
        return
    counts = stage.manifest["counts"]
    if as_json:
        print_json({"counts": counts, "skipped": stage.manifest["skipped"]})
        return
    for note in counts["notes"]:
        say(f"note: {note}")
    _show_skipped(stage.manifest["skipped"])
    for name, amounts in counts["components"].items():
        console.print(f"{name:<24} {amounts['rows']:>9,} rows", markup=False, highlight=False)
    say(f"compose: {counts['rows']:,} rows, in {out} ({stage.manifest['wall_seconds']:.1f} s)")


def _files(named: list[str]) -> dict[str, str]:
    for entry in named:
        if "=" not in entry:
            raise CrossinError(f"'{entry}' names no corpus and file", hint="--corpus platypus=alpaca_en.json")
    return dict(entry.split("=", 1) for entry in named)


def _show(shown: Preview) -> None:
    """The dry run: a table of the components, what is left out, and rows as a model will read them."""
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from crossin.cli.console import console, say

    table = Table(title=f"{shown.recipe.name}: {shown.counts['rows']:,} rows, seed {shown.recipe.seed}")
    for column in ("component", "kind", "language in", "language out", "rows", "tokens"):
        table.add_column(column, justify="right" if column in ("rows", "tokens") else "left")
    for line in shown.lines:
        table.add_row(
            *(f"{value:,}" if isinstance(value, int) else Text(str(value)) for value in line.values())
        )
    table.caption = f"Tokens of prompt and completion, {shown.tokens_are}."
    console.print(table)
    for name, corpus in shown.counts["corpora"].items():
        read = ", ".join(f"{language} {rows:,}" for language, rows in corpus["read"].items())
        say(f"corpus {name}: {read} rows read; {corpus['kept']:,} of {corpus['ids']:,} ids kept")
    _show_skipped(shown.skipped)
    for note in shown.notes:
        say(f"note: {note}")
    for row in shown.samples:
        direction = f"{row['kind']} {row['lang_in']}>{row['lang_out']}"
        title = f"{direction} · {row['source']} {row['id']} · slot {row['slot']}"
        body = Text.assemble((row["prompt"], "dim"), row["completion"])
        console.print(Panel(body, title=Text(title), title_align="left"))
    say("dry run: nothing was written")


def _show_skipped(skipped: dict[str, int]) -> None:
    from crossin.cli.console import say

    for reason, count in skipped.items():
        say(f"left out: {count:,} rows, {reason}")


def _as_dict(shown: Preview) -> dict[str, Any]:
    return {
        "rows": shown.counts["rows"],
        "components": shown.lines,
        "tokens are": shown.tokens_are,
        "corpora": shown.counts["corpora"],
        "skipped": shown.skipped,
        "notes": shown.notes,
        "samples": shown.samples,
    }
