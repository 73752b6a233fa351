"""`crossin teach`: a corpus from what a model itself answers."""

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
from crossin.teaching.config import TeachConfig

if TYPE_CHECKING:
    from crossin.core.stages import Stage


@click.command(cls=Command)
@click.argument("model", required=False)
@settings_options(TeachConfig)
@set_option("translate.engine=openai")
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
    """Make a corpus from what a model answers consistently in the pivot, in every language.

    MODEL is a name from `crossin models list`, a hub id or a folder; with a server, its name of the model.

    Each question is asked in the pivot in several wordings. Where the answers agree, and by a margin, the
    answer becomes rows in every language: by the option's or the entity's name, or by `crossin translate`.
    The others are left out and counted. No right answer is used. `crossin compose` reads the result like any
    corpus (docs/teach.md).

    \b
    crossin teach smollm2-135m --questions bench/facts --languages en,vi --out corpora/taught
    crossin teach smollm2-135m --teacher runs/english --questions bench/facts --out corpora/taught
    """
    from crossin.cli.console import print_json, progress_bars, say
    from crossin.core.interrupts import saying_what_was_saved
    from crossin.teaching.run import teach, teaching_outline

    given = given | ({"model": model} if model else {})
    settings = read_settings(TeachConfig, config_file("teach", config), given, hint="see docs/teach.md")
    if dry_run:
        with progress_bars() as progress:
            outline = teaching_outline(settings, out, progress=progress)
        print_json(outline) if as_json else _show_outline(outline)
        return
    out = need_out(out)
    with progress_bars() as progress, saying_what_was_saved(out):
        work = teach(settings, out, progress=progress, say=say)
    if as_json:
        print_json({name: work.manifest[name] for name in ("counts", "skipped")})
        return
    _say_counts(work)


def _say_counts(work: Stage) -> None:
    from crossin.cli.console import say, say_skipped, share_text
    from crossin.core.reasons import sentence_of

    counts = work.manifest["counts"]
    for note in counts["engine_notes"]:
        say(f"note: {sentence_of(note)}")
    say_skipped(work.manifest["skipped"], "questions", counts["notes"])
    say(f"answers agree: {share_text(counts['agreement'])}")
    for name, words in (("kept", "certain answers that are right"), ("left_out", "uncertain ones")):
        if figure := counts["right"][name]:
            say(f"{words}: {share_text(figure)}")
    say(
        f"teach: {counts['certain']:,} of {counts['questions']:,} questions, {counts['rows']:,} rows and "
        f"{counts['names']:,} names, in {work.folder} ({work.manifest['wall_seconds']:.1f} s)"
    )


def _show_outline(outline: dict[str, Any]) -> None:
    from crossin.cli.console import console, say, say_skipped

    lines = [
        "for example:",
        outline["example"]["prompt"],
        *map(repr, outline["example"]["options"]),
        "if that is certain, these rows, with the answer's name in each language:",
        *(f"  {row['id']} {row['language']}: {row['instruction']}" for row in outline["rows"]),
        f"{outline['questions']:,} questions and {outline['answers']:,} answers of {outline['model']}, in "
        f"{outline['pivot']}; rows in {', '.join(outline['languages'])}",
    ]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    say_skipped(outline["skipped"], "questions", outline["notes"])
    if outline["translates"]:
        say("answers in free text are translated by the settings of --translate")
    say("dry run: nothing was asked, and nothing written")
