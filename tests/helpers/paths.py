"""Where tests find the checkout and real data."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Real data is not part of the project: tests that need it skip where it is missing (CONTRIBUTING.md).
REAL_DATA = Path(os.environ.get("CROSSIN_TEST_DATA") or ROOT.parent / "shared" / "data")
