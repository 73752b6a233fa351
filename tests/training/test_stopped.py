"""Ctrl-C and SIGTERM while training: a checkpoint after the step, and the same bytes in the end."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import sha256
from crossin.core.interrupts import RESUMES, Stopped
from crossin.core.stages import Stage
from crossin.training.record import last_checkpoint, step_of
from tests.helpers.training import train_in_process
from tests.training.conftest import settings_of
from tests.training.test_run import SAME, trained_with


@pytest.mark.parametrize(
    ("stop", "log_every", "number"),
    [
        pytest.param(1, 1, signal.SIGINT, id="before the first checkpoint"),
        pytest.param(3, 1, signal.SIGTERM, id="where a checkpoint is due"),
        pytest.param(4, 7, signal.SIGTERM, id="at a held-out measurement"),
        pytest.param(5, 7, signal.SIGINT, id="between two lines of the log"),
        pytest.param(9, 1, signal.SIGTERM, id="at the last step"),
    ],
)
def test_a_signal_saves_a_checkpoint_after_the_step_and_the_run_resumes_to_the_same_bytes(
    entries: dict[str, Any],
    trained: Stage,
    rarely_logged: Stage,
    tmp_path: Path,
    stop: int,
    log_every: int,
    number: int,
) -> None:
    steps: list[int] = []

    def send(_task: str, done: int, *_: object, **__: object) -> None:
        steps.append(done)
        if done == stop and len(steps) == stop:
            signal.raise_signal(number)

    def raise_stopped(number: int, _frame: object) -> None:
        raise Stopped(number)

    handler = signal.signal(number, raise_stopped)
    try:
        with pytest.raises(Stopped) as stopped:
            trained_with(entries | {"log_every": log_every}, tmp_path / "out", progress=send)
        assert signal.getsignal(number) is raise_stopped
    finally:
        signal.signal(number, handler)
    assert stopped.value.number == number
    assert stopped.value.__notes__ == [f"training goes on after step {stop}", RESUMES]
    assert steps == list(range(1, stop + 1))
    trained_with(entries | {"log_every": log_every}, tmp_path / "out", progress=send)
    assert steps == list(range(1, 10))
    whole = trained if log_every == 1 else rarely_logged
    for name in SAME:
        assert sha256(tmp_path / "out" / name) == sha256(whole.folder / name), name


@pytest.fixture(scope="module")
def rarely_logged(tiny_model: Path, mixture: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    entries = settings_of(tiny_model, mixture) | {"log_every": 7}
    return trained_with(entries, tmp_path_factory.mktemp("rarely") / "out")


def test_a_second_ctrl_c_stops_at_once(entries: dict[str, Any], tmp_path: Path) -> None:
    steps: list[int] = []

    def send(_task: str, done: int, *_: object, **__: object) -> None:
        steps.append(done)
        if done == 5:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("it goes on")

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as stopped:
            trained_with(entries, tmp_path / "out", progress=send)
    finally:
        signal.signal(signal.SIGINT, handler)
    # What is said is true: the checkpoint is that of step 3.
    assert stopped.value.__notes__ == ["training goes on after step 3", RESUMES]
    trained_with(entries, tmp_path / "out", progress=lambda _task, done, *_, **__: steps.append(done))
    assert steps[5] == 4


def test_an_interrupt_before_the_first_step_leaves_nothing_behind(
    entries: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("crossin.training.session.read_rows", interrupt)
    with pytest.raises(KeyboardInterrupt) as stopped:
        trained_with(entries, tmp_path / "out")
    assert not hasattr(stopped.value, "__notes__")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_signal_to_one_of_two_processes_stops_both_after_the_same_step(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "two"
    assert train_in_process(entries, out, kill_at=5, number=signal.SIGTERM, processes=2) != 0
    # One more step: the processes agree on the end in the middle of a step.
    assert step_of(last_checkpoint(out) or Path()) == 6
    assert train_in_process(entries, out, processes=2) == 0
    assert train_in_process(entries, tmp_path / "whole", processes=2) == 0
    assert Path(f"{out}.steps").read_text().split() == [str(step) for step in range(1, 10)]
    for name in SAME:
        assert sha256(out / name) == sha256(tmp_path / "whole" / name)


@pytest.mark.slow
def test_the_python_api_saves_a_checkpoint_before_sigterm_ends_the_process(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert train_in_process(entries, out, kill_at=2, number=signal.SIGTERM) == -signal.SIGTERM
    assert step_of(last_checkpoint(out) or Path()) == 2
