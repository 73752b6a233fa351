from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from crossin.bench.show import shown, visible
from crossin.items.item import Item
from tests.helpers.errors import refused
from tests.helpers.gap_items import gap_item
from tests.helpers.nature_items import changed, in_free_text, small_items, write_bench


def printed(folder: Path, items: list[Item], name: str | None = None, **wishes: Any) -> str:
    console = Console(file=StringIO(), width=100)
    for part in shown(write_bench(folder, items), name, **wishes):
        console.print(part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_an_item_is_shown_in_every_language_with_its_right_option_marked(tmp_path: Path) -> None:
    text = printed(tmp_path, small_items(), "q0")
    for words in (
        "q0 · nature",
        "─ en ─ English ─",
        "─ vi ─ Vietnamese ─",
        "─ th ─ Thai ─",
        "✓ A  a dog",
        "✓ A  con chó",
        "✓ A  สุนัข",
    ):
        assert words in text
    assert "  B  a fish" in text
    assert text.count("✓") == 3
    assert "q1" not in text


def test_only_the_languages_asked_for(tmp_path: Path) -> None:
    text = printed(tmp_path, small_items(), "q0", languages=["vi"])
    assert "con chó" in text
    assert "a dog" not in text


def test_a_language_that_an_item_lacks_is_named_unless_languages_have_items_of_their_own(
    tmp_path: Path,
) -> None:
    items = small_items()
    lacking = [item for item in items if (item.item, item.language) != ("q0", "vi")]
    assert "missing in vi" in printed(tmp_path / "parallel", lacking, "q0")
    own = [replace(item, item=f"{item.language}/{item.item}") for item in items]
    assert "missing" not in printed(tmp_path / "own", own, "vi/q0")


def test_so_many_items_as_asked_for(tmp_path: Path) -> None:
    text = printed(tmp_path, small_items(), number=2)
    assert "q0 · nature" in text and "q1 · nature" in text and "q2" not in text


def test_a_long_context_is_cut_unless_all_of_it_is_wanted(tmp_path: Path) -> None:
    items = changed("q0", "en", lambda item: replace(item, context="dogs " * 100 + "the end"))
    assert "…" in printed(tmp_path, items)
    assert "the end" not in printed(tmp_path, items)
    assert "the end" in printed(tmp_path, items, full=True)


def test_a_reference_is_shown_where_there_are_no_options(tmp_path: Path) -> None:
    assert "✓ con chó" in printed(tmp_path, [in_free_text(item) for item in small_items()], "q0")


def test_a_gap_all_references_how_they_are_compared_and_where_an_item_is_from(tmp_path: Path) -> None:
    text = printed(tmp_path, [gap_item(), gap_item(language="tr")])
    assert "The river Olm flows into ____." in text
    assert text.count("gap: ____") == 2
    number = replace(in_free_text(small_items()[1]), aliases=["8.0"], answer_type="number", origin="sw")
    text = printed(tmp_path, [number], "q1")
    assert "✓ 16" in text and "✓ 8.0" in text
    assert "compared as a number · from sw Swahili" in text
    assert "compared" not in printed(tmp_path, small_items(), "q1")


def test_markup_and_control_characters_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    items = changed("q0", "en", lambda item: replace(item, question="[red]x[/red] \x1b[2J", context="a[/]b"))
    text = printed(tmp_path, items, languages=["en"])
    assert "[red]x[/red]" in text and "a[/]b" in text
    assert "\x1b" not in text
    assert visible("tab\tline\nescape\x1b next\x85") == "tab\tline\nescape\ufffd next\ufffd"


def test_right_to_left_text_keeps_its_order_of_characters(tmp_path: Path) -> None:
    arabic = "ما عاصمة مصر؟"
    items = changed("q0", "vi", lambda item: replace(item, language="ar", question=arabic))
    assert arabic in printed(tmp_path, items, "q0")


def test_what_cannot_be_built_can_still_be_looked_at(tmp_path: Path) -> None:
    assert "a dog" in printed(tmp_path, changed("q0", "en", lambda item: replace(item, answer="Z")))


def test_an_item_or_language_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with refused("q9", hint="q0, q1, q2"):
        printed(tmp_path, small_items(), "q9")
    with refused("no fr", "en, vi, th"):
        printed(tmp_path, small_items(), languages=["fr"])


def test_a_language_that_the_item_lacks_is_told(tmp_path: Path) -> None:
    items = [item for item in small_items() if (item.item, item.language) != ("q0", "vi")]
    assert "missing in vi" in printed(tmp_path, items, "q0", languages=["vi"])
    assert "missing in vi" in printed(tmp_path, items, "q0")
    assert "missing in" not in printed(tmp_path, items, "q1")


def test_the_line_ends_of_windows_are_line_ends() -> None:
    assert visible("one\r\ntwo\rthree") == "one\ntwo\ufffdthree"
