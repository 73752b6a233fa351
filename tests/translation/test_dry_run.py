"""The estimate of a dry run is what a run then takes of the limits, by the same count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.servers import Accounting
from crossin.translation.dry_run import estimate_run
from crossin.translation.protection import protect
from crossin.translation.run import translate
from tests.helpers.translated_rows import config_of, counts, mock_server, rows_of, table_of, write_rows

ROWS = 16


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `rows.jsonl`, of which one row is there twice, and a table for there and back."""
    folder = tmp_path_factory.mktemp("home")
    table = table_of(write_rows(folder / "rows.jsonl", ROWS), folder / "table.json")
    lines = (folder / "rows.jsonl").read_text("utf-8").splitlines()
    bound = {
        "instruction": "Correct the grammar of this sentence.",
        "input": "She go.",
        "output": "She goes.",
    }
    again = {**json.loads(lines[0]), "id": "again"}
    lines += [json.dumps(again), json.dumps({"id": "bound", **bound})]
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    known = json.loads(table.read_text("utf-8"))
    known[f"Spanish|{bound['instruction']}"] = "Corrige la gramática de esta frase."
    known["English|Corrige la gramática de esta frase."] = bound["instruction"]
    for row in rows_of(ROWS):
        first = 1
        for english, spanish in zip(row["en"], row["es"], strict=True):
            there = protect(spanish, {}, first)
            known[f"English|{there.text}"] = protect(english, {}, first).text
            first += len(there.kept)
    table.write_text(json.dumps(known, ensure_ascii=False), "utf-8")
    return folder


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """The tokens and seconds that each request takes of the limits; none of them waits."""
    found: list[tuple[int, float]] = []

    async def admit(self: Accounting, tokens: int, cost: float = 0.0) -> None:
        found.append((tokens, self.settings.seconds(tokens)))

    monkeypatch.setattr(Accounting, "admit", admit)
    return found


@pytest.mark.parametrize(
    ("settings", "exact"),
    [
        ({}, True),
        ({"to": ["es", "zh"]}, True),
        ({"language_specific": "instruction"}, True),
        ({"server": {"body": {"max_tokens": 50}}}, True),
        ({"server": {"body": {"max_tokens": None, "max_completion_tokens": 70}}}, True),
        ({"server": {"body": {"max_tokens": None}}}, True),
        ({"server": {"requests_per_minute": 2.0}}, True),
        ({"server": {"requests_per_minute": 2.0, "tokens_per_minute": None}}, True),
        # What is sent for these is not known before: the translations.
        ({"native": True}, False),
        ({"round_trip": 10.0}, False),
        ({"native": True, "round_trip": 10.0, "language_specific": "instruction"}, False),
    ],
)
def test_the_limits_take_what_the_dry_run_says(
    home: Path, tmp_path: Path, taken: list[tuple[int, float]], settings: dict[str, Any], exact: bool
) -> None:
    settings = {"to": ["es"], **settings}
    limits = {"timeout": 60.0, "tokens_per_minute": 600.0, **settings.pop("server", {})}
    with mock_server(home / "table.json") as url:
        config = config_of(home / "rows.jsonl", url, server=limits, **settings)
        parts = estimate_run(config).languages
        assert counts(url)["asked"] == 0
        translate(config, tmp_path / "out")
        assert counts(url)["asked"] == sum(part.requests for part in parts) == len(taken)
    tokens, seconds = map(sum, zip(*taken, strict=True))
    near = 1e-9 if exact else 0.2
    assert sum(part.limit_tokens for part in parts) == pytest.approx(tokens, rel=near)
    assert sum(part.minutes or 0.0 for part in parts) * 60 == pytest.approx(seconds, rel=near)


def test_prompts_are_estimated_as_they_are_counted_for_the_budget(home: Path, tmp_path: Path) -> None:
    prices = {"timeout": 60.0, "price_in": 1.0, "price_out": 2.0}
    with mock_server(home / "table.json") as url:
        config = config_of(home / "rows.jsonl", url, ["es"], server=prices)
        (part,) = estimate_run(config).languages
        usage = translate(config, tmp_path / "out").manifest["counts"]["usage"]
    assert part.requests == usage["requests"]
    # The mock server counts characters, four a token.
    assert part.prompt_tokens == pytest.approx(usage["prompt_tokens"], rel=0.1)
    assert part.completion_tokens == pytest.approx(usage["completion_tokens"], rel=0.5)
    assert part.cost == pytest.approx(usage["cost"], rel=0.3)
    assert part.minutes is None
