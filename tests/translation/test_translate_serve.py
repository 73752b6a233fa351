"""A real model behind a server that is not ours: its translations are poor, and the gates say so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from crossin.core.files import read_parquet
from crossin.translation import translate
from crossin.translation.engines.openai import OpenAITranslator
from crossin.translation.shard import Setup
from tests.helpers.loopback import transformers_serve
from tests.helpers.small_rows import write_rows

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def rejected_by(model: Path, folder: Path, count: int, tokens: int) -> list[str]:
    """The reasons against a model's translations into Spanish of so many rows."""
    write_rows(folder / "rows.jsonl", count)
    with transformers_serve(model) as url:
        engine = OpenAITranslator(str(model), url, body={"max_tokens": tokens}, concurrency=2, timeout=300)
        translate(folder / "rows.jsonl", folder / "out", Setup(engine, "en"), ["es"])
    return [str(reason) for reason in read_parquet(folder / "out" / "rejects.parquet", ["reason"])["reason"]]


def test_a_model_that_knows_nothing_gets_nothing_past_the_gates(tiny_model: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    shutil.copytree(tiny_model, tmp_path / "chat")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "chat")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(tmp_path / "chat")
    reasons = rejected_by(tmp_path / "chat", tmp_path, 3, 16)
    assert len(reasons) == 3
    assert all(reason.startswith("the reply") for reason in reasons)


@pytest.mark.model
def test_a_small_real_model_is_found_wanting(tmp_path: Path) -> None:
    from crossin.models import pull

    assert len(rejected_by(pull("smollm2-135m"), tmp_path, 8, 200)) >= 6
