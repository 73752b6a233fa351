"""The command `translate`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from crossin.cli.console import console, print_json, progress_bars, say, say_skipped, show
from crossin.cli.options import (
    Command,
    config_file,
    config_option,
    dry_run_option,
    json_option,
    looks_like_path,
    need_out,
    option,
    out_option,
    set_option,
    settings_options,
)
from crossin.core.errors import CrossinError
from crossin.core.examples import list_examples
from crossin.core.formats import REJECTS
from crossin.core.reasons import sentence_of
from crossin.core.settings import read_settings
from crossin.languages.codes import language_name, parse_language
from crossin.translation.config import TranslateConfig
from crossin.translation.translators.services import SERVICES

if TYPE_CHECKING:
    from crossin.core.cluster import Runner
    from crossin.core.stages import Stage
    from crossin.translation.shards import Outcome

_PROCESSES = "Many processes"
# Of a sampled text, what fits in a table.
_SHOWN = 240


@click.command(cls=Command)
@click.argument("files", nargs=-1, metavar="[CONFIG] CORPUS", type=click.Path(path_type=Path))
@config_option
@settings_options(TranslateConfig)
@set_option("glossary={zh: {memory: 内存}}")
@option("--rank", default=0, help="Make only the shards of this process, from 0.", group=_PROCESSES)
@option("--world-size", default=1, help="How many processes share the work.", group=_PROCESSES)
@option(
    "--runner",
    type=click.Choice(["local", "ray"]),
    default="local",
    help="`ray`: the shards as tasks of a Ray cluster.",
    group=_PROCESSES,
)
@out_option
@dry_run_option
@option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="ROWS",
    help="Translate only this many rows and show them; with --out, their responses are cached.",
)
@json_option
def command(
    given: dict[str, Any],
    files: tuple[Path, ...],
    config: str | None,
    rank: int,
    world_size: int,
    runner: str,
    out: Path | None,
    dry_run: bool,
    sample: int | None,
    as_json: bool,
) -> None:
    """Translate instruction data into parallel data, checked row by row.

    Code, links and placeholders do not change; what fails a check is requested again, and rejected with its
    reason in the end. Every response is cached: stopped at any moment, the same command resumes, and repeats
    no request.

    Look first: `crossin translate rows.jsonl --to zh vi --engine openai --model NAME --base-url
    http://localhost:8000/v1 --dry-run`

    Then all: the same with `--out corpora/rows`. Behind --to, a word with a slash or a dot is a path, any
    other one a language. Settings may also come from a YAML file or an example (`crossin examples`):
    `crossin translate server rows.jsonl --model NAME --base-url URL --out corpora/rows`
    """
    configs = [str(path) for path in files if _is_config(path)]
    corpora = [path for path in files if not _is_config(path)]
    configs += [] if config is None else [config]
    if len(configs) > 1 or len(corpora) > 1:
        raise _too_many(configs, corpora)
    if corpora:
        given["corpus"] = corpora[0]
    elif not configs:
        raise CrossinError(
            "needs a corpus to translate", field="corpus", hint="crossin translate rows.jsonl --to zh vi"
        )
    _refuse_paths(given.get("to", ()))
    settings = read_settings(
        TranslateConfig,
        config_file("translate", configs[0] if configs else None),
        given,
        hint="crossin translate --help",
    )
    if dry_run or sample is not None:
        from crossin.translation.run import check_processes

        check_processes(cast("Runner", runner), rank, world_size)
    if dry_run:
        _show_estimate(settings, out, as_json)
    elif sample is not None:
        _show_sample(settings, sample, out, as_json)
    else:
        from crossin.translation.run import translate

        out = need_out(out)
        with progress_bars(rank, world_size) as progress:
            stage = translate(
                settings,
                out,
                rank=rank,
                world_size=world_size,
                runner=cast("Runner", runner),
                progress=progress,
                say=say,
            )
        if not stage.done:
            say(f"rank {rank} of {world_size} is done; the rank that finds all shards finishes the run")
            return
        _show_result(stage, settings, out, as_json)


def _too_many(configs: list[str], corpora: list[Path]) -> CrossinError:
    languages = [word for word in map(str, corpora[1:]) if not looks_like_path(word) and _is_language(word)]
    named = ", ".join(map(str, configs if len(configs) > 1 else corpora))
    return CrossinError(
        f"expected one corpus, and one YAML file at most, got {named}",
        hint=f"name languages with --to: --to {' '.join(languages)}"
        if languages
        else "put them before the options: crossin translate rows.jsonl --to zh vi",
    )


def _refuse_paths(languages: Sequence[str]) -> None:
    """A bare word behind --to is a language, whatever is called so in the working directory."""
    for word in languages:
        if not _is_language(word) and Path(word).exists():
            raise CrossinError(
                f"'{word}' is a {'folder' if Path(word).is_dir() else 'file'} here, but not a language",
                field="to",
                hint=f"put the corpus before the options, or write ./{word}",
            )


def _is_language(word: str) -> bool:
    with suppress(CrossinError):
        return bool(parse_language(word))
    return False


def _is_config(path: Path) -> bool:
    """Whether an argument names settings: a YAML file, or an example if no corpus has that name."""
    examples = {one.name for one in list_examples("translate")}
    return path.suffix in (".yaml", ".yml") or (str(path) in examples and not path.exists())


def _show_estimate(settings: TranslateConfig, out: Path | None, as_json: bool) -> None:
    from rich.table import Table

    from crossin.translation.dry_run import estimate_run
    from crossin.translation.language_specific import unread_note

    with progress_bars() as progress:
        found = estimate_run(settings, out, progress=progress)
    if as_json:
        print_json(asdict(found))
        return
    table = Table(title=f"{found.rows:,} rows of {settings.corpus}")
    tokens = () if settings.engine in SERVICES else ("prompt tokens", "reply tokens")
    for column in ("into", "rows", "requests", "characters", *tokens, "cost", "minutes"):
        table.add_column(column, justify="left" if column == "into" else "right")
    for part in found.languages:
        table.add_row(
            language_name(part.language),
            f"{part.rows:,}",
            f"{part.requests:,}",
            f"{part.characters:,}",
            *((f"{part.prompt_tokens:,}", f"{part.completion_tokens:,}") if tokens else ()),
            "–" if part.cost is None else f"{part.cost:,.2f}",
            "–" if part.minutes is None else f"{part.minutes:,.0f}",
        )
    rough = "Tokens are rough: one for four bytes." if tokens else "The service charges for characters."
    table.caption = f"{rough} Repeated requests come on top."
    if tokens and settings.server.tokens_per_minute:
        table.caption += " A limit of tokens counts of each reply the most that it may have."
    show(table)
    for reason, count in Counter(found.language_specific).most_common():
        say(f"specific to the language: {count:,} rows, {sentence_of(reason)}")
    if note := unread_note(settings.source):
        say(note)
    say_skipped(found.skipped, notes=found.notes)
    if all(part.minutes is None for part in found.languages):
        say("--requests-per-minute or --tokens-per-minute gives the time, and --sample measures it")
    say("dry run: nothing was requested, and nothing written")


def _show_sample(settings: TranslateConfig, count: int, out: Path | None, as_json: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from crossin.translation.dry_run import translate_sample
    from crossin.translation.language_specific import unread_note

    with progress_bars() as progress:
        samples = translate_sample(settings, count, out, progress=progress)
    if as_json:
        print_json([_as_dict(part.language, one) for part in samples for one in part.outcomes])
        return
    table = Table(title=f"{len(samples[0].outcomes)} rows of {settings.corpus}", show_lines=True)
    for column in ("row", "from", "to", "checks"):
        table.add_column(column, overflow="fold")
    for part in samples:
        for one in part.outcomes:
            texts = Text(_flat(one.row.texts)), Text(_flat(one.texts))
            table.add_row(Text(f"{one.row.id} {language_name(part.language)}"), *texts, Text(_result(one)))
    console.print(table)
    if note := unread_note(settings.source):
        say(note)
    for part in samples:
        if part.requested:
            say(
                f"{part.language}: {part.seconds:.1f} s for {part.requested} responses, "
                f"{part.seconds / part.requested:.2f} s for each"
            )


def _result(outcome: Outcome) -> str:
    if outcome.status == "translated":
        return "passed"
    why = outcome.why()
    details = ", ".join(filter(None, (why["field"], why["detail"])))
    return f"{sentence_of(outcome.status)}: {sentence_of(why['reason'])}{f' ({details})' if details else ''}"


def _as_dict(language: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": outcome.row.id,
        "language": language,
        "status": outcome.status,
        "texts": dict(outcome.texts),
        "language_specific": outcome.language_specific,
        **outcome.why(),
        "attempts": outcome.attempts,
    }


def _show_result(stage: Stage, settings: TranslateConfig, out: Path, as_json: bool) -> None:
    """Show what came of it; exit code 1 where most rows were rejected."""
    counts = stage.manifest["counts"]
    failed = _mostly_rejected(counts["languages"])
    if as_json:
        print_json({"counts": counts, "skipped": stage.manifest["skipped"]})
    else:
        _show_summary(stage, settings, out)
    for note in failed:
        say(f"{note}: read {out / REJECTS}, try other settings with --sample, and then another --out")
    if failed:
        raise click.exceptions.Exit(1)


def _mostly_rejected(languages: Mapping[str, Any]) -> list[str]:
    """A note on each language of which more than half of the translated rows were rejected."""
    notes = []
    for language, found in languages.items():
        rejected = sum(found["rejected"].values())
        rows = rejected + found["passed"] + found["repaired"] + found["kept"]
        if 2 * rejected > rows:
            most = Counter(found["rejected"]).most_common(1)[0][0]
            notes.append(
                f"{language_name(language)}: {rejected:,} of {rows:,} rows were rejected, most as "
                f"'{sentence_of(most)}'"
            )
    return notes


def _show_summary(stage: Stage, settings: TranslateConfig, out: Path) -> None:
    counts = stage.manifest["counts"]
    _show_counts(counts["languages"])
    say_skipped(stage.manifest["skipped"], notes=counts.get("notes", ()))
    responses, cost = counts["responses"], counts.get("usage", {}).get("cost")
    say(
        f"translate: {counts['rows']:,} rows, {responses['requested']:,} responses requested and "
        f"{responses['cached']:,} from the cache{'' if cost is None else f', cost {cost:,.2f}'}, in {out} "
        f"({stage.manifest['wall_seconds']:.1f} s)"
    )
    languages = ", ".join(f"{code}: data/{code}" for code in (settings.source, *settings.to))
    say(f"a recipe reads it with --data {out} as: files: {{{languages}}}, incomplete: keep")


def _show_counts(languages: Mapping[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    table.add_column("rows")
    for language in languages:
        table.add_column(language_name(language), justify="right")
    found = languages.values()
    for name in ("passed", "repaired", "kept"):
        table.add_row(name, *(f"{one[name]:,}" for one in found))
    for status in ("left_out", "rejected"):
        table.add_row(sentence_of(status), *(f"{sum(one[status].values()):,}" for one in found))
        total: Counter[str] = sum((Counter(one[status]) for one in found), Counter())
        for reason, _ in total.most_common():
            numbers = (f"{one[status].get(reason, 0):,}" for one in found)
            table.add_row(Text(f"  {sentence_of(reason)}"), *numbers)
    show(table)


def _flat(texts: Mapping[str, str]) -> str:
    text = " ⏎ ".join(text for text in texts.values() if text)
    return text[:_SHOWN] + "…" if len(text) > _SHOWN else text
