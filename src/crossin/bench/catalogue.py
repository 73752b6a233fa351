"""The benchmarks that can be built by name; a path to a mapping of one's own is a name too."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossin.bench.seaeval import LICENCE, build_seaeval
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage
from crossin.languages import available

FILES = "files or the hub"
MAPPINGS = Path(__file__).parent / "mappings"


@dataclass(frozen=True)
class Known:
    """A benchmark for people: what it asks, in how many languages, how many items (None where that depends on
    the languages), under which licence, and where its data is from.
    """

    about: str
    tasks: tuple[str, ...]
    languages: int
    items: int | None
    licence: str
    origin: str


@dataclass(frozen=True)
class Wish:
    """What somebody asks of a benchmark; None leaves it to the benchmark."""

    languages: Sequence[str] | None
    source: Path | None
    split: str | None
    progress: Progress


def _facts(wish: Wish, out: Path) -> Stage:
    from crossin.facts.suite import build_suite

    if wish.source is not None:
        raise CrossinError("'facts' is made here, from CLDR and GeoNames", hint="leave out --source")
    languages = list(wish.languages or available())
    return build_suite(out, languages=languages, split=wish.split or "all", progress=wish.progress)


def _xquad(wish: Wish, out: Path) -> Stage:
    _no_split("cross-xquad", wish)
    from crossin.bench.xquad import build_xquad

    languages = None if wish.languages is None else list(wish.languages)
    return build_xquad(wish.source, out, languages=languages, progress=wish.progress)


def _seaeval(name: str) -> Callable[[Wish, Path], Stage]:
    def make(wish: Wish, out: Path) -> Stage:
        _no_split(name, wish)
        return build_seaeval(name, wish.source, out, languages=wish.languages, progress=wish.progress)

    return make


def _no_split(name: str, wish: Wish) -> None:
    if wish.split is not None:
        raise CrossinError(f"'{name}' has no splits", hint="leave out --split")


# Each with how it is made. The numbers of items are those of the published data.
BUILT_IN: dict[str, tuple[Known, Callable[[Wish, Path], Stage]]] = {
    "facts": (
        Known(
            "The world's countries: what one knows, concludes, reads and says of them",
            ("knowledge", "reasoning", "reading", "generation"),
            len(available()),
            None,
            "Unicode-3.0 and CC-BY-4.0",
            "built here",
        ),
        _facts,
    ),
    "cross-xquad": (
        Known(
            "XQuAD's questions with four options each, the wrong ones taken from the same data",
            ("reading",),
            12,
            1190,
            "CC-BY-SA-4.0",
            "built here, from files or the hub",
        ),
        _xquad,
    ),
    "cross-mmlu": (
        Known("MMLU in SeaEval's seven languages", ("knowledge",), 7, 150, LICENCE, FILES),
        _seaeval("cross-mmlu"),
    ),
    "cross-logiqa": (
        Known("LogiQA in SeaEval's seven languages", ("reasoning",), 7, 176, LICENCE, FILES),
        _seaeval("cross-logiqa"),
    ),
    "cross-xquad-seaeval": (
        Known("XQuAD with options, as SeaEval made it", ("reading",), 4, 1190, LICENCE, FILES),
        _seaeval("cross-xquad-seaeval"),
    ),
}


def names() -> list[str]:
    """All names, the built-in ones first."""
    return [*BUILT_IN, *sorted(path.stem for path in MAPPINGS.glob("*.yaml"))]


def known() -> dict[str, Known]:
    """What there is to know of each benchmark, by name."""
    from crossin.bench.mapping import read_mapping

    found = {name: about for name, (about, _) in BUILT_IN.items()}
    for path in sorted(MAPPINGS.glob("*.yaml")):
        mapping = read_mapping(path)
        found[path.stem] = Known(
            mapping.about,
            (mapping.task if "{" not in mapping.task else "knowledge",),
            len(mapping.languages),
            mapping.items,
            mapping.licence,
            FILES,
        )
    return found


def build_named(
    name: str,
    out: Path,
    *,
    languages: Sequence[str] | None = None,
    source: Path | None = None,
    split: str | None = None,
    progress: Progress = silent,
) -> Stage:
    """Make the benchmark `name` (or that of a mapping's .yaml file) in the folder `out`.

    `languages` are codes; all that the benchmark has where None. `source` is its file or folder, where it is
    not to come from the hub. Raises CrossinError for an unknown name or a wish that the benchmark cannot
    meet.
    """
    wish = Wish(languages, source, split, progress)
    if name in BUILT_IN:
        return BUILT_IN[name][1](wish, out)
    from crossin.bench.mapped import build_mapped
    from crossin.bench.mapping import read_mapping

    own = name.endswith((".yaml", ".yml"))
    path = Path(name) if own else MAPPINGS / f"{name}.yaml"
    if not own and name not in names():
        near = difflib.get_close_matches(name, names(), n=2, cutoff=0.5)
        raise CrossinError(
            f"no benchmark is called '{name}'" + (f"; near it are: {', '.join(near)}" if near else ""),
            hint="see `crossin bench list`, or give a mapping of your own (.yaml)",
        )
    mapping = read_mapping(path)
    return build_mapped(path.stem, mapping, source, out, languages=languages, split=split, progress=progress)
