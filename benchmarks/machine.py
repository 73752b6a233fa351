"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path


def machine(*libraries: str) -> str:
    """Processor, system, Python and the versions of `libraries`, in one line."""
    name = platform.processor() or platform.machine()
    if (described := Path("/proc/cpuinfo")).exists():
        lines = described.read_text("utf-8").splitlines()
        name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), name)
    facts = [f"{os.cpu_count()} cores ({name})", platform.system(), f"Python {platform.python_version()}"]
    return ", ".join(facts + [f"{library} {version(library)}" for library in libraries])
