from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from crossin.core.files import read_json
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.messages import messages

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


def test_probe_prints_the_best_layers_and_a_few(tiny_model: Path, parallel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["probe", tiny_model, "--parallel", parallel, "--out", out, "--draws", "50"]
    ended = crossin(*arguments)
    shown, said = ended.stdout, ended.stderr
    values = read_json(out / "probe.json")
    for language in ("es", "vi", "mean"):
        curves = [one["mexa"]["value"] for one in values["figures"] if one["language"] == language]
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
    assert crossin(*arguments).stdout == shown
    assert json.loads(crossin(*arguments, "--json").stdout) == values


def test_a_finished_probe_says_again_what_was_left_out_and_what_to_do(
    tiny_model: Path, tmp_path: Path
) -> None:
    lines = [
        {"item": str(number), "language": language, "text": f"Sentence {number} in {language}"}
        for number in range(8)
        for language in ("en", "vi")
        if language == "en" or number < 6
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)))
    words = ["probe", tiny_model, "--parallel", tmp_path / "rows.jsonl", "--draws", "20"]
    first, again = (crossin(*words, "--out", tmp_path / "out") for _ in range(2))
    assert (first.stdout, messages(first.stderr)) == (again.stdout, messages(again.stderr))
    for ended in (first, crossin(*words, "--dry-run")):
        assert "left out: 2 sentences, missing in the language (vi)" in ended.stderr
        assert "note: rows.jsonl: 2 of 8 sentences" in ended.stderr
        assert "add what is missing" in ended.stderr


def test_a_narrow_terminal_cuts_nothing_off(tiny_model: Path, parallel: Path, tmp_path: Path) -> None:
    arguments = ["probe", tiny_model, "--parallel", parallel, "--out", tmp_path / "out"]
    narrow = crossin(*arguments, columns=40).stdout
    assert "…" not in narrow
    assert "retrieval, from en" in narrow


def test_settings_come_from_a_file_and_flags_replace_them(parallel: Path, tmp_path: Path) -> None:
    file = tmp_path / "probe.yaml"
    # A relative path starts from the file's folder.
    file.write_text("model: no/model\nparallel: parallel\nlanguages: [English, vi]\nlimit: 3\n", "utf-8")
    read = json.loads(crossin("probe", "--config", file, "--dry-run", "--json").stdout)
    assert (read["model"], read["languages"], read["sentences"]) == ("no/model", ["en", "vi"], 3)
    flags = ["--languages", "es,vi", "--limit", "2", "--pivot", "spa_Latn"]
    read = json.loads(crossin("probe", "other/model", "--config", file, "--dry-run", "--json", *flags).stdout)
    assert (read["model"], read["languages"], read["sentences"]) == ("other/model", ["es", "vi"], 2)
    assert read["pivot"] == "es"


def test_a_dry_run_shows_what_is_read_and_writes_nothing(parallel: Path, tmp_path: Path) -> None:
    arguments = ["probe", "no/model", "--parallel", parallel, "--out", tmp_path / "out", "--dry-run"]
    shown = crossin(*arguments, "--languages", "vi,English", "--limit", "3").stdout
    assert "model: no/model" in shown
    assert "sentences: 3" in shown
    assert "languages: vi, en" in shown
    assert "pivot: en" in shown
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "field", "words"),
    [
        (["--languages", "en,fr"], None, ["no sentences", "fr"]),
        (["--languages", "en,tlhx"], "--languages", ["unknown language", "tlhx"]),
        (["--languages", "en"], None, ["only en"]),
        (["--pivot", "fr"], "--pivot", ["fr", "choose one of"]),
        (["--limit", "1"], "--limit", ["2"]),
    ],
)
def test_sentences_are_read_before_a_model_is_downloaded(
    parallel: Path, tmp_path: Path, options: list[str], field: str | None, words: list[str]
) -> None:
    with refused(*words, field=field):
        crossin("probe", "no/model", "--parallel", parallel, "--out", tmp_path / "out", *options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--adapter", "{empty}"], ["adapter"]),
        (["--device", "abacus"], ["device", "abacus"]),
        (["--parallel", "{empty}"], ["no parallel sentences"]),
    ],
)
def test_mistakes_leave_no_folder(
    tiny_model: Path, parallel: Path, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    (tmp_path / "empty").mkdir()
    given = [option.replace("{empty}", str(tmp_path / "empty")) for option in options]
    with refused(*words):
        crossin("probe", tiny_model, "--parallel", parallel, "--out", tmp_path / "out", *given)
    assert not (tmp_path / "out").exists()


def test_what_is_needed_and_not_given_is_named(parallel: Path) -> None:
    for arguments, field in ((["--parallel", parallel], "model"), (["no/model"], "--parallel")):
        with refused(field=field, hint="docs/probe.md"):
            crossin("probe", *arguments, "--dry-run")


def test_sentences_in_another_language_are_an_error_that_can_be_overridden(
    parallel: Path, tmp_path: Path
) -> None:
    lines = (parallel / "en.txt").read_text("utf-8").splitlines()
    thai = ["ดวงอาทิตย์ร้อนมาก", "ฝนตกลงบนหลังคาบ้าน", "นกห้าตัวกำลังร้องเพลง", "บ้านของฉันเก่าแล้ว"]
    (parallel / "en.txt").write_text("\n".join(lines * 2) + "\n", encoding="utf-8")
    for wrong in ("vi", "zh"):
        (parallel / f"{wrong}.txt").write_text("\n".join(thai * 2) + "\n", encoding="utf-8")
        words = ["probe", "no/model", "--parallel", parallel, "--languages", f"en,{wrong}", "--dry-run"]
        with refused(f"in {wrong}", "look like", "thai", file=f"{wrong}.txt", hint="--no-check-language"):
            crossin(*words)
        assert "sentences: 8" in crossin(*words, "--no-check-language").stdout
