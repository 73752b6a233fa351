"""What many tests share: the facts corpus and suite, and a tiny model with real parts. Each is built once for
all workers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from hypothesis import settings

if TYPE_CHECKING:
    from crossin.core.stages import Stage
    from crossin.items import Item

# No test may go to the network; the hub's library would try for half a minute.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Tables are as wide in every terminal.
os.environ["COLUMNS"] = "200"

LANGUAGES = ["en", "zh", "vi", "es"]


# `make test` tries some examples of each property, `make test-slow` more.
settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.load_profile("quick")


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """The folder that `build` makes, built by the first worker that needs it."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "shared" / name
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_name(f"{name}.lock")):
        if not folder.exists():
            unfinished = folder.with_name(f"{name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            build(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def facts_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from crossin.facts import build_facts

    return built_once(tmp_path_factory, "facts", lambda out: build_facts(LANGUAGES, out))


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The facts suite in all languages."""
    from crossin.facts.suite import build_suite
    from crossin.languages import available

    folder = built_once(tmp_path_factory, "suite", lambda out: build_suite(out, languages=available()))
    return build_suite(folder, languages=available())


@pytest.fixture(scope="session")
def suite_items(suite: Stage) -> list[Item]:
    from crossin.items import read_items

    return read_items(suite.folder)


@pytest.fixture(scope="session")
def english_items(suite_items: list[Item]) -> list[Item]:
    return [item for item in suite_items if item.language == "en"]


@pytest.fixture(scope="session")
def tiny_model(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers with random weights, and a tokenizer trained on the facts corpus."""
    return built_once(tmp_path_factory, "tiny", lambda out: write_tiny_model(facts_folder, out))


def write_tiny_model(facts_folder: Path, folder: Path) -> None:
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
