from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.items.replies.entities import Unread
from crossin.logs.find import find_logs, read_logs
from crossin.logs.options import LogOptions
from crossin.logs.tables import Predictions, tables_of_log
from tests.helpers.entity_bench import LANGUAGES, entity_replies, items, write_entity_bench
from tests.helpers.errors import refused
from tests.helpers.small_bench import write_replies

Lines = list[dict[str, Any]]


def read(folder: Path, lines: Lines, *, inventories: bool = True) -> list[Predictions]:
    bench = write_entity_bench(folder / "bench", inventories=inventories)
    [run] = find_logs(write_replies(folder / "mine.jsonl", lines))
    [log] = read_logs(run, LogOptions(bench=bench))
    return tables_of_log(log)


def test_a_reply_becomes_the_position_of_the_entity_it_names(tmp_path: Path) -> None:
    wrong = {("austria", "de"): "Paris", ("budapest", "ru"): "Сена"}
    [found] = read(tmp_path, entity_replies(wrong))
    table = found.choices
    assert table is not None
    assert table.items == ("austria", "japan", "budapest")
    assert table.answers.tolist() == [[0, 2, 0], [1, 1, 1], [0, 0, 1]]
    assert table.gold.tolist() == [0, 1, 0]
    assert table.options.tolist() == [3, 3, 2]
    assert table.pools == ("capital", "capital", "river")
    assert found.logprobs is None
    assert found.entities["austria", "de"] == "Q90"
    assert found.unread == {}


def test_an_item_with_an_inventory_is_in_the_table_of_texts_too_and_counts_once(tmp_path: Path) -> None:
    [found] = read(tmp_path, entity_replies())
    assert found.texts is not None
    assert found.texts.replies[1] == ("Tokyo", "Tokio", "Токио")
    assert found.items == 3
    assert found.by_language == dict.fromkeys(LANGUAGES, 3)
    assert found.incomplete == {}


def test_only_the_first_line_of_a_reply_is_compared_with_the_reference(tmp_path: Path) -> None:
    [found] = read(tmp_path, entity_replies({("japan", "en"): "\nTokyo\nQ: The capital of France?\nParis"}))
    assert found.texts is not None
    assert found.texts.replies[1][0] == "Tokyo"
    assert found.entities["japan", "en"] == "Q1490"


def test_a_reply_without_an_entity_is_missing_and_counted_by_language_and_reason(tmp_path: Path) -> None:
    changed = {
        ("austria", "en"): "a city in Europe",
        ("japan", "en"): None,
        ("japan", "ru"): "<think>Токио",
        ("budapest", "ru"): "река",
    }
    [found] = read(tmp_path, entity_replies(changed))
    assert found.choices is not None
    assert (found.choices.answers == -1).sum(axis=0).tolist() == [2, 0, 2]
    assert found.unread == {
        "en": {Unread.NONE: 1, Unread.EMPTY: 1},
        "ru": {Unread.THOUGHT: 1, Unread.NONE: 1},
    }
    assert found.thoughts_cut == {"ru": 1}


def test_replies_to_an_item_that_is_left_out_are_not_counted_as_unread(tmp_path: Path) -> None:
    lines = [line for line in entity_replies({("japan", "en"): "?"}) if line["language"] != "ru"]
    lines += [line for line in entity_replies() if line["language"] == "ru" and line["item"] != "japan"]
    [found] = read(tmp_path, lines)
    assert found.incomplete == {"japan": "ru"}
    assert found.unread == {}
    assert found.items == 2


def test_each_wording_is_read_on_its_own(tmp_path: Path) -> None:
    lines = entity_replies(prompt="plain") + entity_replies({("austria", "en"): "?"}, prompt="polite")
    plain, polite = read(tmp_path, lines)
    assert plain.unread == {}
    assert polite.unread == {"en": {Unread.NONE: 1}}
    assert polite.choices is not None
    assert polite.choices.answers[0].tolist() == [-1, 0, 0]


def test_stored_answers_keep_inventory_and_entity_and_are_read_again(tmp_path: Path) -> None:
    lines: Lines = [
        {
            "item": item.item,
            "group": item.group,
            "task": item.task,
            "language": item.language,
            "option_ids": [],
            "answer": None,
            "gold": item.answer,
            "reply": item.answer,
            "inventory": item.inventory,
            "entity": item.entity,
        }
        for item in items()
    ]
    schema = pyarrow.Table.from_pylist(lines).schema
    schema = schema.set(4, pyarrow.field("option_ids", pyarrow.list_(pyarrow.string())))
    schema = schema.set(5, pyarrow.field("answer", pyarrow.string()))
    folder = write_entity_bench(tmp_path / "run")
    write_parquet(folder / "answers.parquet", pyarrow.Table.from_pylist(lines, schema))
    [log] = read_logs(find_logs(folder)[0])
    [found] = tables_of_log(log)
    assert found.choices is not None
    assert (found.choices.answers == found.choices.gold[:, None]).all()


@pytest.mark.parametrize("field", ["inventory", "entity"])
def test_answers_with_another_entity_than_the_benchmark_are_refused(tmp_path: Path, field: str) -> None:
    lines = [{**line, "option_ids": [], "answer": None} for line in entity_replies()]
    answers = [
        {**line, "group": item.group, "task": item.task, "gold": item.answer, field: "other"}
        for line, item in zip(lines, items(), strict=True)
    ]
    folder = write_entity_bench(tmp_path / "run")
    schema = pyarrow.Table.from_pylist(answers).schema
    schema = schema.set(3, pyarrow.field("option_ids", pyarrow.list_(pyarrow.string())))
    schema = schema.set(4, pyarrow.field("answer", pyarrow.string()))
    write_parquet(folder / "answers.parquet", pyarrow.Table.from_pylist(answers, schema))
    with refused("another benchmark", file="answers.parquet", row=1, field=field):
        read_logs(find_logs(folder)[0])


def test_replies_whose_inventories_are_not_there_are_refused(tmp_path: Path) -> None:
    with refused("capital", file="mine.jsonl", field="inventory", hint="--bench"):
        read(tmp_path, entity_replies(), inventories=False)


def test_a_right_entity_that_the_inventory_lacks_is_refused(tmp_path: Path) -> None:
    [run] = find_logs(write_replies(tmp_path / "mine.jsonl", entity_replies()))
    [log] = read_logs(run, LogOptions(bench=write_entity_bench(tmp_path / "bench")))
    log.lines[0]["entity"] = "Q0"
    with refused("Q0", file="mine.jsonl", field="entity"):
        tables_of_log(log)
