"""What is read of a mixture, which tokens are learned, and which rows are left out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, write_parquet
from crossin.experiments.demo import RECIPE
from crossin.mixture import compose, read_recipe
from crossin.models.loading import load_tokenizer
from crossin.training.config import Batches
from crossin.training.rows import Group, TrainingRow, held_out, read_rows
from tests.helpers.errors import refused

# As for Gemma: the mark that ends a turn is not the end of text, and something follows it.
TEMPLATE = (
    "<begin>{% for turn in messages %}<turn>{{ turn.role }}\n{{ turn.content | trim }}<done>\n{% endfor %}"
    "{% if add_generation_prompt %}<turn>assistant\n{% endif %}"
)
FEW = Batches(longest=12)
ASKED = {"role": "user", "content": "What is the capital of Spain?"}
ANSWERED = {"role": "assistant", "content": "Madrid"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    return load_tokenizer(tiny_model)[0]


@pytest.fixture
def beginning(tokenizer: Any) -> Any:
    """The tokenizer, putting a beginning before every text, as those of Llama and Gemma do."""
    tokenizer.add_special_tokens({"bos_token": "<begin>"})
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<begin> $A", special_tokens=[("<begin>", tokenizer.bos_token_id)]
    )
    return tokenizer


@pytest.fixture
def chat(beginning: Any) -> Any:
    beginning.add_special_tokens({"additional_special_tokens": ["<turn>", "<done>"]})
    beginning.chat_template = TEMPLATE
    return beginning


def lines(folder: Path, *records: Any, name: str = "rows.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), "utf-8")
    return file


def asked(prompt: Any, completion: Any, **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "completion": completion, **more}


def parts(tokenizer: Any, row: TrainingRow) -> tuple[str, str]:
    """What is read and what is learned, as text."""
    return tokenizer.decode(row.tokens[: row.learned_from]), tokenizer.decode(row.tokens[row.learned_from :])


def only(place: Path, tokenizer: Any) -> tuple[str, str]:
    """The parts of the one row that is there."""
    (row,), skipped = read_rows(place, tokenizer, Batches())
    assert skipped == {}
    return parts(tokenizer, row)


def test_a_mixture_as_composed_is_read_row_by_row(mixture: Path, tokenizer: Any) -> None:
    rows, skipped = read_rows(mixture, tokenizer, Batches())
    columns = ["prompt", "completion", "id", "component", "lang_in", "lang_out"]
    (file,) = (mixture / "data").iterdir()
    due = read_parquet(file, columns).to_pylist()
    assert skipped == {}
    assert [row.number for row in rows] == list(range(len(due)))
    for row, record in zip(rows, due, strict=True):
        assert parts(tokenizer, row) == (record["prompt"], record["completion"] + "<end>")
        assert row.id == record["id"]
        assert row.group == Group(record["component"], record["lang_in"], record["lang_out"])


def test_a_mixture_of_messages_is_read_in_the_chat_template(
    facts_folder: Path, chat: Any, tmp_path: Path
) -> None:
    recipe = read_recipe(RECIPE).model_copy(update={"format": "messages"})
    few = [part.model_copy(update={"rows": 4, "tokens": None}) for part in recipe.components]
    mixture = compose(
        recipe.model_copy(update={"components": few}), facts_folder, tmp_path / "out", languages=["en", "es"]
    ).folder
    rows, _ = read_rows(mixture, chat, Batches())
    (file,) = (mixture / "data").iterdir()
    records = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(rows) == len(records)
    for row, record in zip(rows, records, strict=True):
        assert parts(chat, row)[1] == record["messages"][-1]["content"].strip() + "<done>"
        assert row.id == record["id"]


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [("Capital of Spain?", " Madrid"), ("西班牙的首都？", "马德里"), ("Ends in a blank: ", "Madrid")],
)
def test_learned_are_the_completion_and_one_end(
    tokenizer: Any, tmp_path: Path, prompt: str, completion: str
) -> None:
    read, learned = only(lines(tmp_path, asked(prompt, completion)), tokenizer)
    assert read + learned == prompt + completion + "<end>"
    assert learned.endswith(completion + "<end>")
    # The blank before a word is of its token, and such a token is learned.
    assert learned.removesuffix(completion + "<end>").strip() == ""


def test_an_end_that_is_there_is_not_doubled(tokenizer: Any, tmp_path: Path) -> None:
    assert only(lines(tmp_path, asked("Spain?", " Madrid<end>")), tokenizer) == ("Spain?", " Madrid<end>")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=5))
def test_any_text_comes_back_whole(tokenizer: Any, tmp_path: Path, texts: list[tuple[str, str]]) -> None:
    file = lines(tmp_path, *(asked(*both) for both in texts))
    rows, skipped = read_rows(file, tokenizer, Batches(longest=10_000))
    assert skipped == {}
    for row, (prompt, completion) in zip(rows, texts, strict=True):
        head = 1 if row.tokens[0] == tokenizer.eos_token_id and not prompt.startswith("<end>") else 0
        assert tokenizer.decode(row.tokens[head:]) == prompt + completion + "<end>"
        assert 1 <= row.learned_from < len(row.tokens)
        # Whatever of the prompt is learned is in the token that begins the completion.
        assert len(tokenizer.decode(row.tokens[head : row.learned_from])) <= len(prompt)


def test_the_beginning_stands_once_before_the_prompt(beginning: Any, tmp_path: Path) -> None:
    for prompt in ("Spain?", "<begin>Spain?"):
        assert only(lines(tmp_path, asked(prompt, " Madrid")), beginning) == (
            "<begin>Spain?",
            " Madrid<end>",
        )


def test_the_first_token_that_is_learned_has_one_before_it(tokenizer: Any, tmp_path: Path) -> None:
    # Both are one token: nothing of the prompt is left before it.
    assert len(tokenizer(" capital")["input_ids"]) == 1
    assert only(lines(tmp_path, asked(" cap", "ital")), tokenizer) == ("<end>", " capital<end>")


def test_a_system_column_is_the_first_turn_of_messages_without_one(chat: Any, tmp_path: Path) -> None:
    system = {"role": "system", "content": "Be brief."}
    beside = {"messages": [ASKED, ANSWERED], "system": "Be brief."}
    within = {"messages": [system, ASKED, ANSWERED], "system": "Be brief."}
    found = [only(lines(tmp_path, record), chat) for record in (beside, within)]
    assert found[0] == found[1]
    assert "<turn>system\nBe brief.<done>" in found[0][0]


@pytest.mark.parametrize("answer", ["d", "n", "<", "done", " Madrid \n"])
def test_the_end_of_a_turn_is_found_behind_any_answer(chat: Any, tmp_path: Path, answer: str) -> None:
    turns = [ASKED, {"role": "assistant", "content": answer}]
    assert only(lines(tmp_path, {"messages": turns}), chat)[1] == answer.strip() + "<done>"


def test_a_template_without_a_beginning_or_an_end_gets_the_end_alone(beginning: Any, tmp_path: Path) -> None:
    beginning.chat_template = (
        "{% for turn in messages %}{{ turn.role }}: {{ turn.content }}\n\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    found = only(lines(tmp_path, {"messages": [ASKED, ANSWERED]}), beginning)
    assert found == (f"user: {ASKED['content']}\n\nassistant:", " Madrid<end>")


def test_prompt_and_completion_may_be_messages(chat: Any, tmp_path: Path) -> None:
    both = lines(tmp_path, asked([ASKED], [ANSWERED]))
    together = lines(tmp_path, {"messages": [ASKED, ANSWERED]}, name="together.jsonl")
    assert only(both, chat) == only(together, chat)


def test_messages_of_parquet_have_no_fields_but_their_own(chat: Any, tmp_path: Path) -> None:
    chat.chat_template = TEMPLATE.replace(
        "{{ turn.role }}", "{{ turn.role }}{{ 'named' if turn.name is defined }}"
    )
    turns = [{**ASKED, "name": "Ana"}, {**ANSWERED, "name": None}]
    write_parquet(tmp_path / "rows.parquet", pyarrow.table({"messages": [turns, [ASKED, ANSWERED]]}))
    rows, _ = read_rows(tmp_path / "rows.parquet", chat, Batches())
    assert ["named" in parts(chat, row)[0] for row in rows] == [True, False]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "json", "jsonl.gz", "json.zst"])
def test_every_kind_of_file_gives_the_same_rows(tokenizer: Any, tmp_path: Path, kind: str) -> None:
    records = [
        asked("Line\u2028of\x85 lines?", " Yes", id=7, kind="mono", lang_in="en", lang_out="es"),
        asked("Spain?", " Madrid"),
    ]
    file = tmp_path / f"rows.{kind}"
    if kind == "parquet":
        write_parquet(file, pyarrow.Table.from_pylist(records))
    else:
        text = "\ufeff" + (
            "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
            if "jsonl" in kind
            else json.dumps(records)
        )
        packed = {"gz": gzip.compress, "zst": lambda data: pyarrow.compress(data, "zstd", asbytes=True)}
        file.write_bytes(packed.get(file.suffix[1:], bytes)(text.encode()))
    for place in (file, tmp_path):
        rows, _ = read_rows(place, tokenizer, Batches())
        assert [parts(tokenizer, row)[0] for row in rows] == [record["prompt"] for record in records]
        assert [(row.id, row.group) for row in rows] == [
            ("7", Group("mono", "en", "es")),
            ("", Group("", "", "")),
        ]


def test_a_folder_is_read_in_the_order_of_names_and_without_what_only_tells_about_it(
    tokenizer: Any, tmp_path: Path
) -> None:
    lines(tmp_path, asked("two", " 2"), name="b.jsonl")
    lines(tmp_path, asked("one", " 1"), name="a.jsonl")
    (tmp_path / "dataset_info.json").write_text('{"description": "no rows"}')
    rows, _ = read_rows(tmp_path, tokenizer, Batches())
    assert [(row.number, parts(tokenizer, row)[0]) for row in rows] == [(0, "one"), (1, "two")]


def test_rows_that_are_too_long_are_left_out_and_counted(tokenizer: Any, tmp_path: Path) -> None:
    file = lines(tmp_path, asked("Spain?", " Madrid"), asked("Spain?" * 9, " Madrid"), asked("x", " y"))
    rows, skipped = read_rows(file, tokenizer, FEW)
    assert [row.number for row in rows] == [0, 2]
    assert skipped == {"too_many_tokens": 1}


def test_a_cut_row_loses_the_beginning_of_its_prompt_but_not_of_the_sequence(
    beginning: Any, tmp_path: Path
) -> None:
    cut = Batches(longest=12, too_long="cut")
    file = lines(tmp_path, asked("Spain? " * 9, "Madrid"), asked("Spain?", "Madrid " * 30))
    (whole, _), _ = read_rows(file, beginning, Batches())
    (row,), skipped = read_rows(file, beginning, cut)
    assert len(row.tokens) == 12
    assert row.tokens[0] == beginning.bos_token_id
    assert row.tokens[1:] == whole.tokens[-11:]
    assert parts(beginning, row)[1] == parts(beginning, whole)[1]
    assert skipped == {"prompt_cut": 1, "completion_too_long": 1}


def test_a_cut_keeps_a_token_before_what_is_learned(tokenizer: Any, tmp_path: Path) -> None:
    file = lines(tmp_path, asked("Spain?", " Madrid"))
    (whole,), _ = read_rows(file, tokenizer, Batches())
    learned = len(whole.tokens) - whole.learned_from
    (row,), _ = read_rows(file, tokenizer, Batches(longest=learned + 1, too_long="cut"))
    assert row.learned_from == 1
    assert row.tokens == whole.tokens[-learned - 1 :]
    rows, skipped = read_rows(file, tokenizer, Batches(longest=learned, too_long="cut"))
    assert rows == []
    assert sum(skipped.values()) == 1


def test_a_completion_that_comes_to_no_token_is_left_out_and_counted(tokenizer: Any, tmp_path: Path) -> None:
    from tokenizers.normalizers import Replace

    tokenizer.backend_tokenizer.normalizer = Replace("\u200b", "")
    file = lines(tmp_path, asked("Spain?<end>", "\u200b"), asked("Spain?", " Madrid"))
    rows, skipped = read_rows(file, tokenizer, Batches())
    assert [row.number for row in rows] == [1]
    assert skipped == {"completion_without_tokens": 1}


@pytest.mark.parametrize(
    ("record", "field", "words"),
    [
        ({"question": "a", "answer": "b"}, "prompt", ["question, answer", "rename"]),
        ({"prompt": "a"}, "completion", ["no such column"]),
        ({"messages": [ASKED, ANSWERED]}, "messages", ["no chat template"]),
    ],
)
def test_a_file_that_cannot_be_learned_is_named(
    tokenizer: Any, tmp_path: Path, record: Any, field: str | None, words: list[str]
) -> None:
    with refused(*words, file="rows.jsonl", row=1, field=field):
        read_rows(lines(tmp_path, record), tokenizer, Batches())


def test_what_cannot_be_read_is_left_out_and_counted(tokenizer: Any, tmp_path: Path) -> None:
    good = json.dumps(asked("Spain?", " Madrid")).encode()
    bad = [b'{"prompt": "\\ud83c", "completion": "b"}', b'{"prompt": "\xf6", "completion": "b"}', b'["a"]']
    cut = b'{"prompt": "a", "comp'
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join([*[good] * 40, *bad, good, cut]))
    rows, skipped = read_rows(tmp_path / "rows.jsonl", tokenizer, Batches())
    assert len(rows) == 41
    assert skipped == {"unreadable_text": 2, "unreadable_record": 2}


def test_parquet_without_the_columns_names_those_it_has(tokenizer: Any, tmp_path: Path) -> None:
    write_parquet(tmp_path / "rows.parquet", pyarrow.table({"question": ["a"], "completion": ["b"]}))
    with refused("question, completion", file="rows.parquet", field="prompt"):
        read_rows(tmp_path, tokenizer, Batches())


def test_what_a_template_rejects_or_rewrites_is_named(chat: Any, tmp_path: Path) -> None:
    file = lines(tmp_path, {"messages": [ASKED, ANSWERED]})
    chat.chat_template = "{{ raise_exception('roles must alternate') }}"
    with refused("the chat template rejects it (roles must alternate)", row=1):
        read_rows(file, chat, Batches())
    both = lines(tmp_path, asked("Spain?", " Madrid"), {"messages": [ASKED, ANSWERED]})
    assert read_rows(both, chat, Batches())[1] == {"template_rejects:roles must alternate": 1}
    file = lines(tmp_path, {"messages": [ASKED, ANSWERED]})
    chat.chat_template = "{{ messages | length }}" + TEMPLATE
    with refused("template", "differently", row=1, field="messages"):
        read_rows(file, chat, Batches())


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rows.parquet", b"no parquet", r"not JSON, CSV or Parquet"),
        ("rows.jsonl", b'{"prompt"\n{"prompt": "a", "completion": "b"}', r"row 1: line 1 is not JSON"),
        ("rows.json", b'[\n{"prompt"', r"row 1: line 2 is not JSON"),
        ("rows.json", b'{"prompt": "a"}', r"row 1, field 'completion'"),
        ("rows.jsonl", b"\xff\xfe", r"UTF-16"),
        ("rows.jsonl.gz", b"not compressed", r"not JSON, CSV or Parquet"),
        ("rows.jsonl", b"\n", r"is empty"),
        ("rows.json", b"[]", r"no rows"),
        ("rows.csv", b"prompt,completion", r"no rows"),
        ("rows.txt", b"prompt", r"holds no mixture"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tokenizer: Any, tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for place in (tmp_path, tmp_path / name):
        with pytest.raises(CrossinError, match=says):
            read_rows(place, tokenizer, Batches())


def test_a_place_without_a_mixture_is_named(tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(CrossinError, match=r"holds no mixture.*compose one first"):
            read_rows(place, tokenizer, Batches())


def test_a_tokenizer_without_an_end_is_refused(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.eos_token = None
    with refused("end-of-text", field="eos_token"):
        read_rows(lines(tmp_path, asked("a", "b")), tokenizer, Batches())


def test_a_share_of_the_ids_is_held_out_with_all_their_translations() -> None:
    none = Group("", "", "")
    rows = [TrainingRow(number, f"id{number // 2}", none, [1, 2], 1) for number in range(4000)]
    rows += [TrainingRow(number, "", none, [1, 2], 1) for number in range(4000, 8000)]
    training, kept = held_out(rows, 0.1)
    assert sorted((*training, *kept), key=lambda row: row.number) == rows
    assert not {row.id for row in training if row.id} & {row.id for row in kept if row.id}
    for with_id in (True, False):
        assert 0.07 < sum(bool(row.id) == with_id for row in kept) / 4000 < 0.13
    assert held_out(rows, 0.0) == (rows, [])
    assert held_out(rows, 0.1) == (training, kept)
