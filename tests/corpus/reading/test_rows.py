from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.rows import Rows, language_column, to_rows
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import Source
from tests.helpers import errors
from tests.helpers.corpus_files import row

KINDS = ("json", "table")
FILE = Path("rows.x")


def batch(records: list[dict[str, Any]], kind: str = "json") -> Batch:
    """The records as a batch that begins with the file's row 101."""
    if kind == "json":
        return Batch.of(FILE, 100, records, lines=list(range(201, 201 + len(records))))
    table = pa.Table.from_pylist(records)
    return Batch.of(FILE, 100, table, table.schema.names)


def shaped(records: list[dict[str, Any]], kind: str = "json", extras: Any = (), **columns: str) -> Rows:
    return to_rows(batch(records, kind), source(columns), 1000, set(extras))


def source(columns: dict[str, str]) -> Source:
    return Source.model_validate({"path": "x", "columns": columns})


def fields(rows: Rows) -> list[tuple[str, str, str]]:
    return list(zip(*(rows.texts[field].to_pylist() for field in FIELDS), strict=True))


def refused(records: list[dict[str, Any]], kind: str = "json", **columns: str) -> CrossinError:
    with pytest.raises(CrossinError) as caught:
        shaped(records, kind, **columns)
    assert caught.value.file == FILE
    assert caught.value.hint
    return caught.value


def reasons(rows: Rows) -> dict[int, CorpusReason]:
    """Why rows are not usable, by index."""
    return {
        index: list(CorpusReason)[number - 1] for index, number in enumerate(rows.status.tolist()) if number
    }


def chat(*turns: tuple[str, Any], names: tuple[str, str] = ("role", "content")) -> list[dict[str, Any]]:
    return [dict(zip(names, turn, strict=True)) for turn in turns]


@pytest.mark.parametrize("kind", KINDS)
def test_alpaca_with_a_missing_input(kind: str) -> None:
    records: list[dict[str, Any]] = [
        {"id": "a", "instruction": "Add", "input": "1 2", "output": "3"},
        {"id": "b", "instruction": "Hi", "input": None, "output": ""},
    ]
    rows = shaped(records, kind)
    assert rows.ids.to_pylist() == ["a", "b"]
    assert fields(rows) == [("Add", "1 2", "3"), ("Hi", "", "")]
    assert fields(shaped([{"instruction": "Hi", "output": "x"}], kind)) == [("Hi", "", "x")]


@pytest.mark.parametrize("kind", KINDS)
def test_columns_under_other_names(kind: str) -> None:
    record = {"key": 7, "instruction": "not this", "question": "Q", "context": "C", "response": "R"}
    rows = shaped([record], kind, id="key", instruction="question", input="context", output="response")
    assert fields(rows) == [("Q", "C", "R")]
    assert rows.ids.to_pylist() == ["7"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("column", "names"),
    [("messages", ("role", "content")), ("conversations", ("from", "value"))],
)
def test_a_chat_of_one_exchange(kind: str, column: str, names: tuple[str, str]) -> None:
    user, assistant = ("user", "assistant") if names[0] == "role" else ("human", "gpt")
    records = [
        {column: chat((user, "Hi"), (assistant, "Hello"), names=names)},
        {column: chat(("system", "Be kind."), (user, "Hi"), (assistant, "Hello"), names=names)},
        {column: chat(("system", ""), (user, "Hi"), (assistant, "Hello"), names=names)},
    ]
    rows = shaped(records, kind)
    assert fields(rows) == [("Hi", "", "Hello"), ("Be kind.\n\nHi", "", "Hello"), ("Hi", "", "Hello")]
    assert reasons(rows) == {}
    assert rows.ids.to_pylist() == [None] * 3


@pytest.mark.parametrize("name", ["system", "system_prompt", "system_message"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_column_beside_a_chat_is_its_system_turn_where_it_has_none(kind: str, name: str) -> None:
    one = [("user", "Hi"), ("assistant", "Hello")]
    records: list[dict[str, Any]] = [
        {"system": "Be brief.", "messages": chat(*one)},
        {"system": "Be brief.", "messages": chat(("system", "Be kind."), *one)},
        {"system": "", "messages": chat(*one)},
        {"system": None, "messages": chat(*one)},
        {"system": "Be brief.", "messages": chat(*one, *one)},
        {"system": "Be brief.", "messages": []},
        {"system": "Be brief.", "messages": None},
    ]
    records = [{name if key == "system" else key: value for key, value in one.items()} for one in records]
    rows = shaped(records, kind)
    asked = [instruction for instruction, _, _ in fields(rows)]
    assert asked == ["Be brief.\n\nHi", "Be kind.\n\nHi", "Hi", "Hi", "", "", ""]
    assert list(reasons(rows)) == [4, 5, 6]


@pytest.mark.parametrize("kind", KINDS)
def test_other_chats_are_rejected_with_a_reason(kind: str) -> None:
    one = [("user", "a"), ("assistant", "b")]
    records: list[dict[str, Any]] = [
        {"messages": chat(*one, *one)},
        {"messages": chat(*one)},
        {"messages": chat(one[0])},
        {"messages": chat(one[1], one[0])},
        {"messages": []},
        {"messages": None},
        {"messages": chat(one[0], ("tool", "x"), one[1])},
        {"messages": chat(one[0], ("assistant", None))},
    ]
    rows = shaped(records, kind)
    assert reasons(rows) == {
        0: CorpusReason.SEVERAL_EXCHANGES,
        **dict.fromkeys((2, 3, 4, 5), CorpusReason.INCOMPLETE_EXCHANGE),
        6: CorpusReason.OTHER_ROLE,
        7: CorpusReason.TURN_WITHOUT_TEXT,
    }
    assert fields(rows)[1] == ("a", "", "b")
    assert reasons(rows.slice(6, 2)) == {0: CorpusReason.OTHER_ROLE, 1: CorpusReason.TURN_WITHOUT_TEXT}


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ("Hi", CorpusReason.NO_CHAT),
        (["Hi"], CorpusReason.NO_CHAT),
        ([{"content": "Hi"}], CorpusReason.NO_CHAT),
        (chat(("user", {"image": "Hi"}), ("assistant", "b")), CorpusReason.OTHER_PART),
        (chat(("user", [{"type": "image_url", "image_url": "x"}])), CorpusReason.OTHER_PART),
        (
            chat(("user", [{"type": "text", "text": "a"}, {"type": "audio", "text": "b"}])),
            CorpusReason.OTHER_PART,
        ),
        (chat(("user", []), ("assistant", "b")), CorpusReason.TURN_WITHOUT_TEXT),
    ],
)
def test_a_chat_of_another_form_is_rejected_alone(messages: Any, reason: CorpusReason) -> None:
    good = {"messages": chat(("user", "a"), ("assistant", "b"))}
    rows = shaped([good, {"messages": messages}])
    assert reasons(rows) == {1: reason}
    assert fields(rows) == [("a", "", "b"), ("", "", "")]


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_text_are_joined(kind: str) -> None:
    parts = [{"type": "text", "text": "Name a lake"}, {"type": "text", "text": "in Italy."}]
    answer = [{"type": "output_text", "text": "Lake Como."}]
    rows = shaped([{"messages": chat(("user", parts), ("assistant", answer))}], kind)
    assert fields(rows) == [("Name a lake\nin Italy.", "", "Lake Como.")]
    assert reasons(rows) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_prompt_and_completion_as_texts_and_as_messages(kind: str) -> None:
    assert fields(shaped([{"prompt": "Hi", "completion": "Hello"}], kind)) == [("Hi", "", "Hello")]
    user, assistant = chat(("user", "Hi")), chat(("assistant", "Hello"))
    rows = shaped(
        [
            {"prompt": user, "completion": assistant},
            {"prompt": [*user, *assistant, *user], "completion": assistant},
        ],
        kind,
    )
    assert fields(rows) == [("Hi", "", "Hello"), ("", "", "")]
    assert reasons(rows) == {1: CorpusReason.SEVERAL_EXCHANGES}


def test_a_prompt_of_messages_with_a_completion_of_text_is_no_chat() -> None:
    assert reasons(shaped([{"prompt": chat(("user", "Hi")), "completion": "Hello"}])) == {
        0: CorpusReason.NO_CHAT
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", ["instruction", "output"])
def test_a_missing_column_is_named_with_those_that_exist(kind: str, missing: str) -> None:
    record = {name: "x" for name in ("id", "instruction", "output", "extra") if name != missing}
    error = refused([record], kind)
    assert f"no column '{missing}'" in error.message
    assert all(name in error.message for name in record)


@pytest.mark.parametrize("field", ["instruction", "output"])
def test_a_record_that_lacks_a_field_of_the_others_is_rejected(field: str) -> None:
    short = {key: value for key, value in row(2).items() if key != field}
    assert reasons(shaped([short, row(1)])) == {0: CorpusReason.MISSING_FIELD}
    prompted = [{"prompt": "a", "completion": "b"}, {"prompt": "a"}]
    assert reasons(shaped(prompted)) == {1: CorpusReason.MISSING_FIELD}
    with errors.refused("there is no column 'output'; the columns are: instruction"):
        shaped([{"instruction": "a"}])


def test_a_chat_is_in_any_of_the_usual_columns() -> None:
    turns = chat(("user", "Hi"), ("assistant", "Hello"))
    every: dict[str, Any] = dict.fromkeys(("messages", "conversations", "conversation"))
    for kind in KINDS:
        # A table has the columns of its first row.
        before = every if kind == "table" else {}
        rows = shaped([*(before | {name: turns} for name in every), before], kind)
        assert fields(rows)[:3] == [("Hi", "", "Hello")] * 3
        assert reasons(rows) == {3: CorpusReason.INCOMPLETE_EXCHANGE}


def test_a_system_text_is_in_any_of_the_usual_columns() -> None:
    names = ("system", "system_prompt", "system_message")
    # A table has the columns of its first row.
    every: dict[str, Any] = dict.fromkeys(names)
    for kind in KINDS:
        rows = shaped([row(number) | every | {name: "Be brief."} for number, name in enumerate(names)], kind)
        assert [asked.startswith("Be brief.") for asked, _, _ in fields(rows)] == [True] * 3


@pytest.mark.parametrize("value", [["x"], 5, True, {"a": 1}, 1.5])
@pytest.mark.parametrize("field", FIELDS)
def test_a_value_that_is_no_text_rejects_its_row(value: Any, field: str) -> None:
    assert reasons(shaped([row(1), row(2) | {field: value}])) == {1: CorpusReason.NOT_TEXT}


@pytest.mark.parametrize("value", [["x"], 5, True, {"a": 1}, 1.5])
@pytest.mark.parametrize("field", FIELDS)
def test_a_column_of_a_table_that_is_no_text_is_named(value: Any, field: str) -> None:
    error = refused([row(1) | {field: None}, row(2) | {field: value}], "table")
    assert (error.row, error.field) == (102, field)


@pytest.mark.parametrize("value", [True, 1.5, ["x"], {"a": 1}])
def test_an_id_that_is_none_rejects_its_row_and_a_column_of_them_is_named(value: Any) -> None:
    rows = shaped([row(1), row(value)])
    assert reasons(rows) == {1: CorpusReason.NOT_TEXT}
    assert rows.ids.to_pylist() == ["1", None]
    error = refused([row(value)], "table")
    assert (error.row, error.field) == (101, "id")


def test_ids_of_numbers_and_texts() -> None:
    records = [row(5), row("5b"), row(2**70), row(None), row("")]
    assert shaped(records).ids.to_pylist() == ["5", "5b", str(2**70), None, None]
    assert shaped([row(5), row(None)], "table").ids.to_pylist() == ["5", None]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", [*FIELDS, "id"])
def test_a_nul_rejects_its_row(kind: str, field: str) -> None:
    rows = shaped([row("a", "i", "k"), row("b") | {field: "x\0y"}, row("c")], kind)
    assert reasons(rows) == {1: CorpusReason.BROKEN_TEXT}
    assert fields(rows)[0] == ("i", "", "k")


@pytest.mark.parametrize("text", ["x\ud800", "\udc00", "\udc00\ud800"])
@pytest.mark.parametrize("field", [*FIELDS, "id"])
def test_half_of_a_surrogate_pair_rejects_its_row(text: str, field: str) -> None:
    rows = shaped([row("a"), row("b") | {field: text}])
    assert reasons(rows) == {1: CorpusReason.BROKEN_TEXT}


def test_half_of_a_surrogate_pair_in_a_chat_rejects_its_row() -> None:
    good, bad = (chat(("user", text), ("assistant", "b")) for text in ("a", "a\ud83d"))
    assert reasons(shaped([{"messages": good}, {"messages": bad}])) == {1: CorpusReason.BROKEN_TEXT}


@pytest.mark.parametrize("kind", KINDS)
def test_the_longest_field_is_counted_in_characters(kind: str) -> None:
    rows = shaped([row(1, "字" * 1000), row(2, "字" * 1001)], kind)
    assert fields(rows)[0][0] == "字" * 1000
    assert reasons(rows) == {1: CorpusReason.TOO_LONG}


def test_texts_in_parquet_that_are_not_utf8_reject_their_rows() -> None:
    for kind in (pa.string(), pa.binary()):
        data = pa.array([b"fine", b"also", "schön".encode("latin-1")], pa.binary())
        texts = pa.Array.from_buffers(kind, 3, data.buffers())
        table = pa.table({"instruction": texts, "output": ["a", "b", "c"]})
        rows = to_rows(Batch.of(FILE, 0, table, table.schema.names), source({}), 1000)
        assert reasons(rows) == {2: CorpusReason.BROKEN_TEXT}
        assert [one for one, _, _ in fields(rows)] == ["fine", "also", ""]


def languages(records: list[dict[str, Any]], kind: str, **columns: str) -> list[str]:
    return list(language_column(batch(records, kind), source(columns), 1000)[1].to_pylist())


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_of_scripts_is_part_of_the_language(kind: str) -> None:
    records = [{"language": "zho", "script": one} for one in ("Hans", "Hant")]
    assert languages(records, kind) == ["zho_Hans", "zho_Hant"]
    assert languages([{"language": "eng", "script": "play"}], kind) == ["eng"]
    assert languages([*records, {"language": "eng", "script": None}], kind) == ["zho_Hans", "zho_Hant", "eng"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_language_may_be_in_several_columns(kind: str) -> None:
    records = [{"tongue": "zh", "written": "Hant"}, {"tongue": "pt", "written": "BR"}]
    assert languages(records, kind, language="{tongue}-{written}") == ["zh-Hant", "pt-BR"]
    with errors.refused("no column 'land'"):
        languages(records, kind, language="{tongue}-{land}")


def test_texts_in_any_of_arrows_types() -> None:
    for kind in (pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int32(), pa.string())):
        table = pa.table({"instruction": pa.array(["a", "b"]).cast(kind), "output": ["c", "d"]})
        rows = to_rows(Batch.of(FILE, 0, table, table.schema.names), source({}), 1000)
        assert rows.texts["instruction"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize("kind", KINDS)
def test_extra_columns_are_numbers_texts_and_truth_values(kind: str) -> None:
    records = [row(1, score=5, good=True, task="qa"), row(2, score=2.5, good=None, task=None)]
    rows = shaped(records, kind, {"score", "good", "task", "absent"})
    assert {name: values.to_pylist() for name, values in rows.extras.items()} == {
        "score": [5, 2.5],
        "good": [True, None],
        "task": ["qa", None],
    }


@pytest.mark.parametrize("values", [[["x"], ["y"]], [{"a": 1}, {"a": 2}]])
@pytest.mark.parametrize("kind", KINDS)
def test_an_extra_column_that_no_filter_can_use(values: list[Any], kind: str) -> None:
    with errors.refused(row=101, field="score"):
        shaped([row(k, score=value) for k, value in enumerate(values)], kind, {"score"})


@pytest.mark.parametrize("values", [[5, "five"], ["five", 5], [True, 1], [1, None, "x"]])
def test_an_extra_column_of_mixed_types_is_named(values: list[Any]) -> None:
    with errors.refused("also holds", field="score"):
        shaped([row(k, score=value) for k, value in enumerate(values)], "json", {"score"})


def test_extreme_numbers_are_no_crash() -> None:
    rows = shaped([row(1, score=10**400), row(2, score=-(2**63)), row(3, score=1)], "json", {"score"})
    assert rows.extras["score"].to_pylist() == [float("inf"), -(2.0**63), 1.0]
