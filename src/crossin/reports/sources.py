"""Where the questions of a report are from, and under which licence."""

from __future__ import annotations

import re

from crossin.reports.results import Results

_HUB = re.compile(r"([\w.-]+/[\w.-]+)@\w+")
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")
_CREATIVE_COMMONS = re.compile(r"CC[ -](BY(?:-NC)?(?:-SA|-ND)?)[ -](\d\.\d)", re.IGNORECASE)


def sources_of(results: Results) -> list[dict[str, str]]:
    """For each source of a report's questions, its `benchmark`, `source` and `licence`, with their addresses
    as text where they are known. What is not known is left out; a benchmark of several sources has an entry
    for each.
    """
    benchmark = results.benchmark
    found: dict[tuple[str, str], None] = {}
    for item in results.questions.values():
        found[item.source, item.licence] = None
    stated = [
        {"benchmark": benchmark, "source": _with_address(source), "licence": _with_terms(licence)}
        for source, licence in found or {("", ""): None}
    ]
    kept = [{name: text for name, text in one.items() if text} for one in stated]
    return [one for one in kept if one]


def _with_address(source: str) -> str:
    """A source with the address of its data set or of its paper."""
    if named := _HUB.fullmatch(source):
        return f"{source}, https://huggingface.co/datasets/{named[1]}"
    paper = _ARXIV.search(source)
    return f"{source}, https://arxiv.org/abs/{paper[1]}" if paper else source


def _with_terms(licence: str) -> str:
    """A licence of Creative Commons with the address of its terms."""
    terms = [
        f"https://creativecommons.org/licenses/{kind.lower()}/{version}/"
        for kind, version in _CREATIVE_COMMONS.findall(licence)
    ]
    return ", ".join([licence, *terms])
