"""Which differences are significant, which arm is best, and what depends on the choice between options."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from crossin.experiments.figures import ArmDifference, SliceFigures, is_bad
from crossin.metrics.bootstrap import Figure
from crossin.metrics.significance import holm
from crossin.reports.cells import is_significant, short

# What tells apart the differences of a slice.
Key = tuple[str, str, str]


def key_of(one: ArmDifference) -> Key:
    """The arms and the figure of a difference."""
    return one.arm, one.less, one.name


def corrected(found: Iterable[ArmDifference]) -> dict[Key, float]:
    """p-values after Holm's correction, in families: all arms and languages of each figure that is given by
    language (`accuracy/en`), and all arms and figures that are of no single language. Undefined ones are left
    out.
    """
    families: dict[str, dict[Key, float]] = {}
    for one in found:
        if not math.isnan(one.figure.p):
            figure, slash, _ = one.name.partition("/")
            families.setdefault(figure if slash else "", {})[key_of(one)] = one.figure.p
    return {key: p for family in families.values() for key, p in holm(family).items()}


def best_arms(compared: SliceFigures, shown: Sequence[str]) -> dict[str, str]:
    """By figure, the arm that is better than every other: its paired difference to each excludes 0, with p at
    most .05 after Holm's correction over all these differences (`corrected`). A figure without one is left
    out.
    """
    arms = {name: by_arm for name, by_arm in compared.pooled.items() if name in shown}
    rivals: list[ArmDifference] = []
    first: dict[str, str] = {}
    between = {key_of(one): one for one in (*compared.to_baseline, *compared.pairs)}
    for name, by_arm in arms.items():
        sign = -1 if is_bad(name) else 1
        known = {arm: sign * figure.value for arm, figure in by_arm.items() if not math.isnan(figure.value)}
        if len(known) < 2 or len(known) < len(compared.seeds):
            # An arm without the figure might be better.
            continue
        best = max(known, key=lambda arm: known[arm])
        against = [_oriented(between, best, other, name) for other in known if other != best]
        if None not in against:
            first[name] = best
            rivals += [one for one in against if one is not None]
    p = corrected(rivals)
    lost = {
        one.name
        for one in rivals
        if not is_significant(one.figure, p.get(key_of(one), math.inf))
        or (one.figure.value > 0) == is_bad(one.name)
    }
    return {name: arm for name, arm in first.items() if name not in lost}


def depends_on_choice(by_choice: Mapping[str, tuple[Figure, float | None]]) -> bool:
    """Whether a difference, given with its corrected p by each choice, changes its sign (with the digits
    shown) or its significance.
    """
    signs = {
        short(figure.value)[0] == "-" for figure, _ in by_choice.values() if short(figure.value) != ".00"
    }
    clear = {
        (is_significant(figure, p), figure.value > 0) if is_significant(figure, p) else (False, False)
        for figure, p in by_choice.values()
    }
    return len(signs) > 1 or len(clear) > 1


def _oriented(between: Mapping[Key, ArmDifference], best: str, other: str, name: str) -> ArmDifference | None:
    """The difference of `best` less `other`."""
    if (found := between.get((best, other, name))) is not None:
        return found
    if (found := between.get((other, best, name))) is None:
        return None
    one = found.figure
    return ArmDifference(best, other, name, Figure(-one.value, -one.high, -one.low, one.p), found.seeds)
