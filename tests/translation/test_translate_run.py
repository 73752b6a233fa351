"""The stage as its users meet it: a real server on loopback with true translations and planted faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_json, read_parquet
from crossin.core.formats import FIELDS
from crossin.core.stages import Stage
from crossin.translation.checks.quality import QualityModel
from crossin.translation.config import TranslateConfig
from crossin.translation.protection import protect
from crossin.translation.run import translate
from tests.helpers.translated_rows import (
    config_of,
    corpus_files,
    counts,
    kept,
    mock_server,
    rejected,
    rows_of,
    write_home,
)

ROWS = 40


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_home(tmp_path_factory.mktemp("home"), ROWS)


def run(home: Path, out: Path, url: str, to: Sequence[str], **settings: Any) -> Stage:
    """Translate `rows.jsonl` of `home`."""
    return translate(config_of(home / "rows.jsonl", url, to, **settings), out)


def test_every_row_comes_back_in_every_language_under_its_id(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        stage = run(home, tmp_path / "out", url, ["Spanish", "zh"])
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
    assert {row["model"] for row in provenance} == {"mock"}
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
def test_a_faulty_translation_is_requested_again_and_repaired(home: Path, tmp_path: Path, kind: str) -> None:
    faults = ("--faults", "0.3", "--kinds", kind)
    with mock_server(home / "table.json", *faults) as url:
        stage = run(home, tmp_path / "out", url, ["es"])
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
        stage = run(home, tmp_path / "out", url, ["es"])
    lost = rejected(tmp_path / "out")
    assert lost
    assert all(row["status"] == "rejected" and row["reason"] and row["attempts"] == 3 for row in lost)
    assert len(kept(tmp_path / "out", "es")) + len(lost) == ROWS
    assert sum(stage.manifest["counts"]["languages"]["es"]["rejected"].values()) == len(lost)
    assert not any(row["output"] == "" for row in kept(tmp_path / "out", "es").values())


def test_faults_of_transport_cost_time_and_nothing_else(home: Path, tmp_path: Path) -> None:
    faults = ("--faults", "0.4", "--kinds", "429,500,hang,cut stream,bad JSON body")
    with mock_server(home / "table.json", *faults) as url:
        run(home, tmp_path / "out", url, ["es"], server={"timeout": 6.0})
        seen = counts(url)
    assert len(kept(tmp_path / "out", "es")) == ROWS
    assert seen["faults"] > 0
    assert seen["answered twice"] == 0


def test_a_cached_response_is_never_requested_again(home: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache.sqlite"
    with mock_server(home / "table.json") as url:
        for out in ("one", "two"):
            stage = run(home, tmp_path / out, url, ["es"], cache=cache)
        assert counts(url)["asked"] == ROWS
        assert stage.manifest["counts"]["responses"]["cached"] == ROWS
        prompt = tmp_path / "prompt.txt"
        prompt.write_text("Put it into {target}. Reply in JSON.", "utf-8")
        run(home, tmp_path / "three", url, ["es"], cache=cache, prompt=prompt)
        assert counts(url)["asked"] > ROWS, "another prompt takes nothing from before"


def test_shards_made_by_two_ranks_are_those_of_one_process(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        config = config_of(home / "rows.jsonl", url, ["es", "zh"], shard_rows=15)
        whole = translate(config, tmp_path / "one")
        for rank in (1, 0):
            stage = translate(config, tmp_path / "two", rank=rank, world_size=2)
    assert whole.done and stage.done
    assert corpus_files(tmp_path / "one") == corpus_files(tmp_path / "two")
    # The manifest counts the responses of both ranks.
    assert stage.manifest["counts"]["responses"]["requested"] == 2 * ROWS
    assert stage.manifest["counts"]["usage"]["requests"] == 2 * ROWS
    # No shard is a small rest, which would have too few rows to fit thresholds to.
    sizes = [
        read_parquet(path, ["id"]).num_rows for path in sorted((tmp_path / "one/data/zh").glob("*.parquet"))
    ]
    assert sizes == [13, 13, 14]


def test_language_specific_rows_are_left_out_kept_or_half_translated(home: Path, tmp_path: Path) -> None:
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
            config = config_of(corpus, url, ["es"], language_specific=treated)
            translate(config, tmp_path / treated)
    (left,) = rejected(tmp_path / "skip")
    assert (left["id"], left["status"]) == ("grammar", "left_out")
    assert left["reason"] == "grammar"
    assert kept(tmp_path / "keep", "es")["grammar"]["output"] == bound["output"]
    assert kept(tmp_path / "keep", "es")["grammar"]["status"] == "kept"
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
        terms = {"Spanish": {"large language model": "gran modelo de lenguaje"}}
        translate(config_of(tmp_path / "rows.jsonl", url, ["es"], glossary=terms), tmp_path / "out")
    assert kept(tmp_path / "out", "es")["1"]["instruction"] == "¿Para qué sirve un gran modelo de lenguaje?"


def test_a_damaged_cache_is_rebuilt_and_the_rest_requested_again(home: Path, tmp_path: Path) -> None:
    messages: list[str] = []
    with mock_server(home / "table.json") as url:
        cache = tmp_path / "cache.sqlite"
        config = config_of(home / "rows.jsonl", url, ["es", "zh"], cache=cache)
        translate(config, tmp_path / "one")
        content = bytearray(cache.read_bytes())
        middle = len(content) // 8192 * 4096
        content[middle : middle + 4096] = b"\xff" * 4096
        cache.write_bytes(content)
        stage = translate(config, tmp_path / "two", say=messages.append)
    assert len(messages) == 1 and "damaged" in messages[0]
    responses = stage.manifest["counts"]["responses"]
    assert 0 < responses["cached"] < 2 * ROWS
    assert responses["cached"] + responses["requested"] == 2 * ROWS
    assert corpus_files(tmp_path / "one") == corpus_files(tmp_path / "two")


def test_a_finished_run_is_found_done(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        run(home, tmp_path / "out", url, ["es"])
    again = run(home, tmp_path / "out", "http://127.0.0.1:9/v1", ["es"])
    assert again.done
    assert read_json(tmp_path / "out" / "manifest.json")["settings"]["to"] == ["es"]


def test_settings_from_yaml_and_from_python_give_the_same_corpus(home: Path, tmp_path: Path) -> None:
    from crossin import translate
    from crossin.core.settings import read_settings

    with mock_server(home / "table.json") as url:
        (tmp_path / "translate.yaml").write_text(
            f"corpus: {home / 'rows.jsonl'}\nto: [Spanish]\nengine: openai\nmodel: other\n"
            f"server: {{base_url: {url}, concurrency: 3}}\n",
            "utf-8",
        )
        given = {"model": "mock"}
        read = read_settings(
            TranslateConfig, tmp_path / "translate.yaml", given, hint="see docs/translate.md"
        )
        assert (read.to, read.model, read.server.concurrency) == (("es",), "mock", 3)
        translate(read, str(tmp_path / "yaml"))
        run(home, tmp_path / "python", url, ["es"])
    assert corpus_files(tmp_path / "yaml") == corpus_files(tmp_path / "python")


def test_translations_are_made_in_a_notebook_too(home: Path, tmp_path: Path) -> None:
    async def cell() -> Stage:
        return run(home, tmp_path / "out", url, ["es"])

    with mock_server(home / "table.json") as url:
        assert asyncio.run(cell()).done


def test_native_answers_are_marked_and_in_the_language(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        for language in ("es", "zh"):
            run(home, tmp_path / language, url, [language], native=True)
    found = kept(tmp_path / "es", "es")
    assert len(found) == ROWS
    for row in rows_of(ROWS):
        assert found[row["id"]]["instruction"] == row["es"][0]
        assert found[row["id"]]["output"].startswith("Sí, por supuesto")
        assert found[row["id"]]["answer"] == "native"
    # The mock server answers in Spanish whatever it is asked.
    assert kept(tmp_path / "zh", "zh") == {}
    assert {(row["reason"], row["field"]) for row in rejected(tmp_path / "zh")} == {
        ("wrong_language", "output")
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
        run(home, tmp_path / "out", url, ["es"], round_trip=60.0)
    assert set(kept(tmp_path / "out", "es")) == {row["id"] for row in rows[1::2]}
    assert {row["reason"] for row in rejected(tmp_path / "out")} == {"round_trip"}


def test_a_quality_model_is_a_check(home: Path, tmp_path: Path, tiny_model: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    estimator = AutoModelForSequenceClassification.from_pretrained(tiny_model, num_labels=1)
    estimator.save_pretrained(tmp_path / "estimator")
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path / "estimator")
    model = QualityModel(tmp_path / "estimator", 0.0)
    pairs = [(dict(zip(FIELDS, row["en"], strict=True)), {"output": row["es"][2]}) for row in rows_of(ROWS)]
    middle = sorted(model.scores(pairs))[ROWS // 2]
    with mock_server(home / "table.json") as url:
        run(home, tmp_path / "out", url, ["es"], quality_model=tmp_path / "estimator", quality=middle)
    found = rejected(tmp_path / "out")
    assert 0 < len(found) < ROWS
    assert {row["reason"] for row in found} == {"quality"}
    column = read_parquet(tmp_path / "out" / "data" / "es" / "00000.parquet", ["check_quality"])
    assert min(column["check_quality"].to_pylist()) >= middle
