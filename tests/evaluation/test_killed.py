"""Killed with SIGKILL at any moment and started again: the same answers, and nothing asked twice.

CROSSIN_KILLS says how often it is killed; a few times if not set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
import torch

from crossin.bench import build_named
from crossin.core.files import sha256
from crossin.core.formats import ANSWERS, ENTITIES, ITEMS
from crossin.core.hashing import hash64
from crossin.evaluation import Form, HfEngine, ask_bench
from crossin.evaluation.bench_answers import CACHE
from crossin.evaluation.engine import Reply, Request, Scores
from crossin.facts import build_bench
from crossin.items import read_items
from crossin.items.item import write_items
from crossin.scoring.scores import score
from tests.helpers import apart
from tests.helpers.relation_facts import write_relations

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("CROSSIN_KILLS", "3"))
Answer = TypeVar("Answer", Scores, Reply)


@pytest.fixture(scope="module")
def bench(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    facts = read_items(build_bench(facts_folder, folder / "whole").folder)
    write_items(folder / ITEMS, [item for item in facts if item.language in ("en", "es")][:300])
    return folder


@pytest.fixture(scope="module")
def relations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("relations")
    source = write_relations(folder / "source")
    return build_named("klar", folder / "bench", source=source, languages=["en", "ru", "zh"]).folder


class Slow(HfEngine):
    """Slow enough to be hit; logs in a file what it was to ask, and each answer."""

    log: Path

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        return self._slowly(super().logprobs(requests, wanted), len(wanted), len(requests))

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        return self._slowly(super().generate(requests, wanted), len(wanted), len(requests))

    def _slowly(
        self, answers: Iterator[tuple[int, Answer]], wanted: int, total: int
    ) -> Iterator[tuple[int, Answer]]:
        with self.log.open("a") as log:
            print("wanted", wanted, "of", total, file=log, flush=True)
            for number, answer in answers:
                print("answered", number, file=log, flush=True)
                time.sleep(0.004)
                yield number, answer


def slowly(model: Path, bench: Path, out: Path, log: Path, cache: Path | None = None, shots: int = 0) -> None:
    torch.set_num_threads(1)
    engine = Slow(model)
    engine.log = log
    own = bench if shots else None
    ask_bench(engine, bench, out, name="tiny", cache=cache, form=Form(shots=shots, max_tokens=8), shots=own)


def logged(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("shots", [0, 3])
def test_killed_at_random_moments_it_ends_with_the_same_answers(
    shots: int, bench: Path, relations: Path, tiny_model: Path, tmp_path: Path
) -> None:
    """`shots`: options are scored; or replies are generated, with so many shots from the benchmark itself."""
    asked = relations if shots else bench

    def how(name: str) -> tuple[Path, Path, Path, Path, None, int]:
        return tiny_model, asked, tmp_path / name, tmp_path / f"{name}.log", None, shots

    assert apart.run(slowly, *how("whole")) == 0
    total = int(logged(tmp_path / "whole.log")[0][3])
    killed = 0
    for number in range(KILLS):
        process = apart.start(slowly, *how("out"))
        # Some while it starts, the others while it is asking, a random number of answers later.
        begun = len(logged(tmp_path / "out.log"))
        share = hash64("killed", str(number)) / 2**64
        more = 0 if number % 4 == 2 else 1 + int(share * 2 * total / KILLS)
        while process.is_alive() and len(logged(tmp_path / "out.log")) - begun < more:
            time.sleep(0.002)
        time.sleep(share if more == 0 else share / 50)
        killed += process.is_alive()
        process.kill()
        process.join()
    assert killed > 0
    assert apart.run(slowly, *how("out")) == 0
    for name in (ANSWERS, *([ENTITIES] if shots else [])):
        assert sha256(tmp_path / "out" / name) == sha256(tmp_path / "whole" / name)
    [[first], [again]] = (score([tmp_path / name], draws=10) for name in ("whole", "out"))
    assert again.choices["accuracy"] == first.choices["accuracy"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in (tmp_path / "whole").iterdir()
    )
    lines = logged(tmp_path / "out.log")
    wanted = [int(line[1]) for line in lines if line[0] == "wanted"]
    assert wanted == sorted(wanted, reverse=True)
    # A killed run loses the answers that were not on the disk yet, and no more: some milliseconds'.
    answered = sum(line[0] == "answered" for line in lines)
    assert wanted[-1] < total
    assert total <= answered <= total + 20 * killed


def test_two_processes_share_a_cache(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    cache = tmp_path / CACHE
    processes = [
        apart.start(slowly, tiny_model, bench, tmp_path / name, tmp_path / f"{name}.log", cache)
        for name in ("one", "two")
    ]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert sha256(tmp_path / "one" / ANSWERS) == sha256(tmp_path / "two" / ANSWERS)
    assert apart.run(slowly, tiny_model, bench, tmp_path / "three", tmp_path / "three.log", cache) == 0
    assert logged(tmp_path / "three.log") == []
    assert sha256(tmp_path / "three" / ANSWERS) == sha256(tmp_path / "one" / ANSWERS)
