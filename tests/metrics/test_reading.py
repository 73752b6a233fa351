from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.metrics.reading import read_answers, read_logprobs, read_wordings, table_of
from tests.helpers.errors import refused

NAN = float("nan")


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


def written(folder: Path, lines: list[dict[str, Any]], *more: str) -> Path:
    path = folder / "answers.parquet"
    names = ("item", "group", "task", "language", "answer", "gold", *more)
    schema = pyarrow.schema(
        [
            *((name, pyarrow.string()) for name in names),
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
        (
            [line("a", "en", "hue"), line("a", "th", "hue"), line("b", "vi", "hue")],
            1,
            "language",
            "no item was asked in all languages: 'a' lacks the language vi",
        ),
        (
            [line("a", "en", "hue"), line("a", "th", None, option_ids=[])],
            2,
            "option_ids",
            "no options",
        ),
        ([line("a", "en", "hue", logprobs=[-1.0, NAN, -2.0])], 1, "logprobs", "not a number"),
        ([line("a", "en", "hue", logprobs=[-1.0, None, -2.0])], 1, "logprobs", "not a number"),
        ([line("a", "en", "hue", logprobs=[-1.0])], 1, "logprobs", "1 numbers for 3 options"),
        ([*GOOD, line("a", "th", "hue")], 5, "language", "a second time"),
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
            "twice",
        ),
        ([line("a", "en", "hue", group=None)], 1, "group", "empty"),
        ([line("a", "en", "hue", option_ids=None)], 1, "option_ids", "list of option ids"),
        ([line("", "en", "hue")], 1, "item", "empty"),
        ([line("a", "", "hue")], 1, "language", "empty"),
    ],
)
def test_an_error_says_file_row_and_field(
    tmp_path: Path, lines: list[dict[str, Any]], row: int, field: str, message: str
) -> None:
    path = written(tmp_path, lines)
    with refused(message, file=path, row=row, field=field):
        read_answers(path)


@pytest.mark.parametrize(
    ("given", "message"), [(["-1", "-2", "-3"], "not a number"), (-1.0, "list of numbers")]
)
def test_log_probabilities_of_another_type_are_an_error(given: object, message: str) -> None:
    with refused(message, row=1, field="logprobs"):
        table_of([line("a", "en", "hue", logprobs=given)])


def test_no_answers_at_all_is_an_error(tmp_path: Path) -> None:
    with refused("no answers"):
        read_answers(written(tmp_path, []))
    with refused(file="elsewhere.parquet"):
        read_answers(tmp_path / "elsewhere.parquet")


def test_lines_become_a_table_without_a_file() -> None:
    lines = table_of(GOOD)
    assert (lines.items, lines.languages, lines.incomplete) == (("a", "b"), ("en", "th"), {})
    assert lines.answers.tolist() == [[0, -1], [2, 1]]
    bare = [{name: value for name, value in row.items() if name != "logprobs"} for row in GOOD]
    assert table_of(bare).answers.tolist() == lines.answers.tolist()


def test_an_item_that_lacks_a_language_is_kept_out_and_named(tmp_path: Path) -> None:
    read = read_answers(written(tmp_path, [*GOOD, line("c", "en", "hue"), line("d", "th", "hue")]))
    assert read.items == ("a", "b")
    assert read.incomplete == {"c": "th", "d": "en"}


def test_answers_in_free_text_are_not_for_this_table(tmp_path: Path) -> None:
    free = [
        line("f", x, None, option_ids=[], logprobs=[], gold="the old capital") for x in ("en", "th", "vi")
    ]
    read = read_answers(written(tmp_path, [free[0], *GOOD, *free[1:]]))
    assert (read.items, read.languages, read.incomplete) == (("a", "b"), ("en", "th"), {})
    with refused("free text"):
        read_answers(written(tmp_path, free))


def test_log_probabilities_follow_the_positions_of_the_table(tmp_path: Path) -> None:
    turned = line("a", "th", "vinh", option_ids=["vinh", "hanoi", "hue"], logprobs=[-0.5, -4.0, -5.0])
    two = [
        line("b", x, "hue", option_ids=["hanoi", "hue"], logprobs=given)
        for x, given in (("en", [-2.0, -1.0]), ("th", None))
    ]
    path = written(tmp_path, [line("a", "en", "hanoi"), turned, *two])
    logprobs = read_logprobs(path, read_answers(path))
    assert logprobs[0].tolist() == [[-1.0, -2.0, -3.0], [-4.0, -5.0, -0.5]]
    assert logprobs[1, 0, :2].tolist() == [-2.0, -1.0]
    assert np.isnan(logprobs[1, 0, 2])
    assert np.isnan(logprobs[1, 1]).all()
    lines = [line("a", "en", "hanoi"), turned, *two]
    np.testing.assert_array_equal(read_logprobs(lines, table_of(lines)), logprobs)


def in_wordings(*names: str | None) -> list[dict[str, Any]]:
    return [{**row, "prompt": name} for name in names for row in GOOD]


def test_each_wording_has_its_table(tmp_path: Path) -> None:
    lines = in_wordings("plain", "polite")
    lines[4] = {**lines[4], "answer": "vinh", "option_ids": ["vinh", "hue", "hanoi"]}
    path = written(tmp_path, lines, "prompt")
    wordings = read_wordings(path)
    assert list(wordings) == ["plain", "polite"]
    assert wordings["plain"].answers.tolist() == [[0, -1], [2, 1]]
    # Positions are the same under every wording, in whatever order the options stand.
    assert wordings["polite"].answers.tolist() == [[2, -1], [2, 1]]
    polite = read_answers(path, prompt="polite")
    assert polite.answers.tolist() == wordings["polite"].answers.tolist()
    assert read_logprobs(path, polite, prompt="polite")[0, 0].tolist() == [-3.0, -2.0, -1.0]


def test_an_item_incomplete_under_one_wording_is_kept_out_of_all(tmp_path: Path) -> None:
    wordings = read_wordings(written(tmp_path, in_wordings("plain", "polite")[:7], "prompt"))
    assert {name: (whole.items, whole.incomplete) for name, whole in wordings.items()} == {
        "plain": (("a",), {"b": "en"}),
        "polite": (("a",), {"b": "en"}),
    }


def test_several_wordings_are_not_one_table(tmp_path: Path) -> None:
    path = written(tmp_path, in_wordings("plain", "polite"), "prompt")
    with refused("2 prompt wordings", field="prompt", hint="plain, polite"):
        read_answers(path)
    with refused("'terse'", field="prompt", hint="plain, polite"):
        read_answers(path, prompt="terse")
    with refused("2 prompt wordings"):
        read_logprobs(path, read_answers(path, prompt="plain"))


def test_a_wording_without_a_name(tmp_path: Path) -> None:
    assert list(read_wordings(written(tmp_path, GOOD))) == [""]
    assert list(read_wordings(written(tmp_path, in_wordings(None), "prompt"))) == [""]
    only = read_answers(written(tmp_path, in_wordings("plain"), "prompt"))
    assert only.answers.tolist() == [[0, -1], [2, 1]]
    with refused("wording", field="prompt"):
        read_wordings(written(tmp_path, in_wordings("plain", None), "prompt"))


def test_what_decided_in_the_place_of_log_probabilities_ranks_the_options() -> None:
    lines = [line("a", language, "vinh", values=[-3.0, -2.0, -1.0]) for language in ("en", "th")]
    assert read_logprobs(lines, table_of(lines)).tolist() == [[[-3, -2, -1]] * 2]
    lines[1]["values"] = None
    assert np.isnan(read_logprobs(lines, table_of(lines))[0, 1]).all()
    lines[1]["values"] = [-1.0]
    with refused("1 numbers for 3 options", field="values"):
        table_of(lines)
