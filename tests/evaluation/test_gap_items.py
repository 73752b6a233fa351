"""Items with a gap through the whole stage: the published score and RankC, and every other form."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_parquet
from crossin.core.formats import ANSWERS
from crossin.evaluation import Form, HfEngine, ask_bench, prepare
from crossin.items.scored_options import Choice
from crossin.scoring.scores import score
from tests.helpers.gap_items import FACTS, LANGUAGES, gap_item, write_gap_bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gap_bench(tmp_path_factory.mktemp("gap"))


@pytest.fixture(scope="module")
def published(tiny_model: Path) -> dict[tuple[str, str], list[float]]:
    """By item and language, the score of each option as arXiv 2310.10378 has it: the mean log-probability
    of the tokens of the filled sentence, after the one that begins the sequence.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)

    def mean(sentence: str) -> float:
        tokens = torch.tensor([[tokenizer.eos_token_id, *tokenizer(sentence)["input_ids"]]])
        with torch.inference_mode():
            loss = torch.nn.functional.cross_entropy(model(tokens).logits[0, :-1], tokens[0, 1:])
        return -float(loss)

    return {
        (name, language): [mean(question.replace("____", option)) for option in options]
        for name, versions in FACTS.items()
        for language, (question, options) in versions.items()
    }


def rankc(one: list[list[float]], other: list[list[float]]) -> float:
    """The published formula, over the scores of each item's options in two languages."""
    found = 0.0
    for left, right in zip(one, other, strict=True):
        count = len(left)
        tops = [sorted(range(count), key=lambda place: -scores[place]) for scores in (left, right)]
        weights = [math.exp(count - place) for place in range(count)]
        for size in range(1, count + 1):
            shared = {*tops[0][:size]} & {*tops[1][:size]}
            found += weights[size - 1] / sum(weights) * len(shared) / size
    return found / len(one)


def test_the_score_for_each_token_is_the_published_one_and_so_is_its_rankc(
    bench: Path, tiny_model: Path, tmp_path: Path, published: dict[tuple[str, str], list[float]]
) -> None:
    stage = ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", choice="token")
    rows = read_parquet(stage.folder / ANSWERS, ["item", "language", "values", "answer"]).to_pylist()
    assert len(rows) == 12
    for row in rows:
        expected = published[row["item"], row["language"]]
        assert row["values"] == pytest.approx(expected, abs=1e-5)
        assert row["answer"] == f"o{expected.index(max(expected))}"
    [found] = score([stage.folder], draws=10)
    for one, other in (("en", "tr"), ("en", "th"), ("tr", "zh")):
        expected_rankc = rankc(*([published[name, x] for name in FACTS] for x in (one, other)))
        assert found.choices[f"rankc/{one}+{other}"].value == pytest.approx(expected_rankc)


@pytest.mark.parametrize("choice", ["sum", "byte"])
def test_bytes_are_those_of_the_whole_sentence(
    choice: Choice, bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"name": "tiny", "choice": choice, "languages": ["zh"]}
    stage = ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", **how)
    columns = ["item", "logprobs", "answer", "option_ids"]
    for row in read_parquet(stage.folder / ANSWERS, columns).to_pylist():
        question, options = FACTS[row["item"]]["zh"]
        sizes = [len(question.replace("____", option).encode()) for option in options]
        values = [
            one / (size if choice == "byte" else 1) for one, size in zip(row["logprobs"], sizes, strict=True)
        ]
        assert row["answer"] == row["option_ids"][values.index(max(values))]


@pytest.mark.parametrize("kind", ["letters", "generate"])
def test_in_other_forms_it_is_a_question_like_any_other(
    kind: Any, bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    form = Form(kind=kind, max_tokens=4, wordings=("plain",))
    stage = ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", form=form)
    assert stage.manifest["counts"]["questions"] == 12


def test_several_wordings_ask_no_sentence_twice(bench: Path) -> None:
    prepared = prepare(bench, form=Form(wordings=("question", "plain", "asked")))
    assert len(prepared.questions) == len(prepared.requests) == len(FACTS) * len(LANGUAGES)


def test_a_sentence_that_needs_no_words_is_asked_in_any_language(tmp_path: Path) -> None:
    items = [replace(gap_item(language="tr"), language=language) for language in ("tr", "az", "uz")]
    assert len(prepare(write_gap_bench(tmp_path, items), form=Form()).requests) == 1
