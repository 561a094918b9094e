"""Ways of writing files wrongly, to see that they are noticed. Each is called in a child before the command."""

# Paths are text here: that is how the operations tell them.
# ruff: noqa: PTH112, PTH115

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def in_place() -> None:
    """Files are written under their own names."""
    from dapt.runs import run_folder

    def write(path: Path, content: Any, **_: Any) -> None:
        path.write_bytes(content)

    run_folder.write_bytes = write


def no_sync_of_files() -> None:
    """Only folders are synced."""
    from dapt import files

    class Quiet:
        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        @staticmethod
        def fsync(handle: int) -> None:
            if os.path.isdir(os.readlink(f"/proc/self/fd/{handle}")):
                os.fsync(handle)

    files.os = Quiet()  # type: ignore[assignment]


def no_sync_of_folders() -> None:
    """Only files are synced."""
    from dapt import files

    files.sync_folder = lambda folder: None


def sync_after_rename() -> None:
    """The content reaches the disk after the name."""
    from dapt import files

    def write(path: Path, content: Any, **_: Any) -> None:
        part = files.part_of(path)
        part.write_bytes(content)
        part.replace(path)
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        files.sync_folder(path.parent)

    from dapt.runs import run_folder

    run_folder.write_bytes = write
