from __future__ import annotations

from pathlib import Path

import pytest

from crossin.core.errors import CrossinError
from crossin.core.files import write_text
from crossin.core.formats import CLAIM, MANIFEST
from crossin.core.stage import begin


def test_a_finished_stage_is_found_done(tmp_path: Path) -> None:
    stage = begin(tmp_path / "out", "compose", {"seed": 1}, {})
    assert not stage.done
    write_text(stage.folder / "a.txt", "a")
    stage.finish(["a.txt"], {"rows": 1}, {"row: too long": 2})
    again = begin(tmp_path / "out", "compose", {"seed": 1}, {})
    assert again.done
    assert again.manifest["counts"] == {"rows": 1}
    assert again.manifest["skipped"] == {"row: too long": 2}
    assert not (stage.folder / CLAIM).exists()


def test_an_interrupted_stage_goes_on_and_loses_its_half_written_files(tmp_path: Path) -> None:
    begin(tmp_path, "compose", {"seed": 1}, {})
    (tmp_path / ".a.txt.x.tmp").write_text("half")
    assert not begin(tmp_path, "compose", {"seed": 1}, {}).done
    assert [path.name for path in tmp_path.iterdir()] == [CLAIM]


@pytest.mark.parametrize("finished", [False, True])
def test_another_runs_folder_is_refused_and_the_difference_told(tmp_path: Path, finished: bool) -> None:
    stage = begin(tmp_path, "compose", {"seed": 1}, {})
    if finished:
        stage.finish([], {})
    with pytest.raises(CrossinError, match=r"another run's files \(seed: 1 there, 2 here\)"):
        begin(tmp_path, "compose", {"seed": 2}, {})
    with pytest.raises(CrossinError, match="not of the stage 'train'"):
        begin(tmp_path, "train", {"seed": 1}, {})


def test_a_strangers_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(CrossinError, match="no run of this stage made"):
        begin(tmp_path, "compose", {}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_changed_input_makes_another_run(tmp_path: Path) -> None:
    write_text(tmp_path / "in.txt", "a")
    begin(tmp_path / "out", "compose", {}, {"rows": tmp_path / "in.txt"})
    write_text(tmp_path / "in.txt", "b")
    with pytest.raises(CrossinError, match="input 'rows' differs"):
        begin(tmp_path / "out", "compose", {}, {"rows": tmp_path / "in.txt"})


def test_a_result_that_was_changed_is_not_taken_for_finished(tmp_path: Path) -> None:
    stage = begin(tmp_path, "compose", {}, {})
    write_text(tmp_path / "a.txt", "a")
    stage.finish(["a.txt"], {})
    write_text(tmp_path / "a.txt", "b")
    with pytest.raises(CrossinError, match=r"a\.txt: this file has changed"):
        begin(tmp_path, "compose", {}, {})
    assert (tmp_path / MANIFEST).exists()


def test_a_claim_on_a_folder_with_nothing_in_it_can_be_given_up(tmp_path: Path) -> None:
    begin(tmp_path / "out", "compose", {"seed": 1}, {}).release()
    assert not (tmp_path / "out").exists()
    stage = begin(tmp_path / "out", "compose", {"seed": 2}, {})
    write_text(stage.folder / "a.txt", "a")
    stage.release()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.txt"]


def test_processes_that_share_a_folder_do_not_clear_up_after_each_other(tmp_path: Path) -> None:
    begin(tmp_path, "compose", {"seed": 1}, {}, shared=True)
    (tmp_path / ".a.txt.x.tmp").write_text("half")
    begin(tmp_path, "compose", {"seed": 1}, {}, shared=True)
    assert (tmp_path / ".a.txt.x.tmp").exists()
    begin(tmp_path, "compose", {"seed": 1}, {})
    assert not (tmp_path / ".a.txt.x.tmp").exists()


def test_a_folder_that_another_process_is_about_to_claim_is_no_strangers(tmp_path: Path) -> None:
    (tmp_path / ".stage.json.x.tmp").write_text("")
    assert not begin(tmp_path, "compose", {}, {}, shared=True).done
