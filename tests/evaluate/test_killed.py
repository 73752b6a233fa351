"""Killed with SIGKILL at any moment and started again: the same answers, and nothing asked twice.

CROSSIN_KILLS says how often it is killed; a few times if not set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossin.bench import ITEMS, build_bench, read_items
from crossin.bench.items import write_items
from crossin.evaluate.run import ANSWERS, CACHE
from crossin.files import sha256
from crossin.mixing import draw

KILLS = int(os.environ.get("CROSSIN_KILLS", "3"))
# Evaluates, slowly enough to be hit, and tells in a file of what it was to ask and of each answer.
RUN = """
import sys, time
from pathlib import Path
import torch
import crossin.evaluate.run
from crossin.evaluate import HfEngine, evaluate

torch.set_num_threads(1)
crossin.evaluate.run._SECONDS = 0.05
log = Path(sys.argv[4]).open("a")

class Slow(HfEngine):
    def logprobs(self, requests, wanted):
        print("wanted", len(wanted), "of", len(requests), file=log, flush=True)
        for number, scores in super().logprobs(requests, wanted):
            print("answered", number, file=log, flush=True)
            time.sleep(0.004)
            yield number, scores

model, bench, out = map(Path, sys.argv[1:4])
cache = Path(sys.argv[5]) if len(sys.argv) > 5 else None
evaluate(Slow(model), bench, out, name="tiny", cache=cache)
"""


@pytest.fixture(scope="module")
def bench(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    facts = read_items(build_bench(facts_folder, folder / "whole").folder)
    write_items(folder / ITEMS, [item for item in facts if item.language in ("en", "es")][:300])
    return folder


def run(*paths: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUN, *map(str, paths)], stderr=subprocess.PIPE)


def finish(*paths: Path) -> None:
    process = run(*paths)
    errors = process.communicate()[1]
    assert process.returncode == 0, errors.decode()


def told(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def test_killed_at_random_moments_it_ends_with_the_same_answers(
    bench: Path, tiny_model: Path, tmp_path: Path
) -> None:
    finish(tiny_model, bench, tmp_path / "whole", tmp_path / "whole.log")
    total = int(told(tmp_path / "whole.log")[0][3])
    killed = 0
    for number in range(KILLS):
        process = run(tiny_model, bench, tmp_path / "out", tmp_path / "out.log")
        # Some while it starts, the others while it is asking, a random number of answers later.
        begun = len(told(tmp_path / "out.log"))
        share = draw("killed", str(number)) / 2**64
        more = 0 if number % 4 == 2 else 1 + int(share * 2 * total / KILLS)
        while process.poll() is None and len(told(tmp_path / "out.log")) - begun < more:
            time.sleep(0.002)
        time.sleep(share if more == 0 else share / 50)
        killed += process.poll() is None
        process.kill()
        process.communicate()
    assert killed > 0
    finish(tiny_model, bench, tmp_path / "out", tmp_path / "out.log")
    assert sha256(tmp_path / "out" / ANSWERS) == sha256(tmp_path / "whole" / ANSWERS)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in (tmp_path / "whole").iterdir()
    )
    lines = told(tmp_path / "out.log")
    wanted = [int(line[1]) for line in lines if line[0] == "wanted"]
    assert wanted == sorted(wanted, reverse=True)
    # A killed run loses what came since the last put, and no more: a twentieth of a second's answers.
    answered = sum(line[0] == "answered" for line in lines)
    assert wanted[-1] < total
    assert total <= answered <= total + 40 * killed


def test_two_processes_share_a_cache(bench: Path, tiny_model: Path, tmp_path: Path) -> None:
    cache = tmp_path / CACHE
    processes = [
        run(tiny_model, bench, tmp_path / name, tmp_path / f"{name}.log", cache) for name in ("one", "two")
    ]
    for process in processes:
        errors = process.communicate()[1]
        assert process.returncode == 0, errors.decode()
    assert sha256(tmp_path / "one" / ANSWERS) == sha256(tmp_path / "two" / ANSWERS)
    finish(tiny_model, bench, tmp_path / "three", tmp_path / "three.log", cache)
    assert told(tmp_path / "three.log") == []
    assert sha256(tmp_path / "three" / ANSWERS) == sha256(tmp_path / "one" / ANSWERS)
