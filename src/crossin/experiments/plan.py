"""The jobs of an experiment: those of each arm and seed, shared where all that decides them is the same."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crossin import __version__
from crossin.core.errors import CrossinError, located
from crossin.core.files import sha256_of_value
from crossin.core.inputs import input_hash
from crossin.core.paths import as_path
from crossin.core.settings import validated
from crossin.core.suggestions import hint_at
from crossin.experiments.config import ARM, HINT, RESERVED, Entries, ExperimentConfig
from crossin.experiments.grid import ArmSpec, arms_of, check_names
from crossin.experiments.jobs import Job, references, replaced, with_needs
from crossin.experiments.kinds import KINDS, Mixture, kind_of
from crossin.experiments.paths import below, with_paths
from crossin.mixture.job import inputs_of
from crossin.mixture.pools import check_languages
from crossin.mixture.recipe import Recipe
from crossin.mixture.run import resolve
from crossin.models.download import check_model
from crossin.models.gguf_files import is_gguf

# Entries that decide nothing: they would only keep a run with another limit from using its answers.
_HOW = {"cache", "accept_licence", "processes", "key_variable", "concurrency", "requests_per_minute"}
_HOW |= {"tokens_per_minute", "timeout", "retries", "price_in", "price_out", "budget"}
# The entries that may hold some of these.
_INNER = ("evaluate", "translate", "server")
_SOURCE_HINT = 'relative paths start from the folder of the experiment; a source is named "${NAME}"'


@dataclass(frozen=True)
class PlannedRun:
    """The jobs of an arm with one seed: the training, if there is one, and the answers by benchmark."""

    seed: int
    training: Job | None
    answers: dict[str, Job]

    @property
    def jobs(self) -> list[Job]:
        """All jobs that it needs, needed ones first."""
        return with_needs([*([self.training] if self.training else []), *self.answers.values()])


@dataclass(frozen=True)
class PlannedArm:
    """An arm with the jobs of each seed."""

    spec: ArmSpec
    runs: tuple[PlannedRun, ...]


@dataclass(frozen=True)
class ExperimentPlan:
    """All arms, in the order of the file."""

    config: ExperimentConfig
    arms: tuple[PlannedArm, ...]

    @property
    def jobs(self) -> list[Job]:
        """All jobs, each once, in an order that finishes one arm after the other, seed by seed."""
        by_seed = zip(*(arm.runs for arm in self.arms), strict=True)
        return with_needs(job for runs in by_seed for run in runs for job in run.jobs)


def plan_of(
    config: ExperimentConfig, folder: Path, *, tiny: bool = False, only: Sequence[str] = ()
) -> ExperimentPlan:
    """The jobs of every arm and seed. Nothing is made or written; files that arms name are read.

    folder: what relative paths start from. only: the arms to run, and the baseline; a name without the
    values of axes stands for all of them. Raises CrossinError for all that is wrong in the settings.
    """
    specs = arms_of(config, folder, tiny=tiny)
    arms = {spec.name: spec for spec in specs}
    jobs: dict[str, Job] = {}
    hashes: dict[Path, str] = {}
    planned = []
    for spec in _chosen(specs, config, only):
        runs = []
        for seed in config.seeds:
            here = _Run(spec, seed, folder, arms, jobs, hashes)
            try:
                training = here.training()
                runs.append(PlannedRun(seed, training, here.answers(training)))
            except CrossinError as error:
                raise _of_arm(error, spec.name) from error
        planned.append(PlannedArm(spec, tuple(runs)))
    return ExperimentPlan(config, tuple(planned))


def _chosen(specs: list[ArmSpec], config: ExperimentConfig, only: Sequence[str]) -> Iterator[ArmSpec]:
    """The arms that are wanted, and the baseline."""
    names = [spec.name for spec in specs]
    check_names([name for name in only if name not in config.arms], names, "--only")
    for spec in specs:
        if not only or spec.name in (*only, config.baseline) or spec.plain in only:
            yield spec


def _of_arm(error: CrossinError, arm: str) -> CrossinError:
    message = f"the arm '{arm}': {error.message}"
    return CrossinError(message, file=error.file, row=error.row, field=error.field, hint=error.hint)


@dataclass(frozen=True)
class _Run:
    """An arm with one seed, on the way to its jobs."""

    spec: ArmSpec
    seed: int
    folder: Path
    arms: Mapping[str, ArmSpec]
    jobs: dict[str, Job]
    # Of files that were read for other jobs.
    hashes: dict[Path, str]
    # The sources and arms whose jobs are being planned: one that needs itself has no end.
    within: tuple[str, ...] = field(default=())

    def training(self) -> Job | None:
        """The job of the training, with the mixture that it needs."""
        entries = self.spec.entries
        if entries["train"] is None:
            return None
        given = dict(entries["train"])
        self._same_model(given.get("model"), "train.model")
        with located(field="model"):
            check_model(self.spec.entries["model"])
        if entries["compose"] is not None and "mixture" not in given:
            given["mixture"] = self._mixture(entries["compose"])
        return self._job("train", given, f"train: {self.spec.name}, seed {self.seed}", place="train")

    def answers(self, training: Job | None) -> dict[str, Job]:
        """The jobs of the evaluation, by benchmark."""
        entries = dict(self.spec.entries["evaluate"])
        benches = entries.pop("bench", None)
        if not isinstance(benches, Mapping) or not benches:
            raise CrossinError(
                "expected benchmarks by name", field="evaluate.bench", hint='for example {facts: "${test}"}'
            )
        entries.setdefault("languages", self.spec.entries["languages"])
        model = self.spec.entries["model"]
        for other in entries.get("models") or ():
            self._same_model(other, "evaluate.models")
        if training and entries.get("adapter"):
            raise CrossinError(
                "the arm's own training is evaluated", field="evaluate.adapter", hint="or set `train: null`"
            )
        if training is None and entries.get("engine", "hf") == "hf":
            with located(field="model"):
                check_model(model)
        found = {}
        for label, bench in benches.items():
            asked = {
                "evaluate": {**entries, "models": [model], "bench": [label]},
                "model": model,
                "training": training and f"${{{training.key}}}",
                "bench": self._place(bench, f"evaluate.bench.{label}"),
            }
            title = f"evaluate: {self.spec.name if training else model}, {label}"
            title += f", seed {self.seed}" if training else ""
            found[str(label)] = self._job("evaluate", asked, title, known=(training,) if training else ())
        return found

    def _same_model(self, model: str | None, place: str) -> None:
        own = self.spec.entries["model"]
        if model not in (None, "${model}", own) and str(self.folder / as_path(model)) != own:
            raise CrossinError(
                f"the arm's model is '{own}', and here it is '{model}'",
                field=place,
                hint="name an arm's model by its entry `model`",
            )

    def _mixture(self, entries: Entries) -> str:
        given = dict(entries)
        data = given.pop("data", None)
        if data is None:
            raise CrossinError(
                "missing", field="compose.data", hint="name the folder of the corpora, or a source"
            )
        given.setdefault("name", "experiment")
        given.setdefault("seed", self.seed)
        given.setdefault("languages", self.spec.entries["languages"])
        given.setdefault("pivot", self.spec.entries["pivot"])
        mixture = {"recipe": given, "data": self._place(data, "compose.data")}
        title = f"compose: {self.spec.name}, seed {self.seed}"
        return f"${{{self._job('compose', mixture, title, place='compose').key}}}"

    def _source(self, name: str, place: str) -> Job:
        """The job of a source that an entry at `place` names."""
        sources = self.spec.entries["sources"]
        if name not in sources:
            known = [*sources, *RESERVED, *(ARM + arm for arm in self.arms)]
            raise CrossinError(
                f"nothing is called '{name}'",
                field=place or None,
                hint=hint_at(name, known, "${{{}}}"),
            )
        entries = dict(sources[name])
        kind = kind_of(name, entries)
        del entries["make"]
        return self._inside(name, place)._job(kind, entries, f"{kind}: {name}", place=f"sources.{name}")

    def _trained(self, name: str, place: str) -> Job:
        """The job of another arm's training, with this seed, that an entry at `place` names."""
        check_names([name], list(self.arms), place)
        job = replace(self._inside(ARM + name, place), spec=self.arms[name]).training()
        if job is None:
            raise CrossinError(
                f"the arm '{name}' trains nothing", field=place, hint="name an arm with a training"
            )
        return job

    def _inside(self, name: str, place: str) -> _Run:
        if name in self.within:
            chain = " → ".join([*self.within, name])
            raise CrossinError(f"'{name}' needs itself: {chain}", field=place, hint="name another one")
        return replace(self, within=(*self.within, name))

    def _job(
        self, stage: str, entries: Entries, title: str, *, place: str = "", known: Sequence[Job] = ()
    ) -> Job:
        """The job of a stage with these entries, whose references are to sources, arms and `known` jobs.
        place: where the experiment's file has them, for errors.
        """
        kind = KINDS[stage]
        needs = {job.key: job for job in known}
        names: dict[str, Any] = {}
        for name in references(entries):
            if name in needs or name in self.jobs:
                needs[name] = self.jobs[name]
                names[name] = f"${{{name}}}"
            elif name in RESERVED:
                names[name] = self.seed if name == "seed" else self.spec.entries["model"]
            else:
                here = ".".join(filter(None, (place, _key_of(entries, name))))
                arm = name.removeprefix(ARM)
                job = self._source(name, here) if arm == name else self._trained(arm, here)
                needs[job.key] = job
                names[name] = f"${{{job.key}}}"
        for name in kind.fills:
            if entries.get(name) is None:
                entries = {**entries, name: self.seed if name == "seed" else self.spec.entries[name]}
        entries = with_paths(kind.settings, replaced(entries, names), below(self.folder))
        if stage == "bench" and _is_mapping(str(entries.get("name"))):
            entries["name"] = below(self.folder)(str(entries["name"]))
        try:
            made = validated(kind.settings, entries, None, HINT)
            if isinstance(made, Mixture):
                _check_languages(made.recipe)
            settings = made.model_dump(mode="json", by_alias=True)
            key = self._key(stage, settings)
        except CrossinError as error:
            field = (error.field or "").removeprefix("recipe.")
            field = ".".join(filter(None, (place, field)))
            raise CrossinError(error.message, file=error.file, field=field, hint=error.hint) from error
        if key not in self.jobs:
            gpus = self.spec.entries["resources"]["gpu"] if stage in ("train", "evaluate") else 0
            self.jobs[key] = Job(stage, title, settings, key, tuple(needs.values()), gpus)
        return self.jobs[key]

    def _key(self, stage: str, settings: Entries) -> str:
        """The hash of all that decides a job's result: files by what is in them, other jobs by their keys."""
        decisive = _without(settings, _HOW)
        if stage != "bench":
            decisive.pop("name", None)
        elif _is_mapping(settings["name"]):
            decisive["name"] = self._hash(Path(settings["name"]))
        if stage == "compose":
            decisive["recipe"] = {key: value for key, value in settings["recipe"].items() if key != "name"}
            if not any(references(settings["data"])):
                recipe, data = resolve(settings["recipe"], settings["data"])
                decisive["data"] = {name: self._hash(path) for name, path in inputs_of(recipe, data).items()}
        decisive = with_paths(KINDS[stage].settings, decisive, lambda path: self._hash(Path(path)))
        for name in ("model", "teacher"):
            if (given := decisive.get(name)) and ((path := as_path(str(given))).is_dir() or is_gguf(path)):
                decisive[name] = self._hash(path)
        return sha256_of_value({"crossin": __version__, "stage": stage, "settings": decisive})

    def _hash(self, path: Path) -> str:
        if path not in self.hashes:
            if not path.exists():
                raise CrossinError("there is no such file or folder", file=path, hint=_SOURCE_HINT)
            self.hashes[path] = input_hash(path)
        return self.hashes[path]

    def _place(self, value: Any, key: str) -> str:
        """A reference, or the absolute path of what is there."""
        text = str(value)
        if any(references(text)):
            return text
        path = self.folder / as_path(text)
        if not path.exists():
            raise CrossinError("there is no such file or folder", file=path, field=key, hint=_SOURCE_HINT)
        return str(path)


def _is_mapping(bench: str) -> bool:
    """Whether a benchmark is named by the file of its mapping."""
    return bench.endswith((".yaml", ".yml"))


def _without(entries: Mapping[str, Any], names: Container[str]) -> Entries:
    """The entries without some, here and where settings hold others."""
    found = {key: value for key, value in entries.items() if key not in names}
    inner = [key for key in _INNER if isinstance(found.get(key), Mapping)]
    return found | {key: _without(found[key], names) for key in inner}


def _check_languages(recipe: Recipe) -> None:
    """Raise CrossinError for a component that needs a language which the mixture, or its corpus, does not
    have. A corpus that is not made yet is taken to have all.
    """
    languages = list(recipe.languages or ())
    described = {name: list(spec.files) for name, spec in recipe.corpora.items() if spec.files}
    corpora = {one.corpus: described.get(one.corpus, languages) for one in recipe.components}
    check_languages(recipe, languages, corpora)


def _key_of(entries: Mapping[str, Any], reference: str) -> str:
    """The key of the first entry that names something."""
    return next((key for key, value in entries.items() if reference in references(value)), "")
