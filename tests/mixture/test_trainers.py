"""A mixture folder goes unchanged into the trainers that people have: TRL, Axolotl and LLaMA-Factory."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from crossin.mixture import compose
from tests.helpers.small_corpora import recipe_of, write_corpus
from tests.mixture.test_mixture import rows_of

datasets = pytest.importorskip("datasets", reason="the extra `data` is not installed")

Rows = list[dict[str, Any]]
FORMATS = ("prompt-completion", "messages")
KINDS = ("base", "mono", "x2en", "en2x", "x2x", "trans")
# A chat template in which the assistant's words and the end are learned, as TRL asks for.
CHAT = (
    "{% for message in messages %}{% if message.role == 'user' %}{{ '<|user|>' + message.content + '\n' }}"
    "{% else %}{{ '<|assistant|>' }}{% generation %}{{ message.content + eos_token }}{% endgeneration %}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One mixture of 72 rows in 4 shards, in each format. One row was rejected, so that `rejects.parquet`,
    which lies beside the shards, holds something that no trainer may read.
    """
    folder = tmp_path_factory.mktemp("trainers")
    numbers = {"en": range(61), "zh": range(60), "vi": range(60), "es": range(60)}
    data = write_corpus(folder / "data", numbers)
    parts = [{"kind": kind, "rows": 12} for kind in KINDS]
    return {
        form: compose(recipe_of(*parts, shard_rows=20, format=form), data, folder / form).folder
        for form in FORMATS
    }


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What `datasets` has cached from another run must not stand in for the files."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def shard_rows(folder: Path) -> Rows:
    """The rows of a mixture as its files hold them, in the order of their names."""
    if any(folder.glob("data/*.parquet")):
        return rows_of(folder)
    lines = [line for path in sorted(folder.glob("data/*.jsonl")) for line in path.open(encoding="utf-8")]
    return [json.loads(line) for line in lines]


def turns(row: dict[str, Any]) -> tuple[str, str]:
    """What is asked and what is answered in a row of either format."""
    if "messages" in row:
        asked, answered = row["messages"]
        assert (asked["role"], answered["role"]) == ("user", "assistant")
        return asked["content"], answered["content"]
    return row["prompt"], row["completion"]


def llama_factory(dataset_dir: Path) -> Rows:
    """What LLaMA-Factory 0.9.5 (data/parser.py, loader.py and converter.py) makes of `dataset: mixture`: each
    row as `prompt` and `response`. A `script_url` is a folder for `load_dataset`; a `file_name` that is a
    folder stands for the files in it, all of one type, in the order in which the file system lists them.
    """
    types = {
        "arrow": "arrow",
        "csv": "csv",
        "json": "json",
        "jsonl": "json",
        "parquet": "parquet",
        "txt": "text",
    }
    attributes = json.loads((dataset_dir / "dataset_info.json").read_text())["mixture"]
    files: list[str] | None = None
    if "script_url" in attributes:
        path = os.path.join(dataset_dir, attributes["script_url"])  # noqa: PTH118 (as they do)
    else:
        folder = dataset_dir / attributes["file_name"]
        files = [str(folder / name) for name in os.listdir(folder)]  # noqa: PTH208 (as they do)
        (path,) = {types[Path(file).suffix[1:]] for file in files}
    split = attributes.get("split", "train")
    found = datasets.load_dataset(path=path, name=None, data_dir=None, data_files=files, split=split)
    columns, tags = attributes["columns"], attributes.get("tags", {})
    if attributes.get("formatting", "alpaca") == "alpaca":
        return [{"prompt": row[columns["prompt"]], "response": row[columns["response"]]} for row in found]
    rows = []
    for row in found:
        words = [turn[tags["content_tag"]] for turn in row[columns["messages"]]]
        roles = [turn[tags["role_tag"]] for turn in row[columns["messages"]]]
        # Anything else it drops with a warning.
        assert roles == [tags["user_tag"], tags["assistant_tag"]]
        rows.append(dict(zip(("prompt", "response"), words, strict=True)))
    return rows


def axolotl(path: Path) -> Any:
    """What Axolotl 0.19.0 (utils/data/shared.py, `_load_from_local_path`) makes of `path`: a folder that was
    saved by `datasets`, or else one for `load_dataset`; and of its splits the one for training.
    """
    try:
        found = datasets.load_from_disk(str(path))
    except FileNotFoundError:
        found = datasets.load_dataset(str(path), split=None, name=None, streaming=False)
    return found["train"]


@pytest.mark.parametrize("form", FORMATS)
def test_datasets_loads_the_shards_and_nothing_else(folders: dict[str, Path], form: str) -> None:
    found = datasets.load_dataset(str(folders[form]), split="train")
    expected = shard_rows(folders[form])
    assert len(expected) == 72 and len(list((folders[form] / "data").iterdir())) == 4
    assert found.column_names == list(expected[0])
    assert found.to_list() == expected


def test_the_folder_has_no_split_but_train(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        assert list(datasets.load_dataset(str(folder))) == ["train"]


@pytest.mark.parametrize("form", FORMATS)
def test_axolotl_loads_the_folder_as_it_is(folders: dict[str, Path], form: str) -> None:
    assert axolotl(folders[form]).to_list() == shard_rows(folders[form])


@pytest.mark.parametrize("form", FORMATS)
def test_llama_factory_finds_the_mixture_and_its_order(
    folders: dict[str, Path], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever order the file system lists the shards."""
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: sorted(listed(path), reverse=True))
    found = [(row["prompt"], row["response"]) for row in llama_factory(folders[form])]
    assert found == [turns(row) for row in shard_rows(folders[form])]


def trained(model: Path, folder: Path, out: Path, **settings: Any) -> tuple[Any, Any]:
    """TRL's trainer after one step of four rows on a mixture, and its tokenizer."""
    trl = pytest.importorskip("trl", reason="TRL is not installed")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.chat_template = CHAT
    trainer = trl.SFTTrainer(
        model=str(model),
        args=trl.SFTConfig(
            output_dir=str(out),
            max_steps=1,
            per_device_train_batch_size=4,
            learning_rate=1e-2,
            warmup_steps=0,
            use_cpu=True,
            bf16=False,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
            train_sampling_strategy="sequential",
            **settings,
        ),
        train_dataset=datasets.load_dataset(str(folder), split="train"),
        processing_class=tokenizer,
    )
    trainer.train()
    return trainer, tokenizer


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "settings"), [("prompt-completion", {}), ("messages", {"assistant_only_loss": True})]
)
def test_trl_learns_the_answers_and_the_end_and_nothing_else(
    folders: dict[str, Path], tiny_model: Path, tmp_path: Path, form: str, settings: dict[str, Any]
) -> None:
    trainer, tokenizer = trained(tiny_model, folders[form], tmp_path, **settings)
    assert math.isfinite(trainer.state.log_history[-1]["train_loss"])
    assert trainer.state.global_step == 1
    assert len(trainer.train_dataset) == 72
    # In the order of the mixture, where that is asked for (`train_sampling_strategy`).
    first = next(iter(trainer.get_train_dataloader()))["labels"]
    assert [tokenizer.decode(labels[labels != -100]) for labels in first] == [
        turns(row)[1] + tokenizer.eos_token for row in shard_rows(folders[form])[:4]
    ]
    for prepared, row in zip(trainer.train_dataset, shard_rows(folders[form]), strict=True):
        batch = trainer.data_collator([prepared])
        tokens, labels = batch["input_ids"][0], batch["labels"][0]
        asked, answered = turns(row)
        if form == "messages":
            asked = f"<|user|>{asked}\n<|assistant|>"
        assert tokenizer.decode(tokens[labels == -100]) == asked
        assert tokenizer.decode(labels[labels != -100]) == answered + tokenizer.eos_token


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mixture of 12 conversations of one to three exchanges."""
    folder = tmp_path_factory.mktemp("talks")
    for language in ("en", "es"):
        rows = []
        for number in range(12):
            said = [
                f"{language} {role} {number} {k}"
                for k in range(1 + number % 3)
                for role in ("user", "assistant")
            ]
            rows.append(
                {"id": number, "messages": [{"role": text.split()[1], "content": text} for text in said]}
            )
        (folder / f"{language}.json").write_text(json.dumps(rows))
    recipe = {
        "name": "talks",
        "format": "messages",
        "corpora": {"talks": {"files": {"en": "en.json", "es": "es.json"}, "check": "none"}},
        "components": [{"kind": "x2en", "rows": 12}],
    }
    return compose(recipe, folder, folder / "mixture").folder


def test_conversations_load_unchanged(talks: Path) -> None:
    rows = shard_rows(talks)
    assert {len(row["messages"]) for row in rows} == {2, 4, 6}
    assert datasets.load_dataset(str(talks), split="train").to_list() == rows
    assert axolotl(talks).to_list() == rows
    # LLaMA-Factory keeps a conversation whose turns alternate and end with the assistant.
    tags = json.loads((talks / "dataset_info.json").read_text())["mixture"]["tags"]
    for row in rows:
        roles = [turn[tags["role_tag"]] for turn in row["messages"]]
        assert roles == [tags["user_tag"], tags["assistant_tag"]] * (len(roles) // 2)


@pytest.mark.slow
def test_trl_learns_every_answer_of_a_conversation_as_we_do(
    talks: Path, tiny_model: Path, tmp_path: Path
) -> None:
    from crossin.training.config import Batches
    from crossin.training.rows import read_rows

    trainer, tokenizer = trained(tiny_model, talks, tmp_path, assistant_only_loss=True)
    assert math.isfinite(trainer.state.log_history[-1]["train_loss"])
    # Ours know no marks of generation: the same template without them.
    tokenizer.chat_template = CHAT.replace("{% generation %}", "").replace("{% endgeneration %}", "")
    ours, _ = read_rows(talks, tokenizer, Batches())
    for prepared, row, mine in zip(trainer.train_dataset, shard_rows(talks), ours, strict=True):
        labels = trainer.data_collator([prepared])["labels"][0]
        answers = [turn["content"] for turn in row["messages"] if turn["role"] == "assistant"]
        learned = "".join(answer + tokenizer.eos_token for answer in answers)
        assert tokenizer.decode(labels[labels != -100]) == learned
        assert tokenizer.decode(mine.completion) == learned
