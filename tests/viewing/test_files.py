"""What is shown of a folder, and its index."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path

import pytest

from crossin.training.record import log_writer
from crossin.viewing.files import index_page, shown_file

HOSTILE = "<img src=x onerror=alert(1)> & 'a' \"b\" {{title}} 100%25 ภาษาไทย#x?y.html"


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}")
    return root.resolve()


def links(root: Path) -> list[tuple[str, str]]:
    """The address and the text of each link of the index."""
    found = re.findall(r'<a href="([^"]*)">(.*?)</a>', index_page(root))
    return [(address, html.unescape(text)) for address, text in found]


def test_the_index_has_pages_before_figures_and_folders_below_that_have_pages(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        *("a.json", "report.html", "plot.svg", "plot.png"),
        *("stages/train-1/loss.html", "stages/train-1/manifest.json", "stages/train-1/adapter/config.json"),
    )
    write(root, "weights.safetensors", "notes.txt", ".hidden.html", ".work/x.html", "checkpoints/x.html")
    assert [address for address, _ in links(root)] == [
        *("report.html", "a.json", "plot.png", "plot.svg"),
        *("stages/train-1/loss.html", "stages/train-1/manifest.json"),
    ]


def test_every_link_of_the_index_leads_to_its_file_and_names_are_text(tmp_path: Path) -> None:
    root = write(tmp_path, HOSTILE, f"{HOSTILE[:-5]}/page.html")
    page = index_page(root)
    assert "<img" not in page and "<script" not in page
    assert [shown_file(root, address) for address, _ in links(root)] == [
        root / HOSTILE,
        root / HOSTILE[:-5] / "page.html",
    ]
    assert links(root)[0][1] == HOSTILE


def test_a_name_that_is_not_utf_8_is_shown_and_leads_to_its_file(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.html")
    root = write(tmp_path, name)
    [(address, text)] = links(root)
    assert (text, shown_file(root, address)) == ("\ufffd.html", root / name)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert "no pages" in index_page(tmp_path.resolve())


def test_a_run_in_progress_has_its_loss_page_in_the_index_before_there_is_one(tmp_path: Path) -> None:
    log_writer(tmp_path / "stages" / "train-1", [])
    assert links(tmp_path.resolve()) == [("stages/train-1/loss.html", "loss.html")]
    assert "training: drawn from the log" in index_page(tmp_path.resolve())


@pytest.mark.parametrize(
    "address",
    [
        "../secret.html",
        "..%2fsecret.html",
        "%2e%2e/secret.html",
        "below/../../secret.html",
        "/secret.html",
        "%2Fetc/passwd",
        "..\\secret.html",
        ".hidden.html",
        ".work/x.html",
        "below//x.html",
        "x.html%00.json",
        "weights.safetensors",
        "inside.html",
        "out/secret.html",
        "out.html",
        "key.html",
        "dot.html",
        "loop.html",
        "",
    ],
)
def test_nothing_outside_nothing_hidden_and_no_other_kind_of_file_is_shown(
    tmp_path: Path, address: str
) -> None:
    write(tmp_path, "secret.html")
    root = write(
        tmp_path / "run", "weights.safetensors", ".hidden.html", ".work/x.html", "below/x.html", "x.html"
    )
    for name, target in {
        "out": "..",
        "out.html": "../secret.html",
        "key.html": "weights.safetensors",
        "dot.html": ".work/x.html",
        "loop.html": "loop.html",
    }.items():
        (root / name).symlink_to(target)
    found = shown_file(root, address)
    assert found is None or not found.exists()


def test_a_link_to_a_page_inside_the_folder_is_shown(tmp_path: Path) -> None:
    root = write(tmp_path, "below/x.html")
    (root / "latest.html").symlink_to("below/x.html")
    assert shown_file(root, "latest.html") == root / "below" / "x.html"
