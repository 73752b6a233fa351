"""The verb `probe`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def probe(
    model: Annotated[
        str, typer.Argument(help="A name from `crossin models list`, a hub id, or a local folder.")
    ],
    parallel: Annotated[
        Path,
        typer.Option(
            metavar="FILE|DIR",
            help="Folder with a text file a language, a benchmark, or JSON lines or Parquet.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the figures.")],
    languages: Annotated[
        str | None, typer.Option(help="Languages with commas, in any spelling: en,vi,Thai; all if not given.")
    ] = None,
    pivot: Annotated[
        str | None, typer.Option(help="Language that the others are held against: English if not given.")
    ] = None,
    # These numbers are LIMIT and DRAWS of crossin.probing.run, which is not to be loaded for a help text.
    limit: Annotated[int, typer.Option(min=2, help="Take the first so many sentences.")] = 200,
    adapter: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Adapter to put in: a training stage's folder, or PEFT's own."),
    ] = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Every two languages, not only each against the pivot.")
    ] = False,
    device: Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda` or `mps`.")] = "auto",
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws for the intervals.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the model's terms.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be read, and do nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
) -> None:
    """Measure how near the languages lie inside a model, layer by layer.

    Reads parallel sentences in every language and compares the model's hidden states: is a sentence's
    nearest neighbour its translation (retrieval, MEXA), how near is it (cosine), do the languages have one
    shape (CKA)? What each figure says: docs/probe.md.

    Example: `crossin probe smollm2-135m --parallel flores200 --languages en,es,vi,zh --out runs/probe`
    """
    from crossin.cli.console import console, print_json, progress_bars, say, show
    from crossin.cli.options import codes
    from crossin.core.files import read_json
    from crossin.languages import parse_language
    from crossin.models import pull
    from crossin.probing.parallel import read_parallel
    from crossin.probing.run import FIGURES, PAGE, pivot_of
    from crossin.probing.run import probe as run
    from crossin.probing.table import tables

    spoken = codes(languages)
    # Before the model, which may be a long way to fetch.
    found = read_parallel(parallel, languages=spoken, limit=limit)
    against = pivot_of(list(found.texts), None if pivot is None else parse_language(pivot))
    if dry_run:
        told = {
            "model": model,
            "sentences": len(found.ids),
            "languages": list(found.texts),
            "pivot": against,
            "skipped": found.skipped,
        }
        if as_json:
            print_json(told)
        else:
            for name, value in told.items():
                shown = ", ".join(value) if isinstance(value, list) else value or "none"
                console.print(f"{name}: {shown}", markup=False, highlight=False, soft_wrap=True)
        return
    with progress_bars() as progress:
        folder = pull(model, accept_licence=accept_licence, progress=progress)
        stage = run(
            folder,
            parallel,
            out,
            name=model,
            adapter=adapter,
            languages=spoken,
            pivot=against,
            limit=limit,
            all_pairs=all_pairs,
            device=device,
            draws=draws,
            seed=seed,
            progress=progress,
        )
    figures = read_json(out / FIGURES)
    if as_json:
        print_json(figures)
        return
    for table in tables(figures):
        show(table)
    for reason, count in stage.manifest["skipped"].items():
        say(f"left out: {count:,}, {reason}")
    made = out / (PAGE if PAGE in stage.manifest["outputs"] else FIGURES)
    say(f"probe: {made} ({stage.manifest['wall_seconds']:.1f} s)")
