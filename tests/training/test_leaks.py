from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.items import read_items
from crossin.items.item import Item, write_items
from crossin.training.config import Batches, Pairs
from crossin.training.leaks import check_apart
from crossin.training.pairs import read_pool
from tests.helpers.errors import refused


def bench_of(place: Path, items: list[Item]) -> Path:
    place.mkdir()
    write_items(place / "items.parquet", items)
    return place


def rows_of(file: Path, texts: dict[str, str]) -> Path:
    """Rows that ask the texts, one a language, under one id of their own."""
    rows = [
        {"prompt": text, "completion": " b", "id": "own id", "lang_in": language, "lang_out": language}
        for language, text in texts.items()
    ]
    write_parquet(file, pyarrow.Table.from_pylist(rows))
    return file


def test_pairs_of_another_split_are_apart_from_a_benchmark(benches: dict[str, Path], tokenizer: Any) -> None:
    check_apart(read_pool(Pairs(items=benches["train"]), tokenizer, Batches()), [benches["test"]])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, "its id"),
        ({"item": "another"}, "its group"),
        ({"item": "another", "group": "another"}, "the same question and options"),
    ],
)
def test_a_pair_that_will_be_asked_is_refused(
    benches: dict[str, Path], tokenizer: Any, tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    first = [item for item in read_items(benches["test"]) if item.language in ("en", "es")][:2]
    assert first[0].item == first[1].item
    taken = bench_of(tmp_path / "bench", [replace(item, **change) for item in first])
    pool = read_pool(Pairs(items=taken), tokenizer, Batches())
    with refused("1 of the pairs", why, file="items.parquet", field="pairs.apart_from"):
        check_apart(pool, [benches["train"], benches["test"]])


ASKED = Item(
    "niger", "g", "t", "en", "", "Name the capital: Niger", ["Niamey", "Lima"], ["a", "b"], "a", "s", "MIT"
)


@pytest.mark.parametrize(
    ("item", "prompt", "found"),
    [
        (ASKED, "Question: NAME the\ncapital:  Niger\nAnswer:", True),
        (ASKED, "Question: Name the capital: Nigeria\nAnswer:", False),
        (ASKED, "Question: Rename the capital: Niger\nAnswer:", False),
        (replace(ASKED, question="首都：尼日尔是哪里？"), "问题：首都：尼日尔是哪里？\n答案：", True),
        (replace(ASKED, question="Why?"), "Say why? Or not.", False),
        (replace(ASKED, question="Why?"), "why?", True),
        (replace(ASKED, context="A text."), "Name the capital: Niger", False),
        (replace(ASKED, context="A text."), "A text.\nName the capital: Niger", True),
    ],
)
def test_a_question_is_found_in_the_prompt_of_a_row(
    tokenizer: Any, tmp_path: Path, item: Item, prompt: str, found: bool
) -> None:
    bench = bench_of(tmp_path / "bench", [replace(item, item=f"{item.item} 0", question="Other?"), item])
    place = rows_of(tmp_path / "rows.parquet", {"en": prompt, "es": "¿Otra cosa?"})
    pool = read_pool(Pairs(rows=place), tokenizer, Batches())
    if not found:
        check_apart(pool, [bench])
        return
    with refused("'own id' (the same question, in a text: ", row=2):
        check_apart(pool, [bench])


FACT = Item("1", "Ulmstadt", "mayor", "en", "", "Who governs Ulmstadt?", [], [], "Ida Berg", "towns", "MIT")


@pytest.mark.parametrize(
    ("prompt", "completion", "found"),
    [
        ("Name the mayor of Ulmstadt:", " Ida Berg", True),
        ("Name the mayor of Ulmstadt:", " Karl Roth", False),
        ("Name the mayor of Oberulm:", " Ida Berg", False),
    ],
)
def test_a_row_that_states_a_fact_of_the_benchmark_is_refused(
    tokenizer: Any, tmp_path: Path, prompt: str, completion: str, found: bool
) -> None:
    bench = bench_of(tmp_path / "bench", [FACT])
    rows = [
        {"prompt": text, "completion": completion, "id": "own id", "lang_in": language, "lang_out": language}
        for text, language in ((prompt, "en"), ("¿Quién?", "es"))
    ]
    write_parquet(tmp_path / "rows.parquet", pyarrow.Table.from_pylist(rows))
    pairs = Pairs(rows=tmp_path / "rows.parquet", check_language=False)
    pool = read_pool(pairs, tokenizer, Batches())
    if not found:
        check_apart(pool, [bench])
        return
    with refused("'own id' (the same names of subject and answer: ulmstadt: ida berg)", row=1):
        check_apart(pool, [bench])


def test_an_item_in_other_words_is_refused_and_one_on_the_same_subject_is_not(
    tokenizer: Any, tmp_path: Path
) -> None:
    choice = replace(FACT, options=["Ida Berg", "Karl Roth"], option_ids=["a", "b"], answer="a", source="own")
    asked = [
        replace(choice, item="x", group="x", language=language, question=question)
        for language, question in (("en", "Whom did Ulmstadt elect?"), ("es", "¿A quién eligió Ulmstadt?"))
    ]
    bench = bench_of(tmp_path / "bench", [FACT])
    pool = read_pool(Pairs(items=bench_of(tmp_path / "pairs", asked)), tokenizer, Batches())
    with refused("1 of the pairs", "'x' (the same names of subject and answer", row=1):
        check_apart(pool, [bench])
    other = [replace(item, answer="b") for item in asked]
    check_apart(read_pool(Pairs(items=bench_of(tmp_path / "other", other)), tokenizer, Batches()), [bench])
