"""The compose stage: a recipe and a corpus folder in, a mixture folder out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crossin.compose.plan import plan
from crossin.compose.recipe import Recipe
from crossin.compose.render import Row, render
from crossin.errors import CrossinError
from crossin.files import read_parquet, write_parquet, write_text
from crossin.languages.words import DATA
from crossin.progress import Progress, silent
from crossin.stage import Stage, begin

MIXTURE = "mixture-00000.parquet"


def compose(
    recipe: Recipe,
    corpus: Path,
    languages: list[str],
    out: Path,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Stage:
    """Make the mixture of `recipe` from the rows in the folder `corpus`, in `languages`; the same input gives
    the same bytes.
    """
    import pyarrow

    names = sorted({component.corpus for component in recipe.components})
    there = ", ".join(sorted(path.stem for path in corpus.glob("*.parquet")))
    for name in names:
        if not (corpus / f"{name}.parquet").is_file():
            raise CrossinError(
                f"the recipe '{recipe.name}' draws from the corpus '{name}', which is not there",
                file=corpus / f"{name}.parquet",
                fix=f"use one of: {there or 'none here'}",
            )
    settings = {"recipe": recipe.model_dump(), "languages": languages, "seed": seed}
    inputs = {name: corpus / f"{name}.parquet" for name in names}
    inputs |= {f"words/{language}": DATA / f"{language}.yaml" for language in languages}
    stage = begin(out, "compose", settings, inputs)
    if stage.done:
        return stage
    index: dict[str, list[str]] = {}
    rows: dict[str, dict[tuple[str, str], Row]] = {}
    skipped: Counter[str] = Counter()
    for name in names:
        rows[name] = _read_rows(corpus / f"{name}.parquet")
        index[name] = _complete_ids(rows[name], languages, skipped)
    draws = plan(recipe, index, languages, seed)
    mixture = []
    for number, draw in enumerate(draws):
        mixture.append(render(recipe, draw, rows[recipe.components[draw.component].corpus]))
        if number % 1000 == 999 or number + 1 == len(draws):
            progress("composing the mixture", number + 1, len(draws), "rows")
    write_parquet(out / MIXTURE, pyarrow.Table.from_pylist(mixture))
    write_text(out / "recipe.yaml", _as_yaml(recipe))
    counts = Counter(f"{row['kind']} {row['lang_in']}>{row['lang_out']}" for row in mixture)
    stage.finish(
        [MIXTURE, "recipe.yaml"], {"rows": len(mixture), **dict(sorted(counts.items()))}, dict(skipped)
    )
    return stage


def _read_rows(path: Path) -> dict[tuple[str, str], Row]:
    columns = ["id", "language", "instruction", "input", "output"]
    return {
        (line["id"], line["language"]): Row(line["instruction"], line["input"], line["output"])
        for line in read_parquet(path, columns).to_pylist()
    }


def _complete_ids(rows: dict[tuple[str, str], Row], languages: list[str], skipped: Counter[str]) -> list[str]:
    """The ids that exist in all languages, in the order of the corpus; the others are counted by the language
    they lack.
    """
    complete = []
    for row_id in dict.fromkeys(row_id for row_id, _ in rows):
        missing = [language for language in languages if (row_id, language) not in rows]
        if missing:
            skipped[f"row: not in {missing[0]}"] += 1
        else:
            complete.append(row_id)
    return complete


def _as_yaml(recipe: Recipe) -> str:
    import yaml

    return str(yaml.safe_dump(recipe.model_dump(), sort_keys=False, allow_unicode=True))
