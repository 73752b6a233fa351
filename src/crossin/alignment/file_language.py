"""What language a file as a whole looks to be in, by an identifier that is asked where it is installed."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pyarrow as pa

# Rows that are looked at.
_ROWS = 200


def look(column: pa.LargeStringArray, language: str, seed: int = 0) -> list[str]:
    """A note where lingua takes most of a sample of the texts for another language than `language`.

    None where lingua is not installed, does not know the language, or the texts are few.
    """
    if find_spec("lingua") is None or len(column) < _ROWS:
        return []
    from lingua import Language, LanguageDetectorBuilder

    known = {known.iso_code_639_1.name.lower() for known in Language.all()}
    if language.split("-")[0] not in known:
        return []
    chosen = np.sort(np.random.default_rng(seed).permutation(len(column))[:_ROWS])
    detector = LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()
    seen: dict[str, int] = {}
    for text in column.take(pa.array(chosen)).to_pylist():
        guess = detector.detect_language_of(text or "")
        if guess is not None:
            code = guess.iso_code_639_1.name.lower()
            seen[code] = seen.get(code, 0) + 1
    if not seen:
        return []
    code = max(sorted(seen), key=lambda name: seen[name])
    if code == language.split("-")[0]:
        return []
    return [f"{language}: {seen[code]} of {_ROWS} sampled rows look like {code}"]
