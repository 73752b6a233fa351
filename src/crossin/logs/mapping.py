"""A mapping of logged answers: a small YAML file that says what is where in the records of another harness
(docs/logs.md). Paths, templates, options and right answers are those of mappings of data sets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from crossin.bench.mapping import (
    AnswerSource,
    ByLanguage,
    DatasetMapping,
    Name,
    OptionsSource,
    Template,
    templates_or_source,
)
from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.core.settings import Settings, as_value_error, validated

_HINT = "see docs/logs.md for the entries"
# What a template may name beside the columns of a record: its file's name without endings, and its folder's.
FILE, FOLDER = "file", "folder"


class OtherFile(Settings):
    """A file beside the log, whose records say what was asked: the one in which `key` has the value that `by`
    has in a record is that record's column `asked`.
    """

    file: str
    key: Name
    by: Name


class LogMapping(Settings):
    """What is where in the records of a log.

    rows: each file is one JSON object, and the list at this path has the records; the object's other values
    are columns of each record. asked: another file that says what was asked. constants: columns with one
    value in all records. where: which records count, `{path: value or list of values}`.
    benchmark: its name. model, language, item, group, task, prompt: templates. A language that is not given
    is that in the names of the files. languages: what the log calls a language, where that is neither a name
    nor a code, `{code: name}`. item: without it, the number of the record within its language.
    question, context, options, gold: as in a mapping of a data set, where `gold` is called `answer`.
    answer: the option that the harness read, in the forms of `gold`. reply: a path, to what the model wrote.
    logprobs: a path, to a number for each option. Of these the first that is given decides.
    correct: a path, to whether the harness counts the answer as right. It decides where the answer says
    otherwise.
    """

    rows: Name | None = None
    asked: OtherFile | None = None
    constants: dict[str, Any] = Field(default_factory=dict)
    where: dict[str, Any] = Field(default_factory=dict)
    benchmark: str = ""
    model: str = ""
    language: str = f"{{{FILE}}}"
    languages: ByLanguage = Field(default_factory=dict)
    item: str | None = None
    group: str | None = None
    task: str = ""
    prompt: str = ""
    question: Template = ""
    context: Template = ""
    options: Annotated[OptionsSource | None, BeforeValidator(templates_or_source)] = None
    gold: AnswerSource
    answer: AnswerSource | None = None
    reply: Name = ""
    logprobs: Name = ""
    correct: Name = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        with as_value_error():
            for error in self._contradictions():
                raise error
        self.of_language("en", "")
        return self

    def _contradictions(self) -> Iterator[CrossinError]:
        if self.answer is None and not self.reply and not self.logprobs:
            message = "nothing says what the model answered"
            yield CrossinError(message, field="reply", hint="add `answer`, `reply` or `logprobs`")
        for name in ("answer", "logprobs"):
            if self.options is None and getattr(self, name):
                message = f"`{name}` is about options, and there are none"
                yield CrossinError(message, field=name, hint="add `options`, or remove it")

    def of_language(self, code: str, name: str) -> DatasetMapping:
        """What was asked, as the mapping of a data set in one language, which the log calls `name`."""
        return DatasetMapping(
            licence="",
            languages={code: name},
            join="position" if self.item is None else "id",
            item=self.item,
            group=self.group,
            task=self.task,
            question=self.question,
            context=self.context,
            options=self.options,
            answer=self.gold,
        )


def read_log_mapping(path: Path) -> LogMapping:
    """The mapping in a YAML file; an error names the file and the entry."""
    return validated(LogMapping, read_yaml(path), path, _HINT)
