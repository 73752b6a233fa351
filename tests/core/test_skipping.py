from __future__ import annotations

import pytest

from crossin.core.reasons import Reason
from crossin.core.skipping import FileFaults, check_faults, skipped_note
from tests.helpers.errors import refused


class Why(Reason):
    """Reasons of these tests."""

    TORN = "torn_in_test", "torn", "mend it"
    WET = "wet_in_test", "wet", "dry it"
    CHOSEN = "chosen_in_test", "left out on purpose"


def faults(rows: int, **reasons: int) -> FileFaults:
    one = FileFaults("a/rows.jsonl", rows, "vi")
    for number, (name, count) in enumerate(reasons.items(), 7):
        one.add(Why[name].about("vi"), count, number)
    return one


@pytest.mark.parametrize(
    ("rows", "count", "most", "outcome"),
    [
        (100, 10, 0.1, "silent"),
        (100, 11, 0.1, "refused"),
        (50, 5, 0.1, "silent"),
        (49, 5, 0.1, "refused"),
        # A handful is told, unless it is the whole file or the user wants less.
        (8, 4, 0.1, "told"),
        (2, 1, 0.1, "told"),
        (4, 4, 0.1, "refused"),
        (1, 1, 0.1, "refused"),
        (100, 1, 0.0, "refused"),
        (100, 3, 0.02, "refused"),
        (100, 60, 0.6, "silent"),
        (100, 100, 1.0, "silent"),
        (1, 0, 0.1, "silent"),
    ],
)
def test_more_than_the_share_stops_and_a_handful_is_told(
    rows: int, count: int, most: float, outcome: str
) -> None:
    files = [faults(1000), faults(rows, TORN=count)]
    if outcome == "refused":
        with refused(
            f"{count} of {rows} vi rows", "torn", file="a/rows.jsonl", row=7, hint="mend it; to go on"
        ) as caught:
            check_faults(files, most, "--most 1")
        assert "--most 1" in str(caught.value.hint)
        return
    notes = check_faults(files, most, "--most 1")
    assert len(notes) == (outcome == "told")
    assert all("rows.jsonl" in note and "mend it" in note and f"{count} of {rows}" in note for note in notes)


def test_reasons_add_up_and_the_most_frequent_says_what_to_do() -> None:
    with refused("12 of 100", "8, wet", "4, torn", row=7, hint="dry it"):
        check_faults([faults(100, TORN=4, WET=8)], 0.1, "--most 1")


def test_a_note_counts_only_what_can_be_helped() -> None:
    assert skipped_note("rows.jsonl", 100, {Why.TORN: 10, Why.CHOSEN: 50}) == []
    (note,) = skipped_note("rows.jsonl", 100, {Why.TORN: 11, Why.CHOSEN: 50})
    assert note == "rows.jsonl: 11 of 100 rows are left out (11, torn): mend it"
