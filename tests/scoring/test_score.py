from __future__ import annotations

from pathlib import Path

import pytest

from crossin.metrics.choices import figures
from crossin.scoring.display import summary, tables
from crossin.scoring.scores import score, wordings
from crossin.scoring.values import score_values
from tests.helpers.errors import refused
from tests.helpers.small_bench import replies, write_bench, write_replies


def test_every_figure_of_a_model_that_is_always_right(tmp_path: Path) -> None:
    [made] = score([write_replies(tmp_path / "mine.jsonl", replies())], bench=write_bench(tmp_path / "bench"))
    assert made.pivot == "en"
    for name in ("accuracy", "consistency_2", "consistency_3", "kappa_2", "agreement/en+th", "pivot", "kept"):
        assert made.choices[name].value == pytest.approx(1)
    assert made.choices["missing"].value == 0
    assert made.texts["exact_match/th"].value == 1
    assert made.texts["chrf"].value == pytest.approx(100)


def test_the_figures_are_those_of_the_metrics(tmp_path: Path) -> None:
    lines = replies({("sky", "de"): "rot", ("grass", "th"): "?", ("coal", "en"): "blue"})
    [made] = score([write_replies(tmp_path / "mine.jsonl", lines)], bench=write_bench(tmp_path / "bench"))
    assert made.predictions.choices is not None
    for name, value in figures(made.predictions.choices).items():
        assert made.choices[name].value == pytest.approx(value, nan_ok=True)
    assert made.choices["missing/th"].value == pytest.approx(1 / 3)


def test_every_interval_holds_its_value(tmp_path: Path) -> None:
    lines = replies({("sky", "de"): "rot", ("grass", "th"): "?", ("name", "de"): "Vienna"})
    [made] = score([write_replies(tmp_path / "mine.jsonl", lines)], bench=write_bench(tmp_path / "bench"))
    for figure in made.choices.values():
        assert not figure.low > figure.value + 1e-9
        assert not figure.high < figure.value - 1e-9


def test_the_pivot_is_english_or_the_one_named(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")
    path = write_replies(tmp_path / "mine.jsonl", replies())
    assert "pivot/de" in score([path], bench=bench)[0].choices
    assert "pivot/en" in score([path], bench=bench, pivot="de")[0].choices
    without = [line for line in replies() if line["language"] != "en"]
    path = write_replies(tmp_path / "other.jsonl", without)
    assert score([path], bench=bench)[0].pivot == "de"
    assert score(str(path), bench=str(bench), pivot="Thai")[0].pivot == "th"
    with refused("pivot", "en", file=path, hint="de, th"):
        score([path], bench=bench, pivot="en")


def test_one_language_has_accuracy_and_no_consistency(tmp_path: Path) -> None:
    lines = [line for line in replies() if line["language"] == "de"]
    [made] = score([write_replies(tmp_path / "mine.jsonl", lines)], bench=write_bench(tmp_path / "bench"))
    assert made.choices["accuracy"].value == 1
    assert not any(name.startswith(("consistency", "pivot", "kept")) for name in made.choices)


def test_wordings_are_told_by_median_range_and_agreement(tmp_path: Path) -> None:
    wrong = {("sky", x): "red" for x in ("en", "de")} | {("sky", "th"): "แดง"}
    lines = [*replies(prompt="a"), *replies(prompt="b"), *replies(wrong, prompt="c")]
    scores = score([write_replies(tmp_path / "mine.jsonl", lines)], bench=write_bench(tmp_path / "bench"))
    [found] = wordings(scores)
    accuracy = found.spread["accuracy"]
    assert (accuracy.median, accuracy.high) == (1, 1)
    # "red" is no option in German: the reply names none.
    assert accuracy.low == pytest.approx(2 / 3)
    assert found.agreement["wording_agreement"].value == pytest.approx(2 / 3)
    assert found.prompts == ["a", "b", "c"]


def test_models_of_one_name_are_not_wordings_of_each_other(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
    both = [*replies(prompt="a"), *replies(prompt="b")]
    asked = [
        write_replies(tmp_path / "one" / "mine.jsonl", both),
        write_replies(tmp_path / "other" / "mine.jsonl", replies({("sky", "en"): "green"}, prompt="a")),
    ]
    scores = score(asked, bench=bench)
    [found] = wordings(scores)
    assert found.spread["accuracy"].low == 1
    names = list(summary(scores).columns[0].cells)
    assert [str(name) for name in names] == [
        f"mine a ({asked[0]})",
        "mine b",
        f"mine a ({asked[1]})",
    ]


def test_free_text_in_more_languages_is_shown_in_all_of_them(tmp_path: Path) -> None:
    lines = [line for line in replies() if line["item"] == "name" or line["language"] != "th"]
    [made] = score([write_replies(tmp_path / "mine.jsonl", lines)], bench=write_bench(tmp_path / "bench"))
    texts = tables(made)[-1]
    assert [str(cell) for cell in texts.columns[0].cells] == ["en", "de", "th", "mean"]
    assert [str(cell) for cell in texts.columns[-1].cells] == ["English", "German", "Thai", ""]


def test_one_wording_has_no_spread(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")
    assert wordings(score([write_replies(tmp_path / "a.jsonl", replies())], bench=bench)) == []
    assert wordings(score([write_replies(tmp_path / "b.jsonl", replies(prompt="p"))], bench=bench)) == []


def test_json_says_what_was_asked_and_left_out(tmp_path: Path) -> None:
    lines = [line for line in replies() if (line["item"], line["language"]) != ("sky", "th")]
    [made] = score([write_replies(tmp_path / "mine.jsonl", lines)], bench=write_bench(tmp_path / "bench"))
    values = score_values(made)
    assert (values["items"], values["groups"], values["incomplete"]) == (3, 3, {"th": 1})
    assert values["choices"]["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert values["signatures"]["bleu/th"].startswith("nrefs:1")
