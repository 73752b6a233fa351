"""Named benchmarks of facts on small files of their public layouts, with content of our own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from crossin.bench.catalogue import build_named
from crossin.items.item import read_items
from tests.helpers.errors import refused
from tests.helpers.mapping_files import built, document, jsonl, only, parquet, shown, texts


def test_klar_asks_the_first_template_of_each_relation_with_the_object_in_the_gap(tmp_path: Path) -> None:
    templates = {
        "en": {
            "river_mouth": ["Where does <subject> end? The answer is: <mask>", "<subject>: <mask>"],
            "bird_colour": ["What colour is <subject>? The answer is: <mask>.", "<subject>: <mask>."],
        },
        "ko": {
            "river_mouth": ["<subject>은 어디에서 끝나요? 대답은: <mask>", "<subject>: <mask>"],
            "bird_colour": ["<subject>은 무슨 색이에요? 대답은: <mask>입니다.", "<subject>: <mask>."],
        },
    }
    facts = {
        "river_mouth": {7: ({"en": "the Vell", "ko": "벨강"}, {"en": "the Grey Sea", "ko": "잿빛 바다"})},
        "bird_colour": {
            21: ({"en": "the ruffet", "ko": "러펫"}, {"en": "green", "ko": "초록"}),
            22: ({"en": "the ossel", "ko": "오셀"}, {"en": "red", "ko": "빨강"}),
        },
    }
    for code, relations in templates.items():
        for name, found in relations.items():
            samples = [
                {
                    "subject": subject[code],
                    "object": thing[code],
                    "object_candidates": f"x, y, {thing[code]}",
                    "index": index,
                    **({} if code == "en" else {"subject_en": subject["en"], "object_en": thing["en"]}),
                }
                for index, (subject, thing) in facts[name].items()
            ]
            if (code, name) == ("ko", "bird_colour"):
                samples.append({**samples[0], "index": 99})
            document(
                tmp_path / code / f"{name}.json",
                {"relation_id": "P0", "name": name, "prompt_templates": found, "samples": samples},
            )
    stage = build_named("klar", tmp_path / "out", source=tmp_path, languages=["en", "ko"])
    items = read_items(tmp_path / "out")
    english, korean = only(items, "7", "en"), only(items, "7", "ko")
    assert english.question == "Where does the Vell end? The answer is: ____"
    assert (english.gap, english.answer, english.free_text) == ("____", "the Grey Sea", True)
    assert (english.paraphrases, korean.paraphrases) == (["the Vell: ____"], ["벨강: ____"])
    assert (korean.group, korean.task, korean.answer) == ("the Vell", "river_mouth", "잿빛 바다")
    assert only(items, "21", "ko").question == "러펫은 무슨 색이에요? 대답은: ____입니다."
    # The public fa and he have facts that no other language has.
    assert stage.manifest["skipped"] == {"missing_language:en": 1}
    assert stage.manifest["counts"]["tasks"] == {"river_mouth": 1, "bird_colour": 2}


def test_polyfact_matches_options_by_their_ids(tmp_path: Path) -> None:
    options = {
        "en": ["a lamp", "a boat", "a spoon", "a kite"],
        "de": ["ein Drachen", "eine Lampe", "ein Boot", "ein Löffel"],
        "ja": ["船", "スプーン", "凧", "ランプ"],
    }
    ids = {
        "en": ["Q1", "Q2", "Q3", "Q4"],
        "de": ["Q4", "Q1", "Q2", "Q3"],
        "ja": ["Q2", "Q3", "Q4", "Q1"],
    }
    for code, found in options.items():
        row = {
            "question": f"{code}: What did the smith of Orr make?",
            **{f"option_{letter}": text for letter, text in zip("abcd", found, strict=True)},
            "answer_index": ids[code].index("Q2"),
            "answer_text": found[ids[code].index("Q2")],
            "option_ids": ids[code],
            "object_id": "Q2",
        }
        strange = {**row, "fact_id": "f2", "option_ids": ["Q2", "Q3", "Q9", "Q1"]}
        rows = [{**row, "fact_id": "f1"}, strange if code == "ja" else {**row, "fact_id": "f2"}]
        parquet(tmp_path / "data" / code / "test.parquet", rows)
    stage = build_named("polyfact-clean", tmp_path / "out", source=tmp_path, languages=["en", "de", "ja"])
    items = read_items(tmp_path / "out")
    assert {item.item for item in items} == {"f1"}
    assert [item.option_ids for item in items] == [["Q1", "Q2", "Q3", "Q4"]] * 3
    assert {item.answer for item in items} == {"Q2"}
    assert only(items, "f1", "de").options == ["eine Lampe", "ein Boot", "ein Löffel", "ein Drachen"]
    assert only(items, "f1", "ja").options == ["ランプ", "船", "スプーン", "凧"]
    # Of the other fact, one language names another option.
    assert len(stage.manifest["skipped"]) == 1 and sum(stage.manifest["skipped"].values()) == 1


def test_bmlama17_has_its_options_in_a_gap_and_reads_a_first_line_with_a_tab_too_many(tmp_path: Path) -> None:
    header = {"en": ["Prompt", "Ans", "Candidate Ans", "Subject"]}
    header["zh"] = ["Prompt", "Ans", "Candidate", "Ans", "Subject"]
    rows = {
        "en": [
            ("Mira Tohl was born in <mask>.", "Aster", "Brack, Corl, Aster", "Mira Tohl"),
            ("<mask> is the capital of Ennor.", "Corl", "Aster, Brack, Corl", "Ennor"),
            ("Nothing is missing here.", "Corl", "Aster, Brack, Corl", "Ennor"),
        ],
        "zh": [
            ("米拉出生于<mask>。", "阿斯特", "布拉克, 科尔, 阿斯特", "米拉"),
            ("恩诺的首都是<mask>。", "科尔", "阿斯特, 布拉克, 科尔", "恩诺"),
            ("这里<mask>没有<mask>。", "科尔", "阿斯特, 布拉克, 科尔", "恩诺"),
        ],
    }
    for code, found in rows.items():
        texts(tmp_path / f"{code}.tsv", header[code], *found)
    stage = build_named("bmlama17", tmp_path / "out", source=tmp_path, languages=["en", "zh"])
    items = read_items(tmp_path / "out")
    english, chinese = only(items, "1", "en"), only(items, "1", "zh")
    assert (english.question, english.gap) == ("Mira Tohl was born in ____.", "____")
    assert chinese.question == "米拉出生于____。"
    assert shown(english)[2] == "Aster" and shown(chinese)[2] == "阿斯特"
    assert english.option_ids == chinese.option_ids and sorted(english.option_ids) == ["1", "2", "3"]
    assert (chinese.group, chinese.task) == ("Mira Tohl", "facts")
    assert only(items, "2", "en").question == "____ is the capital of Ennor."
    assert stage.manifest["skipped"] == {"no_gap:en": 1}


def test_bmlama_has_a_gap_too_and_mgsm_a_number(tmp_path: Path) -> None:
    for code in ("en", "tr"):
        texts(
            tmp_path / f"{code}.tsv",
            ["Prompt", "Ans", "Candidate Ans", "Subject"],
            [f"{code} <mask> 'da doğdu.", "Aster", "Brack, Aster", "Mira"],
        )
        texts(tmp_path / f"mgsm_{code}.tsv", [f"{code}: how many?", "1,250"])
    item = built("bmlama", tmp_path, languages=["en", "tr"])[1]
    assert (item.question, item.gap) == ("tr ____ 'da doğdu.", "____")
    number = build_named("mgsm", tmp_path / "sums", source=tmp_path, languages=["en"])
    assert read_items(number.folder)[0].answer_type == "number"


def test_eclektic_keeps_the_language_that_knows_the_answer(tmp_path: Path) -> None:
    rows = [
        {
            "q_id": f"q{number}",
            "original_lang": origin,
            "title": "t",
            "url": "u",
            "content": "c",
            "question": "q",
            "answer": "a",
            **{f"{code}_q": f"{code} {number}: who built the mill?" for code in ("en", "he", "ja")},
            **{f"{code}_a": f"Tamsin {code}" for code in ("en", "he", "ja")},
            **{f"{code}_c": "c" for code in ("en", "he", "ja")},
        }
        for number, origin in enumerate(["he", "ja", "en"])
    ]
    jsonl(tmp_path / "eclektic_main.jsonl", rows)
    items = built("eclektic", tmp_path, languages=["en", "he", "ja"])
    assert len(items) == 9
    assert [only(items, f"q{number}", "ja").origin for number in range(3)] == ["he", "ja", "en"]
    assert shown(only(items, "q0", "ja")) == ("ja 0: who built the mill?", [], "Tamsin ja")


def test_mkqa_has_aliases_and_leaves_out_what_has_no_answer(tmp_path: Path) -> None:
    def answers(text: str | None, kind: str, *aliases: str) -> list[dict[str, Any]]:
        return [{"type": kind, "text": text, **({"aliases": list(aliases)} if aliases else {})}]

    rows = [
        {
            "query": "who wrote the reed songs",
            "queries": {
                "en": "who wrote the reed songs",
                "zh_cn": "芦苇之歌是谁写的",
                "no": "hvem skrev",
            },
            "answers": {
                "en": answers("Ada Fenn", "entity", "A. Fenn", "Fenn") + answers("Ida Fenn", "entity"),
                "zh_cn": answers("艾达·芬", "entity"),
                "no": answers("Ada Fenn", "entity"),
            },
            "example_id": -7449157003522518870,
        },
        {
            "query": "where is the pond",
            "queries": dict.fromkeys(("en", "zh_cn", "no"), "where is the pond"),
            "answers": {code: answers("Orr", "entity", "Orr Hill") for code in ("en", "zh_cn", "no")},
            "example_id": 5,
        },
        *(
            {
                "query": kind,
                "queries": dict.fromkeys(("en", "zh_cn", "no"), kind),
                "answers": {code: answers(None, kind) for code in ("en", "zh_cn", "no")},
                "example_id": number,
            }
            for number, kind in enumerate(["unanswerable", "long_answer"])
        ),
    ]
    path = tmp_path / "mkqa.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    stage = build_named("mkqa", tmp_path / "out", source=tmp_path, languages=["en", "zh", "no"])
    items = read_items(tmp_path / "out")
    assert {item.item for item in items} == {"-7449157003522518870", "5"}
    english, chinese = items[0], items[1]
    assert (english.answer, english.aliases) == ("Ada Fenn", ["A. Fenn", "Fenn", "Ida Fenn"])
    assert (chinese.question, chinese.answer, chinese.aliases) == ("芦苇之歌是谁写的", "艾达·芬", [])
    assert {item.task for item in items} == {"entity"}
    assert stage.manifest["skipped"] == {"empty_text:answer:en": 2}


def test_multiloko_asks_each_language_its_own_questions(tmp_path: Path) -> None:
    for name, count in (("german", 2), ("simplified_mandarin", 3)):
        rows = [
            {
                "text": "a paragraph",
                "question": f"{name} question {number}?",
                "targets": [f"{name} {number}", f"the {name} {number}"],
                "target": "a long answer",
                "id": f"00{number}_page.txt",
                "output_type": "word" if number else "year",
            }
            for number in range(count)
        ]
        jsonl(tmp_path / "benchmark_data" / name / "dev.jsonl", rows)
    items = built("multiloko", tmp_path, languages=["de", "zh"])
    assert [item.language for item in items].count("de") == 2 and len(items) == 5
    assert len({item.item for item in items}) == 5
    assert {(item.language, item.origin) for item in items} == {("de", "de"), ("zh", "zh")}
    assert (items[0].answer, items[0].aliases, items[0].context) == ("german 0", ["the german 0"], "")
    assert {item.task for item in items} == {"year", "word"}


def test_multiloko_english_joins_the_translations_by_people(tmp_path: Path) -> None:
    for name in ("dev", "dev_translated_human_farsi", "dev_translated_machine_farsi"):
        row = {
            "question": f"{name}?",
            "targets": [name],
            "target": "",
            "id": "1_p.txt",
            "output_type": "word",
        }
        jsonl(tmp_path / "english" / f"{name}.jsonl", [row])
    items = built("multiloko-english", tmp_path, languages=["en", "fa"])
    assert [item.answer for item in items] == ["dev", "dev_translated_human_farsi"]
    assert {item.origin for item in items} == {"en"}
    (tmp_path / "english" / "dev_translated_human_farsi.jsonl").unlink()
    with refused("no file for fa", "dev_translated_human_farsi.jsonl"):
        build_named("multiloko-english", tmp_path / "again", source=tmp_path, languages=["en", "fa"])
