"""From one row of a dataset to an item, as a mapping says."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_uppercase

from crossin.bench.answers import references, right_place
from crossin.bench.assemble import NotBuilt
from crossin.bench.dataset import DatasetRow, RowFault
from crossin.bench.gaps import with_gap
from crossin.bench.options import RowOptions, read_options
from crossin.bench.row_values import RowValues
from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.items.item import Item
from crossin.languages import parse_language


def item_of(
    values: RowValues, row: DatasetRow, item: str, group: str, task: str, inventory: str = ""
) -> Item:
    """A row as an item. Raises RowFault where it cannot be one."""
    mapping = values.mapping
    options = read_options(values, row)
    ids = _ids(options, mapping.shuffle)
    order = list(range(len(ids)))
    if mapping.shuffle:
        # By id where the dataset has ids: its order may differ between languages.
        keys = options.ids or [str(place) for place in order]
        order.sort(key=lambda place: hash64("order", item, keys[place]))
    aliases: list[str] = []
    if mapping.options is not None:
        answer = ids[right_place(values, row, options)]
    else:
        answer, aliases = references(values, row)
    question, gap = with_gap(values, row, values.fill(row, mapping.question, "question"))
    number = mapping.options is None and mapping.answer.form == "number"
    return Item(
        item=item,
        group=group,
        task=task,
        language=values.code,
        context=values.fill(row, mapping.context, "context"),
        question=question,
        options=[options.texts[place] for place in order],
        option_ids=[ids[place] for place in order],
        answer=answer,
        source=f"{mapping.dataset}@{mapping.revision}" if mapping.dataset else "local files",
        licence=mapping.licence,
        gap=gap,
        aliases=aliases,
        answer_type="number" if number else "text",
        origin=_origin(values, row),
        inventory=inventory,
        entity=values.label(row, mapping.entity),
        paraphrases=list(_paraphrases(values, row, gap)),
    )


def _paraphrases(values: RowValues, row: DatasetRow, gap: str) -> Iterator[str]:
    """The question by each further template. One that is damaged, or that the row lacks, is none: an
    evaluation does not ask it, so the item is kept.
    """
    for one in values.paraphrased():
        try:
            yield with_gap(values, row, one.fill(row, values.mapping.question, "question"), gap)[0]
        except RowFault:
            continue


def _origin(values: RowValues, row: DatasetRow) -> str:
    text = values.label(row, values.mapping.origin)
    if not text:
        return ""
    names = {name: code for code, name in values.mapping.languages.items()}
    try:
        return names.get(text) or parse_language(text)
    except CrossinError as error:
        raise row.fault(
            NotBuilt.UNKNOWN_ORIGIN, error.message, "origin", "add the name to `languages`: {code: name}"
        ) from None


def _ids(options: RowOptions, shuffled: bool) -> list[str]:
    """An id for each option: the dataset's, or by place."""
    if options.ids:
        return options.ids
    # A letter that is shown at another place than its own would mislead.
    last = options.places[-1] + 1 if options.places else 0
    numbered = shuffled or last > len(ascii_uppercase) or last > len(options.places)
    return [str(place + 1) if numbered else ascii_uppercase[place] for place in options.places]
