"""Which rows pass a recipe's filters, in each language."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.corpus.parallel import Bools, ParallelCorpus
from crossin.corpus.spec import Filters, Range

CHARACTERS = "characters"
_KINDS = {"int64": "numbers", "double": "numbers", "bool": "true and false", "large_string": "text"}


def apply_filters(corpus: ParallelCorpus, filters: Filters) -> dict[str, Bools]:
    """For each language, bool (n,): the rows that it has and that pass every filter.

    A filter applies only in languages that have its column; there, a row without a value fails. Raises
    CrossinError for a column that was not read, and for a filter that does not fit its column's type.
    """
    known = {name for columns in corpus.extras.values() for name in columns}
    passed = {language: corpus.present(language).copy() for language in corpus.languages}
    for name, rule in filters.items():
        for language in corpus.languages:
            if name == CHARACTERS:
                values = _characters(corpus, language)
            elif name in corpus.extras[language]:
                values = corpus.extras[language][name]
            else:
                continue
            passed[language] &= _passes(corpus, language, name, values, rule)
        if name != CHARACTERS and name not in known and len(corpus):
            raise CrossinError(
                f"no row of the corpus '{corpus.name}' has a value in the column '{name}'",
                field=name,
                hint=f"filter by one that has: {', '.join(sorted({*known, CHARACTERS}))}",
            )
    return passed


def _characters(corpus: ParallelCorpus, language: str) -> pa.Array:
    """The characters of instruction, input and output together, int64 (n,); 0 where absent."""
    counts: npt.NDArray[np.int64] = np.zeros(len(corpus.texts[language, "instruction"]), np.int64)
    for field in FIELDS:
        for start, texts in corpus.texts[language, field].slices():
            counts[start : start + len(texts)] += pc.utf8_length(texts).to_numpy()
    places = corpus.place[language]
    aligned = np.zeros(len(places), np.int64)
    aligned[places >= 0] = counts[places[places >= 0]]
    return pa.array(aligned)


def _passes(corpus: ParallelCorpus, language: str, name: str, values: pa.Array, rule: Any) -> Bools:
    kind = _KINDS[str(values.type)]
    if isinstance(rule, Range):
        if kind != "numbers":
            raise _misfit(
                corpus, language, name, kind, "a range needs numbers", "list the values that may stay"
            )
        answer = pa.scalar(True)
        if rule.min is not None:
            answer = pc.and_(answer, pc.greater_equal(values, rule.min))
        if rule.max is not None:
            answer = pc.and_(answer, pc.less_equal(values, rule.max))
        answer = pc.and_(answer, values.is_valid())
    else:
        for value in rule:
            if _kind(value) != kind:
                raise _misfit(corpus, language, name, kind, f"{value!r} is not such a value", f"list {kind}")
        answer = pc.is_in(values, value_set=_value_set(values, rule))
    passes: Bools = answer.fill_null(False).to_numpy(zero_copy_only=False)
    return passes


def _value_set(values: pa.Array, rule: list[Any]) -> pa.Array:
    if pa.types.is_int64(values.type):
        # A number that is not whole equals none of the column's.
        whole = [int(value) for value in rule if float(value).is_integer() and abs(value) < 2**63]
        return pa.array(whole, pa.int64())
    return pa.array(
        [float(value) if pa.types.is_float64(values.type) else value for value in rule], values.type
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true and false"
    return "text" if isinstance(value, str) else "numbers"


def _misfit(corpus: ParallelCorpus, language: str, name: str, kind: str, why: str, hint: str) -> CrossinError:
    return CrossinError(
        f"the column '{name}' of the corpus '{corpus.name}' holds {kind} in {language}, and {why}",
        field=name,
        hint=hint,
    )
