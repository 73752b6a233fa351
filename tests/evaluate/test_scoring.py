from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from crossin.bench import Item, build_bench, read_items
from crossin.bench.items import write_items
from crossin.errors import CrossinError
from crossin.evaluate import evaluate
from crossin.evaluate.scoring import Request, Scores, score
from crossin.files import read_parquet
from crossin.models.load import load

REQUESTS = [
    Request("Question: What is the capital of France?\nAnswer:", [" Paris", " Par", " Lima", " La Paz"]),
    Request("问题：法国的首都是哪里？\n答案：", ["巴黎", "巴", "利马", "拉巴斯"]),
    Request("Question: One option?\nAnswer:", [" yes"]),
]


def scored(folder: Path, tokens_per_pass: int) -> list[Scores]:
    model, tokenizer = load(folder)
    return [found for batch in score(model, tokenizer, REQUESTS, tokens_per_pass) for found in batch]


def test_a_score_is_the_log_probability_of_the_whole_option(tiny_model: Path) -> None:
    model, tokenizer = load(tiny_model)
    for request, found in zip(REQUESTS, scored(tiny_model, 512), strict=True):
        prompt = tokenizer(request.prompt)["input_ids"]
        for option, logprob, count in zip(request.options, found.logprobs, found.tokens, strict=True):
            tokens = torch.tensor([tokenizer(request.prompt + option)["input_ids"]])
            with torch.inference_mode():
                table = torch.log_softmax(model(tokens).logits[0].float(), -1)
            places = range(len(prompt), tokens.shape[1])
            assert count == len(places)
            expected = sum(table[place - 1, tokens[0, place]].item() for place in places)
            assert logprob == pytest.approx(expected, abs=1e-3)


def test_how_many_questions_go_together_changes_nothing(tiny_model: Path) -> None:
    for one, other in zip(scored(tiny_model, 1), scored(tiny_model, 4096), strict=True):
        assert one.tokens == other.tokens
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_the_answer_is_the_likeliest_option(facts_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    bench = build_bench(facts_folder, tmp_path / "bench").folder
    stage = evaluate(tiny_model, bench, tmp_path / "answers", name="tiny", languages=["en", "zh"])
    columns = ["item", "language", "option_ids", "logprobs", "answer", "gold"]
    rows = read_parquet(stage.folder / "answers.parquet", columns).to_pylist()
    assert {row["language"] for row in rows} == {"en", "zh"}
    assert len(rows) == stage.manifest["counts"]["questions"] == 2 * stage.manifest["counts"]["items"]
    for row in rows:
        assert row["answer"] == row["option_ids"][row["logprobs"].index(max(row["logprobs"]))]
    # Random weights know nothing.
    assert 0.1 < sum(row["answer"] == row["gold"] for row in rows) / len(rows) < 0.45


def test_a_language_the_benchmark_lacks_is_an_error(
    facts_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    bench = build_bench(facts_folder, tmp_path / "bench").folder
    with pytest.raises(CrossinError, match="no multiple-choice items in these languages"):
        evaluate(tiny_model, bench, tmp_path / "answers", name="tiny", languages=["th"])


def test_dev_and_test_share_no_country(facts_folder: Path, tmp_path: Path) -> None:
    groups = []
    for split in ("dev", "test"):
        folder = build_bench(facts_folder, tmp_path / split, split=split).folder
        groups.append({item.group for item in read_items(folder / "items.parquet")})
    assert groups[0]
    assert not groups[0] & groups[1]


def test_an_answer_that_is_no_option_is_named(facts_folder: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    from crossin.bench.items import write_items

    folder = build_bench(facts_folder, tmp_path / "bench").folder
    items = read_items(folder / "items.parquet")
    write_items(tmp_path / "items.parquet", [items[0], replace(items[1], answer="XX")])
    with pytest.raises(
        CrossinError, match=r"items\.parquet, row 2, field 'answer': 'XX' is none of the option ids"
    ):
        read_items(tmp_path / "items.parquet")


def test_questions_answered_in_free_text_are_left_out_and_counted(tiny_model: Path, tmp_path: Path) -> None:
    free = Item("free", "free", "name", "en", "", "Which city?", [], [], "Lima", "made up", "CC0-1.0")
    write_items(tmp_path / "bench" / "items.parquet", [replace(free, item="a"), free])
    with pytest.raises(CrossinError, match="holds no multiple-choice items"):
        evaluate(tiny_model, tmp_path / "bench", tmp_path / "answers", name="tiny")
    choice = replace(free, item="b", options=["Lima", "Oslo"], option_ids=["PE", "NO"], answer="PE")
    write_items(tmp_path / "bench" / "items.parquet", [free, choice])
    stage = evaluate(tiny_model, tmp_path / "bench", tmp_path / "answers", name="tiny")
    assert stage.manifest["counts"] == {"questions": 1, "items": 1}
    assert stage.manifest["skipped"] == {"question: answered in free text": 1}
