"""docs/probe.md carries one example through every figure: its numbers are those that the functions give."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from crossin.probing.figures import BY_SENTENCE, OF_ALL, chance, layer_figures, resamples
from crossin.probing.measures import cosines
from tests.helpers.paths import ROOT

DOCUMENT = (ROOT / "docs" / "probe.md").read_text(encoding="utf-8")


def table_below(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head, or behind a table's first cell."""
    section = DOCUMENT.split(heading)[1]
    block = re.findall(r"(?:^\|.*\|\n)+", section, flags=re.MULTILINE)[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in block.splitlines()]


def states() -> dict[str, npt.NDArray[np.float64]]:
    rows = table_below("\n## The example")[2:]
    return {
        language: np.array([[float(number) for number in row[column].split(",")] for row in rows])
        for column, language in ((1, "en"), (2, "vi"))
    }


def test_the_cosines_of_the_page() -> None:
    rows = table_below("translations stand on the diagonal.")[2:]
    printed = [[float(cell) for cell in row[1:]] for row in rows]
    np.testing.assert_allclose(cosines(states()["vi"], states()["en"]), printed, atol=1e-9)


def test_every_figure_is_on_the_page_with_its_value() -> None:
    printed = dict(re.findall(r"^\| `(\w+)` \| .* \| (-?\d\.\d{3}) \|$", DOCUMENT, flags=re.MULTILINE))
    made = layer_figures(0, "mean", states(), "en", resamples(4, 10, 0))
    # A half is rounded up on the page, as one does by hand.
    found = {one.figure: f"{one.value + 1e-9:.3f}" for one in made if one.language == "vi"}
    assert printed == found
    assert set(found) == {*BY_SENTENCE, *OF_ALL}


def test_the_terms_of_cka_on_the_page() -> None:
    x, y = (found - found.mean(axis=0) for found in (states()["vi"], states()["en"]))
    terms = [np.linalg.norm(x.T @ y) ** 2, np.linalg.norm(x.T @ x), np.linalg.norm(y.T @ y)]
    assert f"{terms[0]:.2f} / ({terms[1]:.3f} · {terms[2]:.3f})" in DOCUMENT


def test_chance_on_the_page() -> None:
    for sentences, words in ((4, "{:.2f} here"), (200, "{:.3f} with 200")):
        assert words.format(chance(sentences)["retrieval"]) in DOCUMENT
    assert f"{chance(4)['mexa']:.3f} here, {chance(200)['mexa']:.3f} with\n200 sentences" in DOCUMENT
