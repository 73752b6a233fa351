"""A real model behind a server that is not ours: its translations are poor, and the checks say so."""

from __future__ import annotations

import json
import shutil
from itertools import islice
from pathlib import Path

import pytest

from crossin.core.files import read_parquet
from crossin.translation.run import translate
from tests.helpers.loopback import transformers_serve
from tests.helpers.translated_rows import config_of, write_rows
from tests.translation.test_translate_conversations import as_messages, chats

pytestmark = pytest.mark.slow

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def rejected_by(model: Path, folder: Path, count: int, tokens: int, talks: bool = False) -> list[str]:
    """The reasons against a model's translations into Spanish of so many rows, or conversations."""
    write_rows(folder / "rows.jsonl", count)
    if talks:
        rows = [
            {"id": n, "messages": as_messages(texts)} for n, texts in enumerate(islice(chats("en"), count))
        ]
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with transformers_serve(model) as url:
        server = {"body": {"max_tokens": tokens}, "concurrency": 2, "timeout": 300}
        config = config_of(folder / "rows.jsonl", url, ["es"], model=str(model), server=server)
        translate(config, folder / "out")
    return [str(reason) for reason in read_parquet(folder / "out" / "rejects.parquet", ["reason"])["reason"]]


@pytest.mark.parametrize("talks", [False, True])
def test_a_model_that_knows_nothing_passes_no_check(tiny_model: Path, tmp_path: Path, talks: bool) -> None:
    from transformers import AutoTokenizer

    shutil.copytree(tiny_model, tmp_path / "chat")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "chat")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(tmp_path / "chat")
    reasons = rejected_by(tmp_path / "chat", tmp_path, 3, 16, talks=talks)
    assert len(reasons) == 3
    assert set(reasons) <= {"invalid_json", "wrong_keys", "token_limit"}


@pytest.mark.model
def test_a_small_real_model_is_found_wanting(tmp_path: Path) -> None:
    from crossin.models import pull

    assert len(rejected_by(pull("smollm2-135m"), tmp_path, 8, 200)) >= 6
