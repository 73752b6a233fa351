from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_parquet, sha256
from crossin.facts import build_facts
from crossin.facts.corpus import split_of
from crossin.facts.world import load_countries
from crossin.languages import available
from tests.helpers.errors import refused

Lines = list[dict[str, Any]]


def lines_of(path: Path) -> Lines:
    lines: Lines = read_parquet(path, _columns(path)).to_pylist()
    return lines


def _columns(path: Path) -> list[str]:
    import pyarrow.parquet

    return list(pyarrow.parquet.read_schema(path).names)


@pytest.fixture(scope="module")
def facts(facts_folder: Path) -> Lines:
    return lines_of(facts_folder / "facts.parquet")


def line(facts: Lines, fact: str, language: str) -> dict[str, Any]:
    return next(one for one in facts if (one["fact"], one["language"]) == (fact, language))


def test_facts_are_true_and_named_in_every_language(facts: Lines) -> None:
    assert line(facts, "capital:FR", "zh")["answer"] == "巴黎"
    assert line(facts, "capital:FR", "es")["answer"] == "París"
    assert line(facts, "currency:VN", "vi")["answer"] == "Đồng Việt Nam"
    assert line(facts, "continent:KE", "es")["answer"] == "África"
    assert line(facts, "language:BR", "zh")["answer"] == "葡萄牙语"
    assert line(facts, "capital:JP", "vi")["questions"][0].count("Nhật Bản") == 1


def test_every_fact_stands_in_every_language_with_the_same_options(facts: Lines) -> None:
    by_fact: dict[str, Lines] = defaultdict(list)
    for one in facts:
        by_fact[one["fact"]].append(one)
    assert len(by_fact) > 500
    for versions in by_fact.values():
        assert [one["language"] for one in versions] == ["en", "zh", "vi", "es"]
        assert len({tuple(one["option_ids"]) for one in versions}) == 1
        for one in versions:
            assert one["options"][one["option_ids"].index(one["answer_id"])] == one["answer"]
            assert len(set(one["option_ids"])) == len({option.casefold() for option in one["options"]}) == 4


def test_a_wrong_option_is_never_true(facts: Lines) -> None:
    countries = {country.code: country for country in load_countries()[0]}
    for one in facts:
        wrong = set(one["option_ids"]) - {one["answer_id"]}
        assert not wrong & countries[one["group"]].currencies
        assert one["relation"] != "language" or not wrong & countries[one["group"]].languages


def test_wrong_capitals_lie_on_the_same_continent_where_there_are_enough(facts: Lines) -> None:
    continent = {country.code: country.continent for country in load_countries()[0]}
    capitals = [one for one in facts if one["relation"] == "capital" and one["language"] == "en"]
    same = [continent[option] == continent[one["group"]] for one in capitals for option in one["option_ids"]]
    assert sum(same) / len(same) > 0.8


def test_the_right_option_stands_at_every_place_about_equally_often(facts: Lines) -> None:
    places = [one["option_ids"].index(one["answer_id"]) for one in facts if one["language"] == "en"]
    for place in range(4):
        assert 0.18 < places.count(place) / len(places) < 0.32


def test_no_country_that_is_trained_on_is_tested(facts_folder: Path, facts: Lines) -> None:
    tested = {one["group"] for one in facts if one["split"] == "test"}
    trained = {
        one["group"] for name in ("questions", "names") for one in lines_of(facts_folder / f"{name}.parquet")
    }
    assert len(tested) > 50
    assert not tested & trained


def test_a_held_out_test_countrys_name_is_never_trained_on(facts_folder: Path, facts: Lines) -> None:
    tested = {one["subject"] for one in facts if one["split"] == "test" and one["language"] == "en"}
    named = {
        one["instruction"] for one in lines_of(facts_folder / "names.parquet") if one["language"] == "en"
    }
    assert not tested & named


def test_the_split_is_the_countrys_alone() -> None:
    assert [split_of(code) for code in ("VN", "FR", "JP", "US")] == [
        split_of(code) for code in ("VN", "FR", "JP", "US")
    ]
    shares = [split_of(country.code) for country in load_countries()[0]]
    assert 0.3 < shares.count("test") / len(shares) < 0.5
    assert 0.1 < shares.count("dev") / len(shares) < 0.3


def test_dev_holds_the_dev_countries_out_of_training_too(tmp_path: Path) -> None:
    folder = build_facts(["en"], tmp_path / "facts", held_out="dev").folder
    assert {split_of(one["group"]) for one in lines_of(folder / "questions.parquet")} == {"train"}


def test_what_has_no_name_in_a_language_is_left_out_of_all_and_counted(tmp_path: Path) -> None:
    stage = build_facts(["en", "el"], tmp_path / "facts")
    facts = lines_of(stage.folder / "facts.parquet")
    # CLDR writes the name of Nepal's capital in Latin letters in Greek.
    assert "capital:NP" not in {one["fact"] for one in facts}
    assert "continent:NP" in {one["fact"] for one in facts}
    assert stage.manifest["skipped"]["no_name:capital:el"] >= 1


def test_names_have_no_characters_that_only_say_where_to_break_them() -> None:
    from crossin.facts.names import answer_name
    from crossin.facts.world import load_countries

    [iceland] = [country for country in load_countries()[0] if country.code == "IS"]
    assert answer_name(iceland, "capital", "de") == "Reykjavík"


def test_all_languages_have_enough_facts(tmp_path: Path) -> None:
    stage = build_facts(available(), tmp_path / "facts")
    counts = stage.manifest["counts"]["facts"]
    assert min(count for by_split in counts.values() for count in by_split.values()) > 15


def test_the_same_languages_give_the_same_bytes(facts_folder: Path, tmp_path: Path) -> None:
    again = build_facts(["en", "zh", "vi", "es"], tmp_path / "facts").folder
    for name in ("facts", "questions", "names"):
        assert sha256(again / f"{name}.parquet") == sha256(facts_folder / f"{name}.parquet")


def test_an_unknown_language_leaves_nothing_behind(tmp_path: Path) -> None:
    with refused("'tlh'", "ar, de"):
        build_facts(["en", "tlh"], tmp_path / "facts")
    assert not (tmp_path / "facts").exists()


def test_languages_may_have_a_part_of_the_questions(facts_folder: Path, tmp_path: Path) -> None:
    rows: dict[str, set[tuple[str, str]]] = {}
    for name, shares in {"tenth": {"es": 0.1}, "third": {"es": 0.3, "vi": 0.3}}.items():
        folder = build_facts("en,zh,vi,es", tmp_path / name, shares=shares).folder
        assert sha256(folder / "facts.parquet") == sha256(facts_folder / "facts.parquet")
        rows[name] = {(row["id"], row["language"]) for row in lines_of(folder / "questions.parquet")}
    whole = {(row["id"], row["language"]) for row in lines_of(facts_folder / "questions.parquet")}

    def part(name: str, language: str) -> float:
        count = Counter(language for _, language in rows[name])
        return count[language] / Counter(language for _, language in whole)[language]

    assert rows["tenth"] < whole
    assert 0.07 < part("tenth", "es") < 0.13
    assert 0.25 < part("third", "vi") < 0.35
    assert part("tenth", "vi") == part("third", "zh") == 1
    assert {one for one in rows["tenth"] if one[1] == "es"} < rows["third"]


@pytest.mark.parametrize(
    ("shares", "words"), [({"de": 0.5}, "'de'"), ({"es": 0}, "is 0"), ({"es": 30}, "is 30")]
)
def test_a_share_that_cannot_be_is_refused(shares: dict[str, float], words: str, tmp_path: Path) -> None:
    with refused(words, field="shares"):
        build_facts("en,es", tmp_path / "facts", shares=shares)
