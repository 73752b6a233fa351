"""The probing stage: from a model and parallel sentences to figures of every layer."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin.core.configs import config_of
from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import write_json, write_parquet, write_text
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.languages.codes import language_name
from crossin.languages.file_language import wrong_language
from crossin.models import pull
from crossin.probing.config import ProbeConfig, ProbeReason
from crossin.probing.figures import LayerFigure, chance, layer_figures, resamples
from crossin.probing.parallel import Parallel, read_parallel
from crossin.probing.states import POOLINGS, layers_of, pooled_states, read_layer, write_states

FIGURES = "probe.json"
LONG = "probe.parquet"
PAGE = "probe.html"
# The states of each language, from which a stopped run resumes; removed once it has finished.
_STATES = "states"


def probe(
    config: ProbeConfig | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    progress: Progress = silent,
    **given: Any,
) -> Stage:
    """Measure how close the languages of parallel sentences are in each layer of a model.

    config: the settings, their entries, a YAML file, or an example's name (`crossin examples`). given:
    settings by name, in place of those of `config`: `probe("flores", out, model=…, parallel=…)`.

    Writes `probe.json`, `probe.parquet` and, where vl-convert is installed, `probe.html` (docs/probe.md) to
    `out`. Each language is compared with the pivot, and optionally with every other. The states of a language
    are saved until all figures are computed, so that a stopped run resumes; those of one language are in
    memory at a time.
    """
    config = config_of(ProbeConfig, config, given, command="probe", hint="see docs/probe.md")
    # Before the model, which may be large to download.
    sentences, pivot = _sentences(config)
    model = pull(config.model, accept_licence=config.accept_licence, progress=progress)
    languages, name = list(sentences.texts), config.name or config.model
    inputs = {"model": model, **({"adapter": config.adapter} if config.adapter else {})}
    inputs |= {f"parallel/{key}": file for key, file in sentences.files.items()}
    settings = {
        **config.model_dump(include={"limit", "all_pairs", "device", "draws", "seed"}),
        "name": name,
        "languages": languages,
        "pivot": pivot,
    }
    with stage(out, "probe", settings, inputs) as work:
        if work.done:
            return work
        files = {language: work.folder / _STATES / f"{language}.safetensors" for language in languages}
        _save_states(model, config, sentences, files, progress)
        figures = _figures(files, pivot, len(sentences.ids), config, progress)
        counts = {
            "sentences": len(sentences.ids),
            "languages": len(languages),
            "layers": layers_of(files[pivot]),
        }
        values = {
            **counts,
            "name": name,
            "languages": languages,
            "pivot": pivot,
            "chance": chance(len(sentences.ids)),
            "figures": by_pair(figures),
        }
        write_json(work.folder / FIGURES, values)
        _write_long(work.folder / LONG, figures)
        outputs, skipped = [FIGURES, LONG], dict(sentences.skipped)
        if _write_page(work.folder / PAGE, values):
            outputs.append(PAGE)
        else:
            skipped[ProbeReason.NO_PLOTS] = 1
        notes = {"notes": sentences.notes} if sentences.notes else {}
        work.finish(outputs, {**counts, **notes}, skipped)
        shutil.rmtree(work.folder / _STATES, ignore_errors=True)
    return work


def preview(config: ProbeConfig) -> dict[str, Any]:
    """What `probe` would read, as JSON values."""
    sentences, pivot = _sentences(config)
    return {
        "model": config.model,
        "sentences": len(sentences.ids),
        "languages": list(sentences.texts),
        "pivot": pivot,
        "skipped": sentences.skipped,
        "notes": sentences.notes,
    }


def by_pair(figures: Sequence[LayerFigure]) -> list[dict[str, Any]]:
    """The figures as JSON values, one entry for each pooling and pair of languages: for each figure its
    `value`, `low` and `high` by layer, null where undefined.
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


def _sentences(config: ProbeConfig) -> tuple[Parallel, str]:
    """The sentences, and the pivot: the one given, else English, else the first language."""
    sentences = read_parallel(config.parallel, languages=config.languages, limit=config.limit)
    languages = list(sentences.texts)
    for language, texts in sentences.texts.items() if config.check_language else ():
        if wrong := wrong_language(texts, language):
            raise CrossinError(
                f"the sentences are not in {language_name(language)}: {wrong}",
                file=sentences.files.get(language, sentences.files.get("sentences")),
                field="parallel",
                hint="name the language that they are in, or skip this check with --no-check-language",
            )
    if config.pivot is None:
        return sentences, "en" if "en" in languages else languages[0]
    if config.pivot not in languages:
        raise CrossinError(
            f"'{config.pivot}' is not among the languages",
            field="pivot",
            hint=f"choose one of {', '.join(languages)}",
        )
    return sentences, config.pivot


def _save_states(
    model: Path, config: ProbeConfig, sentences: Parallel, files: Mapping[str, Path], progress: Progress
) -> None:
    """Write the states of every language that has none yet."""
    missing = [language for language, file in files.items() if not file.exists()]
    if not missing:
        return
    from crossin.models.adapters import with_adapter
    from crossin.models.loading import load

    network, tokenizer = load(model, device=config.device)
    if config.adapter is not None:
        network = with_adapter(network, config.adapter, base=model)
    for language in missing:
        states = pooled_states(
            network,
            tokenizer,
            sentences.texts[language],
            file=sentences.files.get(language) or sentences.files["sentences"],
            task=f"reading {language}",
            progress=progress,
        )
        write_states(files[language], states)


def _figures(
    files: Mapping[str, Path], pivot: str, sentences: int, config: ProbeConfig, progress: Progress
) -> list[LayerFigure]:
    weights = resamples(sentences, config.draws, config.seed)
    layers = layers_of(files[pivot])
    figures: list[LayerFigure] = []
    for layer in range(layers):
        for pooling in POOLINGS:
            states = {language: read_layer(file, pooling, layer) for language, file in files.items()}
            figures += layer_figures(layer, pooling, states, pivot, weights, all_pairs=config.all_pairs)
        progress("measuring", layer + 1, layers, "layers")
    return figures


def _write_long(path: Path, figures: Sequence[LayerFigure]) -> None:
    import pyarrow

    rows = [
        {**one._asdict(), **{key: _number(getattr(one, key)) for key in ("value", "low", "high")}}
        for one in figures
    ]
    write_parquet(path, pyarrow.Table.from_pylist(rows))


def _write_page(path: Path, values: dict[str, Any]) -> bool:
    """Write the page; False where vl-convert is not installed."""
    try:
        require("report", "vl_convert")
    except CrossinError:
        return False
    from crossin.probing.charts import page

    write_text(path, page({values["name"]: values}))
    return True


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
