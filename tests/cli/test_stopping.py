"""Ctrl-C and SIGTERM in every stage: exit code, what is said, and that the same command then succeeds."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from crossin.core.files import read_json, write_json
from crossin.mixture.recipe import as_yaml
from tests.cli.test_models_merge import adapter_of
from tests.cli.test_probe_command import TEXTS
from tests.helpers.messages import messages
from tests.helpers.report_data import write_run
from tests.helpers.signalled import crossin
from tests.helpers.small_bench import write_bench
from tests.helpers.small_corpora import recipe_of, write_corpus
from tests.helpers.training import mixture_of
from tests.helpers.translated_rows import mock_server, table_of, write_rows
from tests.mixture.test_mixture import MIXED
from tests.training.conftest import settings_of

pytestmark = pytest.mark.slow

RESUMES, NOTHING = "the same command resumes from here", "nothing was saved"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
# The name of the call that is interrupted, which one of them, and what is said.
PLACES = {
    "compose": [
        ("crossin.mixture.run:make_job", 1, NOTHING),
        ("crossin.mixture.run:write_shard", 3, RESUMES),
    ],
    "train": [
        ("crossin.training.session:read_rows", 1, NOTHING),
        ("crossin.training.trainer:share_of", 2, RESUMES),
    ],
    "evaluate": [
        ("crossin.evaluation.bench_answers:_ask", 1, NOTHING),
        ("crossin.evaluation.bench_answers:_check", 7, RESUMES),
    ],
    "translate": [
        ("crossin.translation.run:read_rows", 1, NOTHING),
        ("crossin.translation.run:write_shard", 2, RESUMES),
    ],
    "probe": [
        ("crossin.probing.run:pooled_states", 2, RESUMES),
    ],
    "bench": [
        ("crossin.core.stages:write_json", 2, RESUMES),
    ],
    "report": [
        ("crossin.reports.make:write_json", 1, "the report is written"),
    ],
    "merge": [
        ("crossin.models.merging:_copy", 1, RESUMES),
    ],
}


@pytest.fixture(scope="module")
def commands(
    tiny_model: Path, facts_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str | Path]]:
    """A command of each stage, without the folder for its results."""
    home = tmp_path_factory.mktemp("home")
    write_corpus(home, 60)
    (home / "recipe.yaml").write_text(as_yaml(recipe_of(*MIXED, shard_rows=20)))
    write_json(home / "train.yaml", settings_of(tiny_model, mixture_of(facts_folder, home / "mixture")))
    for language, lines in TEXTS.items():
        (home / "parallel").mkdir(exist_ok=True)
        (home / "parallel" / f"{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("one", "two"):
        write_run(home / name, name, {"en": 0.9, "th": 0.5})
    adapter = adapter_of(tiny_model, home / "adapter")
    bench = write_bench(home / "bench")
    rows = home / "rows.jsonl"
    table_of(write_rows(rows, 30), home / "table.json")
    return {
        "compose": ["compose", home / "recipe.yaml"],
        "train": ["train", home / "train.yaml"],
        "evaluate": ["evaluate", tiny_model, "--bench", bench],
        "translate": ["translate", rows, "--to", "es", "zh", "--engine", "openai", "--model", "mock"],
        "probe": ["probe", tiny_model, "--parallel", home / "parallel", "--draws", "50"],
        "bench": ["bench", "build", "facts", "--languages", "en,es"],
        "report": ["report", home / "one", home / "two"],
        "merge": ["models", "merge", tiny_model, adapter],
    }


@pytest.mark.parametrize(
    ("stage", "at", "call", "said"),
    [(stage, *place) for stage, places in PLACES.items() for place in places],
)
def test_a_stopped_stage_says_what_it_saved_and_the_same_command_succeeds(
    commands: dict[str, list[str | Path]], tmp_path: Path, stage: str, at: str, call: int, said: str
) -> None:
    out = tmp_path / ("out.html" if stage == "report" else "out")
    words = [*commands[stage], "--out", out]
    with (
        mock_server(Path(words[1]).with_name("table.json")) if stage == "translate" else nullcontext() as url
    ):
        words += ["--base-url", url, "--concurrency", "4", "--shard-rows", "10"] if url else []
        # Every other by the signal of a cluster.
        number = list(CODES)[len(at) % 2]
        stopped = crossin(*words, at=at, call=call, number=number)
        assert stopped.returncode == CODES[number], stopped.stderr
        assert "Traceback" not in stopped.stderr
        [line] = [line for line in stopped.stderr.splitlines() if line.startswith("stopped")]
        assert said in line
        assert (NOTHING in line) == (not files_in(tmp_path))
        if stage == "train" and said == RESUMES:
            assert re.search(r"training goes on after step \d", line)
        again = crossin(*words)
    assert again.returncode == 0, again.stderr
    assert not files_in(tmp_path) & {"stage.json"}
    assert not any(name.endswith(".tmp") for name in files_in(tmp_path))


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_answers_in_a_cache_elsewhere_are_not_called_nothing(
    commands: dict[str, list[str | Path]], tmp_path: Path
) -> None:
    words = [*commands["evaluate"], "--out", tmp_path / "out", "--cache", tmp_path / "cache.sqlite"]
    stopped = crossin(*words, at="crossin.evaluation.bench_answers:_check", call=7)
    assert (stopped.returncode, files_in(tmp_path / "out")) == (130, set())
    assert RESUMES in stopped.stderr
    assert crossin(*words).returncode == 0
    counts = read_json(tmp_path / "out" / "tiny" / "bench" / "manifest.json")["counts"]
    assert counts["answers_from_cache"] >= 6


def test_a_second_model_that_is_stopped_early_leaves_the_first(
    commands: dict[str, list[str | Path]], tmp_path: Path
) -> None:
    command, model, *more = commands["evaluate"]
    words = [command, model, f"other={model}", *more, "--out", tmp_path / "out"]
    stopped = crossin(*words, at="crossin.evaluation.bench_answers:_ask", call=2)
    assert stopped.returncode == 130
    assert RESUMES in stopped.stderr
    assert NOTHING not in stopped.stderr


def test_a_model_that_is_not_whole_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path))
    stopped = crossin("models", "pull", "owner/model", at="crossin.models.download:_from_hub")
    assert (stopped.returncode, messages(stopped.stderr)) == (130, [f"stopped; {NOTHING}"])
    assert not any(path.is_dir() for path in (tmp_path / "models").iterdir())


@pytest.mark.parametrize("number", CODES)
def test_the_processes_of_an_engine_end_with_it_in_silence(
    commands: dict[str, list[str | Path]], tmp_path: Path, number: signal.Signals
) -> None:
    words = [*commands["evaluate"], "--processes", "2", "--out", tmp_path / "out"]
    at = "crossin.evaluation.bench_answers:_check"
    stopped = crossin(*words, at=at, call=3, number=number, group=True)
    assert stopped.returncode == CODES[number]
    assert messages(stopped.stderr) == [f"stopped; {RESUMES}"]
    assert crossin(*words).returncode == 0


def test_processes_that_still_begin_end_in_silence(
    commands: dict[str, list[str | Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first of them gets Ctrl-C while it imports, and then all of the group do.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "try:\n"
        "    if '--multiprocessing-fork' in sys.orig_argv:\n"
        "        Path(__file__).with_name('sent').touch(exist_ok=False)\n"
        "        try:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "            for _ in range(1000): pass\n"
        "        except KeyboardInterrupt:\n"
        "            os.write(2, b'a traceback')\n"
        "        os.killpg(0, signal.SIGINT)\n"
        "except FileExistsError:\n"
        "    pass\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    words = [*commands["evaluate"], "--processes", "2", "--out", tmp_path / "out"]
    # In a process group of its own; nothing is sent from here.
    stopped = crossin(*words, at="concurrent.futures:wait", call=1_000_000)
    assert (tmp_path / "sent").exists()
    assert (stopped.returncode, messages(stopped.stderr)) == (130, [f"stopped; {NOTHING}"])


@pytest.mark.parametrize("number", CODES)
def test_a_cluster_that_the_command_began_ends_with_it(
    commands: dict[str, list[str | Path]],
    tmp_path: Path,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    words = [*commands["compose"], "--runner", "ray", "--out", tmp_path / "out"]
    stopped = crossin(*words, at="ray:put", number=number, group=True)
    assert stopped.returncode == CODES[number], stopped.stderr
    # A thread of Ray's may end in an error of its own when the cluster is gone.
    assert "KeyboardInterrupt" not in stopped.stderr
    assert f"stopped; {NOTHING}" in stopped.stderr
    assert crossin(*words[:2], "--out", tmp_path / "out").returncode == 0


def test_a_second_ctrl_c_ends_the_process_at_once() -> None:
    # While the first one is being cleaned up after.
    program = (
        "import signal, sys\n"
        "from crossin.cli.stopping import watch_signals\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "watch_signals()\n"
        "try:\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "finally:\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    print('it cleans up', flush=True)\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    print('it goes on', flush=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (130, "it cleans up\n")
    assert ended.stderr.strip() == "stopped at once"
