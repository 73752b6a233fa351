from __future__ import annotations

import json
from pathlib import Path

import pyarrow
import pytest
from click.testing import CliRunner, Result

from crossin.cli.main import app
from crossin.core.files import read_parquet, write_parquet
from tests.helpers.errors import refused
from tests.helpers.messages import messages

CONFIG = """
model: {model}
mixture: rows.parquet
method: {{rank: 4, alpha: 8}}
optimiser: {{learning_rate: 1e-2}}
batches: {{rows: 8}}
held_out: {{share: 0.2, every: 2}}
log_every: 1
seed: 1
"""


@pytest.fixture(scope="module")
def config(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        {
            "id": str(number),
            "kind": kind,
            "lang_in": language,
            "lang_out": language,
            "prompt": f"{asked} {number}? ",
            "completion": f"{answer} {number % 7}",
        }
        for number in range(20)
        for kind, language, asked, answer in (
            ("base", "en", "What is", "It is [bold]"),
            ("mono", "es", "Que es", "Es"),
        )
    ]
    home = tmp_path_factory.mktemp("home")
    write_parquet(home / "rows.parquet", pyarrow.Table.from_pylist(rows))
    path = home / "run.yaml"
    path.write_text(CONFIG.format(model=tiny_model))
    return path


@pytest.fixture(scope="module")
def out(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("train") / "out"
    train(config, "--out", folder)
    return folder


def train(*words: object) -> Result:
    result = CliRunner().invoke(app, ["train", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_a_run_ends_with_the_losses_by_language_and_is_found_done_the_next_time(
    config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        ended = train(config, "--out", out)
        for word in ("first loss", "last loss", "base, train", "mono, held-out"):
            assert word in ended.stdout
        assert f"per second, in {out / 'adapter'}" in ended.stderr.replace("\n", " ")
    assert (out / "adapter" / "adapter_model.safetensors").exists()


def test_a_finished_run_prints_what_the_first_one_did(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossin.training.loss_page.find_spec", lambda _: None)
    words = [config, "--out", tmp_path / "out", "--set", "batches.longest=15"]
    first, again = (train(*words) for _ in range(2))
    assert (first.stdout, messages(first.stderr)) == (again.stdout, messages(again.stderr))
    for word in ("no plot", "left out: ", "note: rows.parquet: ", "raise `batches.longest`"):
        assert word in again.stderr


def test_a_dry_run_estimates_shows_three_micro_batches_and_writes_nothing(
    config: Path, tmp_path: Path
) -> None:
    before = sorted(config.parent.iterdir())
    ended = train(config, "--out", tmp_path / "out", "--dry-run")
    assert ended.stdout.count(": dim is read") == 3
    # Words in brackets are the data's, not markup; the end that is learned is seen.
    assert "It is [bold]" in ended.stdout
    assert "<end>" in ended.stdout
    for word in ("memory", "MiB", "minutes", "are trained", "held out"):
        assert word in ended.stdout
    assert "dry run: nothing was trained or written" in ended.stderr
    # The figures come last.
    assert ended.stdout.rindex("dim is read") < ended.stdout.index("are trained")
    assert not (tmp_path / "out").exists()
    assert sorted(config.parent.iterdir()) == before


def test_a_dry_run_of_long_rows_of_many_kinds_fits_a_screen_and_ends_in_its_figures(
    config: Path, tmp_path: Path
) -> None:
    rows = [
        {
            "prompt": "Why? " * 100 + "\n" * 50,
            "completion": "So. " * 50 + "\n" * 50 + "end",
            "kind": "x2x",
            "lang_in": f"l{number % 30}",
            "lang_out": "en",
        }
        for number in range(60)
    ]
    write_parquet(tmp_path / "rows.parquet", pyarrow.Table.from_pylist(rows))
    ended = train(config, "--dry-run", "--mixture", tmp_path / "rows.parquet")
    lines = ended.stdout.splitlines()
    assert len(lines) < 45
    assert lines[-1].startswith("time ")
    assert "more groups of rows" in ended.stdout
    assert ended.stderr.splitlines()[-1].startswith("dry run: nothing was trained")


@pytest.mark.parametrize("rows", [8, 16])
def test_a_run_shorter_than_a_line_of_the_log_has_a_first_loss_of_its_own(
    config: Path, tmp_path: Path, rows: int
) -> None:
    sets = ["--set", "log_every=1000", "--set", "held_out.every=1000", "--set", f"batches.rows={rows}"]
    ended = train(config, "--out", tmp_path / "out", *sets)
    losses = {
        cells[1].strip(): (cells[4].strip(), cells[5].strip())
        for line in ended.stdout.splitlines()
        if len(cells := line.split("│")) > 5
    }
    for name in ("base, train", "mono, train"):
        first, last = losses[name]
        assert float(first) > float(last)
    # Measured once: it has no first.
    assert losses["base, held-out"][0] == "–"
    steps = read_parquet(tmp_path / "out" / "log.parquet", ["step"])["step"].to_pylist()
    assert (steps[0], len(steps)) == (1, 2)


def test_figures_come_as_json(config: Path, out: Path) -> None:
    preview = json.loads(train(config, "--dry-run", "--json").stdout)
    result = json.loads(train(config, "--out", out, "--json").stdout)
    assert preview["rows_held_out"] == result["counts"]["rows_held_out"]
    assert preview["tokens"] == result["counts"]["tokens"]
    assert result["skipped"] == {}


def test_flags_and_set_take_the_place_of_the_files_entries(
    config: Path, tmp_path: Path, tiny_model: Path
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(config.read_text().replace(str(tiny_model), "nothing").replace("rows.parquet", "none"))
    given = ["--model", tiny_model, "--mixture", config.parent / "rows.parquet", "--seed", 9]
    sets = ["--set", "batches.rows=20", "--set", "method.targets=[q_proj]", "--set", "method.rank=2"]
    train(file, "--out", tmp_path / "out", *given, *sets)
    settings = json.loads((tmp_path / "out" / "manifest.json").read_text())["settings"]
    assert (settings["seed"], settings["batches"]["rows"]) == (9, 20)
    assert settings["method"]["targets"] == ["q_proj"]
    # What `--set` does not name stays the file's.
    assert (settings["method"]["rank"], settings["method"]["alpha"]) == (2, 8)


def test_rows_left_out_are_reported_in_words(config: Path) -> None:
    ended = train(config, "--dry-run", "--set", "batches.longest=15")
    assert "left out: " in ended.stderr and "more tokens than" in ended.stderr


@pytest.mark.parametrize(
    ("change", "words", "expected", "file", "field"),
    [
        ("epoch: 2", [], "did you mean 'epochs'?", "run.yaml", "epoch"),
        ("align: {wieght: 1}", [], "did you mean 'weight'?", "run.yaml", "align.wieght"),
        ("seed: 1\nseed: 2", [], "'seed' is there twice", "run.yaml", None),
        ("", ["--mixture", "/nowhere"], "there is no mixture here", "/nowhere", None),
        ("", ["--model", "nothing"], "no model is called 'nothing'", None, None),
        ("", ["--epochs", "0"], "greater than 0", None, "--epochs"),
        ("", ["--set", "batches.rowss=8"], "did you mean 'rows'", None, "batches.rowss"),
        ("", ["--set", "rows"], "KEY=VALUE", None, "--set"),
        ("", ["--set", "align=[a"], "not YAML", None, "align"),
        ("", ["--set", "method.targets=[p_proj]"], "no linear layers called p_proj", None, "method.targets"),
        ("", ["--set", "batches.longest=2"], "no row is left to learn from", "rows.parquet", None),
    ],
)
def test_bad_input_is_one_clear_error(
    config: Path,
    tmp_path: Path,
    change: str,
    words: list[str],
    expected: str,
    file: str | None,
    field: str | None,
) -> None:
    place = config
    if change:
        place = tmp_path / "run.yaml"
        place.write_text(config.read_text().replace("rows.parquet", str(config.parent)) + change)
    with refused(expected, file=file, field=field):
        train(place, "--out", tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_it_needs_a_folder_or_a_dry_run(config: Path) -> None:
    with refused("folder to write to", hint="--dry-run"):
        train(config)


def test_pairs_alone_end_with_the_values_of_their_terms(config: Path, tmp_path: Path) -> None:
    alone = config.parent / "alone.yaml"
    alone.write_text(
        config.read_text()
        .replace("mixture: rows.parquet\n", "")
        .replace("held_out: {share: 0.2, every: 2}\n", "consist: {granularity: sentence}\n")
        + "pairs: {rows: rows.parquet, share: 1, check_language: false}\nmax_steps: 2\n"
    )
    shown = train(alone, "--dry-run").output
    assert "pairs" in shown and "32" in shown
    assert "sft" not in shown
    ended = train(alone, "--out", tmp_path / "out")
    assert "term consist" in ended.output
    assert any("2 steps" in line for line in messages(ended.stderr))
