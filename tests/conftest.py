"""A tiny model with real parts: a Llama of two layers with random weights and a tokenizer trained on the
facts corpus.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from crossin.core.stages import Stage
    from crossin.items import Item

# No test may go to the network; the hub's library would try for half a minute.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

LANGUAGES = ["en", "zh", "vi", "es"]


@pytest.fixture(scope="session")
def facts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from crossin.facts import build_facts

    return build_facts(LANGUAGES, tmp_path_factory.mktemp("corpus") / "facts").folder


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The facts suite in all languages."""
    from crossin.facts.suite import build_suite
    from crossin.languages import available

    return build_suite(tmp_path_factory.mktemp("bench") / "suite", languages=available())


@pytest.fixture(scope="session")
def suite_items(suite: Stage) -> list[Item]:
    from crossin.items import read_items

    return read_items(suite.folder)


@pytest.fixture(scope="session")
def english_items(suite_items: list[Item]) -> list[Item]:
    return [item for item in suite_items if item.language == "en"]


@pytest.fixture(scope="session")
def tiny_model(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from crossin.core.files import read_parquet

    rows = read_parquet(facts_folder / "questions.parquet", ["instruction", "output"]).to_pylist()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        (row["instruction"] + " " + row["output"] for row in rows),
        trainers.BpeTrainer(
            vocab_size=800,
            special_tokens=["<end>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    folder = tmp_path_factory.mktemp("models") / "tiny"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        eos_token_id=0,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
