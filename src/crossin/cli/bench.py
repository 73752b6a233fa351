"""The verb `bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crossin.cli.options import codes, names
from crossin.core.errors import CrossinError

if TYPE_CHECKING:
    from crossin.bench.check import Report

app = typer.Typer(no_args_is_help=True, help="List, build, look at, check and export parallel benchmarks.")
_Languages = Annotated[
    str | None, typer.Option(help="Languages with commas, in any spelling: en,vi,Thai; all if not given.")
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_benchmarks(as_json: _AsJson = False) -> None:
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


@app.command("build")
def build_benchmark(
    name: Annotated[
        str, typer.Argument(help="A name from `crossin bench list`, or a mapping of your own (.yaml).")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the benchmark.")],
    languages: _Languages = None,
    source: Annotated[
        Path | None, typer.Option(help="File or folder of the data; the hub's if not given.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="The split to build, where there are several.")] = None,
    as_json: _AsJson = False,
) -> None:
    """Build a benchmark: `items.parquet`, each item in every language, and a manifest.

    An item that is not whole and the same in all languages is left out, with the reason.

    Example: `crossin bench build cross-mmlu --source cross_mmlu.json --languages en,vi --out bench/mmlu`
    """
    from crossin.bench.catalogue import build_named
    from crossin.bench.show import visible
    from crossin.cli.console import console, print_json, progress_bars, say

    with progress_bars() as progress:
        stage = build_named(
            name, out, languages=codes(languages), source=source, split=split, progress=progress
        )
    skipped = stage.manifest["skipped"]
    if as_json:
        print_json({"counts": stage.manifest["counts"], "skipped": skipped})
        return
    counts = stage.manifest["counts"]
    for task, count in sorted(counts["tasks"].items()):
        # A built item is there in every language.
        shown = "  ".join(f"{language} {count:,}" for language in stage.manifest["settings"]["languages"])
        console.print(visible(f"{task}: {shown}"), markup=False, highlight=False)
    for reason, count in skipped.items():
        say(f"left out: {count:,}, {reason}")
    say(f"bench: {counts['items']:,} items, in {out} ({stage.manifest['wall_seconds']:.1f} s)")


@app.command("show")
def show_items(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A benchmark.")],
    item: Annotated[str | None, typer.Argument(help="An item; the first where not given.")] = None,
    languages: Annotated[str | None, typer.Option(help="Only these languages, with commas.")] = None,
    number: Annotated[int, typer.Option(min=1, help="How many items, where none is named.")] = 1,
    full: Annotated[bool, typer.Option("--full", help="Show the whole context.")] = False,
) -> None:
    """Show an item in every language, its right option marked.

    Example: `crossin bench show bench/mmlu test_7 --languages en,vi`
    """
    from crossin.bench.show import shown
    from crossin.cli.console import console

    for part in shown(folder, item, languages=codes(languages), number=number, full=full):
        console.print(part)


@app.command("check")
def check_benchmark(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A benchmark, or `facts`.")],
    languages: Annotated[
        str | None, typer.Option(help="With `facts`: the languages whose template files to look at.")
    ] = None,
    as_json: _AsJson = False,
) -> None:
    """Check whether a benchmark is truly parallel; exit code 1 where it is not.

    Structural findings (a language missing, other options or another answer, options alike) decide. Content
    findings (text that is the same in two languages or in another one, digits, lengths) are to be looked at.
    How often simple heuristics are right says how much can be had without knowing or reading.

    `crossin bench check facts --languages sv` says what the template file of a language lacks.
    """
    from crossin.bench.check import check_bench
    from crossin.cli.console import print_json, progress_bars

    if folder == "facts" and not Path(folder).exists():
        _check_templates(languages, as_json)
        return
    if languages is not None:
        raise CrossinError("a benchmark is checked in all its languages", hint="leave out --languages")
    with progress_bars() as progress:
        report = check_bench(Path(folder), progress=progress)
    if as_json:
        print_json(
            {
                "items": report.items,
                "languages": report.languages,
                "structural": report.structural,
                "content": len(report.findings) - report.structural,
                "findings": report.counted(),
                "notes": report.notes,
                "guessing": report.guessing,
            }
        )
    else:
        _show(report)
    if report.structural:
        raise typer.Exit(1)


@app.command("export")
def export_benchmark(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A benchmark.")],
    out: Annotated[Path, typer.Option(help="Folder for the tasks.")],
    to: Annotated[Literal["lm-eval"], typer.Option(help="The program that is to ask them.")] = "lm-eval",  # noqa: ARG001 (there is one)
    languages: _Languages = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="So many items, those that `crossin evaluate --limit` draws."),
    ] = None,
    form: Annotated[
        Literal["text", "letters", "generate"],
        typer.Option(
            help="`text`: how likely is each option's full text? `letters`: options are listed, and how "
            "likely is each letter? `generate`: a reply is written."
        ),
    ] = "text",
    wordings: Annotated[
        str, typer.Option(help="How the question is put, with commas: `question`, `plain`, `asked`.")
    ] = "question",
    shots: Annotated[int, typer.Option(min=0, help="Worked examples before each question.")] = 0,
    shots_from: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Benchmark that they come from: another split.")
    ] = None,
    order: Annotated[
        Literal["fixed", "rotated"],
        typer.Option(help="Listed options begin at the first, or at another in each language."),
    ] = "fixed",
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest reply, in tokens.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Decides the draw, the shots, and the order.")] = 0,
) -> None:
    """Write a benchmark as tasks of lm-evaluation-harness, which then asks just what `crossin evaluate` asks.

    One task a language and wording, and a group of them. What lm-eval answers, `crossin score` reads: so each
    can be checked against the other, and models that lm-eval alone can run have their consistency too.

    `crossin bench export bench/mmlu --to lm-eval --out tasks/mmlu`

    `lm_eval --model hf --model_args pretrained=MODEL,dtype=float32 --tasks crossin_mmlu --include_path
    tasks/mmlu --log_samples --output_path out`

    `crossin score out`
    """
    from crossin.bench.lm_eval import export_lm_eval
    from crossin.cli.console import say
    from crossin.items import Form

    stage = export_lm_eval(
        folder,
        out,
        form=Form(
            kind=form,
            wordings=tuple(names(wordings, "--wordings")),
            shots=shots,
            order=order,
            max_tokens=max_tokens,
        ),
        languages=codes(languages),
        limit=limit,
        shots=shots_from,
        seed=seed,
    )
    for reason, count in stage.manifest["skipped"].items():
        say(f"left out: {count:,}, {reason}")
    counts = stage.manifest["counts"]
    say(f"export: {counts['questions']:,} questions in {counts['tasks']:,} tasks, in {out}")
    say(
        f"lm_eval --model hf --model_args pretrained=MODEL --tasks {stage.manifest['settings']['group']} "
        f"--include_path {out} --log_samples --output_path out"
    )


def _check_templates(languages: str | None, as_json: bool) -> None:
    """What the languages' template files lack for the facts suite."""
    from crossin.cli.console import console, print_json
    from crossin.facts.suite import lacking

    wanted = codes(languages)
    if not wanted:
        raise CrossinError("needs the languages to look at", hint="--languages sv")
    found = {code: lacking(code) for code in wanted}
    if as_json:
        print_json(found)
    else:
        for code, entries in found.items():
            console.print(f"{code}: {', '.join(entries) or 'complete'}", markup=False, highlight=False)
    if any(found.values()):
        raise typer.Exit(1)


def _show(report: Report) -> None:
    from rich.table import Column, Table
    from rich.text import Text

    from crossin.bench.show import visible
    from crossin.cli.console import console, say

    if report.findings:
        count, examples = Column("count", justify="right"), Column("examples", overflow="fold")
        table = Table("", "finding", "language", count, examples)
        for line in report.counted():
            shown = "; ".join(
                one["item"] + (f" ({one['note'][:60]})" if one["note"] else "") for one in line["examples"]
            )
            sort = Text("structural", "bold red") if line["structural"] else Text("content")
            table.add_row(sort, line["kind"], line["language"], f"{line['count']:,}", Text(visible(shown)))
        console.print(table)
    if report.guessing:
        heuristics = dict.fromkeys(name for shares in report.guessing.values() for name in shares)
        table = Table(*(Column(name, overflow="fold") for name in ("right by", *heuristics)))
        for task, found in report.guessing.items():
            shares = (found.get(name) for name in heuristics)
            table.add_row(Text(visible(task)), *("" if share is None else f"{share:.2f}" for share in shares))
        console.print(table)
    for note in report.notes:
        say(f"note: {note}")
    content = len(report.findings) - report.structural
    say(
        f"check: {report.items:,} items in {len(report.languages)} languages; "
        f"{report.structural:,} structural findings, {content:,} about content"
    )
