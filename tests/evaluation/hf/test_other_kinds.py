"""Models of other kinds: encoder-decoders such as mT0, and image-text models asked with text alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from crossin.evaluation.config import EvaluateConfig
from crossin.evaluation.engine import Request
from crossin.evaluation.hf import HfEngine
from crossin.evaluation.run import evaluate
from crossin.models.loading import load
from tests.helpers.errors import refused
from tests.helpers.small_bench import write_bench

SIZES: dict[str, Any] = {
    "vocab_size": 800,
    "d_model": 32,
    "d_kv": 8,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 4,
}
STARTS = {"eos_token_id": 0, "pad_token_id": 0, "decoder_start_token_id": 0}
BART = {
    **{"vocab_size": 800, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2},
    **{
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 64,
        "decoder_ffn_dim": 64,
    },
    **{"max_position_embeddings": 128, "bos_token_id": 1, "forced_eos_token_id": None},
}
ENCODER_DECODERS: dict[str, Any] = {
    "mt5": (transformers.MT5Config, SIZES | STARTS),
    "t5": (transformers.T5Config, SIZES | STARTS),
    "bart": (transformers.BartConfig, BART | STARTS),
}
TEXT = {
    **{"vocab_size": 800, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": 0, "bos_token_id": None},
}
VISION = {
    **{"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4},
    **{"image_size": 28, "patch_size": 14},
}


def saved(model: Any, like: Path, folder: Path) -> Path:
    """The model in a folder, with weights that have something to say, and the tokenizer of another."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.25)
    model.save_pretrained(folder)
    for file in like.glob("token*"):
        shutil.copy(file, folder / file.name)
    return folder


def encoder_decoder(name: str, like: Path, folder: Path) -> Path:
    torch.manual_seed(0)
    kind, settings = ENCODER_DECODERS[name]
    return saved(transformers.AutoModelForSeq2SeqLM.from_config(kind(**settings)), like, folder)


def image_text(name: str, like: Path, folder: Path) -> Path:
    torch.manual_seed(0)
    if name == "gemma3":
        vision = transformers.SiglipVisionConfig(**VISION)
        text = transformers.Gemma3TextConfig(**TEXT, head_dim=8, sliding_window=16)
        config: Any = transformers.Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=4)
    else:
        vision = transformers.CLIPVisionConfig(**VISION)
        config = transformers.LlavaConfig(text_config=transformers.LlamaConfig(**TEXT), vision_config=vision)
    return saved(transformers.AutoModelForImageTextToText.from_config(config), like, folder)


def plainly(folder: Path, kind: Any) -> tuple[Any, Any]:
    """The model and the tokenizer as transformers loads them."""
    return kind.from_pretrained(folder).eval(), transformers.AutoTokenizer.from_pretrained(folder)


def requests() -> list[Request]:
    prompts = ["Lima lies on the coast of Peru.\nWhere is it?\nAnswer:", "What is it?"]
    options = (" Peru", " in Peru, on the coast", " Lima")
    return [Request(prompt, options, key="en", name=f"item {place}") for place, prompt in enumerate(prompts)]


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_an_option_has_the_probability_that_the_decoder_gives_it(
    name: str, tiny_model: Path, tmp_path: Path
) -> None:
    folder = encoder_decoder(name, tiny_model, tmp_path / "model")
    model, tokenizer = plainly(folder, transformers.AutoModelForSeq2SeqLM)
    engine = HfEngine(folder)
    found = dict(engine.logprobs(requests(), range(2)))
    engine.close()
    for number, request in enumerate(requests()):
        asked = tokenizer(request.prompt, return_tensors="pt")
        for place, option in enumerate(request.options):
            labels = tokenizer(option.strip(), add_special_tokens=False, return_tensors="pt")["input_ids"]
            with torch.no_grad():
                # The mean over the tokens of what is trained on, by transformers' own shift to the right.
                loss = model(**asked, labels=labels).loss.item()
            assert found[number].logprobs[place] == pytest.approx(-loss * labels.shape[1], abs=1e-3)
            assert found[number].tokens[place] == labels.shape[1]
    assert engine.notes == []


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_replies_are_those_of_transformers(name: str, tiny_model: Path, tmp_path: Path) -> None:
    folder = encoder_decoder(name, tiny_model, tmp_path / "model")
    model, tokenizer = plainly(folder, transformers.AutoModelForSeq2SeqLM)
    asked = [Request(one.prompt, key="en", name=one.name, max_tokens=6) for one in requests()]
    engine = HfEngine(folder)
    found = dict(engine.generate(asked, range(2)))
    engine.close()
    for number, request in enumerate(asked):
        inputs = tokenizer(request.prompt, return_tensors="pt")
        with torch.no_grad():
            tokens = model.generate(
                **inputs, max_new_tokens=6, do_sample=False, num_beams=1, decoder_start_token_id=0
            )
        expected = tokenizer.decode(tokens[0], skip_special_tokens=True)
        assert found[number].text == expected
        # A batch computes as much for each row as for the longest.
        assert found[number].computed >= inputs["input_ids"].shape[1]


def test_a_prompt_that_the_encoder_does_not_take_is_an_error_or_cut(tiny_model: Path, tmp_path: Path) -> None:
    folder = encoder_decoder("bart", tiny_model, tmp_path / "model")
    long = [Request("What is it? " * 100, (" Peru",), key="en", name="item 1")]
    with refused("item 1", "the model takes 128", hint="--truncate left"):
        list(HfEngine(folder).logprobs(long, [0]))
    assert dict(HfEngine(folder, truncate=True).logprobs(long, [0]))[0].tokens[0] > 0


@pytest.mark.parametrize("name", ["gemma3", "llava"])
def test_an_image_text_model_is_asked_by_its_language_part(
    name: str, tiny_model: Path, tmp_path: Path
) -> None:
    folder = image_text(name, tiny_model, tmp_path / "model")
    model, tokenizer = plainly(folder, transformers.AutoModelForImageTextToText)
    engine = HfEngine(folder)
    found = dict(engine.logprobs(requests(), range(2)))
    replies = dict(engine.generate([Request("What is it?", key="en", name="one", max_tokens=4)], [0]))
    engine.close()
    for number, request in enumerate(requests()):
        for place, option in enumerate(request.options):
            prompt, whole = (
                tokenizer(text)["input_ids"] for text in (str(request.prompt), f"{request.prompt}{option}")
            )
            with torch.no_grad():
                table = torch.log_softmax(model(input_ids=torch.tensor([whole])).logits[0].float(), -1)
            own = range(len(prompt), len(whole))
            expected = sum(table[one - 1, whole[one]].item() for one in own)
            assert found[number].logprobs[place] == pytest.approx(expected, abs=1e-3)
    inputs = tokenizer("What is it?", return_tensors="pt")
    tokens = model.generate(input_ids=inputs["input_ids"], max_new_tokens=4, do_sample=False)
    expected_text = tokenizer.decode(tokens[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert replies[0].text == expected_text


def test_a_benchmark_is_asked_and_scored(tiny_model: Path, tmp_path: Path) -> None:
    write_bench(tmp_path / "colours")
    folder = encoder_decoder("mt5", tiny_model, tmp_path / "mt0")
    config = EvaluateConfig(models=(str(folder),), bench=(str(tmp_path / "colours"),), form="text")
    [run] = evaluate(config, tmp_path / "out")
    assert run.scores
    assert run.stage.done


def test_training_takes_causal_models_only_and_says_what_evaluate_takes(
    tiny_model: Path, tmp_path: Path
) -> None:
    folder = encoder_decoder("mt5", tiny_model, tmp_path / "model")
    with refused("not a causal language model, but MT5", file="config.json", hint="`crossin evaluate` takes"):
        load(folder)
