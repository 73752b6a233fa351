"""`crossin probe`: how close the languages are inside a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from crossin.probing.config import ProbeConfig, ProbeReason


@click.command(cls=Command)
@click.argument("model", required=False)
@settings_options(ProbeConfig)
@set_option("languages=[en,sw]")
@config_option
@out_option
@dry_run_option
@json_option
def command(
    model: str | None,
    given: dict[str, Any],
    config: str | None,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Measure how close the languages are inside a model, layer by layer.

    MODEL is a name from `crossin models list`, a hub id, or a local folder.

    Reads parallel sentences in every language and compares the model's hidden states: is a sentence's
    nearest neighbour its translation (retrieval, MEXA), how similar are they (cosine), do the languages have
    the same geometry (CKA)? docs/probe.md explains each figure.

    \b
    crossin probe smollm2-135m --parallel flores200 --languages en,es,vi,zh --out runs/probe
    """
    from crossin.cli.console import print_json, progress_bars, say, say_skipped, show
    from crossin.core.files import read_json
    from crossin.core.reasons import sentence_of
    from crossin.probing.run import FIGURES, PAGE, preview, probe
    from crossin.probing.table import tables

    given = given | ({"model": model} if model else {})
    settings = read_settings(ProbeConfig, config_file("probe", config), given, hint="see docs/probe.md")
    if dry_run:
        with progress_bars():
            found = preview(settings)
        _show_preview(found, as_json)
        return
    with progress_bars() as progress:
        work = probe(settings, need_out(out), progress=progress)
    figures = read_json(work.folder / FIGURES)
    if as_json:
        print_json(figures)
        return
    for table in tables(figures):
        show(table)
    skipped = dict(work.manifest["skipped"])
    if skipped.pop(ProbeReason.NO_PLOTS, None):
        say(sentence_of(ProbeReason.NO_PLOTS))
    say_skipped(skipped, "sentences", work.manifest["counts"].get("notes", ()))
    made = work.folder / (PAGE if PAGE in work.manifest["outputs"] else FIGURES)
    say(f"probe: {made} ({work.manifest['wall_seconds']:.1f} s)")


def _show_preview(values: dict[str, Any], as_json: bool) -> None:
    from crossin.cli.console import print_json, say_skipped

    if as_json:
        print_json(values)
        return
    shown = {name: value for name, value in values.items() if name not in ("skipped", "notes")}
    for name, value in shown.items():
        print(f"{name}: {', '.join(value) if isinstance(value, list) else value or 'none'}")
    say_skipped(values["skipped"], "sentences", values["notes"])
