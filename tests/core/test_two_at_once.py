"""Two identical commands at once, in real processes: one works, the other is refused and touches nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossin.bench.lm_eval import export_lm_eval
from crossin.core.errors import CrossinError
from crossin.core.files import read_json, sha256, write_text
from crossin.core.formats import MANIFEST
from crossin.core.stages import Stage, stage
from crossin.evaluation import Form, HfEngine, ask_bench
from crossin.experiments.demo import DemoConfig, run_demo
from crossin.facts import build_bench, build_facts
from crossin.facts.suite import build_suite
from crossin.mixture import compose
from crossin.models.merging import merge
from crossin.probing.config import ProbeConfig
from crossin.probing.run import probe
from crossin.reports.make import report
from crossin.training import TrainConfig, train
from crossin.translation.run import translate
from tests.cli.test_models_merge import adapter_of
from tests.helpers import apart
from tests.helpers.parallel_files import write_texts
from tests.helpers.report_data import three_arms
from tests.helpers.small_bench import write_bench
from tests.helpers.small_corpora import recipe_of, write_corpus
from tests.helpers.translated_rows import config_of, mock_server, table_of, write_rows

pytestmark = pytest.mark.slow
REFUSED = 3


def composing(home: Path, out: Path) -> Stage:
    recipe = recipe_of({"kind": "base", "rows": 40}, languages=["en", "es"], shard_rows=10)
    return compose(recipe, home / "corpora", out)


def translating(home: Path, out: Path) -> Stage:
    url = (home / "url").read_text()
    return translate(config_of(home / "rows.jsonl", url, ["es"]), out)


def training(home: Path, out: Path) -> Stage:
    entries = {"model": str(home / "tiny"), "mixture": str(home / "mixture.jsonl"), "checkpoint_every": 1}
    return train(TrainConfig.model_validate(entries), out)


def probing(home: Path, out: Path) -> Stage:
    given: dict[str, Any] = {"model": str(home / "tiny"), "parallel": home / "texts", "draws": 10}
    return probe(ProbeConfig(**given, device="cpu", name="tiny"), out)


def merging(home: Path, out: Path) -> Stage:
    return merge(home / "tiny", home / "adapter", out)


def evaluating(home: Path, out: Path) -> Stage:
    return ask_bench(HfEngine(home / "tiny"), home / "bench", out, name="tiny", tasks=["colour"])


def exporting(home: Path, out: Path) -> Stage:
    return export_lm_eval(home / "bench", out, form=Form())


def building_facts(home: Path, out: Path) -> Stage:
    return build_facts(["en", "es"], out)


def building_a_bench(home: Path, out: Path) -> Stage:
    return build_bench(home / "facts", out)


def building_a_suite(home: Path, out: Path) -> Stage:
    return build_suite(out, languages=["en", "es"])


def running_the_demo(home: Path, out: Path) -> None:
    run_demo(DemoConfig(model=str(home / "tiny"), languages=("en", "es")), out)


STAGES: list[Callable[[Path, Path], Any]] = [
    composing,
    translating,
    training,
    probing,
    merging,
    evaluating,
    exporting,
    building_facts,
    building_a_bench,
    building_a_suite,
    running_the_demo,
]


@pytest.fixture(scope="module")
def home(facts_folder: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the stages read."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "tiny").symlink_to(tiny_model)
    (folder / "facts").symlink_to(facts_folder)
    write_corpus(folder / "corpora", 40)
    table_of(write_rows(folder / "rows.jsonl", 4), folder / "table.json")
    write_text(folder / "mixture.jsonl", '{"prompt": "a", "completion": " b"}\n' * 40)
    write_texts(folder / "texts")
    write_bench(folder / "bench")
    adapter_of(tiny_model, folder / "adapter")
    return folder


def held(run: Callable[[Path, Path], Any], home: Path, out: Path, ready: Path, go: Path) -> None:
    """Run a stage, and wait before its end until the file `go` is there."""
    finish = Stage.finish

    def slow_finish(self: Stage, *arguments: Any, **options: Any) -> None:
        ready.touch()
        while not go.exists():
            time.sleep(0.01)
        finish(self, *arguments, **options)

    Stage.finish = slow_finish  # type: ignore[method-assign]
    run(home, out)


def at_once(run: Callable[[Path, Path], Any], home: Path, out: Path) -> None:
    """Run a stage; the status says whether it was refused because another process runs it."""
    try:
        run(home, out)
    except CrossinError as error:
        raise SystemExit(REFUSED if "already running" in error.message else 1) from error


def snapshot(folder: Path) -> dict[str, str | None]:
    return {
        path.relative_to(folder).as_posix(): sha256(path) if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("run", STAGES)
def test_the_second_of_two_commands_is_refused_and_touches_nothing(
    run: Callable[[Path, Path], Any], home: Path, tmp_path: Path
) -> None:
    out, ready, go = (tmp_path / name for name in ("out", "ready", "go"))
    with mock_server(home / "table.json") as url:
        write_text(home / "url", url)
        first = apart.start(held, run, home, out, ready, go)
        while not ready.exists():
            assert first.is_alive()
            time.sleep(0.01)
        before = snapshot(out)
        assert apart.run(at_once, run, home, out) == REFUSED
        assert snapshot(out) == before
        # The demo's first stage is enough; the rest takes minutes.
        if run is running_the_demo:
            first.kill()
            first.join()
            return
        go.touch()
        first.join()
        assert first.exitcode == 0
        # Finished and whole: every output is as its manifest says.
        assert run(home, out).done


# The lock is the same for all of them.
@pytest.mark.parametrize("run", [composing, translating, training, building_a_suite])
def test_commands_that_start_at_the_same_moment_give_what_one_gives(
    run: Callable[[Path, Path], Any], home: Path, tmp_path: Path
) -> None:
    with mock_server(home / "table.json") as url:
        write_text(home / "url", url)
        processes = [apart.start(at_once, run, home, tmp_path / "out") for _ in range(3)]
        for process in processes:
            process.join()
        statuses = {process.exitcode for process in processes}
        assert 0 in statuses and statuses <= {0, REFUSED}
        assert run(home, tmp_path / "out").done
        # Under the same name, which a page of losses has as its title.
        alone = run(home, tmp_path / "alone" / "out")
    together = read_json(tmp_path / "out" / MANIFEST)["outputs"]
    # Times.
    apart_from = ("speed", "provenance")
    same = {name for name in together if not any(word in name for word in apart_from)}
    assert {name: together[name] for name in same} == {name: alone.manifest["outputs"][name] for name in same}


def write_much(path: Path, letter: str) -> None:
    for _ in range(50):
        write_text(path, letter * 1_000_000)


def test_two_processes_that_write_one_file_leave_one_of_both_whole(tmp_path: Path) -> None:
    processes = [apart.start(write_much, tmp_path / "a.txt", letter) for letter in "ab"]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert (tmp_path / "a.txt").read_text() in ("a" * 1_000_000, "b" * 1_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def reporting(runs: dict[str, Path], out: Path) -> None:
    report(runs, out, draws=10)


def test_two_reports_at_once_leave_one_page_and_its_figures(tmp_path: Path) -> None:
    runs = three_arms(tmp_path / "runs", ["en", "vi"])
    out = tmp_path / "pages" / "report.html"
    processes = [apart.start(reporting, runs, out) for _ in range(2)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    alone = report(runs, tmp_path / "alone.html", draws=10)
    assert sha256(out) == sha256(alone.page) and sha256(out.with_suffix(".json")) == sha256(alone.figures)
    assert sorted(path.name for path in out.parent.iterdir()) == ["report.html", "report.json"]


def claiming(folder: Path, rank: int, ranks: int) -> None:
    with stage(folder, "compose", {}, {}, rank=rank, world_size=ranks) as work:
        write_text(work.scratch / "part.txt", str(rank))
        write_text(work.folder / "data" / f"{rank}.txt", (work.scratch / "part.txt").read_text())
        if all((work.folder / "data" / f"{one}.txt").exists() for one in range(ranks)) and not work.done:
            work.finish([f"data/{one}.txt" for one in range(ranks)], {})


def test_ranks_that_start_at_the_same_moment_share_the_folder(tmp_path: Path) -> None:
    processes = [apart.start(claiming, tmp_path / "out", rank, 4) for rank in range(4)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    with stage(tmp_path / "out", "compose", {}, {}) as work:
        assert work.done
    assert [(tmp_path / "out" / "data" / f"{rank}.txt").read_text() for rank in range(4)] == list("0123")
