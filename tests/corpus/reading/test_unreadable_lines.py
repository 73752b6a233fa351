"""Lines of a corpus that cannot be read cost their row, not the run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from crossin.core.progress import silent
from crossin.corpus.reading import text_records
from crossin.corpus.reading.language_rows import read_languages
from crossin.corpus.reading.records import read_source
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import Source
from tests.helpers.corpus_files import corpus_spec, row
from tests.helpers.errors import refused


@pytest.mark.parametrize("chunk", [5, 1 << 20])
def test_lines_of_a_corpus_that_cannot_be_read_are_left_to_be_counted(
    tmp_path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_records, "_CHUNK", chunk)
    lines = [b'{"id": 1}', b'{"id": "sch\xf6n"}', b"", b'["a list"]', b'{"id": 4}', b'{"id": 5, "instr']
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(lines))
    [batch] = read_source(Source(path="rows.jsonl"), tmp_path, set())
    assert batch.column("id", required=True) == [1, "sch\udcf6n", None, 4, None]
    assert batch.broken == [2, 4]
    assert batch.lines == [1, 2, 4, 5, 6]
    assert batch.select(np.array([4, 0])).broken == [0]


def test_a_corpus_whose_first_line_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'{\n"id": 1\n}\n')
    with refused("line 1 is not JSON", file="rows.jsonl", row=1):
        list(read_source(Source(path="rows.jsonl"), tmp_path, set()))


def test_a_line_that_names_no_language_is_counted_with_the_rows_around_it(tmp_path: Path) -> None:
    rows = [json.dumps({"language": code, **row(number)}) for number in range(3) for code in ("en", "zh")]
    (tmp_path / "rows.jsonl").write_text("\n".join([*rows[:3], '{"language": "e', *rows[3:], "{"]))
    spec = corpus_spec(source={"path": "rows.jsonl"})
    [english, chinese], _ = read_languages("test", spec, tmp_path, None, set(), tmp_path / "work", silent)
    broken = CorpusReason.BROKEN_RECORD.number
    assert english.status.tolist() == [0, 0, 0]
    assert chinese.status.tolist() == [0, broken, 0, 0, broken]


@pytest.mark.parametrize(
    ("name", "lines", "texts", "broken"),
    [
        ("rows.csv", ["id,text", "1,a", "2,b,c", "3", "4,d"], ["a", None, None, "d"], [1, 2]),
        ("rows.tsv", ["id\ttext", "1\ta", "2\tb\tc", "3", '4\t"d'], ["a", None, None, '"d'], [1, 2]),
        # A stray quote, and one that nothing closes, cost their line, and no other.
        ("rows.csv", ["id,text", "1,a", '2,"b', "3,c", '4,"d"', "5,e"], ["a", None, "c", "d", "e"], [1]),
        ("rows.csv", ["id,text", '1,"a', 'a"', '2,"b', "3,c"], ["a\na", None, "c"], [1]),
        ("rows.csv", ["id,text", "1,a", '2,"b"b', "3,c"], ["a", None, "c"], [1]),
        ("rows.csv", ["id,text", "1,a", '2,"b', 'b",c', "3,d"], ["a", None, "d"], [1]),
    ],
)
def test_rows_of_csv_that_cannot_be_read_are_left_to_be_counted(
    tmp_path: Path, name: str, lines: list[str], texts: list[str | None], broken: list[int]
) -> None:
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    [batch] = read_source(Source(path=name), tmp_path, set(), {"id"})
    assert batch.column("text", required=True) == texts
    assert batch.broken == broken
    assert batch.column("id")[0] == 1


def test_many_stray_quotes_in_csv_are_read_in_time(tmp_path: Path) -> None:
    rows = [f'{number},"a' if number % 3 == 2 else f"{number},a" for number in range(1, 30_001)]
    (tmp_path / "rows.csv").write_text("\n".join(["id,text", *rows]))
    batches = list(read_source(Source(path="rows.csv"), tmp_path, set()))
    assert sum(len(batch.broken) for batch in batches) == 10_000
    assert sum(map(len, batches)) == 30_000


@pytest.mark.parametrize("line", ["1,a,b", "1", '1,"a'])
def test_csv_whose_first_row_cannot_be_read_is_an_error(tmp_path: Path, line: str) -> None:
    (tmp_path / "rows.csv").write_text(f"id,text\n{line}\n2,b\n")
    with refused("line 2 is not CSV", file="rows.csv", row=1):
        list(read_source(Source(path="rows.csv"), tmp_path, set()))
