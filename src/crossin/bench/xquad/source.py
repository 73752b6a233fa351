"""Where XQuAD's files are, and what is in one: the authors' JSON, or Parquet as the hub keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossin.bench.hub import fetch
from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_parquet

DATASET = "google/xquad"
_REVISION = "51adfef1c1287aab1d2d91b5bead9bcfb9c68583"
# The hub's rows name no article. XQuAD took five paragraphs of each (Artetxe et al., 2020, section 4).
_PARAGRAPHS_PER_ARTICLE = 5


def source_files(source: Path | None) -> dict[str, Path]:
    """The file of each language, in the order of their codes: `xquad.<language>.json` in the folder `source`,
    or `xquad.<language>/*.parquet` as on the hub, which is asked where `source` is None.

    Raises CrossinError where English is missing, which the wrong options are chosen in, or the hub cannot be
    reached.
    """
    folder = source or fetch(DATASET, _REVISION, ["xquad.*/*.parquet"])
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("xquad.*/*.parquet")):
        other = found.setdefault(path.parent.name, path)
        if other != path:
            raise CrossinError(
                f"there is {other.name} beside it, and one file a language is due",
                file=path,
                hint="keep the one that XQuAD's validation split is in",
            )
    found |= {path.stem: path for path in folder.glob("xquad.*.json")}
    files = {name.removeprefix("xquad."): found[name] for name in sorted(found)}
    if "en" not in files:
        raise CrossinError(
            "holds no xquad.en.json, and the wrong options are chosen in English",
            file=folder,
            hint="name with --source the folder with all the files xquad.<language>.json",
        )
    return files


def squad_form(file: Path) -> Any:
    """What is in a file, nested as SQuAD does: articles, paragraphs, questions."""
    if file.suffix == ".json":
        return read_json(file)
    rows = read_parquet(file, ["id", "context", "question", "answers"]).to_pylist()
    paragraphs: list[dict[str, Any]] = []
    for row in rows:
        if not paragraphs or paragraphs[-1]["context"] != row["context"]:
            paragraphs.append({"context": row["context"], "qas": []})
        paragraphs[-1]["qas"].append(
            {"id": row["id"], "question": row["question"], "answers": _answers(row["answers"])}
        )
    size = _PARAGRAPHS_PER_ARTICLE
    return {
        "data": [
            {"title": f"article-{first // size + 1}", "paragraphs": paragraphs[first : first + size]}
            for first in range(0, len(paragraphs), size)
        ]
    }


def _answers(cell: Any) -> Any:
    """The answers as SQuAD's JSON has them; a cell of another form as it is, for who checks the form."""
    match cell:
        case {"text": list(texts), "answer_start": list(starts)} if len(texts) == len(starts):
            return [{"text": text, "answer_start": start} for text, start in zip(texts, starts, strict=True)]
    return cell
