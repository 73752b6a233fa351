from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from crossin.corpus import texts as module
from crossin.corpus.texts import Texts, TextsWriter
from tests.helpers.errors import refused
from tests.helpers.full_disk import full_disk

WORDS = ["one", "", "二つ", "ba", "😀"]


def written(folder: Path, *parts: list[str], name: str = "en.output") -> Texts:
    writer = TextsWriter(folder, name)
    for part in parts:
        writer.append(part)
    return writer.close()


def test_texts_come_back_as_they_were_written(tmp_path: Path) -> None:
    texts = written(tmp_path, WORDS[:2], [], WORDS[2:])
    assert texts.all.to_pylist() == WORDS
    assert len(texts) == 5
    assert texts.bytes == len("".join(WORDS).encode())


def test_a_slice_of_an_arrow_array_is_written_without_its_neighbours(tmp_path: Path) -> None:
    writer = TextsWriter(tmp_path, "x")
    writer.append(["first"])
    writer.append(pa.array(WORDS, pa.large_string()).slice(2, 2))
    assert writer.close().all.to_pylist() == ["first", "二つ", "ba"]


@pytest.mark.parametrize("large", [False, True])
def test_any_rows_in_any_order_can_be_taken(
    tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(module, "_LARGE", 0)
    texts = written(tmp_path, WORDS)
    chosen = np.array([4, 0, 0, 2, 1, 3, 4])
    assert texts.take(chosen).to_pylist() == [WORDS[k] for k in chosen]
    assert texts.take(chosen.astype(np.int32)).to_pylist() == [WORDS[k] for k in chosen]
    assert texts.take(np.array([], dtype=np.int64)).to_pylist() == []
    assert [(start, part.to_pylist()) for start, part in texts.slices(2)] == [
        (0, WORDS[:2]),
        (2, WORDS[2:4]),
        (4, WORDS[4:]),
    ]
    # Pages that were given back are there again when they are read.
    texts.release()
    assert texts.all.to_pylist() == WORDS


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_a_column_without_a_single_byte(tmp_path: Path, texts: list[str]) -> None:
    found = written(tmp_path, texts)
    assert found.all.to_pylist() == texts
    assert found.bytes == 0
    found.release()


def test_another_process_opens_them_from_folder_and_name(tmp_path: Path) -> None:
    written(tmp_path, WORDS)
    program = (
        "import sys; from pathlib import Path; from crossin.corpus.texts import Texts;"
        "print(Texts(Path(sys.argv[1]), 'en.output').all.to_pylist() == ['one', '', '二つ', 'ba', '😀'])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


def test_texts_that_were_not_completed_are_refused(tmp_path: Path) -> None:
    writer = TextsWriter(tmp_path, "x")
    writer.append(["abc" * 100_000] * 3)
    with refused("damaged"):
        Texts(tmp_path, "x")
    with refused("cannot be read"):
        Texts(tmp_path, "y")


def test_texts_of_the_same_name_leave_those_that_are_open(tmp_path: Path) -> None:
    first = written(tmp_path, WORDS)
    assert written(tmp_path, ["other"]).all.to_pylist() == ["other"]
    first.release()
    assert first.all.to_pylist() == WORDS


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    texts = written(tmp_path, WORDS)
    with (tmp_path / "en.output.bytes").open("ab") as file:
        file.write(b"x")
    with refused("damaged"):
        Texts(texts.folder, texts.name)


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    with full_disk(), refused("cannot write"):
        written(tmp_path, ["x" * 1000] * 2000)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
def test_a_random_read_of_a_large_file_stays_small(tmp_path: Path) -> None:
    """128 MB of texts, read all over, leave less than 40 MB more in memory."""
    program = """
import sys
from pathlib import Path
import numpy as np
from crossin.corpus.texts import Texts, TextsWriter

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

writer = TextsWriter(Path(sys.argv[1]), "x")
for _ in range(128):
    writer.append(["x" * 1000] * 1000 + ["y" * 24] * 1000)
texts = writer.close()
before = peak()
random = np.random.default_rng(0)
for _ in range(20):
    texts.take(random.integers(0, len(texts), 5000))
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert float(done.stdout) < 40, done.stderr
