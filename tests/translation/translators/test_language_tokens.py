"""How each family of translation models names a language."""

from __future__ import annotations

import pytest

from crossin.core.errors import CrossinError
from crossin.translation.engines.language_tokens import Marks, marks

NLLB = {"eng_Latn", "vie_Latn", "zho_Hans", "zho_Hant", "arb_Arab", "tha_Thai", "zsm_Latn", "tgl_Latn", "en"}
M2M = {"__en__", "__vi__", "__zh__", "__ms__", "__tl__", "zh"}
MADLAD = {"<2en>", "<2vi>", "<2zh>", "<2zh_Hant>", "<2fil>"}
MARIAN = {">>vie<<", ">>cmn_Hans<<", ">>es<<", ">>por<<"}


@pytest.mark.parametrize(
    ("vocabulary", "target", "expected"),
    [
        (NLLB, "vi", Marks(("eng_Latn",), "", ("vie_Latn",))),
        (NLLB, "zh", Marks(("eng_Latn",), "", ("zho_Hans",))),
        (NLLB, "zh-Hant", Marks(("eng_Latn",), "", ("zho_Hant",))),
        (NLLB, "ar", Marks(("eng_Latn",), "", ("arb_Arab",))),
        (NLLB, "ms", Marks(("eng_Latn",), "", ("zsm_Latn",))),
        (NLLB, "fil", Marks(("eng_Latn",), "", ("tgl_Latn",))),
        (M2M, "zh", Marks(("__en__",), "", ("__zh__",))),
        (M2M, "fil", Marks(("__en__",), "", ("__tl__",))),
        (MADLAD, "vi", Marks((), "<2vi> ", ())),
        (MADLAD, "zh-Hant", Marks((), "<2zh_Hant> ", ())),
        (MARIAN, "vi", Marks((), ">>vie<< ", ())),
        (MARIAN, "zh", Marks((), ">>cmn_Hans<< ", ())),
        ({"the", "cat"}, "de", Marks()),
    ],
)
def test_a_language_is_named_as_its_family_does(vocabulary: set[str], target: str, expected: Marks) -> None:
    assert marks(vocabulary, "en", target) == expected


@pytest.mark.parametrize(
    ("vocabulary", "target"), [(NLLB, "km"), (M2M, "th"), (MADLAD, "km"), (MARIAN, "th")]
)
def test_a_language_without_a_mark_is_lacking(vocabulary: set[str], target: str) -> None:
    with pytest.raises(CrossinError, match=f"does not have the language {target}"):
        marks(vocabulary, "en", target)
