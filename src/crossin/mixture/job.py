"""All that is decided before the first row of a mixture is written; then any shard can be made by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, phase, silent
from crossin.corpus.parallel import ParallelCorpus
from crossin.corpus.preparation import prepare
from crossin.corpus.spec import CorpusSpec, Source
from crossin.languages.words import word_files
from crossin.mixture.planning import Plan, plan
from crossin.mixture.pools import check_languages, pools_of
from crossin.mixture.recipe import Recipe
from crossin.mixture.rendering import RowStyle, row_style
from crossin.mixture.sizes import row_counts
from crossin.mixture.templates import CHAT
from crossin.models.chat import CHAT_DATE


@dataclass(frozen=True)
class MixtureJob:
    """A mixture about to be written: its recipe, plan and corpora."""

    style: RowStyle
    plan: Plan
    corpora: Mapping[str, ParallelCorpus]

    @property
    def recipe(self) -> Recipe:
        """The recipe with its languages."""
        return self.style.recipe

    @property
    def notes(self) -> list[str]:
        """Notes on the template, and on whole files."""
        notes = [f"{name}: {note}" for name, corpus in self.corpora.items() for note in corpus.notes]
        return [*self.style.notes, *notes]

    @property
    def shards(self) -> int:
        """The number of files."""
        return -(-len(self.plan) // self.recipe.shard_rows)


def specs_of(recipe: Recipe, data: Path) -> dict[str, CorpusSpec]:
    """The corpora that the components draw from, by name; one that the recipe does not describe is the file
    `<name>.parquet` of the data folder.
    """
    specs = {}
    for number, component in enumerate(recipe.components):
        name = component.corpus
        if name in recipe.corpora:
            specs[name] = recipe.corpora[name]
        elif (data / f"{name}.parquet").is_file():
            specs[name] = CorpusSpec(source=Source(path=f"{name}.parquet"), check="none")
        else:
            there = sorted({*recipe.corpora, *(path.stem for path in data.glob("*.parquet"))})
            raise CrossinError(
                f"there is no corpus '{name}': the recipe '{recipe.name}' does not describe it, and "
                f"{data / name}.parquet does not exist",
                field=f"components.{number}.corpus",
                hint=f"describe it under `corpora`, or use one of: {', '.join(there) or '(none)'}",
            )
    return specs


def languages_of(recipe: Recipe, specs: Mapping[str, CorpusSpec]) -> list[str]:
    """The languages of the mixture: the recipe's, or all that its corpora have a file for."""
    if recipe.languages:
        return list(dict.fromkeys(recipe.languages))
    languages = list(dict.fromkeys(language for spec in specs.values() for language in spec.files))
    if not languages or any(spec.source for spec in specs.values()):
        raise CrossinError(
            "the languages of the mixture are not given",
            field="languages",
            hint=f"name them in the recipe, or with --languages {recipe.pivot},…",
        )
    return languages


def check_sources(recipe: Recipe, data: Path, hint: str) -> None:
    """Raise CrossinError where a file that the recipe names is not in the data folder, before any is read."""
    wanted: dict[str, Path] = {}
    for name, spec in specs_of(recipe, data).items():
        used = [code for code in spec.files if code in (recipe.languages or spec.files)]
        sources = {f"corpora.{name}.files.{code}": spec.files[code] for code in used}
        sources |= {f"corpora.{name}.source": spec.source} if spec.source else {}
        wanted |= {field: data / source.path for field, source in sources.items() if source.path}
    missing = {field: path for field, path in wanted.items() if not path.exists()}
    if not missing:
        return
    field, path = next(iter(missing.items()))
    others = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    near = get_close_matches(path.name, others, n=3)
    also = list(dict.fromkeys(str(one) for one in missing.values()))[1:]
    raise CrossinError(
        "there is no such file"
        + (f"; similar names: {', '.join(near)}" if near else "")
        + (f"; nor is there {', '.join(also)}" if also else ""),
        file=path,
        field=field,
        hint=hint,
    )


def inputs_of(recipe: Recipe, data: Path) -> dict[str, Path]:
    """The files that decide the mixture, by name; the recipe has its languages. Datasets of the hub are not
    files and are in the recipe.
    """
    languages = recipe.languages or []
    inputs = {"template": data / recipe.template} if (data / recipe.template).is_file() else {}
    for name, spec in specs_of(recipe, data).items():
        sources = {f"{name}/{code}": source for code, source in spec.files.items() if code in languages}
        for key, source in (sources | ({name: spec.source} if spec.source else {})).items():
            place = data / (source.path or source.dataset or "")
            if source.path or place.exists():
                inputs[key] = place
        if spec.decontaminate:
            inputs[f"{name}/bench"] = data / spec.decontaminate.bench
    return inputs | word_files(languages)


def make_job(
    recipe: Recipe, data: Path, work: Path, *, strict: bool = False, progress: Progress = silent
) -> MixtureJob:
    """Read and check the corpora, and plan the mixture. The recipe has its languages; `work` is a folder for
    the texts.

    Raises CrossinError for errors in the recipe or its corpora.
    """
    specs = specs_of(recipe, data)
    languages = list(recipe.languages or [])
    style = row_style(recipe, data)
    known = {name: list(spec.files) if spec.files else languages for name, spec in specs.items()}
    check_languages(recipe, languages, known)
    corpora = {}
    for name, spec in specs.items():
        filters = [component.filter for component in recipe.components if component.corpus == name]
        corpora[name] = prepare(
            name,
            spec,
            data,
            languages,
            recipe.pivot,
            work,
            filters=filters,
            strict=strict,
            max_skipped=recipe.max_skipped,
            several=recipe.reads_conversations(name),
            progress=progress,
        )
    _check_ids(specs, corpora)
    with phase(progress, "planning the mixture", "mixtures"):
        pools = pools_of(recipe, languages, corpora)
        counts = row_counts(pools, languages, style, corpora)
        return MixtureJob(style, plan(pools, counts, languages), corpora)


def counts_of(job: MixtureJob) -> dict[str, Any]:
    """The mixture's rows by component and direction, each corpus' rows by status, and the date that a chat
    template wrote.
    """
    components = {name: {"rows": 0} for name in job.plan.components}
    for name, language_in, language_out, places in job.plan.directions():
        components[name][f"{language_in}>{language_out}"] = len(places)
        components[name]["rows"] += len(places)
    corpora = {
        name: {
            "read": corpus.read,
            "ids": len(corpus),
            "kept": int(corpus.kept.sum()),
            "rejected": corpus.rejected(),
            "unjoined": corpus.unjoined,
        }
        for name, corpus in job.corpora.items()
    }
    dated = {"chat_date": CHAT_DATE} if job.recipe.template == CHAT else {}
    return {"rows": len(job.plan), "components": components, "corpora": corpora, **dated}


def skipped_of(job: MixtureJob) -> dict[str, int]:
    """The number of rows that were left out of all corpora, or changed, by reason code."""
    skipped = Counter[str]()
    for corpus in job.corpora.values():
        skipped.update(corpus.skipped())
        skipped.update(corpus.changed)
    return dict(sorted(skipped.items()))


def _check_ids(specs: Mapping[str, CorpusSpec], corpora: Mapping[str, ParallelCorpus]) -> None:
    """Refuse corpora that use the same ids for different rows."""
    for other, name in combinations(corpora, 2):
        same_files = (specs[name].files, specs[name].source) == (specs[other].files, specs[other].source)
        found = pc.is_in(corpora[name].ids, value_set=corpora[other].ids)
        if not same_files and (clashes := pc.sum(found).as_py()):
            first = corpora[name].ids[pc.index(found, True).as_py()]
            raise CrossinError(
                f"the corpora '{other}' and '{name}' both have the id '{first}' ({clashes:,} clash in all)",
                field=f"corpora.{name}.id_prefix",
                hint=f"give one a prefix: `id_prefix: {name}-`",
            )
