"""What a page of a report holds."""

from __future__ import annotations

import json
import zlib
from base64 import b85decode
from pathlib import Path
from typing import Any


def unpacked(text: str) -> Any:
    """The value that `packed_json` packed."""
    return json.loads(zlib.decompress(b85decode(text.replace(",", "<"))))


def explorer_of(page: Path) -> Any:
    """The data of a page's questions, each with its texts in all languages, and the answers under the
    wording reported.
    """
    text = page.read_text(encoding="utf-8")
    data = unpacked(text.split('id="item-data">')[1].split("</script>")[0])
    columns = data.pop("texts")
    items = [
        {**item, **data["said"][0][place], "texts": [column[place] for column in columns]}
        for place, item in enumerate(data["items"])
    ]
    return {**data, "items": items}
