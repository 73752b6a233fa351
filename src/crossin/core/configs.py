"""The settings that a stage's function was called with, in any form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossin.core.entries import changed
from crossin.core.errors import CrossinError
from crossin.core.examples import named_file
from crossin.core.paths import is_path
from crossin.core.settings import Model, read_settings, validated


def config_of(
    model: type[Model],
    config: Model | Mapping[str, Any] | Path | str,
    given: Mapping[str, Any],
    *,
    command: str,
    hint: str,
) -> Model:
    """The settings in `config`, with what is `given` in place of its entries.

    config: a settings model, its entries, a YAML file, or an example's name.
    Raises CrossinError for an entry that is wrong, and for anything else than settings.
    """
    # A field may be given by its alias too; one name for it, so that the later value holds.
    given = {_key(model, name): value for name, value in given.items()}
    if isinstance(config, model):
        if not given:
            return config
        return validated(
            model, changed(config.model_dump(exclude_unset=True, by_alias=True), given), None, hint
        )
    if isinstance(config, Mapping):
        entries = {_key(model, name): value for name, value in config.items()}
        return validated(model, changed(entries, given), None, hint)
    if is_path(config):
        return read_settings(model, named_file(command, config), given, hint=hint)
    raise CrossinError(
        f"these are not the settings of {command}: {type(config).__name__}",
        field="config",
        hint=f"give a {model.__name__}, its entries, a YAML file, or a name from `crossin examples`",
    )


def _key(model: type[Model], name: str) -> str:
    field = model.model_fields.get(name)
    return (field and field.alias) or name
