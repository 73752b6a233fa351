from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from crossin.core.formats import ENTITIES, ITEMS
from crossin.items import Item
from crossin.items.inventories import inventories_of, write_inventories
from crossin.items.item import write_items
from crossin.logs.answers import LoggedAnswers
from crossin.logs.find import find_logs, read_logs
from crossin.logs.golds import with_golds
from crossin.logs.options import LogOptions
from crossin.logs.parallel import NotParallel
from tests.helpers.errors import refused
from tests.helpers.paths import REAL_DATA
from tests.helpers.polyfact_files import FACTS, PLAIN, cell, choices, free_text, records, write

RUNS = REAL_DATA / "polyfact-runs"
real = pytest.mark.skipif(not RUNS.is_dir(), reason=f"no published runs in {REAL_DATA}")


def read(file: Path, bench: Path | None = None) -> LoggedAnswers:
    [run] = find_logs(file)
    [log] = read_logs(run, LogOptions(bench=bench))
    return log


@pytest.mark.parametrize("name", ["run.json", "run.json.gz"])
@pytest.mark.parametrize("content", [free_text(records()), choices(PLAIN)], ids=["klar", "global-mmlu"])
def test_files_are_found_in_folders_plain_and_packed(tmp_path: Path, name: str, content: Any) -> None:
    file = write(tmp_path, content, name)
    (tmp_path / "notes.json").write_text('{"model": "x", "records": []}')
    (tmp_path / "table.json.gz").write_bytes(gzip.compress(b'{"a": 1}'))
    [run] = find_logs(tmp_path)
    assert run.files == (file,)


def test_a_file_with_its_names_in_order_is_recognised(tmp_path: Path) -> None:
    for content in (free_text(records()), choices(PLAIN)):
        assert read(write(tmp_path, dict(sorted(content.items())))).lines


def test_a_record_becomes_a_line_of_free_text_with_its_entity(tmp_path: Path) -> None:
    log = read(write(tmp_path, free_text(records())))
    assert (log.model, log.benchmark, log.settings) == ("small-7b", "klar", {"match_mode": "lenient"})
    assert log.lines[4] == {
        "item": "8",
        "group": "Zenda",
        "task": "located_in",
        "language": "ja",
        "option_ids": [],
        "answer": None,
        "gold": "オランダ王国",
        "reply": "オランダ王国",
        "inventory": "located_in",
        "entity": "Países Bajos",
    }
    assert log.items[4].question == "ゼンダ: located_in"


def test_the_inventory_joins_the_targets_of_a_relation_by_fact(tmp_path: Path) -> None:
    inventory = read(write(tmp_path, free_text(records()))).inventories["located_in"]
    assert inventory.names == {
        "Países Bajos": {"es": ("Países Bajos",), "ja": ("オランダ", "オランダ王国")},
        "Suiza": {"es": ("Suiza",), "ja": ("スイス",)},
    }


def test_the_makers_accuracy_is_reported_by_language(tmp_path: Path) -> None:
    found = records()
    found[0]["correct"] = False
    log = read(write(tmp_path, free_text(found)))
    assert log.reported == {"accuracy": (2 / 3 + 1) / 2, "accuracy/es": 2 / 3, "accuracy/ja": 1}


def test_with_the_benchmark_its_groups_and_inventory_count(tmp_path: Path) -> None:
    items = [
        Item(
            item=str(index),
            group=f"group {index}",
            task="place",
            language=language,
            context="",
            question=f"{subject}?",
            options=[],
            option_ids=[],
            answer=target,
            source="made up",
            licence="CC0-1.0",
            inventory="place",
            entity=fact["es"][1].upper(),
        )
        for index, fact in FACTS.items()
        for language, (subject, target) in fact.items()
    ]
    bench = tmp_path / "bench"
    bench.mkdir()
    write_items(bench / ITEMS, items)
    write_inventories(bench / ENTITIES, inventories_of(items))
    log = read(write(tmp_path, free_text(records())), bench)
    line = log.lines[0]
    assert (line["group"], line["task"]) == ("group 7", "place")
    assert log.inventories["place"].ids == ["PAÍSES BAJOS", "SUIZA"]
    assert [item.question for item in log.items][:1] == ["Ruritania?"]
    other = records()
    other[0]["target"] = "Bélgica"
    with refused("another benchmark", "Bélgica", file="run.json.gz", row=1, field="gold", hint="--bench"):
        read(write(tmp_path, free_text(other)), bench)


def test_the_scores_decide_and_the_item_names_its_subject(tmp_path: Path) -> None:
    log = read(write(tmp_path, choices(PLAIN)))
    assert log.benchmark == "global_mmlu_lite"
    assert log.lines[0] == {
        "item": "virology/test/0",
        "group": "virology/test/0",
        "task": "virology",
        "language": "en",
        "option_ids": ["0", "1", "2", "3"],
        "answer": "1",
        "gold": "1",
        "values": [-2.0, -1.0, -4.0, -5.0],
    }


def test_where_nobody_is_right_the_gold_is_an_option_that_nobody_chose(tmp_path: Path) -> None:
    unknown = {"anatomy/test/1": {"en": cell(0, False), "zh": cell(1, False)}}
    log = read(write(tmp_path, choices(PLAIN | unknown)))
    assert {line["gold"] for line in log.lines if line["item"] == "anatomy/test/1"} == {"2"}
    assert not log.skipped


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (cell(0, True), cell(1, True)),
        (cell(0, True), cell(0, False)),
        (cell(0, False, 2), cell(1, False, 2)),
    ],
    ids=["two are right", "one is right and wrong", "all are wrong"],
)
def test_items_whose_languages_have_other_golds_are_left_out(
    tmp_path: Path, english: dict[str, Any], chinese: dict[str, Any]
) -> None:
    log = read(write(tmp_path, choices(PLAIN | {"history/test/1": {"en": english, "zh": chinese}})))
    assert {line["item"] for line in log.lines} == set(PLAIN)
    assert log.skipped == {NotParallel.GOLD_DIFFERS: 2}
    # The makers' own figure counts all.
    right = 20 + english["correct"], 20 + chinese["correct"]
    assert log.reported["accuracy/en"] == right[0] / 21
    assert log.reported["accuracy/zh"] == right[1] / 21


def test_golds_that_differ_in_many_items_are_an_error(tmp_path: Path) -> None:
    apart = {f"history/test/{number}": {"en": cell(0, True), "zh": cell(1, True)} for number in range(3)}
    with refused("23 items", "3 have another right option", file="run.json.gz"):
        read(write(tmp_path, choices(PLAIN | apart)))


def test_what_one_run_knows_of_the_golds_counts_for_another(tmp_path: Path) -> None:
    item, odd, open_ = "anatomy/test/1", "history/test/2", "history/test/3"
    one = choices(
        PLAIN
        | {
            item: {"en": cell(0, False), "zh": cell(1, False)},
            odd: {"en": cell(2, True), "zh": cell(1, False)},
            open_: {"en": cell(0, False), "zh": cell(0, False)},
        }
    )
    two = choices(
        PLAIN
        | {
            item: {"en": cell(3, True), "zh": cell(1, False)},
            odd: {"en": cell(2, True), "zh": cell(2, False)},
            open_: {"en": cell(1, False), "zh": cell(1, False)},
        }
    )
    logs = [read(write(tmp_path, one, "one.json")), read(write(tmp_path, two, "two.json"))]
    alone = {line["item"]: line["gold"] for line in logs[0].lines}
    assert (alone[item], alone[odd], alone[open_]) == ("2", "2", "1")
    for log in with_golds(logs):
        golds = {line["item"]: line["gold"] for line in log.lines}
        assert (golds[item], golds[open_]) == ("3", "2")
        assert odd not in golds
        assert log.skipped == {NotParallel.GOLD_DIFFERS: 2}


def mmlu_bench(folder: Path, gold: str = "B", items: int = 20) -> Path:
    """The same items with the options A to D, which are shown in another order."""
    folder.mkdir()
    made = [
        Item(
            item=item,
            group=item,
            task="virology",
            language=language,
            context="",
            question="Which?",
            options=["d", "b", "a", "c"],
            option_ids=["D", "B", "A", "C"],
            answer=gold,
            source="made up",
            licence="CC0-1.0",
        )
        for item in list(PLAIN)[:items]
        for language in ("en", "zh")
    ]
    write_items(folder / ITEMS, made)
    return folder


def test_with_the_benchmark_its_options_and_gold_count(tmp_path: Path) -> None:
    log = read(write(tmp_path, choices(PLAIN)), mmlu_bench(tmp_path / "bench"))
    line = log.lines[0]
    assert (line["option_ids"], line["answer"], line["gold"]) == (["A", "B", "C", "D"], "B", "B")
    assert line["values"] == [-2.0, -1.0, -4.0, -5.0]
    assert log.items


def test_items_that_the_benchmark_left_out_are_counted(tmp_path: Path) -> None:
    log = read(write(tmp_path, choices(PLAIN)), mmlu_bench(tmp_path / "bench", items=19))
    assert log.skipped == {"not_in_benchmark": 2}
    with refused("another benchmark", "10 of its 40", hint="--bench"):
        read(write(tmp_path, choices(PLAIN)), mmlu_bench(tmp_path / "small", items=15))


def test_flags_that_contradict_the_benchmark_are_an_error(tmp_path: Path) -> None:
    with refused("another right option", file="run.json.gz"):
        read(write(tmp_path, choices(PLAIN)), mmlu_bench(tmp_path / "bench", gold="A"))


@pytest.mark.parametrize(
    ("name", "value"),
    [("index", "7"), ("index", True), ("subject", None), ("pred", 3), ("correct", "yes"), ("language", 5)],
)
def test_a_malformed_record_is_named(tmp_path: Path, name: str, value: Any) -> None:
    found = records()
    found[2][name] = value
    content = free_text(records(), records=found)
    with refused(file="run.json.gz", row=3, field=name):
        read(write(tmp_path, content))


@pytest.mark.parametrize(
    ("name", "value"),
    [("pred_idx", 4), ("pred_idx", None), ("correct", 1), ("scores", [1, None, 2, 3]), ("scores", [])],
)
def test_a_malformed_score_is_named(tmp_path: Path, name: str, value: Any) -> None:
    predictions = json.loads(json.dumps(PLAIN))
    predictions["virology/test/1"]["zh"][name] = value
    content = choices(PLAIN) | {"predictions": predictions}
    with refused(file="run.json.gz", row=2) as caught:
        read(write(tmp_path, content))
    assert str(caught.value.field).startswith("virology/test/1.zh.")


def test_an_answer_that_the_scores_do_not_favour_is_an_error(tmp_path: Path) -> None:
    predictions = json.loads(json.dumps(PLAIN))
    predictions["virology/test/1"]["zh"]["pred_idx"] = 0
    with refused("largest", row=2, field="virology/test/1.zh.pred_idx"):
        read(write(tmp_path, choices(PLAIN) | {"predictions": predictions}))


@pytest.mark.parametrize("part", ["per_lang", "subset_acc"])
def test_counts_that_are_not_those_of_the_records_are_an_error(tmp_path: Path, part: str) -> None:
    content = free_text(records())
    other = {"per_lang": ("ja", [1, 3]), "subset_acc": ("clean_all", [4, 5, 0.8])}[part]
    content[part] = {**content[part], other[0]: other[1]}
    with refused("right of", file="run.json.gz", field=f"{part}.{other[0]}"):
        read(write(tmp_path, content))


def test_records_that_were_cut_are_an_error(tmp_path: Path) -> None:
    content = free_text(records())
    with refused("ja", "per_lang.ja", field="per_lang.ja"):
        read(write(tmp_path, content | {"records": content["records"][:3]}))
    chosen = choices(PLAIN)
    with refused(field="per_language_accuracy.en"):
        read(write(tmp_path, chosen | {"predictions": dict(list(PLAIN.items())[:7])}))


def test_a_file_that_was_cut_is_an_error(tmp_path: Path) -> None:
    whole = write(tmp_path, free_text(records())).read_bytes()
    packed = tmp_path / "cut.json.gz"
    packed.write_bytes(whole[: len(whole) - 40])
    with refused(file="cut.json.gz"):
        read(packed)
    plain = tmp_path / "cut.json"
    plain.write_bytes(gzip.decompress(whole)[:-30])
    with refused("JSON", file="cut.json", hint="cut"):
        read(plain)


def test_a_record_that_repeats_is_an_error(tmp_path: Path) -> None:
    found = [*records(), records()[0]]
    with refused("'7'", "second time in es", file="run.json.gz", row=7):
        read(write(tmp_path, free_text(records(), records=found, per_lang={}, subset_acc={})))


def test_a_fact_of_two_relations_is_an_error(tmp_path: Path) -> None:
    found = records()
    found[3]["relation"] = "capital"
    with refused("fact 7", "located_in", row=4, field="relation"):
        read(write(tmp_path, free_text(found)))


@real
@pytest.mark.slow
def test_every_published_run_is_read(tmp_path: Path) -> None:
    logs = [log for run in find_logs(RUNS) for log in read_logs(run)]
    klar = [log for log in logs if log.benchmark == "klar"]
    assert [len(klar), len(logs)] == [11, 24]
    for log in klar:
        assert len(log.lines) == 2619 * 6
        assert sum(len(one.ids) for one in log.inventories.values()) == 857
    best = next(log for log in klar if "cmalign" in log.model)
    assert best.reported["accuracy"] == pytest.approx(0.5322642229858725, abs=1e-15)
    rest = with_golds([log for log in logs if log.benchmark != "klar"])
    # In seven items the Chinese right option is another one.
    assert {len(log.lines) for log in rest} == {393 * 11}
