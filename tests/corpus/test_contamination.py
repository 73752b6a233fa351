"""Which training rows come too near a benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from crossin.core.files import read_parquet
from crossin.core.formats import ITEMS
from crossin.corpus import texts as texts_module
from crossin.corpus.contamination import Match, bench_ngrams, contaminated
from crossin.corpus.spec import Decontaminate
from crossin.facts import build_bench
from crossin.items import Item, read_items
from crossin.items.item import write_items
from crossin.languages.segmentation import units
from tests.helpers.errors import refused

NGRAM = 8
CONTEXT = "The marmot of the high Andes sleeps for seven months and wakes when the first snow has gone."


def columns(*rows: tuple[str | None, str | None, str | None]) -> list[pa.LargeStringArray]:
    return [pa.array(field, pa.large_string()) for field in zip(*rows, strict=True)]


def instructions(*texts: str) -> list[pa.LargeStringArray]:
    return columns(*((text, "", "") for text in texts))


def bench_of(folder: Path, *items: dict[str, Any]) -> Path:
    """A benchmark with these items; what is not given is empty."""
    blank = {"group": "", "task": "", "context": "", "source": "", "licence": "", "language": "en"}
    lines = [
        Item(
            **{**blank, "item": f"item {number}", "options": ["yes", "no"], **given},
            option_ids=["a", "b"],
            answer="a",
        )
        for number, given in enumerate(items)
    ]
    write_items(folder / ITEMS, lines)
    return folder


@pytest.fixture(scope="module")
def bench(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bench(facts_folder, tmp_path_factory.mktemp("bench") / "facts").folder


@pytest.fixture(scope="module")
def ngrams(bench: Path) -> dict[str, dict[str, str]]:
    return bench_ngrams(bench, NGRAM)


LANGUAGES = ["en", "zh", "vi", "es"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_of_the_benchmark_is_found_in_any_field(
    language: str, bench: Path, ngrams: dict[str, dict[str, str]]
) -> None:
    # Below four words (eight characters, six syllables) a question is too common to be looked for.
    shortest = {"zh": 8, "vi": 6}.get(language, 4)
    items = [
        item
        for item in read_items(bench / ITEMS)
        if item.language == language and len(units(item.question)) >= shortest
    ]
    assert len(items) > 150
    planted = [f"Hm, {item.question.upper()} Tell me!" for item in items]
    for place in range(3):
        fields = [planted if number == place else [None] * len(items) for number in range(3)]
        flags, matches = contaminated(
            [pa.array(field, pa.large_string()) for field in fields], ngrams[language]
        )
        assert flags.all()
        assert {match.row for match in matches} == set(range(len(items)))
        named = {(match.row, match.item) for match in matches}
        assert sum((row, item.item) in named for row, item in enumerate(items)) / len(items) > 0.95


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_about_other_countries_stay_save_where_they_hold_an_items_words(
    language: str, facts_folder: Path, ngrams: dict[str, dict[str, str]]
) -> None:
    fields = ["instruction", "input", "output"]
    rows = [
        row
        for row in read_parquet(facts_folder / "questions.parquet", ["language", *fields]).to_pylist()
        if row["language"] == language
    ]
    flags, matches = contaminated(
        [pa.array([row[field] for row in rows], pa.large_string()) for field in fields], ngrams[language]
    )
    # What is flagged is a name within a name: Guinea is tested, Guinea-Bissau is trained on; so with 马里
    # (Mali) and 索马里 (Somalia), 中国 and 中国香港.
    assert flags.sum() < 0.015 * len(rows)
    for match in matches:
        assert " ".join(units(match.shared)) in " ".join(units(rows[match.row]["instruction"]))


def test_a_match_tells_the_row_the_item_and_the_words(tmp_path: Path) -> None:
    ngrams = bench_ngrams(
        bench_of(tmp_path, {"question": "How long does it sleep?", "context": CONTEXT}), NGRAM
    )
    flags, matches = contaminated(
        columns(
            ("Tell me about marmots.", "", "They sleep for seven months, and wake when the snow has gone."),
            ("Sum up.", "The MARMOT of the high Andes sleeps – for seven months!", "It sleeps."),
        ),
        ngrams["en"],
    )
    assert flags.tolist() == [False, True]
    assert matches == [Match(1, "item 0", "the marmot of the high andes sleeps for")]


def test_an_item_is_known_by_its_question_with_the_options_behind_it_but_not_by_options_alone(
    tmp_path: Path,
) -> None:
    options = ["one two three four five", "six seven eight nine ten eleven"]
    ngrams = bench_ngrams(bench_of(tmp_path, {"question": "Which rows count?", "options": options}), NGRAM)
    flags, _ = contaminated(
        instructions(
            "Options: " + " ".join(options),
            "Count, which rows count? One, two; three: four (five).",
            "rows count one two three four five six",
            "Which rows count? I do not know.",
        ),
        ngrams["en"],
    )
    # The last: a question of three words is too short to stand for an item.
    assert flags.tolist() == [False, True, True, False]


def test_a_question_shorter_than_an_ngram_counts_whole_from_four_words_on(tmp_path: Path) -> None:
    folder = bench_of(tmp_path, {"question": "Who wrote Don Quixote?"}, {"question": "Who are you?"})
    flags, _ = contaminated(
        instructions(
            "Do you know who wrote Don Quixote, then?", "Who wrote Quixote?", "Who are you? Say it."
        ),
        bench_ngrams(folder, NGRAM)["en"],
    )
    assert flags.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("language", "question", "longer", "other"),
    [
        ("zh", "谁写了《堂吉诃德》一书？", "你知道谁写了堂吉诃德一书吗", "谁写了《堂吉诃德》？"),
        ("th", "ใครเป็นผู้แต่งเรื่องดอนกิโฆเต้", "บอกหน่อยใครเป็นผู้แต่งเรื่องดอนกิโฆเต้ครับ", "ใครเป็นผู้แต่ง"),
    ],
)
def test_where_no_spaces_are_written_two_characters_count_as_a_word(
    tmp_path: Path, language: str, question: str, longer: str, other: str
) -> None:
    ngrams = bench_ngrams(bench_of(tmp_path, {"question": question, "language": language}), NGRAM)
    flags, matches = contaminated(instructions(longer, other), ngrams[language])
    assert flags.tolist() == [True, False]
    assert matches[0].shared in longer
    assert all(key.count(" ") + 1 <= 2 * NGRAM for key in ngrams[language])


def test_three_syllables_count_as_two_words_in_vietnamese(tmp_path: Path) -> None:
    # Eight syllables are an everyday turn of phrase: "can be used to determine".
    context = "Phương pháp này có thể được sử dụng để xác định tuổi của các lớp băng ở Nam Cực."
    ngrams = bench_ngrams(bench_of(tmp_path, {"question": "", "context": context, "language": "vi"}), NGRAM)
    texts = instructions(
        "Nó có thể được sử dụng để xác định giá.", "có thể được sử dụng để xác định tuổi của các lớp"
    )
    assert contaminated(texts, ngrams["vi"])[0].tolist() == [False, True]


def test_the_form_that_questions_share_names_no_item(tmp_path: Path) -> None:
    form = "Which of the following best describes the main idea of the"
    items = [{"question": f"{form} {word}"} for word in "abcdefghijkl"]
    form_alone = {"question": "Which of the following best describes the main idea", "options": []}
    ngrams = bench_ngrams(bench_of(tmp_path, *items, form_alone), NGRAM)
    texts = instructions(f"{form} novel?", f"{form} l?", "which of the following best describes the main")
    flags, matches = contaminated(texts, ngrams["en"])
    # The first row holds the question that is nothing but form, whole.
    assert [(match.row, match.item) for match in matches] == [(0, "item 12"), (1, "item 12"), (1, "item 11")]
    assert flags.tolist() == [True, True, False]


def test_only_the_items_of_the_rows_own_language_are_looked_for(ngrams: dict[str, dict[str, str]]) -> None:
    english = next(key for key in ngrams["en"] if key.count(" ") == 7)
    assert contaminated(instructions(english), ngrams["en"])[0].all()
    for language in ("vi", "es"):
        assert contaminated(instructions(english), ngrams[language])[0].tolist() == [False]


def test_vowel_signs_and_joiners_are_part_of_a_word() -> None:
    assert units("हिन्दी में उत्तर दीजिए।") == ["हिन्दी", "में", "उत्तर", "दीजिए"]
    assert units("می‌خواهم") == ["میخواهم"]
    assert units("GDP是什么？") == ["gdp", "是", "什", "么"]


def test_the_size_of_a_chunk_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, ngrams: dict[str, dict[str, str]]
) -> None:
    texts = instructions(*list(ngrams["en"])[:20], *["Nothing of the kind."] * 5)
    whole = contaminated(texts, ngrams["en"])
    monkeypatch.setattr(texts_module, "_ROWS_AT_ONCE", 3)
    chunked = contaminated(texts, ngrams["en"])
    assert whole[0].sum() == 20
    assert whole[0].tolist() == chunked[0].tolist()
    assert whole[1] == chunked[1]


def test_another_folder_and_an_ngram_of_two_words_are_refused(tmp_path: Path) -> None:
    with refused("Parquet", file="items.parquet"):
        bench_ngrams(tmp_path, NGRAM)
    with pytest.raises(ValidationError, match="ngram"):
        Decontaminate(bench="bench", ngram=2)
