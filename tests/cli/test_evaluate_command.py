"""`crossin evaluate`: models and benchmarks by name, answers and scores in folders, and what it shows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crossin.cli.main import app
from crossin.core.files import read_json, read_parquet
from crossin.core.formats import ITEMS
from crossin.core.settings import read_settings
from crossin.evaluation import EvaluateConfig, evaluate
from crossin.evaluation.config import read_config
from crossin.items import Item
from crossin.items.item import write_items
from crossin.servers import BudgetSpent
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, answering, completion, response

OPTIONS = {"en": ["red", "green"], "es": ["rojo", "verde"]}


def crossin(*arguments: str | Path, folder: Path | None = None) -> Result:
    """The command in this process, started in a folder; its errors are raised."""
    with contextlib.chdir(folder or Path.cwd()):
        ended = CliRunner().invoke(
            app, list(map(str, arguments)), env={"COLUMNS": "200"}, catch_exceptions=False
        )
    assert ended.exit_code == 0, ended.output
    return ended


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two benchmarks in it."""
    folder = tmp_path_factory.mktemp("home")
    for task in ("colours", "shades"):
        asked = [
            Item(f"q{n}", f"q{n}", task, x, "", f"{n}?", OPTIONS[x], ["r", "g"], "r", "made up", "CC0-1.0")
            for n in range(6)
            for x in OPTIONS
        ]
        write_items(folder / task / ITEMS, asked)
    return folder


@pytest.fixture(scope="module")
def evaluated(home: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Two models, two benchmarks, two wordings: where their answers are, and what was said."""
    out = tmp_path_factory.mktemp("runs") / "eval"
    ended = crossin(
        *("evaluate", tiny_model, f"other={tiny_model}", "--bench", "colours", "--bench", "hues=shades"),
        *("--out", out, "--wordings", "question,asked", "--limit", "4", "--json"),
        folder=home,
    )
    return out, ended


def test_every_model_answers_every_benchmark_in_a_folder_of_its_own(
    evaluated: tuple[Path, Result],
) -> None:
    out, ended = evaluated
    folders = sorted(path.parent.relative_to(out).as_posix() for path in out.rglob("answers.parquet"))
    assert folders == ["other/colours", "other/hues", "tiny/colours", "tiny/hues"]
    settings = read_json(out / "other" / "hues" / "manifest.json")["settings"]
    assert settings["name"] == "other"
    assert settings["limit"] == 4
    rows = read_parquet(out / "other" / "hues" / "answers.parquet", ["item", "prompt"]).to_pylist()
    assert len(rows) == 4 * 2 * 2
    assert {row["prompt"] for row in rows} == {"question", "asked"}
    assert ended.stderr.count("evaluate: ") == 4
    assert "left out: 4 questions" in ended.stderr


def test_the_scores_are_those_that_score_prints(
    evaluated: tuple[Path, Result],
) -> None:
    out, ended = evaluated
    folder = out / "tiny" / "colours"
    printed = json.loads(crossin("score", folder, "--json").stdout)
    assert read_json(folder / "scores.json") == printed
    everything = json.loads(ended.stdout)
    assert everything["scores"][:2] == printed["scores"]
    assert len(everything["scores"]) == 8
    assert len(everything["wordings"]) == 4


def test_the_same_command_again_asks_nothing_and_shows_the_tables(home: Path, tiny_model: Path) -> None:
    command: list[str | Path] = [
        "evaluate",
        tiny_model,
        "--bench",
        "colours",
        "--out",
        "runs",
        "--tasks",
        "colours",
    ]
    first, again = (crossin(*command, folder=home) for _ in range(2))
    assert first.stdout == again.stdout
    assert "tiny question: 6 items in 2 languages" in again.stdout
    assert "consistency_s" in again.stdout


def test_a_dry_run_says_what_would_be_asked_and_writes_nothing(home: Path, tiny_model: Path) -> None:
    before = sorted(home.rglob("*"))
    command: list[str | Path] = [
        "evaluate",
        tiny_model,
        "--bench",
        "colours",
        "--out",
        "dry",
        "--languages",
        "Spanish",
    ]
    ended = crossin(*command, "--form", "letters", "--order", "rotated", "--dry-run", folder=home)
    assert "colours: 6 questions on 6 items in es" in ended.stdout
    assert "left out: 6 questions" in ended.stdout
    assert "6 with options to score, 0 replies to generate" in ended.stdout
    assert str(Path("dry") / "tiny" / "colours") in ended.stdout
    assert "A. " in ended.stdout
    # The summary comes last.
    assert ended.stdout.index("for example:") < ended.stdout.index("colours: 6 questions")
    [shown] = json.loads(crossin(*command, "--choice", "bare", "--dry-run", "--json", folder=home).stdout)
    # The options alone are the same for all six.
    assert (shown["questions"], shown["scored"]) == (6, 7)
    assert shown["example"]["options"] == [" rojo", " verde"]
    assert sorted(home.rglob("*")) == before


def test_a_dry_run_with_a_server_estimates_and_sends_nothing(home: Path) -> None:
    command = [
        "evaluate",
        "big",
        "--engine",
        "openai",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--bench",
        "colours",
    ]
    prices = ["--price-in", "1000000", "--price-out", "0"]
    ended = crossin(*command, *prices, "--out", "dry", "--dry-run", "--json", folder=home)
    estimate = json.loads(ended.stdout)[0]["models"]["big"]["estimate"]
    assert estimate["requests"] == 24
    assert estimate["cost"] == estimate["prompt_tokens"] > 24


def test_without_a_form_a_server_is_asked_in_what_it_can(home: Path) -> None:
    async def only_replies(asked: Asked) -> bytes:
        return completion(" The answer is A.")

    with answering(only_replies) as log:
        command = ["evaluate", "big", "--engine", "openai", "--base-url", log.base_url, "--bench", "colours"]
        ended = crossin(*command, "--out", "served", "--json", folder=home)
    assert "using --form generate" in ended.stderr
    assert "12 questions" in ended.stderr
    assert "requests answered" in ended.stderr
    assert read_json(home / "served" / "big" / "colours" / "manifest.json")["settings"]["form"]["kind"] == (
        "generate"
    )
    assert json.loads(ended.stdout)["scores"][0]["choices"]["accuracy"]["value"] == 1


@pytest.mark.slow
def test_stopped_by_ctrl_c_the_same_command_goes_on(home: Path) -> None:
    # The first of them only find out what the server can do.
    waits = True

    async def slow(asked: Asked) -> bytes:
        while waits and len(log.asked) > 9:
            await asyncio.sleep(0.05)
        return completion(" The answer is A.")

    with answering(slow) as log:
        command = [sys.executable, "-m", "crossin.cli.main", "evaluate", "big", "--engine", "openai"]
        command += ["--base-url", log.base_url, "--bench", "colours", "--form", "generate"]
        command += ["--concurrency", "1", "--out", "stopped"]
        # A job in the background has Ctrl-C switched off, and hands that on.
        listens = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        running = subprocess.Popen(command, cwd=home, stderr=subprocess.PIPE, text=True, preexec_fn=listens)
        while len(log.asked) <= 9:
            assert running.poll() is None
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
        assert running.returncode == 130
        assert "resumes from here" in said
        assert "Traceback" not in said
        waits = False
        again = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    counts = read_json(home / "stopped" / "big" / "colours" / "manifest.json")["counts"]
    assert 0 < counts["answers_from_cache"] < counts["requests"] == 12


def test_a_server_that_refuses_leaves_the_folder_free(home: Path) -> None:
    async def refuse(asked: Asked) -> bytes:
        return response(401, {"error": {"message": "who are you?"}})

    with answering(refuse) as log:
        command = ["evaluate", "big", "--engine", "openai", "--base-url", log.base_url, "--bench", "colours"]
        with refused("401"):
            crossin(*command, "--form", "text", "--out", "refused", folder=home)
    assert not (home / "refused" / "big" / "colours").exists()


def test_settings_come_from_a_file_and_options_override_them(home: Path, tmp_path: Path) -> None:
    async def replies(asked: Asked) -> bytes:
        return completion(" The answer is A.")

    file = tmp_path / "evaluate.yaml"
    with answering(replies) as log:
        file.write_text(
            f"models: [big]\nbench: [colours]\nengine: openai\nform: generate\nlimit: 1\n"
            f"languages: [Spanish]\nserver:\n  base_url: {log.base_url}\n  body: {{top_k: 1}}\n"
        )
        crossin("evaluate", "--config", file, "--limit", "2", "--out", "from-file", folder=home)
        assert log.asked[-1].body["top_k"] == 1
        config = read_settings(EvaluateConfig, file, hint="")
        with contextlib.chdir(home):
            [one] = evaluate(config, "from-python")
    settings = [
        read_json(home / out / "big" / "colours" / "manifest.json")["settings"]
        for out in ("from-file", "from-python")
    ]
    assert [one["limit"] for one in settings] == [2, 1]
    assert {**settings[0], "limit": 1} == settings[1]
    assert settings[0]["engine"]["body"] == {"top_k": 1}
    assert (one.model, one.bench, one.stage.done, len(one.scores)) == ("big", "colours", True, 1)
    assert (home / "from-python" / "big" / "colours" / "scores.json").exists()


def test_folders_in_a_file_are_beside_it_or_else_in_the_working_directory(
    home: Path, tiny_model: Path, tmp_path: Path
) -> None:
    place = tmp_path / "settings"
    shutil.copytree(home / "shades", place / "colours")
    shutil.copytree(tiny_model, place / "model")
    file = place / "evaluate.yaml"
    file.write_text("models: [model, other=./model]\nbench: [colours, far=shades]\nlimit: 1\n")
    words = ("evaluate", "--config", file, "--dry-run", "--json")
    near, far = json.loads(crossin(*words, folder=home).stdout)
    # Of the name `colours` there is a folder in both places; that beside the file has the task `shades`.
    assert (near["bench"], far["bench"]) == ("colours", "far")
    config = read_config(file)
    assert config.bench == (str(place / "colours"), "far=shades")
    assert config.models == (str(place / "model"), f"other={place / 'model'}")
    assert list(near["models"]) == ["model", "other"]
    assert read_config(file, {"engine": "openai"}).models == ("model", "other=./model")
    # What is given on the command line is below the working directory.
    assert read_config(file, {"bench": ["colours"]}).bench == ("colours",)
    [one] = json.loads(crossin(*words, "--bench", "colours", "--tasks", "colours", folder=home).stdout)
    assert one["bench"] == "colours"


def test_a_budget_holds_for_all_models_and_over_restarts(home: Path) -> None:
    async def replies(asked: Asked) -> bytes:
        return completion(" The answer is A.")

    with answering(replies) as log:
        command = ["evaluate", "one", "two", "--engine", "openai", "--base-url", log.base_url]
        command += ["--bench", "colours", "--form", "generate", "--out", "budget", "--concurrency", "1"]
        command += ["--price-in", "1000000", "--price-out", "1000000", "--max-tokens", "2", "--budget"]
        sent = []
        # An answer costs 9, and some more is expected.
        for budget in ("200", "200", "1000"):
            with contextlib.suppress(BudgetSpent):
                crossin(*command, budget, folder=home)
            sent.append(len(log.asked))
    assert 0 < sent[0] * 9 <= 200
    # The second start has nothing to spend.
    assert sent[1] == sent[0]
    answers = [(one.body["model"], one.body["prompt"]) for one in log.asked if "?" in one.body["prompt"]]
    assert len(answers) == len(set(answers)) == 24


def test_facts_are_built_on_the_way(tiny_model: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [
        "evaluate",
        tiny_model,
        "--bench",
        "facts",
        "--languages",
        "en,es",
        "--out",
        tmp_path / "out",
    ]
    crossin(*command, "--limit", "1", "--tasks", "capital")
    assert (tmp_path / "out" / "benches" / "facts-en-es" / ITEMS).exists()
    assert (tmp_path / "out" / "tiny" / "facts" / "scores.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bench", "colours"], "models"),
        (["{tiny}"], "--bench"),
        (["{tiny}", "--bench", "nowhere"], "there is no benchmark 'nowhere'"),
        (["{tiny}", "--bench", "cross-mmlu"], "has to be built first"),
        (["{tiny}", "{tiny}", "--bench", "colours"], "two models are called 'tiny'"),
        (["a/b={tiny}", "--bench", "colours"], "LABEL=NAME"),
        (
            ["{tiny}", "--bench", "colours", "--bench", "other/../colours"],
            "two benchmarks are called 'colours'",
        ),
        (["nothing", "--bench", "colours"], "no model is called 'nothing'"),
        (["{tiny}", "a={tiny}", "--bench", "colours", "--adapter", "x"], "an adapter belongs to one model"),
        (["{tiny}", "--bench", "colours", "--languages", "en,th"], "no items whose language is 'th'"),
        (["{tiny}", "--bench", "colours", "--bench", "shades", "--tasks", "colours"], "task is 'colours'"),
        (["{tiny}", "--bench", "colours", "--wordings", ","], "--wordings"),
        (["{tiny}", "--bench", "colours", "--shots", "2"], "--shots-from"),
        (["{tiny}", "--bench", "colours", "--limit", "0"], "--limit"),
        (["big", "--bench", "colours", "--engine", "openai"], "--base-url"),
        (["big", "--bench", "colours", "--engine", "openai", "--base-url", "x"], "--base-url"),
        (["big", "--bench", "colours", "--budget", "3"], "price_in"),
    ],
)
def test_bad_input_is_one_clear_error_before_anything_is_asked(
    home: Path, tiny_model: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    filled = [part.format(tiny=tiny_model) for part in arguments]
    with refused(words):
        crossin("evaluate", *filled, "--out", tmp_path / "out", folder=home)
    assert not (tmp_path / "out").exists()


def test_help_shows_every_group_of_settings() -> None:
    text = crossin("evaluate", "--help").stdout
    for word in (
        "What is asked",
        "How it is asked",
        "hf",
        "A server (openai)",
        "--chat / --plain",
        "--budget",
    ):
        assert word in text
