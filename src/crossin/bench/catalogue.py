"""The benchmarks that can be built by name; the path of a mapping is a name too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crossin.bench.mapped import build_mapped
from crossin.bench.mapping import read_mapping
from crossin.bench.seaeval import LICENCE, SEAEVAL, build_seaeval
from crossin.bench.xquad import build_xquad
from crossin.core.coercion import listed
from crossin.core.errors import CrossinError, located
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage
from crossin.core.suggestions import nearest
from crossin.facts.suite import build_suite
from crossin.languages import available, parse_language

MAPPINGS = Path(__file__).parent / "mappings"
_FILES = "files or the hub"
# By name: a file of the makers' that is in another layout than the hub's, and the mapping that reads it.
_OTHER_LAYOUTS = {"xwinograd": ("dataset.tsv", "xwinograd-tsv")}


@dataclass(frozen=True)
class BenchInfo:
    """What people want to know of a benchmark; `items` is None where it depends on the languages."""

    about: str
    tasks: tuple[str, ...]
    languages: int
    items: int | None
    licence: str
    origin: str


# The numbers of items are those of the published data.
BUILT_IN = {
    "facts": BenchInfo(
        "The world's countries: knowledge, reasoning, reading and free answers about them",
        ("knowledge", "reasoning", "reading", "generation"),
        len(available()),
        None,
        "Unicode-3.0 and CC-BY-4.0",
        "built here",
    ),
    "cross-xquad": BenchInfo(
        "XQuAD's questions with four options each, the wrong ones taken from the same data",
        ("reading",),
        12,
        1190,
        "CC-BY-SA-4.0",
        "built here, from files or the hub",
    ),
    "cross-mmlu": BenchInfo("MMLU in SeaEval's seven languages", ("knowledge",), 7, 150, LICENCE, _FILES),
    "cross-logiqa": BenchInfo("LogiQA in SeaEval's seven languages", ("reasoning",), 7, 176, LICENCE, _FILES),
    "cross-xquad-seaeval": BenchInfo(
        "XQuAD with options, as SeaEval built it", ("reading",), 4, 1190, LICENCE, _FILES
    ),
}


def names() -> list[str]:
    """All names, the built-in ones first."""
    return [*BUILT_IN, *sorted(path.stem for path in MAPPINGS.glob("*.yaml"))]


def known() -> dict[str, BenchInfo]:
    """What is known of each benchmark, by name."""
    found = dict(BUILT_IN)
    for name in names()[len(BUILT_IN) :]:
        mapping = read_mapping(MAPPINGS / f"{name}.yaml")
        tasks = (mapping.task if "{" not in mapping.task else "knowledge",)
        place = _FILES if mapping.dataset else "files"
        found[name] = BenchInfo(
            mapping.about, tasks, len(mapping.languages), mapping.items, mapping.licence, place
        )
    return found


def build_named(
    name: Path | str,
    out: Path | str,
    *,
    languages: Sequence[str] | str | None = None,
    source: Path | str | None = None,
    split: str | None = None,
    progress: Progress = silent,
) -> Stage:
    """Build the benchmark `name` (or that of a mapping's .yaml file) in the folder `out`.

    `languages` are codes or names; all that the benchmark has where None. `source` is its file or folder; the
    hub's where None. Raises CrossinError for an unknown name, and for a source, split or language that the
    benchmark does not have.
    """
    name = str(name)
    source = None if source is None else as_path(source)
    with located(field="languages"):
        languages = None if languages is None else list(dict.fromkeys(map(parse_language, listed(languages))))
    if name == "facts":
        if source is not None:
            raise CrossinError("'facts' is built from CLDR and GeoNames", hint="leave out --source")
        chosen = list(languages or available())
        return build_suite(out, languages=chosen, split=split or "all", progress=progress)
    if name in BUILT_IN and split is not None:
        raise CrossinError(f"'{name}' has no splits", hint="leave out --split")
    if name == "cross-xquad":
        return build_xquad(source, out, languages=languages, progress=progress)
    if name in SEAEVAL:
        return build_seaeval(name, source, out, languages=languages, progress=progress)
    if name in _OTHER_LAYOUTS and source is not None:
        file, other = _OTHER_LAYOUTS[name]
        name = other if source.name == file or (source / file).is_file() else name
    own = name.endswith((".yaml", ".yml"))
    path = as_path(name) if own else MAPPINGS / f"{name}.yaml"
    if not own and name not in names():
        near = nearest(name, names(), 2)
        raise CrossinError(
            f"there is no benchmark '{name}'" + (f"; did you mean {' or '.join(near)}?" if near else ""),
            hint="see `crossin bench list`, or give a mapping of your own (.yaml)",
        )
    mapping = read_mapping(path)
    return build_mapped(path.stem, mapping, source, out, languages=languages, split=split, progress=progress)
