"""Contamination: pairs must not hold items of the benchmarks used for evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from crossin.bench.matching import Level, SharedItem, TextIndex, shared_items
from crossin.core.errors import CrossinError
from crossin.core.reasons import sentence_of
from crossin.items.item import items_file, read_items
from crossin.training.pairs import PairPool
from crossin.training.preferences import Preference

# Of what two texts share, the characters that an error shows.
_SHOWN = 80


def check_apart(pool: PairPool, benches: Sequence[Path], preferences: Sequence[Preference] = ()) -> None:
    """Raise CrossinError where a pair or a preference has an id, a group, a text or a fact of one of the
    benchmarks, as `crossin.bench.matching` finds them: whatever the case, the spaces and the prompt around a
    question, since a mixture's rows are rendered by templates. A subject alone, without its answer, may be in
    both.
    """
    groups_of = {item.item: item.group for item in pool.items}
    groups_of |= {one.id: one.group for one in preferences}
    texts: dict[str, list[tuple[str, str]]] = defaultdict(
        list, {name: [*pool.texts[name]] for name in pool.rows}
    )
    for one in preferences:
        texts[one.id] += one.texts
    field = "pairs.apart_from" if pool.rows or pool.questions else "prefer.apart_from"
    for bench in benches:
        items = read_items(bench)
        rows = {(item.item, item.language): row for row, item in enumerate(items, start=1)}
        ids = {item.item: row for row, item in reversed(list(enumerate(items, start=1)))}
        groups = {item.group: row for row, item in reversed(list(enumerate(items, start=1)))}
        asked = [item for item in pool.items if item.item in pool.questions]
        alike: dict[str, SharedItem] = {}
        for match in shared_items(asked, items):
            # A subject that both have is no leak.
            if match.evidence.level is not Level.SUBJECT:
                alike.setdefault(match.item, match)
        index = TextIndex(items) if texts else None
        wrong: list[tuple[str, str, int]] = []
        for name in dict.fromkeys((*texts, *pool.questions)):
            group = groups_of.get(name)
            if name in ids:
                wrong.append((name, "its id", ids[name]))
            elif group in groups:
                wrong.append((name, f"its group {group}", groups[group]))
            elif same := alike.get(name):
                wrong.append((name, _evidence(same), ids[same.other]))
            elif index and (
                found := next((x for one in texts.get(name, ()) for x in index.matches(one)), None)
            ):
                wrong.append((name, _evidence(found), rows[found.item, found.language]))
        if wrong:
            first, why, row = wrong[0]
            raise CrossinError(
                f"{len(wrong)} of the pairs are in a benchmark for evaluation, such as '{first}' ({why})",
                file=items_file(bench),
                row=row,
                field=field,
                hint="use pairs of another split, or see all that they share: crossin bench overlap",
            )


def _evidence(match: SharedItem) -> str:
    return f"the same {sentence_of(match.evidence)}: {match.shared[:_SHOWN]}"
