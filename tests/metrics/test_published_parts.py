"""The parts of a difference in published answers, by a simple reading: the longest name in the reply."""

from __future__ import annotations

from functools import cache

import pytest

from crossin.logs.polyfact import read_log
from crossin.metrics.difference_parts import split
from crossin.metrics.reading import tables_of
from crossin.metrics.table import AnswerTable
from tests.helpers.paths import REAL_DATA

RUNS = REAL_DATA / "polyfact-runs" / "klar"

pytestmark = pytest.mark.skipif(not RUNS.is_dir(), reason=f"no published runs in {RUNS}")


@cache
def table_of(run: str) -> AnswerTable:
    log = read_log(RUNS / f"{run}.json.gz")
    names: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for inventory in log.inventories.values():
        for entity, of_entity in inventory.names.items():
            for language, found in of_entity.items():
                names.setdefault((inventory.name, language), []).extend(
                    (name.casefold(), entity) for name in found
                )
    for listed in names.values():
        listed.sort(key=lambda pair: -len(pair[0]))
    lines = []
    for line in log.lines:
        reply, listed = line["reply"].casefold(), names[line["inventory"], line["language"]]
        answer = next((entity for name, entity in listed if name in reply), None)
        ids = log.inventories[line["inventory"]].ids
        lines.append({**line, "option_ids": ids, "gold": line["entity"], "answer": answer})
    [(table, _)] = tables_of(lines).values()
    return table


@pytest.mark.parametrize(
    ("run", "difference", "both", "ours", "theirs"),
    [
        ("qwen-2.5-cm-align", 10.5, 0.570, 0.743, 0.744),
        ("Qwen-2.5-7B-grpo-consistent", 2.0, 0.564, 0.745, 0.741),
    ],
)
def test_published_gains_are_not_among_the_questions_that_both_answer(
    run: str, difference: float, both: float, ours: float, theirs: float
) -> None:
    found = split(table_of(run), table_of("Qwen-2.5-7B"), draws=500)
    gains = sum(found[f"gain_{part}"].value for part in ("new", "lost", "both"))
    assert 100 * gains == pytest.approx(difference, abs=0.05)
    shares = [found[name].value for name in ("both", "both_ours", "both_theirs")]
    assert shares == pytest.approx([both, ours, theirs], abs=0.0005)
    assert found["gain_new"].low > 0.03
    assert abs(found["gain_both"].value) < 0.003
