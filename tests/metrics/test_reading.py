from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.errors import CrossinError
from crossin.files import write_parquet
from crossin.metrics import read_answers


def line(item: str, language: str, answer: str | None, **other: Any) -> dict[str, Any]:
    return {
        "item": item,
        "group": "VN",
        "task": "capital",
        "language": language,
        "option_ids": ["hanoi", "hue", "vinh"],
        "logprobs": [-1.0, -2.0, -3.0],
        "tokens": [1, 1, 1],
        "answer": answer,
        "gold": "hanoi",
        **other,
    }


def written(folder: Path, lines: list[dict[str, Any]]) -> Path:
    path = folder / "answers.parquet"
    schema = pyarrow.schema(
        [
            *((name, pyarrow.string()) for name in ("item", "group", "task", "language", "answer", "gold")),
            ("option_ids", pyarrow.list_(pyarrow.string())),
            ("logprobs", pyarrow.list_(pyarrow.float64())),
            ("tokens", pyarrow.list_(pyarrow.int64())),
        ]
    )
    write_parquet(path, pyarrow.Table.from_pylist(lines, schema=schema))
    return path


GOOD = [line("a", "en", "hanoi"), line("a", "th", None), line("b", "th", "hue"), line("b", "en", "vinh")]


@pytest.mark.parametrize("whole", [True, False], ids=["file", "folder"])
def test_a_table_is_read_from_the_file_or_its_folder(tmp_path: Path, whole: bool) -> None:
    path = written(tmp_path, GOOD)
    read = read_answers(path if whole else str(tmp_path))
    assert read.items == ("a", "b")
    assert read.languages == ("en", "th")
    assert read.groups == ("VN", "VN")
    assert read.tasks == ("capital", "capital")
    assert read.answers.tolist() == [[0, -1], [2, 1]]
    assert read.gold.tolist() == [0, 0]
    assert read.options.tolist() == [3, 3]


def test_options_shown_in_another_order_are_matched_by_their_id(tmp_path: Path) -> None:
    turned = line("a", "th", "vinh", option_ids=["vinh", "hanoi", "hue"])
    read = read_answers(written(tmp_path, [line("a", "en", "vinh"), turned]))
    assert read.answers.tolist() == [[2, 2]]
    assert read.gold.tolist() == [0]


@pytest.mark.parametrize(
    ("lines", "row", "field", "message"),
    [
        (GOOD[:3], 3, "language", "item 'b' lacks the language en"),
        ([*GOOD, line("a", "th", "hue")], 5, "language", "'a' is here a second time in the language th"),
        ([line("a", "en", "paris")], 1, "answer", "'paris' is not among the option ids"),
        ([line("a", "en", "hue", gold="paris")], 1, "gold", "'paris' is not among the option ids"),
        ([GOOD[0], line("a", "th", "hue", gold="hue")], 2, "gold", "has 'hue' here and 'hanoi' in row 1"),
        ([GOOD[0], line("a", "th", "hue", group="LA")], 2, "group", "has 'LA' here and 'VN' in row 1"),
        ([GOOD[0], line("a", "th", "hue", task="t")], 2, "task", "has 't' here and 'capital' in row 1"),
        (
            [GOOD[0], line("a", "th", "hue", option_ids=["hanoi", "hue"])],
            2,
            "option_ids",
            "has other options than in row 1",
        ),
        (
            [line("a", "en", "hue", option_ids=["hanoi", "hue", "hue"])],
            1,
            "option_ids",
            "names an option twice",
        ),
        ([line("a", "en", "hue", group=None)], 1, "group", "is empty"),
        ([line("a", "en", "hue", option_ids=None)], 1, "option_ids", "not a list of option ids"),
        ([line("", "en", "hue")], 1, "item", "is empty"),
        ([line("a", "", "hue")], 1, "language", "is empty"),
    ],
)
def test_an_error_says_file_row_and_field(
    tmp_path: Path, lines: list[dict[str, Any]], row: int, field: str, message: str
) -> None:
    path = written(tmp_path, lines)
    with pytest.raises(CrossinError, match=message) as caught:
        read_answers(path)
    assert (caught.value.file, caught.value.row, caught.value.field) == (path, row, field)
    assert caught.value.fix


def test_no_answers_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="holds no answers"):
        read_answers(written(tmp_path, []))
    with pytest.raises(CrossinError, match="cannot be read"):
        read_answers(tmp_path / "elsewhere.parquet")
