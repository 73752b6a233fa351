"""The arms of an experiment with their entries: the common ones, the arm's changes, a value of each axis."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crossin.core.entries import AmbiguousEntry, changed, merged, place_of, put
from crossin.core.errors import CrossinError, located
from crossin.core.examples import folder_of, is_example, named_file
from crossin.core.files import read_yaml
from crossin.core.paths import as_path
from crossin.core.settings import need_entry
from crossin.core.suggestions import hint_at
from crossin.evaluation.config import EvaluateConfig
from crossin.experiments.config import ARM_ENTRIES, Axis, Entries, ExperimentConfig, long_forms
from crossin.experiments.paths import below, with_paths
from crossin.mixture.recipe import Recipe
from crossin.models.gguf_files import is_gguf
from crossin.training.config import TrainConfig

# Of each stage, the entry that names a file, the command whose examples it may be, and the settings.
_FILES: dict[str, tuple[str, str, type[BaseModel]]] = {
    "compose": ("recipe", "compose", Recipe),
    "train": ("config", "train", TrainConfig),
    "evaluate": ("config", "evaluate", EvaluateConfig),
}
# What the experiment decides, whatever such a file says: with one seed of their own, all runs would be alike.
_OF_THE_EXPERIMENT = {"compose": {"seed"}, "train": {"seed", "model"}, "evaluate": {"models"}}


@dataclass(frozen=True)
class ArmSpec:
    """An arm: its name, the file's name of it, which is without values of axes, its value on each axis, and
    the entries of its pipeline. A stage that is None is left out.
    """

    name: str
    plain: str
    axes: dict[str, str]
    entries: Entries


def arms_of(config: ExperimentConfig, folder: Path, *, tiny: bool = False) -> list[ArmSpec]:
    """All arms, in the order of the file; an arm's values of axes in the order of the axes.

    folder: what relative paths start from. Raises CrossinError for a baseline that is not an arm, an entry
    that does not exist, and a file that cannot be read.
    """
    common = {key: value for key, value in config.model_dump().items() if key in ARM_ENTRIES}
    found: list[ArmSpec] = []
    varied: dict[str, list[str]] = {name: [] for name in config.axes}
    last: Entries = {}
    for name, changes in config.arms.items():
        entries = last = _entries_of(common, changes, folder)
        axes = {}
        for axis, one in config.axes.items():
            with _of_axis(axis, f"the arm '{name}'"):
                if _has_axis(one, name, entries):
                    axes[axis] = one
                    varied[axis].append(name)
        for values in itertools.product(*(one.values.items() for one in axes.values())):
            here = dict(zip(axes, (label for label, _ in values), strict=True))
            changed_entries = entries
            for (axis, one), (_, value) in zip(axes.items(), values, strict=True):
                for key in one.entry:
                    with _of_axis(axis, f"the arm '{name}'"):
                        changed_entries = _put(changed_entries, key, value)
            if tiny:
                changed_entries = _made_tiny(changed_entries, config.tiny)
            title = ", ".join([name, *(f"{axis} {label}" for axis, label in here.items())])
            found.append(ArmSpec(title, name, here, _without_empty(_beside(folder, changed_entries))))
    for axis, arms in varied.items():
        _check_axis(config, axis, arms, last)
    names = [arm.name for arm in found]
    if double := next((one for one in names if names.count(one) > 1), None):
        raise CrossinError(f"two arms are called '{double}'", field="arms", hint="rename one of them")
    check_names([config.baseline], names, "baseline")
    return found


def check_names(wanted: list[str], names: list[str], field: str) -> None:
    """Raise CrossinError where one of the wanted arms does not exist."""
    for name in wanted:
        if name not in names:
            raise CrossinError(f"no arm is called '{name}'", field=field, hint=hint_at(name, names))


def _entries_of(common: Entries, changes: Mapping[str, Any], folder: Path) -> Entries:
    """The arm's entries with the files read that its stages name."""
    changes = long_forms(changes)
    dotted = {key: value for key, value in changes.items() if "." in key}
    entries = merged(common, {key: value for key, value in changes.items() if key not in dotted})
    for stage in _FILES:
        if entries.get(stage) is not None:
            entries[stage] = _with_file(stage, entries[stage], folder)
    return changed(entries, dotted)


def _with_file(stage: str, entries: Entries, folder: Path) -> Entries:
    """The entries of a stage in place of those of the file that it names; paths are absolute."""
    key, command, model = _FILES[stage]
    own = with_paths(model, {name: value for name, value in entries.items() if name != key}, below(folder))
    if entries.get(key) is None:
        return own
    given = as_path(entries[key])
    with located(field=f"{stage}.{key}"):
        file = folder / given if (folder / given).is_file() else named_file(command, given)
    read = read_yaml(file)
    if not isinstance(read, dict):
        raise CrossinError("expected a mapping (key: value)", file=file, hint="see `crossin examples`")
    read = {name: value for name, value in read.items() if name not in _OF_THE_EXPERIMENT[stage]}
    if stage == "compose" and not is_example(file):
        own = {"data": str(folder_of(file).absolute()), **own}
    return merged(with_paths(model, read, below(folder_of(file).absolute())), own)


def _has_axis(axis: Axis, arm: str, entries: Entries) -> bool:
    """Whether an arm is varied: it is named, or has one of the entries."""
    if axis.arms is not None:
        return arm in axis.arms
    try:
        for key in axis.entry:
            need(entries, key)
    except AmbiguousEntry:
        raise
    except CrossinError:
        return False
    return True


def need(entries: Entries, key: str) -> None:
    """Raise CrossinError, with the nearest key, where an arm has no entry at a key with dots, nor a default
    for it.
    """
    stage, _, inner = key.partition(".")
    if stage not in ARM_ENTRIES:
        raise CrossinError(
            f"there is no entry '{stage}' of arms", field=key, hint=hint_at(stage, ARM_ENTRIES)
        )
    if entries.get(stage) is None:
        raise CrossinError(f"the arm leaves out the stage '{stage}'", field=key, hint="name other `arms`")
    if inner and stage in _FILES:
        need_entry(_FILES[stage][2], entries[stage], inner)
    elif inner:
        place_of(entries[stage], inner, whole=True)


def _put(entries: Entries, key: str, value: Any) -> Entries:
    need(entries, key)
    return put(entries, key, value)


def _check_axis(config: ExperimentConfig, axis: str, arms: list[str], entries: Entries) -> None:
    """Raise CrossinError where an axis names an arm that does not exist, or varies none."""
    check_names(list(config.axes[axis].arms or ()), list(config.arms), f"axes.{axis}.arms")
    if not arms:
        for key in config.axes[axis].entry:
            with _of_axis(axis, f"no arm has the entry '{key}'"):
                need(entries, key)


@contextmanager
def _of_axis(axis: str, what: str) -> Iterator[None]:
    """Say of a CrossinError which axis it is about."""
    try:
        yield
    except CrossinError as error:
        message = f"{what}: {error.message}"
        raise CrossinError(message, field=f"axes.{axis}.entry", hint=error.hint) from error


def _made_tiny(entries: Entries, tiny: Mapping[str, Any]) -> Entries:
    """The arm's entries with the changes of `tiny`, but for stages that the arm leaves out."""
    there = {
        key: value
        for key, value in tiny.items()
        if (stage := key.partition(".")[0]) in ARM_ENTRIES and entries.get(stage) is not None
    }
    return changed(entries, there)


def _beside(folder: Path, entries: Entries) -> Entries:
    """The entries with the path of a model that is a folder or a GGUF file beside the experiment's file."""
    model = folder / as_path(entries["model"])
    there = (model / "config.json").is_file() or (is_gguf(model) and model.is_file())
    return {**entries, "model": str(model)} if there else entries


def _without_empty(entries: Entries) -> Entries:
    """The entries without components of no rows: the first value of an axis of sizes may be 0."""
    compose = entries.get("compose")
    if not compose or not isinstance(compose.get("components"), list):
        return entries
    kept = [one for one in compose["components"] if not _is_empty(one)]
    return {**entries, "compose": {**compose, "components": kept} if kept else None}


def _is_empty(component: Any) -> bool:
    return isinstance(component, Mapping) and any(
        component.get(size) == 0 and not isinstance(component.get(size), bool)
        for size in ("rows", "tokens", "share")
    )


def languages_asked(arms: list[ArmSpec]) -> Iterator[str]:
    """The languages that arms are evaluated in, each once."""
    seen = set()
    for arm in arms:
        for language in arm.entries["evaluate"].get("languages") or arm.entries["languages"]:
            if language not in seen:
                seen.add(language)
                yield language
