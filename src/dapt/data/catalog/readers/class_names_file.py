"""ImageNet's ``classnames.txt``: one line "wnid name" per class, in label order."""

from __future__ import annotations

import re
from pathlib import Path

from dapt.data.catalog.base import Dataset, Place, Request
from dapt.data.catalog.places import companions, find_beside
from dapt.errors import DataError
from dapt.limits import LIST_BYTES
from dapt.regular import read_text, reason

FILE = "classnames.txt"
CLASSES = 1000
IMAGENET_FOLDERS = ("imagenet", "imagenet-1k/imagenet", "imagenet-1k")  # a variant may use ImageNet's own file
_LINE = re.compile(r"(n\d{8})\s+(\S.*)")


def read_class_names(dataset: Dataset, place: Place, request: Request) -> dict[str, str]:
    """The 1000 class names by wnid, sorted by wnid, which is label order.

    Raises:
        DataError: the file is missing or is not that list.
    """
    folders = companions(dataset, place, request.root) + [request.root / folder for folder in IMAGENET_FOLDERS]
    path = find_beside(FILE, folders)
    if path is None:
        raise DataError(
            f"{FILE} of {dataset.title} is missing in {request.root / dataset.folder}.",
            todo=f"Run 'dapt data download {dataset.name} --only class-names'.",
        )
    return parse_class_names(path)


def parse_class_names(path: Path) -> dict[str, str]:
    """See `read_class_names`."""
    again = "Get CoOp's file of 1000 lines 'wnid name' again."
    try:
        lines = read_text(path, LIST_BYTES).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {reason(error)}.", todo=again) from error
    names: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise DataError(f"{path}, line {number}: '{line.strip()[:60]}' is not 'wnid name'.", todo=again)
        if match[1] in names:
            raise DataError(f"{path}, line {number}: {match[1]} occurs twice.", todo=again)
        names[match[1]] = match[2].replace("_", " ")
    if len(names) != CLASSES:
        raise DataError(f"{path} names {len(names)} classes, not {CLASSES}.", todo=again)
    return dict(sorted(names.items()))
