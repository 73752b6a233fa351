"""The stage as its users meet it: a real server on loopback with true translations and planted faults."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_parquet
from crossin.core.formats import FIELDS
from crossin.translation import translate
from crossin.translation.engine import BudgetSpent
from crossin.translation.engines.openai import OpenAITranslator
from crossin.translation.filters.quality import QualityModel
from crossin.translation.protect import protect
from crossin.translation.shard import Setup
from tests.helpers.translated_rows import counts, mock_server, rows_of, table_of, write_rows

ROWS = 40


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `rows.jsonl` and `table.json`."""
    folder = tmp_path_factory.mktemp("home")
    table_of(write_rows(folder / "rows.jsonl", ROWS), folder / "table.json")
    return folder


def setup_of(url: str, **settings: Any) -> Setup:
    return Setup(OpenAITranslator("stand-in", url, timeout=6.0, **settings), "en")


def kept(out: Path, language: str) -> dict[str, dict[str, Any]]:
    columns = ["id", *FIELDS, "fate", "bound", "answer", "attempts"]
    files = sorted((out / "data" / language).glob("*.parquet"))
    return {row["id"]: row for file in files for row in read_parquet(file, columns).to_pylist()}


def rejected(out: Path) -> list[dict[str, Any]]:
    columns = ["id", "language", "fate", "reason", "field", "detail", "attempts", "output", "source_output"]
    found: list[dict[str, Any]] = read_parquet(out / "rejects.parquet", columns).to_pylist()
    return found


def corpus_files(out: Path) -> dict[str, bytes]:
    """What may not differ between runs: all but the times at which answers came."""
    files = [*sorted((out / "data").rglob("*.parquet")), out / "rejects.parquet"]
    return {str(file.relative_to(out)): file.read_bytes() for file in files}


def test_every_row_comes_back_in_every_language_under_its_id(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        stage = translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["Spanish", "zh"])
    for language in ("es", "zh"):
        found = kept(tmp_path / "out", language)
        for row in rows_of(ROWS):
            assert [found[row["id"]][field] for field in FIELDS] == row[language]
        assert stage.manifest["counts"]["languages"][language]["passed"] == ROWS
    source = read_parquet(tmp_path / "out" / "data" / "en" / "00000.parquet", ["id", *FIELDS]).to_pylist()
    assert [row["id"] for row in source] == [row["id"] for row in rows_of(ROWS)]
    assert rejected(tmp_path / "out") == []
    provenance = read_parquet(
        tmp_path / "out" / "provenance" / "zh" / "00000.parquet",
        ["id", "engine", "model", "prompt", "time", "attempts"],
    ).to_pylist()
    assert {row["engine"] for row in provenance} == {"openai"}
    assert {row["model"] for row in provenance} == {"stand-in"}
    assert all(row["time"] and row["prompt"] for row in provenance)


@pytest.mark.parametrize(
    "kind",
    [
        "bad JSON",
        "wrong language",
        "dropped placeholder",
        "dropped sentence",
        "doubled text",
        "refusal",
        "copy",
        "changed number",
    ],
)
def test_a_faulty_answer_is_asked_again_and_repaired(home: Path, tmp_path: Path, kind: str) -> None:
    faults = ("--faults", "0.3", "--kinds", kind)
    with mock_server(home / "table.json", *faults) as url:
        stage = translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es"])
        met = counts(url)["faults"]
    found = stage.manifest["counts"]["languages"]["es"]
    assert met > 0
    assert found["repaired"] == met
    assert found["passed"] + found["repaired"] == ROWS
    truth = {row["id"]: row["es"] for row in rows_of(ROWS)}
    for name, row in kept(tmp_path / "out", "es").items():
        assert [row[field] for field in FIELDS] == truth[name]


def test_a_row_that_stays_faulty_is_rejected_with_its_reason(home: Path, tmp_path: Path) -> None:
    faults = ("--faults", "0.3", "--kinds", "refusal,wrong language", "--stubborn")
    with mock_server(home / "table.json", *faults) as url:
        stage = translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es"])
    lost = rejected(tmp_path / "out")
    assert lost
    assert all(row["fate"] == "rejected" and row["reason"] and row["attempts"] == 3 for row in lost)
    assert len(kept(tmp_path / "out", "es")) + len(lost) == ROWS
    assert sum(stage.manifest["counts"]["languages"]["es"]["rejected"].values()) == len(lost)
    assert not any(row["output"] == "" for row in kept(tmp_path / "out", "es").values())


def test_faults_of_transport_cost_time_and_nothing_else(home: Path, tmp_path: Path) -> None:
    faults = ("--faults", "0.4", "--kinds", "429,500,hang,cut stream,bad JSON body")
    with mock_server(home / "table.json", *faults) as url:
        translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es"])
        seen = counts(url)
    assert len(kept(tmp_path / "out", "es")) == ROWS
    assert seen["faults"] > 0
    assert seen["answered twice"] == 0


def test_what_was_answered_is_never_asked_again(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        for out in ("one", "two"):
            stage = translate(
                home / "rows.jsonl",
                tmp_path / out,
                setup_of(url),
                ["es"],
                store=tmp_path / "store.sqlite",
            )
        assert counts(url)["asked"] == ROWS
        assert stage.manifest["counts"]["answers"]["known"] == ROWS
        translate(
            home / "rows.jsonl",
            tmp_path / "three",
            setup_of(url, prompt="Put it into {target}. Reply in JSON."),
            ["es"],
            store=tmp_path / "store.sqlite",
        )
        assert counts(url)["asked"] > ROWS, "another prompt takes nothing from before"


def test_shards_made_by_two_ranks_are_those_of_one_process(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        whole = translate(home / "rows.jsonl", tmp_path / "one", setup_of(url), ["es", "zh"], shard_rows=15)
        for rank in (1, 0):
            stage = translate(
                home / "rows.jsonl",
                tmp_path / "two",
                setup_of(url),
                ["es", "zh"],
                shard_rows=15,
                rank=rank,
                world_size=2,
            )
    assert whole.done and stage.done
    assert corpus_files(tmp_path / "one") == corpus_files(tmp_path / "two")
    # No shard is a small rest, which would have too few rows to learn from.
    sizes = [
        read_parquet(path, ["id"]).num_rows for path in sorted((tmp_path / "one/data/zh").glob("*.parquet"))
    ]
    assert sizes == [13, 13, 14]


def test_rows_that_are_bound_to_their_language_are_left_out_kept_or_half_translated(
    home: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (home / "rows.jsonl").read_text("utf-8").splitlines()]
    bound = {
        "id": "grammar",
        "instruction": "Correct the grammar of this sentence.",
        "input": "She go to school.",
        "output": "She goes to school.",
    }
    corpus = tmp_path / "rows.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in [*rows, bound]), "utf-8")
    table = json.loads((home / "table.json").read_text("utf-8"))
    table["Spanish|Correct the grammar of this sentence."] = "Corrige la gramática de esta frase."
    (tmp_path / "table.json").write_text(json.dumps(table, ensure_ascii=False), "utf-8")
    with mock_server(tmp_path / "table.json") as url:
        for treated in ("skip", "keep", "instruction"):
            setup = replace(setup_of(url), task_bound=treated)
            translate(corpus, tmp_path / treated, setup, ["es"])
    (left,) = rejected(tmp_path / "skip")
    assert (left["id"], left["fate"]) == ("grammar", "left out")
    assert "grammar" in left["reason"]
    assert kept(tmp_path / "keep", "es")["grammar"]["output"] == bound["output"]
    assert kept(tmp_path / "keep", "es")["grammar"]["fate"] == "kept"
    half = kept(tmp_path / "instruction", "es")["grammar"]
    assert [half[field] for field in FIELDS] == [
        "Corrige la gramática de esta frase.",
        bound["input"],
        bound["output"],
    ]


def test_a_glossary_is_enforced(tmp_path: Path) -> None:
    row = {
        "id": "1",
        "instruction": "What is a large language model good for?",
        "input": "",
        "output": "Much.",
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    known = {
        "Spanish|What is a ⟦1⟧ good for?": "¿Para qué sirve un ⟦1⟧?",
        "Spanish|Much.": "Para mucho.",
    }
    (tmp_path / "table.json").write_text(json.dumps(known, ensure_ascii=False), "utf-8")
    with mock_server(tmp_path / "table.json") as url:
        setup = replace(setup_of(url), glossary={"es": {"large language model": "gran modelo de lenguaje"}})
        translate(tmp_path / "rows.jsonl", tmp_path / "out", setup, ["es"])
    assert kept(tmp_path / "out", "es")["1"]["instruction"] == "¿Para qué sirve un gran modelo de lenguaje?"


def test_a_spent_budget_ends_the_run_and_says_what_is_left(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        poor = setup_of(url, prices=(1e3, 1e3), budget=2.0, concurrency=2)
        with pytest.raises(BudgetSpent, match=r"budget of 2 is spent: \d+ of 40 rows are left in es"):
            translate(home / "rows.jsonl", tmp_path / "out", poor, ["es"])
        asked = counts(url)["asked"]
        assert 0 < asked < ROWS
        assert (poor.engine.usage.cost or 0) <= 2.0  # type: ignore[attr-defined]
        translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es"])
        assert counts(url)["answered twice"] == 0


def test_a_wrong_key_stops_at_once(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-that-one")
    with mock_server(home / "table.json", "--key", "right") as url, pytest.raises(CrossinError) as told:
        translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es"])
    assert "OPENAI_API_KEY" in str(told.value)
    assert "not-that-one" not in str(told.value)
    assert not any(path.suffix == ".parquet" for path in (tmp_path / "out").rglob("*"))


def test_an_unknown_model_is_told_with_those_that_there_are(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url, pytest.raises(CrossinError, match="stand-in"):
        translate(home / "rows.jsonl", tmp_path / "out", Setup(OpenAITranslator("gpt", url), "en"), ["es"])


def test_a_server_that_is_not_there_is_told(home: Path, tmp_path: Path) -> None:
    setup = Setup(OpenAITranslator("m", "http://127.0.0.1:9/v1", retries=1), "en")
    with pytest.raises(CrossinError, match="no connection"):
        translate(home / "rows.jsonl", tmp_path / "out", setup, ["es"])


def test_rows_in_another_language_than_they_are_said_to_be_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("lingua", reason="the extra `text` is not installed")
    rows = [dict(zip(FIELDS, row["es"], strict=True)) for row in rows_of(240)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with pytest.raises(CrossinError, match="look like es"):
        translate(tmp_path / "rows.jsonl", tmp_path / "out", setup_of("http://127.0.0.1:9/v1"), ["zh"])


def test_a_folder_of_another_run_is_refused(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es"])
        with pytest.raises(CrossinError, match="another run's files"):
            translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es", "zh"])


def test_the_source_language_is_no_target(home: Path, tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="in en already"):
        translate(home / "rows.jsonl", tmp_path / "out", setup_of("http://127.0.0.1:9/v1"), ["English"])


def test_a_damaged_store_is_made_anew_and_the_rest_asked_again(home: Path, tmp_path: Path) -> None:
    told: list[str] = []
    with mock_server(home / "table.json") as url:
        store = tmp_path / "store.sqlite"
        translate(home / "rows.jsonl", tmp_path / "one", setup_of(url), ["es", "zh"], store=store)
        content = bytearray(store.read_bytes())
        middle = len(content) // 8192 * 4096
        content[middle : middle + 4096] = b"\xff" * 4096
        store.write_bytes(content)
        stage = translate(
            home / "rows.jsonl", tmp_path / "two", setup_of(url), ["es", "zh"], store=store, say=told.append
        )
    assert len(told) == 1 and "was damaged" in told[0]
    answers = stage.manifest["counts"]["answers"]
    assert 0 < answers["known"] < 2 * ROWS
    assert answers["known"] + answers["asked"] == 2 * ROWS
    assert corpus_files(tmp_path / "one") == corpus_files(tmp_path / "two")


def test_a_finished_run_is_found_done(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        translate(home / "rows.jsonl", tmp_path / "out", setup_of(url), ["es"])
    again = translate(home / "rows.jsonl", tmp_path / "out", setup_of("http://127.0.0.1:9/v1"), ["es"])
    assert again.done
    manifest = read_json(tmp_path / "out" / "manifest.json")
    assert manifest["settings"]["to"] == ["es"]
    shutil.rmtree(tmp_path / "out")


def test_native_answers_are_marked_and_in_the_language(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        for language in ("es", "zh"):
            translate(
                home / "rows.jsonl", tmp_path / language, replace(setup_of(url), native=True), [language]
            )
    found = kept(tmp_path / "es", "es")
    assert len(found) == ROWS
    for row in rows_of(ROWS):
        assert found[row["id"]]["instruction"] == row["es"][0]
        assert found[row["id"]]["output"].startswith("Sí, por supuesto")
        assert found[row["id"]]["answer"] == "native"
    # The stand-in answers in Spanish whatever it is asked.
    assert kept(tmp_path / "zh", "zh") == {}
    assert {(row["reason"], row["field"]) for row in rejected(tmp_path / "zh")} == {
        ("wrong language", "output")
    }


def test_a_round_trip_that_leads_elsewhere_is_a_reason(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("sacrebleu", reason="the extra `text` is not installed")
    rows = rows_of(ROWS)
    table = json.loads((home / "table.json").read_text("utf-8"))
    for number, row in enumerate(rows):
        for field, text in enumerate(row["es"]):
            first = 1 + sum(len(protect(other).kept) for other in row["es"][:field])
            asked = protect(text, {}, first).text
            table[f"English|{asked}"] = (
                protect(row["en"][field], {}, first).text if number % 2 else "Nothing."
            )
    (tmp_path / "table.json").write_text(json.dumps(table, ensure_ascii=False), "utf-8")
    with mock_server(tmp_path / "table.json") as url:
        setup = replace(setup_of(url), round_trip=60.0)
        translate(home / "rows.jsonl", tmp_path / "out", setup, ["es"])
    assert set(kept(tmp_path / "out", "es")) == {row["id"] for row in rows[1::2]}
    assert {row["reason"] for row in rejected(tmp_path / "out")} == {"round trip too low"}


def test_a_quality_model_is_a_gate(home: Path, tmp_path: Path, tiny_model: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    judge = AutoModelForSequenceClassification.from_pretrained(tiny_model, num_labels=1)
    judge.save_pretrained(tmp_path / "judge")
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path / "judge")
    model = QualityModel(tmp_path / "judge", 0.0)
    pairs = [(dict(zip(FIELDS, row["en"], strict=True)), {"output": row["es"][2]}) for row in rows_of(ROWS)]
    middle = sorted(model.scores(pairs))[ROWS // 2]
    with mock_server(home / "table.json") as url:
        setup = replace(setup_of(url), quality=QualityModel(tmp_path / "judge", middle))
        translate(home / "rows.jsonl", tmp_path / "out", setup, ["es"])
    found = rejected(tmp_path / "out")
    assert 0 < len(found) < ROWS
    assert {row["reason"] for row in found} == {"quality too low"}
    column = read_parquet(tmp_path / "out" / "data" / "es" / "00000.parquet", ["gate_quality"])
    assert min(column["gate_quality"].to_pylist()) >= middle
