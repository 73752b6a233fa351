"""A real model behind a server that is not ours: its translations are poor, and the gates say so."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from small_rows import write_rows

from crossin.files import read_parquet
from crossin.translate import translate
from crossin.translate.engines.openai import OpenAITranslator
from crossin.translate.shard import Setup

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


@contextmanager
def serving(model: Path) -> Iterator[str]:
    """The base URL of `transformers serve` with a model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "transformers.cli.transformers", "serve", str(model)),
            *("--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"),
        ],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            assert process.poll() is None
            try:
                with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except (URLError, OSError):
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def rejected_by(model: Path, folder: Path, count: int, tokens: int) -> list[str]:
    """The reasons against a model's translations into Spanish of so many rows."""
    write_rows(folder / "rows.jsonl", count)
    with serving(model) as url:
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
