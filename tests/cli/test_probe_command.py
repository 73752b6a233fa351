from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from crossin.cli.probe import probe
from crossin.core.errors import CrossinError
from crossin.core.files import read_json

app = typer.Typer()
app.command()(probe)

TEXTS = {
    "en": ["The sun is hot.", "Rain falls on the roof?", "Five birds sing", "My house is old!"],
    "es": [
        "El sol es caliente.",
        "¿La lluvia cae sobre el tejado?",
        "Cantan cinco aves",
        "¡Mi casa es vieja!",
    ],
    "vi": ["Mặt trời nóng.", "Mưa rơi trên mái nhà?", "Năm con chim hót", "Nhà tôi cũ!"],
}


@pytest.fixture
def parallel(tmp_path: Path) -> Path:
    folder = tmp_path / "parallel"
    folder.mkdir()
    for language, lines in TEXTS.items():
        (folder / f"{language}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def crossin(*arguments: str, columns: int = 200) -> tuple[str, str]:
    ended = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns)})
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return ended.stdout, ended.stderr


def test_probe_prints_the_best_layers_and_a_few(tiny_model: Path, parallel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [str(tiny_model), "--parallel", str(parallel), "--out", str(out), "--draws", "50"]
    shown, said = crossin(*arguments)
    told = read_json(out / "probe.json")
    for language in ("es", "vi", "mean"):
        curves = [one["mexa"]["value"] for one in told["figures"] if one["language"] == language]
        [line] = [line for line in shown.splitlines() if re.match(rf"\W*{language} ", line)]
        # "es 1 0.500 [0.250, 0.750] 2 ...": the layer and MEXA with its interval, for both poolings.
        cells = line.split()[1:]
        assert [int(cells[0]), int(cells[4])] == [curve.index(max(curve)) for curve in curves]
        assert [float(cells[1]), float(cells[5])] == [pytest.approx(max(curve), abs=5e-4) for curve in curves]
    assert "layer 0" in shown
    assert "layer 2" in shown
    retrieval = [line for line in shown.splitlines() if "retrieval, to en" in line]
    assert all(line.split()[-1] == "0.250" for line in retrieval)
    assert len(retrieval) == 2
    assert "probe.html" in said
    assert crossin(*arguments)[0] == shown
    assert json.loads(crossin(*arguments, "--json")[0]) == told


def test_a_narrow_terminal_cuts_nothing_off(tiny_model: Path, parallel: Path, tmp_path: Path) -> None:
    arguments = [str(tiny_model), "--parallel", str(parallel), "--out", str(tmp_path / "out")]
    narrow = crossin(*arguments, columns=40)[0]
    assert "…" not in narrow
    assert "retrieval, from en" in narrow


def test_sentences_are_read_before_a_model_is_fetched(parallel: Path, tmp_path: Path) -> None:
    arguments = ["no/model", "--parallel", str(parallel), "--out", str(tmp_path / "out")]
    for options, words in (
        (["--languages", "en,fr"], "no sentences in 'fr'"),
        (["--pivot", "fr"], "not among the"),
    ):
        with pytest.raises(CrossinError, match=words):
            crossin(*arguments, *options)


def test_a_dry_run_tells_and_does_nothing(parallel: Path, tmp_path: Path) -> None:
    arguments = ["no/model", "--parallel", str(parallel), "--out", str(tmp_path / "out"), "--dry-run"]
    shown, _ = crossin(*arguments, "--languages", "vi,English", "--limit", "3")
    assert "model: no/model" in shown
    assert "sentences: 3" in shown
    assert "languages: vi, en" in shown
    assert "pivot: en" in shown
    told = json.loads(crossin(*arguments, "--json", "--pivot", "spa_Latn")[0])
    assert (told["languages"], told["pivot"]) == (["en", "es", "vi"], "es")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--languages", "en,fr"], "has no sentences in 'fr'"),
        (["--languages", "en"], "one language has nothing to be near to"),
        (["--pivot", "fr"], "'fr' is not among the languages"),
        (["--adapter", "{empty}"], "holds no adapter"),
        (["--device", "abacus"], "no device is called 'abacus'"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tiny_model: Path, parallel: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    given = [option.replace("{empty}", str(tmp_path / "empty")) for option in options]
    with pytest.raises(CrossinError) as caught:
        crossin(str(tiny_model), "--parallel", str(parallel), "--out", str(tmp_path / "out"), *given)
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()
