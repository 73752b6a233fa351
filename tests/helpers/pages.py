"""What a page of a report holds."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from pathlib import Path
from typing import Any


def unpacked(text: str) -> Any:
    """The value that `packed_json` packed."""
    return json.loads(zlib.decompress(b64decode(text)))


def explorer_of(page: Path) -> Any:
    """The data of a page's questions."""
    text = page.read_text(encoding="utf-8")
    return unpacked(text.split('id="item-data">')[1].split("</script>")[0])
