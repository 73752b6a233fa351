"""The rows to translate, from any file that `compose` reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress
from crossin.core.reasons import counted_sentences
from crossin.core.settings import validated
from crossin.core.skipping import check_faults
from crossin.corpus.conversations import JOINT, answers_of, asked_of
from crossin.corpus.faults import file_faults
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from crossin.corpus.spec import CorpusSpec
from crossin.languages.codes import language_name
from crossin.languages.file_language import wrong_language
from crossin.translation.turns import named_turns


@dataclass(frozen=True)
class SourceRow:
    """A row in the source language. texts: its instruction, input and output, '' where it has none; in a
    corpus of conversations its turns (`turns.py`).
    """

    id: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class SourceRows:
    """The rows of a file in their order; its texts are on the disk. skipped: those left out, by reason.
    notes: on files of which much is left out.
    """

    corpus: ParallelCorpus
    language: str
    kept: np.typing.NDArray[np.int64]
    skipped: Mapping[str, int]
    notes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.kept)

    def take(self, start: int, end: int) -> list[SourceRow]:
        """The rows from `start` up to `end`."""
        chosen = self.kept[start:end]
        columns = [self.corpus.text(self.language, field, chosen).to_pylist() for field in FIELDS]
        ids = self.corpus.ids.take(chosen).to_pylist()
        places = self.corpus.places_of_turns(self.language, chosen).to_pylist()
        rows = zip(ids, *columns, places, strict=True)
        return [SourceRow(str(name), self._texts(*texts)) for name, *texts in rows]

    def _texts(self, instruction: str, given: str, output: str, places: str) -> dict[str, str]:
        if not self.conversations:
            return dict(zip(FIELDS, (instruction, given, output), strict=True))
        system, users = asked_of(instruction, places)
        users[0] = JOINT.join(filter(None, (users[0], given)))
        return named_turns(system, users, answers_of(output, places))

    @property
    def conversations(self) -> bool:
        """Whether a row has more than one exchange."""
        return bool(self.corpus.turns)


def check_corpus(path: Path) -> None:
    """Raise CrossinError where there is no such file or folder, with a name that is near."""
    if not path.exists():
        names = [other.name for other in path.absolute().parent.glob("*")]
        near = get_close_matches(path.name, names, n=1, cutoff=0.75)
        raise CrossinError(
            "no such file or folder",
            file=path,
            hint=f"did you mean '{path.with_name(near[0])}'?" if near else "check the path of the corpus",
        )


def read_rows(
    path: Path,
    language: str,
    scratch: Path,
    progress: Progress,
    *,
    columns: Mapping[str, str],
    limit: int | None = None,
    max_skipped: float = 1.0,
    check: bool = True,
    several: bool = True,
) -> SourceRows:
    """The first `limit` usable rows of a file or a folder of files.

    columns: names of columns that differ, as in a recipe. scratch: the folder for their texts. check: refuse
    texts in another language than `language`. max_skipped: the largest share of a file that may be left out
    for what is wrong with it. several: whether rows may be conversations of more than one exchange. Raises
    CrossinError.
    """
    # A name for the folder `.` too.
    path = path.absolute()
    spec = validated(
        CorpusSpec,
        {"files": {language: {"path": str(path.absolute()), "columns": dict(columns)}}, "check": "none"},
        None,
        f"columns go to the fields id, {', '.join(FIELDS)}: --column output=response",
    )
    corpus = read_corpus(
        path.stem, spec, path.parent, [language], set(), scratch, several=several, progress=progress
    )
    notes = check_faults(file_faults(corpus), max_skipped, "--max-skipped 1")
    kept = np.flatnonzero(corpus.kept & corpus.present(language))[:limit]
    if not len(kept):
        why = [*counted_sentences(corpus.skipped())]
        raise CrossinError(
            "; ".join(["no row that could be translated", *why]), file=path, hint="check its columns"
        )
    if check and (wrong := wrong_language(corpus.texts[language, "instruction"].all, language)):
        raise CrossinError(
            f"the rows are not in the language of --from, {language_name(language)}: {wrong}",
            file=path,
            hint="name the language of the rows with --from, or skip this check with --no-check-language"
            " (earlier --any-language)",
        )
    return SourceRows(corpus, language, kept, corpus.skipped(), notes)
