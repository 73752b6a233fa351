"""XQuAD's files, from a folder or the hub, and their questions, joined across languages and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from crossin.bench.dataset import fetch
from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_parquet
from crossin.core.progress import Progress, silent
from crossin.core.settings import validated

DATASET = "google/xquad"
PIVOT = "en"
_REVISION = "51adfef1c1287aab1d2d91b5bead9bcfb9c68583"
# The hub's rows name no article. XQuAD took five paragraphs of each (Artetxe et al., 2020, section 4).
_PARAGRAPHS_PER_ARTICLE = 5
_HINT = "use XQuAD's own files, in the form of SQuAD"
_RELEASE = "use the files of one release"


@dataclass(frozen=True)
class Reading:
    """A question in one language; the answer begins at the character `start` of the context."""

    context: str
    question: str
    answer: str
    start: int


@dataclass(frozen=True)
class SquadQuestion:
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


def source_files(source: Path | None) -> dict[str, Path]:
    """The file of each language, sorted by code: `xquad.<language>.json` in the folder `source`, or
    `xquad.<language>/*.parquet` as on the hub, which is used where `source` is None.

    Raises CrossinError where English is missing, in which the wrong options are chosen.
    """
    folder = source or fetch(DATASET, _REVISION, ["xquad.*/*.parquet"])
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("xquad.*/*.parquet")):
        other = found.setdefault(path.parent.name, path)
        if other != path:
            raise CrossinError(
                f"expected one file per language, but there is also {other.name}",
                file=path,
                hint="keep the one with XQuAD's validation split",
            )
    found |= {path.stem: path for path in folder.glob("xquad.*.json")}
    files = {name.removeprefix("xquad."): found[name] for name in sorted(found)}
    if PIVOT not in files:
        raise CrossinError(
            "there is no xquad.en.json, and the wrong options are chosen in English",
            file=folder,
            hint="give the folder with all the files xquad.<language>.json: --source DIR",
        )
    return files


def read_questions(files: dict[str, Path], progress: Progress = silent) -> list[SquadQuestion]:
    """Every question in every language of `files`, in the order of the English file.

    Byte-order marks, and repeated or outer white space, are removed from the texts. Raises CrossinError with
    the file and the field for a file of another form, an answer that is not at its place in the paragraph, a
    duplicate id, and an id that English or another language lacks.
    """
    found: dict[str, SquadQuestion] = {}
    # English first: it decides the order and the paragraphs.
    for number, language in enumerate(sorted(files, key=lambda language: language != PIVOT)):
        progress("reading XQuAD", number, len(files), "languages")
        file = files[language]
        for article, place, context, asked in _asked_in(file):
            if language != PIVOT and asked.id not in found:
                raise _wrong(file, "id", f"question '{asked.id}' is not in the English file", _RELEASE)
            question = found.setdefault(asked.id, SquadQuestion(asked.id, article, place, {}))
            if language in question.readings:
                raise _wrong(file, "id", f"duplicate question '{asked.id}'", "remove one of the two")
            question.readings[language] = _reading(file, context, asked)
        for key, question in found.items():
            if language not in question.readings:
                message = f"question '{key}' is missing here; the English file has it"
                raise _wrong(file, "id", message, _RELEASE)
    progress("reading XQuAD", len(files), len(files), "languages")
    return list(found.values())


def clean(text: str) -> str:
    """The text without byte-order marks and outer white space, with single spaces."""
    return " ".join(text.replace("\ufeff", "").split())


def _asked_in(file: Path) -> Iterator[tuple[str, int, str, _Asked]]:
    """The questions of a file: the article, the paragraph's number in it, the paragraph, the question."""
    for article in validated(_File, _squad_form(file), file, _HINT).data:
        for place, paragraph in enumerate(article.paragraphs, start=1):
            for asked in paragraph.qas:
                yield article.title, place, paragraph.context, asked


def _squad_form(file: Path) -> Any:
    """The content of a file, nested as in SQuAD: articles, paragraphs, questions."""
    if file.suffix == ".json":
        return read_json(file)
    paragraphs: list[dict[str, Any]] = []
    for row in read_parquet(file, ["id", "context", "question", "answers"]).to_pylist():
        if not paragraphs or paragraphs[-1]["context"] != row["context"]:
            paragraphs.append({"context": row["context"], "qas": []})
        answers = row["answers"]
        match answers:
            case {"text": list(texts), "answer_start": list(starts)} if len(texts) == len(starts):
                pairs = zip(texts, starts, strict=True)
                answers = [{"text": text, "answer_start": start} for text, start in pairs]
        asked = {"id": row["id"], "question": row["question"], "answers": answers}
        paragraphs[-1]["qas"].append(asked)
    size = _PARAGRAPHS_PER_ARTICLE
    return {
        "data": [
            {"title": f"article-{first // size + 1}", "paragraphs": paragraphs[first : first + size]}
            for first in range(0, len(paragraphs), size)
        ]
    }


def _reading(file: Path, context: str, asked: _Asked) -> Reading:
    answer, cleaned = clean(asked.answers[0].text), clean(context)
    question = clean(asked.question)
    if not question:
        raise _wrong(file, "question", f"question '{asked.id}' is empty", _HINT)
    # The letter after it keeps the white space before the answer.
    start = len(clean(context[: asked.answers[0].answer_start] + "x")) - 1
    if not answer or not cleaned.startswith(answer, start):
        message = f"the answer of question '{asked.id}' is not at its place in the paragraph"
        raise _wrong(file, "answer_start", message, _HINT)
    return Reading(cleaned, question, answer, start)


def _wrong(file: Path, field: str, message: str, hint: str) -> CrossinError:
    return CrossinError(message, file=file, field=field, hint=hint)
