from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crossin.core.files import sha256, write_json, write_text
from crossin.core.formats import CLAIM, MANIFEST
from crossin.core.inputs import input_hash, refuse_within
from crossin.core.stages import stage
from tests.helpers.errors import refused

FILES = ["model.safetensors", "tokenizer.json", "generation_config.json", "data/mixture-00000.parquet"]


def made(folder: Path) -> Path:
    """A finished stage's folder."""
    with stage(folder, "merge", {}, {}) as work:
        for name in FILES:
            write_text(work.folder / name, name)
        work.finish(FILES, {})
    return folder


def plain(folder: Path) -> Path:
    """A folder of somebody else's, with the same files."""
    for name in FILES:
        write_text(folder / name, name)
    return folder


def foreign(folder: Path) -> Path:
    """A folder with another program's manifest."""
    write_json(plain(folder) / MANIFEST, [{"file": "model.safetensors"}])
    return folder


def pulled(folder: Path) -> Path:
    """A model as `pull` leaves it in the cache."""
    hashes = {name: sha256(plain(folder) / name) for name in FILES}
    write_json(folder / MANIFEST, {"model": "owner/name", "sha256": hashes, "sizes": {}})
    return folder


KINDS: list[Callable[[Path], Path]] = [made, plain, foreign, pulled]


@pytest.mark.parametrize("kind", [made, pulled])
def test_a_folder_that_is_as_its_manifest_says_has_the_manifests_hash(
    kind: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = kind(tmp_path / "in")
    assert input_hash(folder) == sha256(folder / MANIFEST)


@pytest.mark.parametrize("kind", [made, plain, foreign])
@pytest.mark.parametrize("name", FILES)
def test_any_edited_file_makes_another_input(kind: Callable[[Path], Path], name: str, tmp_path: Path) -> None:
    folder = kind(tmp_path / "in")
    before = input_hash(folder)
    # Of the same size, so that a look at sizes would not do.
    write_text(folder / name, "X" * len(name))
    edited = input_hash(folder)
    assert edited != before
    write_text(folder / name, "Y" * len(name))
    assert input_hash(folder) not in (before, edited)
    write_text(folder / name, name)
    assert input_hash(folder) == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["chat_template.jinja", "data/mixture-00001.parquet", "sub/vocab.txt"])
def test_an_added_file_makes_another_input(kind: Callable[[Path], Path], name: str, tmp_path: Path) -> None:
    folder = kind(tmp_path / "in")
    before = input_hash(folder)
    write_text(folder / name, "added")
    assert input_hash(folder) != before


@pytest.mark.parametrize("kind", [made, plain, foreign])
def test_a_removed_file_makes_another_input(kind: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = kind(tmp_path / "in")
    before = input_hash(folder)
    (folder / "generation_config.json").unlink()
    assert input_hash(folder) != before


def test_data_that_the_manifest_lists_must_be_there(tmp_path: Path) -> None:
    folder = made(tmp_path / "in")
    (folder / "data" / "mixture-00000.parquet").unlink()
    with refused("missing", file="data/mixture-00000.parquet", hint="make it again"):
        input_hash(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_downloaded_model_must_be_the_one_that_was_downloaded(name: str, tmp_path: Path) -> None:
    folder = pulled(tmp_path / "in")
    write_text(folder / name, "X" * len(name))
    with refused("damaged, or was edited", file=name, hint="remove"):
        input_hash(folder)


def test_an_unfinished_folder_is_not_an_input(tmp_path: Path) -> None:
    with stage(tmp_path / "in", "compose", {}, {}) as work:
        write_text(work.folder / "data" / "mixture-00000.parquet", "half")
    with refused("not finished", file=tmp_path / "in", hint="run that command again"):
        input_hash(tmp_path / "in")


@pytest.mark.parametrize("kind", KINDS)
def test_results_and_databases_below_an_input_do_not_count(
    kind: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = kind(tmp_path / "in")
    before = input_hash(folder)
    for name in ("answers.sqlite", "cache.sqlite-journal", "run/usage.sqlite"):
        write_text(folder / name, "")
    with stage(folder / "run" / "tiny" / "facts", "evaluate", {}, {"model": folder}) as work:
        write_text(work.folder / "part.txt", "part")
    assert (folder / "run" / "tiny" / "facts" / CLAIM).exists()
    assert input_hash(folder) == before
    with stage(folder / "run" / "tiny" / "facts", "evaluate", {}, {"model": folder}) as work:
        work.finish(["part.txt"], {})
    assert input_hash(folder) == before


def test_a_stage_in_its_inputs_folder_resumes(tmp_path: Path) -> None:
    inputs = {"corpus": plain(tmp_path / "in")}
    for _ in range(2):
        with stage(tmp_path / "in" / "out", "translate", {}, inputs) as work:
            assert not work.done
            write_text(work.folder / "shard.txt", "paid for")


def test_a_manifest_that_is_damaged_is_named(tmp_path: Path) -> None:
    folder = made(tmp_path / "in")
    (folder / MANIFEST).write_text(json.dumps({"outputs": {}})[:-1])
    with refused("not JSON", file=MANIFEST):
        input_hash(folder)


def test_a_cache_may_not_change_an_input(tmp_path: Path) -> None:
    model, out = plain(tmp_path / "model"), tmp_path / "model" / "out"
    with refused("the input 'model'", file="model/answers", field="cache", hint=".sqlite"):
        refuse_within(model / "answers", {"model": model}, out, "cache")
    for path in (None, model / "answers.sqlite", out / "answers", tmp_path / "answers"):
        refuse_within(path, {"model": model, "bench": model / FILES[0]}, out, "cache")
