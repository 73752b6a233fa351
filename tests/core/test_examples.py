"""The examples that come with the package, and what a name means where a file may be given."""

from __future__ import annotations

from pathlib import Path

import pytest

import crossin
from crossin.core.examples import FOLDER, Example, find_example, folder_of, list_examples, named_file
from crossin.core.settings import Settings, read_settings
from crossin.evaluation.config import EvaluateConfig
from crossin.experiments.config import read_config as read_experiment
from crossin.experiments.demo import DemoConfig
from crossin.mixture import read_recipe
from crossin.probing.config import ProbeConfig
from crossin.teaching.config import TeachConfig
from crossin.training.config import TrainConfig, read_config
from crossin.translation.config import TranslateConfig
from tests.helpers.errors import refused

EXAMPLES = list_examples()
SETTINGS: dict[str, tuple[type[Settings], dict[str, object]]] = {
    "demo": (DemoConfig, {}),
    "evaluate": (EvaluateConfig, {"models": ["m"]}),
    "probe": (ProbeConfig, {"model": "m", "parallel": "sentences"}),
    "teach": (TeachConfig, {"model": "m", "questions": "bench"}),
    "translate": (TranslateConfig, {"corpus": "rows.jsonl", "model": "m"}),
}


def label(example: Example) -> str:
    return f"{example.command}/{example.name}"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without any file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_examples_are_inside_the_package_and_for_eight_commands() -> None:
    assert FOLDER.is_relative_to(Path(crossin.__file__).parent)
    assert {one.command for one in EXAMPLES} == {"compose", "experiment", "train", *SETTINGS}
    assert {"first-paper-x2x", "demo"} <= {one.name for one in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=label)
def test_an_example_is_described_in_its_first_line_and_read_everywhere(example: Example) -> None:
    text = example.path.read_text("utf-8")
    assert text.startswith("# ")
    assert example.about.endswith(".")
    assert 20 <= len(example.about) <= 100
    # A console of any encoding prints it.
    assert text.isascii()


@pytest.mark.parametrize("example", EXAMPLES, ids=label)
def test_an_example_needs_only_what_the_user_alone_knows(example: Example, here: Path) -> None:
    if example.command == "compose":
        assert read_recipe(example.name).components
    elif example.command == "train":
        assert read_config(example.name, {"model": "m", "mixture": "x"}).mixture == Path("x")
    elif example.command == "experiment":
        # Their arms: tests/experiments/test_examples.py.
        assert read_experiment(example.name)[0].name == example.name
    else:
        model, given = SETTINGS[example.command]
        read_settings(model, named_file(example.command, example.name), given, hint="none")


@pytest.mark.parametrize("given", ["demo", Path("demo")])
def test_a_bare_name_is_an_example(given: str | Path, here: Path) -> None:
    assert named_file("train", given) == FOLDER / "train" / "demo.yaml"
    assert named_file("compose", given) == FOLDER / "compose" / "demo.yaml"


def test_a_folder_of_the_name_changes_nothing(here: Path) -> None:
    (here / "demo").mkdir()
    assert named_file("train", "demo") == FOLDER / "train" / "demo.yaml"


def test_a_file_of_the_name_comes_first_and_is_reported(here: Path) -> None:
    (here / "demo").write_text("epochs: 3")
    said: list[str] = []
    assert named_file("train", "demo", said.append) == here / "demo"
    assert named_file("train", here / "demo", said.append) == here / "demo"
    assert len(said) == 1
    assert "file" in said[0] and "crossin train" in said[0]
    with pytest.warns(UserWarning, match="not the example"):
        assert read_config("demo").epochs == 3
    (here / "mine").write_text("epochs: 3")
    assert named_file("train", "mine", said.append) == Path("mine")
    assert len(said) == 1


@pytest.mark.parametrize("given", ["./demo", "sub/demo", "/demo", "other.yaml", "other.yml", "other.json"])
def test_a_path_with_a_folder_or_a_suffix_is_a_file(given: str, here: Path) -> None:
    with refused("demo" if "demo" in given else "other"):
        read_config(given)
    (here / "sub").mkdir()
    for name in ("demo", "sub/demo", "other.yaml", "other.yml", "other.json"):
        (here / name).write_text("epochs: 3")
    assert given == "/demo" or read_config(given).epochs == 3


@pytest.mark.parametrize(
    ("command", "name", "near"),
    [
        ("train", "dmo", "'demo'"),
        ("train", "Paper", "'paper'"),
        ("compose", "first-paper-x2xx", "'first-paper-x2x'"),
        ("compose", "released_code", "'released-code'"),
        ("evaluate", "fact", "'facts'"),
        ("compose", "paper", "crossin train"),
        ("train", "zzzzz", "crossin examples"),
        ("train", "", "crossin examples"),
        ("probe", "..", "crossin examples"),
    ],
)
def test_a_misspelt_name_is_answered_with_those_that_are_near(
    command: str, name: str, near: str, here: Path
) -> None:
    with refused(f"'{name}'", f"crossin {command}", hint=near) as caught:
        named_file(command, name)
    assert "crossin examples" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("command", "path", "name"),
    [
        ("compose", "examples/first-paper-x2x.yaml", "first-paper-x2x"),
        ("train", "examples/train-demo.yaml", "demo"),
        ("train", "demo.yaml", "demo"),
    ],
)
def test_a_missing_file_with_the_name_of_an_example_names_it(
    command: str, path: str, name: str, here: Path
) -> None:
    with refused("no such file", file=path, hint=f"crossin {command} {name}"):
        named_file(command, path)


def test_paths_in_an_example_start_from_the_working_directory_and_others_from_their_file(here: Path) -> None:
    given = {"model": "m", "mixture": "x"}
    pairs = read_config("crossin-consistency", given).pairs
    assert pairs is not None and pairs.items == Path("bench-train")
    (here / "sub").mkdir()
    (here / "sub" / "mine.yaml").write_text(find_example("crossin-consistency").path.read_text("utf-8"))
    pairs = read_config("sub/mine.yaml", given).pairs
    assert pairs is not None and pairs.items == Path("sub/bench-train")
    assert folder_of(here / "sub" / "mine.yaml") == here / "sub"


def test_what_an_example_lacks_is_asked_for_without_its_file(here: Path) -> None:
    with refused(field="parallel") as caught:
        read_settings(ProbeConfig, named_file("probe", "flores"), {"model": "m"}, hint="none")
    assert caught.value.file is None


def test_an_example_is_found_by_its_name_or_with_its_command() -> None:
    assert find_example("first-paper-x2x").command == "compose"
    assert find_example("train/demo").path == FOLDER / "train" / "demo.yaml"
    with refused("several", "'demo'", hint="crossin examples compose/demo"):
        find_example("demo")
    with refused("no example", hint="'first-paper-x2x'"):
        find_example("first-paper-x2")
    with refused("no example", hint="crossin examples"):
        find_example("evaluate/demo")


@pytest.mark.parametrize("given", ["demo", {"epochs": 1}, TrainConfig()])
def test_settings_are_a_name_entries_or_a_model_and_what_is_given_goes_before(
    given: object, here: Path
) -> None:
    config = read_config(given, {"epochs": 4, "batches": {"longest": 9}})  # type: ignore[arg-type]
    assert (config.epochs, config.batches.longest) == (4, 9)
