"""The command `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossin.cli.bench_parts import bench_argument, build_bench_part, out_option, write_bench_rows
from crossin.cli.options import Command, json_option, languages_in, option, settings_options
from crossin.core.errors import CrossinError, located
from crossin.items import Form
from crossin.items.item import items_file

if TYPE_CHECKING:
    from crossin.bench.check import CheckResult
    from crossin.bench.overlap import Overlap

_PATH = click.Path(path_type=Path)
_languages_option = option(
    "--languages", multiple=True, help="Languages in any spelling, with commas: en,vi,Thai [default: all]."
)


@click.group(no_args_is_help=True)
def command() -> None:
    """List, build, show, check and export benchmarks, take parts of one, and find what two of them share."""


command.add_command(build_bench_part)
command.add_command(write_bench_rows)


@command.command("list", cls=Command)
@json_option
def list_benchmarks(as_json: bool) -> None:
    """List the benchmarks that can be built by name."""
    from dataclasses import asdict

    from rich.table import Table

    from crossin.bench.catalogue import known
    from crossin.cli.console import console, print_json

    if as_json:
        print_json([{"name": name, **asdict(about)} for name, about in known().items()])
        return
    table = Table("name", "tasks", "languages", "items", "licence", "from")
    for column in table.columns:
        column.overflow = "fold"
        column.justify = "right" if column.header in ("languages", "items") else "left"
    table.columns[0].no_wrap = True
    for name, about in known().items():
        items = "" if about.items is None else f"{about.items:,}"
        table.add_row(name, ", ".join(about.tasks), str(about.languages), items, about.licence, about.origin)
    console.print(table)


@command.command("build", cls=Command)
@click.argument("name")
@out_option
@_languages_option
@option("--source", type=_PATH, help="File or folder of the data [default: from the hub].")
@option("--split", help="The split to build, such as dev [default: the split for evaluation].")
@option(
    "--max-skipped",
    type=click.FloatRange(0, 1),
    default=0.1,
    help="Largest share of items that may be left out for faults before this is an error [default: 0.1].",
)
@json_option
def build_benchmark(
    name: str,
    out: Path,
    languages: tuple[str, ...],
    source: Path | None,
    split: str | None,
    max_skipped: float,
    as_json: bool,
) -> None:
    """Build a benchmark, by name or from your own files.

    NAME is a name from `crossin bench list`, or the path of a mapping of your own (.yaml; see
    docs/mappings.md). The folder gets `items.parquet`, with each item in every language, and a manifest.
    Items that lack a language, or are not the same question in all of them, are left out and counted.

    By name: `crossin bench build cross-mmlu --source cross_mmlu.json --languages en,vi --out bench/mmlu`

    By a mapping: `crossin bench build birds.yaml --source birds --out bench/birds`
    """
    from crossin.bench.catalogue import build_named
    from crossin.bench.keys import notes as disagreement_notes
    from crossin.bench.show import visible
    from crossin.cli.console import console, print_json, progress_bars, say, say_skipped
    from crossin.core.skipping import skipped_note

    with progress_bars() as progress:
        stage = build_named(
            name,
            out,
            languages=_codes(languages),
            source=source,
            split=split,
            max_skipped=max_skipped,
            progress=progress,
        )
    counts, skipped = stage.manifest["counts"], stage.manifest["skipped"]
    if as_json:
        print_json({"counts": counts, "skipped": skipped})
        return
    # Without `by_language`, each item is there in every language.
    everywhere = dict.fromkeys(stage.manifest["settings"]["languages"], counts["tasks"])
    by_language = counts.get("by_language", everywhere)
    for task in sorted(counts["tasks"]):
        shown = "  ".join(f"{code} {found[task]:,}" for code, found in by_language.items() if task in found)
        console.print(visible(f"{task}: {shown}"), markup=False, highlight=False)
    notes = skipped_note(source or name, counts["items"] + sum(skipped.values()), skipped, "items")
    say_skipped(skipped, "items", [*notes, *disagreement_notes(counts.get("disagreements", {}))])
    say(f"bench: {counts['items']:,} items, in {out} ({stage.manifest['wall_seconds']:.1f} s)")


@command.command("show", cls=Command)
@bench_argument
@click.argument("item", required=False)
@_languages_option
@option(
    "--number",
    type=click.IntRange(min=1),
    default=1,
    help="How many items to show, if none is named [default: 1].",
)
@option("--full", is_flag=True, help="Show the whole context.")
def show_items(folder: Path, item: str | None, languages: tuple[str, ...], number: int, full: bool) -> None:
    """Show an item (the first by default) in every language, with its right option marked.

    Example: `crossin bench show bench/mmlu test_7 --languages en,vi`
    """
    from crossin.bench.show import shown
    from crossin.cli.console import console

    for part in shown(folder, item, languages=_codes(languages), number=number, full=full):
        console.print(part)


@command.command("check", cls=Command)
@bench_argument
@option("--languages", multiple=True, help="With `facts`: the languages whose template files to check.")
@json_option
def check_benchmark(folder: Path, languages: tuple[str, ...], as_json: bool) -> None:
    """Check whether a benchmark asks the same questions in every language; exit code 1 where it does not.

    Structural findings decide: an item lacks a language, or has other options, another answer or another
    question there. Content findings are signs for a person to look at: a text that is not translated or in
    another language, other digits, unusual lengths. Last, how often simple heuristics are right shows how
    much needs neither knowledge nor reading.

    `crossin bench check facts --languages sv` lists what the template file of a language lacks.
    """
    from crossin.bench.check import check_bench
    from crossin.cli.console import print_json, progress_bars

    if folder == Path("facts") and not items_file(folder).is_file():
        _check_templates(languages, as_json)
        return
    if languages:
        raise CrossinError("a benchmark is checked in all its languages", hint="leave out --languages")
    with progress_bars() as progress:
        result = check_bench(folder, progress=progress)
    if as_json:
        counts = {"structural": result.structural, "content": len(result.findings) - result.structural}
        print_json({**vars(result), **counts, "findings": result.counted()})
    else:
        _show(result)
    if result.structural:
        raise click.exceptions.Exit(1)


@command.command("overlap", cls=Command)
@click.argument("ours", metavar="A", type=_PATH)
@click.argument("theirs", metavar="B", type=_PATH)
@option(
    "--out",
    type=_PATH,
    metavar="FOLDER",
    help="Folder for the list, and for the clean and the contaminated part of A.",
)
@option(
    "--level",
    type=click.Choice(["item", "triple", "subject"]),
    default="triple",
    help="The least that makes an item contaminated [default: triple].",
)
@option(
    "--ngram",
    type=click.IntRange(min=1),
    default=13,
    help="How many consecutive words two texts must share [default: 13].",
)
@option("--fail", is_flag=True, help="Exit code 1 if an item of A is contaminated.")
@json_option
def list_overlap(
    ours: Path, theirs: Path, out: Path | None, level: str, ngram: int, fail: bool, as_json: bool
) -> None:
    """List what a benchmark shares with another one, or with training data.

    A is a benchmark's folder. B is another one, a mixture's folder, or a file or folder of rows. Shared are
    items (the same question), triples (the same subject and answer) and subjects. With --out, the folder gets
    `overlap.parquet`, and A in two parts: the benchmarks `clean` and `contaminated`.

    Two benchmarks: `crossin bench overlap bench/klar bench/bmlama17 --out bench/klar-apart`

    Training data: `crossin bench overlap bench/klar mixtures/mine --fail`
    """
    from crossin.bench.overlap import find_overlap
    from crossin.cli.console import print_json, progress_bars

    with progress_bars() as progress:
        found = find_overlap(ours, theirs, out=out, level=level, ngram=ngram, progress=progress)
    if as_json:
        print_json({**found.counts(), "findings": found.counted()})
    else:
        _show_overlap(found, out)
    if fail and found.contaminated:
        raise click.exceptions.Exit(1)


@command.command("export", cls=Command)
@bench_argument
@out_option
@option("--to", type=click.Choice(["lm-eval"]), default="lm-eval", help="The program that asks them.")
@_languages_option
@option(
    "--limit", type=click.IntRange(min=1), help="Number of items, drawn as by `crossin evaluate --limit`."
)
@option("--per-task", type=click.IntRange(min=1), help="Number of items of each task, in place of --limit.")
@settings_options(Form, leave_out=["chat"])
@option(
    "--shots-from",
    type=_PATH,
    metavar="FOLDER",
    help="Benchmark to take shots from: another split, or itself.",
)
@option("--seed", type=click.IntRange(min=0), default=0, help="Decides the draw, the shots, and the order.")
def export_benchmark(
    given: dict[str, Any],
    folder: Path,
    out: Path,
    to: str,  # noqa: ARG001 (there is one)
    languages: tuple[str, ...],
    limit: int | None,
    per_task: int | None,
    shots_from: Path | None,
    seed: int,
) -> None:
    """Write a benchmark as tasks of lm-evaluation-harness, which asks exactly what `crossin evaluate` asks.

    There is one task per language and wording, and a group of them. `crossin score` reads what lm-eval logs:
    each can be checked against the other, and models that only lm-eval can run get their consistency too.

    `crossin bench export bench/mmlu --to lm-eval --out tasks/mmlu`

    `lm_eval --model hf --model_args pretrained=MODEL,dtype=float32 --tasks crossin_mmlu --include_path
    tasks/mmlu --log_samples --output_path out`

    `crossin score out`
    """
    from crossin.bench.lm_eval import export_lm_eval
    from crossin.cli.console import progress_bars, say, say_skipped
    from crossin.core.settings import validated

    form = validated(Form, given, None, "see `crossin bench export --help`")
    with progress_bars():
        stage = export_lm_eval(
            folder,
            out,
            form=form,
            languages=_codes(languages),
            limit=limit,
            per_task=per_task,
            shots=shots_from,
            seed=seed,
        )
    say_skipped(stage.manifest["skipped"], "questions")
    counts = stage.manifest["counts"]
    say(f"export: {counts['questions']:,} questions in {counts['tasks']:,} tasks, in {out}")
    say(
        f"lm_eval --model hf --model_args pretrained=MODEL --tasks {stage.manifest['settings']['group']} "
        f"--include_path {out} --log_samples --output_path out"
    )


def _codes(languages: tuple[str, ...]) -> list[str] | None:
    """The codes of the languages that were given; None where none were."""
    with located(field="--languages"):
        found = languages_in(languages)
    if languages and not found:
        raise CrossinError("no language is named", field="--languages", hint="for example --languages en,vi")
    return found or None


def _check_templates(languages: tuple[str, ...], as_json: bool) -> None:
    """What the languages' template files lack for the facts suite."""
    from crossin.cli.console import console, print_json
    from crossin.languages.words import lacking

    wanted = _codes(languages)
    if not wanted:
        raise CrossinError("the languages to check are missing", hint="--languages sv")
    found = {code: lacking(code) for code in wanted}
    if as_json:
        print_json(found)
    else:
        for code, entries in found.items():
            console.print(f"{code}: {', '.join(entries) or 'complete'}", markup=False, highlight=False)
    if any(found.values()):
        raise click.exceptions.Exit(1)


def _show_overlap(found: Overlap, out: Path | None) -> None:
    from crossin.bench.display import overlap_table
    from crossin.cli.console import console, say

    if (table := overlap_table(found)) is not None:
        console.print(table)
    counts = found.counts()
    shared = "".join(f", {count:,} by {level}" for level, count in counts["shared"].items())
    parts = f"{counts['contaminated']:,} contaminated, {counts['clean']:,} clean"
    say(f"overlap: {counts['items']:,} items{shared}; {parts}{f', in {out}' if out else ''}")


def _show(result: CheckResult) -> None:
    from crossin.bench.display import check_tables
    from crossin.cli.console import console, say

    for table in check_tables(result):
        console.print(table)
    for note in result.notes:
        say(f"note: {note}")
    content = len(result.findings) - result.structural
    say(
        f"check: {result.items:,} items in {len(result.languages)} languages; "
        f"{result.structural:,} structural findings, {content:,} about content"
    )
