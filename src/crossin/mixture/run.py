"""The compose stage: a recipe and a data folder in, a mixture folder out."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, write_json, write_parquet, write_text
from crossin.core.formats import DATA_FOLDER, REJECTS
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin, input_hash
from crossin.corpus.spec import CorpusSpec
from crossin.mixture.data_card import card
from crossin.mixture.job import Job, counts_of, inputs_of, languages_of, make_job, skipped_of, specs_of
from crossin.mixture.recipe import Recipe, as_yaml, read_recipe, validated
from crossin.mixture.shards import check_shard, shard_name, write_shard

# Each thread holds a shard in memory.
_MOST_THREADS = 4
_REJECT_COLUMNS = ("corpus", "id", "reason", "detail")
Engine = Literal["local", "ray"]


def compose(
    recipe: Recipe | Path | str,
    data: Path | str | None,
    out: Path | str,
    *,
    languages: list[str] | None = None,
    seed: int | None = None,
    files: Mapping[str, str] | None = None,
    strict: bool = False,
    rank: int = 0,
    world_size: int = 1,
    engine: Engine = "local",
    progress: Progress = silent,
) -> Stage:
    """Make the mixture of a recipe (or of a recipe's file, or a mixture's manifest) in the folder `out`.

    data: the folder that the recipe's paths start from; that of the recipe's file where not given. languages,
    seed: in place of the recipe's. files: by corpus, a file in the pivot language in place of the corpus.
    strict: rows that fail the join or the alignment check are an error. rank,
    world_size: make only every `world_size`-th shard, beginning with number `rank`; whoever finds all shards
    there finishes the mixture. engine: `ray` spreads the shards over a Ray cluster that shares the folder.

    The same recipe, data and seed give the same bytes, whatever the number of ranks and the engine. A run
    that was stopped goes on with the shards that are missing.
    """
    if engine not in get_args(Engine):
        raise CrossinError(f"there is no engine '{engine}'", hint="use local, or ray")
    if not 0 <= rank < world_size:
        raise CrossinError(
            f"there is no rank {rank} of {world_size}", hint="ranks go from 0 to world size - 1"
        )
    manifest = None if isinstance(recipe, Recipe) or Path(recipe).suffix != ".json" else Path(recipe)
    recipe, data = resolved(recipe, data, languages=languages, seed=seed, files=files)
    out = Path(out)
    inputs = inputs_of(recipe, data)
    if manifest:
        _check_inputs(manifest, inputs)
    stage = begin(out, "compose", recipe.model_dump(mode="json"), inputs, shared=world_size > 1)
    if stage.done:
        return stage
    work = out / ".work" / f"rank-{rank}"
    try:
        job = make_job(recipe, data, work, strict=strict, progress=progress)
        _write_shards(job, out, rank, world_size, engine, progress)
        if all(check_shard(job, out, number) for number in range(job.shards)):
            _finish(stage, job)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        with contextlib.suppress(OSError):
            work.parent.rmdir()
        if not stage.done and not (out / DATA_FOLDER).exists():
            # Bad input, most likely: once it is mended, the folder is free for it.
            stage.release()
    return stage


def resolved(
    recipe: Recipe | Path | str,
    data: Path | str | None,
    *,
    languages: list[str] | None = None,
    seed: int | None = None,
    files: Mapping[str, str] | None = None,
) -> tuple[Recipe, Path]:
    """The recipe with what the caller decides put in, and the folder that its paths start from."""
    if not isinstance(recipe, Recipe):
        path = Path(recipe)
        recipe, data = read_recipe(path), path.parent if data is None else data
    if data is None:
        raise CrossinError("a recipe without a file needs the folder of its data", hint="give `data`")
    if not Path(data).is_dir():
        raise CrossinError("is no folder", file=data, hint="give the folder of the corpora with --data")
    changes = {"languages": languages, "seed": seed}
    entries = recipe.model_dump(exclude_unset=True)
    entries |= {key: value for key, value in changes.items() if value is not None}
    recipe = validated(entries)
    recipe = recipe.model_copy(update={"corpora": recipe.corpora | _replaced(recipe, files or {})})
    specs = specs_of(recipe, Path(data))
    return recipe.model_copy(update={"languages": languages_of(recipe, specs)}), Path(data)


def _check_inputs(manifest: Path, inputs: Mapping[str, Path]) -> None:
    """A mixture that is made again from its manifest must come from the same files."""
    for name, expected in read_json(manifest).get("inputs", {}).items():
        if name in inputs and input_hash(inputs[name]) != expected:
            raise CrossinError(
                f"the input '{name}' is not the file that it was",
                file=manifest,
                hint=f"give the files of then with --data, or compose {manifest.parent / 'recipe.yaml'} anew",
            )


def _replaced(recipe: Recipe, files: Mapping[str, str]) -> dict[str, CorpusSpec]:
    """The corpora of which the caller gives another file."""
    replaced = {}
    for name, path in files.items():
        if name not in {component.corpus for component in recipe.components}:
            raise CrossinError(
                f"no component of the recipe '{recipe.name}' draws from a corpus '{name}'",
                hint=f"use one of: {', '.join(sorted({one.corpus for one in recipe.components}))}",
            )
        entries = recipe.corpora[name].model_dump(exclude_unset=True) if name in recipe.corpora else {}
        entries |= {"files": {recipe.pivot: {"path": path}}, "source": None}
        replaced[name] = CorpusSpec.model_validate(entries)
    return replaced


def _write_shards(
    job: Job, out: Path, rank: int, world_size: int, engine: Engine, progress: Progress
) -> None:
    """Write the shards of this rank that are not there yet."""
    missing = [number for number in range(rank, job.shards, world_size) if not check_shard(job, out, number)]
    if engine == "ray":
        from crossin.mixture.cluster import write_on_cluster

        write_on_cluster(job, out, missing, progress)
        return
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as threads:
        done = 0
        for rows in threads.map(lambda number: write_shard(job, out, number), missing):
            done += rows
            progress("composing the mixture", done, max(done, len(job.plan) // world_size), "rows")


def _finish(stage: Stage, job: Job) -> None:
    """Write what stands beside the shards, and the manifest."""
    out, recipe = stage.folder, job.recipe
    counts, skipped = counts_of(job), skipped_of(job)
    shards = [f"{DATA_FOLDER}/{shard_name(recipe, number)}" for number in range(job.shards)]
    write_text(out / "recipe.yaml", as_yaml(recipe))
    write_text(out / "README.md", card(job, counts, skipped))
    # What LLaMA-Factory asks of a dataset folder; Axolotl, TRL and `datasets` read the card.
    write_json(out / "dataset_info.json", _llama_factory(recipe))
    write_parquet(out / REJECTS, _rejects(job))
    stage.finish(
        [*shards, "recipe.yaml", "README.md", "dataset_info.json", REJECTS],
        {**counts, "notes": job.notes},
        skipped,
    )


def _rejects(job: Job) -> pa.Table:
    """Every row that was kept out: corpus, id, reason, and a detail where there is one."""
    tables = [pa.table({name: pa.array([], pa.large_string()) for name in _REJECT_COLUMNS})]
    for name, prepared in job.prepared.items():
        corpus = prepared.corpus
        rows = np.flatnonzero(~corpus.kept)
        columns = (
            pa.repeat(name, len(rows)),
            corpus.ids.take(pa.array(rows)),
            pa.array(corpus.reasons, pa.string()).take(pa.array(corpus.fate[rows] - 1)),
            pa.array([prepared.details.get(row, "") for row in rows.tolist()], pa.string()),
        )
        named = dict(
            zip(_REJECT_COLUMNS, (column.cast(pa.large_string()) for column in columns), strict=True)
        )
        tables.append(pa.table(named))
    return pa.concat_tables(tables).combine_chunks()


def _llama_factory(recipe: Recipe) -> dict[str, object]:
    """A `script_url` is what LLaMA-Factory gives to `datasets` as a folder, card and all: a `file_name` that
    is a folder, it would read in the order in which the file system lists its files.
    """
    if recipe.format == "messages":
        tags = {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
        }
        return {
            "mixture": {
                "script_url": ".",
                "formatting": "sharegpt",
                "columns": {"messages": "messages"},
                "tags": tags,
            }
        }
    return {"mixture": {"script_url": ".", "columns": {"prompt": "prompt", "response": "completion"}}}
