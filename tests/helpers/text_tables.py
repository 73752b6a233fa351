"""Tables of replies for the tests."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from crossin.metrics.texts import TextTable

LANGUAGES = ("en", "zh", "ar", "th")
WORDS = {
    "en": ["the", "tower", "of", "London", "a", "river", "2,000", "-"],
    "zh": ["北京", "长江", "DNA", "，", "塔"],
    "ar": ["نهر", "النيل", "القاهرة", "مصر", "؟"],
    "th": ["กรุงเทพ", "แม่น้ำ", "ที่", "๕"],
}


def texts(
    languages: Sequence[str],
    replies: Sequence[Sequence[str | None]],
    references: Sequence[Sequence[str]],
) -> TextTable:
    """A table in which every item is its own group."""
    names = tuple(f"item-{number}" for number in range(len(replies)))
    return TextTable(
        items=names,
        languages=tuple(languages),
        groups=names,
        tasks=("capital",) * len(names),
        replies=tuple(map(tuple, replies)),
        references=tuple(map(tuple, references)),
    )


def reordered(table: TextTable, order: Sequence[int]) -> TextTable:
    """The table with its items in another order."""
    return texts(table.languages, [table.replies[i] for i in order], [table.references[i] for i in order])


@st.composite
def text_tables(draw: st.DrawFn) -> TextTable:
    """Small tables in four scripts, with missing replies."""
    items = draw(st.integers(1, 5))

    def sentence(language: str) -> st.SearchStrategy[str]:
        return st.lists(st.sampled_from(WORDS[language]), min_size=1, max_size=8).map(" ".join)

    references = [[draw(sentence(x)) for x in LANGUAGES] for _ in range(items)]
    replies = [
        [
            draw(st.one_of(st.sampled_from([None, " ", references[i][j]]), sentence(x)))
            for j, x in enumerate(LANGUAGES)
        ]
        for i in range(items)
    ]
    return texts(LANGUAGES, replies, references)
