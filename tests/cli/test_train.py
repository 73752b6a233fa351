from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crossin.core.files import write_parquet
from tests.helpers.apart import crossin

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


@pytest.fixture
def config(tiny_model: Path, tmp_path: Path) -> Path:
    import pyarrow

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
    write_parquet(tmp_path / "home" / "rows.parquet", pyarrow.Table.from_pylist(rows))
    path = tmp_path / "home" / "run.yaml"
    path.write_text(CONFIG.format(model=tiny_model))
    return path


def test_a_run_ends_with_the_losses_by_language_and_is_found_done_the_next_time(
    config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        ended = crossin("train", str(config), "--out", str(out))
        assert ended.returncode == 0, ended.stderr
        for word in ("first loss", "last loss", "base, train", "mono, held-out"):
            assert word in ended.stdout
        assert f"a second, in {out / 'adapter'}" in ended.stderr.replace("\n", " ")
    assert (out / "adapter" / "adapter_model.safetensors").exists()


def test_a_dry_run_estimates_shows_three_passes_and_writes_nothing(config: Path, tmp_path: Path) -> None:
    before = sorted(config.parent.iterdir())
    ended = crossin("train", str(config), "--out", str(tmp_path / "out"), "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(": dim is read") == 3
    # Words in brackets are the data's, not markup; the end that is learned is seen.
    assert "It is [bold]" in ended.stdout
    assert "<end>" in ended.stdout
    for word in ("memory", "MiB", "minutes", "are trained", "held out"):
        assert word in ended.stdout
    assert "dry run: nothing was trained or written" in ended.stderr
    assert not (tmp_path / "out").exists()
    assert sorted(config.parent.iterdir()) == before


def test_figures_come_as_json(config: Path, tmp_path: Path) -> None:
    looked = json.loads(crossin("train", str(config), "--dry-run", "--json").stdout)
    made = json.loads(crossin("train", str(config), "--out", str(tmp_path / "out"), "--json").stdout)
    assert looked["rows"] == made["counts"]["rows"]
    assert looked["tokens"] == made["counts"]["tokens"]
    assert made["skipped"] == {}


def test_model_mixture_and_seed_take_the_place_of_the_configs(
    config: Path, tmp_path: Path, tiny_model: Path
) -> None:
    config.write_text(config.read_text().replace(str(tiny_model), "nothing").replace("rows.parquet", "none"))
    given = ["--model", str(tiny_model), "--mixture", str(config.parent / "rows.parquet"), "--seed", "9"]
    ended = crossin("train", str(config), "--out", str(tmp_path / "out"), *given)
    assert ended.returncode == 0, ended.stderr
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["settings"]["seed"] == 9


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (
            "epoch: 2",
            [],
            "run.yaml, field 'epoch': there is no key 'epoch' here. Hint: did you mean 'epochs'?",
        ),
        ("method: {rnk: 2}", [], "did you mean 'rank'?"),
        ("", ["--mixture", "/nowhere"], "/nowhere: there is no mixture here"),
        ("", ["--model", "nothing"], "no model is called 'nothing'"),
        ("method: {targets: [p_proj]}", [], "the model has no linear layers called p_proj"),
        ("batches: {longest: 2}", [], "no row is left to learn from"),
    ],
)
def test_bad_input_is_one_clear_error(
    config: Path, tmp_path: Path, change: str, arguments: list[str], words: str
) -> None:
    name = change.partition(":")[0]
    lines = [line for line in config.read_text().splitlines() if not name or not line.startswith(name)]
    config.write_text("\n".join([*lines, change]))
    ended = crossin("train", str(config), "--out", str(tmp_path / "out"), *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr


def test_it_needs_a_folder_or_a_dry_run(config: Path) -> None:
    ended = crossin("train", str(config))
    assert (ended.returncode, "--out DIR, or look first with --dry-run" in ended.stderr) == (2, True)


def test_the_verb_stands_in_the_help_and_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "crossin", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    verbs = [line.split()[1] for line in shown.splitlines() if line.startswith("│ ")]
    assert "train" in verbs
