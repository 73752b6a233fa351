"""Items with an inventory through the whole stage, with shots from their own benchmark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.bench import build_named
from crossin.core.files import read_json, read_parquet
from crossin.core.formats import ANSWERS, ENTITIES, ITEMS, PROMPTS
from crossin.evaluation import Form, Reply, Request, ask_bench, evaluate, prepare
from crossin.items import read_items
from crossin.items.inventories import read_inventories, write_inventories
from crossin.items.item import write_items
from crossin.items.replies.entities import Unread
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, answering, response
from tests.helpers.relation_facts import write_relations
from tests.helpers.replying import Replying

# What a made-up model says where it does not know the answer.
REPLIES = {"en": " It is not known", "ru": "", "zh": "东京和利马"}


def capital_of_japan(request: Request) -> Reply:
    """The reply of a model that knows the capital of Japan in English, and nothing else."""
    language = request.name.rpartition(" in ")[2]
    knows = str(request.prompt).endswith("Where is Japan's capital located? The answer is:")
    return Reply(" Tokyo." if knows else REPLIES[language])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("klar")
    source = write_relations(folder / "source")
    return build_named("klar", folder / "bench", source=source, languages=["en", "ru", "zh"]).folder


def ask(bench: Path, out: Path, **how: Any) -> Any:
    form = Form(kind="generate", shots=3)
    return ask_bench(Replying(capital_of_japan), bench, out, name="m", form=form, shots=bench, **how)


def test_the_inventories_asked_lie_beside_the_answers(bench: Path, tmp_path: Path) -> None:
    stage = ask(bench, tmp_path / "out", tasks=["capital"], languages=["en", "zh"])
    [(name, one)] = read_inventories(stage.folder).items()
    assert name == "capital"
    assert {frozenset(names) for names in one.names.values()} == {frozenset({"en", "zh"})}
    assert len(one.ids) == 6
    assert {*stage.manifest["outputs"]} == {ANSWERS, ITEMS, PROMPTS, ENTITIES}
    assert "entities" in stage.manifest["inputs"]


def test_a_row_says_which_entity_is_right_and_not_which_was_read(bench: Path, tmp_path: Path) -> None:
    stage = ask(bench, tmp_path / "out", languages=["en"])
    columns = ["item", "option_ids", "answer", "gold", "reply", "inventory", "entity"]
    rows = {row["item"]: row for row in read_parquet(stage.folder / ANSWERS, columns).to_pylist()}
    [item] = [one for one in read_items(bench) if one.question.startswith("Where is Japan")]
    assert rows[item.item] == {
        "item": item.item,
        "option_ids": [],
        "answer": None,
        "gold": "Tokyo",
        "reply": " Tokyo.",
        "inventory": "capital",
        "entity": item.entity,
    }
    assert item.entity


def test_replies_that_name_no_entity_are_counted_by_reason(bench: Path, tmp_path: Path) -> None:
    stage = ask(bench, tmp_path / "out", tasks=["capital"])
    # Of six questions in each language, one in English is answered.
    assert stage.manifest["counts"]["unread"] == {Unread.EMPTY: 6, Unread.NONE: 5, Unread.SEVERAL: 6}


def test_without_inventories_nothing_is_counted_and_nothing_written(bench: Path, tmp_path: Path) -> None:
    items = [replace(one, inventory="", entity="") for one in read_items(bench)]
    (tmp_path / "plain").mkdir()
    write_items(tmp_path / "plain" / ITEMS, items)
    stage = ask(tmp_path / "plain", tmp_path / "out")
    assert {*stage.manifest["outputs"]} == {ANSWERS, ITEMS, PROMPTS}
    assert "unread" not in stage.manifest["counts"]
    assert not {"entities", "per_task"} & {*stage.manifest["inputs"], *stage.manifest["settings"]}


def test_another_inventory_is_another_input(bench: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    write_items(copy / ITEMS, read_items(bench))
    write_inventories(copy / ENTITIES, read_inventories(bench).values())
    ask(copy, tmp_path / "out")
    found = read_inventories(copy)
    write_inventories(copy / ENTITIES, [found["continent"], found["capital"]])
    with refused("entities", file=tmp_path / "out"):
        ask(copy, tmp_path / "out")


def test_an_inventory_that_is_not_there_is_an_error_before_anything_is_asked(
    bench: Path, tmp_path: Path
) -> None:
    (tmp_path / "bench").mkdir()
    write_items(tmp_path / "bench" / ITEMS, read_items(bench))
    with refused("'capital'", file=tmp_path / "bench" / ENTITIES, field="inventory"):
        prepare(tmp_path / "bench", form=Form())
    write_inventories(tmp_path / "bench" / ENTITIES, [read_inventories(bench)["continent"]])
    with refused("'capital'", file=tmp_path / "bench" / ENTITIES, field="inventory"):
        prepare(tmp_path / "bench", form=Form())
    assert prepare(tmp_path / "bench", form=Form(), tasks=["continent"]).inventories.keys() == {"continent"}


@pytest.mark.parametrize("kind", ["text", "letters", "generate"])
def test_every_form_generates_the_rest_of_the_line(kind: Any, bench: Path) -> None:
    prepared = prepare(bench, form=Form(kind=kind, shots=2), shots=bench, languages=["en"])
    for one in prepared.requests:
        assert not one.options
        assert one.stop == ("\n",)
        assert str(one.prompt).count("The answer is: ") == 2


def test_each_task_has_its_number_of_items_and_shots_that_were_not_drawn(bench: Path) -> None:
    prepared = prepare(bench, form=Form(shots=3), shots=bench, per_task=1)
    assert sorted((one.task, one.language) for one in prepared.items) == [
        (task, language) for task in ("capital", "continent") for language in ("en", "ru", "zh")
    ]
    assert prepared.settings["per_task"] == 1


def test_the_two_numbers_exclude_each_other_in_the_settings(bench: Path) -> None:
    with refused("per_task", hint=""):
        evaluate({"models": ["m"], "bench": [str(bench)], "limit": 3, "per_task": 3}, "out")


async def serve(asked: Asked) -> bytes:
    """A server without log-probabilities, which knows the capital of Japan."""
    if asked.body.get("logprobs") or "prompt_logprobs" in asked.body or asked.body.get("echo"):
        return response(400, {"error": {"message": "no log-probabilities"}})
    prompt = asked.body["messages"][-1]["content"] if "messages" in asked.body else asked.body["prompt"]
    text = " Tokyo" if "Japan" in prompt.rpartition("\n\n")[2] else " nowhere"
    return response(200, {"choices": [{"text": text, "message": {"content": text}, "finish_reason": "stop"}]})


@pytest.mark.parametrize("chat", [False, True])
def test_a_server_is_asked_the_same_and_what_was_unread_is_said(
    chat: bool, bench: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    with answering(serve) as log:
        [found] = evaluate(
            {"models": ["m"], "engine": "openai", "server": {"base_url": log.base_url}},
            tmp_path / "out",
            bench=[str(bench)],
            form="generate",
            chat=chat,
            languages=["en"],
            tasks=["capital"],
            shots=2,
            shots_from=bench,
            max_tokens=8,
            say=said.append,
        )
    asked = [one.body for one in log.asked if one.body and one.body.get("max_tokens") == 8]
    if chat:
        assert all(len(body["messages"]) == 5 for body in asked)
    else:
        prompts = {one.request.prompt for one in prepare(bench, form=Form(shots=2), shots=bench).questions}
        assert {body["prompt"] for body in asked} <= prompts
    assert found.stage.manifest["counts"]["unread"] == {Unread.NONE: 5}
    assert any("no entity was read: 5" in line for line in said)
    [score] = read_json(found.stage.folder / "scores.json")["scores"]
    assert score["choices"]["accuracy"]["value"] == pytest.approx(1 / 6, abs=1e-6)
