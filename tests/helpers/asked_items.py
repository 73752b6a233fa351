"""Items to ask: a few written out, and any at all."""

from __future__ import annotations

from hypothesis import strategies as st

from crossin.items.item import Item
from crossin.languages import available

# Question and options, the first of which is right.
SKY = {
    "en": ("Which colour has the sky?", "blue", "red", "green"),
    "zh": ("天空是什么颜色？", "蓝色", "红色", "绿色"),
    "ar": ("ما لون السماء؟", "أزرق", "أحمر", "أخضر"),
    "sv": ("Vilken färg har himlen?", "blå", "röd", "grön"),
    # Without phrases.
    "lb": ("Wéi eng Faarf huet den Himmel?", "blo", "rout", "gréng"),
}
SNOW = {
    "en": ("Which colour has snow?", "white", "black", "blue"),
    "zh": ("雪是什么颜色？", "白色", "黑色", "蓝色"),
    "ar": ("ما لون الثلج؟", "أبيض", "أسود", "أزرق"),
}


def item(
    name: str = "sky",
    language: str = "en",
    *texts: str,
    context: str = "",
    task: str = "colours",
    group: str = "",
    free_text: bool = False,
) -> Item:
    """An item whose first option is right; in free text that is the reference. Its group is its name, if none
    is given, and its texts are those of the sky.
    """
    question, *options = texts or SKY[language]
    ids = [] if free_text else [f"o{place}" for place in range(len(options))]
    return Item(
        item=name,
        group=group or name,
        task=task,
        language=language,
        context=context,
        question=question,
        options=[] if free_text else options,
        option_ids=ids,
        answer=options[0] if free_text else "o0",
        source="made for this test",
        licence="Apache-2.0",
    )


def numbered(
    prefix: str,
    count: int,
    language: str = "en",
    *,
    task: str = "colours",
    group: str = "",
    free_text: bool = False,
) -> list[Item]:
    """So many items told apart by their names: of `t7` the question is "t7 in en?", the answer "right t7"."""
    return [
        item(
            name,
            language,
            f"{name} in {language}?",
            f"right {name}",
            f"wrong {name}",
            task=task,
            group=group,
            free_text=free_text,
        )
        for name in (f"{prefix}{number}" for number in range(count))
    ]


# Texts that a prompt could be confused by: its own words, placeholders, several lines, no letters.
_texts = st.text(min_size=1, max_size=20) | st.sampled_from(
    ["A", "B. x", "{question}", "Answer:", "a\n\nb", "答案："]
)


@st.composite
def benches(draw: st.DrawFn) -> list[Item]:
    """Items in several languages, of multiple choice and in free text, with and without a context."""
    languages = draw(st.lists(st.sampled_from(available()), min_size=1, max_size=3, unique=True))
    items = []
    for number in range(draw(st.integers(1, 4))):
        options = draw(st.sampled_from([0, 2, 3, 4, 5, 26]))
        task = draw(st.sampled_from(["one", "two"]))
        ids = [f"o{place}" for place in range(options)]
        right = draw(st.sampled_from(ids)) if ids else ""
        items += [
            Item(
                item=f"q{number}",
                group=f"q{number}",
                task=task,
                language=language,
                context=draw(st.just("") | _texts),
                question=draw(_texts),
                options=[f"{place} {draw(_texts)}" for place in range(options)],
                option_ids=ids,
                answer=right or draw(_texts),
                source="",
                licence="",
            )
            for language in languages
        ]
    return items
