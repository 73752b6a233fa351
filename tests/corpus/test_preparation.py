from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossin.core.files import read_parquet
from crossin.corpus.parallel import ParallelCorpus
from crossin.corpus.preparation import prepare
from crossin.corpus.spec import CorpusSpec
from crossin.facts import build_bench
from tests.helpers.errors import refused

Lines = list[dict[str, Any]]


def line(number: int, language: str = "en", **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "instruction": f"Task {number} in {language}",
        "input": "",
        "output": f"{number}",
    } | changes


def prepared(
    folder: Path, files: dict[str, Lines], *, strict: bool = False, **entries: Any
) -> ParallelCorpus:
    for language, lines in files.items():
        (folder / f"{language}.json").write_text(json.dumps(lines), encoding="utf-8")
    spec = {"files": {language: f"{language}.json" for language in files}, "check": "none", **entries}
    return prepare(
        "mine", CorpusSpec.model_validate(spec), folder, list(files), "en", folder / "work", strict=strict
    )


def reasons(corpus: ParallelCorpus) -> dict[str, str]:
    """Why each row that was kept out was kept out, by id."""
    return {
        corpus.ids[row].as_py(): corpus.reasons[corpus.status[row] - 1]
        for row in np.flatnonzero(~corpus.kept).tolist()
    }


def test_a_filter_is_asked_in_every_language_that_has_its_column(tmp_path: Path) -> None:
    files = {"en": [line(1), line(2)], "zh": [line(1, "zh", score=5), line(2, "zh", score=3)]}
    made = prepared(tmp_path, files, filter={"score": {"min": 4}})
    assert reasons(made) == {"2": "filtered:score:zh"}


@pytest.mark.parametrize("how", ["exact", "near"])
def test_a_repeated_row_is_kept_once(tmp_path: Path, how: str) -> None:
    words = "Name the three largest rivers of the continent of Africa and say where each of them ends"
    files = {
        "en": [
            line(1, instruction=words, output="Nile"),
            line(2),
            line(3, instruction=words.upper(), output="nile"),
        ]
    }
    code = "near_duplicate" if how == "near" else "duplicate"
    assert reasons(prepared(tmp_path, files, deduplicate=how)) == {"3": code}


def test_what_a_benchmark_asks_is_kept_out_in_all_languages_with_the_item_and_the_words(
    facts_folder: Path, tmp_path: Path
) -> None:
    build_bench(facts_folder, tmp_path / "bench")
    items = read_parquet(tmp_path / "bench" / "items.parquet", ["item", "language", "question"]).to_pylist()
    item = next(one for one in items if one["language"] == "es" and len(one["question"].split()) > 5)
    files = {
        "en": [line(1), line(2), line(3)],
        "es": [line(1, "es"), line(2, "es", input=f"Dime: {item['question']}"), line(3, "es")],
    }
    made = prepared(tmp_path, files, decontaminate={"bench": "bench"})
    assert reasons(made) == {"2": "contaminated:bench:es"}
    assert list(made.details) == [1]
    assert made.details[1].startswith("item ")


def test_a_row_that_is_no_translation_is_kept_out_and_named(tmp_path: Path) -> None:
    english = [line(number, output=f"The year was {1900 + number}.") for number in range(40)]
    german = [line(number, "de", output=f"Es war das Jahr {1900 + number}.") for number in range(40)]
    german[7]["output"] = "Es war das Jahr."
    made = prepared(tmp_path, {"en": english, "de": german}, check="scan")
    assert reasons(made) == {"7": "numbers:de"}
    with refused("1 rows", "'mine'", "(de)", "id '7'", hint="--strict"):
        prepared(tmp_path, {"en": english, "de": german}, check="scan", strict=True)


ASKED = {
    "en": "What is the capital of country number {}?",
    "de": "Was ist die Hauptstadt von Land Nummer {}?",
    "vi": "Thủ đô của đất nước số {} tên là gì?",
    "th": "เมืองหลวงของประเทศหมายเลข {} ชื่ออะไร",
    "zh": "第{}号国家的首都是哪座城市？",
}


def asked(language: str, count: int = 20) -> Lines:
    return [line(n, instruction=ASKED[language].format(n), output="Bern") for n in range(count)]


@pytest.mark.parametrize(("said", "really"), [(one, two) for one in ASKED for two in ASKED if one != two])
def test_a_file_in_another_language_is_refused(said: str, really: str, tmp_path: Path) -> None:
    pytest.importorskip("lingua")
    other = "de" if said == "en" else "en"
    files = {said: asked(really), other: asked(other)}
    field, looks = f"corpora.mine.files.{said}", f"look like {really}"
    with refused(looks, file=f"{said}.json", field=field, hint="--no-check-language"):
        prepared(tmp_path, files, check="scan")
    assert len(prepared(tmp_path, files, check="scan", check_language=False)) == 20


def test_files_in_their_own_languages_pass(tmp_path: Path) -> None:
    made = prepared(tmp_path, {language: asked(language) for language in ASKED}, check="scan")
    assert made.kept.sum() == 20


def test_rows_of_one_source_are_checked_by_their_language(tmp_path: Path) -> None:
    pytest.importorskip("lingua")
    rows = [
        {**row, "language": said} for said, really in (("en", "en"), ("th", "zh")) for row in asked(really)
    ]
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    spec = CorpusSpec.model_validate({"source": "rows.json"})
    with refused("look like zh", file="rows.json", field="corpora.mine.source"):
        prepare("mine", spec, tmp_path, ["en", "th"], "en", tmp_path / "work")


def test_strict_lets_filters_and_duplicates_pass(tmp_path: Path) -> None:
    files = {
        "en": [line(1, score=5), line(2, score=1), line(3, instruction="Task 1 in en", output="1", score=5)]
    }
    made = prepared(tmp_path, files, filter={"score": {"min": 4}}, deduplicate="exact", strict=True)
    assert made.kept.tolist() == [True, False, False]


def test_every_row_is_kept_or_has_one_reason(tmp_path: Path) -> None:
    files = {
        "en": [
            line(1, score=1),
            line(2, score=5),
            line(3, score=5),
            line(3, score=5),
            line(4, score=5, instruction=""),
        ],
        "zh": [line(1, "zh"), line(2, "zh")],
    }
    corpus = prepared(tmp_path, files, filter={"score": {"min": 4}})
    assert len(corpus) == int(corpus.kept.sum()) + sum(corpus.rejected().values()) == 4
    assert corpus.rejected() == {"duplicate_id:en": 1, "missing_translation:zh": 1, "filtered:score:en": 1}
