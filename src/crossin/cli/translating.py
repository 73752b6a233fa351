"""What the verb `translate` does with its words: the engine, the dry run, the sample, the run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from crossin.cli.console import console, print_json, progress_bars, say, show
from crossin.core.errors import CrossinError

if TYPE_CHECKING:
    from crossin.core.progress import Progress
    from crossin.translation.engine import Engine
    from crossin.translation.rows import SourceRows
    from crossin.translation.run import Runner
    from crossin.translation.shard import Setup, TaskBound

# Of a sampled text, what fits in a table.
_SHOWN = 240


@dataclass(frozen=True)
class Call:
    """All that one call of the verb asks for, but for the engine."""

    corpus: Path
    targets: list[str]
    source: str
    out: Path | None
    columns: Mapping[str, str]
    limit: int | None
    check: bool
    task_bound: TaskBound
    glossary: Path | None
    native: bool
    store: Path | None
    round_trip: float | None
    quality: tuple[Path, float] | None
    shard_rows: int
    rank: int
    world_size: int
    runner: Runner
    as_json: bool
    requests_per_minute: float | None
    tokens_per_minute: float | None
    prices: tuple[float, float] | None
    device: str


def make_engine(
    call: Call,
    kind: str,
    model: str,
    *,
    base_url: str | None,
    key_variable: str,
    concurrency: int,
    budget: float | None,
    timeout: float,
    prompt: Path | None,
    body: str | None,
    tokenizer: Path | None,
    batch_tokens: int | None,
    beam: int,
) -> Engine:
    """The engine that the words name; nothing is loaded or sent yet."""
    if kind == "openai":
        from crossin.core.files import read_text
        from crossin.translation.engines.openai import OpenAITranslator
        from crossin.translation.prompt import PROMPT

        if base_url is None:
            raise CrossinError(
                "a server needs an address", field="--base-url", hint="--base-url http://HOST/v1"
            )
        return OpenAITranslator(
            model,
            base_url,
            prompt=PROMPT if prompt is None else read_text(prompt),
            body=_body(body),
            budget=budget,
            key_variable=key_variable,
            concurrency=concurrency,
            requests_per_minute=call.requests_per_minute,
            tokens_per_minute=call.tokens_per_minute,
            timeout=timeout,
            prices=call.prices,
        )
    if call.native:
        raise CrossinError(
            "a translation model answers no instructions", field="--native", hint="use --engine openai"
        )
    options: dict[str, Any] = {"device": call.device, "beam": beam}
    if batch_tokens is not None:
        options["batch_tokens"] = batch_tokens
    if kind == "ctranslate2":
        from crossin.translation.engines.ctranslate2 import CTranslate2Translator

        return CTranslate2Translator(Path(model), tokenizer=tokenizer, **options)
    from crossin.models import pull
    from crossin.translation.engines.seq2seq import Seq2SeqTranslator

    return Seq2SeqTranslator(pull(model), **options)


def show_outline(call: Call, engine: Engine) -> None:
    """Show what a run would take; ask nothing."""
    from rich.table import Table

    from crossin.translation.outline import as_dict, outline

    setup = _setup(call, engine)
    engine.check(call.source, call.targets)
    with progress_bars() as progress, _rows(call, progress) as rows:
        found = outline(
            rows,
            setup,
            call.targets,
            prices=call.prices,
            requests_per_minute=call.requests_per_minute,
            tokens_per_minute=call.tokens_per_minute,
        )
        skipped = dict(rows.skipped)
    if call.as_json:
        print_json({**as_dict(found), "skipped": skipped})
        return
    table = Table(title=f"{found.rows:,} rows of {call.corpus}")
    for column in ("into", "rows", "asked", "characters", "tokens sent", "tokens back", "cost", "minutes"):
        table.add_column(column, justify="left" if column == "into" else "right")
    for part in found.languages:
        table.add_row(
            part.language,
            f"{part.rows:,}",
            f"{part.asks:,}",
            f"{part.characters:,}",
            f"{part.prompt_tokens:,}",
            f"{part.completion_tokens:,}",
            "–" if part.cost is None else f"{part.cost:,.2f}",
            "–" if part.minutes is None else f"{part.minutes:,.0f}",
        )
    table.caption = "Tokens are rough: one for four bytes. What fails is asked again, on top of this."
    show(table)
    for reason, count in sorted(found.bound.items(), key=lambda pair: -pair[1]):
        console.print(f"bound to its language: {count:,} rows, {reason}", markup=False, highlight=False)
    for reason, count in skipped.items():
        say(f"left out: {count:,} rows, {reason}")
    if all(part.minutes is None for part in found.languages):
        say("time is known with --requests-per-minute or --tokens-per-minute, or measured by --sample")
    say("dry run: nothing was asked, and nothing written")


def show_sample(call: Call, engine: Engine, count: int) -> None:
    """Translate some rows, spread over the corpus, and show them with what the gates say."""
    from time import monotonic

    from rich.table import Table
    from rich.text import Text

    from crossin.core.cache import Cache, CacheWriter
    from crossin.core.stages import begin
    from crossin.translation.asking import Tally, work_through
    from crossin.translation.run import STORE, settings_of
    from crossin.translation.shard import translate_rows

    setup, shown = _setup(call, engine), []
    engine.check(call.source, call.targets)
    if call.out is not None:
        # The run that comes after finds the folder its own, and the answers in it.
        settings = settings_of(
            setup, call.targets, columns=call.columns, limit=call.limit, shard_rows=call.shard_rows
        )
        begin(call.out, "translate", settings, {"corpus": call.corpus})
    with TemporaryDirectory() as temporary, progress_bars() as progress, _rows(call, progress) as rows:
        path = call.store or (call.out / STORE if call.out else Path(temporary) / STORE)
        step = max(1, len(rows) // count)
        chosen = [row for start in range(0, step * count, step) for row in rows.take(start, start + 1)]
        for target in call.targets:
            tally, began = Tally(), monotonic()
            with Cache(path) as store, CacheWriter(path) as keeper:
                work = translate_rows(setup, chosen, target)
                [outcomes] = work_through([work], engine, store, keeper, tally)
            seconds = monotonic() - began
            shown += [(target, outcome) for outcome in outcomes]
            if tally.asked:
                hours = seconds / tally.asked * len(rows) / 3600
                say(f"{target}: {seconds:.1f} s for {tally.asked} asked; all rows would take {hours:.1f} h")
    if call.as_json:
        print_json(
            [
                {"language": target, **{name: getattr(one, name) for name in _OUTCOME}, "id": one.row.id}
                for target, one in shown
            ]
        )
        return
    table = Table(title=f"{len(chosen)} rows of {call.corpus}", show_lines=True)
    for column in ("row", "from", "to", "gates"):
        table.add_column(column, overflow="fold")
    for target, one in shown:
        said = "passed" if one.fate == "translated" else f"{one.fate}: {one.reason or one.bound}"
        if one.detail or one.field:
            said += f" ({', '.join(filter(None, (one.field, one.detail)))})"
        table.add_row(
            Text(f"{one.row.id} {target}"), Text(_flat(one.row.texts)), Text(_flat(one.texts)), Text(said)
        )
    console.print(table)


_OUTCOME = ("fate", "texts", "bound", "reason", "field", "detail", "attempts")


def run(call: Call, engine: Engine) -> None:
    """Translate all rows, and say what became of them."""
    from crossin.translation import translate

    if call.out is None:
        raise CrossinError(
            "needs a folder to write to", hint="--out DIR, or look first with --dry-run or --sample 20"
        )
    with progress_bars() as progress:
        stage = translate(
            call.corpus,
            call.out,
            _setup(call, engine),
            call.targets,
            columns=call.columns,
            limit=call.limit,
            check=call.check,
            store=call.store,
            shard_rows=call.shard_rows,
            rank=call.rank,
            world_size=call.world_size,
            runner=call.runner,
            progress=progress,
            say=say,
        )
    if not stage.done:
        say(f"rank {call.rank} of {call.world_size} is done; whoever finds all shards writes the manifest")
        return
    counts = stage.manifest["counts"]
    if call.as_json:
        print_json({"counts": counts, "skipped": stage.manifest["skipped"]})
        return
    _show_counts(counts)
    for reason, number in stage.manifest["skipped"].items():
        say(f"left out: {number:,} rows, {reason}")
    answers = counts["answers"]
    cost = getattr(getattr(engine, "usage", None), "cost", None)
    say(
        f"translate: {counts['rows']:,} rows, {answers['asked']:,} answers asked and {answers['known']:,} "
        f"known before{'' if cost is None else f', cost {cost:,.2f}'}, in {call.out} "
        f"({stage.manifest['wall_seconds']:.1f} s)"
    )
    languages = ", ".join(f"{code}: data/{code}" for code in (call.source, *call.targets))
    say(f"a recipe reads it with --data {call.out} as: files: {{{languages}}}, incomplete: keep")


def _show_counts(counts: Mapping[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    languages = list(counts["languages"])
    table.add_column("rows")
    for language in languages:
        table.add_column(language, justify="right")
    found = counts["languages"].values()
    for name in ("passed", "repaired", "kept as they are"):
        table.add_row(name, *(f"{one[name]:,}" for one in found))
    for fate in ("left out", "rejected"):
        table.add_row(fate, *(f"{sum(one[fate].values()):,}" for one in found))
        reasons = {reason: 0 for one in found for reason in one[fate]}
        for one in found:
            for reason, number in one[fate].items():
                reasons[reason] += number
        for reason in sorted(reasons, key=lambda name: -reasons[name]):
            table.add_row(Text(f"  {reason}"), *(f"{one[fate].get(reason, 0):,}" for one in found))
    show(table)


def _setup(call: Call, engine: Engine) -> Setup:
    from crossin.translation.filters.quality import QualityModel
    from crossin.translation.glossary import read_glossary
    from crossin.translation.shard import Setup

    return Setup(
        engine,
        call.source,
        call.task_bound,
        call.native,
        {} if call.glossary is None else read_glossary(call.glossary, call.targets),
        call.round_trip,
        None if call.quality is None else QualityModel(*call.quality, call.device),
    )


@contextmanager
def _rows(call: Call, progress: Progress) -> Iterator[SourceRows]:
    from crossin.translation.rows import read_rows

    with TemporaryDirectory() as work:
        yield read_rows(
            call.corpus,
            call.source,
            Path(work),
            progress,
            columns=call.columns,
            limit=call.limit,
            check=call.check,
        )


def _body(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CrossinError(
            f"is no JSON: {error}", field="--body", hint="--body '{\"top_p\": 0.9}'"
        ) from error
    if not isinstance(value, dict):
        raise CrossinError("is no JSON object", field="--body", hint="--body '{\"top_p\": 0.9}'")
    return value


def _flat(texts: Mapping[str, str]) -> str:
    text = " ⏎ ".join(text for text in texts.values() if text)
    return text[:_SHOWN] + "…" if len(text) > _SHOWN else text
