"""Means over seeds, with intervals that cover both the seeds and the groups of items.

A run with another seed gives another model, and other questions would give another figure. Both are samples.
The questions are drawn again (`crossin.metrics.bootstrap`): where all seeds were asked the same ones, each
draw of groups holds for all seeds (crossed); where each seed has questions of its own, each has draws of its
own (nested). Of seeds there are mostly two to five, and draws from so few can never leave their range: with
three seeds and nothing else that varies, an interval of such draws holds the true mean in 75% of all
experiments, not 95%. So the part of the seeds is drawn from Student's t distribution, which is the right one
for the mean of few normal values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from crossin.metrics.bootstrap import Drawn, Figure, Seed, figure_of
from crossin.metrics.table import Floats

# Fewer seeds say little about others.
FEW_SEEDS = 3


def over_seeds(
    of_seeds: Sequence[Drawn],
    *,
    tested: bool = False,
    seed: int = 0,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Figure:
    """The mean over S seeds of a figure, or of a paired difference, with its 95% interval.

    of_seeds: as observed and in D draws of groups, one a seed. limits: the least and greatest value that the
    figure can have. A draw of the mean is

        mean_s f_s(draw) + c t s / sqrt(S)

    where f_s is the figure of a seed, s the standard deviation of the observed f_s, and t Student's with
    S - 1 degrees of freedom, the same in all calls with the same S. The draws of groups already vary the part
    of s^2 that is due to the questions, w (each seed errs on other ones): c^2 = max(0, 1 - w / s^2) is the
    share that is due to the seeds themselves. So a mean over seeds that differ no more than their questions
    explain has the interval of the groups alone, and a model that no seed changes has no part of seeds.

    nan where the figure is undefined for a seed; no interval where there are no draws (with one group).
    Sources: a model with two random factors, whose variances are estimated by the analysis of variance
    (Searle, Casella and McCulloch, Variance Components, 1992, chapter 4); groups drawn whole, and nested
    samples: Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8. Drawing both
    factors with replacement counts the part of the questions up to three times (Owen, The pigeonhole
    bootstrap, Annals of Applied Statistics 1, 2007). The combination is this project's own;
    `tests/metrics/test_seeds.py` simulates how often it covers the true mean.
    """
    values = np.array([one.value for one in of_seeds])
    draws = np.stack([one.draws for one in of_seeds])
    means = draws.mean(axis=0)
    if draws.size and not np.isnan(values).any() and (share := _share_of_seeds(values, draws)):
        means = np.clip(means + share * _deviations(values, len(means), seed), *limits)
    return figure_of(float(values.mean()), means, tested=tested)


def differences(ours: Mapping[int, Drawn], theirs: Mapping[int, Drawn]) -> list[Drawn]:
    """Paired differences of a figure, by the seeds that both have: the same draws of groups for both."""
    return [
        Drawn(one.value - theirs[seed].value, one.draws - theirs[seed].draws)
        for seed, one in ours.items()
        if seed in theirs
    ]


def stream(seed: int, questions: int) -> Seed:
    """The seed of the draws of groups for a set of questions, by its number from 0: the same draws for all
    that were asked the same (groups are crossed with seeds), and others for each other set (nested).
    """
    return (seed, questions) if questions else seed


def _share_of_seeds(values: Floats, draws: Floats) -> float:
    """c: the square root of the share of the variance between seeds that the draws [S, D] do not explain."""
    variance = values.var(ddof=1) if len(values) > 1 else 0.0
    apart = draws - draws.mean(axis=0)
    known = ~np.isnan(apart[0])
    if variance <= 0 or not known.any():
        return 0.0
    explained = apart[:, known].var(axis=1).sum() / (len(values) - 1)
    return math.sqrt(max(0.0, 1 - explained / variance))


def _deviations(values: Floats, draws: int, seed: int) -> Floats:
    """t s / sqrt(S) for each draw [D], s the standard deviation of the values [S]: as weights of the seeds
    that add up to 0, so that a difference has the same weights as the figures that it is between.
    """
    found: Floats = (_weights(draws, len(values), seed) * values[:, None]).sum(axis=0)
    return found


@lru_cache(maxsize=8)
def _weights(draws: int, seeds: int, seed: int) -> Floats:
    """Normal weights about their mean, divided by an independent chi: [S, D]."""
    generator = np.random.default_rng((seed, seeds))
    normal = generator.standard_normal((seeds, draws))
    chi = np.sqrt(generator.chisquare(seeds - 1, draws) / (seeds - 1))
    found: Floats = (normal - normal.mean(axis=0)) / chi / math.sqrt(seeds * (seeds - 1))
    found.flags.writeable = False
    return found
