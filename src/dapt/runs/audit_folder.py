"""The folders that an audit fills: its results, and its composites as data sets."""

from __future__ import annotations

from pathlib import Path

from dapt.runs.output_folder import OutputFolder

LAST = ("audit.json", "index.csv")  # names of the files that are written when all others are there
RESULTS, COMPOSITES = "an audit", "composites of an audit"  # kinds of folders, as their manifests say


class AuditFolder(OutputFolder):
    """A folder with one audit, or its composites. What is there is replaced only if that is asked for.

    Args:
        path: the folder. kind: `RESULTS` or `COMPOSITES`. option: by which it was named.
    """

    def __init__(self, path: Path, kind: str, option: str) -> None:
        super().__init__(path, kind, option, last=LAST)
