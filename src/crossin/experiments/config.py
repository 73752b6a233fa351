"""The settings of an experiment, as a YAML file holds them (docs/experiment.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from crossin.core.entries import changed
from crossin.core.errors import CrossinError
from crossin.core.examples import folder_of, named_file
from crossin.core.files import read_yaml
from crossin.core.paths import is_path
from crossin.core.settings import Settings, as_value_error, setting, validated
from crossin.core.suggestions import hint_at
from crossin.languages.codes import Language, Languages

Entries = dict[str, Any]
HINT = "see docs/experiment.md for the keys, and `crossin examples` for experiments"
# The entries that an arm may change.
ARM_ENTRIES = ("model", "languages", "pivot", "sources", "compose", "train", "evaluate", "resources")

# What `${…}` means that is no source: the seed, the model, and `arms.NAME`, the training of an arm.
RESERVED = ("seed", "model")
ARM = "arms."


class Resources(Settings):
    """What a cluster reserves for the training and the evaluation of an arm."""

    gpu: float = setting(0, "GPUs of a job; a fraction shares one.", ge=0)


class Axis(Settings):
    """Values that entries take in turn: each arm is run with every value.

    entry: the entry, or several that take the same value, such as `compose.components.x2x.rows`. values: a
    list, or names with their values. arms: those that are varied; by default all that have the entry.
    """

    entry: tuple[str, ...]
    values: dict[str, Any] = setting(min_length=1)
    arms: tuple[str, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, entries: Any) -> Any:
        if not isinstance(entries, dict):
            return entries
        entries = dict(entries)
        if isinstance(entries.get("entry"), str):
            entries["entry"] = [entries["entry"]]
        if isinstance(values := entries.get("values"), list):
            labels = [_label(value) for value in values]
            if double := next((one for one in labels if labels.count(one) > 1), None):
                raise ValueError(f"the value {double} is there twice")
            entries["values"] = dict(zip(labels, values, strict=True))
        elif isinstance(values, dict):
            entries["values"] = {_label(key): value for key, value in values.items()}
        return entries


def _label(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


class ExperimentConfig(Settings):
    """Arms and seeds, and the pipeline that all arms share.

    `sources`, `compose`, `train` and `evaluate` are the entries of those stages; an arm changes some of them.
    """

    name: str = setting("experiment", "A name for you.")
    baseline: str = setting(..., "The arm that the others are compared with.")
    seeds: tuple[int, ...] = setting((0, 1, 2), "Each arm is run with every seed.", min_length=1)
    model: str = setting(..., "A built-in name, a hub id, a folder or a GGUF file.")
    languages: Languages[tuple[Language, ...]] = setting(..., "The languages of all stages.", min_length=1)
    pivot: Language = setting("en", "The language that the model knows best.")
    sources: dict[str, dict[str, Any]] = setting({}, "Folders made first, by name.")
    compose: dict[str, Any] | None = setting(None, "The recipe: entries in place of those of `recipe`.")
    train: dict[str, Any] | None = setting(None, "The training: entries in place of those of `config`.")
    evaluate: dict[str, Any] = setting(..., "The evaluation; `bench` names each benchmark's folder.")
    resources: Resources = Resources()
    axes: dict[str, Axis] = setting({}, "Entries that take several values.")
    arms: dict[str, Entries] = setting(..., "The arms, by name: changes to the entries above.", min_length=1)
    headline: tuple[str, ...] = setting(
        ("accuracy", "consistency_2", "kappa_2", "ac3_2"), "Figures of the live table and the summary."
    )
    tiny: Entries = Field({}, description="Changes that `--tiny` makes, to try the file.")

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, entries: Any) -> Any:
        """`compose: NAME` is `compose: {recipe: NAME}`; an axis may be a list of values of the entry of its
        name.
        """
        if not isinstance(entries, dict):
            return entries
        entries = long_forms(entries)
        if isinstance(axes := entries.get("axes"), dict):
            entries["axes"] = {
                name: {"entry": name, "values": axis} if isinstance(axis, list) else axis
                for name, axis in axes.items()
            }
        return entries

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is there twice")
        return seeds

    @field_validator("arms", mode="before")
    @classmethod
    def _arms(cls, arms: Any) -> Any:
        if not isinstance(arms, dict):
            return arms
        for name, changes in arms.items():
            if changes is not None and not isinstance(changes, dict):
                raise ValueError(f"the arm '{name}' must be a mapping of changes")
            with as_value_error():
                _check_keys(changes or {}, ARM_ENTRIES, f"{name}")
        return {name: long_forms(changes or {}) for name, changes in arms.items()}

    @field_validator("sources")
    @classmethod
    def _no_reserved_name(cls, sources: dict[str, Any]) -> dict[str, Any]:
        for name in sources:
            if name in RESERVED or name.startswith(ARM):
                raise ValueError(f"'${{{name}}}' means something else: give the source another name")
        return sources

    @field_validator("tiny")
    @classmethod
    def _known_changes(cls, tiny: Entries) -> Entries:
        with as_value_error():
            _check_keys(tiny, [key for key in cls.model_fields if key != "tiny"])
        return tiny


def _check_keys(changes: Mapping[str, Any], known: Sequence[str], place: str = "") -> None:
    """Raise CrossinError for a change to an entry that is not among the `known`, by its first name."""
    for key in map(str, changes):
        if key.partition(".")[0] not in known:
            raise CrossinError(
                f"'{key}' cannot be changed here",
                field=f"{place}.{key}" if place else key,
                hint=hint_at(key.partition(".")[0], known),
            )


def long_forms(entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries with `recipe` and `config` where a stage is given as a name."""
    found = dict(entries)
    for stage, key in (("compose", "recipe"), ("train", "config"), ("evaluate", "config")):
        if is_path(found.get(stage)):
            found[stage] = {key: found[stage]}
    return found


def read_config(
    config: ExperimentConfig | Mapping[str, Any] | Path | str,
    given: Mapping[str, Any] | None = None,
    *,
    tiny: bool = False,
) -> tuple[ExperimentConfig, Path]:
    """The settings of an experiment, and the folder that its relative paths start from.

    config: the settings, their entries, a YAML file, or an example's name. given: changes to its entries,
    whose keys may have dots. tiny: with the changes of its entry `tiny`. Raises CrossinError with file and
    field.
    """
    file: Path | None = None
    if isinstance(config, ExperimentConfig):
        entries: Any = config.model_dump(exclude_unset=True)
    elif isinstance(config, Mapping):
        entries = dict(config)
    else:
        file = named_file("experiment", config)
        entries = read_yaml(file)
        if not isinstance(entries, dict):
            raise CrossinError("expected a mapping (key: value)", file=file, hint=HINT)
    if tiny and isinstance(entries.get("tiny"), dict):
        # Those of stages are made in each arm that has the stage (`grid.arms_of`).
        changes = {key: value for key, value in entries["tiny"].items() if not _is_of_arms(key)}
        entries = changed(entries, {key: value for key, value in changes.items() if key != "tiny"})
    if given:
        entries = changed(entries, given)
    folder = Path.cwd() if file is None else folder_of(file)
    try:
        return validated(ExperimentConfig, entries, None, HINT), folder.absolute()
    except CrossinError as error:
        raise of_file(error, file, given or {}) from error


def of_file(error: CrossinError, file: Path | None, given: Mapping[str, Any]) -> CrossinError:
    """An error in the settings with the file that they are in, unless it is about what was given."""
    field = error.field or ""
    if (
        error.file is not None
        or field.startswith("--")
        or any(f"{field}.".startswith(f"{key}.") for key in given)
    ):
        return error
    return CrossinError(error.message, file=file, row=error.row, field=error.field, hint=error.hint)


def _is_of_arms(key: Any) -> bool:
    return str(key).partition(".")[0] in ARM_ENTRIES
