"""What functions return: results that are short when printed, and tables for Arrow and pandas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from crossin.core.errors import CrossinError
from crossin.core.formats import ANSWERS, DATA_FOLDER, ITEMS, PREFERENCES

if TYPE_CHECKING:
    import pandas
    import pyarrow

# By stage, the files that are its table, relative to its folder.
_TABLES = {
    "compose": f"{DATA_FOLDER}/*",
    "translate": f"{DATA_FOLDER}/*/*",
    "train": "losses.parquet",
    "evaluate": ANSWERS,
    "probe": "probe.parquet",
    "bench": ITEMS,
    "facts": "questions.parquet",
    "rows": "questions.parquet",
    "teach": "questions.parquet",
    "prefer": PREFERENCES,
}
# More names than these are only counted, and more results not shown.
_MOST_NAMES, _MOST_RESULTS = 8, 10


class Tabular:
    """A result with a table."""

    def to_arrow(self) -> pyarrow.Table:
        """The result's table, as Arrow's."""
        raise NotImplementedError

    def to_pandas(self) -> pandas.DataFrame:
        """The result's table, as a data frame. Raises CrossinError where pandas is not installed."""
        table = self.to_arrow()
        try:
            import pandas  # noqa: F401
        except ImportError as error:
            raise CrossinError(
                "this needs the package 'pandas'", hint="pip install pandas, or take to_arrow()"
            ) from error
        return table.to_pandas()


Result = TypeVar("Result", bound=Tabular)


class ResultList(list[Result], Tabular):
    """Results of one kind, one below the other."""

    def __repr__(self) -> str:
        shown = [*map(repr, self[:_MOST_RESULTS])]
        shown += [f"… and {len(self) - _MOST_RESULTS:,} more"] if len(self) > _MOST_RESULTS else []
        return "[" + ",\n ".join(shown) + "]"

    def to_arrow(self) -> pyarrow.Table:
        """The tables of all, one below the other."""
        import pyarrow

        if not self:
            return pyarrow.table({})
        return pyarrow.concat_tables([one.to_arrow() for one in self], promote_options="default")


def stage_table(folder: Path, name: str, outputs: Sequence[str]) -> pyarrow.Table:
    """The table of a finished stage: of a mixture its rows, of a translation those of all languages, with the
    column `language`, of a training the losses, of an evaluation the answers, of a probe the figures.

    Raises CrossinError where the stage has none.
    """
    import pyarrow

    files = [file for file in sorted(outputs) if name in _TABLES and Path(file).match(_TABLES[name])]
    if not files:
        raise CrossinError(
            f"the stage '{name}' has no table",
            file=folder,
            hint=f"read its files: {', '.join(sorted(outputs)[:_MOST_NAMES])}",
        )
    tables = []
    for file in files:
        table = _read(folder / file)
        if name == "translate":
            # After the id, which is first.
            language = pyarrow.repeat(Path(file).parent.name, len(table)).cast(pyarrow.string())
            table = table.add_column(1, "language", language)
        tables.append(table)
    return pyarrow.concat_tables(tables, promote_options="default")


def brief(names: Sequence[str], noun: str = "languages") -> str:
    """Names with commas, or their number where they are many."""
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names):,} {noun}"


def _read(path: Path) -> pyarrow.Table:
    """A file of a stage: Parquet, or JSON lines."""
    import pyarrow.json
    import pyarrow.parquet

    try:
        if path.suffix == ".jsonl":
            return pyarrow.json.read_json(path)
        # Not as a data set, which would read columns from the names of folders.
        with pyarrow.parquet.ParquetFile(path) as file:
            return file.read()
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise CrossinError(
            "cannot be read", file=path, hint="remove the stage's folder and run it again"
        ) from error
