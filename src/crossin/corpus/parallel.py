"""A parallel corpus: the same rows in several languages, joined by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.suggestions import nearest
from crossin.corpus.conversations import roles
from crossin.corpus.reading.language_rows import LanguageRows, read_languages
from crossin.corpus.reading.origins import Origins
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import CorpusSpec
from crossin.corpus.texts import Texts, raw

Bools = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int32]


@dataclass
class ParallelCorpus:
    """n rows, each in one or more languages; its texts stay in files.

    ids: the same in every language, with the corpus's prefix: in the order of the first language's file, then
        those that only later languages have. Each is present in at least one language.
    texts: (language, field) -> all texts of the language's file, in its order.
    place: language -> int32 (n,), the row's index in the language's texts, or -1 where it is absent.
    extras: language -> column -> values (n,), null where absent; int64, float64, bool or large_string.
        A column without any value in a language is not there.
    status: uint16 (n,), 0 for a row that is kept, else 1 + the index of its reason in `reasons` (codes).
    read: rows read, by language.
    without_id: rows of a file that have no id of their own, by reason code: their indices in the language's
        texts. Each code ends in the language, and the rows read of a language are those present plus these.
    own_ids: language -> the ids of all rows of its file. origins: language -> where they come from.
    turns: language -> where the turns of all texts of its file are (`conversations.py`); empty where no row
        of any language has more than one exchange.
    changed: how many rows had a part left out, by reason code.
    notes: on its files as a whole. details: more on the reason of a rejected row, by the row's number.
    """

    name: str
    ids: pa.LargeStringArray
    languages: list[str]
    texts: dict[tuple[str, str], Texts]
    place: dict[str, Places]
    extras: dict[str, dict[str, pa.Array]]
    status: npt.NDArray[np.uint16]
    reasons: list[str] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)
    without_id: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    own_ids: dict[str, Texts] = field(default_factory=dict)
    origins: dict[str, Origins] = field(default_factory=dict)
    id_prefix: str = ""
    notes: list[str] = field(default_factory=list)
    details: dict[int, str] = field(default_factory=dict)
    turns: dict[str, Texts | None] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def present(self, language: str) -> Bools:
        """Which rows the language has, bool (n,)."""
        return np.asarray(self.place[language] >= 0)

    @property
    def kept(self) -> Bools:
        """Which rows are not rejected, bool (n,)."""
        return np.asarray(self.status == 0)

    def reject(self, rows: Bools | npt.NDArray[np.integer], reason: str) -> int:
        """Reject rows (a mask, bool (n,), or indices) with a reason code; return how many were not rejected
        before. The first reason of a row stays.
        """
        indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        newly = indices[self.status[indices] == 0]
        if len(newly):
            if reason not in self.reasons:
                self.reasons.append(reason)
            self.status[newly] = 1 + self.reasons.index(reason)
        return len(newly)

    def rejected(self) -> dict[str, int]:
        """How many rows were rejected, by reason code, in the order of their first rows."""
        counts = np.bincount(self.status, minlength=len(self.reasons) + 1)[1:]
        return {reason: int(count) for reason, count in zip(self.reasons, counts, strict=True)}

    @property
    def unjoined(self) -> dict[str, int]:
        """How many rows of a file have no id of their own, by reason code."""
        return {reason: len(indices) for reason, indices in self.without_id.items()}

    def skipped(self) -> dict[str, int]:
        """How many rows are left out, by reason code: those that were rejected, and those without an id."""
        counts = Counter(self.rejected())
        counts.update(self.unjoined)
        return dict(counts)

    def text(self, language: str, field: str, rows: npt.NDArray[np.integer]) -> pa.LargeStringArray:
        """A field's texts in a language for `rows`, indices into `ids`; all of them must be present."""
        places = self.place[language][rows]
        if len(places) and places.min() < 0:
            raise ValueError(f"{int((places < 0).sum())} of the rows are absent in {language}")
        return self.texts[language, field].take(places)

    def places_of_turns(self, language: str, rows: npt.NDArray[np.integer]) -> pa.LargeStringArray:
        """Where the turns of `rows` are in the language's texts; '' for a single exchange, and for an absent
        row.
        """
        texts = self.turns.get(language)
        places = self.place[language][rows]
        if texts is None:
            return pa.array([""] * len(rows), pa.large_string())
        found = texts.take(np.maximum(places, 0))
        return pc.if_else(pa.array(places >= 0), found, pa.scalar("", pa.large_string()))


def read_corpus(
    name: str,
    spec: CorpusSpec,
    data: Path,
    languages: Sequence[str] | None,
    columns: Set[str],
    work: Path,
    *,
    several: bool = False,
    progress: Progress = silent,
) -> ParallelCorpus:
    """Read and join the corpus that `spec` describes; rows that cannot be used are rejected with a reason.

    data: the folder that paths are relative to.
    languages: codes, in the order of the result, which lacks those that the corpus does not have; only their
        files are read. None: all.
    columns: further columns, for filters.
    work: a folder for the texts, in a subfolder of the corpus's name; earlier texts are replaced.
    several: whether rows may be conversations of more than one exchange.

    Rows are rejected that are missing in a language (unless `incomplete` is `keep`), whose id occurs twice in
    a language (which one is right cannot be known), whose instruction is empty in a language, or whose turns
    are others than in the first language that has them.
    Raises CrossinError for files that cannot be read, unknown shapes, wrong types, missing ids, a column that
    no language has, and files of different length that are joined by position.
    """
    found, seen = read_languages(name, spec, data, languages, columns, work / name, progress, several=several)
    if found:
        _check_columns(name, columns, seen)
    corpus = _joined(name, found, _is_by_position(name, spec, found))
    if spec.incomplete == "drop":
        for language in corpus.languages:
            corpus.reject(~corpus.present(language), CorpusReason.MISSING_TRANSLATION.about(language))
    for rows in found:
        present = np.flatnonzero(corpus.present(rows.language))
        status = rows.status[corpus.place[rows.language][present]]
        blank = present[status == CorpusReason.EMPTY_INSTRUCTION.number]
        corpus.reject(blank, CorpusReason.EMPTY_INSTRUCTION.about(rows.language))
    if corpus.turns:
        _reject_other_turns(corpus)
    if spec.id_prefix:
        prefix, separator = pa.array([spec.id_prefix, ""], pa.large_string())
        corpus.ids = pc.binary_join_element_wise(prefix, corpus.ids, separator)
        corpus.id_prefix = spec.id_prefix
    return corpus


def _check_columns(name: str, columns: Set[str], seen: set[str]) -> None:
    for column in sorted(columns - seen):
        near = nearest(column, sorted(seen), 3)
        raise CrossinError(
            f"the corpus '{name}' has no column '{column}' in any language"
            + (f"; did you mean {', '.join(near)}?" if near else ""),
            field=column,
            hint=f"use one of its columns: {', '.join(sorted(seen)) or '(none)'}",
        )


def _is_by_position(name: str, spec: CorpusSpec, found: list[LanguageRows]) -> bool:
    """Whether rows are called by their position. Raises CrossinError where they cannot be joined."""
    if spec.join == "position":
        lengths = {rows.language: len(rows) for rows in found}
        if len(set(lengths.values())) > 1:
            shown = ", ".join(f"{language} {length:,}" for language, length in lengths.items())
            raise CrossinError(
                f"the corpus '{name}' is joined by position, but its languages differ in length:"
                f" {shown} rows",
                hint="give the rows ids and join by them (`join: id`)",
            )
        return True
    without = [rows for rows in found if not _has_id(rows).any()]
    if not without:
        return False
    if len(found) == 1:
        return True
    raise CrossinError(
        f"the languages of the corpus '{name}' cannot be joined by id: no row has an id in"
        f" {', '.join(rows.language for rows in without)}",
        file=without[0].file,
        field="id",
        hint="where row k is the same in each file, write `join: position`; else add ids, or name their"
        " column under `columns`",
    )


def _joined(name: str, found: list[LanguageRows], by_position: bool) -> ParallelCorpus:
    """The rows of all languages joined; those whose id occurs twice in a language are rejected."""
    ids = pa.array([], pa.large_string())
    place: dict[str, Places] = {}
    twice: dict[str, npt.NDArray[np.int64]] = {}
    without_id: dict[str, npt.NDArray[np.int64]] = {}
    for rows in found:
        usable = _usable(rows, by_position, without_id)
        if by_position:
            own = pa.array(usable).cast(pa.large_string())
        else:
            own = rows.ids.all if len(usable) == len(rows) else rows.ids.take(usable)
        where = np.arange(len(own))
        if not ids.equals(own):
            encoded = pc.dictionary_encode(pa.concat_arrays([ids, own]))
            where = encoded.indices.to_numpy()[len(ids) :]
            ids = encoded.dictionary
        # Written last to first: of several rows with one id, the first remains.
        place[rows.language] = np.full(len(ids), -1, np.int32)
        place[rows.language][where[::-1]] = usable[::-1]
        counts = np.bincount(where)
        twice[rows.language] = np.flatnonzero(counts > 1)
        repeats = usable[place[rows.language][where] != usable]
        if len(repeats):
            without_id[CorpusReason.DUPLICATE_ID.about(rows.language)] = repeats
        rows.ids.release()
    for language, places in place.items():
        place[language] = np.concatenate([places, np.full(len(ids) - len(places), -1, np.int32)])
    corpus = ParallelCorpus(
        name,
        ids,
        [rows.language for rows in found],
        {(rows.language, field): texts for rows in found for field, texts in rows.texts.items()},
        place,
        {rows.language: _aligned(rows, place[rows.language]) for rows in found},
        np.zeros(len(ids), np.uint16),
        read={rows.language: len(rows) for rows in found},
        without_id=without_id,
        own_ids={rows.language: rows.ids for rows in found},
        origins={rows.language: rows.origins for rows in found},
    )
    if any(rows.several for rows in found):
        corpus.turns = {rows.language: rows.turns for rows in found}
    for rows in found:
        corpus.changed |= rows.changed
    for language, indices in twice.items():
        corpus.reject(indices, CorpusReason.DUPLICATE_ID.about(language))
    return corpus


def _reject_other_turns(corpus: ParallelCorpus) -> None:
    """Reject rows whose turns are others than in the first language that has the row."""
    count = len(corpus)
    first = np.array([""] * count, object)
    for language in corpus.languages:
        present = corpus.present(language)
        found = roles(corpus.places_of_turns(language, np.arange(count))).to_numpy(zero_copy_only=False)
        other = present & (first != "") & (first != found)
        corpus.reject(other, CorpusReason.TURNS_DIFFER.about(language))
        first = np.where(present & (first == ""), found, first)


def _usable(
    rows: LanguageRows, by_position: bool, without_id: dict[str, npt.NDArray[np.int64]]
) -> npt.NDArray[np.int64]:
    """The indices of the rows that can be joined; those that cannot are put into `without_id`."""
    usable = np.ones(len(rows), np.bool_)
    for reason in CorpusReason:
        found = rows.status == reason.number
        if reason is CorpusReason.MISSING_ID and not by_position:
            found = usable & ~_has_id(rows)
        if reason is not CorpusReason.EMPTY_INSTRUCTION and found.any():
            without_id[reason.about(rows.language)] = np.flatnonzero(found)
            usable &= ~found
    return np.flatnonzero(usable)


def _has_id(rows: LanguageRows) -> Bools:
    offsets, _ = raw(rows.ids.all)
    return np.asarray(np.diff(offsets) > 0)


def _aligned(rows: LanguageRows, places: Places) -> dict[str, pa.Array]:
    indices = pa.array(places, mask=places < 0)
    return {name: pc.take(values, indices) for name, values in rows.extras.items()}
