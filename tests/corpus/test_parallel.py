from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.corpus.faults import file_faults
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from tests.helpers import errors
from tests.helpers.corpus_files import FORMATS, corpus_spec, row, save
from tests.helpers.paths import REAL_DATA

Data = dict[str, list[dict[str, Any]]]
ALPACA = REAL_DATA / "alpaca"


def corpus_of(
    folder: Path,
    data: Data,
    languages: Sequence[str] | None = None,
    columns: set[str] | None = None,
    format: str = "jsonl",
    **spec: Any,
) -> ParallelCorpus:
    """The corpus read from one file a language."""
    for language, records in data.items():
        save(folder / f"{language}.{format}", records)
    files = {language: f"{language}.{format}" for language in data}
    return read_corpus(
        "test", corpus_spec(files=files, **spec), folder, languages, columns or set(), folder / "work"
    )


def refused(*arguments: Any, **named: Any) -> CrossinError:
    with pytest.raises(CrossinError) as caught:
        corpus_of(*arguments, **named)
    assert caught.value.hint
    return caught.value


def kept(corpus: ParallelCorpus) -> list[str]:
    return [id for id, keep in zip(corpus.ids.to_pylist(), corpus.kept, strict=True) if keep]


def check_counts(corpus: ParallelCorpus) -> None:
    """Nothing is lost: what was read stands in the corpus or is counted."""
    for language in corpus.languages:
        lost = sum(n for reason, n in corpus.unjoined.items() if reason.endswith(f":{language}"))
        assert corpus.read[language] == int(corpus.present(language).sum()) + lost
    assert len(corpus) == int(corpus.kept.sum()) + sum(corpus.rejected().values())


def texts(corpus: ParallelCorpus, language: str) -> dict[str, str]:
    rows = np.flatnonzero(corpus.present(language))
    ids = corpus.ids.take(rows).to_pylist()
    return dict(zip(ids, corpus.text(language, "instruction", rows).to_pylist(), strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_rows_are_joined_by_id_whatever_their_order(tmp_path: Path, format: str) -> None:
    data = {
        "en": [row(1, "one"), row(2, "two"), row(3, "three")],
        "zh": [row(3, "三"), row(1, "一"), row(2, "二")],
    }
    corpus = corpus_of(tmp_path, data, format=format)
    assert corpus.ids.to_pylist() == ["1", "2", "3"]
    assert corpus.languages == ["en", "zh"]
    assert corpus.place["zh"].tolist() == [1, 2, 0]
    assert corpus.text("zh", "instruction", np.array([2, 0, 0])).to_pylist() == ["三", "一", "一"]
    assert corpus.text("en", "output", np.array([1])).to_pylist() == ["hi"]
    assert corpus.kept.all()
    assert corpus.read == {"en": 3, "zh": 3}


def test_texts_stay_in_the_files_order(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"en": [row(1, "a"), row(2, "b")], "zh": [row(2, "乙"), row(1, "甲")]})
    assert corpus.texts["zh", "instruction"].all.to_pylist() == ["乙", "甲"]
    assert {field for _, field in corpus.texts} == set(FIELDS)


def test_a_row_that_is_not_in_all_languages_is_dropped_or_kept(tmp_path: Path) -> None:
    data = {"en": [row(1), row(2)], "zh": [row(2), row(3)], "vi": [row(2)]}
    corpus = corpus_of(tmp_path, data)
    # The order of the first language's file, then what only others have.
    assert corpus.ids.to_pylist() == ["1", "2", "3"]
    assert kept(corpus) == ["2"]
    assert corpus.rejected() == {"missing_translation:en": 1, "missing_translation:zh": 1}
    whole = corpus_of(tmp_path, data, incomplete="keep")
    assert kept(whole) == ["1", "2", "3"]
    assert whole.place["vi"].tolist() == [-1, 0, -1]
    with pytest.raises(ValueError, match="absent in vi"):
        whole.text("vi", "output", np.array([1, 2]))


def test_an_id_that_occurs_twice_is_rejected_in_every_copy(tmp_path: Path) -> None:
    data = {
        "en": [row(1), row(2), row(3)],
        "zh": [row(1), row(2, "甲"), row(2, "乙"), row(3), row(2, "丙")],
    }
    corpus = corpus_of(tmp_path, data)
    assert kept(corpus) == ["1", "3"]
    assert corpus.rejected() == {"duplicate_id:zh": 1}
    assert corpus.unjoined == {"duplicate_id:zh": 2}
    assert texts(corpus, "zh")["2"] == "甲"
    check_counts(corpus)


def test_an_empty_instruction_is_rejected_and_an_empty_output_is_not(tmp_path: Path) -> None:
    data = {
        "en": [row(1), row(2), row(3, output=""), row(4)],
        "zh": [row(1, ""), row(2, " \n\u3000"), row(3), row(4)],
    }
    for incomplete in ("drop", "keep"):
        corpus = corpus_of(tmp_path, data, incomplete=incomplete)
        assert kept(corpus) == ["3", "4"]
        assert corpus.rejected() == {"empty_instruction:zh": 2}


def test_a_first_reason_stays(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"en": [row(1), row(2), row(3)]})
    assert corpus.reject(np.array([True, True, False]), "one") == 2
    assert corpus.reject(np.array([False, True, True]), "two") == 1
    assert corpus.reject(np.array([True, True, True]), "three") == 0
    assert corpus.rejected() == {"one": 2, "two": 1}
    assert corpus.status.tolist() == [1, 1, 2]


def test_more_reasons_than_a_byte_can_hold(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"en": [row(k) for k in range(300)]})
    for k in range(300):
        corpus.reject(np.arange(300) == k, f"reason {k}")
    assert sum(corpus.rejected().values()) == 300
    assert not corpus.kept.any()


def test_only_the_languages_asked_for_are_read(tmp_path: Path) -> None:
    data = {"en": [row(1)], "zh": [row(1)], "vi": [row(1)]}
    corpus_of(tmp_path, data)
    (tmp_path / "vi.jsonl").write_text("broken")
    files = {language: f"{language}.jsonl" for language in data}
    spec = corpus_spec(files=files)
    corpus = read_corpus("test", spec, tmp_path, ["zh", "sw", "en"], set(), tmp_path / "work")
    assert corpus.languages == ["zh", "en"]
    nothing = read_corpus("test", spec, tmp_path, ["sw"], set(), tmp_path / "work")
    assert (nothing.languages, len(nothing)) == ([], 0)


def test_ids_carry_the_prefix(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"en": [row(1)], "zh": [row(1)]}, id_prefix="alpaca:")
    assert corpus.ids.to_pylist() == ["alpaca:1"]


def test_joined_by_position(tmp_path: Path) -> None:
    data = {"en": [row(7, "a"), row(7, "b")], "zh": [row(None, "甲"), row(1, "乙")]}
    corpus = corpus_of(tmp_path, data, join="position")
    assert corpus.ids.to_pylist() == ["0", "1"]
    assert texts(corpus, "zh") == {"0": "甲", "1": "乙"}


def test_files_of_different_length_cannot_be_joined_by_position(tmp_path: Path) -> None:
    error = refused(tmp_path, {"en": [row(1), row(2)], "zh": [row(1)]}, join="position")
    assert "en 2, zh 1 rows" in error.message
    assert "join: id" in str(error.hint)


def test_without_ids_one_language_is_called_by_position(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"en": [row(None, "a"), row(None, "b")]})
    assert corpus.ids.to_pylist() == ["0", "1"]
    assert corpus.kept.all()


@pytest.mark.parametrize("zh", [None, 1])
def test_without_ids_several_languages_cannot_be_joined(tmp_path: Path, zh: int | None) -> None:
    error = refused(tmp_path, {"en": [row(None)], "zh": [row(zh)]})
    assert "join: position" in str(error.hint)


def test_a_row_without_an_id_is_counted(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"en": [row(1), row(None), row(2)], "zh": [row(1), row(2)]})
    assert kept(corpus) == ["1", "2"]
    assert corpus.unjoined == {"missing_id:en": 1}
    check_counts(corpus)


@pytest.mark.parametrize("format", ["json", "jsonl", "parquet"])
@pytest.mark.parametrize("join", ["id", "position"])
def test_a_chat_of_several_exchanges_is_counted(tmp_path: Path, join: str, format: str) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    records = [{"id": k, "messages": turns * (2 if k == 1 else 1)} for k in range(3)]
    corpus = corpus_of(tmp_path, {"en": records, "zh": records}, join=join, format=format)
    assert kept(corpus) == ["0", "2"]
    assert corpus.unjoined == {"several_exchanges:en": 1, "several_exchanges:zh": 1}
    check_counts(corpus)


def mixed(
    tmp_path: Path, records: list[dict[str, Any]], format: str = "jsonl", **more: Any
) -> ParallelCorpus:
    save(tmp_path / f"all.{format}", records)
    languages = more.pop("languages", None)
    spec = corpus_spec(source=f"all.{format}", **more)
    return read_corpus("test", spec, tmp_path, languages, set(), tmp_path / "work")


@pytest.mark.parametrize("format", FORMATS)
def test_one_file_with_a_column_language(tmp_path: Path, format: str) -> None:
    records = [
        row(id, f"{language} {id}", language=language)
        for id in range(100)
        for language in ("Vietnamese", "EN", "zh_CN")
    ]
    corpus = mixed(tmp_path, records, format)
    assert corpus.languages == ["vi", "en", "zh"]
    assert texts(corpus, "zh") == {str(id): f"zh_CN {id}" for id in range(100)}
    assert corpus.place["zh"].tolist() == list(range(100))
    some = mixed(tmp_path, records, format, languages=["en", "sw", "vi"])
    assert some.languages == ["en", "vi"]
    assert some.read == {"en": 100, "vi": 100}
    assert texts(some, "en") == {str(id): f"EN {id}" for id in range(100)}


@pytest.mark.parametrize(
    ("rows", "language", "message"),
    [(2, "Klingonese", "unknown language"), (1, "", "no language"), (1, None, "no language")],
)
def test_a_language_that_is_none_is_named(
    tmp_path: Path, rows: int, language: str | None, message: str
) -> None:
    with errors.refused(message, row=rows, field="language"):
        mixed(tmp_path, [row(1, language="en"), row(2, language=language)][-rows:])
    with errors.refused("no column 'language'"):
        mixed(tmp_path, [row(1)])


def test_a_bad_row_of_a_mixed_file_is_told_with_its_row(tmp_path: Path) -> None:
    records = [row(1, language="zh"), row(1, language="en"), row(2, language="zh"), row(2, language="en")]
    records[2]["output"] = 5
    corpus = mixed(tmp_path, records)
    assert corpus.unjoined == {"value_not_text:zh": 1}
    assert [one.first for one in file_faults(corpus) if one.reasons] == [3]
    # Other languages are not checked.
    assert mixed(tmp_path, records, languages=["en"]).read == {"en": 2}


def test_the_demos_corpus_can_be_read(facts_folder: Path, tmp_path: Path) -> None:
    for name in ("questions", "names"):
        spec = corpus_spec(source=f"{name}.parquet", id_prefix=f"{name}/")
        corpus = read_corpus(name, spec, facts_folder, None, {"task"}, tmp_path)
        assert sorted(corpus.languages) == ["en", "es", "vi", "zh"]
        assert corpus.kept.all()
        check_counts(corpus)
        rows = np.arange(len(corpus))
        outputs = corpus.text("vi", "output", rows).to_pylist()
        assert all(outputs) if name == "questions" else not any(outputs)
    known = {"Japan": "日本", "Canada": "加拿大", "Italy": "意大利", "Kenya": "肯尼亚", "Peru": "秘鲁"}
    english, chinese = texts(corpus, "en"), texts(corpus, "zh")
    pairs = {english[id]: chinese[id] for id in english if english[id] in known}
    assert pairs
    assert pairs == {name: known[name] for name in pairs}


def test_extra_columns_stand_beside_their_ids(tmp_path: Path) -> None:
    data = {
        "en": [row(1), row(2)],
        "zh": [row(2, score=5), row(1, score=2.5), row(3, score=None)],
    }
    corpus = corpus_of(tmp_path, data, columns={"score"})
    assert corpus.extras["zh"]["score"].to_pylist() == [2.5, 5, None]
    assert corpus.extras["en"] == {}


def test_an_extra_column_that_comes_up_late_is_absent_before(tmp_path: Path) -> None:
    records = [row(k) for k in range(4096)] + [row(5000, score=1)]
    values = corpus_of(tmp_path, {"en": records}, columns={"score"}).extras["en"]["score"].to_pylist()
    assert values == [None] * 4096 + [1]


def test_an_extra_column_whose_type_changes_is_named(tmp_path: Path) -> None:
    records = [row(k, score=k) for k in range(4096)] + [row(5000, score="high")]
    error = refused(tmp_path, {"en": records}, columns={"score"})
    assert (error.field, "different types" in error.message) == ("score", True)


def test_a_column_that_is_nowhere_is_named_with_those_near(tmp_path: Path) -> None:
    error = refused(tmp_path, {"en": [row(1, score=1)], "zh": [row(1)]}, columns={"scores"})
    assert "did you mean score?" in error.message


@pytest.mark.parametrize("text", ["[]", "[ ]"])
def test_a_file_without_rows_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "en.json").write_text(text)
    with errors.refused("holds no rows", file="en.json"):
        read_corpus("test", corpus_spec(files={"en": "en.json"}), tmp_path, None, set(), tmp_path / "work")


def test_the_same_files_give_the_same_corpus(tmp_path: Path) -> None:
    data = {"en": [row(k % 7) for k in range(9)], "zh": [row(k) for k in (5, 4, 8, 2)]}
    one, two = (corpus_of(tmp_path, data, format="parquet") for _ in range(2))
    assert one.ids.equals(two.ids)
    assert one.status.tolist() == two.status.tolist()
    assert (one.reasons, one.unjoined) == (two.reasons, two.unjoined)


def test_progress_is_reported_to_the_end(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []

    def progress(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        calls.append((done, total))

    save(tmp_path / "en.json", [row(1)])
    spec = corpus_spec(files={"en": "en.json"})
    read_corpus("test", spec, tmp_path, None, set(), tmp_path / "work", progress=progress)
    assert calls[-1] == (1, 1)


@pytest.mark.slow
@pytest.mark.skipif(not ALPACA.is_dir(), reason="needs the real data in shared/")
def test_the_real_alpaca_in_three_languages(tmp_path: Path) -> None:
    spec = corpus_spec(files={language: f"alpaca_{language}.json" for language in ("en", "zh", "vi")})
    corpus = read_corpus("alpaca", spec, ALPACA, None, {"score", "merged_input"}, tmp_path)
    assert corpus.read == {"en": 52_002, "zh": 52_002, "vi": 46_040}
    assert int(corpus.kept.sum()) == 46_040
    where = corpus.ids.to_pylist().index("11")
    assert corpus.text("vi", "output", np.array([where])).to_pylist() == ["Thủ đô của Pháp là Paris."]
    assert set(corpus.extras["zh"]) == {"score"}
    check_counts(corpus)


ids = st.one_of(st.none(), st.integers(0, 5), st.sampled_from(["a", "b", "", "1"]))
short = st.sampled_from(["", " ", "hi", "问", "x\0", "\ud800", "😀" * 12])
good = st.sampled_from(["hi", "问", "a longer text"])


def records(text: st.SearchStrategy[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    alpaca = st.fixed_dictionaries(
        {"instruction": text, "output": text}, optional={"id": ids, "input": st.one_of(st.none(), text)}
    )
    turn = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": text})
    exchange = st.tuples(text, text).map(
        lambda said: [{"role": "user", "content": said[0]}, {"role": "assistant", "content": said[1]}]
    )
    chat = st.fixed_dictionaries(
        {"messages": st.one_of(exchange, st.lists(turn, max_size=4))}, optional={"id": ids}
    )
    return st.one_of(st.lists(alpaca, max_size=8), st.lists(chat, max_size=8))


def saved(folder: Path, language: str, format: str, rows: list[dict[str, Any]]) -> bool:
    try:
        save(folder / f"{language}.{format}", rows)
    except (ValueError, TypeError, UnicodeError):
        # Parquet cannot hold ids of two types, nor can UTF-8 hold half a character.
        return False
    return True


@pytest.mark.parametrize("kind", [good, st.one_of(good, short)], ids=["good texts", "any texts"])
@given(data=st.data())
def test_whatever_comes_no_row_is_lost(kind: st.SearchStrategy[str], data: Any) -> None:
    draw: Callable[..., Any] = data.draw
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        languages = draw(st.lists(st.sampled_from(["en", "zh", "vi"]), min_size=1, unique=True))
        files = {}
        for language in languages:
            format = draw(st.sampled_from(FORMATS))
            rows = draw(records(kind))
            if not saved(folder, language, format, rows):
                return
            files[language] = f"{language}.{format}"
            if draw(st.integers(0, 9)) == 9:
                path = folder / files[language]
                junk = random.Random(draw(st.integers(0, 99)))
                whole = path.read_bytes()
                path.write_bytes(whole[: junk.randrange(len(whole) + 1)])
        spec = corpus_spec(
            files=files,
            join=draw(st.sampled_from(["id", "position"])),
            incomplete=draw(st.sampled_from(["drop", "keep"])),
            longest_field=10 if draw(st.integers(0, 9)) == 9 else 100,
        )
        try:
            corpus = read_corpus("test", spec, folder, None, set(), folder / "work")
        except CrossinError as error:
            assert error.hint
            return
        check_counts(corpus)
        assert len(set(corpus.ids.to_pylist())) == len(corpus)
        for language in languages:
            assert all(text.strip() for text in texts_kept(corpus, language))


def texts_kept(corpus: ParallelCorpus, language: str) -> list[str]:
    rows = np.flatnonzero(corpus.kept & corpus.present(language))
    found: list[str] = corpus.text(language, "instruction", rows).to_pylist()
    return found
