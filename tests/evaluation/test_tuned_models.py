"""Before and after tuning in one call: the folder of a training, or of an adapter, is a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossin.evaluation import evaluate
from crossin.models.loading import load
from tests.helpers.errors import refused
from tests.helpers.small_bench import items, write_bench
from tests.models.test_adapters import make_adapter


@pytest.fixture
def adapter(tiny_model: Path, tmp_path: Path) -> Path:
    return make_adapter(load(tiny_model, device="cpu")[0], tmp_path / "runs" / "adapter")


def test_an_adapters_folder_is_its_base_with_the_adapter(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    bench = write_bench(tmp_path / "bench", [item for item in items() if item.options])
    models = [f"before={tiny_model}", f"after={adapter.parent}"]
    before, after = evaluate({"models": models, "bench": [str(bench)]}, tmp_path / "one")
    given = {"models": [f"x={tiny_model}"], "bench": [str(bench)], "adapter": adapter}
    [apart] = evaluate(given, tmp_path / "two")
    assert (before.model, after.model) == ("before", "after")
    columns = ["item", "language", "logprobs"]
    answers = [one.stage.to_arrow().select(columns) for one in (before, after, apart)]
    assert answers[1] == answers[2] != answers[0]


def test_a_chat_is_in_the_form_that_the_adapter_was_trained_on(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    bench = write_bench(tmp_path / "bench", [item for item in items() if item.options])
    asked = {"models": [f"after={adapter.parent}"], "bench": [str(bench)], "chat": True}
    with refused("chat template"):
        evaluate(asked, tmp_path / "without")
    form = "{% for m in messages %}### {{ m['content'] }}\n{% endfor %}"
    (adapter / "chat_template.jinja").write_text(form)
    [found] = evaluate(asked, tmp_path / "with")
    assert len(found.stage.to_arrow()) == 9
