"""What is wrong in an experiment is one clear error that names the place, before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossin.core.files import read_json, write_json
from crossin.experiments.index import Index, write_index
from crossin.experiments.run import experiment, planned
from tests.helpers.errors import refused
from tests.helpers.full_disk import full_disk

FILE = """
baseline: English rows
seeds: [3, 5]
languages: [en, hi]
model: some/model
sources:
  facts: {make: facts}
  test: {make: facts-bench, facts: "${facts}"}
compose: {recipe: demo, data: "${facts}"}
train: {config: demo}
evaluate: {bench: {facts: "${test}"}}
axes:
  amount: {entry: compose.components.mixed.rows, values: [0, 20], arms: [mixed rows]}
arms:
  as it is: {train: null}
  English rows: {compose: {components: [{kind: base, rows: 40}]}}
  mixed rows: {compose: {components: [{kind: base, rows: 40}, {kind: x2x, name: mixed, rows: 9}]}}
tiny: {seeds: [3], train: {max_steps: 2}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(FILE)
    return path


def edit(file: Path, old: str, new: str) -> None:
    assert old in FILE
    file.write_text(FILE.replace(old, new, 1))


def test_the_file_itself_is_sound(file: Path) -> None:
    plan = planned(file)
    assert [arm.spec.name for arm in plan.arms] == [
        "as it is",
        "English rows",
        "mixed rows, amount 0",
        "mixed rows, amount 20",
    ]
    assert len(planned(file, tiny=True).arms[0].runs) == 1


@pytest.mark.parametrize(
    ("old", "new", "field", "near"),
    [
        ("seeds: [3, 5]", "seads: [3]", "seads", "'seeds'"),
        ("as it is: {train: null}", "as it is: {trian: null}", "arms.as it is.trian", "'train'"),
        ("train: {config: demo}", "train: {config: demo, epoch: 2}", "train.epoch", "'epochs'"),
        (
            "train: {config: demo}",
            "train: {config: demo, method: {ranks: 2}}",
            "train.method.ranks",
            "'rank'",
        ),
        ('data: "${facts}"}', 'data: "${facts}", tagg: none}', "compose.tagg", "'tag'"),
        ("rows: 9}", "rows: 9, sampel: x}", "compose.components.1.sampel", "'sampler'"),
        ("evaluate: {", "evaluate: {limits: 3, ", "evaluate.limits", "'limit'"),
        ("{make: facts}", "{make: facts, held: dev}", "sources.facts.held", "'held_out'"),
        ("{make: facts}", "{make: fact}", "sources.facts.make", "'facts'"),
        ("{make: facts}", "{mak: facts}", "sources.facts.make", "facts-bench"),
        ("tiny: {seeds", "tiny: {seed", "tiny.seed", "'seeds'"),
        ("{config: demo}", "{config: demoo}", "train.config", "'demo'"),
        ("recipe: demo", "recipe: dem", "compose.recipe", "'demo'"),
        ("amount: {entry", "amount: {entri", "axes.amount.entri", "'entry'"),
        ("languages: [en, hi]", "languages: [en, Hindo]", "languages.1", "Hindi"),
    ],
)
def test_an_unknown_name_is_shown_with_the_nearest(
    file: Path, old: str, new: str, field: str, near: str
) -> None:
    edit(file, old, new)
    with refused(near, file=file.name, field=field):
        planned(file)


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ('facts: "${facts}"}', 'facts: "${fact}"}', "sources.test.facts", "'${facts}'"),
        ('data: "${facts}"', 'data: "${facs}"', "compose.data", "'${facts}'"),
        ("train: null", 'train: {init: "${arms.English row}"}', "train.init", "'English rows'"),
        ("train: null", 'train: {init: "${arms.as it is}"}', "train.init", "needs itself"),
        ('facts: "${facts}"}', 'facts: "${test}"}', "sources.test.facts", "test → test"),
        ('data: "${facts}"', "data: nowhere", "compose.data", "nowhere"),
        ('{facts: "${test}"}', "{facts: nowhere}", "evaluate.bench.facts", "nowhere"),
        ('{facts: "${test}"}', "{}", "evaluate.bench", "${test}"),
        ("train: {config: demo}", "train: {config: demo, model: other/model}", "train.model", "some/model"),
        ("evaluate: {", "evaluate: {models: [other/model], ", "evaluate.models", "some/model"),
        ("evaluate: {", "evaluate: {adapter: ., ", "evaluate.adapter", "train: null"),
        ("{make: facts}", "{make: bench, name: klar, source: no/where}", "sources.facts", "no/where"),
        ("{make: facts}", "{make: bench, name: own.yaml}", "sources.facts", "own.yaml"),
        ("train: {config: demo}", "train: {config: demo, mixture: no/mixture}", "train", "no/mixture"),
        ("  facts: {make: facts}", "  model: {make: facts}", "sources", "${model}"),
    ],
)
def test_an_arm_that_refers_to_nothing_says_to_what(
    file: Path, old: str, new: str, field: str, words: str
) -> None:
    edit(file, old, new)
    with refused(words, field=field):
        planned(file)


@pytest.mark.parametrize(
    ("languages", "field", "words"),
    [
        ("languages: [hi, th]", "compose", "'en' is not among hi, th"),
        ("languages: [en, eu]", "sources.facts.languages", "'eu'"),
        ("languages: [en]", "compose.components.1", "another language beside en"),
    ],
)
def test_a_mixture_without_the_languages_of_its_components_is_an_error(
    file: Path, languages: str, field: str, words: str
) -> None:
    edit(file, "languages: [en, hi]", languages)
    with refused(words, file=file.name, field=field):
        planned(file)


def test_a_full_disk_is_one_clear_error_and_the_run_goes_on_when_there_is_room(
    file: Path, tmp_path: Path, tiny_model: Path
) -> None:
    edit(file, "{bench:", "{limit: 2, bench:")
    out = tmp_path / "out"
    with full_disk(100), refused("cannot write", file="experiment.yaml"):
        experiment(file, out, only=["as it is"], model=str(tiny_model))
    with full_disk(3000), refused("no arm finished", "facts.parquet", "cannot write"):
        experiment(
            file, out, only=["as it is"], model=str(tiny_model), arms={"English rows": {"train": None}}
        )
    done = experiment(
        file, out, only=["as it is"], model=str(tiny_model), arms={"English rows": {"train": None}}
    )
    assert not done.failures and (out / "results.parquet").is_file()


def test_a_baseline_that_is_no_arm_is_an_error(file: Path) -> None:
    edit(file, "baseline: English rows", "baseline: English row")
    with refused("'English rows'", file=file.name, field="baseline"):
        planned(file)
    # With an axis, an arm has a value in its name.
    edit(file, "baseline: English rows", "baseline: mixed rows")
    with refused("mixed rows, amount 0", file=file.name, field="baseline"):
        planned(file)


@pytest.mark.parametrize(
    "line", ["  English rows: {train: null}", '  "English rows": {}', "  English rows:", "tiny: {}"]
)
def test_a_name_that_is_there_twice_is_an_error_with_its_line(file: Path, line: str) -> None:
    edit(file, "tiny: {seeds", f"{line}\ntiny: {{seeds")
    with refused("twice", line.strip().split(":")[0].strip('"'), file=file.name) as error:
        planned(file)
    assert error.value.row in (18, 19)


def test_an_axis_that_makes_two_arms_of_one_name_is_an_error(file: Path) -> None:
    edit(file, "as it is: {train: null}", '"mixed rows, amount 20": {train: null}')
    with refused("two arms", "'mixed rows, amount 20'", file=file.name, field="arms"):
        planned(file)
    edit(file, "[0, 20]", "[20, 20]")
    with refused("20", "twice", file=file.name, field="axes.amount"):
        planned(file)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("compose.components.mixd.rows", "did you mean 'mixed'"),
        ("compose.components.7.rows", "'7'"),
        ("compose.componets.mixed.rows", "did you mean 'components'"),
        ("compose.components.mixed.row", "did you mean 'rows'"),
        ("train.method.rnk", "did you mean 'rank'"),
        ("evaluat.limit", "did you mean 'evaluate'"),
        ("sources.facts.held", "there is no"),
    ],
)
@pytest.mark.parametrize("arms", [", arms: [mixed rows]}", "}"], ids=["named arms", "all arms"])
def test_an_axis_on_an_entry_that_does_not_exist_is_an_error(
    file: Path, entry: str, words: str, arms: str
) -> None:
    changed = FILE.replace("compose.components.mixed.rows", entry).replace(", arms: [mixed rows]}", arms)
    file.write_text(changed)
    with refused(words, file=file.name, field="axes.amount.entry"):
        planned(file)


def test_an_axis_on_a_setting_with_a_default_is_none(file: Path) -> None:
    edit(file, "compose.components.mixed.rows, values: [0, 20]", "train.method.rank, values: [2, 4]")
    assert len(planned(file).arms) == 4


def test_an_axis_on_a_name_that_two_components_share_is_an_error(file: Path) -> None:
    changed = FILE.replace("components.mixed.rows", "components.x2x.rows").replace(", arms: [mixed rows]", "")
    file.write_text(
        changed.replace("name: mixed, rows: 9}", "name: a, rows: 9}, {kind: x2x, name: b, rows: 1}")
    )
    with refused("elements 1 and 2", "a, b", file=file.name, field="axes.amount.entry"):
        planned(file)


def test_arms_that_are_wanted_must_exist(file: Path) -> None:
    with refused("'mixed row'", "mixed rows", field="--only") as error:
        planned(file, only=["mixed row"])
    assert error.value.file is None
    edit(file, "arms: [mixed rows]", "arms: [mixed row]")
    with refused("'mixed rows'", file=file.name, field="axes.amount.arms"):
        planned(file)


def test_what_is_set_in_place_of_an_entry_is_no_fault_of_the_file(file: Path) -> None:
    for key, field in (("compose.tagg", "compose.tagg"), ("seads", "seads"), ("train.epoch", "train.epoch")):
        with refused(field=field) as error:
            planned(file, {key: 1})
        assert error.value.file is None


def test_results_of_another_version_are_refused_and_stay(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write_index(out, Index("mine", "English rows", "en", ("en", "hi"), {}, ()))
    write_json(out / "experiment.json", {**read_json(out / "experiment.json"), "crossin": "0.0.1"})
    with refused("0.0.1", file="experiment.json", hint="another folder"):
        experiment(file, out)
    assert [path.name for path in out.iterdir()] == ["experiment.json"]


def test_a_folder_with_something_else_is_refused_and_stays(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "letter.txt").write_text("Dear all")
    with refused("not empty", file=out, hint="--out"):
        experiment(file, out)
    assert [path.name for path in out.iterdir()] == ["letter.txt"]
