"""What must be the same in every language of an item is taken from most languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import build_named
from crossin.bench.check import check_bench
from crossin.bench.keys import read_disagreements
from crossin.cli.main import app
from crossin.items.item import read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import jsonl, own
from tests.helpers.paths import REAL_DATA

LANGUAGES = ["en", "fi", "is", "mt"]
# What is asked of each of six beasts: the column that one language may spoil.
ASKED = ["food", "home", "food", "home", "home", "food"]


def source(folder: Path, **asked: list[Any]) -> str:
    """A mapping, beside a file for each language; `asked` are a language's values of the column."""
    for code in LANGUAGES:
        rows = [
            {
                "id": number,
                "beast": f"{code} beast {number}",
                "asked": value,
                "a": f"{code} a",
                "b": f"{code} b",
                "right": "A",
                "kind": "wild",
            }
            for number, value in enumerate(asked.get(code, ASKED))
        ]
        jsonl(folder / f"beasts.{code}.jsonl", rows)
    return own(
        folder,
        files=["beasts.{language}.jsonl"],
        languages=LANGUAGES,
        item="{id}",
        question="{beast}: {asked}",
        words={"asked": {key: {code: f"{key} in {code}?" for code in LANGUAGES} for key in ("food", "home")}},
        options=["{a}", "{b}"],
    )


def questions(folder: Path, language: str) -> list[str]:
    return [item.question.split(": ")[1] for item in read_items(folder) if item.language == language]


def in_words(language: str, asked: list[str]) -> list[str]:
    return [f"{key} in {language}?" for key in asked]


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param("home", id="the other key"),
        pytest.param(None, id="nothing"),
        pytest.param("", id="an empty text"),
        pytest.param("hOMES", id="a word that is no key"),
    ],
)
def test_a_key_that_one_language_spoils_is_taken_from_the_others(spoilt: Any, tmp_path: Path) -> None:
    name = source(tmp_path, **{"is": ["food", "home", spoilt, "home", "home", spoilt]})
    stage = build_named(name, tmp_path / "out", source=tmp_path)
    assert questions(tmp_path / "out", "is") == in_words("is", ASKED)
    assert stage.manifest["counts"]["disagreements"] == {"asked": {"is": 2}}
    found = [(one.reason, one.language, one.item) for one in check_bench(tmp_path / "out").findings]
    assert found == [("key_differs:asked", "is", "2"), ("key_differs:asked", "is", "5")]
    assert check_bench(tmp_path / "out").structural == 2


def test_case_width_and_spaces_of_a_key_say_nothing(tmp_path: Path) -> None:
    name = source(tmp_path, mt=[" Food", "HOME", "ｆｏｏｄ", "home ", "Home", "FOOD"])
    stage = build_named(name, tmp_path / "out", source=tmp_path)
    assert questions(tmp_path / "out", "mt") == in_words("mt", ASKED)
    assert "disagreements" not in stage.manifest["counts"]
    assert not read_disagreements(tmp_path / "out")


def test_languages_that_are_not_built_have_a_vote(tmp_path: Path) -> None:
    name = source(tmp_path, fi=["home"] * 6)
    stage = build_named(name, tmp_path / "out", source=tmp_path, languages=["fi", "is"])
    assert questions(tmp_path / "out", "fi") == in_words("fi", ASKED)
    assert stage.manifest["counts"]["disagreements"] == {"asked": {"fi": 3}}
    assert "beasts.mt.jsonl" in stage.manifest["inputs"]


def test_a_language_that_is_not_built_and_cannot_be_read_has_no_vote(tmp_path: Path) -> None:
    name = source(tmp_path)
    (tmp_path / "beasts.mt.jsonl").write_text("{", encoding="utf-8")
    build_named(name, tmp_path / "out", source=tmp_path, languages=["en", "is"])
    assert questions(tmp_path / "out", "en") == in_words("en", ASKED)


def test_where_two_values_are_as_frequent_the_item_is_left_out(tmp_path: Path) -> None:
    name = source(tmp_path, fi=["home", *ASKED[1:]])
    for code in ("is", "mt"):
        (tmp_path / f"beasts.{code}.jsonl").unlink()
    stage = build_named(name, tmp_path / "out", source=tmp_path, languages=["en", "fi"])
    assert stage.manifest["skipped"] == {"key_differs:asked:en": 1}
    assert len(read_items(tmp_path / "out")) == 10


def test_a_value_that_is_no_key_in_most_languages_leaves_the_item_out(tmp_path: Path) -> None:
    name = source(tmp_path, **{code: ["age", *ASKED[1:]] for code in ("en", "fi", "mt")})
    stage = build_named(name, tmp_path / "out", source=tmp_path)
    assert stage.manifest["skipped"] == {"no_words:en": 1}


def test_a_language_with_words_of_its_own_for_every_key_is_an_error(tmp_path: Path) -> None:
    name = source(tmp_path, fi=["ruoka", "koti", "ruoka", "koti", "koti", "ruoka"])
    with refused("no words for 'ruoka'", file=tmp_path / "beasts.fi.jsonl", row=1, field="asked"):
        build_named(name, tmp_path / "out", source=tmp_path)


KINDS = ["wild", "tame"] * 3


def by_kind(folder: Path, **kinds: list[Any]) -> str:
    """The mapping with a column for the task; `kinds` are a language's values of it."""
    name = source(folder)
    for code in LANGUAGES:
        path = folder / f"beasts.{code}.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        values = kinds.get(code, KINDS)
        jsonl(path, [{**row, "kind": kind} for row, kind in zip(rows, values, strict=True)])
    text = Path(name).read_text(encoding="utf-8")
    Path(name).write_text(text.replace("task: nature", "task: '{kind}'"), encoding="utf-8")
    return name


def test_a_task_that_one_language_spoils_is_taken_from_the_others(tmp_path: Path) -> None:
    name = by_kind(tmp_path, en=["tame", "tame", None, *KINDS[3:]])
    stage = build_named(name, tmp_path / "out", source=tmp_path)
    assert [item.task for item in read_items(tmp_path / "out") if item.language == "en"] == KINDS
    assert stage.manifest["counts"]["disagreements"] == {"task": {"en": 2}}


def test_a_task_that_is_translated_is_no_disagreement(tmp_path: Path) -> None:
    name = by_kind(tmp_path, fi=["villi", "kesy"] * 3)
    stage = build_named(name, tmp_path / "out", source=tmp_path)
    assert {item.task for item in read_items(tmp_path / "out")} == {"wild", "tame"}
    assert "disagreements" not in stage.manifest["counts"]


def test_the_screen_says_where_a_key_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = source(tmp_path, fi=["home"] * 6)
    arguments = ["bench", "build", name, "--source", str(tmp_path), "--out", str(tmp_path / "out")]
    assert not app.main(arguments, standalone_mode=False)
    assert "'asked' differs between the languages of some items (fi 3)" in " ".join(
        capsys.readouterr().err.split()
    )


def test_xcopas_key_is_damaged_in_five_languages(tmp_path: Path) -> None:
    if not (REAL_DATA / "xcopa").exists():
        pytest.skip("XCOPA is not here")
    languages = "et,ht,id,it,qu,sw,ta,th,tr,vi,zh"
    stage = build_named("xcopa", tmp_path / "all", source=REAL_DATA / "xcopa", languages=languages)
    damaged = {"th": 250, "tr": 51, "sw": 37, "id": 4, "it": 4}
    assert stage.manifest["counts"]["disagreements"] == {"question": damaged}
    assert stage.manifest["counts"]["items"] == 500
    structural = [one for one in check_bench(tmp_path / "all").findings if one.structural]
    assert {(one.reason, one.language) for one in structural} == {
        ("key_differs:question", code) for code in damaged
    }
    # Two languages alone would disagree about half of the items.
    stage = build_named("xcopa", tmp_path / "two", source=REAL_DATA / "xcopa", languages="th,vi")
    assert stage.manifest["counts"]["items"] == 500
    thai = [item.question for item in read_items(tmp_path / "two") if item.language == "th"]
    assert sum("สาเหตุ" in question for question in thai) >= 250
