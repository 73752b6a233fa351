"""Whatever recipe and corpora come: a mixture whose counts add up, or one clear error."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossin.core.errors import CrossinError
from crossin.mixture import Recipe, compose, preview
from crossin.mixture.job import make_job
from crossin.mixture.run import resolve
from tests.mixture.test_mixture import rows_of

LANGUAGES = ("en", "zh", "vi")
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
rows = st.fixed_dictionaries(
    {
        "id": st.integers(0, 8),
        "instruction": texts.map("do ".__add__) | texts,
        "output": texts.map("a ".__add__) | texts,
    },
    optional={"input": texts | st.none(), "score": st.integers(1, 5)},
)
# Mostly files of usable rows, so that many recipes can be composed.
files = st.lists(rows, min_size=6, max_size=9, unique_by=lambda row: row["id"]) | st.lists(
    rows, min_size=1, max_size=8
)
filters = st.dictionaries(
    st.sampled_from(("score", "characters")), st.fixed_dictionaries({"min": st.integers(0, 5)}), max_size=1
)
components = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("base", "mono", "x2en", "en2x", "x2x", "trans")),
        "corpus": st.sampled_from(("one", "two")),
    },
    optional={
        "replacement": st.booleans(),
        "epochs": st.integers(1, 3),
        "sampler": st.sampled_from(("uniform", "proportional", "temperature", "unimax")),
        "temperature": st.floats(1e-3, 1e3),
        "side": st.sampled_from(("instruction", "output")),
        "stage": st.integers(0, 1),
        "filter": filters,
        "languages": st.sampled_from((["zh"], ["vi"], ["vi", "zh"], ["en", "zh"])),
    },
)
sizes = st.one_of(
    st.fixed_dictionaries({"rows": st.just("all") | st.integers(1, 2) | st.integers(1, 12)}),
    st.fixed_dictionaries({"tokens": st.integers(1, 300)}),
    st.fixed_dictionaries({"share": st.floats(0.05, 1)}),
)


@st.composite
def recipes(draw: st.DrawFn) -> dict[str, Any]:
    parts = [
        draw(components) | draw(sizes) | {"name": f"c{number}"} for number in range(draw(st.integers(1, 3)))
    ]
    corpora = {
        name: {
            "files": {language: f"{name}_{language}.jsonl" for language in LANGUAGES},
            "id_prefix": f"{name}-",
            "check": draw(st.sampled_from(("none", "scan"))),
            "incomplete": draw(st.sampled_from(("drop", "keep"))),
            "deduplicate": draw(st.sampled_from(("no", "exact"))),
            "filter": draw(filters),
        }
        for name in ("one", "two")
    }
    more = {
        "tag": draw(st.sampled_from(("sentence", "code", "none"))),
        "template": draw(st.sampled_from(("question", "alpaca", "gemma"))),
        "seed": draw(st.integers(0, 3)),
        "shard_rows": draw(st.integers(1, 20)),
    }
    return {"name": "any", "rows": 20, "corpora": corpora, "components": parts, **more}


@settings(suppress_health_check=list(HealthCheck))
@given(
    recipes(),
    st.fixed_dictionaries({f"{name}_{language}": files for name in ("one", "two") for language in LANGUAGES}),
)
def test_counts_add_up_or_the_error_is_clear(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, Any], files: dict[str, list[dict[str, Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, lines in files.items():
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    recipe = Recipe.model_validate(entries)
    try:
        stage = compose(recipe, folder, folder / "out")
    except CrossinError as error:
        assert error.hint
        assert not (folder / "out" / "manifest.json").exists()
        return
    made, counts = rows_of(stage.folder), stage.manifest["counts"]
    assert len(made) == counts["rows"] == sum(amounts["rows"] for amounts in counts["components"].values())
    assert Counter(row["component"] for row in made) == {
        name: amounts["rows"] for name, amounts in counts["components"].items() if amounts["rows"]
    }
    assert all(row["prompt"] and row["completion"] and row["id"].startswith(row["source"]) for row in made)
    rejected = sum((Counter(corpus["rejected"]) for corpus in counts["corpora"].values()), Counter[str]())
    assert stage.manifest["skipped"] == rejected
    for name, corpus in counts["corpora"].items():
        assert corpus["ids"] == corpus["kept"] + sum(corpus["rejected"].values())
        for language, read in corpus["read"].items():
            assert read == len(files[f"{name}_{language}"])
    job = make_job(*resolve(recipe, folder), folder / "work")
    for name, loaded in job.corpora.items():
        for language in loaded.languages:
            unjoined = sum(n for reason, n in loaded.unjoined.items() if reason.endswith(f":{language}"))
            assert loaded.read[language] == int(loaded.present(language).sum()) + unjoined, name
    shown = preview(recipe, folder)
    assert sum(line["rows"] for line in shown.lines) == counts["rows"]
    assert shown.samples == sorted(made, key=made.index)[: len(shown.samples)] or len(shown.samples) <= 10
