"""The figures as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossin.languages.codes import language_name
from crossin.probing.figures import BY_SENTENCE, MEAN, OF_ALL
from crossin.probing.states import POOLINGS
from crossin.reports.cells import digits
from crossin.reports.terminal import add_row, new_table

if TYPE_CHECKING:
    from rich.table import Table

_NAMES = {
    "mexa": "MEXA",
    "retrieval": "retrieval",
    "retrieval_to": "retrieval, to {pivot}",
    "retrieval_from": "retrieval, from {pivot}",
    "cosine_matched": "cosine, matched",
    "cosine_mismatched": "cosine, mismatched",
    "cosine_difference": "cosine, difference",
    "cka": "CKA",
    "cka_debiased": "CKA, debiased",
}


def tables(probe: dict[str, Any]) -> list[Table]:
    """The best layer of each language by MEXA, and for each pooling the mean over languages of every figure
    at a few layers. probe: the content of `probe.json`.
    """
    return [_best(probe), *(_at_layers(probe, pooling) for pooling in POOLINGS)]


def best_layer(curve: dict[str, list[float | None]]) -> int:
    """The layer with the highest value, the first of several; undefined ones count as lowest."""
    values = [float("-inf") if value is None else value for value in curve["value"]]
    return values.index(max(values))


def few_layers(layers: int) -> list[int]:
    """The first layer, those at a quarter, a half and three quarters, and the last; each once."""
    last = layers - 1
    return list(dict.fromkeys(round(last * quarter / 4) for quarter in range(5)))


def _best(probe: dict[str, Any]) -> Table:
    pivot = probe["pivot"]
    made = new_table(
        "language",
        [head for read in POOLINGS.values() for head in ("layer", f"MEXA,\n{read}")],
        title=f"Layer with the highest MEXA against {language_name(pivot)}",
        caption=f"{probe['sentences']:,} sentences, layers 0 (embeddings) to {probe['layers'] - 1} (after "
        "the final norm); in brackets 95% intervals, which do not account for the choice of the best layer; "
        f"chance is {digits(probe['chance']['mexa'])}",
        justify="right",
    )
    curves = {
        (one["language"], one["pooling"]): one["mexa"] for one in probe["figures"] if one["other"] == pivot
    }
    for language in (*(code for code in probe["languages"] if code != pivot), MEAN):
        cells = []
        for pooling in POOLINGS:
            curve = curves[language, pooling]
            best = best_layer(curve)
            value, low, high = (digits(curve[key][best]) for key in ("value", "low", "high"))
            cells += [str(best), f"{value} [{low}, {high}]"]
        # Below its code, so that the table fits in 80 columns.
        named = language if language == MEAN else language_name(language).replace(" ", "\n", 1)
        add_row(made, named, cells)
    return made


def _at_layers(probe: dict[str, Any], pooling: str) -> Table:
    shown = few_layers(probe["layers"])
    made = new_table(
        "figure",
        [*(f"layer {layer}" for layer in shown), "chance"],
        title=f"Mean over languages against {language_name(probe['pivot'])}: {POOLINGS[pooling]}",
        justify="right",
    )
    [entry] = [one for one in probe["figures"] if (one["pooling"], one["language"]) == (pooling, MEAN)]
    for figure in (*BY_SENTENCE, *OF_ALL):
        cells = [digits(entry[figure]["value"][layer]) for layer in shown]
        chance = probe["chance"].get(figure)
        add_row(
            made,
            _NAMES[figure].format(pivot=probe["pivot"]),
            [*cells, "" if chance is None else digits(chance)],
        )
    return made
