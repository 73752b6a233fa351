"""A stop text is found at the token that completes it, as by decoding the whole reply, in linear time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from crossin.evaluation.engine import before
from crossin.evaluation.hf.stops import StopSearch, decoded, decoded_with_thoughts
from crossin.models.loading import load_tokenizer

# Thai, Chinese, Amharic and emoji: their characters are split into bytes.
TEXTS = [
    "What is the capital of Peru?\n\nLima, of course.\nQuestion: and of Chile?",
    "เมืองหลวงของเปรูคืออะไร คำตอบ: ลิมา\nคำถาม: ชิลี",
    "秘鲁的首都是哪里？答案：利马。\n\n问题：智利",
    "የፔሩ ዋና ከተማ ማን ነው? መልስ፦ ሊማ\nጥያቄ፦ ቺሊ",
    "Lima 🇵🇪👩‍🚀 e\u0301tait, à Paris\u00a0: «fin»",
]
SPECIAL = "<end>"


def byte_level(path: Path) -> Any:
    return load_tokenizer(path)[0]


def sentencepiece() -> Any:
    """As Llama's and Gemma's: blanks as a sign of their own, and bytes for characters without a token."""
    learned = Tokenizer(models.BPE(unk_token="<unk>"))
    learned.normalizer = normalizers.Replace(" ", "▁")
    learned.train_from_iterator(
        [TEXTS[0]], trainers.BpeTrainer(special_tokens=["<unk>", SPECIAL], show_progress=False)
    )
    model = json.loads(learned.to_str())["model"]
    vocabulary = model["vocab"]
    for number in range(256):
        vocabulary[f"<0x{number:02X}>"] = len(vocabulary)
    merges = [tuple(pair) for pair in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = learned.normalizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token=SPECIAL)


def metaspace() -> Any:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(
        TEXTS,
        trainers.UnigramTrainer(special_tokens=["<unk>", SPECIAL], unk_token="<unk>", show_progress=False),
    )
    tokenizer.decoder = decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token=SPECIAL)


@pytest.fixture(scope="module")
def tokenizers(tiny_model: Path) -> dict[str, Any]:
    return {"byte-level": byte_level(tiny_model), "bytes": sentencepiece(), "blanks": metaspace()}


KINDS = ["byte-level", "bytes", "blanks"]


class Counting:
    """A tokenizer that counts the tokens it decodes."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.decoded = tokenizer, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tokenizer, name)

    def decode(self, tokens: list[int], **how: Any) -> str:
        self.decoded += len(tokens)
        return str(self.tokenizer.decode(tokens, **how))


def ends_at(tokenizer: Any, tokens: list[int], stops: list[str]) -> int | None:
    search = StopSearch(tokenizer, stops)
    for number, token in enumerate(tokens, 1):
        if search.found(token) and before(decoded(tokenizer, tokens[:number]), stops) is not None:
            return number
    return None


def expected_end(tokenizer: Any, tokens: list[int], stops: list[str]) -> int | None:
    """By decoding the whole reply at every step."""
    numbers = range(1, len(tokens) + 1)
    return next((n for n in numbers if before(decoded(tokenizer, tokens[:n]), stops) is not None), None)


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_a_stop_text_is_found_at_the_token_that_completes_it(
    tokenizers: dict[str, Any], kind: str, data: st.DataObject
) -> None:
    tokenizer = tokenizers[kind]
    text = data.draw(st.sampled_from(TEXTS))
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    # Tokens of any kind in between, as of a model that does not make sense.
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(tokens)))
        tokens[place:place] = data.draw(st.lists(st.integers(0, len(tokenizer) - 1), max_size=12))
    whole = decoded(tokenizer, tokens)
    begin = data.draw(st.integers(0, max(0, len(whole) - 1)))
    stop = whole[begin : begin + data.draw(st.integers(1, 12))].replace("\ufffd", "")
    stops = [stop or "x", data.draw(st.sampled_from(["\n\n", "\nQuestion", "คำตอบ", "答案", "መልስ", "."]))]
    assert ends_at(tokenizer, tokens, stops) == expected_end(tokenizer, tokens, stops)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_it_is_found_in_a_long_reply_without_a_blank_too(
    tokenizers: dict[str, Any], kind: str, text: str
) -> None:
    tokenizer = tokenizers[kind]
    *_, stop, after = text.translate(str.maketrans("\n?？", "   ")).split()
    reply = "".join(text.split()) * 20 + stop + after
    tokens = tokenizer(reply, add_special_tokens=False)["input_ids"]
    end = expected_end(tokenizer, tokens, [stop])
    assert end is not None
    assert ends_at(tokenizer, tokens, [stop]) == end


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TEXTS)
def test_each_token_is_decoded_a_few_times_however_long_the_reply(
    tokenizers: dict[str, Any], kind: str, text: str
) -> None:
    counting = Counting(tokenizers[kind])
    once = tokenizers[kind](text, add_special_tokens=False)["input_ids"]
    parts = []
    for repeats in (10, 40):
        counting.decoded = 0
        assert ends_at(counting, once * repeats, ["nowhere", "ไม่มี", "没有"]) is None
        parts.append(counting.decoded / (len(once) * repeats))
    assert parts[1] == pytest.approx(parts[0], rel=0.1)
    assert parts[1] < 8


@pytest.mark.parametrize("kind", ["byte-level", "bytes"])
def test_a_reply_of_bytes_that_make_no_text_is_not_decoded_as_a_whole_either(
    tokenizers: dict[str, Any], kind: str
) -> None:
    tokenizer = tokenizers[kind]
    # The middle of a character, again and again.
    alone = next(n for n in range(len(tokenizer)) if decoded(tokenizer, [n]) == "\ufffd")
    for tokens in ([alone] * 1000, tokenizer.all_special_ids[:1] * 1000):
        counting = Counting(tokenizer)
        assert ends_at(counting, tokens, ["nowhere"]) is None
        assert counting.decoded < 40 * len(tokens)


def test_tags_of_thoughts_are_part_of_a_reply_though_they_are_special(tmp_path: Path) -> None:
    from tests.helpers.thinking_templates import PLAIN, chat_tokenizer

    tokenizer = chat_tokenizer(tmp_path, PLAIN)
    tokenizer.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]", "<|end|>"]})
    tokens = tokenizer("[THINK]Rome?[/THINK]Oslo<|end|>", add_special_tokens=False)["input_ids"]
    assert decoded(tokenizer, tokens) == "Rome?Oslo"
    assert decoded_with_thoughts(tokenizer, tokens) == "[THINK]Rome?[/THINK]Oslo"


def test_white_space_at_the_beginning_ends_nothing() -> None:
    assert before("\n\nLima\n\nQuito", ["\n\n", "\n"]) == "\n\nLima"
    assert before(" \n", ["\n"]) is None
