"""Questions that are asked several times, and what the answers mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from crossin.evaluation.engine import Content, Request, Sampling
from crossin.evaluation.preparation import PreparedQuestion, with_request
from crossin.items import Form, questions
from crossin.items.inventories import Inventories, Inventory
from crossin.items.item import Item
from crossin.items.scored_options import Choice
from crossin.teaching.judging import Answer, answer_of

# An item and its language.
Place = tuple[str, str]


class AskedAnswer(NamedTuple):
    """A question that was asked, and its answer; `cut`: a reply that ended at the limit of tokens."""

    question: PreparedQuestion
    answer: Answer
    cut: bool = False


def tasks_of_local_ids(items: Iterable[Item]) -> set[str]:
    """The tasks in which an option id has several texts in a language, such as a place in the list: it names
    an option of its item only. Elsewhere an id means the same everywhere.
    """
    texts: dict[tuple[str, str, str], str] = {}
    return {
        item.task
        for item in items
        for option, text in zip(item.option_ids, item.options, strict=True)
        if texts.setdefault((item.task, option, item.language), text) != text
    }


def opened(items: Sequence[Item]) -> tuple[list[Item], dict[str, Inventory]]:
    """The items with options as open questions, which no longer show their options, and the inventories by
    which their replies are read: all options of the task, or of the item where ids are local
    (`tasks_of_local_ids`). Other items are as they were.
    """
    local = tasks_of_local_ids(items)
    found: list[Item] = []
    names: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    for item in items:
        if item.free_text:
            found.append(item)
            continue
        # Unlike the names of a benchmark's own inventories.
        inventory = f"options of {item.item if item.task in local else item.task}"
        for option, text in zip(item.option_ids, item.options, strict=True):
            names.setdefault(inventory, {}).setdefault(option, {})[item.language] = (text,)
        found.append(replace(item, options=[], option_ids=[], answer="", inventory=inventory))
    return found, {name: Inventory(name, of) for name, of in names.items()}


def prepared(
    items: Sequence[Item],
    form: Form,
    choice: Choice,
    *,
    shots: Sequence[Item] = (),
    seed: int = 0,
    draws: Sequence[Sampling] = (),
) -> list[PreparedQuestion]:
    """Every item in every wording with its request; where a reply is generated, one for each of `draws`
    (greedy without any).
    """
    found: list[PreparedQuestion] = []
    for question in questions(items, form, shots=shots, seed=seed):
        one = with_request(question, form, choice)
        if one.request.options or not draws:
            found.append(one)
            continue
        request = one.request
        if question.item.inventory and not form.chat:
            # It is read in the first line.
            request = replace(request, stop=("\n", *request.stop))
        found += [replace(one, request=replace(request, sampling=draw)) for draw in draws]
    return found


def requests_of(asked: Iterable[PreparedQuestion]) -> list[Request]:
    """The requests, those that are the same once."""
    once: dict[Content, Request] = {}
    for one in asked:
        for request in (one.request, one.bare):
            if request is not None:
                once.setdefault(request.content, request)
    return list(once.values())


def answers_by_place(
    asked: Sequence[PreparedQuestion],
    found: Mapping[Content, dict[str, Any]],
    choice: Choice,
    inventories: Inventories,
) -> dict[Place, list[AskedAnswer]]:
    """The answers to each item in each language, in the order asked, from an engine's answers by the content
    of their requests (the fields of `Scores` or `Reply`).
    """
    places: dict[Place, list[AskedAnswer]] = {}
    for one in asked:
        item = one.question.item
        bare = None if one.bare is None else found[one.bare.content]
        answer = found[one.request.content]
        meant = answer_of(one, answer, bare, choice, inventories, whole=False)
        places.setdefault((item.item, item.language), []).append(
            AskedAnswer(one, meant, answer.get("cut", False))
        )
    return places
