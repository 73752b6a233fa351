"""The figures of a server that speaks vLLM's dialect are those of the model itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossin.evaluation.engine import EngineNote, Request, Scores
from crossin.evaluation.hf import HfEngine
from crossin.evaluation.openai import OpenAIEngine
from crossin.models import pull
from tests.helpers.errors import refused
from tests.helpers.loopback import serving, settings
from tests.helpers.vllm_dialect import Spelling, vllm_app

TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
# Options behind a blank, behind nothing, behind a prompt whose last letters may be in the option's token; in
# scripts whose characters are several tokens for the model's tokenizer, some of which begin in the prompt.
PLAIN = [
    Request(
        "Question: What is the capital of Peru?\nAnswer:", (" Lima", " Quito", " Santiago de Chile"), name="1"
    ),
    Request("Question: What is the capital of Peru?\nAnswer: ", ("Lima", "Quito"), name="2"),
    Request("问题：法国的首都是哪里？\n答案：", ("巴黎", "罗马", "北京"), name="3"),
    Request("คำถาม: เมืองหลวงของเปรูคืออะไร\nคำตอบ:", (" ลิมา", " กีโต"), name="4"),
    Request("Câu hỏi: Thủ đô của Peru là gì?\nTrả lời:", (" Lima", " Ki-tô", " Đà Nẵng"), name="5"),
    Request("What is the cap", ("ital", "tain", "\u0301e"), name="6"),
    Request("An emoji: 👩", ("\u200d🚀", "🏽", " 👍🏽!"), name="7"),
]
CHATS = [
    Request((("user", "What is the capital of Peru?"),), ("Lima", "Quito"), name="chat 1"),
    Request((("user", "1+1?"), ("assistant", "2"), ("user", "巴黎？")), ("巴黎", "🏽é"), name="chat 2"),
]


@pytest.fixture(scope="module")
def chat_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a template for conversations, and a token at the beginning of every text."""
    from tokenizers.processors import TemplateProcessing
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("models") / "chat"
    shutil.copytree(tiny_model, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder, bos_token="<end>")
    tokenizer._tokenizer.post_processor = TemplateProcessing(single="<end> $A", special_tokens=[("<end>", 0)])
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["alone", "together"])
def server(chat_model: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    spelling: Spelling = request.param
    with serving(vllm_app(chat_model, spelling=spelling)) as url:
        yield url


def forward(folder: Path, requests: list[Request]) -> list[tuple[list[float], list[int]]]:
    """Log-probabilities and numbers of tokens by one plain pass an option; the border by the tokenizer's own
    offsets of characters.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    found = []
    for request in requests:
        sums, counts = [], []
        for option in request.options:
            if isinstance(request.prompt, str):
                prompt, special = request.prompt, True
            else:
                turns = [{"role": role, "content": text} for role, text in request.prompt]
                prompt = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
                special = False
            encoded = tokenizer(prompt + option, return_offsets_mapping=True, add_special_tokens=special)
            tokens = torch.tensor([encoded["input_ids"]])
            with torch.inference_mode():
                logprobs = torch.log_softmax(model(tokens).logits[0], dim=-1)
            scored = [place for place, (_, end) in enumerate(encoded["offset_mapping"]) if end > len(prompt)]
            sums.append(sum(logprobs[place - 1, tokens[0, place]].item() for place in scored))
            counts.append(len(scored))
        found.append((sums, counts))
    return found


def scores(engine: OpenAIEngine | HfEngine, requests: list[Request]) -> list[Scores]:
    found = dict(engine.logprobs(requests, range(len(requests))))
    engine.close()
    return [found[number] for number in range(len(requests))]


@pytest.mark.parametrize("requests", [PLAIN, CHATS], ids=["plain", "chat"])
def test_the_figures_are_those_of_a_plain_forward_pass(
    server: str, chat_model: Path, requests: list[Request]
) -> None:
    engine = OpenAIEngine("tiny", settings(server, concurrency=4))
    found = scores(engine, requests)
    expected = forward(chat_model, requests)
    for request, score, (logprobs, tokens) in zip(requests, found, expected, strict=True):
        assert score.tokens == tokens, request
        assert score.logprobs == pytest.approx(logprobs, abs=1e-5), request
    assert engine.notes == []


@pytest.mark.parametrize("requests", [PLAIN, CHATS], ids=["plain", "chat"])
def test_the_figures_are_those_of_the_hf_engine(
    server: str, chat_model: Path, requests: list[Request]
) -> None:
    there = scores(OpenAIEngine("tiny", settings(server)), requests)
    here = scores(HfEngine(chat_model, device="cpu", dtype="float32"), requests)
    for request, one, other in zip(requests, there, here, strict=True):
        assert one.tokens == other.tokens, request
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4), request


def test_a_model_without_a_beginning_of_sequence(tiny_model: Path) -> None:
    with serving(vllm_app(tiny_model)) as url:
        engine = OpenAIEngine("tiny", settings(url))
        found = scores(engine, [*PLAIN, Request("", ("Lima", "Quito"))])
    for score, (logprobs, tokens) in zip(found, forward(tiny_model, PLAIN), strict=False):
        assert score.tokens == tokens
        assert score.logprobs == pytest.approx(logprobs, abs=1e-5)
    # Nothing stands before the first token, so nobody knows how probable it is: the others are scored.
    for option, logprob, count in zip(("Lima", "Quito"), found[-1].logprobs, found[-1].tokens, strict=True):
        head, rest = option[:1], option[1:]
        [(logprobs, tokens)] = forward(tiny_model, [Request(head, (rest,))])
        assert count == tokens[0]
        assert logprob == pytest.approx(logprobs[0], abs=1e-5)
    assert engine.notes == [EngineNote.UNSCORED_FIRST]


@pytest.mark.parametrize("least", [0, 1])
def test_what_the_server_can_do_is_found_out(chat_model: Path, least: int) -> None:
    with serving(vllm_app(chat_model, least=least)) as url:
        engine = OpenAIEngine("tiny", settings(url))
        assert engine.kinds() == {"text", "letters", "generate"}
        assert engine.kinds(chat=True) == {"text", "letters", "generate"}
        requests = engine.usage.requests
        engine.kinds()
        assert engine.usage.requests == requests
        (score,) = scores(engine, PLAIN[:1])
    ((logprobs, _),) = forward(chat_model, PLAIN[:1])
    assert score.logprobs == pytest.approx(logprobs, abs=1e-5)


def test_letters_are_looked_up_among_the_most_probable_tokens(chat_model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(chat_model)
    model: Any = AutoModelForCausalLM.from_pretrained(chat_model, dtype=torch.float32).eval()
    prompt = PLAIN[0].prompt
    with torch.inference_mode():
        logprobs = torch.log_softmax(model(torch.tensor([tokenizer(prompt)["input_ids"]])).logits[0, -1], -1)
    top = logprobs.topk(20).indices.tolist()
    words = {tokenizer.decode([token]).strip(): logprobs[token].item() for token in reversed(top)}
    there = [word for word in words if len(word) == 1]
    assert there, "the model's first words hold a single letter"
    rare = next(
        word
        for token in logprobs.argsort().tolist()
        if len(word := tokenizer.decode([token]).strip()) == 1 and word.isascii() and word not in words
    )
    request = Request(prompt, (f" {there[0]}", f" {rare}"), name="letters")
    with serving(vllm_app(chat_model, echo=False)) as url:
        engine = OpenAIEngine("tiny", settings(url))
        assert engine.kinds() == {"letters", "generate"}
        (score,) = scores(engine, [request])
        chat = (("user", "A or B?"),)
        assert engine.kinds(chat=True) == {"letters", "generate"}
        ((_, in_chat),) = engine.logprobs([Request(chat, ("A", "B"))], [0])
    assert score.logprobs == [pytest.approx(words[there[0]], abs=1e-5), None]
    assert score.tokens == [1, 0]
    assert len(in_chat.logprobs) == 2


def test_an_unknown_model_is_told_with_those_that_there_are(chat_model: Path) -> None:
    with (
        serving(vllm_app(chat_model)) as url,
        refused(hint="tiny"),
    ):
        scores(OpenAIEngine("huge", settings(url)), PLAIN)


@pytest.mark.model
@pytest.mark.parametrize("spelling", ["alone", "together"])
def test_characters_that_begin_in_the_token_of_a_blank(spelling: Spelling) -> None:
    """SmolLM2 has " \\xe2\\x88" and so on as tokens, as have most models with tokens of bytes."""
    model = pull("smollm2-135m")
    requests = [
        Request("Question: what is it?\nAnswer:", (" √2", " 北京", " ลิมา", " ሊማ", " लीमा"), name="1"),
        Request("问题：法国的首都是哪里？\n答案：", ("巴黎", " 北京"), name="2"),
    ]
    with serving(vllm_app(model, spelling=spelling)) as url:
        there = scores(OpenAIEngine("tiny", settings(url)), requests)
    here = scores(HfEngine(model, device="cpu", dtype="float32"), requests)
    for request, one, other in zip(requests, there, here, strict=True):
        assert one.tokens == other.tokens, request
        assert one.logprobs == pytest.approx(other.logprobs, abs=2e-4), request
