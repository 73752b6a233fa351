"""Looking before a run: an estimate that sends nothing, and a sample of translations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from crossin.core.formats import USAGE
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.stages import check_folder, stage
from crossin.servers import ServerRequest, ServerSettings, rough_tokens, running_loop
from crossin.translation.config import TranslateConfig
from crossin.translation.language_specific import reads_instructions, reason_of
from crossin.translation.native import question_of, question_request
from crossin.translation.requests import TranslationRequest, Translator
from crossin.translation.rows import SourceRow
from crossin.translation.run import cache_file, prepared, read_rows_of, settings_of
from crossin.translation.scheduler import open_scheduler
from crossin.translation.shards import Outcome, Pipeline, Shard, translate_rows, ways
from crossin.translation.splitting import split_row
from crossin.translation.translators.server import ServerTranslator
from crossin.translation.turns import asked_in

_READ_AT_ONCE = 1000


@dataclass
class LanguageEstimate:
    """What one language takes. Tokens are rough (four bytes of UTF-8 each), and a translation is taken to be
    as long as its source in bytes; repeated requests come on top. limit_tokens: what a limit of tokens
    counts, the prompts, and of each reply the most that it may have. cost: None without prices. minutes: None
    without limits a minute.
    """

    language: str
    rows: int = 0
    requests: int = 0
    characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    limit_tokens: int = 0
    cost: float | None = None
    minutes: float | None = None


@dataclass
class RunEstimate:
    """What a run takes by language. language_specific, skipped: rows that are left out, by reason.
    language_specific_checked: False where the rules cannot read the source's instructions.
    """

    rows: int
    languages: list[LanguageEstimate]
    language_specific_checked: bool = True
    language_specific: dict[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class LanguageSample:
    """Sampled rows in one language, the seconds that they took, and the responses that were requested."""

    language: str
    outcomes: list[Outcome]
    seconds: float
    requested: int


def estimate_run(
    config: TranslateConfig,
    out: Path | str | None = None,
    *,
    translator: Translator | None = None,
    progress: Progress = silent,
) -> RunEstimate:
    """Split every row as a run would, and count; nothing is sent or written. What would keep a run from
    beginning, in the folder `out` too, is an error.
    """
    pipeline = prepared(config, translator or config.translator())
    if out is not None:
        check_folder(out, "translate", settings_of(pipeline), {"corpus": config.corpus})
    with TemporaryDirectory() as scratch:
        rows = read_rows_of(config, Path(scratch), progress)
        found = RunEstimate(
            len(rows),
            [LanguageEstimate(code) for code in config.to],
            reads_instructions(config.source),
            skipped=rows.skipped,
            notes=rows.notes,
        )
        seen: set[int] = set()
        for start in range(0, len(rows), _READ_AT_ONCE):
            for row in rows.take(start, start + _READ_AT_ONCE):
                _add(found, row, pipeline, seen)
    for part in found.languages:
        part.cost = _server(pipeline).cost(part.prompt_tokens, part.completion_tokens)
    return found


def _add(found: RunEstimate, row: SourceRow, pipeline: Pipeline, seen: set[int]) -> None:
    """Add a row's requests. seen: the hashes of those before, since equal requests are sent once."""
    config, translator, server = pipeline.config, pipeline.translator, _server(pipeline)
    reason = reason_of(row.texts, config.source)
    if reason is not None:
        found.language_specific[reason.value] = found.language_specific.get(reason.value, 0) + 1
        if config.language_specific != "instruction":
            return
    for part in found.languages:
        part.rows += 1
        for request, reply in _requests(row, reason is None, pipeline, part.language):
            if hash(request) in seen:
                continue
            seen.add(hash(request))
            size = sum(map(rough_tokens, request.texts))
            sent = ServerRequest("", {}, prompt_tokens=size, completion_tokens=size)
            if isinstance(translator, ServerTranslator):
                sent = translator.server_request(request).merged(server.body)
            part.requests += 1
            part.characters += sum(map(len, request.texts))
            part.prompt_tokens += sent.prompt_tokens
            # A service charges for what is sent alone.
            part.completion_tokens += reply if sent.billed is None else 0
            part.limit_tokens += sent.limit_tokens
            if seconds := server.seconds(sent.limit_tokens):
                part.minutes = (part.minutes or 0.0) + seconds / 60


def _requests(
    row: SourceRow, whole: bool, pipeline: Pipeline, language: str
) -> Iterator[tuple[TranslationRequest, int]]:
    """The requests for a row, or else for its instruction alone, and about how long each reply is in tokens.

    A translation that is not there yet, to be translated back or answered, is taken to be like its source.
    """
    config, (by, attempt) = pipeline.config, ways(pipeline.translator)[0]
    native = config.native and whole
    texts = dict(row.texts) if whole else asked_in(row.texts)
    if native:
        texts["output"] = ""
    asked = split_row(
        texts, config.source, language, by, attempt, pipeline.glossary.get(language, {})
    ).requests
    if config.round_trip is not None:
        asked += split_row(texts, language, config.source, by).requests
    yield from ((request, sum(map(rough_tokens, request.texts))) for request in asked)
    if native:
        answer = rough_tokens(row.texts["output"])
        yield question_request(question_of(row.texts), language), answer


def _server(pipeline: Pipeline) -> ServerSettings:
    translator = pipeline.translator
    return translator.settings if isinstance(translator, ServerTranslator) else pipeline.config.server


def translate_sample(
    config: TranslateConfig,
    count: int,
    out: Path | str | None = None,
    *,
    translator: Translator | None = None,
    progress: Progress = silent,
) -> list[LanguageSample]:
    """Translate `count` rows, spread over the corpus, and check them. With `out`, the run that follows finds
    their responses in its cache.
    """
    folder = None if out is None else as_path(out).absolute()
    pipeline = prepared(config, translator or config.translator(folder and folder / USAGE))
    with TemporaryDirectory() as scratch, _cache(pipeline, folder, Path(scratch)) as cache:
        rows = read_rows_of(config, Path(scratch), progress)
        step = max(1, len(rows) // count)
        chosen = [row for start in range(0, step * count, step) for row in rows.take(start, start + 1)]
        with running_loop() as loop:
            return asyncio.run_coroutine_threadsafe(_translate(pipeline, chosen, cache), loop).result()


@contextmanager
def _cache(pipeline: Pipeline, out: Path | None, scratch: Path) -> Iterator[Path]:
    if out is None:
        yield pipeline.config.cache or scratch / "cache.sqlite"
        return
    inputs = {"corpus": pipeline.config.corpus}
    with (
        stage(out, "translate", settings_of(pipeline), inputs),
        cache_file(pipeline.config, out, alone=True) as path,
    ):
        yield path


async def _translate(pipeline: Pipeline, rows: list[SourceRow], cache: Path) -> list[LanguageSample]:
    samples = []
    if pipeline.quality is not None:
        await asyncio.to_thread(pipeline.quality.load)
    async with open_scheduler(pipeline.translator, cache) as scheduler:
        for language in pipeline.config.to:
            start, shard = monotonic(), Shard(pipeline, language, scheduler)
            outcomes = await translate_rows(shard, rows)
            samples.append(LanguageSample(language, outcomes, monotonic() - start, shard.counts.requested))
    return samples
