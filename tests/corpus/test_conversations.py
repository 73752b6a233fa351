"""Conversations in a corpus: joined across languages turn by turn."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossin.corpus.parallel import ParallelCorpus, read_corpus
from crossin.corpus.preparation import prepare
from tests.helpers.corpus_files import corpus_spec, save

Turns = list[tuple[str, str]]
# What is asked and answered about a number, and the system text, by language.
WORDS = {
    "en": ("What is {} plus one?", "It is {} .", "And twice {}?", "That makes {} .", "Be brief."),
    "es": ("¿Cuánto es {} más uno?", "Es {} .", "¿Y el doble de {}?", "Son {} .", "Sé breve."),
}


def turns(language: str, number: int, system: bool = False, exchanges: int = 2) -> Turns:
    asked, said, again, then, beginning = WORDS[language]
    whole = [
        ("user", asked.format(number)),
        ("assistant", said.format(number + 1)),
        ("user", again.format(number)),
        ("assistant", then.format(2 * number)),
    ]
    return [*([("system", beginning)] if system else []), *whole[: 2 * exchanges]]


def messages(found: Turns) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in found]


def corpus_of(folder: Path, files: dict[str, list[Any]], **more: Any) -> ParallelCorpus:
    for language, chats in files.items():
        rows = [{"id": k, "messages": messages(chat)} for k, chat in enumerate(chats)]
        save(folder / f"{language}.jsonl", rows)
    spec = corpus_spec(files={language: f"{language}.jsonl" for language in files}, **more)
    return read_corpus("c", spec, folder, list(files), set(), folder / "work", several=True)


def test_rows_keep_their_turns_in_each_language(tmp_path: Path) -> None:
    corpus = corpus_of(
        tmp_path,
        {
            code: [turns(code, k, system=k % 2 == 0, exchanges=1 + (k > 1)) for k in range(4)]
            for code in WORDS
        },
    )
    rows = np.arange(4)
    assert corpus.kept.all()
    assert corpus.places_of_turns("en", rows).to_pylist()[1] == ""
    assert [place.count("u") for place in corpus.places_of_turns("es", rows).to_pylist()] == [1, 0, 2, 2]
    assert corpus.text("es", "instruction", rows).to_pylist()[2] == (
        "Sé breve.\n\n¿Cuánto es 2 más uno?\n\n¿Y el doble de 2?"
    )


def test_a_corpus_of_single_exchanges_has_no_turns(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {code: [turns(code, 1, system=True, exchanges=1)] for code in WORDS})
    assert corpus.turns == {}
    assert corpus.text("en", "instruction", np.arange(1)).to_pylist() == ["Be brief.\n\nWhat is 1 plus one?"]


def test_rows_whose_turns_differ_between_languages_are_rejected(tmp_path: Path) -> None:
    english = [turns("en", k, system=k == 2) for k in range(3)]
    spanish = [turns("es", 0), turns("es", 1, exchanges=1), turns("es", 2)]
    corpus = corpus_of(tmp_path, {"en": english, "es": spanish})
    assert corpus.kept.tolist() == [True, False, False]
    assert corpus.rejected() == {"turns_differ:es": 2}


def test_what_is_left_out_of_a_chat_is_counted(tmp_path: Path) -> None:
    greeted = [("assistant", "Hi!"), *turns("en", 1)]
    corpus = corpus_of(
        tmp_path, {"en": [greeted, turns("en", 1)[:3], turns("en", 2), [*greeted, ("tool", "x")]]}
    )
    assert corpus.changed == {"greeting:en": 1, "unanswered_turn:en": 1}
    assert corpus.skipped() == {"other_role:en": 1}


def test_a_wrong_turn_rejects_its_conversation_and_is_named(tmp_path: Path) -> None:
    files = {code: [turns(code, k) for k in range(40)] for code in WORDS}
    files["es"][7][3] = ("assistant", "")
    files["es"][9][3] = files["en"][9][3]
    files["es"][9][2] = files["en"][9][2]
    for code, chats in files.items():
        rows = [{"id": k, "messages": messages(chat)} for k, chat in enumerate(chats)]
        save(tmp_path / f"{code}.jsonl", rows)
    spec = corpus_spec(files={code: f"{code}.jsonl" for code in files}, check="scan", check_language=False)
    corpus = prepare("c", spec, tmp_path, list(files), "en", tmp_path / "work", several=True)
    assert corpus.unjoined == {"turn_without_text:es": 1}
    assert corpus.rejected()["untranslated:es"] == 1
    assert corpus.details[9] == "exchange 2"


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.json"])
def test_alpaca_with_a_history_and_a_system_text_is_a_conversation(tmp_path: Path, name: str) -> None:
    history = [["Hi", "Hello."], ["Name a river.", "The Nile."]]
    record = {"id": "a", "instruction": "Add", "input": "1 2", "output": "3", "system": "Be brief."}
    plain = {**record, "id": "b", "system": "", "history": ""}
    file = tmp_path / name
    if name.endswith("json"):
        file.write_text(json.dumps({"data": [{**record, "history": history}, {**plain, "history": []}]}))
    else:
        with file.open("w", newline="") as stream:
            dialect = "excel" if name.endswith("csv") else "excel-tab"
            writer = csv.DictWriter(stream, [*record, "history"], dialect=dialect)
            writer.writeheader()
            writer.writerows([{**record, "history": json.dumps(history)}, plain])
    spec = corpus_spec(files={"en": name})
    corpus = read_corpus("c", spec, tmp_path, ["en"], set(), tmp_path / "work", several=True)
    rows = np.arange(2)
    texts = [corpus.text("en", field, rows).to_pylist() for field in ("instruction", "input", "output")]
    assert [column[0] for column in texts] == [
        "Be brief.\n\nHi\n\nName a river.\n\nAdd\n\n1 2",
        "",
        "Hello.\n\nThe Nile.\n\n3",
    ]
    assert [column[1] for column in texts] == ["Add", "1 2", "3"]
    assert corpus.places_of_turns("en", rows).to_pylist() == ["s9u2a6u13a9u8a1", ""]
