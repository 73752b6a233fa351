"""Looking before a run: an estimate that sends nothing, and a sample of translations."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from crossin.core.formats import USAGE
from crossin.core.progress import Progress, silent
from crossin.core.stages import stage
from crossin.servers import rough_tokens, running_loop
from crossin.translation.config import TranslateConfig
from crossin.translation.language_specific import language_specific_reason
from crossin.translation.requests import Translator
from crossin.translation.rows import SourceRow
from crossin.translation.run import cache_file, prepared, read_rows_of, settings_of
from crossin.translation.scheduler import open_scheduler
from crossin.translation.shards import Outcome, Pipeline, Shard, translate_rows, ways
from crossin.translation.splitting import split_row
from crossin.translation.translators.openai import OpenAITranslator

_READ_AT_ONCE = 1000


@dataclass
class LanguageEstimate:
    """What one language takes. Tokens are rough (four bytes of UTF-8 each), and a translation is taken to be
    as long as its source in bytes; repeated requests come on top. cost: None without prices. minutes: None
    without limits a minute.
    """

    language: str
    rows: int = 0
    requests: int = 0
    characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    minutes: float | None = None


@dataclass
class RunEstimate:
    """What a run takes by language. language_specific, skipped: rows that are left out, by reason."""

    rows: int
    languages: list[LanguageEstimate]
    language_specific: Counter[str] = field(default_factory=Counter)
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
    config: TranslateConfig, *, translator: Translator | None = None, progress: Progress = silent
) -> RunEstimate:
    """Split every row as a run would, and count; nothing is sent or written."""
    pipeline = prepared(config, translator or config.translator())
    with TemporaryDirectory() as scratch:
        rows = read_rows_of(config, Path(scratch), progress)
        languages = [LanguageEstimate(code) for code in config.to]
        found = RunEstimate(len(rows), languages, skipped=rows.skipped, notes=rows.notes)
        for start in range(0, len(rows), _READ_AT_ONCE):
            for row in rows.take(start, start + _READ_AT_ONCE):
                _add(found, row, pipeline)
    server = config.server
    for part in found.languages:
        part.cost = server.cost(part.prompt_tokens, part.completion_tokens)
        tokens = part.prompt_tokens + part.completion_tokens
        minutes = [
            part.requests / server.requests_per_minute if server.requests_per_minute else 0.0,
            tokens / server.tokens_per_minute if server.tokens_per_minute else 0.0,
        ]
        part.minutes = max(minutes) or None
    return found


def _add(found: RunEstimate, row: SourceRow, pipeline: Pipeline) -> None:
    config, translator = pipeline.config, pipeline.translator
    by, attempt = ways(translator)[0]
    texts: Mapping[str, str] = row.texts
    reason = language_specific_reason(texts, config.source)
    if reason is not None:
        found.language_specific[reason.value] += 1
        if config.language_specific != "instruction":
            return
        texts = {"instruction": texts["instruction"]}
    for part in found.languages:
        glossary = pipeline.glossary.get(part.language, {})
        requests = split_row(texts, config.source, part.language, by, attempt, glossary).requests
        part.rows += 1
        part.requests += len(requests)
        for request in requests:
            part.characters += sum(map(len, request.texts))
            size = sum(map(rough_tokens, request.texts))
            part.prompt_tokens += (
                translator.tokens(request)[0] if isinstance(translator, OpenAITranslator) else size
            )
            part.completion_tokens += size


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
    folder = None if out is None else Path(out).absolute()
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
    async with open_scheduler(pipeline.translator, cache) as scheduler:
        for language in pipeline.config.to:
            start, shard = monotonic(), Shard(pipeline, language, scheduler)
            outcomes = await translate_rows(shard, rows)
            samples.append(LanguageSample(language, outcomes, monotonic() - start, shard.counts.requested))
    return samples
