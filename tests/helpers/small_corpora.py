"""Small parallel corpora on disk: row k of corpus c in language x says so in each of its fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crossin.mixture import Recipe

LANGUAGES = ("en", "zh", "vi", "es")


def row(number: int, language: str, corpus: str = "alpaca", **changes: Any) -> dict[str, Any]:
    """One row; every third has an input."""
    given = f"{corpus} input {number} in {language}" if number % 3 == 0 else ""
    made = {
        "id": number,
        "instruction": f"{corpus} instruction {number} in {language}",
        "input": given,
        "output": f"{corpus} output {number} in {language}",
    }
    return made | changes


def write_corpus(
    folder: Path,
    rows: int | Mapping[str, Iterable[int]],
    corpus: str = "alpaca",
    languages: Iterable[str] = LANGUAGES,
) -> Path:
    """Write `<corpus>_<language>.json` for each language: `rows` rows, or those with the numbers given."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {language: range(rows) for language in languages} if isinstance(rows, int) else rows
    for language, chosen in numbers.items():
        lines = [row(number, language, corpus) for number in chosen]
        (folder / f"{corpus}_{language}.json").write_text(json.dumps(lines), encoding="utf-8")
    return folder


def corpus_entry(corpus: str = "alpaca", languages: Iterable[str] = LANGUAGES, **more: Any) -> dict[str, Any]:
    """What a recipe says of a corpus that `write_corpus` wrote."""
    return {
        "files": {language: f"{corpus}_{language}.json" for language in languages},
        "check": "none",
        **more,
    }


def recipe_of(*components: dict[str, Any], **more: Any) -> Recipe:
    """A recipe over the corpus `alpaca`, or those in `more`."""
    made = [{"corpus": "alpaca", **component} for component in components]
    return Recipe.model_validate(
        {"name": "test", "corpora": {"alpaca": corpus_entry()}, "components": made, **more}
    )
