"""Questions with paraphrases: the model is asked in all, and rows ask in those that are not tested."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from crossin.bench.part import build_part
from crossin.core.files import read_parquet
from crossin.core.formats import ENTITIES
from crossin.evaluation.engine import Request
from crossin.items import read_items
from crossin.items.inventories import write_inventories
from crossin.teaching.run import teach
from tests.helpers import entity_bench, small_bench
from tests.helpers.errors import refused
from tests.helpers.knowing import Knowing


def rows_in(folder: Path) -> list[dict[str, Any]]:
    columns = ["id", "language", "instruction", "output"]
    return list(read_parquet(folder / "questions.parquet", columns).to_pylist())


def capital_gaps(folder: Path) -> Path:
    """Two capitals, each as three sentences that end with their gap."""
    items = [
        replace(
            item,
            question=f"{item.question} one ____.",
            gap="____",
            paraphrases=[f"{item.question} two ____.", f"{item.question} three ____."],
        )
        for item in entity_bench.items()
        if item.task == "capital"
    ]
    small_bench.write_bench(folder, items)
    write_inventories(folder / ENTITIES, [entity_bench.CAPITALS])
    return folder


def test_shots_come_from_questions_that_are_not_asked(tmp_path: Path) -> None:
    bench = capital_gaps(tmp_path / "bench")
    one, other = (
        build_part(bench, tmp_path / name, share=share).folder
        for name, share in (("one", (0, 0.5)), ("other", (0.5, 1)))
    )
    shot = next(item for item in read_items(other) if item.language == "en")
    engine = Knowing(reply=lambda _: " Paris")
    teach({"model": "m", "questions": one, "shots": 1, "shots_from": other}, tmp_path / "out", engine=engine)
    assert {str(request.prompt).partition("\n")[0] for request in engine.asked} == {
        shot.filled(shot.right_text)
    }
    with refused("is asked, and is a shot", field="shots_from"):
        teach(
            {"model": "m", "questions": one, "shots": 1, "shots_from": bench}, tmp_path / "no", engine=engine
        )


def test_a_question_is_asked_in_its_paraphrases_too_and_taught_in_them(tmp_path: Path) -> None:
    def reply(request: Request) -> str:
        if "japan" in request.prompt and "two" in request.prompt:
            return " Paris"
        return " Tokyo" if "japan" in request.prompt else " Vienna"

    bench = capital_gaps(tmp_path / "bench")
    work = teach(
        {"model": "m", "questions": bench}, tmp_path / "out", engine=Knowing(lambda *_: 0.0, reply=reply)
    )
    assert work.manifest["skipped"] == {"answers_disagree": 1}
    assert [
        (row["id"], row["language"], row["instruction"], row["output"]) for row in rows_in(work.folder)
    ] == [
        (f"austria/{number}", language, f"austria? ({language}) {word}", name)
        for number, word in ((1, "two"), (2, "three"))
        for language, name in (("en", "Vienna"), ("de", "Wien"), ("ru", "Вена"))
    ]
    same = teach(
        {"model": "m", "questions": bench, "wordings": "same"},
        tmp_path / "same",
        engine=Knowing(lambda *_: 0.0, reply=reply),
    )
    assert {(row["id"], row["instruction"]) for row in rows_in(same.folder)} == {
        ("austria/0", f"austria? ({language}) one") for language in ("en", "de", "ru")
    }
