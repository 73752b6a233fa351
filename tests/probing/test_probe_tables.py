"""The tables as a terminal shows them."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console

from crossin.probing.figures import chance, layer_figures, resamples
from crossin.probing.run import by_pair
from crossin.probing.states import POOLINGS
from crossin.probing.table import best_layer, few_layers, tables

LAYERS, LANGUAGES = 33, ("en", "es", "vi", "zh-Hant")


def shown(columns: int) -> str:
    generator = np.random.default_rng(0)
    figures = []
    for layer in range(LAYERS):
        for pooling in POOLINGS:
            states = {language: generator.standard_normal((12, 5)) for language in LANGUAGES}
            # Nothing varies in layer 0, so that CKA is undefined there.
            if layer == 0:
                states = {language: np.ones((12, 5)) for language in LANGUAGES}
            figures += layer_figures(layer, pooling, states, "en", resamples(12, 20, 0))
    told = {
        "sentences": 12,
        "layers": LAYERS,
        "languages": LANGUAGES,
        "pivot": "en",
        "chance": chance(12),
        "figures": by_pair(figures),
    }
    console = Console(file=io.StringIO(), width=columns)
    for table in tables(told):
        console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_eighty_columns_hold_every_table() -> None:
    def cells(columns: int) -> list[list[str]]:
        lines = [line.split() for line in shown(columns).splitlines()]
        rows = {*LANGUAGES, "mean", "MEXA", "retrieval", "retrieval,", "cosine,", "CKA", "CKA,"}
        return [line for line in lines if line and line[0] in rows]

    assert cells(80) == cells(200)
    assert "…" not in shown(80)


def test_the_tables_say_what_the_mean_leaves_out() -> None:
    assert shown(80).count("mean over tokens but the first") == 2


def test_what_is_undefined_is_a_dash() -> None:
    [first, *_] = [line for line in shown(80).splitlines() if "CKA, debiased" in line]
    assert first.split()[2] == "–"


def test_the_best_layer_is_the_first_of_the_highest() -> None:
    assert best_layer({"value": [None, 0.25, 0.5, 0.5]}) == 2


def test_a_few_layers_are_the_ends_and_between_each_once() -> None:
    assert few_layers(33) == [0, 8, 16, 24, 32]
    assert few_layers(3) == [0, 1, 2]
    assert few_layers(1) == [0]


def test_languages_have_their_names() -> None:
    for words in ("Spanish", "Vietnamese", "Chinese", "against en English"):
        assert words in shown(80)
