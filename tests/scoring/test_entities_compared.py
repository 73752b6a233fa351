from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import write_json
from crossin.scoring.comparison import Comparison, compare
from crossin.scoring.display import comparison_tables, tables
from crossin.scoring.display_split import split_tables
from crossin.scoring.scores import score
from crossin.scoring.values import comparison_values, score_values
from tests.helpers.entity_bench import entity_replies, write_entity_bench
from tests.helpers.small_bench import answer_lines, replies, write_answers, write_bench, write_replies

Changed = Mapping[tuple[str, str], str | None]

# Ours names Austria's capital in German rightly and in Russian wrongly, where theirs named nothing; and no
# longer names the river in English.
OURS: Changed = {("austria", "ru"): "Париж", ("budapest", "en"): "no idea"}
THEIRS: Changed = {("austria", "de"): "?", ("austria", "ru"): None, ("japan", "en"): "Paris"}


def compared(folder: Path, ours: Changed, theirs: Changed, **options: Any) -> Comparison:
    return compare(
        write_replies(folder / "ours.jsonl", entity_replies(ours)),
        write_replies(folder / "theirs.jsonl", entity_replies(theirs)),
        bench=write_entity_bench(folder / "bench"),
        draws=50,
        **options,
    )


def test_a_comparison_says_what_the_difference_is_made_of(tmp_path: Path) -> None:
    made = compared(tmp_path, OURS, THEIRS)
    found = {name: figure.value for name, figure in made.split.items()}
    assert (found["new"], found["lost"], found["neither"]) == pytest.approx((2 / 9, 1 / 9, 0))
    assert (found["new_accuracy"], found["lost_accuracy"]) == (1 / 2, 1)
    assert (found["both_ours"], found["both_theirs"]) == pytest.approx((1, 5 / 6))
    assert made.choices is not None
    gains = sum(found[f"gain_{part}"] for part in ("new", "lost", "both"))
    assert gains == pytest.approx(made.choices.difference["accuracy"].value)
    assert made.choices.difference["answered"].value == pytest.approx(1 / 9)


def test_the_split_is_in_every_form_of_a_comparison(tmp_path: Path) -> None:
    made = compared(tmp_path, OURS, THEIRS)
    rows = [row for row in made.to_arrow().to_pylist() if row["answers"] == "split"]
    by_name = {row["figure"]: row for row in rows}
    assert by_name["gain_new"]["value"] == pytest.approx(1 / 9)
    assert by_name["gain_new/de"]["value_low"] <= by_name["gain_new/de"]["value"]
    assert by_name["gain_new"]["difference"] is None
    values = comparison_values(made)
    assert values["split"]["new"]["value"] == pytest.approx(2 / 9, abs=1e-6)
    assert values["theirs"]["unread"] == {"de": {"no_entity": 1}, "ru": {"empty_reply": 1}}
    [table] = split_tables(made)
    assert str(next(iter(table.columns[0].cells))) == "newly answered: by A only"
    whole, shares, gains = split_tables(made, details=True)
    assert (whole.row_count, shares.row_count, gains.row_count) == (5, 3, 3)
    assert "entities named" in str(comparison_tables(made)[0].columns[0].header)


def test_models_that_answer_everything_have_no_split(tmp_path: Path) -> None:
    made = compared(tmp_path, {("austria", "ru"): "Париж"}, {})
    assert made.split == {}
    assert split_tables(made) == []
    assert comparison_values(made)["split"] == {}


def test_replies_to_multiple_choice_that_name_no_option_have_a_split_too(tmp_path: Path) -> None:
    made = compare(
        write_replies(tmp_path / "ours.jsonl", replies()),
        write_replies(tmp_path / "theirs.jsonl", replies({("sky", "de"): "keine Ahnung"})),
        bench=write_bench(tmp_path / "bench"),
        draws=20,
    )
    assert made.split["new/de"].value == pytest.approx(1 / 3)
    assert made.split["gain_new"].value == pytest.approx(1 / 9)
    assert "multiple choice" in str(comparison_tables(made)[0].columns[0].header)


def test_an_entity_named_in_another_language_counts_on_request(tmp_path: Path) -> None:
    changed = {("austria", "de"): "Vienna", ("japan", "de"): "Tokyo"}
    path = write_replies(tmp_path / "mine.jsonl", entity_replies(changed))
    bench = write_entity_bench(tmp_path / "bench")
    [strict] = score(path, bench=bench, draws=10)
    [lenient] = score(path, bench=bench, draws=10, any_language=True)
    assert strict.choices["answered/de"].value == pytest.approx(1 / 3)
    assert strict.predictions.unread == {"de": {"entity_in_other_language": 2}}
    assert lenient.choices["accuracy/de"].value == 1
    assert lenient.predictions.unread == {}
    made = compare(path, path, bench=bench, draws=10, any_language=True)
    assert made.split == {}


def test_a_score_shows_how_many_were_answered_in_place_of_how_many_were_missing(tmp_path: Path) -> None:
    path = write_replies(tmp_path / "mine.jsonl", entity_replies(OURS))
    [made] = score(path, bench=write_entity_bench(tmp_path / "bench"), draws=10)
    assert made.choices["answered"].value == pytest.approx(8 / 9)
    assert made.texts["containment"].value == pytest.approx(7 / 9)
    heads = [str(column.header) for column in tables(made)[0].columns]
    assert "answered" in heads
    assert "missing" not in heads
    values = score_values(made)
    assert values["unread"] == {"en": {"no_entity": 1}}
    assert values["items"] == 3
    assert "rankc_floor" not in values


def evaluation(folder: Path, prompt: str = "", **form: Any) -> Path:
    write_answers(folder, answer_lines(**({"prompt": prompt} if prompt else {})))
    write_json(folder / "manifest.json", {"settings": {"name": folder.name, "form": form, "choice": "token"}})
    return folder


def test_models_that_were_asked_differently_are_named_so(tmp_path: Path) -> None:
    five = evaluation(tmp_path / "five", kind="score", shots=5)
    three = evaluation(tmp_path / "three", kind="score", shots=3)
    made = compare(five, three, draws=10)
    assert made.settings_apart == {"shots": (5, 3)}
    assert comparison_values(made)["settings_apart"] == {"shots": [5, 3]}
    assert compare(five, five, draws=10).settings_apart == {}


def test_the_arguments_that_name_a_model_are_no_difference_in_how_it_was_asked(tmp_path: Path) -> None:
    path = write_replies(tmp_path / "mine.jsonl", entity_replies())
    made = compare(path, path, bench=write_entity_bench(tmp_path / "bench"), draws=10)
    one, other = (
        replace(
            made.ours, log=replace(made.ours.log, settings={"model_args": f"pretrained={x}", "shots": "0"})
        )
        for x in "ab"
    )
    assert replace(made, ours=one, theirs=other).settings_apart == {}


def test_a_log_that_does_not_say_how_it_was_made_differs_in_nothing_known(tmp_path: Path) -> None:
    plain = write_replies(tmp_path / "plain.jsonl", entity_replies(prompt="plain"))
    polite = write_replies(tmp_path / "polite.jsonl", entity_replies(prompt="polite"))
    bench = write_entity_bench(tmp_path / "bench")
    assert compare(plain, polite, bench=bench, draws=10).settings_apart == {"prompt": ("plain", "polite")}
    assert compare(plain, plain, bench=bench, draws=10).settings_apart == {}


def test_rankc_has_its_floor_and_its_value_for_random_rankings_beside_it(tmp_path: Path) -> None:
    [made] = score(evaluation(tmp_path / "run"), draws=10)
    values = score_values(made)
    assert (values["rankc_floor"], values["rankc_random"]) == pytest.approx((0.0902, 0.3768), abs=5e-5)
    [caption] = [
        str(table.caption) for table in tables(made, details=True) if "pposite" in str(table.caption)
    ]
    assert "0.0902" in caption and "0.3768" in caption
