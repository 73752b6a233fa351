"""What a run would take, before anything is asked: rows, characters, tokens, cost and time by language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossin.servers import price, rough_tokens
from crossin.translation.cutting import cut
from crossin.translation.engines.openai import OpenAITranslator
from crossin.translation.rows import SourceRows
from crossin.translation.shard import Setup, ways
from crossin.translation.task_bound import bound

_AT_ONCE = 1000


@dataclass
class LanguageOutline:
    """One language's part. Tokens are rough (four bytes of UTF-8 each), and a translation is taken to be as
    long as its source in bytes; what is asked again comes on top. `cost` is None without prices, `minutes`
    without limits a minute.
    """

    language: str
    rows: int = 0
    asks: int = 0
    characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    minutes: float | None = None


@dataclass
class Outline:
    """The parts by language, and how many rows are bound to their language, by reason."""

    rows: int
    bound: dict[str, int] = field(default_factory=dict)
    languages: list[LanguageOutline] = field(default_factory=list)


def outline(
    rows: SourceRows,
    setup: Setup,
    targets: list[str],
    *,
    prices: tuple[float, float] | None = None,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
) -> Outline:
    """Cut every row as a run would, and count."""
    found = Outline(len(rows), languages=[LanguageOutline(target) for target in targets])
    by, attempt = ways(setup.engine)[0]
    for start in range(0, len(rows), _AT_ONCE):
        for row in rows.take(start, start + _AT_ONCE):
            texts: Mapping[str, str] = row.texts
            reason = bound(texts["instruction"], texts["input"], texts["output"], setup.source)
            if reason:
                found.bound[reason] = found.bound.get(reason, 0) + 1
                if setup.task_bound != "instruction":
                    continue
                texts = {"instruction": texts["instruction"]}
            for part in found.languages:
                asks = cut(
                    texts, setup.source, part.language, by, attempt, setup.glossary.get(part.language, {})
                ).asks
                part.rows += 1
                part.asks += len(asks)
                for ask in asks:
                    size = sum(map(rough_tokens, ask.texts))
                    part.characters += sum(map(len, ask.texts))
                    engine = setup.engine
                    part.prompt_tokens += (
                        engine.tokens(ask)[0] if isinstance(engine, OpenAITranslator) else size
                    )
                    part.completion_tokens += size
    for part in found.languages:
        part.cost = price(part.prompt_tokens, part.completion_tokens, prices)
        minutes = [
            part.asks / requests_per_minute if requests_per_minute else 0.0,
            (part.prompt_tokens + part.completion_tokens) / tokens_per_minute if tokens_per_minute else 0.0,
        ]
        part.minutes = max(minutes) or None
    return found


def as_dict(outline: Outline) -> dict[str, Any]:
    """An outline as a JSON value."""
    return {
        "rows": outline.rows,
        "bound": outline.bound,
        "languages": [vars(part) for part in outline.languages],
    }
