"""The translate stage: rows of one language in, a parallel corpus in several out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

from crossin.core.cache import Cache, check_cache
from crossin.core.cache_repair import rebuild_if_damaged
from crossin.core.cluster import Runner, run_on_cluster
from crossin.core.configs import config_of
from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import write_parquet
from crossin.core.formats import REJECTS, USAGE
from crossin.core.inputs import refuse_within
from crossin.core.interrupts import RESUMES, add_note
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.skipping import MOST_SKIPPED
from crossin.core.stages import Stage, check_rank, stage
from crossin.languages.detection import require_for
from crossin.servers import Accounting, BudgetSpent, running_loop
from crossin.translation.config import TranslateConfig
from crossin.translation.language_specific import reads_instructions, unread_note
from crossin.translation.requests import Translator
from crossin.translation.rows import SourceRows, check_corpus, read_rows
from crossin.translation.scheduler import ResponseCounts, open_scheduler
from crossin.translation.shard_tables import (
    DATA,
    count_responses,
    count_rows,
    joined_rejects,
    shard_files,
    write_shard,
    write_source,
)
from crossin.translation.shards import Outcome, Pipeline, Shard, translate_rows
from crossin.translation.translators.server import ServerTranslator

CACHE = "cache.sqlite"
# Shards in progress: while the last responses of one arrive, the next is requested. Each holds its texts, so
# there are more only where responses fail to come, and of so many rows at most.
_OPEN, _OPEN_ROWS = 4, 50_000


@dataclass(frozen=True)
class ShardPlan:
    """A corpus to translate, in shards (language, number) that can each be made alone, anywhere. run_id: by
    which the run finds its own responses in the cache.
    """

    rows: SourceRows
    pipeline: Pipeline
    out: Path
    cache: Path
    run_id: str

    @property
    def shards(self) -> list[tuple[str, int]]:
        """All shards: the first rows in every language, then the next."""
        targets = self.pipeline.config.to
        return [(language, number) for number in range(self._count) for language in targets]

    @property
    def _count(self) -> int:
        return -(-len(self.rows) // self.pipeline.config.shard_rows)

    def span(self, number: int) -> range:
        """The rows of a shard. All shards have one size: a small rest has too few to fit thresholds to."""
        first, end = (one * len(self.rows) // self._count for one in (number, number + 1))
        return range(first, end)

    def is_done(self, shard: tuple[str, int]) -> bool:
        """Whether a shard's files are there."""
        return (self.out / shard_files(*shard)[DATA]).exists()


def translate(
    config: TranslateConfig | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    translator: Translator | None = None,
    rank: int = 0,
    world_size: int = 1,
    runner: Runner = "local",
    progress: Progress = silent,
    say: Callable[[str], None] = lambda _text: None,
    **given: Any,
) -> Stage:
    """Translate the rows of `config.corpus` into each language of `config.to`.

    config: the settings, their entries, a YAML file, or an example's name (`crossin examples`). given:
    settings by name, in place of those of `config`: `translate("server", out, corpus=…, model=…)`.
    translator: used instead of the one that `config` names. rank, world_size: make only every
    `world_size`-th shard; whoever finds all of them finishes the stage. runner: `ray` makes the shards as
    tasks of a cluster. say: gets messages for the user.

    Writes `data/<language>/*.parquet`, the source's included, `rejects.parquet` and `provenance/`
    (docs/translate.md). A run that was stopped resumes, and repeats no request that was answered.
    Raises CrossinError for bad input, for what a translator lacks, and where it cannot continue.
    """
    config = config_of(TranslateConfig, config, given, command="translate", hint="see docs/translate.md")
    out = as_path(out).absolute()
    check_processes(runner, rank, world_size)
    pipeline = prepared(config, translator or config.translator(out / USAGE))
    inputs = {"corpus": config.corpus}
    refuse_within(config.cache, inputs, out, "cache")
    with stage(out, "translate", settings_of(pipeline), inputs, rank=rank, world_size=world_size) as work:
        if work.done:
            return work
        if note := unread_note(config.source):
            say(note)
        with cache_file(config, out, alone=world_size == 1) as cache:
            rows = read_rows_of(config, work.scratch, progress)
            accounting = Accounting(config.server, out / USAGE)
            plan = ShardPlan(rows, pipeline, out, cache, accounting.run_id)
            if (message := rebuild_if_damaged(cache)) is not None:
                say(message)
            try:
                if runner == "ray":
                    _on_cluster(plan, progress)
                else:
                    make_shards(plan, plan.shards[rank::world_size], progress)
            finally:
                # Also where the cache is elsewhere: a folder that is released forgets what was spent.
                work.saved = accounting.usage.requests > 0
        if all(map(plan.is_done, plan.shards)):
            _finish(work, plan)
    return work


def check_processes(runner: Runner, rank: int, world_size: int) -> None:
    """Raise CrossinError where shards cannot be made so."""
    if runner not in get_args(Runner):
        raise CrossinError(f"there is no runner '{runner}'", hint="use local, or ray")
    if runner == "ray":
        require("ray", "ray")
    check_rank(rank, world_size)


def prepared(config: TranslateConfig, translator: Translator) -> Pipeline:
    """The pipeline. Runs, samples and dry runs begin with it: all that can be wrong with settings, packages,
    languages and models is a CrossinError here, before anything is paid for.
    """
    check_corpus(config.corpus)
    translator.check(config.source, config.to)
    for language in config.to:
        require_for(language)
        if config.round_trip is not None:
            require("text", "sacrebleu")
            translator.check(language, [config.source])
    quality = config.quality_check()
    if quality is not None:
        quality.check()
    if config.cache is not None:
        check_cache(config.cache)
    return Pipeline(config, translator, config.terms(), quality)


def settings_of(pipeline: Pipeline) -> dict[str, Any]:
    """All that decides a corpus apart from the rows, as JSON values."""
    config = pipeline.config
    # Only where it is given, so that older folders are found finished.
    given = {} if config.max_skipped == MOST_SKIPPED else {"max_skipped": config.max_skipped}
    decisive = {"source", "to", "language_specific", "native", "round_trip", "columns", "limit", "shard_rows"}
    return {
        **config.model_dump(mode="json", by_alias=True, include=decisive),
        **given,
        "engine": dict(pipeline.translator.identity),
        "glossary": {language: dict(terms) for language, terms in pipeline.glossary.items()},
        "quality": None if pipeline.quality is None else pipeline.quality.identity,
    }


@contextmanager
def cache_file(config: TranslateConfig, out: Path, *, alone: bool) -> Iterator[Path]:
    """The cache's file. alone: one in `out` that is empty in the end is removed, so that a folder in which
    nothing was translated is free for another run.
    """
    path = (config.cache or out / CACHE).absolute()
    try:
        yield path
    except KeyboardInterrupt as stopped:
        with suppress(CrossinError), Cache(path) as cache:
            if not cache.is_empty():
                add_note(stopped, RESUMES)
        raise
    finally:
        if alone and config.cache is None and path.exists():
            with suppress(CrossinError), Cache(path) as cache:
                if cache.is_empty():
                    path.unlink()


def read_rows_of(config: TranslateConfig, scratch: Path, progress: Progress) -> SourceRows:
    """The rows that the settings name. scratch: the folder for their texts."""
    return read_rows(
        config.corpus,
        config.source,
        scratch,
        progress,
        columns=dict(config.columns.items()),
        limit=config.limit,
        max_skipped=config.max_skipped,
        check=not config.any_language,
        # The model answers one question.
        several=not config.native,
    )


def make_shards(plan: ShardPlan, shards: Sequence[tuple[str, int]], progress: Progress) -> None:
    """Translate and write those shards that are not there yet."""
    missing = [shard for shard in shards if not plan.is_done(shard)]
    total, left = Counter[str](), Counter[str]()
    for rows, chosen in ((total, shards), (left, missing)):
        for language, number in chosen:
            rows[language] += len(plan.span(number))

    def answered(language: str, count: int, note: str) -> None:
        left[language] -= count
        # Full only at the end: rows are still checked, and requested again.
        done = total[language] - max(left[language], 1)
        progress(f"translating into {language}", done, total[language], "rows", note)

    try:
        # In a thread, since the caller may have an event loop, as notebooks do.
        with running_loop() as loop:
            asyncio.run_coroutine_threadsafe(_make_shards(plan, missing, answered), loop).result()
    except BudgetSpent as error:
        rest = ", ".join(
            f"{left[language]:,} of {count:,} rows are left in {language}"
            for language, count in total.items()
        )
        raise BudgetSpent(f"{error.message}: {rest}", hint=error.hint) from error
    for language, count in total.items():
        progress(f"translating into {language}", count, count, "rows")


async def _make_shards(
    plan: ShardPlan, shards: Sequence[tuple[str, int]], answered: Callable[[str, int, str], None]
) -> None:
    """Make shards, each once all first requests of the one before it are sent, so that the translator is
    never idle: even where all its requests but one hang, each in a shard of its own.
    """
    config, translator = plan.pipeline.config, plan.pipeline.translator
    places = asyncio.Semaphore(max(_OPEN, min(translator.concurrency, _OPEN_ROWS // config.shard_rows)))
    if shards and plan.pipeline.quality is not None:
        await asyncio.to_thread(plan.pipeline.quality.load)
    try:
        async with (
            open_scheduler(translator, plan.cache) as scheduler,
            asyncio.TaskGroup() as group,
        ):
            for language, number in shards:
                await places.acquire()
                if scheduler.failure is not None:
                    break
                sent = asyncio.Event()
                progress = partial(answered, language)
                counts = ResponseCounts(mark=f"{plan.run_id}/{language}/{number}")
                shard = Shard(plan.pipeline, language, scheduler, counts, sent.set, progress)
                group.create_task(_make_shard(plan, shard, number, places))
                await sent.wait()
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


async def _make_shard(plan: ShardPlan, shard: Shard, number: int, places: asyncio.Semaphore) -> None:
    try:
        span = plan.span(number)
        rows = await asyncio.to_thread(plan.rows.take, span.start, span.stop)
        outcomes = await translate_rows(shard, rows)
        await asyncio.to_thread(_write, plan, shard, number, outcomes)
    finally:
        shard.sent()
        places.release()


def _write(plan: ShardPlan, shard: Shard, number: int, outcomes: Sequence[Outcome]) -> None:
    config = plan.pipeline.config
    if shard.target == config.to[0]:
        write_source(plan.out, config.source, number, outcomes)
    identity = plan.pipeline.translator.identity
    write_shard(plan.out, shard.target, number, outcomes, identity, shard.counts)


def _first(error: BaseException) -> BaseException:
    """The first error in a group of errors."""
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _on_cluster(plan: ShardPlan, progress: Progress) -> None:
    missing = [shard for shard in plan.shards if not plan.is_done(shard)]
    done, total = 0, sum(len(plan.span(number)) for _, number in missing)

    def finished(rows: int) -> None:
        nonlocal done
        done += rows
        progress("translating", done, total, "rows")

    def work(plan: ShardPlan, place: int) -> int:
        make_shards(plan, [missing[place]], silent)
        return len(plan.span(missing[place][1]))

    run_on_cluster(plan, work, range(len(missing)), finished)


def _finish(work: Stage, plan: ShardPlan) -> None:
    """Write the files next to the shards, and the manifest."""
    config = plan.pipeline.config
    write_parquet(work.folder / REJECTS, joined_rejects(work.folder, plan.shards))
    numbers = sorted({number for _, number in plan.shards})
    files = [shard_files(config.source, number)[DATA] for number in numbers]
    files += [name for shard in plan.shards for name in shard_files(*shard).values()]
    counts: dict[str, Any] = {
        "rows": len(plan.rows),
        "language_specific_checked": reads_instructions(config.source),
        "languages": count_rows(work.folder, plan.shards),
        "responses": count_responses(work.folder, plan.shards),
    }
    usage = Accounting(config.server, work.folder / USAGE).usage
    if isinstance(plan.pipeline.translator, ServerTranslator) or usage.requests:
        counts["usage"] = asdict(usage)
    if plan.rows.notes:
        counts["notes"] = list(plan.rows.notes)
    work.finish([*files, REJECTS], counts, dict(plan.rows.skipped))
