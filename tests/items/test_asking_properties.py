"""What holds of every question, whatever the items and the form."""

from __future__ import annotations

from string import ascii_uppercase

from hypothesis import given
from hypothesis import strategies as st

from crossin.items import WORDINGS, Form, Question, questions
from crossin.items.item import Item
from crossin.languages import load_words
from tests.helpers.asked_items import benches, numbered

forms = st.builds(
    Form,
    kind=st.sampled_from(["text", "letters", "generate"]),
    wordings=st.permutations(WORDINGS).flatmap(
        lambda names: st.integers(1, 3).map(lambda n: tuple(names[:n]))
    ),
    chat=st.booleans(),
    shots=st.integers(0, 3),
    order=st.sampled_from(["fixed", "rotated"]),
)


def shots_for(items: list[Item]) -> list[Item]:
    """Enough shots in all languages of the items."""
    return [
        shot
        for language in dict.fromkeys(one.language for one in items)
        for free_text in (False, True)
        for shot in numbered("free" if free_text else "choice", 5, language, free_text=free_text)
    ]


def ask(items: list[Item], form: Form, seed: int = 0) -> list[Question]:
    return questions(items, form, shots=shots_for(items), seed=seed)


def end_of(question: Question) -> str:
    """The prompt's own question, in a chat the last turn."""
    if isinstance(question.prompt, str):
        return question.prompt
    role, text = question.prompt[-1]
    assert role == "user"
    return text


def separator(question: Question, form: Form) -> str:
    plain = form.chat or question.wording == "plain"
    return "" if plain else load_words(question.item.language).separator


@given(benches(), forms)
def test_every_item_is_asked_once_in_every_wording(items: list[Item], form: Form) -> None:
    asked = [(one.item, one.wording) for one in ask(items, form)]
    assert asked == [(one, name) for one in items for name in form.wordings]


@given(benches(), forms)
def test_what_is_listed_is_every_option_once(items: list[Item], form: Form) -> None:
    for asked in ask(items, form):
        listed = form.kind != "text" and not asked.item.free_text
        assert sorted(asked.shown) == (list(range(len(asked.item.options))) if listed else [])
        lines = [
            f"\n{letter}. {asked.item.options[place]}"
            for letter, place in zip(ascii_uppercase, asked.shown, strict=False)
        ]
        assert "".join(lines) in end_of(asked)
        if form.order == "fixed":
            assert list(asked.shown) == sorted(asked.shown)


@given(benches(), forms)
def test_continuations_lead_back_to_the_options(items: list[Item], form: Form) -> None:
    for asked in ask(items, form):
        if form.kind == "generate" or asked.item.free_text:
            assert asked.options == ()
            continue
        lead = separator(asked, form)
        answers = [option.removeprefix(lead) for option in asked.options]
        assert [lead + answer for answer in answers] == list(asked.options)
        if form.kind == "letters":
            answers = [asked.item.options[asked.shown[ascii_uppercase.index(letter)]] for letter in answers]
        assert answers == asked.item.options


@given(benches(), forms, st.data())
def test_an_item_is_asked_the_same_whatever_else_is_asked(
    items: list[Item], form: Form, data: st.DataObject
) -> None:
    everything = ask(items, form)
    some = data.draw(st.lists(st.sampled_from(items), min_size=1, unique_by=id))
    # The shots are those for all items: which can be used depends on the languages and on what would leak.
    fewer = questions(some, form, shots=shots_for(items))
    assert all(one in everything for one in fewer)


@given(benches(), forms)
def test_prompts_of_a_language_and_task_begin_with_the_same_shots(items: list[Item], form: Form) -> None:
    alone = questions(items, form.model_copy(update={"shots": 0}))
    openings: dict[tuple[str, str, bool, str], set[object]] = {}
    for with_shots, without in zip(ask(items, form), alone, strict=True):
        assert with_shots.prompt[len(with_shots.prompt) - len(without.prompt) :] == without.prompt
        opening = with_shots.prompt[: len(with_shots.prompt) - len(without.prompt)]
        sort = (with_shots.item.language, with_shots.item.task, with_shots.item.free_text, with_shots.wording)
        openings.setdefault(sort, set()).add(opening)
    assert all(len(found) == 1 for found in openings.values())


@given(benches(), forms)
def test_a_chat_says_what_the_plain_form_says(items: list[Item], form: Form) -> None:
    chats = ask(items, form.model_copy(update={"chat": True}))
    plain = ask(items, form.model_copy(update={"chat": False}))
    for chat, one in zip(chats, plain, strict=True):
        assert not isinstance(chat.prompt, str)
        assert [role for role, _ in chat.prompt] == ["user", "assistant"] * form.shots + ["user"]
        lead = separator(one, form.model_copy(update={"chat": False}))
        call = "\n" + one.cue
        texts = [text for _, text in chat.prompt]
        shots = [f"{ask}{call}{lead}{answer}" for ask, answer in zip(texts[:-1:2], texts[1::2], strict=True)]
        assert one.prompt == "\n\n".join([*shots, texts[-1] + call])
        assert tuple(lead + option for option in chat.options) == one.options
        assert chat.shown == one.shown


@given(benches())
def test_the_default_form_is_the_languages_prompt_and_the_full_options(items: list[Item]) -> None:
    for asked in questions(items, Form()):
        words, one = load_words(asked.item.language), asked.item
        assert asked.prompt == words.ask(f"{one.context}\n{one.question}" if one.context else one.question)
        assert asked.options == tuple(words.separator + option for option in one.options)
