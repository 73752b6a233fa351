from __future__ import annotations

from math import isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.families import observed
from crossin.metrics.generation import bleu_family, chrf_family, signatures
from crossin.metrics.texts import TextTable
from tests.helpers.text_tables import reordered, text_tables, texts

pytest.importorskip("sacrebleu")
from sacrebleu.metrics import BLEU, CHRF

from tests.helpers.paths import REAL_DATA

TOKENIZERS = {"zh": "zh", "ja": "char", "th": "char"}
FLORES = REAL_DATA / "flores200"

# Replies and references. Replies are perfect, partly right, empty, of another length, and missing.
PAIRS: dict[str, list[tuple[str | None, str]]] = {
    "en": [
        ("The ferry leaves at nine.", "The ferry leaves at nine."),
        ("A long and winding road through hills", "A long road winds through the hills."),
        ("", "Nobody is at home."),
        (None, "In 1998 he bought a BMW."),
    ],
    "zh": [
        ("渡轮九点出发。", "渡轮九点离开。"),
        ("一条山路", "一条漫长的山路"),
        ("没有人在家", "家里没有人。"),
        ("他在 1998 年买了一辆 BMW 汽车。", "1998 年，他买了一辆 BMW。"),
    ],
    "th": [
        ("เรือออกเก้าโมง", "เรือออกตอนเก้าโมง"),
        ("ถนนยาว", "ถนนยาวผ่านภูเขา"),
        (None, "ไม่มีใครอยู่บ้าน"),
        ("เขาซื้อรถในปี 1998", "ปี 1998 เขาซื้อรถ"),
    ],
    "ja": [
        ("船は九時に出ます。", "船は九時に出ます。"),
        ("長い道", "丘を通る長い道"),
        ("誰もいない家の中", "家には誰もいない。"),
        ("", "彼は1998年に車を買った。"),
    ],
    "ar": [
        ("تغادر العبّارة.", "تغادر العبّارة في التاسعة."),
        ("طريق طويل", "طريق طويل بين التلال"),
        ("لا أحد في البيت الآن", "لا أحد في البيت."),
        ("اشترى سيارة عام 1998", "في عام 1998 اشترى سيارة."),
    ],
}
OWN = texts(
    list(PAIRS),
    [[pairs[i][0] for pairs in PAIRS.values()] for i in range(4)],
    [[pairs[i][1] for pairs in PAIRS.values()] for i in range(4)],
)


def theirs(table: TextTable, language: str) -> dict[str, float]:
    """sacrebleu's own corpus scores; no BLEU where even the references themselves would score 0."""
    place = table.languages.index(language)
    hypotheses = [replies[place] or "" for replies in table.replies]
    references = [[row[place] for row in table.references]]
    bleu = BLEU(tokenize=TOKENIZERS.get(language, "13a"))
    runs_of_four = any(bleu.corpus_score([text], [[text]]).score for text in references[0])
    return {
        "chrf": CHRF().corpus_score(hypotheses, references).score,
        "bleu": bleu.corpus_score(hypotheses, references).score if runs_of_four else nan,
    }


def ours(table: TextTable) -> dict[str, float]:
    return {**observed(chrf_family(table)), **observed(bleu_family(table))}


def same_as_sacrebleu(table: TextTable) -> None:
    named = ours(table)
    for language in table.languages:
        for name, score in theirs(table, language).items():
            assert named[f"{name}/{language}"] == pytest.approx(score, rel=0, abs=1e-9, nan_ok=True), (
                name,
                language,
            )


def test_scores_are_those_of_sacrebleu() -> None:
    same_as_sacrebleu(OWN)


@given(text_tables())
def test_scores_of_small_tables_are_those_of_sacrebleu(table: TextTable) -> None:
    same_as_sacrebleu(table)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_scores_under_weights_are_those_of_the_repeated_texts(rows: list[int]) -> None:
    weights = np.bincount(rows, minlength=4)[None].astype(np.float64)
    again = reordered(OWN, rows)
    for make in (chrf_family, bleu_family):
        family = make(OWN)
        drawn = family.estimate(weights @ family.columns)
        for language in OWN.languages:
            scores = theirs(again, language)
            for name, values in drawn.items():
                if name.endswith(f"/{language}"):
                    assert values[0] == pytest.approx(scores[name.split("/")[0]], rel=0, abs=1e-9), name


@pytest.mark.skipif(not FLORES.is_dir(), reason="needs the shared data")
def test_scores_of_real_sentences_and_of_draws_are_those_of_sacrebleu() -> None:
    languages = ["ar", "de", "hi", "ja", "ko", "ru", "th", "vi", "zh"]
    lines = [FLORES.joinpath(f"{x}.txt").read_text(encoding="utf-8").splitlines()[:80] for x in languages]
    references = list(zip(*lines, strict=True))
    # A reply lacks its first words, and every fifth one is another sentence.
    replies = [
        [text[len(text) // (2 + i % 7) :] if i % 5 else references[i - 1][j] for j, text in enumerate(row)]
        for i, row in enumerate(references)
    ]
    table = texts(languages, replies, references)
    same_as_sacrebleu(table)
    draws = np.random.default_rng(0).multinomial(80, [1 / 80] * 80, size=3)
    for make in (chrf_family, bleu_family):
        family = make(table)
        drawn = family.estimate(draws.astype(np.float64) @ family.columns)
        for number, weights in enumerate(draws):
            again = reordered(table, np.repeat(np.arange(80), weights).tolist())
            for language in languages:
                for name, score in theirs(again, language).items():
                    if f"{name}/{language}" in drawn:
                        value = drawn[f"{name}/{language}"][number]
                        assert value == pytest.approx(score, rel=0, abs=1e-9), (name, language)


@given(text_tables(), st.randoms())
def test_scores_are_from_0_to_100_in_any_order_of_items(table: TextTable, random: Any) -> None:
    order = list(range(len(table.items)))
    random.shuffle(order)
    named = ours(table)
    for name, score in named.items():
        assert 0 <= score <= 100 + 1e-9 or (name.startswith("bleu") and isnan(score)), name
    assert ours(reordered(table, order)) == pytest.approx(named, nan_ok=True)


def test_repeating_the_reference_scores_100() -> None:
    echo = texts(OWN.languages, OWN.references, OWN.references)
    assert ours(echo) == pytest.approx(dict.fromkeys(ours(echo), 100))


def test_bleu_of_names_is_undefined_rather_than_0() -> None:
    # A run of four tokens there is only in Chinese, where characters are tokens.
    names = texts(
        ["en", "zh"], [["Lima", "圣多明各市"], ["Oslo", None]], [["Lima", "圣多明各市"], ["Oslo", "奥斯陆"]]
    )
    found = observed(bleu_family(names))
    assert isnan(found["bleu/en"])
    assert isnan(found["bleu"])
    assert 0 < found["bleu/zh"] < 100
    assert observed(chrf_family(names))["chrf/en"] == 100
    # Nor is it 0 in a draw without the one long reference.
    mixed = texts(["en"], [["Lima"], ["It is a long way"]], [["Lima"], ["It is a long way"]])
    family = bleu_family(mixed)
    drawn = family.estimate(np.array([[2.0, 0.0], [1.0, 1.0]]) @ family.columns)["bleu"]
    assert drawn == pytest.approx([nan, 100], nan_ok=True)


def test_no_reply_at_all_scores_0() -> None:
    silent = texts(OWN.languages, [[None] * 5] * 4, OWN.references)
    assert set(ours(silent).values()) == {0}


def test_the_bare_name_is_the_mean_over_languages() -> None:
    named = ours(OWN)
    for name in ("chrf", "bleu"):
        assert named[name] == pytest.approx(np.mean([named[f"{name}/{x}"] for x in OWN.languages]))


def test_signatures_tell_how_the_scores_were_made() -> None:
    found = signatures(("en", "zh-Hant", "ja", "th"))
    assert list(found) == ["chrf", "bleu/en", "bleu/zh-Hant", "bleu/ja", "bleu/th"]
    assert found["chrf"].startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")
    assert "|tok:13a|smooth:exp|" in found["bleu/en"]
    assert "|tok:zh|" in found["bleu/zh-Hant"]
    assert "|tok:char|" in found["bleu/ja"]
    assert "|tok:char|" in found["bleu/th"]
