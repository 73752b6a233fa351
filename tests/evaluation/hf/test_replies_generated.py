"""Replies of real, tiny models: the same whatever they are computed with, and ended where they have to be."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

from crossin.evaluation.engine import Reply
from crossin.evaluation.hf.generation import generate, reply_batches
from crossin.models.loading import load
from tests.helpers.architectures import CONFIGURATIONS, save
from tests.helpers.decoding import shared

PROMPTS = [list(range(5, 23)), [300], [40, 41, 42, 43], [9, 9]]
TEXT = "What is the capital of Peru? La capital es Lima"


# Ends are the same whichever way replies are computed.
both_ways = pytest.mark.parametrize("way", [generate, shared])


@pytest.fixture
def reciter(tiny_model: Path) -> tuple[Any, Any, list[int]]:
    """A model that says TEXT from wherever in it a prompt leaves off, and then the end token; its tokenizer;
    the tokens of TEXT.
    """
    torch.manual_seed(0)
    tokenizer = load(tiny_model, device="cpu")[1]
    tokens: list[int] = tokenizer(TEXT)["input_ids"]
    tokens = list(dict.fromkeys(tokens))
    config = LlamaConfig(
        vocab_size=800, hidden_size=64, intermediate_size=8, num_hidden_layers=1, num_attention_heads=4
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        # The layer adds nothing, so that the head sees the last token's own embedding.
        model.model.layers[0].self_attn.o_proj.weight.zero_()
        model.model.layers[0].mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.normal_()
        model.lm_head.weight.zero_()
        for token, after in zip(tokens, [*tokens[1:], tokenizer.eos_token_id], strict=True):
            model.lm_head.weight[after] = model.model.embed_tokens.weight[token]
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id)
    return model, tokenizer, tokens


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_prompts_of_all_lengths_get_the_replies_they_get_alone(
    name: str, tiny_model: Path, tmp_path: Path
) -> None:
    model, tokenizer = load(save(name, tiny_model, tmp_path / "model"), device="cpu")
    expected = []
    for prompt in PROMPTS:
        ids = torch.tensor([prompt])
        alone = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12)
        expected.append(tokenizer.decode(alone[0, len(prompt) :], skip_special_tokens=True))
    assert len(set(expected)) > 1
    replies = generate(model, tokenizer, PROMPTS, max_tokens=12)
    assert [reply.text for reply in replies] == expected


def test_replies_of_a_batch_end_each_for_itself(reciter: tuple[Any, Any, list[int]]) -> None:
    model, tokenizer, tokens = reciter
    starts = [len(tokens) - 2, 0, len(tokens) - 5]
    replies = generate(model, tokenizer, [tokens[: start + 1] for start in starts], max_tokens=6)
    # The longest prompt has all but one token of the text; the longest reply is six tokens, of which the last
    # goes through no model.
    computed = len(tokens) - 1 + 5
    assert replies == [
        Reply(tokenizer.decode(tokens[-1:]), False, computed),
        Reply(tokenizer.decode(tokens[1:7]), True, computed),
        Reply(tokenizer.decode(tokens[-4:]), False, computed),
    ]


@both_ways
def test_an_end_at_the_limit_is_an_end(way: Any, reciter: tuple[Any, Any, list[int]]) -> None:
    model, tokenizer, tokens = reciter
    assert not way(model, tokenizer, [tokens[-3:-2]], max_tokens=3)[0].cut
    assert way(model, tokenizer, [tokens[-3:-2]], max_tokens=2)[0].cut


@both_ways
def test_a_reply_ends_at_any_end_token_of_the_model_and_at_the_tokenizers(
    way: Any,
    reciter: tuple[Any, Any, list[int]],
) -> None:
    model, tokenizer, tokens = reciter
    for own in (tokens[3], [799, tokens[3]]):
        model.generation_config = GenerationConfig(eos_token_id=own)
        [reply] = way(model, tokenizer, [tokens[:1]], max_tokens=50)
        assert (reply.cut, reply.computed) == (False, 3)
    model.generation_config = GenerationConfig(eos_token_id=799)
    [reply] = way(model, tokenizer, [tokens[-2:-1]], max_tokens=5)
    assert reply == Reply(tokenizer.decode(tokens[-1:]), False, 2)


@both_ways
def test_a_model_without_end_tokens_goes_on_to_the_limit(
    way: Any, reciter: tuple[Any, Any, list[int]]
) -> None:
    model, tokenizer, tokens = reciter
    model.generation_config = GenerationConfig()
    tokenizer.eos_token = None
    [reply] = way(model, tokenizer, [tokens[-2:-1]], max_tokens=5)
    assert (reply.cut, reply.computed) == (True, 5)


@both_ways
def test_a_reply_ends_before_a_stop_text_that_spans_tokens(
    way: Any, reciter: tuple[Any, Any, list[int]]
) -> None:
    model, tokenizer, tokens = reciter
    pieces = [tokenizer.decode([token]) for token in tokens]
    number = next(n for n in range(3, len(pieces)) if min(len(pieces[n]), len(pieces[n + 1])) > 2)
    # From within one token to within the next.
    stop = pieces[number][1:] + pieces[number + 1][:2]
    [reply] = way(model, tokenizer, [tokens[:1]], max_tokens=50, stop=["nowhere to be found", stop])
    assert reply == Reply("".join(pieces[1:number]) + pieces[number][:1], False, number + 1)


@both_ways
def test_the_first_of_several_stop_texts_counts(way: Any, reciter: tuple[Any, Any, list[int]]) -> None:
    model, tokenizer, tokens = reciter
    word = next(piece for token in tokens[1:] if len(set(piece := tokenizer.decode([token]))) > 3)
    rest = tokenizer.decode(tokens[1:])
    [reply] = way(model, tokenizer, [tokens[:1]], max_tokens=50, stop=[word[2:], word[1:]])
    assert reply.text == rest[: rest.index(word) + 1]


def test_what_a_row_says_while_it_waits_for_another_is_not_read(
    reciter: tuple[Any, Any, list[int]],
) -> None:
    model, tokenizer, tokens = reciter
    stop = tokenizer.decode(tokens[4])
    # A longer text of `stop` that begins earlier, but ends later.
    later = tokenizer.decode(tokens[3:6])
    replies = generate(model, tokenizer, [tokens[:1], tokens[4:5]], max_tokens=7, stop=[stop, later])
    assert replies[0] == Reply(tokenizer.decode(tokens[1:4]), False, 11 - 4)
    assert replies[1].text == tokenizer.decode(tokens[5:12])


@both_ways
def test_a_stop_text_that_is_a_special_token_ends_a_reply(
    way: Any, reciter: tuple[Any, Any, list[int]]
) -> None:
    model, tokenizer, tokens = reciter
    tokenizer.add_special_tokens({"pad_token": tokenizer.convert_ids_to_tokens(tokens[3])})
    [reply] = way(model, tokenizer, [tokens[:1]], max_tokens=50, stop=[tokenizer.pad_token])
    assert reply == Reply(tokenizer.decode(tokens[1:3]), False, 3)


@both_ways
def test_special_tokens_are_no_text(way: Any, reciter: tuple[Any, Any, list[int]]) -> None:
    model, tokenizer, tokens = reciter
    tokenizer.add_special_tokens({"pad_token": tokenizer.convert_ids_to_tokens(tokens[3])})
    [reply] = way(model, tokenizer, [tokens[:1]], max_tokens=5)
    assert reply.text == tokenizer.decode([*tokens[1:3], *tokens[4:6]])


@both_ways
def test_what_the_models_folder_asks_for_does_not_change_greedy_replies(
    way: Any, tiny_model: Path, tmp_path: Path
) -> None:
    model, tokenizer = load(save("rotary", tiny_model, tmp_path / "model"), device="cpu")
    plain = way(model, tokenizer, PROMPTS, max_tokens=12)
    wishes = GenerationConfig(
        do_sample=True,
        temperature=5.0,
        num_beams=3,
        repetition_penalty=9.0,
        no_repeat_ngram_size=1,
        suppress_tokens=tokenizer(plain[0].text)["input_ids"],
        min_new_tokens=2,
        max_new_tokens=3,
        stop_strings=[plain[1].text[2:4]],
        eos_token_id=0,
    )
    model.generation_config = wishes
    assert way(model, tokenizer, PROMPTS, max_tokens=12) == plain
    assert model.generation_config is wishes


@both_ways
def test_no_prompts_have_no_replies(way: Any, reciter: tuple[Any, Any, list[int]]) -> None:
    assert way(*reciter[:2], [], max_tokens=5) == []


def test_batches_hold_every_prompt_once_and_keep_to_the_limit() -> None:
    draw = random.Random(0)
    prompts = [[draw.randrange(9) for _ in range(draw.randrange(1, 60))] for _ in range(200)]
    found = reply_batches(prompts, 400, 10)
    assert sorted(number for batch in found for number in batch) == list(range(200))
    widths = [max(len(prompts[number]) for number in batch) + 10 for batch in found]
    assert all(len(batch) * width <= 400 for batch, width in zip(found, widths, strict=True))
    # No batch leaves room for one more prompt of its width, but for the last.
    assert all((len(batch) + 1) * width > 400 for batch, width in zip(found[:-1], widths[:-1], strict=True))


def test_a_prompt_beyond_the_limit_has_a_batch_of_its_own() -> None:
    assert reply_batches([[1], [2] * 50, [3] * 40], 20, 5) == [[1], [2], [0]]


def test_batches_do_not_depend_on_the_order() -> None:
    draw = random.Random(1)
    prompts = [[draw.randrange(3) for _ in range(draw.randrange(1, 6))] for _ in range(60)]
    expected = [[prompts[number] for number in batch] for batch in reply_batches(prompts, 40, 3)]
    assert len(expected) > 3
    draw.shuffle(prompts)
    assert [[prompts[number] for number in batch] for batch in reply_batches(prompts, 40, 3)] == expected


def test_a_reply_four_times_as_long_decodes_four_times_as_much(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = load(tiny_model, device="cpu")
    # Its own would end the replies early.
    model.generation_config = GenerationConfig()
    tokenizer.eos_token = None
    decode, counts = type(tokenizer).decode, [0]

    def counting(self: Any, tokens: list[int], **how: Any) -> Any:
        counts[-1] += len(tokens)
        return decode(self, tokens, **how)

    monkeypatch.setattr(type(tokenizer), "decode", counting)
    for length in (60, 240):
        counts.append(0)
        replies = generate(model, tokenizer, PROMPTS, max_tokens=length, stop=["ไม่มี", "nowhere to be found"])
        assert all(reply.cut for reply in replies)
    assert counts[2] == pytest.approx(4 * counts[1], rel=0.35)
