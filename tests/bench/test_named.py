"""Named benchmarks of exams and reasoning on small files of their public layouts, with content of our own;
and what all names share.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import BUILT_IN, build_named, known, names
from crossin.items.item import read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import built, document, jsonl, only, parquet, shown, texts

MAPPED = [name for name in names() if name not in BUILT_IN]


class TestExams:
    @pytest.mark.parametrize("name", ["mmlu-prox", "mmlu-prox-lite"])
    def test_mmlu_prox_has_up_to_ten_options(self, name: str, tmp_path: Path) -> None:
        for code in ("en", "sw"):
            rows = [
                {
                    "question_id": number,
                    "question": f"{code} question {number}",
                    **{
                        f"option_{place}": f"{code} {place}" if place < count else None for place in range(10)
                    },
                    "answer": "D",
                    "category": "law",
                }
                for number, count in ((70, 4), (71, 10), (72, 3))
            ]
            parquet(tmp_path / code / "test-00000-of-00001.parquet", rows)
        stage = build_named(name, tmp_path / "out", source=tmp_path, languages=["en", "sw"])
        items = read_items(tmp_path / "out")
        assert only(items, "70", "sw").options == ["sw 0", "sw 1", "sw 2", "sw 3"]
        assert only(items, "70", "sw").option_ids == ["A", "B", "C", "D"]
        assert len(only(items, "71", "en").options) == 10
        assert {(item.task, item.answer) for item in items} == {("law", "D")}
        # The right letter of the third item is none of its three options.
        assert stage.manifest["skipped"] == {"answer_not_an_option:en": 1}

    def test_include_has_a_folder_with_the_name_of_each_language(self, tmp_path: Path) -> None:
        for name, count in (("Albanian", 2), ("North Macedonian", 3)):
            rows = [
                {
                    "language": name,
                    "country": "X",
                    "domain": "STEM" if number else "Humanities",
                    "subject": "Physics",
                    "regional_feature": "region explicit",
                    "level": "Academic",
                    "question": f"{name} {number}",
                    **{f"option_{letter}": f"{name} {letter}" for letter in "abcd"},
                    "answer": number,
                }
                for number in range(count)
            ]
            parquet(tmp_path / name / "test-00000-of-00001.parquet", rows)
        stage = build_named("include", tmp_path / "out", source=tmp_path, languages=["sq", "mk"])
        items = read_items(tmp_path / "out")
        assert [(item.language, item.answer, item.task) for item in items] == [
            ("sq", "A", "Humanities"),
            ("sq", "B", "STEM"),
            ("mk", "A", "Humanities"),
            ("mk", "B", "STEM"),
            ("mk", "C", "STEM"),
        ]
        assert len({item.item for item in items}) == 5
        assert stage.manifest["skipped"] == {}

    @pytest.mark.parametrize("layout", ["hub", "archive"])
    def test_x_csqa_finds_the_right_option_by_its_label(self, layout: str, tmp_path: Path) -> None:
        choices = {"en": ["a nest", "a pond", "a drawer"], "jap": ["巣", "池", "引き出し"]}
        for code, found in choices.items():
            labels = ["A", "B", "C"]
            listed: Any = {"label": labels, "text": found}
            blank: Any = {"label": labels, "text": [*found[:2], ""]}
            if layout == "archive":
                listed = [{"label": label, "text": text} for label, text in zip(labels, found, strict=True)]
                blank = [*listed[:2], {"label": "C", "text": ""}]
            rows = [
                {
                    "id": "k1",
                    "lang": code,
                    "question": {"stem": f"{code}?", "choices": listed},
                    "answerKey": "B",
                },
                {
                    "id": "k2",
                    "lang": code,
                    "question": {"stem": f"{code}!", "choices": blank},
                    "answerKey": "A",
                },
            ]
            if layout == "hub":
                parquet(tmp_path / f"X-CSQA-{code}" / "validation-00000-of-00001.parquet", rows)
            else:
                jsonl(tmp_path / "X-CSR_datasets" / "X-CSQA" / code / "dev.jsonl", rows)
        stage = build_named("x-csqa", tmp_path / "out", source=tmp_path, languages=["en", "ja"])
        items = read_items(tmp_path / "out")
        assert shown(only(items, "k1", "en")) == ("en?", ["a nest", "a pond", "a drawer"], "a pond")
        assert shown(only(items, "k1", "ja")) == ("jap?", ["巣", "池", "引き出し"], "池")
        assert stage.manifest["skipped"] == {"empty_text:option:en": 1}

    def test_truthfulqa_multi_shuffles_and_drops_blank_choices(self, tmp_path: Path) -> None:
        right = {"en": "Toads give no warts", "eu": "Apoek ez dute garatxorik ematen"}
        for code, text in right.items():
            wrong = [f"{code} {place}" for place in range(3)]
            rows = [
                {
                    "id": number,
                    "question": f"{code} {number}?",
                    "mc1_targets": {
                        "choices": [text, *wrong, *blank],
                        "labels": [1, 0, 0, 0, *[0] * len(blank)],
                    },
                    "mc2_targets": {"choices": [text], "labels": [1]},
                    "category": "Nature",
                    "lang": code,
                }
                for number, blank in ((1, [""]), (2, []), (3, ["EN 0"] if code == "en" else ["beste bat"]))
            ]
            document(tmp_path / f"{code}.json", rows)
        stage = build_named("truthfulqa-multi", tmp_path / "out", source=tmp_path, languages=["en", "eu"])
        items = read_items(tmp_path / "out")
        assert {item.item for item in items} == {"1", "2"}
        assert {shown(item)[2] for item in items} == set(right.values())
        for number in ("1", "2"):
            english, basque = only(items, number, "en"), only(items, number, "eu")
            assert len(english.options) == 4
            assert (english.option_ids, english.answer) == (basque.option_ids, basque.answer)
        assert {item.task for item in items} == {"Nature"}
        assert stage.manifest["skipped"] == {"options_alike:en": 1}

    def test_okapis_sets_take_english_from_beside_them(self, tmp_path: Path) -> None:
        for code in ("en", "hr"):
            row = {
                "id": "botany/test/3",
                "ind": 12,
                "instruction": f"{code}: which one has leaves?",
                **{f"option_{letter}": f"{code} {letter}" for letter in "abcd"},
                "answer": "C",
            }
            five = {**row, "id": "botany/test/4", "option_e": f"{code} e", "answer": "E"}
            document(tmp_path / "data" / f"{code}_test.json", [row, five])
            story = {
                "ind": 12,
                "activity_label": "x",
                "ctx_a": f"{code} a man cuts a plank.",
                "ctx_b": "he",
                "endings": [f"{code} {place}" for place in range(4)],
                "label": "1",
            }
            document(tmp_path / "data" / f"{code}_validation.json", [story])
        for name in ("okapi-arc", "okapi-mmlu"):
            stage = build_named(name, tmp_path / name, source=tmp_path, languages=["en", "hr"])
            item = only(read_items(stage.folder), "botany/test/3", "hr")
            assert shown(item)[1:] == (["hr a", "hr b", "hr c", "hr d"], "hr c")
        stage = build_named("okapi-hellaswag", tmp_path / "h", source=tmp_path, languages=["en", "hr"])
        item = read_items(stage.folder)[1]
        assert (item.item, item.context, item.answer) == ("12", "hr a man cuts a plank.", "B")
        assert (item.question, item.gap) == ("he ____", "____")

    @pytest.mark.parametrize("name", ["jrqi-mmmlu", "jrqi-xcsqa"])
    def test_candidates_may_be_a_list_written_as_text(self, name: str, tmp_path: Path) -> None:
        candidates = {"en": ["it's dry", 'a "wet" one', "none"], "ar": ["جاف", "رطب", "لا شيء"]}
        for code, found in candidates.items():
            row = {"Prompt": f"{code}?", "Ans": found[1], "Candidate Ans": str(found)}
            parquet(tmp_path / code / "test-00000-of-00001.parquet", [row])
        items = built(name, tmp_path, languages=["en", "ar"])
        assert [shown(item) for item in items] == [
            (f"{code}?", found, found[1]) for code, found in candidates.items()
        ]


class TestReasoning:
    @pytest.mark.parametrize("layout", ["makers", "parquet"])
    def test_xstorycloze_puts_the_ending_in_a_gap_behind_the_story(self, layout: str, tmp_path: Path) -> None:
        sentences = {"en": "The hen {}.", "my": "ကြက်မ {}။"}
        header = ["InputStoryid", *(f"InputSentence{place}" for place in range(1, 5))]
        header += ["RandomFifthSentenceQuiz1", "RandomFifthSentenceQuiz2", "AnswerRightEnding"]
        short = ["story_id", *(f"input_sentence_{place}" for place in range(1, 5))]
        short += ["sentence_quiz1", "sentence_quiz2", "answer_right_ending"]
        for code, sentence in sentences.items():
            rows = [
                [f"s{number}", *(sentence.format(f"{number}{place}") for place in range(6)), right]
                for number, right in ((1, 2), (2, 1))
            ]
            if layout == "makers":
                texts(tmp_path / f"spring2016.val.{code}.tsv.split_20_80_eval.tsv", header, *rows)
            else:
                named = [dict(zip(short, row, strict=True)) for row in rows]
                parquet(tmp_path / code / "eval" / "0000.parquet", named)
        items = built("xstorycloze", tmp_path, languages=["en", "my"])
        assert only(items, "1", "en").context == "The hen 10. The hen 11. The hen 12. The hen 13."
        assert only(items, "1", "my").options == ["ကြက်မ 14။", "ကြက်မ 15။"]
        assert [only(items, name, "my").answer for name in ("1", "2")] == ["B", "A"]
        assert {(item.question, item.gap) for item in items} == {("____", "____")}

    def test_global_piqa_has_codes_of_three_parts(self, tmp_path: Path) -> None:
        columns = ["prompt", "solution0", "solution1", "solution2", "solution3", "label", "language"]
        for name in ("eng_latn", "fra_latn_cana", "slk_latn_sari"):
            rows = [
                [f"{name} {row}:", *(f"{name} {place}" for place in range(4)), row, name] for row in (0, 3)
            ]
            texts(tmp_path / "data" / f"parallel_{name}.tsv", columns, *rows)
        items = built("global-piqa-parallel", tmp_path, languages=["en", "fr-CA", "sk-x-saris"])
        assert [item.language for item in items[:3]] == ["en", "fr-CA", "sk-x-saris"]
        assert only(items, "2", "fr-CA").question == "fra_latn_cana 3: ____"
        assert shown(only(items, "2", "sk-x-saris"))[2] == "slk_latn_sari 3"

    def test_xwinograd_as_the_hub_has_it(self, tmp_path: Path) -> None:
        rows = {
            "en": ("The jug will not go into the bag because _ is too wide.", "The jug", "the bag", "1"),
            "jp": ("壺は袋に入らない。_が小さすぎる。", "壺", "袋", "2"),
        }
        for code, (sentence, first, second, answer) in rows.items():
            row = {"sentence": sentence, "option1": first, "option2": second, "answer": answer}
            two = {**row, "sentence": "_ and _"}
            jsonl(tmp_path / "test" / f"{code}.jsonl", [row, two] if code == "en" else [row])
        stage = build_named("xwinograd", tmp_path / "out", source=tmp_path, languages=["en", "ja"])
        english, japanese = read_items(tmp_path / "out")
        assert english.question == "The jug will not go into the bag because ____ is too wide."
        assert (english.gap, english.options, english.answer) == ("____", ["The jug", "the bag"], "A")
        assert (japanese.language, japanese.question) == ("ja", "壺は袋に入らない。____が小さすぎる。")
        assert shown(japanese)[2] == "袋"
        assert stage.manifest["skipped"] == {"several_gaps:en": 1}

    def test_xwinograd_as_its_makers_have_it(self, tmp_path: Path) -> None:
        def line(
            code: str, sentence: str, tokens: list[str], place: int, options: tuple[str, str], right: int
        ) -> list[str]:
            candidates = [
                [text, [0, 1], [text], number == right] for number, text in enumerate(options, start=1)
            ]
            pronoun = [tokens[place], [place, place + 1], [tokens[place]]]
            return [code, "original", "?", sentence, *map(json.dumps, (tokens, pronoun, candidates))]

        goat = ["The", "goat", "said", "``", "no", "''", "to", "the", "crow", "as", "it", "bit", "it", "."]
        sentence = 'The goat said "no" to the crow as it bit it.'
        vase = ["壺", "は", "袋", "より小さい。", "それ", "は空だ。"]
        lines = [
            line("en", sentence, goat, 10, ("The goat", "the crow"), 1),
            line("en", sentence, goat, 12, ("the crow", "The goat"), 1),
            line("en", "Another sentence.", goat, 10, ("The goat", "the crow"), 1),
            line("jp", "壺は袋より小さい。それは空だ。", vase, 4, ("壺", "袋"), 2),
        ]
        texts(tmp_path / "dataset.tsv", *lines)
        stage = build_named("xwinograd", tmp_path / "out", source=tmp_path, languages=["en", "ja"])
        first, second, japanese = read_items(tmp_path / "out")
        assert first.question == 'The goat said "no" to the crow as ____ bit it.'
        assert second.question == 'The goat said "no" to the crow as it bit ____.'
        assert (shown(first)[2], shown(second)[2]) == ("The goat", "the crow")
        assert (japanese.question, japanese.gap) == ("壺は袋より小さい。____は空だ。", "____")
        assert shown(japanese)[1:] == (["壺", "袋"], "袋")
        assert (japanese.licence, japanese.task) == ("Apache-2.0", "coreference")
        assert stage.manifest["skipped"] == {"no_gap:en": 1}
        again = build_named("xwinograd", tmp_path / "file", source=tmp_path / "dataset.tsv", languages=["ja"])
        assert len(read_items(again.folder)) == 1


class TestCatalogue:
    def test_what_is_listed_is_short_and_whole(self) -> None:
        found: Mapping[str, Any] = known()
        assert {"klar", "mkqa", "multiloko", "xwinograd", "truthfulqa-multi", "include"} <= set(found)
        for name, about in found.items():
            assert about.about and len(about.about) < 100, name
        assert (found["klar"].languages, found["klar"].items) == (17, 2619)
        assert found["global-piqa-parallel"].languages == 131

    @pytest.mark.parametrize("name", MAPPED)
    def test_a_folder_without_the_files_is_one_clear_error(self, name: str, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("nothing\n")
        with refused("no file for", file=tmp_path, hint="--source"):
            build_named(name, tmp_path / "out", source=tmp_path)
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("name", MAPPED)
    def test_a_folder_that_is_not_there_is_one_clear_error(self, name: str, tmp_path: Path) -> None:
        with refused("no such file or folder", file="nowhere", hint="--source"):
            build_named(name, tmp_path / "out", source=tmp_path / "nowhere")
