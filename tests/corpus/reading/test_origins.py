from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crossin.corpus.reading.origins import Origins

PARTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.lists(st.integers(0, 50), max_size=5, unique=True).map(sorted)),
    max_size=8,
)


@given(parts=PARTS)
def test_every_row_keeps_its_file_and_its_number(parts: list[tuple[str, list[int]]]) -> None:
    origins = Origins()
    expected = []
    for file, numbers in parts:
        origins.add(file, np.array(numbers, np.int64))
        expected += [(file, number + 1) for number in numbers]
    assert len(origins) == len(expected)
    assert origins.places(range(len(expected))) == expected
    files = [file for file, _ in expected]
    assert origins.rows_by_file() == {file: files.count(file) for file in dict.fromkeys(files)}
    chosen = np.arange(0, len(expected), 2)
    mine = [expected[index] for index in chosen]
    assert origins.by_file(chosen) == {
        file: (
            sum(one == file for one, _ in mine),
            min(row for one, row in mine if one == file),
        )
        for file in {one for one, _ in mine}
    }


def test_batches_that_follow_each_other_are_one_part() -> None:
    origins = Origins()
    for start in range(0, 1_000_000, 1000):
        origins.add("a", np.arange(start, start + 1000))
    assert len(origins._starts) == 1
    assert origins.places([999_999]) == [("a", 1_000_000)]
