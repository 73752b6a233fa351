"""docs/metrics.md carries one example through every figure: its numbers are those that the functions give."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.metrics.choices import answer_family, expected_consistency, figures
from crossin.metrics.difference_parts import split_family
from crossin.metrics.families import observed
from crossin.metrics.option_bias import OptionTraits, bias_families
from crossin.metrics.outcomes import outcome_family
from crossin.metrics.pairwise import agreement_family, agreement_parts_family, pivot_family
from crossin.metrics.pivot_transfer import transfer_family
from crossin.metrics.rankings import rankc_chance, rankc_family, rankc_floor, ranked
from crossin.metrics.seaeval import chances_of, drawn_accuracy, drawn_consistency
from crossin.metrics.significance import holm, mcnemar
from crossin.metrics.table import AnswerTable, Floats
from crossin.metrics.wordings import spread, wording_family
from tests.helpers.answer_tables import table
from tests.helpers.paths import ROOT

DOCUMENT = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
LANGUAGES = ("en", "vi", "th")


def tables_below(heading: str) -> list[list[list[str]]]:
    """The cells of each table below a heading of the page, without its head and rule."""
    section = DOCUMENT.split(f"\n## {heading}")[1].split("\n## ")[0]
    blocks = re.findall(r"(?:^\|.*\|\n)+", section, flags=re.MULTILINE)
    return [
        [[cell.strip() for cell in row.strip("|").split("|")] for row in b.splitlines()[2:]] for b in blocks
    ]


def answers_below(heading: str) -> AnswerTable:
    rows = tables_below(heading)[0]
    cells = [["abcd".find(cell) for cell in row[2:]] for row in rows]
    read = table(cells, gold=["abcd".index(row[1]) for row in rows])
    return AnswerTable(read.items, LANGUAGES, read.groups, read.tasks, read.answers, read.gold, read.options)


def rankings() -> Floats:
    """Any log-probabilities that rank as the page says."""
    logprobs = np.full((3, 3, 4), np.nan)
    for i, row in enumerate(tables_below("RankC")[0]):
        for j, cell in enumerate(row[1:]):
            for rank, option in enumerate(cell.replace("-", "").split()):
                logprobs[i, j, "abcd".index(option)] = -1 - rank
    return logprobs


def biases(whole: AnswerTable) -> dict[str, float]:
    """The position bias where the prompt lists the options in their order."""
    golds = np.broadcast_to(whole.gold[:, None], whole.answers.shape)
    unknown = np.full(whole.answers.shape, -1)
    traits = OptionTraits(whole.languages, whole.answers, golds, unknown, unknown)
    return {name: value for one in bias_families(traits) for name, value in observed(one).items()}


def computed() -> dict[str, float]:
    whole, other = answers_below("The example"), answers_below("Wordings")
    families = (
        answer_family(whole),
        agreement_family(whole),
        agreement_parts_family(whole),
        outcome_family(whole),
        pivot_family(whole, "en"),
        transfer_family(whole, "en"),
        rankc_family(whole, rankings()),
        wording_family([whole, other]),
    )
    pooled = replace(whole, pools=("one", "one", "other"))
    parts = observed(split_family(other, whole))
    accuracy = spread({"first": figures(whole), "second": figures(other)})["accuracy"]
    won, lost = table([[0]] * 5 + [[1]]), table([[1]] * 5 + [[0]])
    corrected = holm({"holm: 0.01": 0.01, "holm: 0.03": 0.03, "holm: 0.04": 0.04})
    return {
        **{name: value for family in families for name, value in observed(family).items()},
        **{f"expected_{s}": expected_consistency(whole, s) for s in (2, 3)},
        **{f"place_3{kind}/vi": biases(whole)[f"place_3{kind}/vi"] for kind in ("", "_gold", "_excess")},
        "expected_2, in pools": expected_consistency(pooled, 2),
        "kappa_2, in pools": figures(pooled)["kappa_2"],
        **{name: value for name, value in parts.items() if "/" not in name and name != "lost_accuracy"},
        "accuracy, median": accuracy.median,
        "accuracy, lowest": accuracy.low,
        "accuracy, highest": accuracy.high,
        "mcnemar": mcnemar(won, lost)["en"],
        **corrected,
        "SeaEval accuracy": float(drawn_accuracy(chances_of(whole), whole.gold).mean()),
        **{f"SeaEval consistency_{s}": float(drawn_consistency(chances_of(whole))[s]) for s in (2, 3)},
    }


def test_every_figure_is_on_the_page_with_its_value() -> None:
    printed = dict(re.findall(r"^\| `([^`]+)` \| .* \| (-?\d\.\d{3}) \|$", DOCUMENT, flags=re.MULTILINE))
    assert printed == {name: f"{value:.3f}" for name, value in computed().items()}


def test_the_page_names_every_figure_in_its_list() -> None:
    listed = {name for row in tables_below("All figures")[0] for name in re.findall(r"`([^`]+)`", row[0])}
    named = {re.sub("place_[0-9]", "place_<k>", name.split("/")[0]) for name in computed() if " " not in name}
    families = {re.sub(r"_\d$", "_s", name) for name in named}
    free_text = {"exact_match", "containment", "f1", "chrf", "bleu", "fidelity", "undecided", "in_language"}
    assert families - {"mcnemar"} | free_text <= {name.split("/")[0] for name in listed}


def test_the_rankings_and_answers_of_the_page_are_one_model() -> None:
    logprobs, whole = rankings(), answers_below("The example")
    known = ~np.isnan(logprobs[:, :, 0])
    assert (logprobs[known].argmax(axis=1) == whole.answers[known]).all()
    assert ranked(whole, logprobs)[np.triu_indices(3, k=1)].tolist() == [3, 2, 2]
    assert "(3, 2 and 2 here)" in DOCUMENT


def test_other_numbers_on_the_page() -> None:
    weights = [f"{np.exp(-j) / np.exp(-np.arange(4)).sum():.3f}" for j in range(4)]
    assert f"({', '.join(weights)} with four options)" in DOCUMENT
    assert f"`rankc_chance(4)` = {rankc_chance(4):.4f}" in DOCUMENT
    assert f"`rankc_floor(4)` = {rankc_floor(4):.4f}" in DOCUMENT
    always = figures(table(np.zeros((4, 3), dtype=np.int64), gold=[0, 1, 2, 3]))
    assert [always["accuracy"], always["consistency_2"], always["ac3_2"]] == pytest.approx([0.25, 1, 0.4])
    assert "accuracy 0.25, consistency 1 and AC3 0.4" in DOCUMENT


def test_the_lines_of_python_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, logprobs = answers_below("The example"), rankings()
    lines = [
        {
            **dict.fromkeys(("item", "group", "task"), item),
            "language": language,
            "option_ids": list("abcd"),
            "logprobs": None if np.isnan(logprobs[i, j]).any() else logprobs[i, j].tolist(),
            "answer": "abcd"[answer] if (answer := int(whole.answers[i, j])) >= 0 else None,
            "gold": "abcd"[whole.gold[i]],
        }
        for i, item in enumerate(whole.items)
        for j, language in enumerate(LANGUAGES)
    ]
    write_parquet(tmp_path / "evaluation" / "answers.parquet", pyarrow.Table.from_pylist(lines))
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", DOCUMENT, flags=re.DOTALL)[0]
    made: dict[str, Any] = {}
    exec(code, made)
    found = {name: value for family in made["families"] for name, value in observed(family).items()}
    assert found == {name: value for name, value in computed().items() if name in found}
    assert {"kept/th", "rankc/en+th", "kappa/en+th"} <= set(found)
