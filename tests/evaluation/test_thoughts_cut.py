"""Replies of models that think: what was cut is missing, and counted, in the run and when it is scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_json, read_parquet
from crossin.core.formats import ANSWERS
from crossin.evaluation import EvaluateConfig, Form, Reply, ask_bench, evaluate
from crossin.scoring.predictions import read_predictions
from crossin.scoring.scores import score
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, answering, response
from tests.helpers.replying import Replying
from tests.helpers.small_bench import write_bench


def asked(folder: Path, reply: Any) -> Any:
    form = Form(kind="generate", chat=True)
    engine = Replying(lambda request: reply(request.name))
    return ask_bench(engine, write_bench(folder / "bench"), folder / "run", name="m", form=form)


def test_a_cut_thought_is_missing_and_counted(tmp_path: Path) -> None:
    def reply(name: str) -> Reply:
        cut = "in en" in name
        return Reply("<think>\nThe answer is A" + ("" if cut else "\n</think>\n\nB"), cut)

    stage = asked(tmp_path, reply)
    assert (stage.manifest["counts"]["thoughts_cut"], stage.manifest["counts"]["truncated_replies"]) == (4, 4)
    rows = read_parquet(stage.folder / ANSWERS, ["language", "option_ids", "answer"]).to_pylist()
    choices = [row for row in rows if row["option_ids"]]
    assert {row["answer"] for row in choices if row["language"] == "en"} == {None}
    assert {row["answer"] for row in choices if row["language"] != "en"} == {"green"}
    [found] = read_predictions(stage.folder)
    assert found.thoughts_cut == {"en": 4}
    assert found.texts is not None
    # Of the item in free text, "B" is what was said.
    assert found.texts.replies == ((None, "B", "B"),)


def test_replies_that_end_a_thought_show_that_a_servers_template_begins_it(
    tmp_path: Path,
) -> None:
    def reply(name: str) -> Reply:
        if "in en" in name:
            return Reply("The answer is A. But wait", cut=True)
        # A reply that is not cut may lack a thought.
        return Reply("B") if "in de" in name else Reply("It may be A.\n</think>\n\nB")

    stage = asked(tmp_path, reply)
    [found] = read_predictions(stage.folder)
    assert found.thoughts_cut == {"en": 4}
    rows = read_parquet(stage.folder / ANSWERS, ["language", "option_ids", "answer"]).to_pylist()
    assert {row["answer"] for row in rows if row["option_ids"] and row["language"] == "de"} == {"green"}


def test_a_long_reply_of_a_model_that_does_not_think_is_read(tmp_path: Path) -> None:
    stage = asked(tmp_path, lambda _: Reply("The answer is A, because", cut=True))
    assert stage.manifest["counts"]["thoughts_cut"] == 0
    rows = read_parquet(stage.folder / ANSWERS, ["option_ids", "answer"]).to_pylist()
    assert {row["answer"] for row in rows if row["option_ids"]} == {"red"}


async def thinking(request: Asked) -> bytes:
    """As a server that gives thoughts apart."""
    if request.body.get("logprobs") or "prompt_logprobs" in request.body:
        return response(400, {"error": {"message": "no log-probabilities"}})
    message = {"role": "assistant", "content": None, "reasoning_content": "The answer is A"}
    return response(200, {"choices": [{"message": message, "finish_reason": "length"}]})


def test_a_run_on_a_server_says_what_was_cut_and_sends_the_arguments_of_the_template(tmp_path: Path) -> None:
    said: list[str] = []
    given = {"enable_thinking": True}
    with answering(thinking) as log:
        evaluate(
            {"models": ["m"], "engine": "openai", "server": {"base_url": log.base_url}},
            tmp_path / "out",
            bench=[str(write_bench(tmp_path / "bench"))],
            chat=True,
            chat_template_kwargs=given,
            say=said.append,
        )
    assert any("end within a thought" in line and "--max-tokens" in line for line in said)
    assert all(asked.body["chat_template_kwargs"] == given for asked in log.asked)
    [run] = (tmp_path / "out").glob("m/*/manifest.json")
    manifest = read_json(run)
    assert manifest["counts"]["thoughts_cut"] == 12
    # No option is scored while the model thinks.
    assert manifest["settings"]["form"]["kind"] == "generate"
    assert manifest["settings"]["engine"]["body"] == {"chat_template_kwargs": given}
    scores = read_json(run.parent / "scores.json")["scores"][0]
    assert scores["thoughts_cut"] == {"en": 4, "de": 4, "th": 4}
    assert score([run.parent])[0].choices["missing"].value == 1


@pytest.mark.parametrize("form", ["text", "letters"])
def test_options_are_not_scored_while_thinking_is_on(form: str) -> None:
    entries = {"models": ["m"], "bench": ["b"], "chat": True, "form": form}
    with refused("thinking"):
        config_of({**entries, "chat_template_kwargs": {"enable_thinking": True}})
    config_of({**entries, "chat_template_kwargs": {"enable_thinking": False}})
    with refused("needs `chat`"):
        config_of({**entries, "chat": False, "chat_template_kwargs": {"enable_thinking": False}})


def config_of(entries: dict[str, Any]) -> EvaluateConfig:
    from crossin.evaluation.config import read_config

    return read_config(entries)
