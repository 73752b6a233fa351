"""The figures as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crossin.probing.figures import BY_SENTENCE, MEAN, OF_ALL
from crossin.probing.states import POOLINGS

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
    pivot, chance = probe["pivot"], _plain(probe["chance"]["mexa"])
    made = _table(
        f"Layer with the highest MEXA against {pivot}",
        "language",
        [head for read in POOLINGS.values() for head in ("layer", f"MEXA,\n{read}")],
        f"{probe['sentences']:,} sentences, layers 0 (embeddings) to {probe['layers'] - 1} (after the final "
        "norm); in brackets 95% intervals, which do not account for the choice of the best layer; "
        f"chance is {chance}",
    )
    entries = {(one["language"], one["pooling"]): one for one in probe["figures"] if one["other"] == pivot}
    for language in (*(code for code in probe["languages"] if code != pivot), MEAN):
        cells = []
        for pooling in POOLINGS:
            curve = entries[language, pooling]["mexa"]
            best = best_layer(curve)
            low, high = (_plain(curve[key][best]) for key in ("low", "high"))
            cells += [str(best), f"{_plain(curve['value'][best])} [{low}, {high}]"]
        made.add_row(language, *cells)
    return made


def _at_layers(probe: dict[str, Any], pooling: str) -> Table:
    shown = few_layers(probe["layers"])
    made = _table(
        f"Mean over languages against {probe['pivot']}: {POOLINGS[pooling]}",
        "figure",
        [*(f"layer {layer}" for layer in shown), "chance"],
    )
    [entry] = [one for one in probe["figures"] if (one["pooling"], one["language"]) == (pooling, MEAN)]
    for figure in (*BY_SENTENCE, *OF_ALL):
        values = entry[figure]["value"]
        chance = probe["chance"].get(figure)
        made.add_row(
            _NAMES[figure].format(pivot=probe["pivot"]),
            *(_plain(values[layer]) for layer in shown),
            "" if chance is None else _plain(chance),
        )
    return made


def _table(title: str, corner: str, heads: Sequence[str], caption: str | None = None) -> Table:
    """A table that 80 columns hold."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(title=title, caption=caption, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    made.add_column(corner)
    for head in heads:
        made.add_column(head, justify="right")
    return made


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
