"""`crossin translate`: what it shows, what it writes, and that no key is shown or written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crossin.cli.translate import command
from crossin.core.errors import CrossinError
from tests.helpers import apart
from tests.helpers.messages import messages
from tests.helpers.translated_rows import counts, mock_server, write_home

KEY = "sk-a-key-that-nobody-may-read"
ROWS = 12


def crossin(*arguments: object) -> Result:
    """The command in this process; it must succeed."""
    result = invoked(*arguments)
    if result.exception is not None:
        raise result.exception
    return result


def invoked(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_home(tmp_path_factory.mktemp("home"), ROWS)


def served(url: str) -> list[str]:
    return ["--engine", "openai", "--model", "mock", "--base-url", url]


@pytest.mark.parametrize("limit", [("--requests-per-minute", "6"), ("--tokens-per-minute", "600")])
def test_a_dry_run_shows_rows_tokens_cost_and_time_and_requests_nothing(
    home: Path, limit: tuple[str, str]
) -> None:
    with mock_server(home / "table.json") as url:
        money = ("--price-in", "1", "--price-out", "2", *limit)
        ended = crossin(home / "rows.jsonl", "--to", "es", "zh", *served(url), *money, "--dry-run", "--json")
        assert counts(url)["asked"] == 0
    found = json.loads(ended.stdout)
    assert found["rows"] == ROWS
    for part, language in zip(found["languages"], ("es", "zh"), strict=True):
        assert part["language"] == language
        assert part["rows"] == part["requests"] == ROWS
        assert part["limit_tokens"] > part["prompt_tokens"] + 256 * ROWS
        minutes = ROWS / 6 if "requests" in limit[0] else part["limit_tokens"] / 600
        assert part["minutes"] == pytest.approx(minutes)
        assert part["cost"] == pytest.approx((part["prompt_tokens"] + 2 * part["completion_tokens"]) / 1e6)


def test_what_is_left_out_of_the_corpus_is_said_again_of_a_finished_run(home: Path, tmp_path: Path) -> None:
    rows = (home / "rows.jsonl").read_text().splitlines()
    rows[-2:] = [json.dumps({**json.loads(row), "instruction": " "}) for row in rows[-2:]]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    with mock_server(home / "table.json") as url:
        words = (tmp_path / "rows.jsonl", "--to", "es", *served(url), "--out", tmp_path / "out")
        first, again = (crossin(*words) for _ in range(2))
        dry = crossin(*words, "--dry-run")
        with pytest.raises(CrossinError, match="max_skipped: not set there"):
            crossin(*words, "--max-skipped", "0")
    assert (first.stdout, messages(first.stderr)) == (again.stdout, messages(again.stderr))
    for ended in (first, dry):
        assert "left out: 2 rows, the instruction is empty (en)" in ended.stderr
        assert f"note: rows.jsonl: 2 of {ROWS} en rows" in ended.stderr


@pytest.mark.parametrize("as_json", [(), ("--json",)])
@pytest.mark.parametrize(("faults", "exit_code"), [("0", 0), ("1", 1)])
def test_a_run_whose_rows_are_mostly_rejected_fails(
    home: Path, tmp_path: Path, faults: str, exit_code: int, as_json: tuple[str, ...]
) -> None:
    with mock_server(home / "table.json", "--faults", faults, "--kinds", "refusal", "--stubborn") as url:
        words = (home / "rows.jsonl", "--to", "es", *served(url), "--out", tmp_path / "out", *as_json)
        # Of a finished run as of a new one.
        for _ in range(2):
            ended = CliRunner().invoke(command, [str(word) for word in words])
            assert ended.exit_code == exit_code
            assert (f"{ROWS} of {ROWS} rows were rejected, most as" in ended.stderr) == bool(exit_code)


def test_a_sample_is_shown_with_the_results_of_the_checks(home: Path) -> None:
    with mock_server(home / "table.json", "--faults", "1", "--kinds", "refusal", "--stubborn") as url:
        ended = crossin(home / "rows.jsonl", "--to", "es", *served(url), "--sample", "3", "--json")
    found = json.loads(ended.stdout)
    assert [(row["status"], row["reason"]) for row in found] == [("rejected", "invalid_json")] * 3


def test_the_key_goes_to_the_server_and_to_no_file_or_screen(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json", "--key", KEY, "--faults", "0.3") as url:
        ended = apart.crossin(
            *("translate", str(home / "rows.jsonl"), "--to", "es", *served(url), "--timeout", "1"),
            *("--out", str(tmp_path / "out")),
            env={"OPENAI_API_KEY": KEY},
        )
    assert ended.returncode == 0, ended.stderr
    assert KEY not in ended.stdout + ended.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_wrong_key_is_one_message(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json", "--key", KEY) as url:
        ended = apart.crossin(
            *("translate", str(home / "rows.jsonl"), "--to", "es", *served(url)),
            *("--out", str(tmp_path / "out")),
            env={"OPENAI_API_KEY": "wrong-one"},
        )
        assert counts(url)["answered"] == 0
    assert ended.returncode == 2
    assert ended.stderr.count("error:") == 1
    assert "OPENAI_API_KEY" in ended.stderr and "wrong-one" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "field", "word"),
    [
        (("--to", "en"), "--to", "already"),
        (("--to", "Klingonese"), "--to", "unknown language"),
        ((), "--to", "missing"),
        (("--to", "es", "--budget", "1"), None, "prices"),
        (("--to", "es", "--body", "["), None, "JSON"),
        (("--to", "es", "--column", "output"), None, "KEY=VALUE"),
        (("--to", "es", "--column", "reply=text"), "--column", "instruction"),
        (("--to", "es", "--world-size", "2", "--rank", "2"), None, "no rank"),
    ],
)
def test_bad_options_are_errors(
    home: Path, tmp_path: Path, words: tuple[str, ...], field: str | None, word: str
) -> None:
    result = invoked(home / "rows.jsonl", *words, *served("http://127.0.0.1:9/v1"), "--out", tmp_path / "out")
    assert isinstance(result.exception, CrossinError), result.output
    assert word in str(result.exception) and result.exception.hint
    assert field is None or result.exception.field == field


def test_a_config_file_is_read_and_options_override_it(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "translate.yaml"
    with mock_server(home / "table.json") as url:
        config.write_text(
            f"corpus: {home / 'rows.jsonl'}\nto: Spanish\nengine: openai\nmodel: other\n"
            f"server: {{base_url: {url}}}\n",
            "utf-8",
        )
        for words in ((config,), ("--config", config)):
            ended = crossin(*words, "--model", "mock", "--sample", "1", "--json")
            assert [row["language"] for row in json.loads(ended.stdout)] == ["es"]
    config.write_text("corpus: rows.jsonl\nto: es\nengin: openai\n", "utf-8")
    result = invoked(config)
    assert isinstance(result.exception, CrossinError)
    assert (result.exception.field, result.exception.file) == ("engin", config)
    assert "engine" in (result.exception.hint or "")


WORD_TASKS = {
    "grammar": "Rewrite the sentence in the passive voice.",
    "verse": "Write a limerick about a cat.",
    "letters": "How many vowels are in this word?",
}


def test_language_specific_rows_are_counted_by_reason(home: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": reason, "instruction": instruction, "input": "", "output": "Some answer."})
        for reason, instruction in WORD_TASKS.items()
    ]
    corpus = tmp_path / "rows.jsonl"
    corpus.write_text((home / "rows.jsonl").read_text("utf-8") + "\n".join(lines) + "\n", "utf-8")
    with mock_server(home / "table.json") as url:
        words = (corpus, "--to", "es", *served(url))
        estimate = json.loads(crossin(*words, "--dry-run", "--json").stdout)
        counted = json.loads(crossin(*words, "--out", tmp_path / "skip", "--json").stdout)["counts"]
        keep = ("--language-specific", "keep", "--out", tmp_path / "keep", "--json")
        kept = json.loads(crossin(*words, *keep).stdout)["counts"]
    each = dict.fromkeys(WORD_TASKS, 1)
    assert estimate["language_specific"] == counted["languages"]["es"]["left_out"] == each
    assert counted["languages"]["es"]["passed"] == kept["languages"]["es"]["passed"] == ROWS
    assert (kept["languages"]["es"]["kept"], kept["languages"]["es"]["left_out"]) == (len(each), {})
    assert counted["language_specific_checked"] is estimate["language_specific_checked"] is True


@pytest.mark.parametrize("way", ["--dry-run", "--sample", "--out"])
def test_rows_whose_instructions_no_rule_reads_are_not_passed_in_silence(
    home: Path, tmp_path: Path, way: str
) -> None:
    corpus = tmp_path / "rows.jsonl"
    rows = [
        {"id": "1", "instruction": "Corrige la gramática de la frase.", "input": "", "output": "Ella va."},
        {"id": "2", "instruction": "Escribe un poema que rime.", "input": "", "output": "Sol y col."},
    ]
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    more: dict[str, list[object]] = {"--dry-run": [], "--sample": ["1"], "--out": [tmp_path / "out"]}
    with mock_server(home / "table.json") as url:
        words = (corpus, "--from", "es", "--to", "zh", *served(url), way, *more[way])
        ended = crossin(*words)
        assert "not looked for in 'es'" in " ".join(ended.output.split())
        if way == "--dry-run":
            assert json.loads(crossin(*words, "--json").stdout)["language_specific_checked"] is False
        if way == "--out":
            counted = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))["counts"]
            assert counted["language_specific_checked"] is False


def test_old_flags_still_work(home: Path, tmp_path: Path) -> None:
    old = ("--store", tmp_path / "cache.sqlite", "--task-bound", "keep", "--any-language")
    with mock_server(home / "table.json") as url:
        crossin(home / "rows.jsonl", "--to", "es", *served(url), *old, "--sample", "1", "--json")
    assert (tmp_path / "cache.sqlite").exists()
    shown = crossin("--help").output
    assert "--store" not in shown
    assert "--any-language" not in shown
    assert "--no-check-language" in shown


def test_a_sample_that_was_paid_for_is_not_paid_again(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        words = (home / "rows.jsonl", "--to", "es", *served(url), "--out", tmp_path / "out", "--json")
        crossin(*words, "--sample", "4")
        assert counts(url)["asked"] == 4
        counted = json.loads(crossin(*words).stdout)["counts"]
        assert counts(url)["asked"] == ROWS
    assert counted["responses"]["cached"] == 4
    assert counted["usage"]["requests"] == ROWS


def test_a_run_in_which_nothing_was_translated_leaves_the_folder_free(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        wrong = [word.replace("mock", "other") for word in served(url)]
        for sample in ((), ("--sample", "2")):
            result = invoked(home / "rows.jsonl", "--to", "es", *wrong, "--out", tmp_path / "out", *sample)
            assert isinstance(result.exception, CrossinError) and "mock" in str(result.exception)
            assert not (tmp_path / "out").exists()
        crossin(home / "rows.jsonl", "--to", "es", *served(url), "--out", tmp_path / "out")
