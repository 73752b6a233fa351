"""Where the rows of a mixture come from: the stages that made a corpus, by their manifests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import MANIFEST
from crossin.core.reasons import sentence_of
from crossin.corpus.parallel import ParallelCorpus

# How far above a file its stage's folder may be: data/es/00000.parquet.
_LEVELS = 4


def provenance(corpora: Mapping[str, ParallelCorpus]) -> list[str]:
    """A line for each corpus and language that `crossin translate`, `teach` or `bench rows` wrote: by which
    model, and what was excluded there.
    """
    lines = []
    for name, corpus in corpora.items():
        for language, origins in corpus.origins.items():
            # A language has a file for each shard of its stage.
            folders = dict.fromkeys(_stage_of(Path(file)) for file in origins.rows_by_file())
            told = (_told(_manifest(folder), language) for folder in folders if folder)
            lines += [f"{name}, {language}: {text}" for text in told if text]
    return lines


def _stage_of(file: Path) -> Path | None:
    """The folder of the stage that wrote a file, if there is one."""
    near = [file, *file.parents][:_LEVELS]
    return next((folder for folder in near if (folder / MANIFEST).is_file()), None)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = read_json(folder / MANIFEST)
    except CrossinError:
        # Another program's file of this name.
        return {}
    return found if isinstance(found, dict) else {}


def _told(record: Mapping[str, Any], language: str) -> str:
    counts, settings = record.get("counts", {}), record.get("settings", {})
    if record.get("stage") == "rows":
        return f"{counts.get('questions', 0):,} questions of a benchmark, with their right answers"
    if record.get("stage") == "teach":
        certain = counts.get("certain", 0)
        return (
            f"a model's own answers to {counts.get('questions', 0):,} questions, {certain:,} of them certain"
        )
    if record.get("stage") != "translate":
        return ""
    source = settings.get("from")
    if language == source:
        return "the rows that were translated" + _excluded(record.get("skipped", {}))
    found, engine = counts.get("languages", {}).get(language), settings.get("engine", {})
    if found is None:
        return ""
    model = Path(str(engine.get("model", ""))).name
    made = f"{found['passed'] + found['repaired']:,} rows translated from {source}"
    made += f" by {model} (engine {engine.get('engine')}), {found['repaired']:,} of them in another attempt"
    if found["kept"]:
        made += f"; {found['kept']:,} kept as they were"
    return made + _excluded({**found["left_out"], **found["rejected"]})


def _excluded(reasons: Mapping[str, int]) -> str:
    listed = "; ".join(f"{count:,}, {sentence_of(code)}" for code, count in reasons.items() if count)
    return f". Excluded: {listed}" if listed else ""
