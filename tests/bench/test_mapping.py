from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import MAPPINGS, build_named
from crossin.bench.mapping import read_mapping
from crossin.items.item import read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import ROWS, built, jsonl, only, own, parquet


class TestShipped:
    def test_belebele_by_link_and_number_with_the_passage_as_context(self, tmp_path: Path) -> None:
        for code, words in {"eng_Latn": "the crane", "vie_Latn": "con sếu"}.items():
            rows = [
                {
                    "link": "https://example.org/cranes",
                    "question_number": number,
                    "flores_passage": f"A passage on {words}.",
                    "question": f"Question {number} on {words}?",
                    **{f"mc_answer{place}": f"{words} {place}" for place in range(1, 5)},
                    "correct_answer_num": str(number + 2),
                    "dialect": code,
                    "ds": "2023-05-03",
                }
                for number in (1, 2)
            ]
            # The order of the rows says nothing.
            jsonl(tmp_path / "data" / f"{code}.jsonl", rows if code == "eng_Latn" else list(reversed(rows)))
        items = built("belebele", tmp_path, languages=["vi", "en"])
        assert len(items) == 4
        vi = only(items, "https://example.org/cranes#1", "vi")
        assert (vi.answer, vi.options[2], vi.context) == ("C", "con sếu 3", "A passage on con sếu.")
        assert {item.group for item in items} == {"https://example.org/cranes"}
        assert (vi.task, vi.licence) == ("reading", "CC-BY-SA-4.0")

    def test_global_mmlu_takes_subjects_for_tasks(self, tmp_path: Path) -> None:
        for code in ("en", "sw"):
            rows = [
                {
                    "sample_id": f"botany/test/{number}",
                    "subject": "botany",
                    "question": f"{code} question {number}",
                    **{f"option_{letter}": f"{code} {letter}" for letter in "abcd"},
                    "answer": "D",
                    "cultural_sensitivity_label": "CA",
                }
                for number in range(3)
            ]
            parquet(tmp_path / code / "test-00000-of-00001.parquet", rows)
        items = built("global-mmlu", tmp_path, languages=["en", "sw"])
        assert only(items, "botany/test/2", "sw").options == ["sw a", "sw b", "sw c", "sw d"]
        assert {(item.task, item.answer) for item in items} == {("botany", "D")}

    def test_mmmlu_joins_rows_by_position(self, tmp_path: Path) -> None:
        (tmp_path / "test").mkdir()
        for code in ("EN-US", "AR-XY"):
            lines = [",Question,A,B,C,D,Answer,Subject"]
            lines += [f'{row},"{code}, ""question"" {row}\nline 2",1,2,3,4,C,algebra' for row in range(2)]
            (tmp_path / "test" / f"mmlu_{code}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        items = built("mmmlu", tmp_path, languages=["ar", "en"])
        assert [(item.item, item.language) for item in items] == [
            ("1", "en"),
            ("1", "ar"),
            ("2", "en"),
            ("2", "ar"),
        ]
        assert items[1].question == 'AR-XY, "question" 0\nline 2'
        assert (items[1].answer, items[1].task) == ("C", "algebra")

    def test_xcopa_asks_in_each_languages_words(self, tmp_path: Path) -> None:
        for code, premise in {"it": "Il fiume straripò.", "tr": "Nehir taştı."}.items():
            rows = [
                {
                    "premise": premise,
                    "choice1": f"{code} 1",
                    "choice2": f"{code} 2",
                    "question": asked,
                    "label": 1,
                    "idx": number,
                    "changed": False,
                }
                for number, asked in enumerate(("cause", "effect"))
            ]
            parquet(tmp_path / code / "test-00000-of-00001.parquet", rows)
        items = built("xcopa", tmp_path, languages=["it", "tr"])
        assert only(items, "0", "it").question == "Il fiume straripò. Qual è stata la causa?"
        assert only(items, "1", "tr").question == "Nehir taştı. Bunun sonucunda ne oldu?"
        assert {item.answer for item in items} == {"B"}

    @pytest.mark.parametrize("form", ["tsv", "parquet"])
    def test_mgsm_has_a_number_for_a_reference(self, form: str, tmp_path: Path) -> None:
        for code in ("en", "bn"):
            rows = [
                {"question": f'"{code}" sum {number}?', "answer_number": number * 6} for number in (1, 2, 3)
            ]
            if form == "parquet":
                parquet(tmp_path / code / "test-00000-of-00001.parquet", rows)
            else:
                lines = [f"{row['question']}\t{row['answer_number']}" for row in rows]
                (tmp_path / f"mgsm_{code}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        items = built("mgsm", tmp_path, languages=["en", "bn"])
        assert all(item.free_text for item in items)
        assert [item.answer for item in items if item.language == "bn"] == ["6", "12", "18"]
        assert only(items, "2", "bn").question == '"bn" sum 2?'

    def test_bmlama_moves_the_right_candidate_from_the_end(self, tmp_path: Path) -> None:
        places = {"en": ["Rome", "Oslo", "Lima", "Cairo"], "es": ["Roma", "Oslo", "Lima", "El Cairo"]}
        for code, (one, two, three, four) in places.items():
            lines = ["Prompt\tAns\tCandidate Ans\tSubject"]
            lines += [
                f"{code} {number} <mask>.\t{four}\t{one}, {two}, {three}, {four}\t{code} subject {number}"
                for number in range(20)
            ]
            lines.append(f"{code} two <mask>.\t{one}, {four}\t{two}, {three}, {one}, {four}\ttwo")
            (tmp_path / f"{code}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        stage = build_named("bmlama", tmp_path / "out", languages=["en", "es"], source=tmp_path)
        items = read_items(tmp_path / "out")
        assert stage.manifest["skipped"] == {"several_answers:en": 1}
        right = [item.options[item.option_ids.index(item.answer)] for item in items]
        assert set(right) == {"Cairo", "El Cairo"}
        at = {item.option_ids.index(item.answer) for item in items}
        assert at == {0, 1, 2, 3}
        assert {item.answer for item in items} == {"4"}
        # The order is the item's, whatever the language.
        for number in range(1, 21):
            first, second = (only(items, str(number), code) for code in ("en", "es"))
            assert first.option_ids == second.option_ids
            assert (second.group, second.task) == (f"en subject {number - 1}", "facts")

    @pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
    def test_each_says_where_its_schema_was_read_and_what_it_is(self, path: Path) -> None:
        mapping = read_mapping(path)
        head, about, _ = path.read_text(encoding="utf-8").partition("\nabout: ")
        assert head.startswith("# ") and about and mapping.about and mapping.licence
        # What was read from real files, and what was not.
        assert "real file" in head.replace("\n# ", " ").casefold()


class TestLayouts:
    def test_a_column_for_each_language(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        items = built(own(tmp_path), tmp_path)
        assert only(items, "3", "vi").question == "3 có chẵn không?"
        assert only(items, "3", "vi").options == ["có", "không"]
        assert [only(items, str(number), "en").answer for number in range(4)] == ["A", "B", "A", "B"]
        assert {item.source for item in items} == {"local files"}

    def test_one_table_with_a_column_for_the_language(self, tmp_path: Path) -> None:
        rows = [
            {
                "lang": name,
                "key": row["key"],
                "q": row[f"question_{code}"],
                "all": [row[f"yes_{code}"], row[f"no_{code}"]],
                "right": row["right"],
            }
            for row in ROWS
            for name, code in (("English", "en"), ("Tiếng Việt", "vi"), ("other", "en"))
        ]
        name = own(
            tmp_path,
            languages=["English", "Tiếng Việt"],
            language_column="lang",
            question="{q}",
            options={"column": "all"},
        )
        items = built(name, tmp_path, source=parquet(tmp_path / "everything.parquet", rows))
        assert len(items) == 8
        assert only(items, "2", "vi").options == ["có", "không"]

    @pytest.mark.parametrize(
        "place", ["{}/test-00000-of-00002.parquet", "{}/test/0000.parquet", "{}.parquet", "{}/test.parquet"]
    )
    def test_the_hubs_usual_names_are_found(self, place: str, tmp_path: Path) -> None:
        for code in ("en", "vi"):
            rows = [{"key": row["key"], "q": row[f"question_{code}"], "right": "1"} for row in ROWS]
            parquet(tmp_path / place.format(code), rows)
        name = own(
            tmp_path, question="{q}", options=["yes", "no"], answer={"column": "right", "form": "index"}
        )
        assert only(built(name, tmp_path), "3", "vi").question == "3 có chẵn không?"

    def test_shards_follow_each_other(self, tmp_path: Path) -> None:
        for number in (0, 1):
            parquet(tmp_path / f"test-0000{number}-of-00002.parquet", ROWS[number * 2 : number * 2 + 2])
        assert len(built(own(tmp_path), tmp_path)) == 8

    def test_options_in_an_object_and_a_list_inside_one(self, tmp_path: Path) -> None:
        rows = [{"key": 1, "q": "?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}, "right": "b"}]
        name = own(
            tmp_path,
            languages=["en"],
            question="{q}",
            options={"column": "choices.text"},
            answer={"column": "right", "form": "text"},
        )
        assert built(name, tmp_path, source=jsonl(tmp_path / "one.jsonl", rows))[0].answer == "B"

    def test_a_split_of_ones_choice(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        jsonl(tmp_path / "dev.jsonl", ROWS[:1])
        assert len(built(own(tmp_path), tmp_path, split="dev")) == 2

    def test_a_file_that_names_no_split_holds_only_the_mappings_own(self, tmp_path: Path) -> None:
        (tmp_path / "mgsm_en.tsv").write_text("how many?\t7\n")
        with refused("no file for en", "en/train-"):
            built("mgsm", tmp_path, languages=["en"], split="train")

    def test_a_template_for_each_language(self, tmp_path: Path) -> None:
        jsonl(tmp_path / "test.jsonl", ROWS)
        name = own(tmp_path, question={"English": "Even: {key}?", "vie_Latn": "Chẵn: {key}?"})
        assert only(built(name, tmp_path), "1", "vi").question == "Chẵn: 1?"


class TestLeftOut:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"no_vi": "CÓ"}, "options_alike:vi"),
            ({"question_vi": None}, "empty_text:question:vi"),
            ({"right": "E"}, "answer_not_an_option:en"),
        ],
    )
    def test_an_item_that_is_not_whole_is_counted_with_the_reason(
        self, change: dict[str, Any], reason: str, tmp_path: Path
    ) -> None:
        jsonl(tmp_path / "test.jsonl", [ROWS[0], {**ROWS[1], **change}])
        stage = build_named(own(tmp_path), tmp_path / "out", source=tmp_path)
        assert stage.manifest["skipped"] == {reason: 1}
        assert {item.item for item in read_items(tmp_path / "out")} == {"0"}

    def test_another_answer_in_a_language_and_an_id_that_comes_twice(self, tmp_path: Path) -> None:
        name = own(tmp_path, answer={"column": "right_{language}", "form": "letter"})
        rows = [{**row, "right_en": "A", "right_vi": "B" if row["key"] == 2 else "A"} for row in ROWS]
        jsonl(tmp_path / "test.jsonl", [*rows, rows[0]])
        stage = build_named(name, tmp_path / "out", source=tmp_path)
        assert stage.manifest["skipped"] == {
            "differs_by_language:answer:vi": 1,
            "item_twice:en": 1,
        }
