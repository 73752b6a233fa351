"""Cross-XQuAD from a small XQuAD of our own: what may be an option, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from crossin.bench.xquad import build_xquad
from crossin.core.files import read_json
from crossin.core.formats import ITEMS
from crossin.items.item import Item, read_items
from tests.helpers.errors import refused
from tests.helpers.xquad_files import LANGUAGES, changed, small_xquad, write_xquad


def built(source: Path, out: Path, languages: list[str] | None = None) -> dict[tuple[str, str], Item]:
    build_xquad(source, out, languages=languages)
    return {(item.item, item.language): item for item in read_items(out / ITEMS)}


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Item]:
    folder = tmp_path_factory.mktemp("xquad")
    return built(write_xquad(folder / "source"), folder / "bench")


def test_every_question_is_an_item_in_every_language_with_the_same_options(
    items: dict[tuple[str, str], Item],
) -> None:
    ids = {key for key, _ in items}
    assert len(ids) == 10
    assert set(items) == {(key, language) for key in ids for language in LANGUAGES}
    for key in ids:
        assert len({tuple(items[key, language].option_ids) for language in LANGUAGES}) == 1
        assert len(set(items[key, "en"].option_ids)) == 4
    one = items["h1", "de"]
    assert (one.group, one.task, one.answer) == ("Harbour/1", "reading", "h1")
    assert one.licence == "CC-BY-SA-4.0"
    assert one.options[one.option_ids.index("h1")] == "vierzig"
    assert one.question == "Wie viele Schiffe liegen im Hafen?"


def test_distractors_are_answers_of_the_same_paragraph_where_it_has_enough(
    items: dict[tuple[str, str], Item],
) -> None:
    assert set(items["h1", "en"].option_ids) == {"h1", "h3", "h4", "h5"}
    assert items["h1", "en"].option_ids == items["h1", "tr"].option_ids


def test_an_answer_that_holds_the_right_one_in_any_language_is_no_distractor(
    items: dict[tuple[str, str], Item], tmp_path: Path
) -> None:
    # "vierzig" holds "vier"; "forty" does not hold "four".
    assert "h2" not in items["h1", "en"].option_ids
    assert "h1" not in items["h2", "en"].option_ids
    content = small_xquad()
    del content["de"]
    other = built(write_xquad(tmp_path / "source", content), tmp_path / "bench")
    assert "h2" in other["h1", "en"].option_ids or "h1" in other["h2", "en"].option_ids


def test_a_paragraph_with_too_few_answers_is_filled_up_from_its_article_and_then_from_others(
    items: dict[tuple[str, str], Item], tmp_path: Path
) -> None:
    assert {"h6", "h7", "h8"} < set(items["h6", "en"].option_ids)
    article = {f"h{number}" for number in range(1, 9)}
    assert set(items["h6", "en"].option_ids) <= article
    assert "b2" in items["b1", "en"].option_ids
    assert len(set(items["b1", "en"].option_ids) & article) == 2
    counts = build_xquad(write_xquad(tmp_path / "source"), tmp_path / "bench").manifest["counts"]
    assert counts["items_with_distractors_of_others"] == 2
    assert counts["distractors_of_others"] == 4
    assert counts["items_with_distractors_of_article"] >= 3
    assert sum(counts["answers_by_position"]) == counts["items"] == 10
    assert set(counts["hardness"]["longest_option"]) == {*LANGUAGES, "mean"}


def test_an_answer_that_overlaps_the_right_one_in_the_paragraph_is_no_distractor(tmp_path: Path) -> None:
    def overlap(data: Any) -> None:
        paragraph = data[0]["paragraphs"][0]
        paragraph["context"] = paragraph["context"].replace("zwölf", "zwölf in Not")
        place = paragraph["context"].index("zwölf")
        paragraph["qas"][4]["answers"] = [{"text": "zwölf in", "answer_start": place}]
        paragraph["qas"][3]["answers"] = [{"text": "in Not", "answer_start": place + 6}]

    items = built(write_xquad(tmp_path / "source", changed("de", overlap)), tmp_path / "bench")
    assert "h4" not in items["h5", "en"].option_ids
    assert "h5" not in items["h4", "en"].option_ids


def test_where_one_of_several_is_asked_for_the_others_of_its_sentence_are_no_distractors(
    tmp_path: Path,
) -> None:
    def listed(data: Any) -> None:
        paragraph = data[0]["paragraphs"][0]
        paragraph["context"] = paragraph["context"].replace("seven. X", "seven; x")
        paragraph["qas"][3]["question"] = "Name one of the numbers."

    items = built(write_xquad(tmp_path / "source", changed("en", listed)), tmp_path / "bench")
    # "X: seven; x: twelve." is one sentence.
    assert "h5" not in items["h4", "en"].option_ids
    assert "h4" in items["h5", "en"].option_ids


def test_the_answer_of_the_same_question_in_other_words_is_no_distractor(tmp_path: Path) -> None:
    def same(data: Any) -> None:
        data[0]["paragraphs"][0]["qas"][4]["question"] = "How many open gates are there in it?"
        data[0]["paragraphs"][0]["qas"][3]["question"] = "How many gates are open there?"

    items = built(write_xquad(tmp_path / "source", changed("en", same)), tmp_path / "bench")
    assert "h5" not in items["h4", "en"].option_ids


def test_some_languages_have_the_very_items_that_all_have(
    items: dict[tuple[str, str], Item], tmp_path: Path
) -> None:
    some = built(write_xquad(tmp_path / "source"), tmp_path / "bench", ["tr", "en"])
    assert some == {key: item for key, item in items.items() if key[1] != "de"}
    assert [language for _, language in some][:2] == ["tr", "en"]


def test_byte_order_marks_and_stray_space_are_taken_out_and_answers_still_found(
    items: dict[tuple[str, str], Item], tmp_path: Path
) -> None:
    def spoil(data: Any) -> None:
        paragraph = data[0]["paragraphs"][0]
        paragraph["context"] = "\ufeff " + paragraph["context"].replace(". X", ".  \u00a0X") + " \n"
        for asked in paragraph["qas"]:
            text = asked["answers"][0]["text"]
            asked["answers"] = [{"text": text, "answer_start": paragraph["context"].index(f": {text}.") + 2}]
            asked["question"] += "\ufeff "

    assert built(write_xquad(tmp_path / "source", changed("tr", spoil)), tmp_path / "bench") == items


def test_the_hubs_parquet_files_give_the_same_options(
    items: dict[tuple[str, str], Item], tmp_path: Path
) -> None:
    for language, content in small_xquad().items():
        rows = [
            {
                "id": asked["id"],
                "context": paragraph["context"],
                "question": asked["question"],
                "answers": {
                    "text": [asked["answers"][0]["text"]],
                    "answer_start": [asked["answers"][0]["answer_start"]],
                },
            }
            for article in content["data"]
            for paragraph in article["paragraphs"]
            for asked in paragraph["qas"]
        ]
        folder = tmp_path / "source" / f"xquad.{language}"
        folder.mkdir(parents=True)
        pyarrow.parquet.write_table(
            pyarrow.Table.from_pylist(rows), folder / "validation-00000-of-00001.parquet"
        )
    found = built(tmp_path / "source", tmp_path / "bench")
    assert {item.group for item in found.values()} == {"article-1/1", "article-1/2", "article-1/3"}
    # Up to five paragraphs are one article there, so only the paragraph of the numbers is the same for sure.
    for key in ("h1", "h3", "h5"):
        assert found[key, "de"].options == items[key, "de"].options


def test_without_the_hub_the_error_names_source(tmp_path: Path) -> None:
    with refused("google/xquad", hint="--source"):
        build_xquad(None, tmp_path / "bench")
    assert not (tmp_path / "bench").exists()


def first_question(data: Any) -> Any:
    return data[0]["paragraphs"][0]["qas"][0]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        (lambda data: data[0]["paragraphs"][1]["qas"].pop(), "id", "question 'h8' is missing here"),
        (lambda data: first_question(data).update(id="h99"), "id", "question 'h99' is not in the English"),
        (lambda data: data[1]["paragraphs"][0]["qas"].append({**first_question(data), "id": "h1"}), "id",
         "duplicate question 'h1'"),
        (lambda data: first_question(data)["answers"][0].update(text="fünfzig"), "answer_start",
         "question 'h1'"),
        (lambda data: first_question(data)["answers"][0].update(answer_start=5), "answer_start",
         "question 'h1'"),
        (lambda data: first_question(data).update(answers=[]), "data.0.paragraphs.0.qas.0.answers",
         "SQuAD"),
        (lambda data: first_question(data).pop("question"), "data.0.paragraphs.0.qas.0.question",
         "SQuAD"),
    ],
)  # fmt: skip
def test_a_spoilt_file_is_one_error_with_file_and_field(
    change: Callable[[Any], object], field: str, message: str, tmp_path: Path
) -> None:
    source = write_xquad(tmp_path / "source", changed("de", change))
    with refused(message, file=source / "xquad.de.json", field=field):
        build_xquad(source, tmp_path / "bench")


def test_a_question_that_english_lacks_is_an_error(tmp_path: Path) -> None:
    source = write_xquad(
        tmp_path / "source", changed("en", lambda data: data[1]["paragraphs"][0]["qas"].pop())
    )
    with refused("question 'b2'", "English file", file="xquad.de.json"):
        build_xquad(source, tmp_path / "bench")


def test_a_folder_without_english_or_without_the_language_is_an_error(tmp_path: Path) -> None:
    content = small_xquad()
    del content["en"]
    with refused("no xquad.en.json", hint="--source"):
        build_xquad(write_xquad(tmp_path / "other", content), tmp_path / "bench")
    with refused("'vi'", "de, en, tr"):
        build_xquad(write_xquad(tmp_path / "source"), tmp_path / "bench", languages=["en", "vi"])


def test_questions_with_too_few_distractors_are_counted_and_none_at_all_is_an_error(tmp_path: Path) -> None:
    def last_answer(data: Any) -> None:
        paragraph = data[0]["paragraphs"][0]
        paragraph["context"] = paragraph["context"].replace("twelve", "forty four")
        paragraph["qas"][4]["answers"][0]["text"] = "forty four"

    content = changed("en", last_answer)
    for value in content.values():
        value["data"] = value["data"][:1]
        value["data"][0]["paragraphs"] = value["data"][0]["paragraphs"][:1]
    # In German "vierzig" holds "vier" too, which leaves no four that may stand together.
    with refused("no item is whole in de, en, tr", "too few distractors: 5"):
        build_xquad(write_xquad(tmp_path / "three languages", content), tmp_path / "none")
    del content["de"]
    stage = build_xquad(write_xquad(tmp_path / "two languages", content), tmp_path / "some")
    assert stage.manifest["counts"]["items"] == 4
    assert stage.manifest["skipped"] == {"few_distractors": 1}
    assert read_json(tmp_path / "some" / "left_out.json") == {"h5": "few_distractors"}
    # Two pairs that hold each other, counted from either side.
    ruled_out = stage.manifest["counts"]["ruled_out"]
    assert ruled_out == {"contained": 4}
    assert {item.item for item in read_items(tmp_path / "some" / ITEMS)} == {"h1", "h2", "h3", "h4"}


def test_after_a_spoilt_file_the_repaired_one_may_be_built_in_the_same_folder(tmp_path: Path) -> None:
    spoilt = changed("de", lambda data: first_question(data).update(question=" "))
    with refused("question 'h1'", "empty", file="xquad.de.json", field="question"):
        build_xquad(write_xquad(tmp_path / "source", spoilt), tmp_path / "bench")
    assert built(write_xquad(tmp_path / "source"), tmp_path / "bench")


def test_a_language_named_twice_is_asked_once(tmp_path: Path) -> None:
    items = built(write_xquad(tmp_path / "source"), tmp_path / "bench", ["de", "de"])
    assert {language for _, language in items} == {"de"}


@pytest.mark.parametrize("answers", [None, {"text": ["a", "b"], "answer_start": [0]}])
def test_parquet_of_another_form_is_an_error(answers: Any, tmp_path: Path) -> None:
    row = {"id": "a", "context": "a b", "question": "which?", "answers": answers}
    for name in ("one", "two"):
        (tmp_path / "xquad.en").mkdir(exist_ok=True)
        pyarrow.parquet.write_table(
            pyarrow.Table.from_pylist([row]), tmp_path / "xquad.en" / f"{name}.parquet"
        )
        if name == "one":
            with refused("SQuAD", file="one.parquet", field="data.0.paragraphs.0.qas.0.answers"):
                build_xquad(tmp_path, tmp_path / "bench")
    with refused("one.parquet", file="two.parquet"):
        build_xquad(tmp_path, tmp_path / "bench")
