"""The command `compose`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from crossin.core.cluster import Runner
from crossin.core.settings import Settings, setting, validated
from crossin.languages.codes import Language, Languages, language_name
from crossin.models.chat import ARGUMENTS_HELP, TemplateArguments

if TYPE_CHECKING:
    from crossin.mixture import MixturePreview


# Of a dry run's rows and directions, what fits on a screen.
_PROMPT, _COMPLETION, _DIRECTIONS = 110, 50, 20
# In the place of a direction's languages, where a line is of several.
_SEVERAL = "several"


class ComposeOptions(Settings):
    """The options of `compose`, which are arguments of `crossin.compose`."""

    data: Path | None = setting(
        None, "Folder of the corpora. Default: the recipe's own, and for an example the current one."
    )
    languages: Languages[list[Language]] | None = setting(
        None, "Languages in place of the recipe's, with commas: en,zh,Vietnamese.", min_length=1
    )
    seed: int | None = setting(None, "Seed in place of the recipe's.")
    files: dict[str, str] = setting(
        {}, "Take a corpus from another file, in the pivot language.", flag="--corpus", metavar="NAME=FILE"
    )
    strict: bool = setting(False, "Stop at rows that fail the join or the alignment check.")
    check_language: bool = setting(True, "Stop at a corpus whose rows are mostly in another language.")
    max_skipped: float | None = setting(
        None,
        "Largest share of a file's rows that may be left out for what is wrong with them, in place of the "
        "recipe's (0.1).",
        ge=0,
        le=1,
    )
    chat_template_kwargs: TemplateArguments | None = setting(None, ARGUMENTS_HELP, metavar="JSON")
    rank: int = setting(0, "Write only the shards of this process, from 0.", group="Processes")
    world_size: int = setting(1, "Number of processes.", group="Processes")
    runner: Runner = setting(
        "local",
        "Who writes the shards: this process, or a Ray cluster.",
        old_flags=("--engine",),
        group="Processes",
    )


@click.command(cls=Command)
@click.argument("recipe")
@out_option
@settings_options(ComposeOptions)
@set_option("components.x2x.rows=500", to="changes")
@dry_run_option
@json_option
def command(
    recipe: str,
    out: Path | None,
    given: Mapping[str, Any],
    changes: Mapping[str, Any],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Compose a mixture: English, cross-lingual and translation rows from parallel instruction data.

    RECIPE is a YAML file, an example's name (`crossin examples`), or the manifest.json of a mixture to
    compose it again. The same recipe, data and seed give the same bytes, on one process or many; half the
    rows are the first half of the mixture. An interrupted command resumes with the missing files.

    First look: `crossin compose first-paper-x2x-translation --data DATA --dry-run`

    Then compose: the same with `--out mixtures/x2x` in place of `--dry-run`
    """
    from crossin.cli.console import console, print_json, progress_bars, say, say_skipped
    from crossin.core.examples import named_file
    from crossin.mixture import compose, preview

    file = named_file("compose", recipe, say)
    options = validated(ComposeOptions, given, None, "see crossin compose --help")
    choices = options.model_dump(
        include={
            *("data", "languages", "seed", "files", "strict", "check_language", "max_skipped"),
            "chat_template_kwargs",
        }
    )
    if dry_run:
        with progress_bars() as progress:
            found = preview(file, changes=changes, **choices, progress=progress)
        if not as_json:
            _show(found)
            return
        print_json(
            {
                "rows": found.counts["rows"],
                "components": found.lines,
                "tokens_are": "counted" if found.recipe.tokenizer else "estimated",
                "corpora": found.counts["corpora"],
                "skipped": found.skipped,
                "notes": found.notes,
                "samples": found.samples,
            }
        )
        return
    processes = options.model_dump(include={"rank", "world_size", "runner"})
    with progress_bars(options.rank, options.world_size) as progress:
        stage = compose(file, out=need_out(out), changes=changes, **choices, **processes, progress=progress)
    if not stage.done:
        say(
            f"rank {options.rank} of {options.world_size} is done, in {out}; the process that finds all "
            "shards writes the manifest"
        )
        return
    counts, skipped = stage.manifest["counts"], stage.manifest["skipped"]
    if as_json:
        print_json({"counts": counts, "skipped": skipped})
        return
    say_skipped(skipped, notes=counts["notes"])
    for name, amounts in counts["components"].items():
        console.print(f"{name:<24} {amounts['rows']:>9,} rows", markup=False, highlight=False)
    say(f"compose: {counts['rows']:,} rows, in {out} ({stage.manifest['wall_seconds']:.1f} s)")


def _show(found: MixturePreview) -> None:
    """The dry run: rows as a model will read them, then a table of the components, and what is left out."""
    from rich.table import Table
    from rich.text import Text

    from crossin.cli.console import console, excerpt, say, say_skipped

    recipe = found.recipe
    for row in found.samples:
        title = f"{row['kind']} {row['lang_in']}>{row['lang_out']} · {row['source']} {row['id']}"
        console.print(Text(f"{title} · slot {row['slot']}", "bold"))
        prompt, completion = excerpt(row["prompt"], _PROMPT), excerpt(row["completion"], _COMPLETION)
        console.print(Text.assemble("  ", (prompt, "dim"), completion))
    table = Table(title=f"{recipe.name}: {found.counts['rows']:,} rows, seed {recipe.seed}")
    for column in ("component", "kind", "language in", "language out", "rows", "tokens"):
        table.add_column(column, justify="right" if column in ("rows", "tokens") else "left")
    for line in found.lines if len(found.lines) <= _DIRECTIONS else _by_component(found.lines):
        sides = {side: _shown(line[side]) for side in ("lang_in", "lang_out")}
        cells = {**line, **sides}.values()
        table.add_row(*(f"{value:,}" if isinstance(value, int) else Text(str(value)) for value in cells))
    source = f"counted by {recipe.tokenizer}" if recipe.tokenizer else "estimated from characters"
    table.caption = f"Tokens of prompt and completion, {source}."
    console.print(table)
    for name, corpus in found.counts["corpora"].items():
        read = ", ".join(f"{language} {rows:,}" for language, rows in corpus["read"].items())
        say(f"corpus {name}: {read} rows read; {corpus['kept']:,} of {corpus['ids']:,} ids kept")
    say_skipped(found.skipped, notes=found.notes)
    say("dry run: nothing was written; --json shows every direction, and the rows whole")


def _shown(language: str) -> str:
    return language if language == _SEVERAL else language_name(language)


def _by_component(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a component's directions as one line, where they would fill the screen."""
    made: dict[str, dict[str, Any]] = {}
    for line in lines:
        one = made.setdefault(line["component"], {**line, "rows": 0, "tokens": 0})
        for side in ("lang_in", "lang_out"):
            one[side] = line[side] if one[side] == line[side] else _SEVERAL
        one["rows"] += line["rows"]
        one["tokens"] += line["tokens"]
    return list(made.values())
