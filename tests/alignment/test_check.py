from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.alignment import check as module
from crossin.alignment.characters import Flags
from crossin.alignment.check import Findings, check_alignment
from crossin.core.formats import FIELDS
from tests.helpers.alignment_rows import Rows, columns, parallel_rows
from tests.helpers.errors import refused
from tests.helpers.paths import REAL_DATA

ALPACA = REAL_DATA / "alpaca"
PAIRS = [("en", "zh"), ("en", "vi")]
COUNT = 3000


def check(pivot: Rows, other: Rows, languages: tuple[str, str] = ("en", "zh")) -> Findings:
    return check_alignment(columns(pivot), columns(other), *languages, np.arange(len(pivot)))


def reason_of(findings: Findings, row: int) -> str:
    found = findings.check_of(row)
    return found.code if found else "nothing"


@pytest.mark.parametrize("languages", PAIRS)
def test_true_pairs_are_left_alone(languages: tuple[str, str]) -> None:
    findings = check(*parallel_rows(COUNT, languages), languages)
    assert (findings.reason > 0).mean() < 0.01


@pytest.mark.parametrize("languages", PAIRS)
def test_a_run_of_shifted_rows_is_found_and_its_neighbours_are_not(languages: tuple[str, str]) -> None:
    pivot, other = parallel_rows(COUNT, languages)
    other[1000:1100] = other[1004:1104]
    findings = check(pivot, other, languages)
    content = 1 + findings.reasons.index(f"content:{languages[1]}")
    assert (findings.reason[1000:1100] == content).mean() >= 0.95
    beside = np.r_[findings.reason[980:1000], findings.reason[1104:1124]]
    assert (beside == 0).all()


def test_two_single_rows_that_changed_places_are_found() -> None:
    pivot, other = parallel_rows(COUNT, ("en", "zh"))
    other[7], other[2001] = other[2001], other[7]
    assert other[7] != other[2001]
    findings = check(pivot, other)
    for row in (7, 2001):
        assert reason_of(findings, row) == "content:zh"


def test_neighbours_are_those_of_the_other_languages_file() -> None:
    pivot, other = parallel_rows(COUNT, ("en", "zh"))
    other[1000:1100] = other[1003:1103]
    order = np.random.default_rng(0).permutation(COUNT)
    straight = check(pivot, other)
    mixed = check_alignment(
        columns([pivot[row] for row in order]), columns([other[row] for row in order]), "en", "zh", order
    )
    back = np.empty(COUNT, np.uint8)
    back[order] = mixed.reason
    assert ((back > 0) == (straight.reason > 0)).mean() > 0.998


@pytest.mark.parametrize(
    ("field", "side", "reason"),
    [
        ("instruction", 1, "empty:instruction:zh"),
        ("output", 1, "empty:output:zh"),
        ("output", 0, "empty:output:en"),
    ],
)
def test_a_field_that_is_empty_on_one_side_only_is_found(field: str, side: int, reason: str) -> None:
    sides = parallel_rows(40, ("en", "zh"))
    sides[side][5][field] = " \n"
    findings = check(*sides)
    assert reason_of(findings, 5) == reason
    assert findings.counts() == {reason: 1}


def test_an_input_that_one_side_lacks_is_found() -> None:
    pivot, other = parallel_rows(40, ("en", "zh"))
    pivot[3]["input"] = "some words to work on"
    assert reason_of(check(pivot, other), 3) == "empty:input:zh"


def test_a_number_that_is_lost_is_found() -> None:
    pivot, other = parallel_rows(40, ("en", "zh"))
    row = next(row for row in range(40) if re.search(r"\d", other[row]["output"]))
    other[row]["output"] = re.sub(r"\d+", "", other[row]["output"])
    findings = check(pivot, other)
    assert findings.counts() == {"numbers:zh": 1}
    assert reason_of(findings, row) == "numbers:zh"


@pytest.mark.parametrize("languages", PAIRS)
def test_a_copy_of_the_pivot_is_found(languages: tuple[str, str]) -> None:
    pivot, other = parallel_rows(COUNT, languages)
    other[11] = {field: f" {pivot[11][field].upper()}" for field in FIELDS}
    assert reason_of(check(pivot, other, languages), 11) == f"untranslated:{languages[1]}"


def test_an_output_that_stays_as_it_is_is_no_copy() -> None:
    pivot, other = parallel_rows(COUNT, ("en", "zh"))
    for row in (pivot[4], other[4]):
        row["output"] = "def area(r):\n    return 3.14 * r * r  # of a circle"
    findings = check(pivot, other)
    assert reason_of(findings, 4) in ("nothing", "content:zh")


def test_a_formula_that_stays_as_it_is_is_no_copy() -> None:
    pivot, other = parallel_rows(40, ("en", "zh"))
    for rows in (pivot, other):
        rows[4] = {"instruction": "x + 2 = ?", "input": "", "output": "2 + x"}
    assert reason_of(check(pivot, other), 4) == "nothing"


@pytest.mark.parametrize("languages", PAIRS)
def test_rows_whose_languages_are_swapped_are_found(languages: tuple[str, str]) -> None:
    pivot, other = parallel_rows(COUNT, languages)
    for row in range(100, 200):
        pivot[row], other[row] = other[row], pivot[row]
    findings = check(pivot, other, languages)
    assert {reason_of(findings, row) for row in range(100, 200)} == {"wrong_language:en"}
    assert (np.delete(findings.reason, range(100, 200)) > 0).mean() < 0.01


def test_a_third_language_in_the_same_script_is_found() -> None:
    pivot, other = parallel_rows(COUNT, ("en", "vi"))
    for row in range(100, 200):
        other[row]["instruction"] = f"Schreibe etwas Hübsches über die {row}. Wiederholung dieser Frage"
    findings = check(pivot, other, ("en", "vi"))
    found = [reason_of(findings, row) for row in range(100, 200)]
    assert found.count("wrong_language:vi") >= 95


def test_an_output_far_too_long_is_found() -> None:
    pivot, other = parallel_rows(40, ("en", "zh"))
    other[6]["output"] = other[6]["output"].replace(";", "，" + "学北山车电花水火木" * 200)
    assert reason_of(check(pivot, other), 6) == "length:output:zh"


def test_few_rows_are_checked_by_the_rules_alone_and_that_is_said() -> None:
    findings = check(*parallel_rows(1, ("en", "zh")))
    assert findings.reason.tolist() == [0]
    (note,) = findings.notes
    assert "not compared" in note
    assert "too few rows" in note


def test_no_rows_give_no_findings() -> None:
    findings = check([], [])
    assert findings.reason.shape == (0,)
    assert findings.notes == ()


def test_the_same_files_give_the_same_findings() -> None:
    pivot, other = parallel_rows(COUNT, ("en", "vi"))
    other[50:90] = other[55:95]
    one, two = check(pivot, other, ("en", "vi")), check(pivot, other, ("en", "vi"))
    assert (one.reason == two.reason).all()
    assert (one.odds == two.odds).all()
    assert (one.checks, one.notes) == (two.checks, two.notes)


def test_files_that_are_not_parallel_at_all_are_said_to_be_so() -> None:
    pivot, other = parallel_rows(COUNT, ("en", "zh"))[0], parallel_rows(COUNT, ("en", "zh"), seed=1)[1]
    findings = check(pivot, other)
    assert any("unaligned" in note for note in findings.notes)
    assert "content:zh" not in findings.counts()


def test_sides_of_different_length_are_refused() -> None:
    pivot, other = parallel_rows(3, ("en", "zh"))
    with refused("zh has 2 rows", field="instruction"):
        check(pivot, other[:2])


def test_work_in_pieces_finds_what_work_in_one_piece_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    pivot, other = parallel_rows(COUNT, ("en", "zh"))
    other[50:90] = other[55:95]
    whole = check(pivot, other)
    monkeypatch.setattr("crossin.alignment.characters.PIECE_ROWS", 97)
    assert (check(pivot, other).reason == whole.reason).all()


def test_slices_and_nulls_are_read_as_they_are() -> None:
    pivot, other = parallel_rows(20, ("en", "zh"))
    sliced = {field: column.slice(5, 10) for field, column in columns(other).items()}
    sliced["input"] = pa.array([None] * 10, pa.large_string())
    findings = check_alignment(columns(pivot[5:15]), sliced, "en", "zh", np.arange(10))
    assert findings.counts() == {}


TEXT = st.text(max_size=30)


@given(rows=st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT, TEXT), max_size=12), many=st.booleans())
def test_no_text_breaks_the_check(rows: list[tuple[str, ...]], many: bool) -> None:
    # With many rows, the fitted part runs too.
    rows = rows * (module._ENOUGH // len(rows) + 1) if many and rows else rows
    pivot, other = ([dict(zip(FIELDS, row[at : at + 3], strict=True)) for row in rows] for at in (0, 3))
    findings = check(pivot, other)
    assert findings.reason.shape == (len(rows),)
    assert findings.reason.max(initial=0) <= len(findings.reasons)


# A plant changes some of the rows that are still free, and returns which.
def shift(pivot: Rows, other: Rows, free: Flags, random: np.random.Generator) -> list[int]:
    """Six blocks of 200 rows slip by up to 50."""
    original, changed = list(other), []
    for start in range(2000, 39000, 6500):
        by = int(random.integers(1, 51))
        other[start : start + 200] = original[start + by : start + by + 200]
        changed += [row for row in range(start, start + 200) if original[row] != other[row]]
    return changed


def exchange(pivot: Rows, other: Rows, free: Flags, random: np.random.Generator) -> list[int]:
    """Single rows change places with the next."""
    changed: list[int] = []
    for row in (random.choice(len(other) // 2, 600, replace=False) * 2).tolist():
        if free[row] and free[row + 1] and other[row] != other[row + 1]:
            other[row], other[row + 1] = other[row + 1], other[row]
            changed += [row, row + 1]
    return changed


def swap(pivot: Rows, other: Rows, free: Flags, random: np.random.Generator) -> list[int]:
    """The two languages of a row change places."""
    rows: list[int] = random.choice(np.flatnonzero(free), 1200, replace=False).tolist()
    for row in rows:
        pivot[row], other[row] = other[row], pivot[row]
    return rows


def drop_digits(pivot: Rows, other: Rows, free: Flags, random: np.random.Generator) -> list[int]:
    """One number of the translation is deleted."""
    changed: list[int] = []
    for row in random.permutation(np.flatnonzero(free)).tolist():
        spots = [(field, spot) for field in FIELDS for spot in re.finditer(r"\d+", other[row][field])]
        if spots and len(changed) < 1200:
            field, spot = spots[int(random.integers(len(spots)))]
            text = other[row][field]
            other[row] = {**other[row], field: text[: spot.start()] + text[spot.end() :]}
            changed.append(row)
    return changed


def copy(pivot: Rows, other: Rows, free: Flags, random: np.random.Generator) -> list[int]:
    """The pivot's row stands in place of the translation."""
    rows: list[int] = random.choice(np.flatnonzero(free), 1200, replace=False).tolist()
    for row in rows:
        other[row] = dict(pivot[row])
    return rows


@pytest.mark.slow
def test_faults_planted_in_real_files_are_found_and_untouched_rows_are_left_alone() -> None:
    if not (ALPACA / "alpaca_zh.json").exists():
        pytest.skip(f"the parallel Alpaca files are not at {ALPACA}")
    english, chinese = (
        json.loads((ALPACA / f"alpaca_{name}.json").read_text("utf-8")) for name in ("en", "zh")
    )
    kept = [number for number, row in enumerate(chinese) if row["score"] == 5]
    pivot, other = (
        [{field: rows[number][field] for field in FIELDS} for number in kept] for rows in (english, chinese)
    )
    assert [english[number]["id"] for number in kept] == [chinese[number]["id"] for number in kept]
    assert (check(pivot, other).reason > 0).mean() < 0.01
    # Each kind in rows of its own, a seventh of the file in all.
    copies = list(pivot), list(other)
    free, planted = np.ones(len(kept), bool), {}
    random = np.random.default_rng(100)
    for plant in (shift, exchange, swap, drop_digits, copy):
        planted[plant.__name__] = rows = plant(*copies, free, random)
        free[rows] = False
    reason = check(*copies).reason
    recall = {kind: float((reason[rows] > 0).mean()) for kind, rows in planted.items()}
    assert min(recall.values()) >= 0.95, recall
    assert (reason[free] > 0).mean() < 0.01
