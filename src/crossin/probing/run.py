"""The probing stage: a model and parallel sentences in, figures of every layer out."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import write_json, write_parquet, write_text
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin
from crossin.probing.figures import Figure, chance, layer_figures, resamples
from crossin.probing.parallel import Parallel, read_parallel
from crossin.probing.states import POOLINGS, layers_of, pooled_states, read_layer, write_states

FIGURES = "probe.json"
LONG = "probe.parquet"
PAGE = "probe.html"
LIMIT = 200
DRAWS = 1_000
# What a stopped run goes on from; gone when it has finished.
_STATES = "states"


def probe(
    model: Path,
    parallel: Path,
    out: Path,
    *,
    name: str,
    adapter: Path | None = None,
    languages: Sequence[str] | None = None,
    pivot: str | None = None,
    limit: int | None = LIMIT,
    all_pairs: bool = False,
    device: str = "auto",
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress = silent,
) -> Stage:
    """How near the languages of the sentences in `parallel` lie in each layer of the model in the folder
    `model`, with the adapter in the folder `adapter` (a training stage's, or PEFT's own) in its weights.

    `languages`, `limit` and the forms of `parallel` are those of `read_parallel`. Each language is held
    against `pivot` (English if not given, or else the first), with `all_pairs` against every other too.
    `name` is what the page calls the model. Writes `probe.json`, `probe.parquet` and, where plotly is
    installed, `probe.html` (docs/probe.md). The states of a language are kept until all are done, so that a
    stopped run goes on; one language's are in memory at a time.
    """
    sentences = read_parallel(parallel, languages=languages, limit=limit)
    spoken = list(sentences.texts)
    against = pivot_of(spoken, pivot)
    inputs = {"model": model} | ({"adapter": adapter} if adapter else {})
    inputs |= {f"parallel/{key}": file for key, file in sentences.files.items()}
    settings = {
        "name": name,
        "languages": spoken,
        "pivot": against,
        "limit": limit,
        "all_pairs": all_pairs,
        "device": device,
        "draws": draws,
        "seed": seed,
    }
    stage = begin(out, "probe", settings, inputs)
    if stage.done:
        return stage
    files = {language: out / _STATES / f"{language}.safetensors" for language in spoken}
    if not all(file.exists() for file in files.values()):
        try:
            _write_all_states(model, adapter, device, sentences, files, progress)
        except CrossinError:
            if not (out / _STATES).exists():
                stage.release()
            raise
    weights = resamples(len(sentences.ids), draws, seed)
    layers = layers_of(files[against])
    figures: list[Figure] = []
    for layer in range(layers):
        for pooling in POOLINGS:
            states = {language: read_layer(file, pooling, layer) for language, file in files.items()}
            figures += layer_figures(layer, pooling, states, against, weights, all_pairs=all_pairs)
        progress("measuring", layer + 1, layers, "layers")
    told = {
        "name": name,
        "sentences": len(sentences.ids),
        "layers": layers,
        "languages": spoken,
        "pivot": against,
        "chance": chance(len(sentences.ids)),
        "figures": by_pair(figures),
    }
    write_json(out / FIGURES, told)
    _write_long(out / LONG, figures)
    outputs, skipped = [FIGURES, LONG], dict(sentences.skipped)
    try:
        require("report", "plotly")
    except CrossinError as error:
        skipped[f"page: {error}"] = 1
    else:
        from crossin.probing.charts import page

        write_text(out / PAGE, page(told))
        outputs.append(PAGE)
    stage.finish(
        outputs, {"sentences": len(sentences.ids), "languages": len(spoken), "layers": layers}, skipped
    )
    shutil.rmtree(out / _STATES, ignore_errors=True)
    return stage


def pivot_of(languages: Sequence[str], pivot: str | None) -> str:
    """The language that the others are held against: `pivot`, else English, else the first."""
    if pivot is None:
        return "en" if "en" in languages else languages[0]
    if pivot not in languages:
        raise CrossinError(
            f"'{pivot}' is not among the languages",
            field="--pivot",
            hint=f"choose one of {', '.join(languages)}",
        )
    return pivot


def by_pair(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """The figures as JSON values, one entry a pooling and pair of languages: for each figure its `value`,
    `low` and `high` by layer, null where undefined.
    """
    entries: dict[tuple[str, str, str], dict[str, dict[str, list[float | None]]]] = {}
    for one in figures:
        entry = entries.setdefault((one.pooling, one.language, one.other), {})
        curves = entry.setdefault(one.figure, {"value": [], "low": [], "high": []})
        for key in curves:
            curves[key].append(_number(getattr(one, key)))
    return [
        {"pooling": pooling, "language": language, "other": other, **entry}
        for (pooling, language, other), entry in entries.items()
    ]


def _write_all_states(
    model: Path,
    adapter: Path | None,
    device: str,
    sentences: Parallel,
    files: dict[str, Path],
    progress: Progress,
) -> None:
    from crossin.models.adapters import with_adapter
    from crossin.models.loading import load

    network, tokenizer = load(model, device=device)
    if adapter is not None:
        network = with_adapter(network, adapter, base=model)
    for language, file in files.items():
        if not file.exists():
            states = pooled_states(
                network,
                tokenizer,
                sentences.texts[language],
                file=sentences.files.get(language) or sentences.files["sentences"],
                task=f"reading {language}",
                progress=progress,
            )
            write_states(file, states)


def _write_long(path: Path, figures: Sequence[Figure]) -> None:
    import pyarrow

    table = pyarrow.Table.from_pylist(
        [
            {**one._asdict(), **{key: _number(getattr(one, key)) for key in ("value", "low", "high")}}
            for one in figures
        ]
    )
    write_parquet(path, table)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
