"""While building: rows that are joined by position, and options without ids, must belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from crossin.bench.assemble import NotBuilt, Versions
from crossin.bench.dataset import DatasetRow
from crossin.bench.golds import number_of
from crossin.bench.mapping import DatasetMapping
from crossin.bench.option_order import OptionOrder, compare_options, id_columns
from crossin.bench.row_order import compare_rows
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress
from crossin.items.item import Item, faults

# Fewer rows are not another order.
_FEW = 5


def check_order(
    mapping: DatasetMapping,
    found: Versions,
    rows: Mapping[str, Mapping[str, DatasetRow]],
    languages: Sequence[str],
    most: float,
    progress: Progress,
) -> None:
    """Put a reason in the place of each item whose rows or options do not belong together.

    `rows` are some rows by language and item. Raises CrossinError where a language has another order of rows,
    or of options, as a whole: a share of more than `most` of its rows.
    """
    if mapping.join == "none":
        return
    first = languages[0]
    others: dict[str, OptionOrder] = {}
    for number, code in enumerate(languages[1:]):
        progress("comparing the languages", number, len(languages) - 1, "languages")
        if mapping.join == "position":
            _check_rows(found, rows, (first, code), most)
        order = compare_options(_pairs(found, first, code))
        for item in order.marked:
            found[item][code] = NotBuilt.OPTIONS_MOVED.about(code)
        if order.other:
            others[code] = order
    progress("comparing the languages", len(languages) - 1, len(languages) - 1, "languages")
    if others:
        raise _other_options(mapping, others, rows, first)


def _pairs(found: Versions, first: str, code: str) -> list[tuple[Item, Item]]:
    pairs = [(versions.get(first), versions.get(code)) for versions in found.values()]
    return [
        (one, two)
        for one, two in pairs
        if isinstance(one, Item) and isinstance(two, Item) and not any(faults(one)) and not any(faults(two))
    ]


def _check_rows(
    found: Versions, rows: Mapping[str, Mapping[str, DatasetRow]], languages: tuple[str, str], most: float
) -> None:
    """Mark the items of `code` that belong to other rows than those of the first language."""
    first, code = languages
    pairs = _pairs(found, first, code)
    order = compare_rows(pairs)
    apart = {pairs[row][1].item for row in order.apart}
    differing = [two.item for one, two in pairs if two.item in apart or not _gold_agrees(one, two)]
    many = len(differing) > most * len(pairs)
    row = 1
    if order.offset:
        further = f"{abs(order.offset)} {'later' if order.offset > 0 else 'earlier'}"
        message = f"the rows of {first} seem to stand {further} in {code}"
    elif (order.offset is None and (many or not _varied(pairs))) or (many and len(apart) >= _FEW):
        message = f"the rows of {code} seem to be in another order than those of {first}"
        if order.offset is not None:
            message += f": {len(differing):,} of {len(pairs):,} do not belong together"
        # Items are named by their position, and not all rows are kept.
        row = next((rows[code][name].row if name in rows[code] else int(name) for name in differing), 1)
    else:
        for name in apart:
            found[name][code] = NotBuilt.OTHER_ROW.about(code)
        return
    raise CrossinError(
        message,
        file=next(iter(rows[code].values())).file,
        row=row,
        hint="get the same version of every file, join by an id, or leave the language out with --languages",
    )


def _gold_agrees(one: Item, two: Item) -> bool:
    if one.free_text:
        return one.answer_type != "number" or number_of(one.answer) == number_of(two.answer)
    return one.answer == two.answer and len(one.options) == len(two.options)


def _varied(pairs: Sequence[tuple[Item, Item]]) -> bool:
    """Whether golds vary enough that rows in another order could not agree in them."""
    if any(one.free_text and one.answer_type != "number" for one, _ in pairs):
        return False
    golds = Counter(number_of(one.answer) if one.free_text else one.answer for one, _ in pairs)
    return max(golds.values()) < len(pairs) / 2


def _other_options(
    mapping: DatasetMapping,
    others: Mapping[str, OptionOrder],
    rows: Mapping[str, Mapping[str, DatasetRow]],
    first: str,
) -> CrossinError:
    code, order = next(iter(others.items()))
    column = next(iter(id_columns(rows, first, code)), None)
    ids = f"{column}}} ('{column}' looks like ids)" if column else "COLUMN}, a column with one for each"
    hint = f"match them by ids, options: {{…, ids: {ids}"
    if mapping.options is not None and mapping.options.ids:
        hint = f"`options.ids` ({mapping.options.ids}) does not say so: see that the ids are right"
    return CrossinError(
        f"the options seem to be in another order in {', '.join(others)} than in {first}: in {code} the "
        f"right one stands at another place in {order.elsewhere:,} of {order.items:,} items, and numbers, "
        f"names or words do in {order.moved:,} of {order.judged:,}",
        file=next(iter(rows[code].values())).file,
        field="options",
        hint=f"{hint}; or leave these languages out",
    )
