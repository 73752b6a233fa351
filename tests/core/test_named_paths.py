"""What the user names is never removed or replaced: inputs where results would go, files among results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossin.bench.lm_eval import export_lm_eval
from crossin.core.cache import Cache
from crossin.core.errors import CrossinError
from crossin.core.files import write_text
from crossin.core.formats import CLAIM, MANIFEST
from crossin.evaluation import Form, HfEngine, ask_bench
from crossin.evaluation.bench_answers import CACHE
from crossin.mixture import compose
from crossin.models.merging import merge
from crossin.probing.config import ProbeConfig
from crossin.probing.run import probe
from crossin.reports.make import report
from crossin.training import TrainConfig, train
from crossin.translation.run import translate
from tests.cli.test_models_merge import adapter_of
from tests.helpers.errors import refused
from tests.helpers.parallel_files import write_texts
from tests.helpers.report_data import three_arms
from tests.helpers.small_bench import write_bench
from tests.helpers.small_corpora import recipe_of, write_corpus
from tests.helpers.training import mixture_of
from tests.helpers.translated_rows import config_of, write_rows

# Nobody answers there.
NOWHERE = "http://127.0.0.1:9"


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def composing(home: Path, model: Path, out: Path) -> None:
    if not (home / "in").exists():
        write_corpus(home / "in", 4)
    compose(recipe_of({"kind": "base", "rows": 4}, languages=["en", "es"]), home / "in", out)


def translating(home: Path, model: Path, out: Path) -> None:
    if not (home / "in").exists():
        (home / "in").mkdir(parents=True)
        write_rows(home / "in" / "rows.jsonl", 4)
    translate(config_of(home / "in" / "rows.jsonl", NOWHERE, ["es"]), out)


def training(home: Path, model: Path, out: Path) -> None:
    entries = {"model": str(model), "mixture": str(home / "in")}
    if not (home / "in").exists():
        write_text(home / "in" / "rows.jsonl", '{"prompt": "a", "completion": "b"}\n')
    train(TrainConfig.model_validate(entries), out)


def probing(home: Path, model: Path, out: Path) -> None:
    if not (home / "in").exists():
        write_texts(home / "in")
    probe(ProbeConfig(model=str(model), parallel=home / "in", device="cpu"), out)


def merging(home: Path, model: Path, out: Path) -> None:
    if not (home / "in").exists():
        adapter_of(model, home / "in")
    merge(model, home / "in", out)


def evaluating(home: Path, model: Path, out: Path) -> None:
    if not (home / "in").exists():
        write_bench(home / "in")
    ask_bench(HfEngine(model), home / "in", out, name="tiny")


def exporting(home: Path, model: Path, out: Path) -> None:
    if not (home / "in").exists():
        write_bench(home / "in")
    export_lm_eval(home / "in", out, form=Form())


STAGES = [composing, translating, training, probing, merging, evaluating, exporting]


@pytest.mark.parametrize("where", ["in", "."])
@pytest.mark.parametrize("run", STAGES)
def test_an_input_or_the_folder_around_it_is_not_a_place_for_results(
    run: Callable[[Path, Path, Path], None], where: str, tiny_model: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    # Creates the inputs; what comes of it plays no part.
    with pytest.raises(CrossinError):
        run(home, tiny_model, Path("/proc/nowhere"))
    before = snapshot(home)
    assert before
    with refused("not empty", file=home / where, hint="--out"):
        run(home, tiny_model, home / where)
    assert snapshot(home) == before


def test_a_finished_stage_is_not_a_place_for_what_is_made_of_it(
    facts_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    mixture = mixture_of(facts_folder, tmp_path / "mixture")
    before = snapshot(mixture)
    entries = {"model": str(tiny_model), "mixture": str(mixture)}
    with refused("another run's files", file=mixture):
        train(TrainConfig.model_validate(entries), mixture)
    assert snapshot(mixture) == before


@pytest.mark.parametrize("name", [CACHE, f"./{CACHE}", f"{CACHE}.mine", f"{CACHE}2", "mine.sqlite"])
def test_a_named_cache_among_the_results_of_an_evaluation_stays(
    name: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, out = write_bench(tmp_path / "bench"), tmp_path / "out"
    monkeypatch.chdir(tmp_path)
    how: dict[str, Any] = {"name": "tiny", "languages": ["en"], "tasks": ["colour"]}
    cache = Path("out") / name
    for again in (False, True):
        assert ask_bench(HfEngine(tiny_model), bench, out, **how, cache=cache).done
        with Cache(cache) as found:
            assert not found.is_empty(), again
    # Without a name, the run's own goes in the end.
    ask_bench(HfEngine(tiny_model), bench, tmp_path / "own", **how)
    assert not list((tmp_path / "own").glob("*.sqlite*"))


def test_a_named_cache_stays_where_nothing_was_answered(tiny_model: Path, tmp_path: Path) -> None:
    class Failing(HfEngine):
        def logprobs(self, *_: Any) -> Any:
            raise CrossinError("the server is gone", hint="wait")

    bench, cache = write_bench(tmp_path / "bench"), tmp_path / "out" / CACHE
    with refused("the server is gone"):
        ask_bench(Failing(tiny_model), bench, tmp_path / "out", name="tiny", tasks=["colour"], cache=cache)
    assert cache.exists()
    with refused("the server is gone"):
        ask_bench(Failing(tiny_model), bench, tmp_path / "own", name="tiny", tasks=["colour"])
    assert not (tmp_path / "own").exists()


def test_a_named_cache_among_the_results_of_a_translation_stays(tmp_path: Path) -> None:
    write_rows(tmp_path / "rows.jsonl", 4)
    cache = tmp_path / "out" / "cache.sqlite"
    server = {"retries": 0}
    with pytest.raises(CrossinError):
        translate(
            config_of(tmp_path / "rows.jsonl", NOWHERE, ["es"], cache=cache, server=server), tmp_path / "out"
        )
    assert cache.exists()
    with pytest.raises(CrossinError):
        translate(config_of(tmp_path / "rows.jsonl", NOWHERE, ["es"], server=server), tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_a_cache_within_the_model_is_refused_before_it_makes_it_another_one(
    tiny_model: Path, tmp_path: Path
) -> None:
    bench = write_bench(tmp_path / "bench")
    before = snapshot(tiny_model)
    with refused("input 'model'", file="answers", field="cache"):
        ask_bench(HfEngine(tiny_model), bench, tmp_path / "out", name="tiny", cache=tiny_model / "answers")
    assert snapshot(tiny_model) == before and not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["manifest", "scores", "notes"])
def test_a_report_does_not_replace_another_file_by_its_figures(name: str, tmp_path: Path) -> None:
    runs = three_arms(tmp_path / "runs", ["en", "vi"])
    folder = next(iter(runs.values()))
    write_text(folder / "scores.json", "{}\n")
    write_text(folder / "notes.json", "not JSON")
    before = snapshot(tmp_path)
    with refused(file=folder / f"{name}.json", hint="--out"):
        report(runs, folder / f"{name}.html", draws=10)
    assert snapshot(tmp_path) == before
    for _ in range(2):
        report(runs, tmp_path / "report.html", draws=10)
    assert (folder / MANIFEST).exists() and not (folder / CLAIM).exists()


def test_results_may_lie_in_the_folder_of_what_is_evaluated(tiny_model: Path, tmp_path: Path) -> None:
    merge(tiny_model, adapter_of(tiny_model, tmp_path / "adapter"), tmp_path / "merged")
    bench, out = write_bench(tmp_path / "bench"), tmp_path / "merged" / "answers"
    cache = tmp_path / "merged" / "shared.sqlite"
    for again in (False, True):
        stage = ask_bench(
            HfEngine(tmp_path / "merged"), bench, out, name="tiny", tasks=["colour"], cache=cache
        )
        assert stage.done, again
    # Another reader of the model takes it for the same.
    for _ in range(2):
        assert merge(tmp_path / "merged", tmp_path / "adapter", tmp_path / "merged" / "twice").done
