from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model

import crossin
from crossin.core.errors import CrossinError
from crossin.core.settings import Settings, read_settings, validated
from crossin.mixture.recipe import Recipe
from crossin.training.config import TrainConfig
from tests.helpers.errors import refused

# What users write by mistake, of every kind.
WRONG: list[Any] = [
    "many",
    "80%",
    3,
    2.5,
    True,
    None,
    float("nan"),
    [],
    ["a", {"b": 1}],
    [[1]],
    {"unheard-of": {"b": 1}},
    {1: 2},
]
LEAKS = ("pydantic", "Input should", "type=", "<class", "pathlib", "instance of", "dict", "tuple", "None")


def every_model() -> Iterator[type[Settings]]:
    for module in pkgutil.walk_packages(crossin.__path__, "crossin."):
        if not module.name.endswith(("__main__", "lm_eval.crossin_items")):
            importlib.import_module(module.name)
    waiting = [Settings]
    while waiting:
        for model in waiting.pop().__subclasses__():
            if model.__module__.startswith("crossin."):
                waiting.append(model)
                yield model


FIELDS = [
    pytest.param(model, name, id=f"{model.__name__}.{name}")
    for model in dict.fromkeys(every_model())
    for name in model.model_fields
]


@pytest.mark.parametrize(("model", "name"), FIELDS)
def test_a_wrong_value_of_any_setting_has_a_plain_message_that_names_it(
    model: type[BaseModel], name: str
) -> None:
    field = model.model_fields[name]
    # By itself, so that no other entry is missing.
    entry: dict[str, Any] = {name: (field.annotation, field)}
    alone = create_model("Alone", __base__=Settings, **entry)
    key = field.alias or name
    for value in WRONG:
        try:
            validated(alone, {key: value}, None, "look at the documentation")
        except CrossinError as error:
            message = error.message
            assert [leak for leak in LEAKS if leak in message] == [], error.message
            assert error.field is not None
            assert error.field.split(".")[0] in (key, name), error.field
            assert not set("[<(") & set(error.field), error.field
            assert error.hint


@pytest.mark.parametrize(
    ("entries", "field", "message"),
    [
        ({"seed": "many"}, "seed", "expected a whole number, got 'many'"),
        ({"seed": 1.5}, "seed", "expected a whole number, got 1.5"),
        ({"seed": True}, "seed", "expected a number, got true"),
        ({"seed": None}, "seed", "expected a whole number, got nothing"),
        ({"name": 3}, "name", "expected text, got 3"),
        ({"rows": "80%"}, "rows", "expected a whole number, got '80%'"),
        ({"rows": 0}, "rows", "expected a number greater than 0, got 0"),
        ({"languages": 3}, "languages", "expected a list, got 3"),
        ({"corpora": [1]}, "corpora", "expected a mapping (key: value), got [1]"),
        ({"template": ["a"]}, "template", "expected text, got [a]"),
        (
            {"components": [{"kind": "base", "rows": "many"}]},
            "components.0.rows",
            "number or 'all', got 'many'",
        ),
        ({"components": [{"kind": "base", "rows": True}]}, "components.0.rows", "got true"),
        ({"components": [{"kind": "base", "share": "80%"}]}, "components.0.share", "got '80%': 80% is 0.8"),
        ({"components": [{"kind": "base", "share": float("nan")}]}, "components.0.share", "finite number"),
        (
            {"components": [{"kind": "base", "rows": 1, "filter": {"score": {"min": "x"}}}]},
            "components.0.filter.score.min",
            "expected a number, got 'x'",
        ),
        (
            {"components": [{"kind": "base", "rows": 1, "filter": {"score": 3}}]},
            "components.0.filter.score",
            "expected a mapping (key: value) or a list, got 3",
        ),
    ],
)
def test_a_wrong_entry_is_named_with_what_is_expected(entries: Any, field: str, message: str) -> None:
    whole = {"name": "a", "components": [{"kind": "base", "rows": 1}], **entries}
    with refused(message, field=field):
        validated(Recipe, whole, None, "see examples/")


def test_a_choice_that_is_near_is_suggested() -> None:
    with refused("'base', 'mono'", field="components.0.kind", hint="did you mean 'base'?"):
        validated(Recipe, {"name": "a", "components": [{"kind": "bsae", "rows": 1}]}, None, "see examples/")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("logging_dir", "use one of: align, batches"),
        ("epoch", "did you mean 'epochs'?"),
        ("learning_rate", "did you mean 'optimiser.learning_rate'?"),
        ("rank", "did you mean 'method.rank'?"),
        ("per_device_train_batch_size", "use one of"),
    ],
)
def test_only_a_key_that_is_near_or_further_inside_is_suggested(tmp_path: Path, key: str, hint: str) -> None:
    (tmp_path / "train.yaml").write_text(f"{key}: 3\n")
    with refused(f"no key '{key}'", file="train.yaml", field=key, hint=hint) as caught:
        read_settings(TrainConfig, tmp_path / "train.yaml", hint="see docs/train.md")
    assert "mixture'" not in str(caught.value.hint)


def test_a_wrong_entry_that_was_given_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    (tmp_path / "train.yaml").write_text("epochs: 2\n")
    with refused("whole number", field="epochs") as caught:
        read_settings(TrainConfig, tmp_path / "train.yaml", {"epochs": "many"}, hint="see docs/train.md")
    assert caught.value.file is None


def test_a_model_that_was_written_as_json_is_read_again(tmp_path: Path) -> None:
    class Paths(Settings):
        one: Path
        several: tuple[Path, ...] = ()

    model = Paths(one=tmp_path, several=(tmp_path / "a", Path("b")))
    assert Paths.model_validate_json(model.model_dump_json()) == model
    assert Paths.model_validate(model.model_dump(mode="json")) == model
