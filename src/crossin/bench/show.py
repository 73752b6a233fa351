"""Items of a benchmark for reading in a terminal: every language, the right option marked."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from crossin.core.errors import CrossinError
from crossin.core.suggestions import nearest
from crossin.items.inventories import Inventories, read_inventories
from crossin.items.item import Item, items_file, read_unchecked, share_items
from crossin.languages.codes import language_name

# Characters of a context that are shown, unless `full`.
_CONTEXT = 280


def shown(
    place: Path | str,
    name: str | None = None,
    *,
    languages: Sequence[str] | None = None,
    number: int = 1,
    full: bool = False,
) -> Iterator[RenderableType]:
    """What to print of the item `name`, or of the first `number` items: a heading, and a panel per language.

    Raises CrossinError for an item or a language that the benchmark does not have.
    """
    items = read_unchecked(place)
    file = items_file(place)
    inventories = read_inventories(file.parent)
    wanted = _wanted(items, name, number, file)
    has = list(dict.fromkeys(item.language for item in items))
    # Else each language has items of its own, and none is missing.
    parallel = share_items(items)
    for language in languages or ():
        if language not in has:
            raise CrossinError(
                f"there is no {language}; there are: {', '.join(has)}", file=file, hint="name one of these"
            )
    for one in wanted:
        versions = [item for item in items if item.item == one]
        first = versions[0]
        group = f" · group {first.group}" if first.group != one else ""
        yield Rule(Text(visible(f"{one} · {first.task}{group}")))
        for item in versions:
            if not languages or item.language in languages:
                title = Text(visible(language_name(item.language).replace(" ", " ─ ", 1)))
                yield Panel(_body(item, full, inventories), title=title, title_align="left")
        present = {item.language for item in versions}
        if parallel and (lacking := [code for code in languages or has if code not in present]):
            yield Text(f"missing in {visible(', '.join(lacking))}")


def visible(text: str) -> str:
    """A text from outside that is safe to print: control characters, which a terminal obeys, are replaced."""
    return "".join(
        "\ufffd" if unicodedata.category(one) == "Cc" and one not in "\n\t" else one
        for one in text.replace("\r\n", "\n")
    )


def _wanted(items: Sequence[Item], name: str | None, number: int, file: Path) -> list[str]:
    has = list(dict.fromkeys(item.item for item in items))
    if name is None:
        return has[:number]
    if name not in has:
        near = nearest(name, has, 3)
        raise CrossinError(
            f"there is no item '{name}'",
            file=file,
            hint=f"did you mean {', '.join(near)}?" if near else f"the first are: {', '.join(has[:3])}",
        )
    return [name]


def _body(item: Item, full: bool, inventories: Inventories) -> Text:
    context = visible(item.context)
    if len(context) > _CONTEXT and not full:
        context = context[:_CONTEXT].rstrip() + " …"
    body = Text()
    if context:
        body.append(f"{context}\n\n", "dim")
    body.append(visible(item.question), "bold")
    width = max((len(one) for one in item.option_ids), default=0)
    for label, option in zip(item.option_ids, item.options, strict=False):
        right = label == item.answer
        # The mark works without colour too.
        line = visible(f"{'✓' if right else ' '} {label:>{width}}  {option}")
        body.append(f"\n{line}", "bold green" if right else "")
    if item.free_text:
        for reference in item.right_texts:
            body.append(f"\n✓ {visible(reference)}", "bold green")
    if notes := _notes(item, inventories):
        body.append(f"\n\n{visible(' · '.join(notes))}", "dim")
    return body


def _notes(item: Item, inventories: Inventories) -> list[str]:
    """What an item has beside its texts."""
    notes = [f"gap: {item.gap}"] if item.gap else []
    notes += ["compared as a number"] if item.answer_type == "number" else []
    if item.entity:
        inventory = inventories.get(item.inventory)
        size = f"{len(inventory.names):,}" if inventory else "unknown"
        notes.append(f"entity: {item.entity}, of {size} in the inventory {item.inventory}")
    return notes + ([f"from {language_name(item.origin)}"] if item.origin else [])
