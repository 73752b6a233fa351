"""How each family of translation models names a language."""

from __future__ import annotations

import pytest

from crossin.translation.translators.language_tokens import LanguageTokens, tokens_for
from tests.helpers.errors import refused

NLLB = {"eng_Latn", "vie_Latn", "zho_Hans", "zho_Hant", "arb_Arab", "tha_Thai", "zsm_Latn", "tgl_Latn", "en"}
M2M = {"__en__", "__vi__", "__zh__", "__ms__", "__tl__", "zh"}
MADLAD = {"<2en>", "<2vi>", "<2zh>", "<2zh_Hant>", "<2fil>"}
MARIAN = {">>vie<<", ">>cmn_Hans<<", ">>es<<", ">>por<<"}


@pytest.mark.parametrize(
    ("vocabulary", "target", "expected"),
    [
        (NLLB, "vi", LanguageTokens(("eng_Latn",), "", ("vie_Latn",))),
        (NLLB, "zh", LanguageTokens(("eng_Latn",), "", ("zho_Hans",))),
        (NLLB, "zh-Hant", LanguageTokens(("eng_Latn",), "", ("zho_Hant",))),
        (NLLB, "ar", LanguageTokens(("eng_Latn",), "", ("arb_Arab",))),
        (NLLB, "ms", LanguageTokens(("eng_Latn",), "", ("zsm_Latn",))),
        (NLLB, "fil", LanguageTokens(("eng_Latn",), "", ("tgl_Latn",))),
        (M2M, "zh", LanguageTokens(("__en__",), "", ("__zh__",))),
        (M2M, "fil", LanguageTokens(("__en__",), "", ("__tl__",))),
        (MADLAD, "vi", LanguageTokens((), "<2vi> ", ())),
        (MADLAD, "zh-Hant", LanguageTokens((), "<2zh_Hant> ", ())),
        (MARIAN, "vi", LanguageTokens((), ">>vie<< ", ())),
        (MARIAN, "zh", LanguageTokens((), ">>cmn_Hans<< ", ())),
        ({"the", "cat"}, "de", LanguageTokens()),
    ],
)
def test_a_language_is_named_as_its_family_does(
    vocabulary: set[str], target: str, expected: LanguageTokens
) -> None:
    assert tokens_for(vocabulary, "en", target) == expected


@pytest.mark.parametrize(
    ("vocabulary", "target"), [(NLLB, "km"), (M2M, "th"), (MADLAD, "km"), (MARIAN, "th")]
)
def test_a_language_without_a_token_is_refused(vocabulary: set[str], target: str) -> None:
    with refused(f"the language {target}", field="to"):
        tokens_for(vocabulary, "en", target)
