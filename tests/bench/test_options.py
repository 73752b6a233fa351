from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import build_named
from crossin.items.item import read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import built, jsonl, only, own, parquet

_TREES = {"en": ["oak", "elm", "ash"], "de": ["Eiche", "Ulme", "Esche"]}


def _name(folder: Path, options: Any, answer: Any, **entries: Any) -> str:
    return own(
        folder,
        **{
            "languages": ["en"],
            "question": "{q}",
            "options": options,
            "answer": answer,
            "files": ["{language}.jsonl"],
            **entries,
        },
    )


def _skipped(name: str, folder: Path) -> dict[str, int]:
    return dict(build_named(name, folder / "out", source=folder).manifest["skipped"])


_LETTER = {"column": "right", "form": "letter"}
_LABEL = {"column": "right", "form": "label"}


class TestColumn:
    @pytest.mark.parametrize(
        ("value", "options", "answer"),
        [
            (["oak", "elm"], {}, _LETTER),
            ("['oak', 'elm']", {}, _LETTER),
            ('["oak", "elm"]', {}, _LETTER),
            ("oak; elm", {"separator": ";"}, _LETTER),
            ({"A": "oak", "B": "elm"}, {}, _LETTER),
            ({"A": "oak", "B": "elm"}, {}, _LABEL),
            ([{"t": "oak", "l": "A"}, {"t": "elm", "l": "B"}], {"text": "t", "label": "l"}, _LABEL),
            ([["oak", "A"], ["elm", "B"]], {"text": 0, "label": 1}, _LABEL),
            ('[{"t": "oak"}, {"t": "elm"}]', {"text": "t", "label": "labels"}, _LABEL),
            ({"t": ["oak", "elm"], "l": ["A", "B"]}, {"text": "t", "label": "l"}, _LABEL),
            ([{"in": {"t": "oak"}}, {"in": {"t": "elm"}}], {"text": "in.t"}, _LETTER),
        ],
    )
    def test_a_column_holds_all_options_in_one_of_many_ways(
        self, value: Any, options: dict[str, Any], answer: dict[str, str], tmp_path: Path
    ) -> None:
        row = {"key": 1, "q": "Which?", "all": value, "labels": ["A", "B"], "right": "B"}
        jsonl(tmp_path / "en.jsonl", [row])
        [item] = built(_name(tmp_path, {"column": "all", **options}, answer), tmp_path)
        assert (item.options, item.option_ids, item.answer) == (["oak", "elm"], ["A", "B"], "B")

    def test_parallel_lists_in_parquet(self, tmp_path: Path) -> None:
        rows = [{"key": 1, "q": "?", "c": {"label": ["x", "y"], "text": ["oak", "elm"]}, "right": "x"}]
        parquet(tmp_path / "en.parquet", rows)
        for options in (
            {"column": "c", "text": "text", "label": "label"},
            {"column": "c.text", "label": "c.label"},
        ):
            name = _name(tmp_path, options, _LABEL, files=["{language}.parquet"])
            [item] = built(name, tmp_path, source=tmp_path / "en.parquet")
            assert (item.options, item.answer) == (["oak", "elm"], "A")
            for file in (tmp_path / "out").iterdir():
                file.unlink()

    def test_numbers_are_options_too(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "en.jsonl", [{"key": 1, "q": "?", "all": [7, 7.5, 8.0], "right": "8"}])
        [item] = built(_name(tmp_path, {"column": "all"}, {"column": "right", "form": "text"}), tmp_path)
        assert (item.options, item.answer) == (["7", "7.5", "8"], "C")

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            ("['oak' 'elm']", "no commas"),
            ("oak, elm", "expected a list"),
            ([{"t": "oak"}, {"t": "elm"}], "which has: t"),
            ([True, False], "expected text, not true or false"),
            ({"t": ["oak", "elm"]}, "not a list"),
            (7, "expected a list"),
        ],
    )
    def test_what_cannot_be_read_in_one_row_leaves_it_out_and_in_all_rows_is_an_error(
        self, value: Any, words: str, tmp_path: Path
    ) -> None:
        good = {"key": 1, "q": "?", "all": ["oak", "elm"], "right": "A"}
        bad = {**good, "key": 2, "all": value}
        name = _name(tmp_path, {"column": "all"}, _LETTER)
        jsonl(tmp_path / "en.jsonl", [good, bad])
        [(reason, count)] = _skipped(name, tmp_path).items()
        assert reason in ("unreadable_options:en", "other_than_text:en") and count == 1
        file = jsonl(tmp_path / "en.jsonl", [bad, {**bad, "key": 3}])
        with refused(words, "none of the 2 rows in en", file=file, row=1, field="all"):
            build_named(name, tmp_path / "out2", source=tmp_path)

    def test_a_key_that_no_option_has_is_named_with_those_they_have(self, tmp_path: Path) -> None:
        rows = [{"key": 1, "q": "?", "all": [{"t": "oak", "l": "A"}, {"t": "elm", "l": "B"}], "right": "B"}]
        jsonl(tmp_path / "en.jsonl", rows)
        with refused("no key 'txt'", "it has: t, l", field="all"):
            built(_name(tmp_path, {"column": "all", "text": "txt"}, _LETTER), tmp_path)
        with refused("no column 'lbl'", "key, q, all, right", "the keys of each are: t, l"):
            built(_name(tmp_path, {"column": "all", "text": "t", "label": "lbl"}, _LABEL), tmp_path)

    def test_half_a_character_in_a_list_leaves_the_row_out(self, tmp_path: Path) -> None:
        good = {"key": 1, "q": "?", "all": ["oak", "elm"], "right": "A"}
        jsonl(tmp_path / "en.jsonl", [good, {**good, "key": 2, "all": ["oak", "e\udc00lm"]}])
        assert _skipped(_name(tmp_path, {"column": "all"}, _LETTER), tmp_path) == {"broken_text:en": 1}


class TestAbsentOptions:
    def test_blank_options_do_not_exist_where_the_mapping_says_so(self, tmp_path: Path) -> None:
        rows: list[dict[str, Any]] = [
            {"key": 1, "q": "?", "o0": "oak", "o1": "elm", "o2": None, "right": "B"},
            {"key": 2, "q": "?", "o0": "oak", "o1": "elm", "o2": "ash", "right": "C"},
            {"key": 3, "q": "?", "o0": "oak", "o1": "elm", "right": "C"},
        ]
        jsonl(tmp_path / "en.jsonl", rows)
        templates = ["{o0}", "{o1}", "{o2}"]
        name = _name(tmp_path, {"templates": templates, "skip_empty": True}, _LETTER)
        assert _skipped(name, tmp_path) == {"answer_not_an_option:en": 1}
        two, three = read_items(tmp_path / "out")
        assert (two.options, two.answer) == (["oak", "elm"], "B")
        assert (three.option_ids, three.answer) == (["A", "B", "C"], "C")

    def test_without_it_a_null_leaves_the_item_out(self, tmp_path: Path) -> None:
        good = {"key": 1, "q": "?", "all": ["oak", "elm"], "right": "A"}
        jsonl(tmp_path / "en.jsonl", [good, {**good, "key": 2, "all": ["oak", None]}])
        assert _skipped(_name(tmp_path, {"column": "all"}, _LETTER), tmp_path) == {"empty_text:option:en": 1}

    def test_a_hole_shows_in_the_ids_so_that_languages_with_other_holes_are_not_joined(
        self, tmp_path: Path
    ) -> None:
        for code, texts in {"en": ["oak", None, "ash"], "de": ["Eiche", "Ulme", None]}.items():
            jsonl(tmp_path / f"{code}.jsonl", [{"key": 1, "q": "?", "all": texts, "right": "A"}])
            row = {"key": 2, "q": "?", "all": _TREES[code], "right": "C"}
            jsonl(tmp_path / f"{code}.jsonl", [{"key": 1, "q": "?", "all": texts, "right": "A"}, row])
        name = _name(tmp_path, {"column": "all", "skip_empty": True}, _LETTER, languages=["en", "de"])
        assert _skipped(name, tmp_path) == {"differs_by_language:option_ids:de": 1}

    def test_an_option_column_that_no_row_has_is_an_error_all_the_same(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "en.jsonl", [{"key": 1, "q": "?", "o0": "oak", "o1": "elm", "right": "B"}])
        options = {"templates": ["{o0}", "{o1}", "{o_2}"], "skip_empty": True}
        with refused("no column 'o_2'", "key, q, o0, o1, right", field="o_2"):
            built(_name(tmp_path, options, _LETTER), tmp_path)


class TestIds:
    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("layout", ["column", "templates", "objects"])
    def test_options_are_matched_by_id_whatever_their_order(
        self, layout: str, shuffle: bool, tmp_path: Path
    ) -> None:
        orders = {"en": [0, 1, 2], "de": [2, 0, 1]}
        for code, order in orders.items():
            texts, ids = [_TREES[code][one] for one in order], [f"Q{one}" for one in order]
            row = {
                "q": f"{code}?",
                "all": texts,
                "ids": ids,
                **{f"o{place}": text for place, text in enumerate(texts)},
                **{f"i{place}": one for place, one in enumerate(ids)},
                "objects": [{"t": text, "id": one} for text, one in zip(texts, ids, strict=True)],
                "right": order.index(1),
            }
            jsonl(tmp_path / f"{code}.jsonl", [{**row, "key": key} for key in range(6)])
        options = {
            "column": {"column": "all", "ids": "ids"},
            "templates": {"templates": ["{o0}", "{o1}", "{o2}"], "ids": ["{i0}", "{i1}", "{i2}"]},
            "objects": {"column": "objects", "text": "t", "ids": "id"},
        }[layout]
        name = _name(
            tmp_path,
            options,
            {"column": "right", "form": "index"},
            languages=["de", "en"],
            shuffle=shuffle,
        )
        items = built(name, tmp_path)
        assert len(items) == 12
        for key in range(6):
            en, de = (only(items, str(key), code) for code in ("en", "de"))
            assert en.option_ids == de.option_ids
            assert en.answer == de.answer == "Q1"
            assert [_TREES["en"].index(text) for text in en.options] == [
                _TREES["de"].index(text) for text in de.options
            ]
        assert ({tuple(item.option_ids) for item in items} == {("Q0", "Q1", "Q2")}) is not shuffle

    @pytest.mark.parametrize(
        ("ids", "reason"),
        [
            (["a", "b", "d"], "differs_by_language:option_ids:de"),
            (["a", "b", "b"], "option_id_twice:de"),
            (["a", "b", None], "options_without_ids:de"),
            (["a", "b"], "options_without_ids:de"),
            (None, "options_without_ids:de"),
        ],
    )
    def test_ids_that_do_not_fit_leave_the_item_out(
        self, ids: list[str | None] | None, reason: str, tmp_path: Path
    ) -> None:
        for code, own_ids in {"en": ["a", "b", "c"], "de": ids}.items():
            row: dict[str, Any] = {"q": "?", "all": _TREES[code], "right": "a"}
            rows = [{**row, "key": 1, "ids": ["a", "b", "c"]}, {**row, "key": 2, "ids": own_ids}]
            jsonl(tmp_path / f"{code}.jsonl", rows)
        answer = {"column": "right", "form": "id"}
        name = _name(tmp_path, {"column": "all", "ids": "ids"}, answer, languages=["en", "de"])
        assert _skipped(name, tmp_path) == {reason: 1}
        assert {item.answer for item in read_items(tmp_path / "out")} == {"a"}


def test_labels_of_another_number_leave_the_item_out(tmp_path: Path) -> None:
    good = {"key": 1, "q": "?", "all": ["oak", "elm"], "labels": ["x", "y"], "right": "y"}
    jsonl(
        tmp_path / "en.jsonl", [good, {**good, "key": 2, "labels": ["x"]}, {**good, "key": 3, "labels": None}]
    )
    name = _name(tmp_path, {"column": "all", "label": "labels"}, _LABEL)
    assert _skipped(name, tmp_path) == {"unreadable_options:en": 2}
