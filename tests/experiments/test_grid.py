"""Arms: common entries, an arm's changes, a value of each axis, and the changes of `tiny`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.experiments.config import read_config
from crossin.experiments.grid import ArmSpec, arms_of, languages_asked

COMMON: dict[str, Any] = {
    "baseline": "control",
    "languages": ["en", "th"],
    "model": "some/model",
    "compose": {"recipe": "demo", "data": "${facts}"},
    "train": {"config": "demo"},
    "evaluate": {"bench": {"facts": "${test}"}},
    "arms": {"control": {}},
}


def arms(*, made_tiny: bool = False, **more: Any) -> dict[str, ArmSpec]:
    config, folder = read_config({**COMMON, **more}, tiny=made_tiny)
    return {arm.name: arm for arm in arms_of(config, folder, tiny=made_tiny)}


def test_an_arm_has_the_entries_of_the_files_that_it_names() -> None:
    entries = arms()["control"].entries
    assert entries["train"]["batches"]["rows"] == 8
    assert "config" not in entries["train"]
    assert entries["compose"]["data"] == "${facts}"
    assert [one["kind"] for one in entries["compose"]["components"]][:2] == ["base", "mono"]


def test_entries_of_the_file_are_in_place_of_those_of_the_example() -> None:
    found = arms(train={"config": "demo", "batches": {"rows": 3}})["control"].entries["train"]
    assert (found["batches"]["rows"], found["batches"]["longest"]) == (3, 1024)


def test_an_arm_may_name_another_recipe_or_leave_a_stage_out() -> None:
    found = arms(arms={"control": {}, "other": {"compose": "first-paper-x2x"}, "base": {"train": None}})
    assert found["other"].entries["compose"]["name"] == "first-paper-x2x"
    assert found["other"].entries["compose"]["data"] == "${facts}"
    assert found["base"].entries["train"] is None


def test_a_key_with_dots_reaches_inside_of_a_component() -> None:
    found = arms(arms={"control": {"compose.components.trans.tokens": 77}})["control"]
    sizes = {one["kind"]: one["tokens"] for one in found.entries["compose"]["components"]}
    assert sizes["trans"] == 77
    assert sizes["base"] != 77


def test_axes_make_a_grid_of_the_arms_that_have_the_entry() -> None:
    found = arms(
        arms={"control": {"compose": {"components": [{"kind": "base", "rows": 9}]}}, "mixed": {}},
        axes={
            "volume": {"entry": "compose.components.x2x.tokens", "values": [0, 50]},
            "rate": {"entry": "train.optimiser.learning_rate", "values": {"slow": 1e-5}, "arms": ["mixed"]},
        },
    )
    assert list(found) == ["control", "mixed, volume 0, rate slow", "mixed, volume 50, rate slow"]
    assert found["mixed, volume 50, rate slow"].axes == {"volume": "50", "rate": "slow"}
    assert found["mixed, volume 50, rate slow"].entries["train"]["optimiser"]["learning_rate"] == 1e-5


def test_a_component_of_size_0_is_left_out() -> None:
    axes = {"volume": {"entry": "compose.components.x2x.tokens", "values": [0, 50], "arms": ["mixed"]}}
    found = arms(arms={"control": {}, "mixed": {}}, axes=axes)
    kinds = [[one["kind"] for one in arm.entries["compose"]["components"]] for arm in found.values()]
    assert "x2x" in kinds[0]
    assert "x2x" not in kinds[1]
    assert "x2x" in kinds[2]


def test_an_axis_may_change_several_entries_and_be_written_as_a_list() -> None:
    axes = {"languages": [["en", "th"], ["en", "th", "ar"]]}
    found = arms(baseline="control, languages en th", axes=axes)
    assert list(found) == ["control, languages en th", "control, languages en th ar"]
    assert list(languages_asked(list(found.values()))) == ["en", "th", "ar"]
    both = ["compose.components.x2x.tokens", "compose.components.trans.tokens"]
    found = arms(baseline="control, size 5", axes={"size": {"entry": both, "values": [5]}})
    components = found["control, size 5"].entries["compose"]["components"]
    assert [one["tokens"] for one in components if one["kind"] in ("x2x", "trans")] == [5, 5]


def test_tiny_changes_what_an_arm_has_and_brings_nothing_back() -> None:
    tiny = {"seeds": [7], "train": {"max_steps": 2}, "evaluate": {"limit": 3}}
    some = {"control": {"train": {"max_steps": 50}}, "base": {"train": None}}
    found = arms(made_tiny=True, arms=some, tiny=tiny)
    assert found["control"].entries["train"]["max_steps"] == 2
    assert found["control"].entries["evaluate"]["limit"] == 3
    assert found["base"].entries["train"] is None


def test_relative_paths_start_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "mine.yaml"
    file.write_text(
        "baseline: a\nlanguages: [en]\nmodel: m\narms: {a: {}}\nevaluate: {bench: {b: data}}\n"
        "compose: {recipe: demo, data: data}\ntrain: {pairs: {items: data}, consist: {}}\n"
    )
    config, folder = read_config(file)
    [arm] = arms_of(config, folder)
    assert folder == tmp_path
    assert arm.entries["train"]["pairs"]["items"] == str(tmp_path / "data")


@pytest.mark.parametrize("value", [["a"], "train"])
def test_an_arm_is_a_mapping(value: Any) -> None:
    from tests.helpers.errors import refused

    with refused("control", field="arms"):
        arms(arms={"control": value})
