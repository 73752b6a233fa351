from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.items import read_items
from crossin.training.config import Batches, Pairs
from crossin.training.pairs import PairStream, read_pool
from tests.helpers.errors import refused
from tests.helpers.gap_items import write_gap_bench

IDS = {f"id {number}": ["en", "es", "vi", "zh"] for number in range(10)}
ITEMS = Pairs(items=Path("bench"))


def test_a_steps_pairs_do_not_depend_on_what_was_asked_before() -> None:
    one, other = (PairStream(IDS, ITEMS, seed=0, count=3) for _ in range(2))
    in_order = [one.at(step) for step in range(9)]
    assert [other.at(step) for step in (7, 2, 8)] == [in_order[step] for step in (7, 2, 8)]
    assert [PairStream(IDS, ITEMS, seed=1, count=3).at(step) for step in range(9)] != in_order


def test_an_id_comes_once_a_round_and_meets_its_languages_in_turn() -> None:
    stream = PairStream(IDS, ITEMS, seed=0, count=5)
    pairs = [pair for step in range(6) for pair in stream.at(step)]
    for start in (0, 10, 20):
        assert {pair.id for pair in pairs[start : start + 10]} == set(IDS)
    assert {pair.one for pair in pairs} == {"en"}
    assert Counter((pair.id, pair.other) for pair in pairs) == Counter(
        (name, language) for name in IDS for language in ("es", "vi", "zh")
    )
    assert [pair.id for pair in pairs[:10]] != [pair.id for pair in pairs[10:20]]


def test_any_two_languages_can_be_paired() -> None:
    stream = PairStream(IDS, Pairs(items=Path("bench"), among="any"), seed=0, count=10)
    pairs = [pair for step in range(6) for pair in stream.at(step)]
    assert Counter((pair.one, pair.other) for pair in pairs) == Counter(
        {(a, b): 10 for a in ("en", "es", "vi", "zh") for b in ("en", "es", "vi", "zh") if a < b}
    )


@pytest.mark.parametrize("count", [3, 4, 10, 25])
def test_no_step_has_an_id_twice(count: int) -> None:
    stream = PairStream(IDS, ITEMS, seed=0, count=count)
    for step in range(20):
        ids = [pair.id for pair in stream.at(step)]
        assert len(set(ids)) == len(ids) == min(count, len(IDS))


def test_every_round_has_all_languages_equally_often() -> None:
    ids = {f"id {number}": ["en", "es", "vi", "zh"] for number in range(60)}
    stream = PairStream(ids, ITEMS, seed=0, count=60)
    for round_ in range(4):
        languages = Counter(pair.other for pair in stream.at(round_))
        assert languages == {"es": 20, "vi": 20, "zh": 20}


def test_one_id_alone_is_an_error() -> None:
    with refused("only one id", field="pairs"):
        PairStream({"id 1": ["en", "es"]}, ITEMS, seed=0, count=3)


def test_processes_take_different_pairs_of_a_step() -> None:
    stream = PairStream(IDS, ITEMS, seed=0, count=5)
    assert {pair.id for rank in (0, 1) for pair in stream.at(0, rank, 2)} == set(IDS)


def test_questions_are_read_without_their_answers(benches: dict[str, Path], tokenizer: Any) -> None:
    pool = read_pool(Pairs(items=benches["train"], languages=("es",)), tokenizer, Batches())
    items = {item.item: item for item in read_items(benches["train"]) if item.language == "es"}
    assert pool.questions.keys() == items.keys()
    for name, versions in list(pool.questions.items())[:20]:
        assert versions.keys() == {"en", "es"}
        asked = versions["es"]
        options = [
            tokenizer.decode(whole[start:]) for whole, start in zip(asked.wholes, asked.starts, strict=True)
        ]
        assert [option.strip() for option in options] == items[name].options
        assert tokenizer.decode(asked.text) == items[name].question


def test_a_sentence_with_a_gap_is_scored_whole_behind_a_token_that_begins_it(
    tokenizer: Any, tmp_path: Path
) -> None:
    bench = write_gap_bench(tmp_path)
    found = read_pool(Pairs(items=bench, languages=("tr",)), tokenizer, Batches()).questions["river"]["tr"]
    assert set(found.starts) == {1}
    assert [tokenizer.decode(whole[1:]) for whole in found.wholes] == [
        "Olm ırmağı Tarn Gölü'na dökülür.",
        "Olm ırmağı Gri Deniz'na dökülür.",
        "Olm ırmağı Brum Gölü'na dökülür.",
    ]


def test_rows_in_one_language_are_paired_by_their_id(tokenizer: Any, tmp_path: Path) -> None:
    def row(name: str, lang_in: str, lang_out: str) -> dict[str, str]:
        texts = {"prompt": f"a {lang_in}?", "completion": " b", "id": name}
        return {**texts, "lang_in": lang_in, "lang_out": lang_out}

    lines = [row("1", "en", "en"), row("1", "es", "es"), row("1", "en", "es"), row("2", "en", "en")]
    lines.append({**lines[1], "completion": " c"})
    write_parquet(tmp_path / "rows.parquet", pyarrow.Table.from_pylist(lines))
    pool = read_pool(Pairs(rows=tmp_path / "rows.parquet"), tokenizer, Batches())
    assert {name: set(versions) for name, versions in pool.rows.items()} == {"1": {"en", "es"}}
    assert pool.skipped == {
        "row_in_two_languages:pairs": 1,
        "repeated_id:pairs": 1,
        "unpaired:pairs": 1,
    }
    with refused("in th", field="pairs.languages"):
        read_pool(Pairs(rows=tmp_path / "rows.parquet", languages=("th",)), tokenizer, Batches())
    write_parquet(tmp_path / "rows.parquet", pyarrow.Table.from_pylist([lines[0], row("2", "es", "es")]))
    with refused("two languages", file="rows.parquet", field="pairs"):
        read_pool(Pairs(rows=tmp_path / "rows.parquet"), tokenizer, Batches())


def test_a_pivot_that_is_nowhere_is_an_error(benches: dict[str, Path], tokenizer: Any) -> None:
    with refused("in th", field="pairs.pivot"):
        read_pool(Pairs(items=benches["train"], pivot="th"), tokenizer, Batches())


def test_rows_in_another_language_than_they_say_are_refused(tokenizer: Any, tmp_path: Path) -> None:
    texts = {
        "en": "The river is near the hill, and the garden is old.",
        "ru": "Река рядом с холмом, а сад старый.",
    }
    said = {"en": "en", "ru": "th"}
    lines = [
        {"prompt": "Say it.", "completion": f" {text} {number}", "id": str(number)}
        | {"lang_in": said[language], "lang_out": said[language]}
        for number in range(8)
        for language, text in texts.items()
    ]
    write_parquet(tmp_path / "rows.parquet", pyarrow.Table.from_pylist(lines))
    with refused("in th", "look like", file="rows.parquet", field="lang_out", hint="check_language: false"):
        read_pool(Pairs(rows=tmp_path / "rows.parquet"), tokenizer, Batches())
    pool = read_pool(Pairs(rows=tmp_path / "rows.parquet", check_language=False), tokenizer, Batches())
    assert len(pool.rows) == 8
