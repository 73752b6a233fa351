"""Answers in free text, expressed by a translator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossin.core.files import read_parquet
from crossin.evaluation.engine import Request
from crossin.teaching.run import teach
from tests.helpers.errors import refused
from tests.helpers.knowing import Knowing
from tests.helpers.translated_rows import mock_server, table_of, write_rows

COUNT = 8


def settings(home: Path, url: str, **more: Any) -> dict[str, Any]:
    server = {"base_url": url, "retries": 2}
    return {
        "model": "m",
        "questions": home / "rows.jsonl",
        "languages": ["es", "zh"],
        "translate": {"engine": "openai", "model": "mock", "server": server},
        **more,
    }


def knowing(rows: list[dict[str, Any]], unsure: int) -> Knowing:
    """A model that answers as the rows do, but says something else each time to one of them."""

    def reply(request: Request) -> str:
        row = next(one for one in rows if one["en"][0] in request.prompt)
        return f"{len(request.prompt)} is all I know." if row is rows[unsure] else row["en"][2]

    return Knowing(reply=reply)


def test_questions_and_answers_that_a_language_lacks_are_translated(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", COUNT)
    table_of(rows, tmp_path / "table.json")
    with mock_server(tmp_path / "table.json") as url:
        stage = teach(settings(tmp_path, url), tmp_path / "out", engine=knowing(rows, unsure=2))
    columns = ["id", "language", "instruction", "input", "output"]
    found = {
        (row["id"], row["language"]): [row["instruction"], row["input"], row["output"]]
        for row in read_parquet(stage.folder / "questions.parquet", columns).to_pylist()
    }
    certain = [row for row in rows if row is not rows[2]]
    assert found == {(row["id"], code): row[code] for row in certain for code in ("en", "es", "zh")}
    assert stage.manifest["skipped"] == {"answers_disagree": 1}


def test_a_translation_that_was_rejected_is_counted_in_its_language(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", COUNT)
    table_of(rows, tmp_path / "table.json")
    arguments = ["--faults", "1", "--kinds", "copy", "--stubborn"]
    with mock_server(tmp_path / "table.json", *arguments) as url:
        stage = teach(settings(tmp_path, url), tmp_path / "out", engine=knowing(rows, unsure=2))
    assert stage.manifest["skipped"] == {
        "answers_disagree": 1,
        "not_translated:es": COUNT - 1,
        "not_translated:zh": COUNT - 1,
    }
    assert stage.manifest["counts"]["by_language"] == {"en": COUNT - 1, "es": 0, "zh": 0}


def test_what_is_wrong_with_the_translator_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", COUNT)
    with refused("model", field="translate.model"):
        given = settings(tmp_path, "http://127.0.0.1:9/v1", translate={"engine": "openai"})
        teach(given, tmp_path / "out", engine=Knowing())
    with refused("engin", field="translate.engin", hint="engine"):
        teach(settings(tmp_path, "", translate={"engin": "openai"}), tmp_path / "out", engine=Knowing())
