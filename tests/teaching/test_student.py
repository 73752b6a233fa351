"""A small model that was taught facts in English only teaches them in Spanish: a student that is trained on
these rows answers more of them in Spanish than before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_parquet
from crossin.core.formats import ITEMS
from crossin.core.stages import Stage
from crossin.evaluation import evaluate
from crossin.facts import build_bench
from crossin.items import read_items
from crossin.items.item import write_items
from crossin.mixture import compose
from crossin.teaching.run import teach
from crossin.training import train

COUNTRIES = 16


def tuned(model: Path, corpus: Path, components: list[dict[str, Any]], groups: list[str], out: Path) -> Path:
    """The folder of the model, tuned in full on the rows of these countries' capitals."""
    chosen = {"group": groups, "task": ["capital"]}
    recipe = {
        "name": "small",
        "template": "question",
        "tag": "none",
        "languages": ["en", "es"],
        "corpora": {"questions": {"source": "questions.parquet", "check": "none", "filter": chosen}},
        "components": components,
    }
    mixture = compose(recipe, corpus, out / "mixture").folder
    settings = {
        "model": str(model),
        "mixture": str(mixture),
        "method": {"kind": "full"},
        "optimiser": {"learning_rate": 1e-2, "schedule": "linear"},
        "batches": {"rows": 16, "tokens": 1024},
        "epochs": 40,
    }
    return train(settings, out / "training").folder / "model"


def accuracy(model: Path, bench: Path, out: Path) -> float:
    """The share of the Spanish questions that the model answers rightly."""
    settings = {"models": [f"m={model}"], "bench": [f"b={bench}"], "languages": ["es"], "device": "cpu"}
    evaluate(settings, out)
    rows = read_parquet(out / "m" / "b" / "answers.parquet", ["answer", "gold"]).to_pylist()
    return float(sum(row["answer"] == row["gold"] for row in rows) / len(rows))


@pytest.mark.slow
def test_a_student_answers_more_in_another_language(
    tiny_model: Path, facts_folder: Path, tmp_path: Path
) -> None:
    whole = build_bench(facts_folder, tmp_path / "whole", split="train").folder
    capitals = [
        item for item in read_items(whole) if item.task == "capital" and item.language in ("en", "es")
    ]
    groups = list(dict.fromkeys(item.group for item in capitals))[:COUNTRIES]
    bench = tmp_path / "bench"
    bench.mkdir()
    write_items(bench / ITEMS, [item for item in capitals if item.group in groups])

    english = tuned(tiny_model, facts_folder, [{"kind": "base", "rows": "all"}], groups, tmp_path / "english")
    settings = {"model": str(tiny_model), "teacher": str(english.parent), "questions": bench, "device": "cpu"}
    taught: Stage = teach(settings, tmp_path / "taught")
    counts = taught.manifest["counts"]
    assert counts["certain"] >= COUNTRIES / 2
    assert counts["right"]["kept"]["value"] >= 0.9

    spanish = [{"kind": "mono", "rows": "all"}, {"kind": "base", "rows": "all"}]
    student = tuned(english, taught.folder, spanish, groups, tmp_path / "student")
    before, after = (
        accuracy(model, bench, tmp_path / f"eval-{model.parent.parent.name}") for model in (english, student)
    )
    assert after >= before + 0.25
