"""Mappings of real files, in the layouts that public sets have."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossin.bench.catalogue import build_named
from crossin.core.stages import Stage
from crossin.items.item import Item, read_items
from tests.helpers.paths import REAL_DATA

pytestmark = pytest.mark.slow
_KLAR = ["en", "ar", "ca", "el", "es", "fa", "fr", "he", "hu", "ja", "ko", "nl", "ru", "tr", "uk", "vi", "zh"]


def _build(folder: Path, source: str, **entries: Any) -> tuple[Stage, list[Item]]:
    if not (REAL_DATA / source).exists():
        pytest.skip(f"{source} is not here")
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({"licence": "see the data", "task": "all", **entries}))
    stage = build_named(path, folder / "out", source=REAL_DATA / source)
    return stage, read_items(folder / "out")


def test_klar_in_17_languages(tmp_path: Path) -> None:
    stage, items = _build(
        tmp_path,
        "klar",
        files=["{language}/*.json"],
        rows="samples",
        languages=_KLAR,
        join="id",
        item="{index}",
        task="{name}",
        template={"column": "prompt_templates.0", "fill": {"<subject>": "{subject}"}},
        question="{template}",
        gap="<mask>",
        answer={"column": "object", "form": "text"},
    )
    # Persian and Hebrew have 213 facts that the others lack.
    assert stage.manifest["skipped"] == {"missing_language:en": 213}
    assert Counter(item.language for item in items) == dict.fromkeys(_KLAR, 2619)
    assert len({item.task for item in items}) == 20
    assert all(item.question.count(item.gap) == 1 for item in items)
    assert not any("<" in item.question for item in items)


def test_truthfulqa_by_labels(tmp_path: Path) -> None:
    stage, items = _build(
        tmp_path,
        "truthfulqa-multi",
        files=["{language}.json"],
        languages=["en", "es", "ca", "gl", "eu"],
        join="id",
        item="{id}",
        question="{question}",
        options={"column": "mc1_targets.choices", "skip_empty": True},
        shuffle=True,
        answer={"column": "mc1_targets.labels", "form": "labels"},
    )
    assert {reason.split(":")[0] for reason in stage.manifest["skipped"]} == {"options_alike"}
    assert len({item.item for item in items}) == 817 - sum(stage.manifest["skipped"].values())
    assert {item.answer for item in items} == {"1"}


def test_mgsm_is_answered_with_numbers(tmp_path: Path) -> None:
    stage, items = _build(
        tmp_path,
        "mgsm",
        files=["mgsm_{language}.tsv"],
        columns=["question", "answer"],
        languages=["en", "bn", "de", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"],
        join="position",
        question="{question}",
        answer={"column": "answer", "form": "number"},
    )
    assert len(items) == 11 * 250
    assert not stage.manifest["skipped"]
    assert {item.answer_type for item in items} == {"number"}


def test_bmlama_has_one_gap_in_each_sentence(tmp_path: Path) -> None:
    # The first line of the Chinese file has a tab inside "Candidate Ans".
    stage, items = _build(
        tmp_path,
        "bmlama17",
        files=["{language}.tsv"],
        columns=["Prompt", "Ans", "Candidate Ans", "Subject"],
        languages=["en", "tr", "zh"],
        join="position",
        question="{Prompt}",
        gap="<mask>",
        options={"column": "Candidate Ans", "separator": ", "},
        shuffle=True,
        answer={"column": "Ans", "form": "text", "separator": ", "},
    )
    assert len(items) == 3 * (6792 - sum(stage.manifest["skipped"].values()))
    assert all(item.gap and item.question.count(item.gap) == 1 for item in items)
    assert not any(item.question.endswith(item.gap) for item in items if item.language == "tr")


def test_xwinograd_from_tokens_and_candidates_in_json(tmp_path: Path) -> None:
    stage, items = _build(
        tmp_path,
        "xwinograd",
        files=["dataset.tsv"],
        columns=["language", "part", "original", "sentence", "tokens", "pronoun", "candidates"],
        languages={"en": "en", "fr": "fr", "ja": "jp", "pt": "pt", "ru": "ru", "zh": "zh"},
        language_column="language",
        join="none",
        question="{sentence}",
        gap={"tokens": "tokens", "span": "pronoun.1"},
        options={"column": "candidates", "text": 0},
        answer={"column": 3, "form": "labels"},
    )
    assert not stage.manifest["skipped"]
    counts = {"en": 2325, "fr": 83, "ja": 959, "pt": 263, "ru": 315, "zh": 16}
    assert Counter(item.language for item in items) == counts
    assert all(item.gap and len(item.options) == 2 for item in items)
