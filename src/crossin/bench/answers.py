"""The answer of a row, as a mapping says: the place of the right option, or the reference and its aliases."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

from crossin.bench.assemble import NotBuilt
from crossin.bench.dataset import DatasetRow, RowFault
from crossin.bench.options import RowOptions
from crossin.bench.row_values import RowValues, at, listed
from crossin.bench.text_forms import opened
from crossin.items.item import ItemFault
from crossin.languages.numbers import last_number
from crossin.languages.segmentation import fold

_HINT = "correct `answer` in the mapping, or the row"
# A letter; a whole number in digits of any script, or as some tables write it (1.0). Both may be written as
# a label is.
_LETTER = re.compile(r"[(\[]?([A-Za-z])[)\].:]*")
_WHOLE = re.compile(r"[(\[]?(-?\d+)(?:\.0+)?[)\].:]*")
# What stands around a label.
_AROUND = "()[].: "
_FLAGS = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}


def right_place(values: RowValues, row: DatasetRow, options: RowOptions) -> int:
    """The place of the right option among those that exist, from 0. Raises RowFault where there is none, or
    more than one.
    """
    answer = values.mapping.answer
    if answer.form == "first":
        return _among(row, options, 0, "options", "the first option")
    column = values.spelled(answer.column)
    if answer.form == "labels":
        return _flagged(values, row, options, column)
    names = {"text": options.texts, "label": options.labels, "id": options.ids}.get(answer.form, [])
    text = _single(values, row, column, names)
    if answer.form != "text" and answer.separator is not None and answer.separator in text:
        raise row.fault(NotBuilt.SEVERAL_ANSWERS, f"'{text[:60]}' names several options", column, _HINT)
    if answer.form in ("text", "label", "id"):
        return _named(values, row, names, text)
    found = (_LETTER if answer.form == "letter" else _WHOLE).fullmatch(unicodedata.normalize("NFKC", text))
    if found is None:
        raise _unreadable(row, answer.form, text, column)
    if answer.form == "letter":
        return _among(row, options, ascii_uppercase.index(found[1].upper()), column, text)
    return _among(row, options, int(found[1]) - (answer.form == "number"), column, text)


def references(values: RowValues, row: DatasetRow) -> tuple[str, list[str]]:
    """The reference of a free-text item, and its other references. Raises RowFault for an empty one, and for
    an answer without the number that it should be.
    """
    answer = values.mapping.answer
    column = values.spelled(answer.column)
    value = values.value(row, column)
    found: list[str] = []
    inside = False
    if answer.text:
        objects = _objects(row, value, column)
        inside = values.inside(objects, answer.aliases)
        for one in objects:
            if answer.text.split(".")[0] not in one:
                raise _no_key(row, one, answer.text, column)
            found.append(row.text_of(at(one, answer.text), column))
            if inside:
                found += _aliases(row, at(one, answer.aliases), column, answer.separator)
    else:
        found += _texts(row, value, column, answer.separator)
    if not any(found):
        raise row.fault(ItemFault.EMPTY.about("answer"), "there is no answer", column, "fill it in the row")
    if answer.aliases and not inside:
        path = values.spelled(answer.aliases)
        found += _aliases(row, values.value(row, path), path, answer.separator)
    first, *others = dict.fromkeys(text for text in found if text)
    if answer.form == "number" and not last_number(first, values.code):
        raise _unreadable(row, answer.form, first, column)
    return first, others


def _among(row: DatasetRow, options: RowOptions, place: int, column: str, shown: str) -> int:
    """A place among all options of a row as one among those that exist."""
    if place not in options.places:
        raise row.fault(
            ItemFault.ANSWER_NOT_AN_OPTION,
            f"'{shown[:40]}' is none of the {len(options.places)} options",
            column,
            _HINT,
        )
    return options.places.index(place)


def _single(values: RowValues, row: DatasetRow, column: str, names: Sequence[str]) -> str:
    """The answer's text; a list, which may be in text form unless that is among the names, may hold one."""
    value = values.value(row, column)
    if not (isinstance(value, str) and value.strip() in names):
        value = opened(value)
    if isinstance(value, list) and len(value) > 1:
        raise row.fault(
            NotBuilt.SEVERAL_ANSWERS,
            f"there are {len(value)} right answers",
            column,
            "give one, or leave it so",
        )
    if isinstance(value, list):
        value = value[0] if value else None
    text = row.text_of(value, column)
    if not text:
        raise row.fault(ItemFault.EMPTY.about("answer"), "there is no answer", column, "fill it in the row")
    return text


def _named(values: RowValues, row: DatasetRow, names: Sequence[str], text: str) -> int:
    """The place of the option with this text, label or id; whatever its case, width and spaces (and what
    stands around a label) where none is spelled so.
    """
    answer = values.mapping.answer
    column = values.spelled(answer.column)
    if not names:
        raise row.fault(
            NotBuilt.UNREADABLE_ANSWER, f"the options have no {answer.form}s", column, "add `options.label`"
        )
    if text in names and (answer.form == "text" or names.count(text) == 1):
        return names.index(text)
    around = "" if answer.form == "text" else _AROUND
    alike = [
        place for place, name in enumerate(names) if fold(name).strip(around) == fold(text).strip(around)
    ]
    if text not in names and len(alike) == 1:
        return alike[0]
    if alike or (answer.separator is not None and answer.separator in text):
        raise row.fault(NotBuilt.SEVERAL_ANSWERS, f"'{text[:60]}' names several options", column, _HINT)
    shown = ", ".join(f"'{name[:30]}'" for name in names[:10])
    raise row.fault(
        ItemFault.ANSWER_NOT_AN_OPTION, f"'{text[:60]}' is none of the options: {shown}", column, _HINT
    )


def _flagged(values: RowValues, row: DatasetRow, options: RowOptions, column: str) -> int:
    """The place of the option whose flag is 1."""
    flags = values.beside(row, options.elements, column, NotBuilt.UNREADABLE_ANSWER)
    kept = options.kept(flags)
    if kept is None:
        raise row.fault(
            NotBuilt.UNREADABLE_ANSWER,
            f"there are {len(options.texts)} options and {len(flags)} labels",
            column,
            _HINT,
        )
    read = [_FLAGS.get(str(flag).strip().lower()) for flag in kept]
    if None in read:
        raise _unreadable(row, "list of 0 and 1", str(kept[read.index(None)]), column)
    if read.count(True) > 1:
        raise row.fault(
            NotBuilt.SEVERAL_ANSWERS, f"{read.count(True)} options are marked as right", column, _HINT
        )
    if True not in read:
        raise row.fault(ItemFault.ANSWER_NOT_AN_OPTION, "no option is marked as right", column, _HINT)
    return read.index(True)


def _objects(row: DatasetRow, value: Any, column: str) -> list[dict[str, Any]]:
    """The objects of an answer: one, or a list of them; none for null."""
    value = opened(value)
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    found = listed(row, value, column, NotBuilt.UNREADABLE_ANSWER)
    for one in found:
        if not isinstance(one, dict):
            raise row.fault(
                NotBuilt.UNREADABLE_ANSWER,
                f"expected an object for each reference, not '{str(one)[:40]}'",
                column,
                "remove `answer.text`, or correct the row",
            )
    return found


def _texts(row: DatasetRow, value: Any, column: str, separator: str | None) -> list[str]:
    """A list of texts, which may be in text form, or one text, with `separator` between its parts."""
    inside = opened(value) if separator is None else value
    if isinstance(inside, list) and all(isinstance(one, str) for one in inside):
        value = inside
    values = value if isinstance(value, list) else [value]
    for one in values:
        if isinstance(one, dict):
            raise _no_key(row, one, "", column)
    if values is value:
        return [row.text_of(one, column) for one in values]
    text = row.text_of(value, column)
    return [part.strip() for part in text.split(separator)] if separator is not None else [text]


def _aliases(row: DatasetRow, value: Any, column: str, separator: str | None) -> list[str]:
    """The further references: a list, which may be in text form, or a text with `separator`."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if separator is None:
        value = listed(row, value, column, NotBuilt.UNREADABLE_ANSWER)
    return _texts(row, value, column, separator)


def _no_key(row: DatasetRow, one: dict[str, Any], key: str, column: str) -> RowFault:
    message = f"a reference has no key '{key}'" if key else "expected text, not an object"
    return row.fault(
        NotBuilt.UNREADABLE_ANSWER,
        f"{message}; it has: {', '.join(map(str, one)) or '(none)'}",
        column,
        "say which key is the reference's text: answer.text",
    )


def _unreadable(row: DatasetRow, form: str, text: str, column: str) -> RowFault:
    article = "an" if form == "index" else "a"
    return row.fault(
        NotBuilt.UNREADABLE_ANSWER, f"expected {article} {form}, not '{text[:40]}'", column, _HINT
    )
