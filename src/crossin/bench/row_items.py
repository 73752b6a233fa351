"""From one row of a dataset to an item, as a mapping says."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from crossin.bench.assemble import NotBuilt
from crossin.bench.dataset import DatasetRow
from crossin.bench.mapping import PLACEHOLDER, DatasetMapping
from crossin.core.hashing import hash64
from crossin.items.item import Item, ItemFault


@dataclass(frozen=True)
class RowReader:
    """Reads rows as a mapping says, in one language."""

    mapping: DatasetMapping
    code: str

    def spelled(self, template: str) -> str:
        """A template with the dataset's name for the language."""
        return template.replace("{language}", self.mapping.languages[self.code])

    def label(self, row: DatasetRow, template: str) -> str:
        """A template filled with the row's values as they are, for what is the same in all languages."""
        return PLACEHOLDER.sub(lambda found: row.text(found[1]), self.spelled(template)).strip()

    def fill(self, row: DatasetRow, template: str | dict[str, str]) -> str:
        """A template filled with the row's values, or the language's words for them."""

        def value(column: str) -> str:
            text = row.text(column)
            if column not in self.mapping.words:
                return text
            if text not in self.mapping.words[column]:
                raise row.error(
                    f"the mapping has no words for '{text}'", column, f"add it under words.{column}"
                )
            return self.mapping.words[column][text][self.code]

        text = template if isinstance(template, str) else template[self.code]
        return PLACEHOLDER.sub(lambda found: value(found[1]), self.spelled(text)).strip()

    def item(self, row: DatasetRow, item: str, group: str, task: str) -> Item | str:
        """The row as an item, or the reason why it cannot be one."""
        mapping = self.mapping
        options = self.options(row)
        order = list(range(len(options)))
        if mapping.shuffle:
            order.sort(key=lambda place: hash64("order", item, str(place)))
        # A letter that is shown at another place than its own would mislead.
        numbered = mapping.shuffle or len(options) > len(ascii_uppercase)
        ids = [str(place + 1) if numbered else ascii_uppercase[place] for place in range(len(options))]
        answer = self.answer(row, options)
        if isinstance(answer, int):
            if not 0 <= answer < len(options):
                return ItemFault.ANSWER_NOT_AN_OPTION.about(self.code)
            answer = ids[answer]
        elif mapping.options is not None:
            return answer
        return Item(
            item=item,
            group=group,
            task=task,
            language=self.code,
            context=self.fill(row, mapping.context),
            question=self.fill(row, mapping.question),
            options=[options[place] for place in order],
            option_ids=[ids[place] for place in order],
            answer=answer,
            source=f"{mapping.dataset}@{mapping.revision}" if mapping.dataset else "local files",
            licence=mapping.licence,
        )

    def options(self, row: DatasetRow) -> list[str]:
        """The options' texts, in the dataset's order."""
        options = self.mapping.options
        if options is None:
            return []
        if options.templates is not None:
            return [self.fill(row, template) for template in options.templates]
        column = self.spelled(options.column)
        value: Any = row.value(column)
        if options.separator is not None:
            value = row.text(column).split(options.separator)
        elif isinstance(value, dict):
            value = list(value.values())
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise row.error("expected a list of texts", column, "name the column that holds the options")
        return [row.whole(one, column) for one in value]

    def answer(self, row: DatasetRow, options: list[str]) -> int | str:
        """The place of the right option, from 0 (-1 where it is not among them), or the reason why there is
        no such place; for a free-text item, the reference.
        """
        answer = self.mapping.answer
        column = self.spelled(answer.column)
        text = row.text(column)
        if answer.form == "text":
            if self.mapping.options is None:
                return text
            if text in options:
                return options.index(text)
            several = answer.separator is not None and answer.separator in text
            return NotBuilt.SEVERAL_ANSWERS.about(self.code) if several else -1
        if answer.form == "letter":
            letter = text.strip("(). ").upper()
            if len(letter) == 1 and letter in ascii_uppercase:
                return ascii_uppercase.index(letter)
        elif text.isdecimal():
            return int(text) - (answer.form == "number")
        raise row.error(
            f"expected a {answer.form}, not '{text[:40]}'",
            column,
            "correct `answer` in the mapping, or the row",
        )
