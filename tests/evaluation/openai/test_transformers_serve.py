"""`transformers serve`, an OpenAI-compatible server that is not ours, over a real small model, end to end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossin.evaluation.engine import Request
from crossin.evaluation.openai import OpenAIEngine
from tests.helpers.loopback import settings, transformers_serve

pytestmark = pytest.mark.slow
TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
PROMPTS = ["What is the capital of Peru?", "法国的首都是", "Thủ đô của Peru là"]


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a template for conversations."""
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("models") / "chat"
    shutil.copytree(tiny_model, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base_url(model: Path) -> Iterator[str]:
    with transformers_serve(model) as url:
        yield url


def greedy(folder: Path, texts: list[str], tokens: int) -> list[tuple[str, int]]:
    """The replies of transformers itself, and how many tokens went into each."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    found = []
    for text in texts:
        asked = tokenizer(text, return_tensors="pt")
        whole = model.generate(**asked, max_new_tokens=tokens, do_sample=False)[0]
        new = whole[asked["input_ids"].shape[1] :]
        found.append((tokenizer.decode(new, skip_special_tokens=True), len(whole)))
    return found


def test_plain_prompts_are_completed(base_url: str, model: Path) -> None:
    engine = OpenAIEngine(str(model), settings(base_url))
    # It takes `echo` and `logprobs`, and leaves them unheeded.
    assert engine.kinds() == {"generate"}
    requests = [Request(prompt, max_tokens=8) for prompt in PROMPTS]
    replies = dict(engine.generate(requests, range(len(requests))))
    expected = greedy(model, PROMPTS, 8)
    assert [(replies[number].text, replies[number].computed) for number in sorted(replies)] == expected
    assert all(reply.cut for reply in replies.values())


def test_conversations_are_answered(base_url: str, model: Path) -> None:
    engine = OpenAIEngine(str(model), settings(base_url))
    assert engine.kinds(chat=True) == {"generate"}
    requests = [Request((("user", prompt),), max_tokens=8) for prompt in PROMPTS]
    replies = dict(engine.generate(requests, range(len(requests))))
    expected = greedy(model, [f"<user>{prompt}\n<assistant>" for prompt in PROMPTS], 8)
    assert [(replies[number].text, replies[number].computed) for number in sorted(replies)] == expected
