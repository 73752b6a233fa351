"""Output in any encoding, to pipes that close, in narrow terminals, and with names that are not UTF-8."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from crossin.cli.main import COMMANDS
from crossin.mixture.recipe import as_yaml
from tests.cli.test_probe_command import TEXTS
from tests.helpers.apart import run
from tests.helpers.report_data import write_run
from tests.helpers.small_bench import replies, write_bench, write_replies
from tests.helpers.small_corpora import recipe_of, write_corpus

ENCODINGS = ["ascii", "cp1252", "utf-8"]
THAI = "ไทย"
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
HELP = [[verb, "--help"] for verb in COMMANDS]
# Commands that print tables, names of languages and texts; with --json, too.
TABLES = [
    ["score", "{home}/replies.jsonl", "--bench", "{home}/bench", "--draws", "50"],
    ["compare", "{home}/one", "{home}/two", "--draws", "50"],
    ["report", "{home}/one", "{home}/two", "--out", "{home}/page.html"],
    ["bench", "list"],
    ["bench", "check", "{home}/bench"],
    ["compose", "{home}/recipe.yaml", "--dry-run"],
    ["probe", "{home}/model", "--parallel", "{home}/parallel", "--dry-run"],
    ["evaluate", "{home}/model", "--bench", "{home}/bench", "--dry-run"],
    [
        *("translate", "{home}/rows.jsonl", "--to", "th", "--engine", "openai", "--model", "m"),
        *("--base-url", "http://localhost:9/v1", "--dry-run"),
    ],
]
PAGES = [
    ["score", "{home}/replies.jsonl", "--bench", "{home}/bench", "--draws", "50", "--details"],
    ["report", "{home}/one", "{home}/two", "--out", "{home}/page.html", "--markdown"],
    ["bench", "show", "{home}/bench"],
    ["models", "list"],
    ["demo", "--dry-run"],
]
ERRORS = [
    [THAI],
    ["compare", THAI, THAI],
    ["score", f"{THAI}.jsonl"],
    ["compose", f"{THAI}.yaml", "--dry-run"],
    ["bench", "show", "{home}/bench", THAI],
    ["demo", "--languages", THAI * 3],
    ["demo", f"--{THAI}"],
    ["train", "{home}/thai.yaml", "--dry-run"],
]


# What a shell passes on of a name in Latin-1.
LATIN = os.fsdecode("caf\xe9".encode("latin-1"))
LATIN_WORDS = [
    [LATIN],
    ["compare", LATIN, LATIN],
    ["score", LATIN],
    ["compose", f"{LATIN}.yaml", "--out", "x"],
    ["train", f"{LATIN}.yaml", "--out", "x"],
    ["translate", f"{LATIN}.jsonl", *TABLES[-1][2:]],
    ["evaluate", LATIN, "--bench", LATIN, "--dry-run"],
    ["probe", LATIN, "--parallel", LATIN, "--dry-run"],
    ["demo", "--languages", LATIN],
    ["models", "pull", LATIN],
    ["bench", "build", LATIN, "--out", "x"],
    ["bench", "show", LATIN],
    ["report", LATIN, "--out", "x.html"],
    ["bench", "build", "facts", "--languages", "en,es", "--out", f"{{home}}/{LATIN}/out"],
    ["compose", "{home}/recipe.yaml", "--out", f"{{home}}/{LATIN}/mixture"],
    ["compose", "{home}/recipe.yaml", "--data", f"{{home}}/{LATIN}", "--out", "{home}/mixture"],
]


def ids(words: list[str]) -> str:
    return " ".join(words[:2])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_replies(folder / "replies.jsonl", replies())
    write_bench(folder / "bench")
    for name, skill in (("one", {"en": 0.9, "th": 0.5}), ("two", {"en": 0.9, "th": 0.9})):
        write_run(folder / name, f"{name} {THAI}", skill)
    write_corpus(folder, 30)
    recipe = recipe_of({"kind": "base", "rows": 10}, {"kind": "x2x", "rows": 10}, name=f"recipe {THAI}")
    (folder / "recipe.yaml").write_text(as_yaml(recipe), encoding="utf-8")
    (folder / "parallel").mkdir()
    (folder / "model").mkdir()
    (folder / "model" / "config.json").write_text("{}")
    for language, lines in TEXTS.items():
        (folder / "parallel" / f"{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [{"id": n, "instruction": f"“Say” – {n}…", "input": "", "output": f"café {n}"} for n in range(9)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "thai.yaml").write_text(f"{THAI}: 1\n", encoding="utf-8")
    return folder


Ended = tuple[int, str, str]


def crossin(home: Path, jobs: list[tuple[list[str], str]], **environment: str) -> list[Ended]:
    """The exit codes of commands, and what they print, each in its encoding; one after the other, in one
    process.
    """
    jobs = [([word.format(home=home) for word in words], encoding) for words, encoding in jobs]
    with TemporaryDirectory() as place:
        assert run(_commands, jobs, place, environment) == 0
        found = []
        for number, (_, encoding) in enumerate(jobs):
            out, errors, status = (Path(place, f"{number}.{kind}") for kind in ("out", "errors", "status"))
            shown = out.read_bytes().decode(encoding), errors.read_bytes().decode(encoding)
            found.append((int(status.read_text()), *shown))
    return found


def _commands(jobs: list[tuple[list[str], str]], place: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    from crossin.__main__ import main

    for number, (words, encoding) in enumerate(jobs):
        sys.argv = ["crossin", *words]
        # As Python opens them with PYTHONIOENCODING.
        sys.stdout = Path(place, f"{number}.out").open("w", encoding=encoding)  # noqa: SIM115
        sys.stderr = Path(place, f"{number}.errors").open("w", encoding=encoding)  # noqa: SIM115
        try:
            main()
        except SystemExit as ended:
            Path(place, f"{number}.status").write_text(str(ended.code))
        for stream in (sys.stdout, sys.stderr):
            stream.close()


@pytest.mark.parametrize("words", [*TABLES, *PAGES], ids=ids)
def test_every_command_prints_in_any_encoding(words: list[str], home: Path) -> None:
    has_json = words in TABLES
    jobs = [(words, encoding) for encoding in ENCODINGS]
    jobs += [([*words, "--json"], encoding) for encoding in ENCODINGS if has_json]
    ended = crossin(home, jobs)
    assert [(status, "Traceback" in errors) for status, _, errors in ended] == [(0, False)] * len(jobs)
    assert len({len(out.splitlines()) for _, out, _ in ended[: len(ENCODINGS)]}) == 1
    # And JSON is the same.
    values = [json.loads(out) for _, out, _ in ended[len(ENCODINGS) :]]
    assert all(value == values[0] for value in values)


def test_narrow_and_plain_terminals(home: Path) -> None:
    jobs = [(words, "utf-8") for words in [*TABLES, *PAGES, *HELP]]
    for status, out, errors in crossin(home, jobs, COLUMNS="20", TERM="dumb", NO_COLOR="1"):
        assert (status, "Traceback" in errors) == (0, False), errors
        assert "\x1b" not in out + errors


def test_help_prints_in_any_encoding(home: Path) -> None:
    jobs = [(words, encoding) for words in HELP for encoding in ENCODINGS]
    for (words, _), (status, out, errors) in zip(jobs, crossin(home, jobs), strict=True):
        assert (status, errors) == (0, "")
        assert f"Usage: crossin {words[0]}" in out


def test_errors_name_what_the_user_wrote_in_any_encoding(home: Path) -> None:
    jobs = [(words, encoding) for words in ERRORS for encoding in ENCODINGS]
    for (words, encoding), (status, out, errors) in zip(jobs, crossin(home, jobs), strict=True):
        assert (status, out, "Traceback" in errors) == (2, "", False), (words, errors)
        assert (THAI if encoding == "utf-8" else ascii(THAI)[1:-1]) in errors


def test_names_that_are_not_utf_8_are_shown_in_errors(home: Path) -> None:
    jobs = [(words, encoding) for words in LATIN_WORDS for encoding in ENCODINGS]
    for (words, _), (status, out, errors) in zip(jobs, crossin(home, jobs), strict=True):
        assert (status, out, "Traceback" in errors) == (2, "", False), (words, errors)
        assert "caf\\udce9" in errors


def test_marks_of_tables_have_a_likeness_in_ascii(home: Path) -> None:
    (_, plain, _), (_, full, _) = crossin(home, [(TABLES[1], "ascii"), (TABLES[1], "utf-8")])
    assert "▲" in full or "▼" in full
    assert full.count("▲") == plain.count("^")
    assert "|" in plain
    assert "\\u" not in plain.replace(ascii(THAI)[1:-1], "")


def environment(**more: str) -> dict[str, str]:
    known = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    return {**known, "PYTHONPATH": os.pathsep.join(sys.path), **more}


@pytest.mark.parametrize(
    "settings", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"}, C_LOCALE]
)
def test_encodings_that_the_environment_sets(settings: dict[str, str], home: Path) -> None:
    command = [sys.executable, "-m", "crossin", *(word.format(home=home) for word in TABLES[1])]
    ended = subprocess.run(command, env=environment(**settings), capture_output=True, check=False)
    assert (ended.returncode, b"Traceback" in ended.stderr) == (0, False), ended.stderr
    assert "recipe" not in ended.stdout.decode(settings.get("PYTHONIOENCODING", "ascii"))
    command = [*command[:3], "score", f"{THAI}.jsonl"]
    ended = subprocess.run(command, env=environment(**settings), capture_output=True, check=False)
    assert ended.returncode == 2
    assert ascii(THAI)[1:-1] in ended.stderr.decode("ascii")


PIPED = [["--help"], TABLES[1], ["bench", "list", "--json"], ["nothing"]]


@pytest.mark.parametrize("words", PIPED, ids=ids)
@pytest.mark.parametrize("closed", ["a pipe that nobody reads", "closed", "closed, and errors too"])
def test_output_that_nobody_reads_ends_the_command_in_silence(
    words: list[str], closed: str, home: Path
) -> None:
    command = [sys.executable, "-m", "crossin", *(word.format(home=home) for word in words)]
    options = {"env": environment(), "stderr": subprocess.PIPE, "check": False}
    if closed == "a pipe that nobody reads":
        reads, writes = os.pipe()
        os.close(reads)
        ended = subprocess.run(command, stdout=writes, **options)  # type: ignore[call-overload]
        os.close(writes)
    else:
        shut = ">&-" if closed == "closed" else ">&- 2>&-"
        ended = subprocess.run(["sh", "-c", f'"$@" {shut}', "sh", *command], **options)  # type: ignore[call-overload]
    assert b"Traceback" not in ended.stderr
    assert b"Exception" not in ended.stderr
    assert ended.returncode in ((2,) if words == ["nothing"] else (0, 1))


@pytest.mark.parametrize("words", ["--help", "bench list", "bench list --json", "examples"])
def test_a_full_disk_under_the_output_is_one_clear_error(home: Path, words: str) -> None:
    command = [sys.executable, "-m", "crossin", *words.split()]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            command, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.strip().startswith("error: cannot write to standard output: No space left")


def test_a_disk_that_is_full_elsewhere_is_not_blamed_on_the_output(home: Path, tmp_path: Path) -> None:
    # As pyarrow raises it: without a file's name.
    fails = (
        "import errno\n\ndef dumps(*_, **__):\n    raise OSError(errno.ENOSPC, 'No space left on device')\n"
    )
    (tmp_path / "fails.py").write_text(fails)
    code = "import crossin.cli.console, fails, sys\ncrossin.cli.console.json.dumps = fails.dumps\n"
    code += "from crossin.__main__ import main\nsys.argv = ['crossin', 'bench', 'list', '--json']\nmain()"
    more = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment() | more, capture_output=True, text=True, check=False
    )
    assert "standard output" not in ended.stderr
    assert "No space left" in ended.stderr


def test_without_a_terminal_a_command_logs_the_end_of_each_task(home: Path, tmp_path: Path) -> None:
    words = ["compose", str(home / "recipe.yaml"), "--out", str(tmp_path / "out")]
    ended = subprocess.run(
        [sys.executable, "-m", "crossin", *words, "--rank", "0", "--world-size", "2"],
        env=environment(FORCE_COLOR="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    [line] = [line for line in ended.stderr.splitlines() if "composing the mixture" in line]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d rank 0: composing the mixture: 20 rows in \d:\d\d", line
    )


@pytest.mark.parametrize("errors", ["2>&-", "a pipe that nobody reads"])
def test_without_standard_error_the_work_goes_on(errors: str, home: Path, tmp_path: Path) -> None:
    words = ["compose", str(home / "recipe.yaml"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "crossin", *words]
    if errors == "2>&-":
        ended = subprocess.run(["sh", "-c", '"$@" 2>&-', "sh", *command], env=environment(), check=False)
    else:
        reads, writes = os.pipe()
        os.close(reads)
        ended = subprocess.run(command, env=environment(), stderr=writes, check=False)
        os.close(writes)
    assert ended.returncode == 0
    assert (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize(("term", "moves"), [("xterm", True), ("dumb", False)])
def test_bars_move_on_a_terminal_and_lines_come_on_a_dumb_one(
    term: str, moves: bool, home: Path, tmp_path: Path
) -> None:
    words = ["compose", str(home / "recipe.yaml"), "--out", str(tmp_path / "out")]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "crossin", *words],
        env=environment(TERM=term),
        stderr=theirs,
        stdout=subprocess.DEVNULL,
    )
    os.close(theirs)
    shown = b""
    # A terminal whose other end is closed is an error on Linux, and empty elsewhere.
    with suppress(OSError):
        while part := os.read(ours, 10_000):
            shown += part
    os.close(ours)
    assert process.wait() == 0
    assert (b"\x1b[" in shown) == moves
    assert (b"composing the mixture: 20 rows in" in shown) != moves


def test_on_a_terminal_no_color_means_no_colour() -> None:
    for variable, coloured in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "crossin", "nothing"]
        more = {"TERM": "xterm", **variable}
        process = subprocess.Popen(command, env=environment(**more), stderr=theirs, stdout=theirs)
        os.close(theirs)
        process.wait()
        assert (b"\x1b[" in os.read(ours, 10_000)) == coloured
        os.close(ours)
