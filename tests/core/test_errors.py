from __future__ import annotations

from pathlib import Path

from crossin.core.errors import CrossinError, located
from tests.helpers.errors import refused


def test_an_error_is_its_place_its_message_and_its_hint() -> None:
    error = CrossinError("too long", file="a.yaml", row=2, field="name", hint="shorten it")
    assert str(error) == "a.yaml, row 2, field 'name': too long. Hint: shorten it"
    assert str(CrossinError("too long")) == "too long"


def test_located_adds_what_an_error_lacks() -> None:
    with (
        refused("too long", file="a.yaml", row=2, field="name", hint="shorten it"),
        located("a.yaml", 2),
        located(field="name", hint="shorten it"),
    ):
        raise CrossinError("too long")


def test_located_leaves_a_place_as_it_is_and_replaces_a_hint() -> None:
    with (
        refused(file="b.yaml", row=3, field="name", hint="shorten it"),
        located(Path("a.yaml"), 2, "text", "shorten it"),
    ):
        raise CrossinError("too long", file="b.yaml", row=3, field="name", hint="check it")
