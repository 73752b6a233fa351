"""Which shots a question gets, and which it may never get."""

from __future__ import annotations

import re
from dataclasses import replace

from crossin.items import Form, questions
from crossin.items.item import Item
from tests.helpers.asked_items import item, numbered
from tests.helpers.errors import refused


def shots_of(items: list[Item], shots: list[Item], number: int, *, seed: int = 0) -> list[list[str]]:
    """The ids of the shots before each question."""
    asked = questions(items, Form(shots=number), shots=shots, seed=seed)
    return [re.findall(r"right (\w+)", str(one.prompt)) for one in asked]


def test_the_same_shots_in_the_same_order_in_every_language() -> None:
    items = [item(), item(language="zh"), item(language="ar")]
    shots = [one for language in ("ar", "zh", "en") for one in numbered("t", 20, language)]
    (english, *others) = shots_of(items, shots, 5)
    assert len(set(english)) == 5
    assert others == [english, english]
    assert shots_of(items, shots[::-1], 5)[0] == english


def test_the_seed_decides_which() -> None:
    shots = numbered("t", 20)
    assert len({tuple(shots_of([item()], shots, 5, seed=seed)[0]) for seed in range(10)}) > 5


def test_fewer_shots_are_the_first_of_more() -> None:
    shots = numbered("t", 20)
    assert shots_of([item()], shots, 2)[0] == shots_of([item()], shots, 5)[0][:2]


def test_shots_are_in_the_language_of_their_question() -> None:
    shots = [one for language in ("en", "zh") for one in numbered("t", 3, language)]
    (asked,) = questions([item(language="zh")], Form(shots=3), shots=shots)
    assert str(asked.prompt).count("in zh?") == 3
    assert "in en?" not in str(asked.prompt)


def test_a_shot_that_lacks_a_language_is_no_shot() -> None:
    shots = [*numbered("t", 9), *numbered("t", 3, "zh")]
    for names in shots_of([item(), item(language="zh")], shots, 3):
        assert set(names) == {"t0", "t1", "t2"}


def test_what_is_asked_and_its_group_are_no_shots() -> None:
    items = numbered("q", 4, group="paragraph 1")
    shots = [*items, *numbered("same", 4, group="paragraph 1"), *numbered("other", 2, group="paragraph 2")]
    for names in shots_of(items, shots, 2):
        assert set(names) == {"other0", "other1"}


def test_an_item_asked_in_one_language_is_no_shot_in_another() -> None:
    items = [*numbered("q", 1), item("r", "zh")]
    shots = [one for language in ("en", "zh") for one in numbered("q", 5, language, group="elsewhere")]
    for names in shots_of(items, shots, 4):
        assert set(names) == {"q1", "q2", "q3", "q4"}


def test_what_is_asked_is_no_shot_under_another_id() -> None:
    again = [item("again", language, "q0 in en?", "right again", "wrong again") for language in ("en", "zh")]
    items = [one for language in ("en", "zh") for one in numbered("q", 1, language)]
    shots = [*again, *(one for language in ("en", "zh") for one in numbered("t", 2, language))]
    for names in shots_of(items, shots, 2):
        assert set(names) == {"t0", "t1"}


def test_shots_are_of_the_items_task_where_there_are_enough() -> None:
    shots = [*numbered("history", 9, task="history"), *numbered("colour", 3)]
    (names,) = shots_of([item()], shots, 3)
    assert set(names) == {"colour0", "colour1", "colour2"}
    assert {name[:6] for name in shots_of([item()], shots, 12)[0]} == {"histor", "colour"}


def test_free_text_and_multiple_choice_have_shots_of_their_own_kind() -> None:
    shots = [*numbered("choice", 3), *numbered("free", 3, free_text=True)]
    choice, free = shots_of([item("a"), item("b", free_text=True)], shots, 3)
    assert set(choice) == {"choice0", "choice1", "choice2"}
    assert set(free) == {"free0", "free1", "free2"}


def test_too_few_shots_are_counted_with_the_reasons() -> None:
    items = [*numbered("q", 3, group="g"), *numbered("q", 3, "zh", group="g")]
    shots = [
        *items,
        *numbered("near", 2, group="g"),
        *numbered("english", 4),
        *numbered("t", 2),
        *numbered("t", 2, "zh"),
        *numbered("free", 7, free_text=True),
    ]
    with refused("3 multiple-choice", "2 of 11", "5 would leak", "4 lack a language", field="shots"):
        questions(items, Form(shots=3), shots=shots)


def test_shots_of_the_wrong_kind_are_not_counted() -> None:
    with refused("1 free-text", "0 of 0", field="shots"):
        questions([item(free_text=True)], Form(shots=1), shots=numbered("choice", 3))


def test_without_shots_in_the_form_none_are_given() -> None:
    assert shots_of([item()], numbered("t", 3), 0) == [[]]


def test_a_benchmark_gives_its_own_shots_and_no_item_is_a_shot_for_itself() -> None:
    bench = [one for language in ("en", "zh") for one in numbered("q", 6, language)]
    found = shots_of(bench, bench, 5)
    for one, names in zip(bench, found, strict=True):
        assert set(names) == {f"q{number}" for number in range(6)} - {one.item}
    assert found[:6] == found[6:]


def test_nearly_all_items_have_the_first_shots_of_the_draw() -> None:
    bench = numbered("q", 40)
    found = [tuple(names) for names in shots_of(bench, bench, 3)]
    most = max(set(found), key=found.count)
    assert found.count(most) == 37
    # Each of the three has the other two, and the fourth.
    for one, names in zip(bench, found, strict=True):
        if one.item in most:
            assert names[:2] == tuple(name for name in most if name != one.item)


def test_items_that_are_not_drawn_may_be_shots() -> None:
    bench = numbered("q", 40)
    assert shots_of(bench[:4], bench, 3) == shots_of(bench, bench, 3)[:4]


def test_the_languages_asked_do_not_decide_the_shots() -> None:
    bench = [one for language in ("en", "zh") for one in numbered("q", 9, language)]
    assert shots_of(bench[:9], bench, 3) == shots_of(bench, bench, 3)[:9]


def test_a_benchmarks_own_shots_are_not_of_the_items_group_nor_have_its_text() -> None:
    bench = [*numbered("a", 2, group="one"), *numbered("b", 2, group="two"), *numbered("c", 1)]
    bench.append(item("again", "en", "a0 in en?", "right again", "wrong again"))
    assert {frozenset(names) for names in shots_of(bench[:1], bench, 3)} == {frozenset({"b0", "b1", "c0"})}


def test_a_benchmarks_own_shots_are_there_in_every_language_asked() -> None:
    bench = [*numbered("q", 9), *numbered("q", 4, "zh")]
    for names in shots_of(bench, bench, 3)[:9]:
        assert set(names) <= {"q0", "q1", "q2", "q3"}
    # In English alone, all nine can be used.
    assert {name for names in shots_of(bench[:9], bench, 8) for name in names} == {one.item for one in bench}


def test_a_benchmarks_own_shots_are_never_of_another_task() -> None:
    bench = [*numbered("q", 3), *numbered("other", 9, task="other")]
    with refused("3 multiple-choice", "'colours'", "item 'q0'", "2 of 3", "1 would leak", field="shots"):
        shots_of(bench, bench, 3)


def test_too_few_shots_of_a_benchmark_itself_are_counted_with_the_reasons() -> None:
    bench = [*numbered("q", 2, group="g"), *numbered("q", 2, "zh", group="g"), *numbered("en", 3)]
    with refused("0 of 5", "2 would leak", "3 lack a language", field="shots", hint="--tasks"):
        shots_of(bench[:4], bench, 1)


def test_shots_with_the_items_own_answer_come_last_in_free_text() -> None:
    bench = numbered("q", 8, free_text=True)
    # Four of them have the same answer, and one has it as an alias.
    bench[:4] = [replace(one, answer="right twin") for one in bench[:4]]
    bench[4] = replace(bench[4], aliases=["Right  Twin"])
    for one, names in zip(bench, shots_of(bench, bench, 7), strict=True):
        same = [name in ("twin", "q4") for name in names]
        assert same == (sorted(same) if one in bench[:5] else same)
        assert len(names) == 7


def test_entities_decide_which_answers_are_the_same() -> None:
    bench = [
        replace(one, inventory="cities", entity=f"Q{number // 2}")
        for number, one in enumerate(numbered("q", 6, free_text=True))
    ]
    last = [names[-1] for names in shots_of(bench, bench, 5)]
    assert last == ["q1", "q0", "q3", "q2", "q5", "q4"]


def test_the_right_option_does_not_decide_a_shot() -> None:
    bench = numbered("q", 8)
    alike = [replace(one, options=["yes", "no"], answer=f"o{place % 2}") for place, one in enumerate(bench)]

    def order(items: list[Item]) -> list[list[str]]:
        asked = questions(items, Form(shots=4), shots=items)
        return [re.findall(r"(\w+) in en", str(one.prompt)) for one in asked]

    assert order(alike) == order(bench)


def test_an_item_that_differs_makes_it_another_benchmark() -> None:
    bench = numbered("q", 6)
    changed = [replace(bench[0], context="Look up."), *bench[1:3]]
    for names in shots_of(changed, bench, 3):
        assert set(names) == {"q3", "q4", "q5"}


def test_a_benchmark_whose_languages_have_items_of_their_own_gives_its_own_shots() -> None:
    bench = [*numbered("e", 4, "en"), *numbered("z", 4, "zh")]
    for one, names in zip(bench, shots_of(bench, bench, 3), strict=True):
        assert set(names) == {f"{one.item[0]}{number}" for number in range(4)} - {one.item}


def test_where_languages_have_items_of_their_own_they_have_shots_of_their_own() -> None:
    items = [item("q", "en"), item("r", "zh")]
    shots = [*numbered("e", 4, "en"), *numbered("z", 4, "zh")]
    english, chinese = shots_of(items, shots, 3)
    assert {name[0] for name in english} == {"e"}
    assert {name[0] for name in chinese} == {"z"}
    with refused("only 4 of 8", "4 lack a language", field="shots"):
        shots_of(items, shots, 5)
