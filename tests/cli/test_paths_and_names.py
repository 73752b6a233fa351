"""A word is a path or a name by its place and form, whatever is called so in the working directory."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import pytest

from crossin.models import pull
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.translated_rows import write_rows

# Nothing listens there: a dry run sends nothing.
SERVER = ["--engine", "openai", "--model", "m", "--base-url", "http://127.0.0.1:9/v1"]
# How many rows each corpus has, which tells it from the others.
CORPORA = {
    "rows.jsonl": 2,
    "corpora/alpaca/part.jsonl": 3,
    "vi/part.jsonl": 4,
    "plain/part.jsonl": 5,
    "~x": 6,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, and the home folder."""
    for name, count in CORPORA.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_rows(tmp_path / name, count)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def understood(*words: str) -> tuple[int, list[str]]:
    """The rows of the corpus that a dry run has found, and the languages."""
    found = json.loads(crossin("translate", *SERVER, "--dry-run", "--json", *words).stdout)
    return found["rows"], [part["language"] for part in found["languages"]]


@pytest.mark.parametrize(
    ("words", "rows", "languages"),
    [
        ("rows.jsonl --to es", 2, "es"),
        ("./rows.jsonl --to es", 2, "es"),
        ("--to es rows.jsonl", 2, "es"),
        ("--to es ./rows.jsonl", 2, "es"),
        ("--to es th ../{here}/rows.jsonl", 2, "es th"),
        ("--to=es th {home}/rows.jsonl", 2, "es th"),
        ("--to es,th -- rows.jsonl", 2, "es th"),
        ("--to es rows.jsonl th", 2, "es th"),
        ("--to es rows.jsonl --to th", 2, "es th"),
        ("corpora/alpaca --to Vietnamese", 3, "vi"),
        ("--to Vietnamese corpora/alpaca", 3, "vi"),
        ("--to Vietnamese corpora/alpaca/", 3, "vi"),
        ("--to vi ./corpora/alpaca/part.jsonl", 3, "vi"),
        # Both a language and a folder: behind --to a language, before it the corpus.
        ("rows.jsonl --to vi", 2, "vi"),
        ("vi --to es", 4, "es"),
        ("vi/ --to vi", 4, "vi"),
        ("--to vi ./vi", 4, "vi"),
        ("--to vi vi/", 4, "vi"),
        ("plain --to vi", 5, "vi"),
        ("--to vi ./plain", 5, "vi"),
        ("~/rows.jsonl --to vi", 2, "vi"),
        ("--to vi ~/rows.jsonl", 2, "vi"),
        ("--to vi ~/vi", 4, "vi"),
    ],
)
def test_behind_to_a_path_is_the_corpus_and_any_other_word_a_language(
    home: Path, words: str, rows: int, languages: str
) -> None:
    given = words.format(home=home, here=home.name).split()
    assert understood(*given) == (rows, languages.split())


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("rows.jsnol --to vi", "rows.jsnol: no such file", "rows.jsonl"),
        ("--to vi rows.jsnol", "rows.jsnol: no such file", "rows.jsonl"),
        ("--to vi ./nothing", "nothing: no such file", "check the path"),
        ("--to vi nothing/here/", "nothing/here: no such file", "check the path"),
        ("--to vi corpora/alpacca/", "alpacca: no such file", "corpora/alpaca"),
        ("--to vi {home}/nothing.jsonl", "nothing.jsonl: no such file", "check the path"),
        ("--to vi ~/rows.json", "rows.json: no such file", "rows.jsonl"),
        ("Vietnamese --to vi", "Vietnamese: no such file", "check the path"),
        ("--to vi", "needs a corpus", "rows.jsonl --to"),
        ("rows.jsonl --to vii", "unknown language 'vii'", "did you mean vi"),
        ("rows.jsonl --to vi plain", "'plain' is a folder here, but not a language", "./plain"),
        ("--to vi alpaca", "needs a corpus", "rows.jsonl --to"),
        ("rows.jsonl vi es", "expected one corpus", "--to vi es"),
        ("rows.jsonl plain --to vi", "expected one corpus", "before the options"),
        ("--to ./rows.jsonl", "needs at least one word", "--help"),
        ("rows.jsonl --to", "needs at least one word", "--help"),
    ],
)
def test_a_typo_makes_no_folder_the_corpus(home: Path, words: str, message: str, hint: str) -> None:
    with refused(message, hint=hint):
        understood(*words.format(home=home).split())


def test_the_home_folder_is_known_in_files_and_behind_an_equals_sign(home: Path) -> None:
    (home / "settings").mkdir()
    config = home / "settings" / "translate.yaml"
    config.write_text("corpus: ~/rows.jsonl\nto: [vi]\n", "utf-8")
    assert understood(str(config)) == (2, ["vi"])
    assert understood("--config=~/settings/translate.yaml") == (2, ["vi"])
    config.write_text("corpus: ../rows.jsonl\nto: [vi]\n", "utf-8")
    assert understood("settings/translate.yaml") == (2, ["vi"])
    # Not a home folder, but a name.
    assert understood("./~x", "--to", "vi") == (6, ["vi"])
    with refused("there is no benchmark here", file=home / "plain"):
        crossin("bench", "show", "~/plain")


def test_a_folder_called_as_a_benchmark_is_one_only_if_it_holds_items(home: Path) -> None:
    words = ["evaluate", "m", "--engine", "openai", "--base-url", "http://127.0.0.1:9/v1", "--limit", "1"]
    plain = [*words, "--languages", "en,es", "--dry-run", "--json", "--bench"]
    built = json.loads(crossin(*plain, "facts").stdout)[0]
    assert built["languages"] == ["en", "es"]
    (home / "facts").mkdir()
    assert json.loads(crossin(*plain, "facts").stdout)[0] == built
    assert crossin("bench", "check", "facts", "--languages", "en").stdout == "en: complete\n"
    with refused("there is no benchmark here", file="facts"):
        crossin(*plain, "./facts")
    crossin("bench", "build", "facts", "--languages", "en,es,zh", "--out", "own")
    shutil.copytree(home / "own", home / "facts", dirs_exist_ok=True)
    kept = json.loads(crossin(*words, "--dry-run", "--json", "--bench", "facts").stdout)[0]
    assert kept["languages"] == ["en", "es", "zh"]


@pytest.mark.parametrize(
    ("bench", "message", "hint"),
    [
        ("./nowhere", "no such folder", "bench build"),
        ("fact", "no such folder", "facts"),
        ("cross-mmlu", "has to be built first", "bench build cross-mmlu"),
        ("plain", "there is no benchmark here", "bench build"),
    ],
)
def test_a_benchmark_that_is_not_there_is_an_error(home: Path, bench: str, message: str, hint: str) -> None:
    with refused(message, hint=hint):
        crossin("evaluate", *SERVER[:2], "m", *SERVER[4:], "--bench", bench, "--dry-run")


def test_a_folder_called_as_a_model_is_one_only_if_it_holds_a_model(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cache" / "models" / "smollm2-135m"
    cached.mkdir(parents=True)
    (cached / "manifest.json").write_text('{"sizes": {}}', "utf-8")
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with contextlib.chdir(tmp_path):
        # As `evaluate` leaves it in its folder.
        (tmp_path / "smollm2-135m" / "facts").mkdir(parents=True)
        assert pull("smollm2-135m") == cached
        with refused("no config.json", file="smollm2-135m"):
            pull("./smollm2-135m")
        shutil.copytree(tiny_model, tmp_path / "smollm2-135m", dirs_exist_ok=True)
        for name in ("smollm2-135m", "./smollm2-135m/", str(tmp_path / "smollm2-135m"), "~/smollm2-135m"):
            assert pull(name).resolve() == tmp_path / "smollm2-135m"
        for name in ("./nothing", str(tmp_path / "nothing"), "nothing", "nothing/", "~/nothing"):
            with refused("no such folder", hint="an existing folder"):
                pull(name)
