"""Rows that are joined by position, and options without ids, belong together in all languages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from crossin.bench.catalogue import build_named
from crossin.bench.check import check_bench
from crossin.bench.option_order import compare_options
from crossin.bench.row_order import compare_texts
from crossin.core.files import read_json
from crossin.items.item import read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import jsonl, own
from tests.helpers.nature_items import write_bench
from tests.helpers.paths import REAL_DATA

ENGLISH = """
barn clock field grape harp island jar kettle lamp mirror needle oven plum quilt ribbon
saddle tailor urn valley wagon yarn attic basket candle ditch elbow fence gutter hinge ink
"""
ESTONIAN = """
küün kell põld viinamari harf saar purk katel lamp peegel nõel ahi ploom tekk lint sadul
rätsep urn org vanker lõng pööning korv küünal kraav küünarnukk tara renn hing tint
"""
JAPANESE = """
納屋 時計 野原 葡萄 竪琴 島 瓶 薬缶 灯火 鏡 針 竈 李 布団 飾紐 鞍 仕立屋 壺 谷 馬車 毛糸 屋根裏 籠
蝋燭 溝 肘 柵 雨樋 蝶番 墨
"""
WORDS = {"en": ENGLISH.split(), "et": ESTONIAN.split(), "ja": JAPANESE.split()}
COUNT = 120


def told(language: str, words: list[int]) -> str:
    return ("" if language == "ja" else " ").join(WORDS[language][word] for word in words)


def rows(language: str, order: list[int] | None = None, subjects: int = 1) -> list[dict[str, Any]]:
    """Questions of four words and four options, all different; `order` is which row stands where."""
    random = numpy.random.default_rng(5)
    made = []
    for number in range(COUNT):
        words = random.permutation(len(WORDS[language])).tolist()
        made.append(
            {
                "q": told(language, words[:4]),
                **{f"o{place}": told(language, [words[4 + place]]) for place in range(4)},
                "right": "A",
                "subject": f"s{number * subjects // COUNT}",
            }
        )
    return [made[place] for place in order or range(COUNT)]


def source(folder: Path, orders: dict[str, list[int] | None], **entries: Any) -> str:
    for language, order in orders.items():
        jsonl(folder / f"{language}.jsonl", rows(language, order, subjects=4))
    return own(
        folder,
        **{
            "languages": list(orders),
            "join": "position",
            "item": None,
            "task": "{subject}",
            "question": "{q}",
            "options": ["{o0}", "{o1}", "{o2}", "{o3}"],
            **entries,
        },
    )


def swapped(*places: int) -> list[int]:
    """The order in which each of these rows and its successor have changed places."""
    order = list(range(COUNT))
    for place in places:
        order[place], order[place + 1] = order[place + 1], order[place]
    return order


@pytest.mark.parametrize("language", ["et", "ja"])
def test_rows_that_changed_places_within_a_small_task_are_left_out(language: str, tmp_path: Path) -> None:
    name = source(tmp_path, {"en": None, language: swapped(10, 40, 77)})
    stage = build_named(name, tmp_path / "out", source=tmp_path)
    left_out = read_json(tmp_path / "out" / "left_out.json")
    assert set(left_out.values()) == {f"other_row:{language}"}
    assert left_out.keys() <= {"11", "12", "41", "42", "78", "79"}
    assert len(left_out) >= 4
    assert stage.manifest["counts"]["items"] == COUNT - len(left_out)


def test_rows_in_order_are_all_kept(tmp_path: Path) -> None:
    name = source(tmp_path, {"en": None, "et": None, "ja": None})
    stage = build_named(name, tmp_path / "out", source=tmp_path)
    assert stage.manifest["skipped"] == {}
    assert not [
        one for one in check_bench(tmp_path / "out").findings if one.reason in ("content", "other_row")
    ]


def test_many_rows_in_another_order_are_refused_unless_they_may_be_left_out(tmp_path: Path) -> None:
    order = list(range(COUNT))
    order[30:50] = numpy.roll(order[30:50], 3).tolist()
    name = source(tmp_path, {"en": None, "et": None, "ja": order})
    with refused("ja", "another order", "20 of 120", file=tmp_path / "ja.jsonl", row=31):
        build_named(name, tmp_path / "out", source=tmp_path)
    stage = build_named(name, tmp_path / "out", source=tmp_path, max_skipped=0.5)
    assert stage.manifest["skipped"] == {"other_row:ja": 20}


@pytest.mark.parametrize("offset", [1, -1, 2])
def test_rows_that_slipped_as_a_whole_are_refused(offset: int, tmp_path: Path) -> None:
    name = source(tmp_path, {"en": None, "et": numpy.roll(range(COUNT), offset).tolist()}, task="t")
    with refused(f"stand {abs(offset)} {'later' if offset > 0 else 'earlier'} in et"):
        build_named(name, tmp_path / "out", source=tmp_path)


def test_rows_in_no_order_are_refused(tmp_path: Path) -> None:
    order = numpy.random.default_rng(1).permutation(COUNT).tolist()
    with refused("the rows of et seem to be in another order than those of en"):
        build_named(source(tmp_path, {"en": None, "et": order}), tmp_path / "out", source=tmp_path)


def test_check_finds_rows_that_changed_places_whoever_joined_them(tmp_path: Path) -> None:
    build_named(source(tmp_path, {"en": None, "et": None}), tmp_path / "out", source=tmp_path)
    items = read_items(tmp_path / "out")
    estonian = {item.item: item for item in items if item.language == "et"}
    there = {"11": "12", "12": "11"}
    items = [
        replace(estonian[there.get(item.item, item.item)], item=item.item, group=item.group)
        if item.language == "et"
        else item
        for item in items
    ]
    found = check_bench(write_bench(tmp_path, items)).findings
    assert {(one.item, one.language) for one in found if one.reason == "other_row"} == {
        ("11", "et"),
        ("12", "et"),
    }
    assert all(one.structural for one in found if one.reason == "other_row")


def test_too_few_rows_are_not_judged() -> None:
    texts = [f"{one} {two}" for one in WORDS["en"][:4] for two in WORDS["en"][4:8]]
    assert not len(compare_texts(texts, list(reversed(texts))).apart)


def test_sums_with_another_result_are_no_translation(tmp_path: Path) -> None:
    for code, third in (("en", "2,135"), ("th", "๒๑๓๕"), ("de", "2.136")):
        lines = [f"{code} {number}?\t{gold}" for number, gold in enumerate(["7", "18.0", third])]
        (tmp_path / f"mgsm_{code}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    stage = build_named("mgsm", tmp_path / "out", source=tmp_path, languages=["en", "de", "th"])
    assert stage.manifest["skipped"] == {"differs_by_language:answer:de": 1}


class TestOptions:
    YEARS = tuple(1500 + 7 * number for number in range(60))

    def bridges(self, folder: Path, turn: dict[str, int], *, right: bool = True, ids: bool = True) -> str:
        """Fourteen questions with four years each; a language's options are turned by so many places, the
        right one too if `right`.
        """
        for code, by in turn.items():
            made = []
            for number in range(14):
                years = list(self.YEARS[4 * number : 4 * number + 4])
                rest = years if right else years[1:]
                order = rest[-by:] + rest[:-by] if by else rest
                order = order if right else [years[0], *order]
                made.append(
                    {
                        "id": number,
                        "q": f"{code} bridge {number}?",
                        **{f"o{place}": f"{code} {year}" for place, year in enumerate(order)},
                        "right": order.index(years[0]),
                        **({"which": [f"Q{year}" for year in order]} if ids else {}),
                        "tags": ["x", "y"],
                    }
                )
            jsonl(folder / f"{code}.jsonl", made)
        return own(
            folder,
            languages=list(turn),
            item="{id}",
            question="{q}",
            options=["{o0}", "{o1}", "{o2}", "{o3}"],
            answer={"column": "right", "form": "index"},
        )

    def test_another_order_is_refused_and_the_column_of_ids_is_named(self, tmp_path: Path) -> None:
        name = self.bridges(tmp_path, {"en": 0, "fi": 0, "sq": 1})
        with refused("another order in sq than in en", field="options", hint="ids: which}"):
            build_named(name, tmp_path / "out", source=tmp_path)
        assert not (tmp_path / "out").exists()

    def test_wrong_options_alone_in_another_order_are_refused_too(self, tmp_path: Path) -> None:
        name = self.bridges(tmp_path, {"en": 0, "sq": 1}, right=False, ids=False)
        with refused("another order in sq", "in 14 of 14", hint="ids: COLUMN}"):
            build_named(name, tmp_path / "out", source=tmp_path)

    def test_with_ids_they_are_matched(self, tmp_path: Path) -> None:
        name = self.bridges(tmp_path, {"en": 0, "sq": 1})
        text = Path(name).read_text(encoding="utf-8")
        listed = "options:\n- '{o0}'\n- '{o1}'\n- '{o2}'\n- '{o3}'\n"
        assert listed in text
        ids = "options: {templates: ['{o0}', '{o1}', '{o2}', '{o3}'], ids: which}\n"
        Path(name).write_text(text.replace(listed, ids), encoding="utf-8")
        stage = build_named(name, tmp_path / "out", source=tmp_path)
        assert stage.manifest["counts"]["items"] == 14

    def test_one_item_whose_options_moved_is_left_out(self, tmp_path: Path) -> None:
        name = self.bridges(tmp_path, {"en": 0, "sq": 0})
        file = tmp_path / "sq.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines()
        lines[3] = lines[3].replace('"o1"', '"o9"').replace('"o2"', '"o1"').replace('"o9"', '"o2"')
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        stage = build_named(name, tmp_path / "out", source=tmp_path)
        assert stage.manifest["skipped"] == {"options_moved:sq": 1}

    def test_words_show_another_order_where_no_number_does(self, tmp_path: Path) -> None:
        build_named(source(tmp_path, {"en": None, "ja": None}), tmp_path / "out", source=tmp_path)
        items = read_items(tmp_path / "out")
        pairs = list(zip(items[::2], items[1::2], strict=True))
        assert not compare_options(pairs).other
        turned = [
            (one, replace(two, options=[two.options[0], *two.options[2:], two.options[1]]))
            for one, two in pairs
        ]
        assert compare_options(turned).other


@pytest.mark.parametrize("language", ["de", "th", "zh"])
def test_real_sums_that_changed_places_are_found(language: str) -> None:
    if not (REAL_DATA / "mgsm").exists():
        pytest.skip("MGSM is not here")
    one, two = (
        [
            line.split("\t")[0]
            for line in (REAL_DATA / "mgsm" / f"mgsm_{code}.tsv").read_text("utf-8").splitlines()
        ]
        for code in ("en", language)
    )
    assert not len(compare_texts(one, two).apart)
    moved = set(range(100, 120))
    slipped = [*two[:100], *two[101:120], two[100], *two[120:]]
    found = set(compare_texts(one, slipped).apart.tolist())
    assert len(found & moved) >= 0.9 * len(moved)
    assert len(found - moved) <= 5
