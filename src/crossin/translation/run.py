"""The translate stage: rows of one language in, a parallel corpus in several out."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from crossin.core.cache import Cache, CacheWriter
from crossin.core.cache_repair import rebuild_if_damaged
from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import write_parquet
from crossin.core.formats import CLAIM, REJECTS
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin
from crossin.languages.codes import parse_language
from crossin.translation.asking import Tally, Work, work_through
from crossin.translation.engine import BudgetSpent
from crossin.translation.filters.language import require_for
from crossin.translation.rows import SourceRows, read_rows
from crossin.translation.shard import Setup, translate_rows
from crossin.translation.writing import (
    DATA,
    count_shards,
    joined_rejects,
    shard_files,
    write_shard,
    write_source,
)

STORE = "store.sqlite"
Runner = Literal["local", "ray"]


@dataclass(frozen=True)
class Job:
    """A corpus about to be translated; each shard of it can be made by itself, anywhere."""

    rows: SourceRows
    setup: Setup
    targets: Sequence[str]
    out: Path
    store: Path
    size: int

    @property
    def shards(self) -> list[tuple[str, int]]:
        """All shards (language, number): the first rows in every language, then the next."""
        return [(language, number) for number in range(self._numbers) for language in self.targets]

    @property
    def _numbers(self) -> int:
        return -(-len(self.rows) // self.size)

    def span(self, number: int) -> range:
        """The rows of a shard. All shards are of one size, lest the last have too few rows to learn from."""
        first, end = (one * len(self.rows) // self._numbers for one in (number, number + 1))
        return range(first, end)

    def is_there(self, shard: tuple[str, int]) -> bool:
        """Whether a shard is made already."""
        return (self.out / shard_files(*shard)[DATA]).exists()


def translate(
    corpus: Path,
    out: Path,
    setup: Setup,
    targets: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    check: bool = True,
    store: Path | None = None,
    shard_rows: int = 2_000,
    rank: int = 0,
    world_size: int = 1,
    runner: Runner = "local",
    progress: Progress = silent,
    say: Callable[[str], None] = lambda _text: None,
) -> Stage:
    """Translate the rows of `corpus` (a file or folder that `compose` reads) into each of `targets`.

    setup: the engine, the language of the rows, and how they are treated. columns, limit, check: as in
    `read_rows`. store: the file that keeps every answer, in `out` where not given; several runs may share
    one. shard_rows: at most so many rows are judged together. rank, world_size: make only every
    `world_size`-th shard; whoever finds all of them finishes the stage. runner: `ray` makes the shards as
    tasks of a cluster.

    Writes `data/<language>/*.parquet`, the source's among them, `rejects.parquet` and `provenance/`
    (docs/translate.md). A run that was stopped goes on, and asks nothing again that was answered.
    Raises CrossinError for bad input, for what an engine lacks, and where it cannot go on.
    """
    targets = _checked(setup, targets, rank, world_size, runner)
    settings = settings_of(setup, targets, columns=columns, limit=limit, shard_rows=shard_rows)
    stage = begin(out, "translate", settings, {"corpus": corpus}, shared=world_size > 1)
    if stage.done:
        return stage
    work = out / ".work" / f"rank-{rank}"
    tally = Tally()
    own_store = out / STORE if store is None and not (out / STORE).exists() else None
    try:
        rows = read_rows(corpus, setup.source, work, progress, columns=columns, limit=limit, check=check)
        job = Job(rows, setup, targets, out, store or out / STORE, shard_rows)
        if (note := rebuild_if_damaged(job.store)) is not None:
            say(note)
        if runner == "ray":
            _on_cluster(job, progress)
        else:
            make_shards(job, job.shards[rank::world_size], tally, progress)
        if all(map(job.is_there, job.shards)):
            _finish(stage, job, tally)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        with contextlib.suppress(OSError):
            work.parent.rmdir()
        if not stage.done and runner == "local" and world_size == 1:
            if own_store and not tally.asked:
                for path in out.glob(f"{STORE}*"):
                    path.unlink()
            if not any(path.name != CLAIM for path in out.iterdir()):
                # A wrong word, most likely: once it is mended, the folder is free for it.
                stage.release()
    return stage


def settings_of(
    setup: Setup,
    targets: Sequence[str],
    *,
    columns: Mapping[str, str] | None,
    limit: int | None,
    shard_rows: int,
) -> dict[str, Any]:
    """All that decides a corpus beside the rows, as JSON values."""
    return {
        "engine": dict(setup.engine.identity),
        "from": setup.source,
        "to": list(targets),
        "task_bound": setup.task_bound,
        "native": setup.native,
        "glossary": {language: dict(terms) for language, terms in setup.glossary.items()},
        "round_trip": setup.round_trip,
        "quality": None if setup.quality is None else setup.quality.identity,
        "columns": dict(columns or {}),
        "limit": limit,
        "shard_rows": shard_rows,
    }


def make_shards(job: Job, shards: Sequence[tuple[str, int]], tally: Tally, progress: Progress) -> None:
    """Translate and write those shards that are not there yet."""
    missing = [shard for shard in shards if not job.is_there(shard)]
    total, left = Counter[str](), Counter[str]()
    for rows, chosen in ((total, shards), (left, missing)):
        for language, number in chosen:
            rows[language] += len(job.span(number))

    def heard(language: str, count: int, note: str) -> None:
        left[language] -= count
        known = f"{tally.known:,} known before" if tally.known else ""
        told = ", ".join(filter(None, (note, known)))
        # Full only at the end: rows are still judged, and asked again.
        progress(
            f"translating into {language}",
            total[language] - max(left[language], 1),
            total[language],
            "rows",
            told,
        )

    with Cache(job.store) as store, CacheWriter(job.store) as keeper:
        try:
            works = (_shard(job, shard, partial(heard, shard[0])) for shard in missing)
            work_through(works, job.setup.engine, store, keeper, tally)
        except BudgetSpent as error:
            told = ", ".join(
                f"{left[language]:,} of {count:,} rows are left in {language}"
                for language, count in total.items()
            )
            raise BudgetSpent(f"{error.message}: {told}", hint=error.hint) from error
    for language, count in total.items():
        progress(f"translating into {language}", count, count, "rows")


def _shard(job: Job, shard: tuple[str, int], heard: Callable[[int, str], None]) -> Work[None]:
    language, number = shard
    span = job.span(number)
    outcomes = yield from translate_rows(job.setup, job.rows.take(span.start, span.stop), language, heard)
    if language == job.targets[0]:
        write_source(job.out, job.setup.source, number, outcomes)
    write_shard(job.out, language, number, outcomes, job.setup.engine.identity)


def _checked(setup: Setup, targets: Sequence[str], rank: int, world_size: int, runner: str) -> list[str]:
    languages = list(dict.fromkeys(map(parse_language, targets)))
    if setup.source in languages or not languages:
        raise CrossinError(
            f"the rows are in {setup.source} already" if languages else "no language to translate into",
            field="to",
            hint="name the languages to translate into, as in --to zh --to vi",
        )
    if not 0 <= rank < world_size:
        raise CrossinError(
            f"there is no rank {rank} of {world_size}", hint="ranks go from 0 to world size - 1"
        )
    if runner not in get_args(Runner):
        raise CrossinError(f"there is no runner '{runner}'", hint="use local, or ray")
    for language in setup.glossary:
        if language not in languages:
            raise CrossinError(
                f"the glossary has terms in {language}, which is not translated into",
                field="glossary",
                hint="leave them out, or name the language",
            )
    setup.engine.check(setup.source, languages)
    # What is missing is told before anything is paid for.
    for language in languages:
        require_for(language)
        if setup.round_trip is not None:
            require("text", "sacrebleu")
            setup.engine.check(language, [setup.source])
    return languages


def _on_cluster(job: Job, progress: Progress) -> None:
    from crossin.core.cluster import run_on_cluster

    missing = [shard for shard in job.shards if not job.is_there(shard)]
    done, total = 0, sum(len(job.span(number)) for _, number in missing)

    def heard(rows: int) -> None:
        nonlocal done
        done += rows
        progress("translating", done, total, "rows")

    def work(job: Job, place: int) -> int:
        make_shards(job, [missing[place]], Tally(), silent)
        return len(job.span(missing[place][1]))

    shared = replace(job, out=job.out.absolute(), store=job.store.absolute())
    run_on_cluster(shared, work, range(len(missing)), heard)


def _finish(stage: Stage, job: Job, tally: Tally) -> None:
    """Write what stands beside the shards, and the manifest."""
    write_parquet(stage.folder / REJECTS, joined_rejects(stage.folder, job.shards))
    numbers = sorted({number for _, number in job.shards})
    files = [shard_files(job.setup.source, number)[DATA] for number in numbers]
    files += [name for shard in job.shards for name in shard_files(*shard).values()]
    counts: dict[str, Any] = {
        "rows": len(job.rows),
        "languages": count_shards(stage.folder, job.shards),
        "answers": asdict(tally),
    }
    stage.finish([*files, REJECTS], counts, dict(job.rows.skipped))
