"""Which rows pass a recipe's filters, in each language."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.plain_values import shown
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
            columns = corpus.extras[language]
            if name == CHARACTERS or name in columns:
                values = _characters(corpus, language) if name == CHARACTERS else columns[name]
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
        wrong = "a range needs numbers" if kind != "numbers" else None
    else:
        wrong = next((f"{shown(value)} is not such a value" for value in rule if _kind(value) != kind), None)
    if wrong:
        raise CrossinError(
            f"the column '{name}' of the corpus '{corpus.name}' holds {kind} in {language}, and {wrong}",
            field=name,
            hint="list the values that may stay" if isinstance(rule, Range) else f"list {kind}",
        )
    if isinstance(rule, Range):
        low, high = (-np.inf if rule.min is None else rule.min), (np.inf if rule.max is None else rule.max)
        answer = pc.and_(pc.greater_equal(values, low), pc.less_equal(values, high))
    else:
        if pa.types.is_int64(values.type):
            # A number that is not whole equals none of the column's.
            rule = [int(value) for value in rule if float(value).is_integer() and abs(value) < 2**63]
        elif pa.types.is_float64(values.type):
            rule = [float(value) for value in rule]
        answer = pc.is_in(values, value_set=pa.array(rule, values.type))
    return np.asarray(answer.fill_null(False).to_numpy(zero_copy_only=False))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true and false"
    return "text" if isinstance(value, str) else "numbers"
