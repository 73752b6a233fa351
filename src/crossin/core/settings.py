"""Settings: pydantic models, read from YAML, from flags and from Python, with errors that name the place and
the nearest key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from crossin.core.coercion import coerced, holds_paths
from crossin.core.entries import changed, place_of
from crossin.core.errors import CrossinError
from crossin.core.examples import folder_of, is_example
from crossin.core.explanations import first_problem
from crossin.core.files import read_yaml
from crossin.core.paths import as_path, is_path
from crossin.core.plain_values import shown
from crossin.core.suggestions import nearest

Model = TypeVar("Model", bound=BaseModel)


class Settings(BaseModel):
    """The base of all settings models: unknown keys are errors, and nothing changes once it is read."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `rows: yes`, which pydantic takes for 1."""
        kinds = set(_leaves(cls.model_fields[str(info.field_name)].annotation))
        if kinds & {int, float} and not kinds & {bool, Any} and (found := _truth_in(value)) is not None:
            raise ValueError(f"expected a number, got {shown(found)}")
        return value

    @model_validator(mode="before")
    @classmethod
    def _coerced(cls, entries: Any) -> Any:
        return coerced(cls, entries) if isinstance(entries, dict) else entries


def setting(
    default: Any = ...,
    description: str = "",
    *,
    flag: str | bool | None = None,
    old_flags: tuple[str, ...] = (),
    metavar: str | None = None,
    group: str | None = None,
    greedy: bool = False,
    **rules: Any,
) -> Any:
    """A pydantic field, with what the command line needs to know to make an option of it.

    default: `...` where there is none. flag: the option's name where it is not the field's, False for no
    option. old_flags: names that still work, without being shown. metavar: what the help calls the value;
    `JSON` is read as such. group: the title that the help shows the option under. greedy: it takes all words
    up to the next option. rules: as in pydantic's `Field` (ge, alias, ...).
    """
    extra: dict[str, Any] = {
        "flag": flag,
        "old_flags": list(old_flags),
        "metavar": metavar,
        "group": group,
        "greedy": greedy,
    }
    return Field(default, description=description, json_schema_extra=extra, **rules)


def validated(model: type[Model], entries: Any, path: Path | None, hint: str) -> Model:
    """The model that `entries` make.

    Raises CrossinError for the first entry that is wrong: it names the file `path`, the field, and for an
    unknown key the nearest valid one; for all else `hint` says what to do.
    """
    try:
        return model.model_validate(entries)
    except ValidationError as error:
        raise explained(model, error, entries, path, hint) from error


def read_settings(
    model: type[Model], path: Path | None, given: Mapping[str, Any] | None = None, *, hint: str
) -> Model:
    """The model in the YAML file `path`, with what is `given` in place of the file's entries.

    given: entries as the file would hold them, from flags or from Python; mappings are merged key by key, and
    keys with dots lead inside of mappings and lists (`core/entries.py`).
    Relative paths in the file start from its folder, those given and those in an example from the working
    directory.
    Raises CrossinError with file and field; for an entry that was given, without the file.
    """
    given = dict(given or {})
    if path is None:
        return validated(model, given, None, hint)
    entries = read_yaml(path)
    if not isinstance(entries, dict):
        raise CrossinError("expected a mapping (key: value)", file=path, hint=hint)
    # By itself first, so that an error in the file names the file.
    entries = _resolved(model, entries, folder_of(path))
    whole = changed(entries, given)
    try:
        return model.model_validate(whole)
    except ValidationError as error:
        place = first_problem(error, whole).pydantic
        # What an example lacks is to be given.
        given_or_missing = is_example(path) or _holds(given, place, whole)
        raise explained(model, error, whole, None if given_or_missing else path, hint) from error


def exists_in(model: type[BaseModel], key: str) -> bool:
    """Whether settings have the entry that a key with dots (`core/entries.py`) leads to, in a file or not.
    Elements of lists and names of the user's choice are taken to be there, as names without dots.
    """
    return _leads(model, key.split("."))


def need_entry(model: type[BaseModel], entries: Mapping[str, Any], key: str) -> None:
    """Raise CrossinError, with the nearest key, where no entry can stand at a key with dots: settings do not
    have it, or a list in `entries` does not have the element.
    """
    with suppress(CrossinError):
        place_of(entries, key, whole=True)
        return
    parts = key.split(".")
    for number in range(1, len(parts) + 1):
        place = parts[:number]
        if not exists_in(model, ".".join(place)):
            hint = _meant_key(model, place)
            raise CrossinError(f"there is no key '{place[-1]}' here", field=".".join(place), hint=hint)
    place_of(entries, key)


def explained(
    model: type[BaseModel], error: ValidationError, entries: Any, path: Path | None, hint: str
) -> CrossinError:
    """What pydantic found wrong first in `entries`, as one of our errors."""
    problem = first_problem(error, entries)
    hint = _meant_key(model, problem.place) if problem.unknown_key else problem.hint or hint
    return CrossinError(problem.message, file=path, field=".".join(problem.place) or None, hint=hint)


def _meant_key(model: type[BaseModel], place: list[str]) -> str:
    """A hint at the key that an unknown one may mean: one that is near, or the same one further inside."""
    here = _model_at(model, place)
    valid = _keys_of(here)
    if near := nearest(place[-1], valid):
        return f"did you mean '{near[0]}'?"
    for key, field in here.model_fields.items():
        for inner in models_in(field.annotation):
            if place[-1] in _keys_of(inner):
                return f"write it under `{field.alias or key}`: did you mean '{key}.{place[-1]}'?"
    return f"use one of: {', '.join(valid)}"


def _leaves(annotation: Any) -> Iterator[Any]:
    """The types that an annotation is made of; models inside check their own fields."""
    parts = get_args(annotation)
    for part in parts:
        yield from _leaves(part)
    if not parts:
        yield annotation


def _truth_in(value: Any) -> bool | None:
    """A truth value in an entry, its lists and its mappings."""
    if isinstance(value, bool):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return next((found for one in inner if (found := _truth_in(one)) is not None), None)


@contextmanager
def as_value_error() -> Iterator[None]:
    """In a validator: turn a CrossinError into a ValueError, to which `explained` adds file and field."""
    try:
        yield
    except CrossinError as error:
        raise ValueError(error.message) from error


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def _model_at(model: type[BaseModel], place: list[str]) -> type[BaseModel]:
    """The model that holds the last key of `place`."""
    for part in place[:-1]:
        # A list's number or a mapping's key leads to the same model as the list or mapping itself.
        if part in model.model_fields:
            model = next(models_in(model.model_fields[part].annotation), model)
    return model


def _leads(annotation: Any, parts: list[str]) -> bool:
    """Whether a value of this type can have an entry at the place of the parts."""
    if not parts or annotation is Any:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return any(
            parts[0] in (name, one.alias) and _leads(one.annotation, parts[1:]) for name, one in fields
        )
    inner = get_args(annotation)
    if (origin := get_origin(annotation)) in (dict, Mapping, list, tuple, Sequence):
        held = inner[-1] if origin in (dict, Mapping) else inner[0]
        return _leads(held, parts[1:])
    return any(_leads(one, parts) for one in inner)


def _keys_of(model: type[BaseModel]) -> list[str]:
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _resolved(model: type[BaseModel], entries: dict[str, Any], base: Path) -> dict[str, Any]:
    """The entries with relative paths put below `base`."""
    found = dict(entries)
    for name, field in model.model_fields.items():
        key = field.alias if field.alias in found else name
        value = found.get(key)
        if value is None:
            continue
        inner = next(models_in(field.annotation), None)
        if holds_paths(field.annotation):
            found[key] = (
                [_below(base, one) for one in value] if isinstance(value, list) else _below(base, value)
            )
        elif inner is not None and isinstance(value, dict):
            found[key] = _resolved(inner, value, base)
    return found


def _below(base: Path, value: Any) -> Any:
    return base / as_path(value) if is_path(value) else value


def _holds(given: Mapping[str, Any], place: tuple[Any, ...], whole: Mapping[str, Any]) -> bool:
    """Whether `given` has an entry at this place, or inside of it by a key with dots. whole: all entries."""
    for key in given:
        if "." in key and all(one == other for one, other in zip(place_of(whole, key), place, strict=False)):
            return bool(place)
    value: Any = given
    for part in place:
        if not isinstance(value, Mapping) or part not in value:
            return not isinstance(value, Mapping) and value is not given
        value = value[part]
    return bool(place)
