"""Are a log's languages parallel: does the same id mean the same question, with the same options and answer?

Logs say which document was asked, but not whether its number means the same in every language. So golds are
compared, which agree by chance where it does not, and the content of the texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from crossin.bench.option_order import compare_options
from crossin.bench.row_order import compare_rows
from crossin.core.errors import CrossinError
from crossin.core.reasons import Reason
from crossin.items.item import Item
from crossin.languages.numbers import last_number

# Below this agreement beyond chance, golds are those of other questions.
_AGREEMENT = 0.9
# Fewer items that differ are errors in single items.
_FEW = 3
# Above this share, items whose texts do not belong together show that the rows do not.
_MOST = 0.1
# From this number of items on, texts that belong elsewhere are not free translations.
_ENOUGH = 5
# Items whose texts are compared, and the parts of the benchmark that they are from: enough to see an order.
_SAMPLE, _PARTS = 500, 5
_ALONE = (
    "run all languages on one version of a data set that is parallel, or put this language's files into a "
    "folder of their own"
)
# Of an item in a language: its file and row.
Place = Callable[[str, str], tuple[Path, int]]


class NotParallel(Reason):
    """Why a logged item is not the same in every language."""

    GOLD_DIFFERS = "other_right_option", "another right answer than in most languages"
    OPTIONS_DIFFER = "other_number_of_options", "another number of options than in most languages"
    OTHER_ROW = "other_document", "its texts belong to another document"
    OPTIONS_MOVED = "options_reordered", "its options seem to stand in another order"


def left_out_items(items: Sequence[Item], joined_by: str, place: Place) -> dict[str, str]:
    """The items that are not the same in every language, each with a reason code.

    joined_by: what the languages are joined by, for the error. Raises CrossinError where a language as a
    whole has other questions, or another order of options, than most.
    """
    by_language: dict[str, dict[str, Item]] = {}
    for item in items:
        by_language.setdefault(item.language, {})[item.item] = item
    if len(by_language) < 2:
        return {}
    usual = _usual(by_language)
    reference = "en" if "en" in by_language else next(iter(by_language))
    found: dict[str, str] = {}
    differing: dict[str, list[str]] = {}
    for language, asked in by_language.items():
        common = [name for name in asked if name in usual]
        differing[language] = [name for name in common if _gold(asked[name]) != usual[name]]
        _check_golds(language, asked, usual, common, differing[language], joined_by, place)
        for name in differing[language]:
            other = _gold(asked[name])[0] != usual[name][0]
            reason = NotParallel.OPTIONS_DIFFER if other else NotParallel.GOLD_DIFFERS
            found.setdefault(name, reason.about(language))
    first = by_language[reference]
    for language, asked in by_language.items():
        pairs = _sample([(first[name], asked[name]) for name in asked if name in first])
        if language == reference or not pairs:
            continue
        others = _by_content(pairs, {*differing[language], *differing[reference]}, joined_by, place)
        found = others | found
    return found


def _sample(pairs: list[tuple[Item, Item]]) -> list[tuple[Item, Item]]:
    """Some pairs of all parts, with their neighbours, which rows change places with."""
    if len(pairs) <= _SAMPLE:
        return pairs
    starts = [len(pairs) * part // _PARTS for part in range(_PARTS)]
    return [pair for start in starts for pair in pairs[start : start + _SAMPLE // _PARTS]]


def _gold(item: Item) -> tuple[str, ...]:
    """What must be the same in every language: the number of options, and the right one; or the number."""
    if not item.free_text:
        return str(len(item.options)), item.answer
    if item.answer_type != "number":
        return ("",)
    # Of two readings of a separator, the larger one: 1.080 is written by more languages than 1.08.
    return "", str(max(last_number(item.answer, item.language), default=""))


def _usual(by_language: Mapping[str, Mapping[str, Item]]) -> dict[str, tuple[str, ...]]:
    """Of each item that several languages have, the gold of most."""
    golds: dict[str, Counter[tuple[str, ...]]] = {}
    for asked in by_language.values():
        for name, item in asked.items():
            golds.setdefault(name, Counter())[_gold(item)] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in golds.items() if counts.total() > 1}


def _check_golds(
    language: str,
    asked: Mapping[str, Item],
    usual: Mapping[str, tuple[str, ...]],
    common: Sequence[str],
    differing: Sequence[str],
    joined_by: str,
    place: Place,
) -> None:
    """Cohen's kappa of the language's golds and those of most languages."""
    if not common:
        file, row = place(language, next(iter(asked)))
        raise CrossinError(
            f"no document of {language} is in another language: they are joined by {joined_by}",
            file=file,
            row=row,
            hint=_ALONE,
        )
    if len(differing) < _FEW:
        return
    ours, theirs = Counter(_gold(asked[name]) for name in common), Counter(usual[name] for name in common)
    chance = sum(ours[gold] * theirs[gold] for gold in ours) / len(common) ** 2
    agreement = 1 - len(differing) / len(common)
    # With one gold for all there is no chance to correct for.
    kappa = agreement if chance == 1 else (agreement - chance) / (1 - chance)
    if kappa >= _AGREEMENT:
        return
    file, row = place(language, differing[0])
    raise CrossinError(
        f"{language} seems to have other documents, or options in another order, than the other languages: "
        f"joined by {joined_by}, {len(differing):,} of {len(common):,} have another right answer or number "
        f"of options (agreement beyond chance {kappa:.2f}); the first is '{differing[0]}'",
        file=file,
        row=row,
        hint=_ALONE,
    )


def _by_content(
    pairs: Sequence[tuple[Item, Item]], differing: Collection[str], joined_by: str, place: Place
) -> dict[str, str]:
    """The items whose texts belong elsewhere, or whose options stand in another order; `differing` are those
    whose golds differ.
    """
    reference, language = pairs[0][0].language, pairs[0][1].language
    rows = compare_rows(pairs)
    found = {pairs[at][1].item: NotParallel.OTHER_ROW.about(language) for at in rows.apart}
    # Without golds that vary, only the texts can show another order.
    blind = rows.offset is None and len({_gold(one) for one, _ in pairs}) == 1
    both = found.keys() | {two.item for _, two in pairs if two.item in differing}
    if rows.offset or blind or (len(found) >= _ENOUGH and len(both) > _MOST * len(pairs)):
        file, row = place(language, next(iter(found), pairs[0][1].item))
        what = f"{len(both):,} of {len(pairs):,} do not belong together"
        if rows.offset:
            what = f"all are those of {abs(rows.offset)} rows {'later' if rows.offset > 0 else 'earlier'}"
        raise CrossinError(
            f"the texts of {language} seem to be those of other documents than in {reference}, joined by "
            f"{joined_by}: {what}",
            file=file,
            row=row,
            hint=_ALONE,
        )
    options = compare_options([pair for pair in pairs if pair[1].item not in both])
    if options.other:
        file, row = place(language, pairs[0][1].item)
        raise CrossinError(
            f"the options seem to stand in another order in {language} than in {reference}, in "
            f"{options.moved:,} of {options.judged:,} documents compared by content",
            file=file,
            row=row,
            hint=_ALONE,
        )
    return found | {name: NotParallel.OPTIONS_MOVED.about(language) for name in options.marked}
