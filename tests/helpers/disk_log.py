"""What is asked of the disk and in which order: files and folders that are synced, renamed and removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


class DiskLog:
    """Events as (`sync`, `rename` or `remove`, path). A renamed file has its new path, a synced one its
    number on the disk, since its name may change.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[tuple[str, Path]] = []
        fsync, replace, unlink = os.fsync, os.replace, os.unlink

        def logged_fsync(handle: int) -> None:
            fsync(handle)
            self.events.append(("sync", Path(str(os.fstat(handle).st_ino))))

        def logged_replace(old: Any, new: Any, **options: Any) -> None:
            replace(old, new, **options)
            self.events.append(("rename", Path(new)))

        def logged_unlink(path: Any, **options: Any) -> None:
            unlink(path, **options)
            self.events.append(("remove", Path(path)))

        monkeypatch.setattr(os, "fsync", logged_fsync)
        monkeypatch.setattr(os, "replace", logged_replace)
        monkeypatch.setattr(os, "rename", logged_replace)
        monkeypatch.setattr(os, "unlink", logged_unlink)

    def syncs(self, path: Path) -> list[int]:
        """When the file or folder that is now at `path` was synced, as places in the log."""
        name = Path(str(path.stat().st_ino))
        return [place for place, event in enumerate(self.events) if event == ("sync", name)]

    def place(self, kind: str, path: Path) -> int:
        """When `path` was last renamed to, or removed."""
        return max(place for place, event in enumerate(self.events) if event == (kind, path))

    def is_safe(self, path: Path) -> bool:
        """Whether the file at `path` was synced before it got its name, and the name after that."""
        named = self.place("rename", path)
        return min(self.syncs(path)) < named < max(self.syncs(path.parent))
