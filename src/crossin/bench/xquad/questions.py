"""XQuAD's questions in every language, joined by their ids and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from crossin.bench.xquad.source import squad_form
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent

PIVOT = "en"


@dataclass(frozen=True)
class Reading:
    """A question in one language; the answer begins at the character `start` of the context."""

    context: str
    question: str
    answer: str
    start: int


@dataclass(frozen=True)
class Question:
    """A question and its readings by language; paragraphs of an article are counted from 1."""

    id: str
    article: str
    paragraph: int
    readings: dict[str, Reading]

    @property
    def group(self) -> str:
        """The paragraph it is asked about."""
        return f"{self.article}/{self.paragraph}"


_Text = Annotated[str, Field(min_length=1)]


class _Answer(BaseModel):
    text: _Text
    answer_start: Annotated[int, Field(ge=0)]


class _Asked(BaseModel):
    id: _Text
    question: _Text
    answers: Annotated[list[_Answer], Field(min_length=1)]


class _Paragraph(BaseModel):
    context: _Text
    qas: list[_Asked]


class _Article(BaseModel):
    title: _Text
    paragraphs: list[_Paragraph]


class _File(BaseModel):
    data: list[_Article]


def read_questions(files: dict[str, Path], progress: Progress = silent) -> list[Question]:
    """Every question in every language of `files`, in the order of the English file.

    Byte-order marks, and white space that is doubled or outside, are taken out of the texts. Raises
    CrossinError with the file and the field for a file of another form, an answer that does not stand at its
    place in the paragraph, an id that stands twice, and an id that English or another language lacks.
    """
    found: dict[str, dict[str, Question]] = {}
    # English first: its order and its paragraphs are everybody's.
    for number, language in enumerate(sorted(files, key=lambda language: language != PIVOT)):
        progress("reading XQuAD", number, len(files), "languages")
        found[language] = _read_language(files[language], language)
        _check_ids(found[language], found[PIVOT], files[language])
    progress("reading XQuAD", len(files), len(files), "languages")
    return [
        Question(
            key,
            english.article,
            english.paragraph,
            {language: found[language][key].readings[language] for language in files},
        )
        for key, english in found[PIVOT].items()
    ]


def clean(text: str) -> str:
    """The text without byte-order marks, with one space for each run of white space and none outside."""
    return " ".join(text.replace("\ufeff", "").split())


def _read_language(file: Path, language: str) -> dict[str, Question]:
    """The questions of a file by id, each with its one reading."""
    found: dict[str, Question] = {}
    for article in _parsed(file).data:
        for number, paragraph in enumerate(article.paragraphs, start=1):
            for asked in paragraph.qas:
                if asked.id in found:
                    raise CrossinError(
                        f"question '{asked.id}' stands twice",
                        file=file,
                        field="id",
                        hint="remove one of the two",
                    )
                reading = _reading(file, paragraph.context, asked)
                found[asked.id] = Question(asked.id, article.title, number, {language: reading})
    return found


def _parsed(file: Path) -> _File:
    try:
        return _File.model_validate(squad_form(file))
    except ValidationError as error:
        fault: Any = error.errors()[0]
        raise CrossinError(
            f"is not in the form of SQuAD: {fault['msg']}",
            file=file,
            field=".".join(map(str, fault["loc"])),
            hint="use XQuAD's own files",
        ) from error


def _reading(file: Path, context: str, asked: _Asked) -> Reading:
    answer, cleaned = clean(asked.answers[0].text), clean(context)
    question = clean(asked.question)
    if not question:
        raise CrossinError(
            f"question '{asked.id}' is empty", file=file, field="question", hint="use XQuAD's own files"
        )
    # A letter behind it keeps the white space before the answer.
    start = len(clean(context[: asked.answers[0].answer_start] + "x")) - 1
    if not answer or not cleaned.startswith(answer, start):
        raise CrossinError(
            f"the answer of question '{asked.id}' does not stand at its place in the paragraph",
            file=file,
            field="answer_start",
            hint="use XQuAD's own files",
        )
    return Reading(cleaned, question, answer, start)


def _check_ids(found: dict[str, Question], english: dict[str, Question], file: Path) -> None:
    for one, other, fault in (
        (english, found, "is missing here; the English file has it"),
        (found, english, "is not in the English file"),
    ):
        lacking = next((key for key in one if key not in other), None)
        if lacking is not None:
            raise CrossinError(
                f"question '{lacking}' {fault}", file=file, field="id", hint="use the files of one release"
            )
