from __future__ import annotations

import codecs
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from crossin.core.errors import CrossinError
from crossin.corpus.reading import records as records_module
from crossin.corpus.reading import text_records
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.records import read_object, read_records, read_source
from crossin.corpus.reading.text_records import json_batches
from crossin.corpus.spec import Source
from tests.helpers import errors
from tests.helpers.corpus_files import FORMATS, row, save, save_bytes

ALL = frozenset({"id", "instruction", "input", "output", "messages", "language"})


def read(data: Path, **source: Any) -> list[Batch]:
    return list(read_source(Source(**source), data, ALL))


def column(batches: list[Batch], name: str) -> list[Any]:
    found: list[Any] = []
    for batch in batches:
        values = batch.column(name)
        found += values if isinstance(values, list) else values.to_pylist()
    return found


def strictly(file: Path) -> CrossinError:
    """The error of reading a file as logs and mixtures are read, where nothing may be wrong."""
    with pytest.raises(CrossinError) as caught:
        list(records_module.read_batches(file))
    return caught.value


def refused(data: Path, **source: Any) -> CrossinError:
    with pytest.raises(CrossinError) as caught:
        read(data, **source)
    return caught.value


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_gives_the_same_records(tmp_path: Path, format: str) -> None:
    records = [row(k, f"问题 {k}", f"ответ {k}") for k in range(10)]
    save(tmp_path / f"rows.{format}", records)
    batches = read(tmp_path, path=f"rows.{format}")
    assert column(batches, "instruction") == [record["instruction"] for record in records]
    assert [number for batch in batches for number in batch.rows] == list(range(10))
    found = list(read_records(tmp_path / f"rows.{format}"))
    assert [(number, values["output"]) for number, values in found] == [
        (k + 1, record["output"]) for k, record in enumerate(records)
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("beside", [{}, {"version": "1.1"}])
def test_one_object_may_hold_the_records(tmp_path: Path, indent: int | None, beside: dict[str, str]) -> None:
    records = [row(1, "Hi"), row(2, "字")]
    text = json.dumps({**beside, "data": records}, indent=indent, ensure_ascii=False)
    (tmp_path / "rows.json").write_text(f"\n{text}\n", encoding="utf-8")
    assert column(read(tmp_path, path="rows.json"), "instruction") == ["Hi", "字"]


def test_a_record_with_a_list_is_no_such_object(tmp_path: Path) -> None:
    one = {"data": [{"a": 1}], "instruction": "x", "output": "y"}
    save(tmp_path / "rows.jsonl", [one, one])
    assert column(read(tmp_path, path="rows.jsonl"), "instruction") == ["x", "x"]
    save(tmp_path / "chat.jsonl", [{"messages": [{"role": "user", "content": "Hi"}]}])
    assert len(column(read(tmp_path, path="chat.jsonl"), "messages")) == 1


@pytest.mark.parametrize("format", ["json", "jsonl", "parquet"])
def test_content_tells_the_format_whatever_the_name_says(tmp_path: Path, format: str) -> None:
    save(tmp_path / f"rows.{format}", [row(1)]).rename(tmp_path / "rows.txt")
    assert column(read(tmp_path, path="rows.txt"), "output") == ["hi"]


def test_json_lines_may_have_blank_lines_and_no_last_newline(tmp_path: Path) -> None:
    save_bytes(tmp_path / "a.json", b' \n{"output": "a\xe2\x80\xa8b"}\r\n\n{"output": "c"}')
    batches = read(tmp_path, path="a.json")
    assert column(batches, "output") == ["a\u2028b", "c"]
    assert batches[0].lines == [2, 4]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("lines", [False, True])
def test_text_may_be_cut_anywhere(chunk: int, lines: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_records, "_CHUNK", chunk)
    records = [
        {"a": -12.5e3, "b": [True, None, float("-inf")], "c": 'é "quoted" \\ 😀'},
        {},
        {"d": {"e": "long " * 20}},
    ]
    for ascii in (True, False):
        text = "\n".join(json.dumps(one, ensure_ascii=ascii) for one in records)
        if not lines:
            text = json.dumps(records, ensure_ascii=ascii, indent=2)
        (batch,) = json_batches(io.BytesIO(text.encode()), "x")
        assert batch.records == records


def test_batches_are_small_and_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "_TABLE_BATCH", 2)
    save(tmp_path / "rows.parquet", [row(k) for k in range(5)])
    tables = read(tmp_path, path="rows.parquet")
    assert column(tables, "id") == [0, 1, 2, 3, 4]
    assert [number for batch in tables for number in batch.rows] == [0, 1, 2, 3, 4]
    assert max(map(len, tables)) <= 2
    monkeypatch.setattr(text_records, "BATCH", 2)
    text = "[\n" + ",\n".join(json.dumps(row(k)) for k in range(5)) + "\n]"
    batches = list(json_batches(io.BytesIO(text.encode()), "x"))
    assert [batch.rows.tolist() for batch in batches] == [[0, 1], [2, 3], [4]]
    assert [batch.lines for batch in batches] == [[2, 3], [4, 5], [6]]


@pytest.mark.parametrize(
    ("text", "line", "row_number"),
    [
        ('[\n{"a": 1},\n{"a": }\n]', 3, 2),
        ('[\n{"a": 1}\n{"a": 2}\n]', 3, 1),
        ('[\n{"a": 1},\n]', 3, 2),
        ('[\n{"a": 1},\n{"a": "x', 3, 2),
        ('[\n{"a": 1}', 2, 1),
        ('[\n{"a": 1}\n] \n[]', 4, 1),
        ('{"a": 1}\n\n{"a": 2\n{"a": 3}\n', 3, 2),
        ('{"a": 1}\n{"a": 2} {"a": 3}\n', 2, 2),
        ('{\n"a": 1\n}\n', 1, 1),
        ('{"a": ' + "9" * 5000 + "}\n", 1, 1),
        ("[\n" + '{"a": ' * 200_000, 2, 1),
    ],
)
def test_malformed_json_is_named_with_file_and_line(
    tmp_path: Path, text: str, line: int, row_number: int
) -> None:
    save_bytes(tmp_path / "bad.json", text.encode())
    error = strictly(tmp_path / "bad.json")
    assert error.file == tmp_path / "bad.json"
    assert f"line {line} is not JSON" in error.message
    assert error.row == row_number
    assert error.hint


def test_malformed_json_far_into_a_large_file_has_the_right_line(tmp_path: Path) -> None:
    records = [json.dumps(row(k, "x" * 500)) for k in range(9000)]
    records[7000] = '{"id": 7000, "instruction": nothing}'
    save_bytes(tmp_path / "bad.json", ("[\n" + ",\n".join(records) + "\n]").encode())
    assert "line 7002 is not JSON" in strictly(tmp_path / "bad.json").message
    save_bytes(tmp_path / "bad.jsonl", "\n".join(records).encode())
    assert "line 7001 is not JSON" in strictly(tmp_path / "bad.jsonl").message


@pytest.mark.parametrize(
    ("text", "kind"), [("[1]", "a number"), ("[\n[1]]", "a list"), ('[{}, "x"]', "text"), ("[null]", "null")]
)
def test_a_record_that_is_no_object_is_named(tmp_path: Path, text: str, kind: str) -> None:
    save_bytes(tmp_path / "bad.json", text.encode())
    error = strictly(tmp_path / "bad.json")
    assert f"is {kind}, not an object" in error.message
    assert error.row == (2 if "{}" in text else 1)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_file_is_an_error(tmp_path: Path, text: str) -> None:
    save_bytes(tmp_path / "empty.json", text.encode())
    assert "empty" in refused(tmp_path, path="empty.json").message


def test_neither_json_nor_parquet(tmp_path: Path) -> None:
    save_bytes(tmp_path / "rows.txt", b"id,instruction\n1,x\n")
    assert "not JSON, CSV or Parquet" in refused(tmp_path, path="rows.txt").message


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_a_utf8_mark_is_skipped_silently(tmp_path: Path, format: str) -> None:
    plain = save(tmp_path / f"plain.{format}", [row(1)]).read_bytes()
    save_bytes(tmp_path / "marked.json", codecs.BOM_UTF8 + plain)
    assert column(read(tmp_path, path="marked.json"), "id") == [1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    save_bytes(tmp_path / "rows.json", json.dumps([row(1)]).encode(encoding))
    error = refused(tmp_path, path="rows.json")
    assert "UTF-" in error.message
    assert error.hint == "save the file as UTF-8"


@pytest.mark.parametrize("chunk", [5, 1 << 20])
def test_a_byte_that_is_not_utf8_is_named_with_its_line_and_place(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_records, "_CHUNK", chunk)
    data = '{"output": "schön"}\n{"output": "sch'.encode() + "ö".encode("latin-1") + b'n"}\n'
    save_bytes(tmp_path / "mixed.jsonl", data)
    error = strictly(tmp_path / "mixed.jsonl")
    assert f"line 2 is not UTF-8: byte 0xf6 at position {data.index(0xF6)}" in error.message
    assert error.hint == "save the file as UTF-8"


def test_a_text_that_ends_within_a_character_is_not_utf8(tmp_path: Path) -> None:
    save_bytes(tmp_path / "cut.jsonl", '{"output": "ö'.encode()[:-1])
    assert "line 1 is not UTF-8" in strictly(tmp_path / "cut.jsonl").message


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(json.dumps([row(k, "x" * k) for k in range(1000)]).encode())
    (tmp_path / "rows.json.gz").write_bytes(whole[: len(whole) // 2])
    assert refused(tmp_path, path="rows.json.gz").file == tmp_path / "rows.json.gz"
    (tmp_path / "two.json.gz").write_bytes(gzip.compress(b'{"a": 1}\n') + gzip.compress(b'{"a": 2}\n'))
    assert column(read(tmp_path, path="two.json.gz"), "a") == [1, 2]


def test_damaged_parquet_is_named(tmp_path: Path) -> None:
    whole = save(tmp_path / "rows.parquet", [row(k) for k in range(100)]).read_bytes()
    save_bytes(tmp_path / "rows.parquet", whole[:-20])
    error = refused(tmp_path, path="rows.parquet")
    assert "cannot be read as Parquet" in error.message
    assert error.file == tmp_path / "rows.parquet"


def test_a_missing_file_is_named_with_those_near_it(tmp_path: Path) -> None:
    save(tmp_path / "alpaca_en.json", [row(1)])
    error = refused(tmp_path, path="alpaca_zh.json")
    assert "alpaca_en.json" in error.message
    assert str(tmp_path) in str(error.hint)


def test_a_folder_is_read_shard_by_shard(tmp_path: Path) -> None:
    save(tmp_path / "many/part-1.parquet", [row(10), row(11)])
    save(tmp_path / "many/part-0.jsonl.gz", [row(0), row(1)])
    (tmp_path / "many/README.md").write_text("no rows")
    (tmp_path / "many/manifest.json").write_text("{}")
    batches = read(tmp_path, path="many")
    assert column(batches, "id") == [0, 1, 10, 11]
    assert [batch.rows.tolist() for batch in batches] == [[0, 1], [0, 1]]
    assert Path(batches[1].file).name == "part-1.parquet"


def test_a_folder_without_shards_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert "no files of rows" in refused(tmp_path, path="none").message


def test_a_dataset_saved_to_disk(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_list([row(k) for k in range(5)])
    rows.select([4, 0]).save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": rows, "dev": rows.select([1])}).save_to_disk(str(tmp_path / "split"))
    assert column(read(tmp_path, dataset="one"), "id") == [4, 0]
    assert column(read(tmp_path, dataset="split"), "id") == [0, 1, 2, 3, 4]
    assert column(read(tmp_path, dataset="split", split="dev"), "id") == [1]
    assert "dev, train" in refused(tmp_path, dataset="split", split="test").message
    assert "as `dataset`" in str(refused(tmp_path, path="split").hint)


def test_a_dataset_in_a_folder_of_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    save(tmp_path / "set/train-00000-of-00002.parquet", [row(0), row(1)])
    save(tmp_path / "set/train-00001-of-00002.parquet", [row(2)])
    batches = read(tmp_path, dataset="set")
    assert column(batches, "id") == [0, 1, 2]
    assert batches[0].names == ["id", "instruction", "input", "output"]
    assert "cannot be loaded" in refused(tmp_path, dataset="set", split="nothing").message


def test_a_hub_that_cannot_be_reached_is_one_error_with_the_way_out(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    error = refused(tmp_path, dataset="nobody/nothing-of-this-name")
    assert "cannot be loaded" in error.message
    assert "local file" in str(error.hint)
    assert "\n" not in str(error)


def test_only_the_wanted_columns_of_a_table_are_read(tmp_path: Path) -> None:
    save(tmp_path / "rows.parquet", [row(1, score=5, notes="x")])
    (batch,) = read(tmp_path, path="rows.parquet")
    assert batch.names == ["id", "instruction", "input", "output", "score", "notes"]
    assert column([batch], "notes") == [None]


def csv_file(folder: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    return save_bytes(folder / name, text if isinstance(text, bytes) else text.encode())


def test_csv_values_are_text_and_may_hold_commas_quotes_and_lines(tmp_path: Path) -> None:
    file = csv_file(tmp_path, b'\xef\xbb\xbfid,output\r\n007,"a, ""b""\nc"\r\n\r\n8,d')
    assert list(read_records(file)) == [
        (1, {"id": "007", "output": 'a, "b"\nc'}),
        (2, {"id": "8", "output": "d"}),
    ]
    tabs = csv_file(tmp_path, 'id\toutput\n1\t"a\n', "rows.tsv")
    assert list(read_records(tabs)) == [(1, {"id": "1", "output": '"a'})]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"a ""b"" c"', 'a "b" c'),
        ('"""a"" b"', '"a" b'),
        ('"a"', '"a"'),
        ('"a" or "b"', '"a" or "b"'),
        ('""a""', '""a""'),
        ('a ""b""', 'a ""b""'),
        ('""', '""'),
    ],
)
def test_a_value_of_tsv_loses_only_the_quotes_that_a_program_wrote_around_others(
    written: str, text: str, tmp_path: Path
) -> None:
    file = csv_file(tmp_path, f"id\toutput\n1\t{written}\n", "rows.tsv")
    assert list(read_records(file)) == [(1, {"id": "1", "output": text})]


def test_csv_without_a_line_of_names(tmp_path: Path) -> None:
    bare = csv_file(tmp_path, "1\ta\n", "bare.tsv")
    named = csv_file(tmp_path, "id\toutput\n1\ta\n", "named.tsv")
    for file in (bare, named):
        assert list(read_records(file, names=["id", "output"])) == [(1, {"id": "1", "output": "a"})]


def test_a_line_of_names_with_other_separators_than_the_rows_is_not_a_row(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "id\tthe\toutput\n1\ta\n", "rows.tsv")
    assert list(read_records(file, names=["id", "the output"])) == [(1, {"id": "1", "the output": "a"})]
    twice = csv_file(tmp_path, "1\ta\nid\tthe\toutput\n", "twice.tsv")
    with pytest.raises(CrossinError, match="expected 2 columns, found 3"):
        list(read_records(twice, names=["id", "the output"]))


def test_csv_columns_that_are_filtered_are_numbers_or_truth_values(tmp_path: Path) -> None:
    csv_file(tmp_path, "id,score,good,task\n1,5,true,7\n2,2.5,,x\n3,,False,\n")
    source = Source(path="rows.csv")
    (batch,) = read_source(source, tmp_path, set(), {"score", "good", "task"})
    assert batch.to_list() == [
        {"id": "1", "score": 5.0, "good": True, "task": "7"},
        {"id": "2", "score": 2.5, "good": None, "task": "x"},
        {"id": "3", "score": None, "good": False, "task": ""},
    ]


@pytest.mark.parametrize(
    ("text", "row_number", "words"),
    [
        ("id,text\n1,a\n2,b,c\n", 2, "line 3"),
        ('id,text\n1,"a\nb"\n2\n', 2, "line 4"),
        ('id,text\n1,"a\n2,b\n', 1, "line 2"),
        ("id,id\n1,2\n", None, "twice"),
        (b"id,text\n1,\xff\n", None, "line 2 is not UTF-8"),
        ("", None, "empty"),
    ],
)
def test_malformed_csv_is_named_with_its_row_and_line(
    tmp_path: Path, text: str | bytes, row_number: int | None, words: str
) -> None:
    with errors.refused(words, file="rows.csv", row=row_number):
        list(read_records(csv_file(tmp_path, text)))


def test_records_keep_the_row_numbers_of_the_file(tmp_path: Path) -> None:
    save_bytes(tmp_path / "a.jsonl", b'\n{"a": 1}\n\n{"b": 2}\n[]\n')
    found = read_records(str(tmp_path / "a.jsonl"))
    with errors.refused("line 5", "a list", file="a.jsonl", row=3):
        list(found)
    save(tmp_path / "a.parquet", [row(k) for k in range(5)])
    assert [*read_records(tmp_path / "a.parquet", {"id"})][3:] == [(4, {"id": 3}), (5, {"id": 4})]


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_an_object_is_read_whole(tmp_path: Path, pack: Any) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(pack(codecs.BOM_UTF8 + json.dumps({"a": [1, "é"]}, indent=1).encode()))
    assert read_object(file) == {"a": [1, "é"]}


@pytest.mark.parametrize(
    ("content", "word"), [(b"[1]", "object"), (b'{"a": 1', "JSON"), (b"", "JSON"), (b'{"a": "\xff"}', "JSON")]
)
def test_what_holds_no_object_is_named(tmp_path: Path, content: bytes, word: str) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(content)
    with errors.refused(word, file="run.json"):
        read_object(file)


def test_lines_after_a_first_record_with_a_list_keep_their_numbers() -> None:
    one = {"items": [{"a": 1}], "instruction": "x", "output": "y"}
    text = "\n\n".join(json.dumps(one) for _ in range(3)) + "\n{broken"
    batches = json_batches(io.BytesIO(text.encode()), "rows.jsonl")
    with errors.refused("line 6 is not JSON", row=4):
        list(batches)


def test_a_first_line_that_is_nested_too_deeply_is_named() -> None:
    text = '{"a": ' + "[" * 200_000
    with errors.refused("nested too deeply", row=1):
        list(json_batches(io.BytesIO(text.encode()), "rows.jsonl"))
