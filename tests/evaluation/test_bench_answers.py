"""The evaluation stage on a real small model: what is asked, once only, and what is written."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_parquet, sha256
from crossin.core.formats import ANSWERS, CLAIM, ITEMS, PROMPTS
from crossin.evaluation import Form, HfEngine, Reply, Request, Scores, ask_bench, prepare
from crossin.evaluation.bench_answers import CACHE
from crossin.facts import build_bench
from crossin.items import Item, read_items
from crossin.items.item import write_items
from tests.helpers.errors import refused

COLUMNS = ["item", "language", "prompt", "option_ids", "logprobs", "bare_logprobs", "answer", "gold", "reply"]


class Recording(HfEngine):
    """The engine, which records what it answered, and fails after `most` answers."""

    def __init__(self, model: Path, *, most: int | None = None, **how: Any) -> None:
        super().__init__(model, **how)
        self.most = most
        self.answered: list[Request] = []

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        for number, scores in super().logprobs(requests, wanted):
            self._answer(requests[number])
            yield number, scores

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        for number, reply in super().generate(requests, wanted):
            self._answer(requests[number])
            yield number, reply

    def _answer(self, request: Request) -> None:
        if len(self.answered) == self.most:
            raise CrossinError("the server is gone", hint="wait")
        self.answered.append(request)


@pytest.fixture(scope="module")
def bench(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A part of the facts, and two items in free text."""
    folder = tmp_path_factory.mktemp("bench")
    facts = read_items(build_bench(facts_folder, folder / "whole").folder)
    groups = sorted({item.group for item in facts})[:6]
    free = [
        Item(f"free:{number}", "free", "name", x, "", f"{number}?", [], [], "Lima", "made up", "CC0-1.0")
        for number in range(2)
        for x in ("en", "zh", "vi", "es")
    ]
    write_items(folder / ITEMS, [item for item in facts if item.group in groups] + free)
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    return list(read_parquet(folder / ANSWERS, COLUMNS).to_pylist())


def test_the_answer_is_the_likeliest_option(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    stage = ask_bench(
        HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", languages=["zh", "en"], tasks=["capital"]
    )
    found = rows(stage.folder)
    assert found
    for row in found:
        assert row["answer"] == row["option_ids"][row["logprobs"].index(max(row["logprobs"]))]
    counts = stage.manifest["counts"]
    assert counts["questions"] == len(found) == 2 * counts["items"]
    assert stage.manifest["skipped"]["unselected_task"] > 0
    assert stage.manifest["settings"]["engine"]["dtype"] == "float32"
    assert {"model", "bench", "words/en", "words/zh"} == set(stage.manifest["inputs"])


def test_rows_stand_by_item_language_and_wording_whatever_the_order_of_the_file(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    form = Form(wordings=("plain", "question"))
    how: dict[str, Any] = {"name": "tiny", "form": form, "languages": ["vi", "en"], "tasks": ["capital"]}
    whole = ask_bench(HfEngine(tiny_model), bench, tmp_path / "one", **how)
    found = [(row["item"], row["language"], row["prompt"]) for row in rows(whole.folder)]
    names = list(dict.fromkeys(item for item, _, _ in found))
    languages = list(dict.fromkeys(language for _, language, _ in found))
    assert found == [(i, x, p) for i in names for x in languages for p in ("plain", "question")]
    by_language = sorted(read_items(bench), key=lambda item: item.language == "en", reverse=True)
    write_items(tmp_path / "bench" / ITEMS, by_language)
    other = ask_bench(HfEngine(tiny_model), tmp_path / "bench", tmp_path / "other", **how)
    assert [(row["item"], row["prompt"]) for row in rows(other.folder)] == [(i, p) for i, _, p in found]


def test_the_first_prompt_in_each_language_and_wording_is_kept(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    form = Form(wordings=("plain", "asked"))
    stage = ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", form=form)
    kept = read_json(stage.folder / PROMPTS)
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for one in prepare(bench, form=form).questions:
        first.setdefault((one.question.item.language, one.question.wording), one.request.example)
    assert len(first) == 8
    assert {(one.pop("language"), one.pop("wording")): one for one in kept} == first


def test_items_in_free_text_are_answered_in_text(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    form = Form(max_tokens=4)
    stage = ask_bench(
        HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", form=form, languages=["en"], limit=100
    )
    free = [row for row in rows(stage.folder) if not row["option_ids"]]
    assert [row["item"] for row in free] == ["free:0", "free:1"]
    assert all(row["reply"] is not None and row["answer"] is None for row in free)
    assert {row["gold"] for row in free} == {"Lima"}


def test_a_limit_draws_whole_groups_the_same_in_every_language(bench: Path) -> None:
    asked = {limit: prepare(bench, form=Form(), limit=limit) for limit in (1, 4, 8)}
    everything = read_items(bench)
    for limit, prepared in asked.items():
        chosen = {item.item for item in prepared.items}
        groups = {item.group for item in prepared.items}
        assert chosen == {item.item for item in everything if item.group in groups}
        assert len(prepared.items) == 4 * len(chosen)
        assert limit <= len(chosen) < len({item.item for item in everything})
        assert sum(prepared.skipped.values()) == len(everything) - len(prepared.items)
    assert (
        {x.item for x in asked[1].items} < {x.item for x in asked[4].items} < {x.item for x in asked[8].items}
    )
    drawn = {
        frozenset(x.group for x in prepare(bench, form=Form(), limit=1, seed=seed).items)
        for seed in range(20)
    }
    assert len(drawn) > 1


@pytest.mark.parametrize(
    ("how", "place"),
    [
        ({"languages": ["th"]}, {"file": "items.parquet", "field": "language"}),
        ({"tasks": ["rivers"]}, {"file": "items.parquet", "field": "task", "hint": "capital"}),
        ({"form": Form(shots=2)}, {}),
        ({"choice": "bare", "form": Form(chat=True)}, {"field": "choice"}),
        ({"choice": "bare", "form": Form(wordings=("plain",))}, {"field": "choice"}),
        ({"form": Form(wordings=("loud",))}, {}),
    ],
)
def test_what_cannot_be_asked_so_is_said_before_anything_is_written(
    bench: Path, tiny_model: Path, tmp_path: Path, how: dict[str, Any], place: dict[str, Any]
) -> None:
    with refused(**place):
        ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", **how)
    assert not (tmp_path / "out").exists()


def test_options_alone_are_asked_once_and_taken_off(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    engine = Recording(tiny_model)
    how: dict[str, Any] = {"name": "tiny", "languages": ["en"], "tasks": ["continent"]}
    bare = ask_bench(engine, bench, tmp_path / "bare", choice="bare", **how)
    prompts = [(request.prompt, request.options) for request in engine.answered]
    assert len(set(prompts)) == len(prompts)
    assert {request.prompt for request in engine.answered if request.key == "en/question/bare"} == {"Answer:"}
    plain = ask_bench(engine, bench, tmp_path / "plain", **how)
    for row, same in zip(rows(bare.folder), rows(plain.folder), strict=True):
        assert row["logprobs"] == pytest.approx(same["logprobs"], abs=1e-4)
        left = [one - alone for one, alone in zip(row["logprobs"], row["bare_logprobs"], strict=True)]
        assert row["answer"] == row["option_ids"][left.index(max(left))]


def test_broken_off_and_begun_again_nothing_is_asked_twice(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"name": "tiny", "form": Form(max_tokens=4), "languages": ["en", "zh"]}
    whole = Recording(tiny_model)
    ask_bench(whole, bench, tmp_path / "whole", **how)
    total = len(whole.answered)
    broken = Recording(tiny_model, most=total - 2)
    with refused("the server is gone"):
        ask_bench(broken, bench, tmp_path / "out", **how)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {CLAIM, CACHE}
    after = Recording(tiny_model)
    notes = []
    stage = ask_bench(
        after, bench, tmp_path / "out", **how, progress=lambda *told: notes.append((told[2], told[4]))
    )
    assert len(after.answered) == 2
    assert sorted(map(repr, broken.answered + after.answered)) == sorted(map(repr, whole.answered))
    assert sha256(tmp_path / "out" / ANSWERS) == sha256(tmp_path / "whole" / ANSWERS)
    assert stage.manifest["counts"]["answers_from_cache"] == total - 2
    # What was known before is no part of the rate.
    assert notes[-1][0] == 2
    assert f"{total - 2} answers from the cache" in notes[-1][1]
    assert not (tmp_path / "out" / CACHE).exists()
    done = Recording(tiny_model)
    assert ask_bench(done, bench, tmp_path / "out", **how).done
    assert done.answered == []


def test_an_answer_is_on_the_disk_while_the_next_one_is_computed(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    stored: list[int] = []

    class Patient(HfEngine):
        """Computes the next answer only once the last one is on the disk, or after ten seconds."""

        def logprobs(
            self, requests: Sequence[Request], wanted: Collection[int]
        ) -> Iterator[tuple[int, Scores]]:
            for done, pair in enumerate(super().logprobs(requests, wanted)):
                deadline = time.monotonic() + 10
                while (count := self._stored()) < done and time.monotonic() < deadline:
                    time.sleep(0.005)
                stored.append(count)
                yield pair

        def _stored(self) -> int:
            with contextlib.closing(sqlite3.connect(tmp_path / "out" / CACHE)) as file:
                return int(file.execute("SELECT count(*) FROM pairs").fetchone()[0])

    how: dict[str, Any] = {"name": "tiny", "languages": ["en"], "tasks": ["capital"]}
    ask_bench(Patient(tiny_model), bench, tmp_path / "out", **how)
    assert stored == list(range(len(stored)))
    assert len(stored) > 2


def test_a_cache_named_later_takes_over_what_was_answered(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"name": "tiny", "languages": ["en"], "tasks": ["capital"]}
    broken = Recording(tiny_model, most=1)
    with refused("the server is gone"):
        ask_bench(broken, bench, tmp_path / "out", **how)
    after = Recording(tiny_model)
    ask_bench(after, bench, tmp_path / "out", **how, cache=tmp_path / "cache")
    assert broken.answered[0] not in after.answered
    assert not (tmp_path / "out" / CACHE).exists()
    again = Recording(tiny_model)
    ask_bench(again, bench, tmp_path / "again", **how, cache=tmp_path / "cache")
    assert again.answered == []


def test_refused_before_the_first_answer_the_folder_is_free_again(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    how: dict[str, Any] = {"name": "tiny", "languages": ["en"], "tasks": ["capital"]}
    with refused("the server is gone"):
        ask_bench(Recording(tiny_model, most=0), bench, tmp_path / "out", **how)
    assert not (tmp_path / "out").exists()
    ask_bench(Recording(tiny_model, truncate=True), bench, tmp_path / "out", **how)


def test_stopped_before_the_first_answer_the_folder_is_free_again(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    class Stopped(HfEngine):
        def logprobs(
            self, requests: Sequence[Request], wanted: Collection[int]
        ) -> Iterator[tuple[int, Scores]]:
            raise KeyboardInterrupt

    how: dict[str, Any] = {"name": "tiny", "languages": ["en"], "tasks": ["capital"]}
    with pytest.raises(KeyboardInterrupt):
        ask_bench(Stopped(tiny_model), bench, tmp_path / "out", **how)
    ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", **how, limit=1)


def changed_model(model: Path, folder: Path) -> Path:
    """The model with another weight somewhere, and the manifest of the first."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(model, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"][3] += 0.5
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_runs_share_a_cache_but_a_changed_model_asks_anew(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    # Where a manifest stands for a folder, other weights must be seen all the same.
    (model / "manifest.json").write_text('{"model": "tiny"}')
    how: dict[str, Any] = {"name": "tiny", "cache": tmp_path / "cache", "tasks": ["capital"]}
    first = Recording(model)
    ask_bench(first, bench, tmp_path / "first", languages=["en"], **how)
    more = Recording(model)
    ask_bench(more, bench, tmp_path / "more", languages=["en", "es"], choice="byte", **how)
    assert len(more.answered) == len(first.answered) > 0
    assert {request.key for request in more.answered} == {"es/question/options"}
    other = Recording(changed_model(model, tmp_path / "other model"))
    ask_bench(other, bench, tmp_path / "other", languages=["en"], **how)
    assert len(other.answered) == len(first.answered)
    for row, changed in zip(rows(tmp_path / "first"), rows(tmp_path / "other"), strict=True):
        assert row["logprobs"] != changed["logprobs"]
    assert (tmp_path / "cache").exists()


@pytest.mark.parametrize("described", [False, True])
@pytest.mark.parametrize(
    "file", ["tokenizer.json", "tokenizer_config.json", "generation_config.json", "config.json", "new.jinja"]
)
def test_whatever_file_of_the_model_changes_it_is_asked_anew(
    bench: Path, tiny_model: Path, tmp_path: Path, file: str, described: bool
) -> None:
    model = shutil.copytree(tiny_model, tmp_path / "model")
    if described:
        (model / "manifest.json").write_text('{"model": "tiny"}')
    asked = []
    for number in range(2):
        engine = Recording(model)
        how: dict[str, Any] = {"languages": ["en"], "tasks": ["capital"], "limit": 1}
        ask_bench(engine, bench, tmp_path / str(number), name="tiny", cache=tmp_path / "cache", **how)
        asked.append(len(engine.answered))
        with (model / file).open("a", encoding="utf-8") as changed:
            changed.write("\n")
    assert asked[0] == asked[1] > 0


def test_what_decides_an_answer_is_in_an_engines_identity(tiny_model: Path) -> None:
    given: list[dict[str, Any]] = [
        {},
        {"dtype": "bfloat16"},
        {"truncate": True},
        {"adapter": tiny_model},
        {"adapter": tiny_model, "merge": False},
    ]
    engines = [HfEngine(tiny_model, **one) for one in given]
    known = [(engine.identity, engine.inputs) for engine in engines]
    assert [one for number, one in enumerate(known) if one in known[:number]] == []


def test_a_finished_folder_is_not_another_models(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    (model / "manifest.json").write_text('{"model": "tiny"}')
    how: dict[str, Any] = {"name": "tiny", "languages": ["en"], "tasks": ["capital"]}
    ask_bench(HfEngine(model), bench, tmp_path / "out", **how)
    assert ask_bench(HfEngine(model), bench, tmp_path / "out", **how).done
    (model / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    with refused("another run", "model/chat_template.jinja"):
        ask_bench(HfEngine(model), bench, tmp_path / "out", **how)


def test_what_is_no_number_is_no_answer(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    class Broken(HfEngine):
        def logprobs(
            self, requests: Sequence[Request], wanted: Collection[int]
        ) -> Iterator[tuple[int, Scores]]:
            for number, scores in super().logprobs(requests, wanted):
                yield number, replace(scores, logprobs=[float("nan"), *scores.logprobs[1:]])

    with refused("in en", "nan"):
        ask_bench(Broken(tiny_model), bench, tmp_path / "out", name="tiny", languages=["en"])
    assert not (tmp_path / "out").exists()


def test_the_same_prompt_is_asked_once(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    first = next(item for item in read_items(bench) if item.options and item.language == "en")
    write_items(tmp_path / "bench" / ITEMS, [first, replace(first, item="again")])
    engine = Recording(tiny_model)
    stage = ask_bench(engine, tmp_path / "bench", tmp_path / "out", name="tiny")
    assert len(engine.answered) == 1
    one, again = rows(stage.folder)
    assert one["logprobs"] == again["logprobs"]
    assert stage.manifest["counts"]["questions"] == 2
    assert stage.manifest["counts"]["requests"] == 1
