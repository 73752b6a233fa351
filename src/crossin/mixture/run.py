"""The compose stage: a recipe and a data folder in, a mixture folder out; or its dry run, without writing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.cluster import Runner, run_on_cluster
from crossin.core.coercion import listed
from crossin.core.errors import CrossinError, located
from crossin.core.examples import folder_of, is_example, named_file
from crossin.core.files import read_json, read_parquet, write_json, write_parquet, write_text
from crossin.core.formats import DATA_FOLDER, REJECTS
from crossin.core.inputs import input_hash
from crossin.core.paths import as_path, is_path
from crossin.core.progress import Progress, silent
from crossin.core.results import Tabular
from crossin.core.skipping import MOST_SKIPPED
from crossin.core.stages import Stage, stage
from crossin.corpus.faults import refuse_faults, rejects
from crossin.corpus.spec import CorpusSpec, Source
from crossin.mixture.data_card import card
from crossin.mixture.job import (
    MixtureJob,
    check_sources,
    counts_of,
    inputs_of,
    languages_of,
    make_job,
    skipped_of,
    specs_of,
)
from crossin.mixture.recipe import Recipe, as_yaml, read_recipe
from crossin.mixture.rendering import render
from crossin.mixture.shards import check_shard, shard_name, write_shard
from crossin.mixture.sizes import check_sizes
from crossin.mixture.tokens import token_counter

# Each thread holds a shard in memory.
_MOST_THREADS = 4
# Rows of a direction whose tokens a dry run counts.
_SAMPLED = 200


@dataclass(frozen=True, repr=False)
class MixturePreview(Tabular):
    """A mixture that was not written.

    lines: `component`, `kind`, `lang_in`, `lang_out`, `rows`, `tokens` (of prompt and completion, measured on
        up to 200 rows a line).
    samples: rendered rows. skipped: the number of rows left out, by reason code.
    """

    recipe: Recipe
    lines: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    counts: dict[str, Any]
    skipped: dict[str, int]
    notes: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"MixturePreview({self.recipe.name!r}, {self.counts['rows']:,} rows)"

    def to_arrow(self) -> pa.Table:
        """The `lines`, a row for each component and direction."""
        return pa.Table.from_pylist(self.lines)


def compose(
    recipe: Recipe | Mapping[str, Any] | Path | str,
    data: Path | str | None,
    out: Path | str,
    *,
    languages: Sequence[str] | str | None = None,
    seed: int | None = None,
    files: Mapping[str, str] | None = None,
    strict: bool = False,
    check_language: bool = True,
    max_skipped: float | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
    rank: int = 0,
    world_size: int = 1,
    runner: Runner = "local",
    progress: Progress = silent,
) -> Stage:
    """Compose the mixture of a recipe in the folder `out`.

    recipe: the recipe, its entries, its file, an example's name (`crossin examples`), or the manifest of a
    mixture. data: the folder that the recipe's paths are relative to; None for the folder of its file, and
    for an example the working directory. languages, seed, max_skipped, chat_template_kwargs: in place of the
    recipe's. changes: any other entries in place of the recipe's; a key with dots leads inside of mappings
    and lists, as in `components.x2x.rows`. files: by corpus, a file in the pivot language in place of the
    corpus. strict: rows that fail the join or the alignment check are an error, also where they were left out
    of a mixture that is finished. check_language: a corpus whose rows are mostly in another language than it
    says is an error. rank, world_size: write only every `world_size`-th shard, from number `rank`; the
    process that finds all shards finishes the mixture. runner: `ray` writes the shards as tasks of a Ray
    cluster that shares the folder.

    The same recipe, data and seed give the same bytes, for any number of ranks and any runner. A run that was
    interrupted resumes with the missing shards.
    """
    if runner not in get_args(Runner):
        raise CrossinError(f"unknown runner '{runner}'", field="runner", hint="use local, or ray")
    manifest = as_path(recipe) if is_path(recipe) and as_path(recipe).suffix == ".json" else None
    recipe, data = resolve(
        recipe,
        data,
        languages=languages,
        seed=seed,
        files=files,
        check_language=check_language,
        max_skipped=max_skipped,
        chat_template_kwargs=chat_template_kwargs,
        changes=changes,
    )
    inputs = inputs_of(recipe, data)
    if manifest:
        _check_inputs(manifest, inputs)
    with stage(out, "compose", settings_of(recipe), inputs, rank=rank, world_size=world_size) as work:
        if work.done and strict:
            _refuse_finished(work.folder)
        if not work.done:
            job = make_job(recipe, data, work.scratch, strict=strict, progress=progress)
            numbers = range(rank, job.shards, world_size)
            missing = [number for number in numbers if not check_shard(job, work.folder, number)]
            _write_shards(job, work.folder, missing, runner, progress)
            if all(check_shard(job, work.folder, number) for number in range(job.shards)):
                _finish(work, job)
    return work


def preview(
    recipe: Recipe | Mapping[str, Any] | Path | str,
    data: Path | str | None = None,
    *,
    languages: Sequence[str] | str | None = None,
    seed: int | None = None,
    files: Mapping[str, str] | None = None,
    strict: bool = False,
    check_language: bool = True,
    max_skipped: float | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
    samples: int = 10,
    progress: Progress = silent,
) -> MixturePreview:
    """Read and check the corpora and plan the mixture; arguments as in `compose`. Nothing is written."""
    recipe, data = resolve(
        recipe,
        data,
        languages=languages,
        seed=seed,
        files=files,
        check_language=check_language,
        max_skipped=max_skipped,
        chat_template_kwargs=chat_template_kwargs,
        changes=changes,
    )
    with tempfile.TemporaryDirectory(prefix="crossin-") as work:
        job = make_job(recipe, data, Path(work), strict=strict, progress=progress)
        return MixturePreview(
            recipe, _lines(job), _samples(job, samples), counts_of(job), skipped_of(job), job.notes
        )


def resolve(
    recipe: Recipe | Mapping[str, Any] | Path | str,
    data: Path | str | None,
    *,
    languages: Sequence[str] | str | None = None,
    seed: int | None = None,
    files: Mapping[str, str] | None = None,
    check_language: bool = True,
    max_skipped: float | None = None,
    chat_template_kwargs: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> tuple[Recipe, Path]:
    """The recipe with its languages and the caller's choices, and the folder that its paths are relative to;
    arguments as in `compose`.
    """
    choices = {
        "languages": listed(languages) if languages else None,
        "seed": seed,
        "max_skipped": max_skipped,
        "chat_template_kwargs": chat_template_kwargs,
    }
    given = {key: value for key, value in choices.items() if value is not None}
    found = read_recipe(recipe, {**(changes or {}), **given})
    file = named_file("compose", recipe) if is_path(recipe) else None
    if data is None:
        if file is None:
            raise CrossinError("a recipe without a file needs the folder of its data", hint="give `data`")
        data = folder_of(file)
    data = as_path(data)
    if not data.is_dir():
        raise CrossinError("not a folder", file=data, hint="give the folder of the corpora with --data")
    replaced = {name: _with_file(found, name, file) for name, file in (files or {}).items()}
    corpora = found.corpora | replaced
    if not check_language:
        unchecked = {"check_language": False}
        corpora = {name: spec.model_copy(update=unchecked) for name, spec in corpora.items()}
    found = found.model_copy(update={"corpora": corpora})
    with located(file):
        check_sizes(found)
        all_languages = languages_of(found, specs_of(found, data))
    found = found.model_copy(update={"languages": all_languages})
    source = "correct the names in the recipe"
    if file is not None and is_example(file):
        source = f"read where to get them: crossin examples compose/{file.stem}"
    check_sources(found, data, f"give the folder that holds the recipe's files with --data, or {source}")
    return found, data


def _with_file(recipe: Recipe, name: str, file: str) -> CorpusSpec:
    """The corpus of a recipe with one file, in the pivot language, in place of its sources."""
    used = {component.corpus for component in recipe.components}
    if name not in used:
        raise CrossinError(
            f"no component of the recipe '{recipe.name}' draws from a corpus '{name}'",
            hint=f"use one of: {', '.join(sorted(used))}",
        )
    files = {recipe.pivot: Source(path=file)}
    if name in recipe.corpora:
        return recipe.corpora[name].model_copy(update={"files": files, "source": None})
    return CorpusSpec(files=files)


def _check_inputs(manifest: Path, inputs: Mapping[str, Path]) -> None:
    """Refuse to compose a mixture again from files that have changed."""
    for name, expected in read_json(manifest).get("inputs", {}).items():
        if name in inputs and input_hash(inputs[name]) != expected:
            raise CrossinError(
                f"the input '{name}' has changed since the mixture was composed",
                file=manifest,
                hint=f"give the earlier files with --data, or compose {manifest.parent / 'recipe.yaml'}",
            )


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """The recipe as a manifest holds it; later entries are in it only where they are not the default."""
    settings = recipe.model_dump(mode="json")
    if recipe.max_skipped == MOST_SKIPPED:
        del settings["max_skipped"]
    if not recipe.chat_template_kwargs:
        del settings["chat_template_kwargs"]
    if recipe.place == "first":
        del settings["place"]
    for component in settings["components"]:
        if component["turns"] == "all":
            del component["turns"]
    return settings


def _refuse_finished(out: Path) -> None:
    """The error of `strict` for a finished mixture, as its first run would have raised it."""
    table = read_parquet(out / REJECTS, ["corpus", "id", "reason", "detail"])
    for name in table["corpus"].unique().to_pylist():
        refuse_faults(name, table.filter(pc.equal(table["corpus"], name)))


def _write_shards(
    job: MixtureJob, out: Path, numbers: Sequence[int], runner: Runner, progress: Progress
) -> None:
    """Write the shards with these numbers."""
    size = job.recipe.shard_rows
    total = sum(min(size, len(job.plan) - number * size) for number in numbers)
    done = 0

    def report(rows: int) -> None:
        nonlocal done
        done += rows
        progress("composing the mixture", done, total, "rows")

    if runner == "ray":
        # On every machine the same folder.
        folder = out.absolute()
        run_on_cluster(job, lambda job, number: write_shard(job, folder, number), numbers, report)
        return
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as threads:
        for rows in threads.map(lambda number: write_shard(job, out, number), numbers):
            report(rows)


def _finish(work: Stage, job: MixtureJob) -> None:
    """Write the files beside the shards, and the manifest."""
    out, recipe = work.folder, job.recipe
    counts = counts_of(job)
    shards = [f"{DATA_FOLDER}/{shard_name(recipe, number)}" for number in range(job.shards)]
    write_text(out / "recipe.yaml", as_yaml(recipe))
    write_text(out / "README.md", card(job, counts))
    # LLaMA-Factory reads this file; Axolotl, TRL and `datasets` read the card.
    write_json(out / "dataset_info.json", _llama_factory(recipe))
    left_out = pa.concat_tables([rejects(corpus) for corpus in job.corpora.values()])
    write_parquet(out / REJECTS, left_out.combine_chunks())
    work.finish(
        [*shards, "recipe.yaml", "README.md", "dataset_info.json", REJECTS],
        {**counts, "notes": job.notes},
        skipped_of(job),
    )


def _llama_factory(recipe: Recipe) -> dict[str, object]:
    """The entry of the mixture. LLaMA-Factory passes a `script_url` to `datasets` as a folder, card included;
    of a folder as `file_name` it would read the files in the order of the file system.
    """
    if recipe.format != "messages":
        return {"mixture": {"script_url": ".", "columns": {"prompt": "prompt", "response": "completion"}}}
    tags = {f"{name}_tag": name for name in ("role", "content", "user", "assistant")}
    columns = {"messages": "messages"}
    return {"mixture": {"script_url": ".", "formatting": "sharegpt", "columns": columns, "tags": tags}}


def _lines(job: MixtureJob) -> list[dict[str, Any]]:
    """A line for each component and direction."""
    kinds = {name: component.kind for name, component in job.recipe.named()}
    count = token_counter(job.recipe.tokenizer)
    lines = []
    for name, language_in, language_out, places in job.plan.directions():
        table = render(job.style, job.plan.take(places[:_SAMPLED]), job.corpora)
        tokens = sum(count(table[side].combine_chunks()).sum() for side in ("prompt", "completion"))
        lines.append(
            {
                "component": name,
                "kind": kinds[name],
                "lang_in": language_in,
                "lang_out": language_out,
                "rows": len(places),
                "tokens": round(float(tokens) / len(table) * len(places)),
            }
        )
    return lines


def _samples(job: MixtureJob, wanted: int) -> list[dict[str, Any]]:
    """Rows from all components in turn, in the order of training."""
    turns = np.empty(len(job.plan), dtype=np.int64)
    for number in range(len(job.plan.components)):
        mine = np.flatnonzero(job.plan.component == number)
        turns[mine] = np.arange(len(mine))
    chosen = np.sort(np.lexsort((job.plan.component, turns))[:wanted])
    rows: list[dict[str, Any]] = render(job.style, job.plan.take(chosen), job.corpora).to_pylist()
    return rows
