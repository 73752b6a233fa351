"""How close the states of the same sentences are in two languages (docs/probe.md).

N is the number of sentences, H the width of a state. Row i of both matrices is the same sentence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Cosines that differ by less are a tie: float32 states are not more precise.
_TIE = 1e-6
# States that vary by less than this part of their length are the same up to rounding.
_SAME = 1e-5


def cosines(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats:
    """The cosine [N, N] of each state of `left` [N, H] (row) and each of `right` [N, H] (column).

    A state of length 0 has cosine 0 with everything.
    """
    found: Floats = _unit(left) @ _unit(right).T
    return found


def retrieval_hits(cosine: Floats) -> Floats:
    """For each row of `cosine` [N, N], whether the column of the same sentence is the nearest: [N].

    A tie of k columns counts as 1 / k, the expected value of drawing one of them, so that identical states
    score the 1 / N of chance.
    """
    first = cosine >= cosine.max(axis=1, keepdims=True) - _TIE
    hits: Floats = np.diagonal(first) / first.sum(axis=1)
    return hits


def mexa_hits(cosine: Floats) -> Floats:
    """For each sentence, 1 where its two translations are nearer to each other than either is to any other
    sentence of the other language, else 0: [N]. A tie counts as 0.

    Their mean is the score of MEXA (Kargaran et al., "MEXA: Multilingual Evaluation of English-Centric LLMs
    via Cross-Lingual Alignment", arXiv 2410.05873): the share of i with S_ii greater than every other entry
    of row i and of column i. The expected score of random numbers is 1 / (2N - 1).
    """
    others = cosine.copy()
    np.fill_diagonal(others, -np.inf)
    hits: Floats = (np.diagonal(cosine) > np.maximum(others.max(axis=0), others.max(axis=1)) + _TIE).astype(
        np.float64
    )
    return hits


def matched_cosines(cosine: Floats) -> Floats:
    """The cosine of each sentence and its own translation, [N]."""
    return np.diagonal(cosine).copy()


def mismatched_cosines(cosine: Floats) -> Floats:
    """For each sentence, the mean cosine of its two translations with the other sentences of the other
    language, [N]: the mean over the rest of its row and its column. N is at least 2.
    """
    total = cosine.sum(axis=0) + cosine.sum(axis=1) - 2 * np.diagonal(cosine)
    mismatched: Floats = total / (2 * (len(cosine) - 1))
    return mismatched


def linear_cka(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> float:
    """Linear CKA of two sets of states [N, H]: `||X'Y||_F^2 / (||X'X||_F ||Y'Y||_F)`, columns centred.

    1 where one is a rotation, reflection and scaling of the other. nan where the states of either do not
    vary. With fewer sentences than dimensions it is large for any states: see `debiased_cka`. Source:
    Kornblith et al., "Similarity of Neural Network Representations Revisited" (arXiv 1905.00414).
    """
    products = _centred_products(left, right)
    if products is None:
        return float("nan")
    ours, theirs = products
    return float((ours * theirs).sum() / np.sqrt((ours**2).sum() * (theirs**2).sum()))


def debiased_cka(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> float:
    """Linear CKA of two sets of states [N, H] by the unbiased estimator of HSIC: about 0 for unrelated
    states, even of few sentences; it can be slightly negative.

    nan with fewer than 4 sentences, and where the states of either do not vary, or all but one are the same.
    Source: Song et al., "Feature Selection via Dependence Maximization" (2012), equation 5; used for CKA by
    Nguyen et al., "Do Wide and Deep Networks Learn the Same Things?" (arXiv 2010.15327).
    """
    products = _centred_products(left, right)
    if products is None or len(left) < 4:
        return float("nan")
    ours, theirs = products
    both, own, other = _hsic(ours, theirs), _hsic(ours, ours), _hsic(theirs, theirs)
    # A value that should be 0 is rounding; do not divide by it.
    if own <= _SAME**2 * (ours**2).mean() or other <= _SAME**2 * (theirs**2).mean():
        return float("nan")
    return float(both / np.sqrt(own * other))


def _unit(states: npt.NDArray[Any]) -> Floats:
    wide = states.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: Floats = np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0)
    return unit


def _centred_products(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> tuple[Floats, Floats] | None:
    """The inner products [N, N] of the centred states of either side, since `||X'Y||_F^2` is the sum of the
    products of their entries; None where either side does not vary.
    """
    made = []
    for states in (left, right):
        wide = states.astype(np.float64)
        centred = wide - wide.mean(axis=0)
        if np.linalg.norm(centred) <= _SAME * np.linalg.norm(wide):
            return None
        made.append(centred @ centred.T)
    return made[0], made[1]


def _hsic(left: Floats, right: Floats) -> float:
    """The unbiased estimate of HSIC from two matrices of inner products [N, N]."""
    n = len(left)
    left, right = left.copy(), right.copy()
    np.fill_diagonal(left, 0)
    np.fill_diagonal(right, 0)
    sums = left.sum() * right.sum() / ((n - 1) * (n - 2))
    rows = 2 * (left.sum(axis=0) @ right.sum(axis=0)) / (n - 2)
    return float(((left * right).sum() + sums - rows) / (n * (n - 3)))
