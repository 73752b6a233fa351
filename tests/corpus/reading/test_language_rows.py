"""The languages that the rows of one file name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.corpus.parallel import read_corpus
from tests.helpers.corpus_files import corpus_spec, row, save


@pytest.mark.parametrize("language", ["", None, "und", "mul", 5])
def test_a_row_that_names_no_language_is_counted_with_those_around_it(tmp_path: Path, language: Any) -> None:
    records = [row(1, language="en"), row(2, language=language), row(1, language="zh")]
    save(tmp_path / "m.jsonl", records)
    spec = corpus_spec(source="m.jsonl")
    corpus = read_corpus("m", spec, tmp_path, None, set(), tmp_path / "work")
    assert corpus.skipped() == {"no_language:zh": 1}
    assert corpus.languages == ["en", "zh"]
    assert len(corpus) == 1


def test_a_column_of_scripts_counts_beside_a_language_of_any_name(tmp_path: Path) -> None:
    save(tmp_path / "m.jsonl", [row(1, lang="zho", script=script) for script in ("Hans", "Hant")])
    spec = corpus_spec(source={"path": "m.jsonl", "columns": {"language": "lang"}})
    corpus = read_corpus("m", spec, tmp_path, None, set(), tmp_path / "work")
    assert corpus.languages == ["zh", "zh-Hant"]
    assert corpus.skipped() == {}
