"""The figures as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossin.probe.figures import BY_SENTENCE, MEAN, OF_ALL
from crossin.probe.states import POOLINGS

if TYPE_CHECKING:
    from rich.table import Table

_POOLED = {"mean": "mean over tokens", "last": "last token"}
_NAMES = {
    "mexa": "MEXA",
    "retrieval": "retrieval",
    "retrieval_to": "retrieval, language to {pivot}",
    "retrieval_from": "retrieval, {pivot} to language",
    "cosine_matched": "cosine, matched",
    "cosine_mismatched": "cosine, mismatched",
    "cosine_difference": "cosine, difference",
    "cka": "CKA",
    "cka_debiased": "CKA, debiased",
}


def tables(told: dict[str, Any]) -> list[Table]:
    """The best layer of each language by MEXA, and for each pooling the mean over languages of every figure
    at a few layers, from the values of `probe.json`.
    """
    return [_best(told), *(_at_layers(told, pooling) for pooling in POOLINGS)]


def best_layer(curve: dict[str, list[float | None]]) -> int:
    """The layer with the highest value, the first of several; undefined ones count as lowest."""
    values = [float("-inf") if value is None else value for value in curve["value"]]
    return values.index(max(values))


def few_layers(layers: int) -> list[int]:
    """The first layer, those at a quarter, a half and three quarters, and the last; each once."""
    last = layers - 1
    return list(dict.fromkeys(round(last * quarter / 4) for quarter in range(5)))


def _best(told: dict[str, Any]) -> Table:
    from rich.table import Table

    pivot, layers = told["pivot"], told["layers"]
    chance = _plain(told["chance"]["mexa"])
    made = Table(
        title=f"Layer with the highest MEXA against {pivot}",
        caption=f"{told['sentences']:,} sentences, layers 0 (embeddings) to {layers - 1}; in brackets 95% "
        f"intervals of that layer, which do not know that it was picked as the best; chance is {chance}",
    )
    made.add_column("language")
    for pooling in POOLINGS:
        made.add_column(f"{_POOLED[pooling]}: layer", justify="right")
        made.add_column("MEXA", justify="right")
    entries = {(one["language"], one["pooling"]): one for one in told["figures"] if one["other"] == pivot}
    for language in (*(code for code in told["languages"] if code != pivot), MEAN):
        cells = []
        for pooling in POOLINGS:
            curve = entries[language, pooling]["mexa"]
            best = best_layer(curve)
            cells += [str(best), _cell(curve, best)]
        made.add_row(language, *cells)
    return made


def _at_layers(told: dict[str, Any], pooling: str) -> Table:
    from rich.table import Table

    shown = few_layers(told["layers"])
    made = Table(title=f"By layer, mean over languages against {told['pivot']}: {_POOLED[pooling]}")
    made.add_column("figure")
    for layer in shown:
        made.add_column(f"layer {layer}", justify="right")
    made.add_column("chance", justify="right")
    [entry] = [one for one in told["figures"] if (one["pooling"], one["language"]) == (pooling, MEAN)]
    for figure in (*BY_SENTENCE, *OF_ALL):
        chance = told["chance"].get(figure)
        made.add_row(
            _NAMES[figure].format(pivot=told["pivot"]),
            *(_cell(entry[figure], layer) for layer in shown),
            "" if chance is None else _plain(chance),
        )
    return made


def _cell(curve: dict[str, list[float | None]], layer: int) -> str:
    value, low, high = (curve[key][layer] for key in ("value", "low", "high"))
    if value is None:
        return "–"
    return (
        _plain(value) if low is None or high is None else f"{_plain(value)} [{_plain(low)}, {_plain(high)}]"
    )


def _plain(value: float) -> str:
    return f"{value:.3f}"
