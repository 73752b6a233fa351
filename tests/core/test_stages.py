from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossin.core.files import write_text
from crossin.core.formats import CLAIM, MANIFEST
from crossin.core.stages import Stage, stage
from tests.helpers.disk_log import DiskLog
from tests.helpers.errors import refused

# Runs a stage that saves a file, says so, and waits for how to end.
HANGING = """
import os, signal, sys
from pathlib import Path
from crossin.core.files import write_text
from crossin.core.stages import Stage, stage
with stage(Path(sys.argv[1]), "compose", {}, {}, rank=int(sys.argv[2]), world_size=int(sys.argv[3])) as work:
    write_text(work.scratch / "part.txt", "part")
    if sys.argv[4] == "saved":
        write_text(work.folder / "saved.txt", "saved")
        (work.folder / ".b.txt.x.tmp").write_text("half")
    print("ready", flush=True)
    ending = sys.stdin.readline().strip()
    if ending == "error":
        raise ValueError
    if ending == "interrupt":
        raise KeyboardInterrupt
    if ending in ("interrupted at its end", "killed at its end"):
        number = signal.SIGKILL if ending.startswith("killed") else signal.SIGINT
        remove = Path.unlink
        def unlink(path, **options):
            if path.name == "stage.json":
                os.kill(os.getpid(), number)
            remove(path, **options)
        Path.unlink = unlink
        work.finish(["saved.txt"], {})
"""


def hanging(folder: Path, rank: int = 0, world_size: int = 1, saves: bool = True) -> subprocess.Popen[str]:
    words = [str(folder), str(rank), str(world_size), "saved" if saves else "nothing"]
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def end(process: subprocess.Popen[str], how: str) -> None:
    """End a hanging process by an `error`, an `interrupt`, a `kill`, or as HANGING says."""
    if how == "kill":
        kill(process)
    else:
        process.communicate(f"{how}\n")
        assert process.returncode != 0


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_finished_stage_is_found_done(tmp_path: Path) -> None:
    with stage(tmp_path / "out", "compose", {"seed": 1}, {}) as work:
        assert not work.done
        write_text(work.folder / "a.txt", "a")
        work.finish(["a.txt"], {"rows": 1}, {"too_long": 2})
    assert files_in(tmp_path / "out") == {"a.txt", MANIFEST}
    with stage(tmp_path / "out", "compose", {"seed": 1}, {}) as again:
        assert again.done
        assert again.manifest["counts"] == {"rows": 1}
        assert again.manifest["skipped"] == {"too_long": 2}
        assert datetime.fromisoformat(again.manifest["finished"]).tzinfo is UTC


def test_a_killed_stage_resumes_without_its_unfinished_files(tmp_path: Path) -> None:
    kill(hanging(tmp_path))
    with stage(tmp_path, "compose", {}, {}) as work:
        assert not work.done
        assert "saved.txt" in files_in(tmp_path)
        assert ".b.txt.x.tmp" not in files_in(tmp_path)
    assert files_in(tmp_path) == {CLAIM, "saved.txt"}


def test_an_interrupt_when_the_manifest_is_written_waits_for_the_end(tmp_path: Path) -> None:
    end(hanging(tmp_path), "interrupted at its end")
    assert files_in(tmp_path) == {MANIFEST, "saved.txt", ".b.txt.x.tmp"}


def test_a_stage_killed_when_its_manifest_is_written_is_done_and_cleaned_up(tmp_path: Path) -> None:
    end(hanging(tmp_path), "killed at its end")
    assert {CLAIM, MANIFEST, ".work/rank-0/part.txt"} <= files_in(tmp_path)
    with stage(tmp_path, "compose", {}, {}) as work:
        assert work.done
        assert files_in(tmp_path) == {MANIFEST, "saved.txt"}


def test_temporary_files_of_a_stage_in_a_folder_below_are_left_alone(tmp_path: Path) -> None:
    kill(hanging(tmp_path / "inner"))
    write_text(tmp_path / "outer.json", "")
    (tmp_path / "outer.json").unlink()
    with pytest.raises(KeyboardInterrupt), stage(tmp_path / "other", "demo", {}, {}) as work:
        write_text(work.folder / "saved.txt", "saved")
        (tmp_path / "inner").rename(work.folder / "inner")
        raise KeyboardInterrupt
    with stage(tmp_path / "other", "demo", {}, {}):
        assert (tmp_path / "other" / "inner" / ".b.txt.x.tmp").exists()


def test_a_second_identical_command_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    process = hanging(tmp_path)
    before = files_in(tmp_path)
    with refused("already running", file=tmp_path), stage(tmp_path, "compose", {}, {}):
        pytest.fail("two runs at once")
    assert files_in(tmp_path) == before
    kill(process)


def test_ranks_share_a_folder_and_each_runs_once(tmp_path: Path) -> None:
    process = hanging(tmp_path, rank=0, world_size=2)
    with stage(tmp_path, "compose", {}, {}, rank=1, world_size=2) as work:
        assert not work.done
        assert ".b.txt.x.tmp" in files_in(tmp_path), "another rank's temporary file"
    with refused("rank 0", "already running"), stage(tmp_path, "compose", {}, {}, rank=0, world_size=2):
        pytest.fail("one rank twice")
    with refused("already running"), stage(tmp_path, "compose", {}, {}):
        pytest.fail("alone among ranks")
    kill(process)


def test_the_lock_ends_with_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with stage(tmp_path / "out", "compose", {}, {}) as work:
            write_text(work.folder / "a.txt", "a")


@pytest.mark.parametrize("finished", [False, True])
def test_another_runs_folder_is_refused_with_the_difference(tmp_path: Path, finished: bool) -> None:
    with stage(tmp_path, "compose", {"seed": 1}, {}) as work:
        write_text(work.folder / "a.txt", "a")
        if finished:
            work.finish(["a.txt"], {})
    with refused("another run's files", "seed: 1 there, 2 here"), stage(tmp_path, "compose", {"seed": 2}, {}):
        pytest.fail("another seed")
    with refused("not of the stage 'train'"), stage(tmp_path, "train", {"seed": 1}, {}):
        pytest.fail("another stage")


def test_another_run_is_told_by_its_innermost_settings_in_plain_words(tmp_path: Path) -> None:
    components = [{"kind": "base", "rows": 100}, {"kind": "x2x", "rows": 50, "filter": {"score": {"min": 3}}}]
    ours = {"languages": ["en", "vi"], "strict": True, "components": components, "tokenizer": None}
    other = {**ours, "languages": ["en", "zh"], "strict": False, "tokenizer": "m", "data": {"a": "b"}}
    other["components"] = [{"kind": "base", "rows": 200}]
    with stage(tmp_path, "compose", ours, {}) as work:
        write_text(work.folder / "a.txt", "a")
    with refused("components.0.rows: 100 there, 200 here") as caught, stage(tmp_path, "compose", other, {}):
        pytest.fail("another run")
    lines = caught.value.message.splitlines()
    assert lines[1:] == [
        "  components.0.rows: 100 there, 200 here",
        "  components.1: a mapping there, not set here",
        "  data: not set there, a mapping here",
        "  and 3 more",
    ]
    with refused() as caught, stage(tmp_path, "compose", {**ours, "languages": ["zh"], "strict": False}, {}):
        pytest.fail("another run")
    assert caught.value.message.splitlines()[1:] == [
        "  languages: [en, vi] there, [zh] here",
        "  strict: true there, false here",
    ]
    with refused() as caught, stage(tmp_path, "compose", {**ours, "tokenizer": "a" * 500}, {}):
        pytest.fail("another run")
    assert len(caught.value.message) < 200
    assert "tokenizer: nothing there, aaa" in caught.value.message


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with refused("not created by this command", file=tmp_path), stage(tmp_path, "compose", {}, {}):
        pytest.fail("somebody's folder")
    assert files_in(tmp_path) == {"thesis.tex"}


def test_a_changed_input_makes_another_run(tmp_path: Path) -> None:
    inputs = {"rows": tmp_path / "in.txt"}
    write_text(tmp_path / "in.txt", "a")
    with stage(tmp_path / "out", "compose", {}, inputs) as work:
        write_text(work.folder / "a.txt", "a")
    write_text(tmp_path / "in.txt", "b")
    with refused("input 'rows' differs"), stage(tmp_path / "out", "compose", {}, inputs):
        pytest.fail("another input")


@pytest.mark.parametrize("change", ["changed", "removed"])
def test_a_result_that_was_changed_is_not_taken_for_finished(tmp_path: Path, change: str) -> None:
    with stage(tmp_path, "compose", {}, {}) as work:
        write_text(work.folder / "a.txt", "a")
        work.finish(["a.txt"], {})
    if change == "changed":
        write_text(tmp_path / "a.txt", "b")
    else:
        (tmp_path / "a.txt").unlink()
    with refused("has changed", file="a.txt"), stage(tmp_path, "compose", {}, {}):
        pytest.fail("a changed result")
    assert (tmp_path / MANIFEST).exists()


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_before_anything_is_saved_releases_the_folder(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    with pytest.raises(failure), stage(tmp_path / "out", "compose", {"seed": 1}, {}) as work:
        write_text(work.scratch / "part.txt", "part")
        raise failure
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_after_something_was_saved_keeps_the_claim(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    with pytest.raises(failure), stage(tmp_path / "out", "compose", {"seed": 1}, {}) as work:
        write_text(work.folder / "a.txt", "a")
        raise failure
    assert files_in(tmp_path / "out") == {CLAIM, "a.txt"}


@pytest.mark.parametrize(("rank", "world_size"), [(-1, 2), (2, 2), (1, 1)])
def test_a_rank_out_of_range_is_refused(tmp_path: Path, rank: int, world_size: int) -> None:
    with (
        refused(f"rank {rank} of {world_size}"),
        stage(tmp_path / "out", "compose", {}, {}, rank=rank, world_size=world_size),
    ):
        pytest.fail("no such rank")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_another_rank_is_about_to_claim_is_free(tmp_path: Path) -> None:
    (tmp_path / ".stage.json.x.tmp").write_text("")
    with stage(tmp_path, "compose", {}, {}, rank=0, world_size=2) as work:
        assert not work.done


@pytest.mark.parametrize("how", ["error", "interrupt", "kill"])
@pytest.mark.parametrize("saves", [False, True])
def test_a_rank_that_fails_leaves_the_claim_to_the_others(tmp_path: Path, how: str, saves: bool) -> None:
    folder = tmp_path / "out"
    failing, other = (hanging(folder, rank, 2, saves) for rank in range(2))
    end(failing, how)
    assert (folder / CLAIM).exists()
    assert (folder / ".work" / "rank-1" / "part.txt").exists()
    # Nobody else may have the folder while the other rank works in it, and the failed one may come again.
    for settings in ({}, {"seed": 2}):
        with refused("already running", file=folder), stage(folder, "compose", settings, {}):
            pytest.fail("alone among ranks")
    with stage(folder, "compose", {}, {}, rank=0, world_size=2) as work:
        assert not work.done
    assert (folder / ".work" / "rank-1" / "part.txt").exists()
    end(other, how)
    with refused("another run's files"), stage(folder, "compose", {"seed": 2}, {}):
        pytest.fail("another run")


def test_a_rank_that_is_refused_leaves_the_running_ones_scratch_files(tmp_path: Path) -> None:
    process = hanging(tmp_path, rank=0, world_size=2)
    before = files_in(tmp_path)
    with refused("rank 0", "already running"), stage(tmp_path, "compose", {}, {}, rank=0, world_size=2):
        pytest.fail("one rank twice")
    assert files_in(tmp_path) == before and ".work/rank-0/part.txt" in before
    kill(process)


def test_scratch_files_of_killed_ranks_go_when_one_process_resumes(tmp_path: Path) -> None:
    for rank in range(2):
        kill(hanging(tmp_path, rank, 2))
    with stage(tmp_path, "compose", {}, {}) as work:
        work.finish(["saved.txt"], {})
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "saved.txt"]


def test_a_folder_of_the_users_is_released_but_not_removed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for folder in (tmp_path / "out", tmp_path / "link"):
        with pytest.raises(ValueError), stage(folder, "compose", {"seed": 1}, {}) as work:
            write_text(work.scratch / "part.txt", "part")
            (work.folder / "data").mkdir()
            raise ValueError
        assert list(folder.iterdir()) == []
        with stage(folder, "compose", {"seed": 2}, {}):
            pass


def test_a_stage_that_another_rank_finishes_meanwhile_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import crossin.core.stages

    look = crossin.core.stages._is_finished
    looks: list[bool] = []

    def slow_look(work: Stage) -> bool:
        looks.append(look(work))
        if len(looks) == 2:
            write_text(tmp_path / "a.txt", "a")
            Stage(tmp_path, "compose", {}, {}).finish(["a.txt"], {})
        return looks[-1]

    monkeypatch.setattr(crossin.core.stages, "_is_finished", slow_look)
    with stage(tmp_path, "compose", {}, {}, rank=1, world_size=2) as work:
        assert work.done
    assert looks == [False, False, True]
    assert files_in(tmp_path) == {"a.txt", MANIFEST}


def test_a_finished_stage_is_on_the_disk_before_its_manifest_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DiskLog(monkeypatch)
    with stage(tmp_path / "out", "train", {}, {}) as work:
        claim, manifest = work.folder / CLAIM, work.folder / MANIFEST
        assert log.is_safe(claim)
        outputs = ["weights.bin", "data/en/a.bin"]
        for name in outputs:
            # As libraries write their files.
            (work.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (work.folder / name).write_bytes(b"a")
        work.finish(outputs, {})
    assert log.is_safe(manifest)
    finished = log.place("rename", manifest)
    for name in outputs:
        assert min(log.syncs(work.folder / name)) < finished
        assert min(log.syncs((work.folder / name).parent)) < finished
    removed = log.place("remove", claim)
    assert finished < removed < max(log.syncs(work.folder))
