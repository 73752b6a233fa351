"""Several probes on one page."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_json, write_json
from crossin.probing.comparison import read_probes, write_probes_page
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin

FIGURES = ("mexa", "retrieval", "cosine_difference", "cka_debiased")
LANGUAGES = ("es", "th")


def write_probe(folder: Path, shift: float = 0.0, layers: int = 3, **changes: Any) -> Path:
    """The folder of a probe whose MEXA rises by .1 a layer, from .1 and `shift`."""
    values = [0.1 + 0.1 * layer + shift for layer in range(layers)]
    curve = {"value": values, "low": [one - 0.05 for one in values], "high": [None] * layers}
    probe: dict[str, Any] = {
        "name": folder.name,
        "sentences": 50,
        "languages": ["en", *LANGUAGES],
        "pivot": "en",
        "layers": layers,
        "chance": {"mexa": 0.01, "retrieval": 0.02},
        "figures": [
            {"pooling": pooling, "language": code, "other": "en", **dict.fromkeys(FIGURES, curve)}
            for pooling in ("mean", "last")
            for code in (*LANGUAGES, "mean")
        ],
    }
    inputs = {"model": folder.name, **{f"parallel/{code}": code for code in probe["languages"]}}
    write_json(folder / "manifest.json", {"inputs": inputs | changes.pop("inputs", {})})
    write_json(folder / "probe.json", probe | changes)
    return folder


def page_of(tmp_path: Path, **folders: Path) -> str:
    return html.unescape(write_probes_page(folders, tmp_path / "page.html").read_text("utf-8"))


def tables(page: str) -> dict[str, list[list[str]]]:
    """The cells of each heat map, by its title."""
    maps = re.findall(r'<figure class="plot heat">.*?</figure>', page, flags=re.DOTALL)
    return {
        re.findall("<h3>(.*?)</h3>", one)[0]: [
            re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", one)
        ]
        for one in maps
    }


def test_the_heat_maps_have_layers_across_and_languages_down(tmp_path: Path) -> None:
    found = tables(page_of(tmp_path, base=write_probe(tmp_path / "base")))
    assert list(found) == ["MEXA: mean over tokens but the first", "MEXA: last token"]
    assert found["MEXA: last token"] == [
        ["language", "0", "1", "2"],
        ["Spanish · es", ".10", ".20", ".30"],
        ["Thai · th", ".10", ".20", ".30"],
        ["mean", ".10", ".20", ".30"],
    ]


def test_of_two_models_there_is_the_map_of_each_and_of_what_the_second_has_more(tmp_path: Path) -> None:
    page = page_of(
        tmp_path, before=write_probe(tmp_path / "a"), after=write_probe(tmp_path / "b", shift=-0.04)
    )
    found = tables(page)
    assert [title for title in found if title.endswith("last token")] == [
        "MEXA of before: last token",
        "MEXA of after: last token",
        "MEXA, after − before: last token",
    ]
    assert found["MEXA, after − before: last token"][1] == ["Spanish · es", "-.04", "-.04", "-.04"]
    assert "Thai · th, layer 2: -0.040" in page
    assert "<title>How close the languages are: before, after</title>" in page


def test_plots_have_a_line_for_each_model_and_there_is_one_for_each_language(tmp_path: Path) -> None:
    folders = {"before": write_probe(tmp_path / "a"), "after": write_probe(tmp_path / "b", shift=0.1)}
    page = page_of(tmp_path, **folders)
    plots = re.findall(r'id="plot-([\w-]+)"', page)
    assert plots == [
        *(f"{figure}-{pooling}-mean" for figure in FIGURES for pooling in ("mean", "last")),
        *(f"mexa-mean-{code}" for code in LANGUAGES),
    ]
    drawn = page.split('id="plot-mexa-mean-th"')[1]
    assert "before, layer 2: 0.300" in drawn and "after, layer 2: 0.400" in drawn


def test_models_with_other_layers_have_no_differences(tmp_path: Path) -> None:
    small, large = write_probe(tmp_path / "small"), write_probe(tmp_path / "large", layers=5)
    assert len(tables(page_of(tmp_path, small=small, large=large))) == 4


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sentences": 40}, "sentences"),
        ({"pivot": "es"}, "pivot"),
        ({"languages": ["en", "es"]}, "languages"),
        ({"inputs": {"parallel/th": "edited"}}, "parallel"),
    ],
)
def test_probes_of_other_sentences_are_refused(tmp_path: Path, changes: dict[str, Any], field: str) -> None:
    first, second = write_probe(tmp_path / "a"), write_probe(tmp_path / "b", **changes)
    with refused("same sentences", "before", "after", file=second, field=field, hint="--parallel"):
        read_probes({"before": first, "after": second})


def test_a_folder_without_a_finished_probe_is_named(tmp_path: Path) -> None:
    with refused("not a finished probe", file=tmp_path, hint="crossin probe"):
        read_probes({"before": write_probe(tmp_path / "a"), "after": tmp_path})


def test_report_makes_the_page(tmp_path: Path) -> None:
    first, second = write_probe(tmp_path / "a"), write_probe(tmp_path / "b")
    words = ["report", f"before={first}", second, "--out", tmp_path / "probes.html"]
    assert f"Page: {tmp_path / 'probes.html'}" in crossin(*words, "--title", "Mine").stdout
    assert "<title>Mine</title>" in (tmp_path / "probes.html").read_text("utf-8")
    shown = json.loads(crossin(*words, "--json").stdout)
    assert shown == {"before": read_json(first / "probe.json"), "b": read_json(second / "probe.json")}
    with refused("does not apply to probes", field="baseline"):
        crossin(*words, "--baseline", "before")
