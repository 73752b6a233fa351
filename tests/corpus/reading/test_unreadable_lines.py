"""Lines of a corpus that cannot be read cost their row, not the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crossin.corpus.reading import text_records
from crossin.corpus.reading.records import read_source
from crossin.corpus.spec import Source
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
