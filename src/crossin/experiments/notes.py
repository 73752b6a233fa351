"""What people should know to read an experiment's figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crossin.experiments.arm_answers import BenchPart, Runs, is_fixed, is_nested
from crossin.experiments.figures import common_seeds
from crossin.experiments.index import Index
from crossin.metrics.seeds import FEW_SEEDS

# With fewer groups a percentile interval is too narrow (crossin.metrics.bootstrap).
FEW_GROUPS = 30


def notes_on(index: Index, parts: Mapping[BenchPart, Runs]) -> Iterator[str]:
    """A sentence for each thing that limits what the figures say."""
    for arm in index.arms:
        for seed, why in arm.failed.items():
            yield f"{arm.name}, seed {seed}, failed: {why}"
        if not arm.runs and not arm.failed:
            yield f"{arm.name}: not finished"
    yield from _few_seeds(index, parts)
    names = {part: part_name(part, list(parts)) for part in parts}
    for part, runs in parts.items():
        yield from _on_part(names[part], runs, index)


def part_name(part: BenchPart, parts: list[BenchPart]) -> str:
    """The benchmark's name, with the wording where it was asked in several."""
    several = sum(one.bench == part.bench for one in parts) > 1
    return f"{part.bench}, {part.prompt}" if several else part.bench


def _few_seeds(index: Index, parts: Mapping[BenchPart, Runs]) -> Iterator[str]:
    few: dict[int, list[str]] = {}
    for arm in index.arms:
        runs = [found for of_arms in parts.values() if (found := of_arms.get(arm.name))]
        if runs and not all(map(is_fixed, runs)) and len(arm.runs) < FEW_SEEDS:
            few.setdefault(len(arm.runs), []).append(arm.name)
    for count, arms in few.items():
        of = "" if len(arms) == sum(bool(arm.runs) for arm in index.arms) else f" ({', '.join(arms)})"
        if count == 1:
            yield f"1 seed{of}: the interval covers 1 seed only, not what another seed would give"
        else:
            yield (
                f"{count} seeds{of}: the interval covers {count} seeds only; run at least {FEW_SEEDS} to "
                "know how much the seed changes"
            )


def _on_part(name: str, runs: Runs, index: Index) -> Iterator[str]:
    baseline = index.baseline
    if baseline not in runs:
        yield f"{name}: the baseline '{baseline}' has no result, so there are no differences"
    for arm, of_seeds in runs.items():
        if baseline not in runs or arm == baseline:
            continue
        common = common_seeds(runs, arm, baseline)
        both = [seed for seed in of_seeds if seed in runs[baseline]]
        if not both:
            yield f"{name}: {arm} and the baseline '{baseline}' have no seed in common, so no difference"
        elif not common:
            yield f"{name}: {arm} was asked other questions than the baseline '{baseline}', so no difference"
        elif len(common) < max(len(of_seeds), len(runs[baseline])):
            seeds = ", ".join(map(str, common))
            yield f"{name}: the difference of {arm} to '{baseline}' is over the seeds of both: {seeds}"
    everyone = [one for of_seeds in runs.values() for one in of_seeds.values()]
    if is_nested(runs):
        yield f"{name}: each seed has questions of its own, so groups are drawn for each seed by itself"
    groups = min(
        len({group for table in one.predictions.tables for group in table.groups}) for one in everyone
    )
    if groups < FEW_GROUPS:
        yield (
            f"{name}: {groups} group{'' if groups == 1 else 's'} of questions; with fewer than {FEW_GROUPS} "
            "the intervals are too narrow" + (", and with one there are none" if groups == 1 else "")
        )
    scored = {one.choice for one in everyone if one.choice}
    if scored and (lacking := sum(bool(one.choice) and not one.by_choice for one in everyone)):
        yield (
            f"{name}: {lacking} of {len(everyone)} runs lack log-probabilities, so their answers by sum, "
            "token and byte are not known"
        )
    if len(scored) > 1:
        yield f"{name}: the arms chose between options in several ways ({', '.join(sorted(scored))})"
    incomplete = max(len(one.predictions.incomplete) for one in everyone)
    if incomplete:
        yield f"{name}: {incomplete} questions that were not asked in every language are left out"
