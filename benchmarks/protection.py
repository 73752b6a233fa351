"""Whether text comes back exactly from a translator that returns what it gets, on all rows of Alpaca.

    python benchmarks/protection.py --data DATA

DATA holds alpaca_en.json. Each row goes through protection, splitting in every way, and back; counted are
those with code, a link, JSON, a variable or the like in any field.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from crossin.core.formats import FIELDS
from crossin.translation.protection import protect
from crossin.translation.requests import TranslationResponse
from crossin.translation.splitting import SplitBy, join_row, split_row

WAYS: tuple[SplitBy, ...] = ("text", "paragraph", "sentence", "span")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    rows = json.loads((options.data / "alpaca_en.json").read_text("utf-8"))
    kinds: Counter[str] = Counter()
    held = 0
    wrong: Counter[str] = Counter()
    for row in rows:
        texts = {field: row[field] for field in FIELDS}
        found = {kind for text in texts.values() for kind in protect(text).kinds}
        kinds.update(found)
        held += bool(found)
        for by in WAYS:
            one = split_row(texts, "en", "de", by)
            back = join_row(one, [TranslationResponse(request.texts) for request in one.requests])
            wrong[by] += back != texts
    print("| rows | hold something protected | " + " | ".join(kinds) + " |")
    print("|---" * (2 + len(kinds)) + "|")
    print(f"| {len(rows):,} | {held:,} | " + " | ".join(f"{count:,}" for count in kinds.values()) + " |")
    print("\nnot the same again, of all rows: " + ", ".join(f"{by} {wrong[by]}" for by in WAYS))


if __name__ == "__main__":
    main()
