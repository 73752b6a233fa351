"""`crossin prefer`: pairs of a model's own answers, a better and a worse one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossin.cli.options import (
    Command,
    config_file,
    config_option,
    dry_run_option,
    json_option,
    need_out,
    out_option,
    set_option,
    settings_options,
)
from crossin.core.settings import read_settings
from crossin.teaching.prefer_config import PreferConfig

if TYPE_CHECKING:
    from crossin.core.stages import Stage


@click.command(cls=Command)
@click.argument("model", required=False)
@settings_options(PreferConfig)
@set_option("server.concurrency=4")
@config_option
@out_option
@dry_run_option
@json_option
def command(
    given: dict[str, Any],
    model: str | None,
    config: str | None,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make pairs of a model's own answers in each language: one that means what its answers in the pivot
    agree on, and one that does not.

    MODEL is a name from `crossin models list`, a hub id or a folder; with a server, its name of the model.

    Each question is answered several times in the pivot and in every language. No right answer is used.
    `crossin train` learns from the pairs with `prefer: {data: DIR}` (docs/prefer.md).

    \b
    crossin prefer smollm2-135m --questions bench/facts --languages es,vi --out runs/preferences
    """
    from crossin.cli.console import print_json, progress_bars
    from crossin.core.interrupts import saying_what_was_saved
    from crossin.teaching.preferring import prefer, preference_outline

    given = given | ({"model": model} if model else {})
    settings = read_settings(PreferConfig, config_file("prefer", config), given, hint="see docs/prefer.md")
    if dry_run:
        with progress_bars() as progress:
            outline = preference_outline(settings, out, progress=progress)
        print_json(outline) if as_json else _show_outline(outline)
        return
    out = need_out(out)
    with progress_bars() as progress, saying_what_was_saved(out):
        work = prefer(settings, out, progress=progress)
    if as_json:
        print_json({name: work.manifest[name] for name in ("counts", "skipped")})
        return
    _say_counts(work)


def _say_counts(work: Stage) -> None:
    from crossin.cli.console import say, say_skipped, share_text
    from crossin.core.reasons import sentence_of

    counts = work.manifest["counts"]
    say_skipped(work.manifest["skipped"], "questions", [sentence_of(note) for note in counts["notes"]])
    for code, count in counts["unread"].items():
        say(f"not read: {count:,} of {counts['answers']:,} answers, {sentence_of(code)}")
    if figure := counts["right"]["pairs"]:
        say(f"chosen answers that are right: {share_text(figure)}")
    say(
        f"prefer: {counts['pairs']:,} pairs; the pivot's answers agree on {counts['consistent']:,} of "
        f"{counts['questions']:,} questions; in {work.folder} ({work.manifest['wall_seconds']:.1f} s)"
    )


def _show_outline(outline: dict[str, Any]) -> None:
    from crossin.cli.console import console, say, say_skipped

    lines = [
        "for example:",
        outline["example"]["prompt"],
        *map(repr, outline["example"]["options"]),
        f"{outline['questions']:,} questions in {outline['pivot']} and {', '.join(outline['languages'])}",
        f"requests: {outline['scored']:,} with options to score, {outline['generated']:,} replies to draw",
    ]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    say_skipped(outline["skipped"], "questions")
    say("dry run: nothing was asked, and nothing written")
