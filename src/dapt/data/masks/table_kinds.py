"""Which tool wrote a table of outlines, by its first bytes: for hints alone, `dapt masks import` looks closer."""

from __future__ import annotations

import re
from pathlib import Path

from dapt.regular import open_regular

HEAD = 65_536  # bytes that are looked at
_JSON = (
    ("labelme", ('"shapes"', '"imagePath"')),
    ("label-studio", ('"annotations"', '"result"')),
    ("label-studio", ('"annotation_id"',)),
    ("coco", ('"images"', '"file_name"')),
    ("coco", ('"annotations"', '"image_id"')),
)
_XML = (("cvat", re.compile(r"<annotations\b")), ("voc", re.compile(r"<annotation\b")))
_YOLO = re.compile(r"\d+(?:\s+-?\d*\.?\d+(?:[eE][-+]?\d+)?){4,}\s*")


def table_format(path: Path) -> str:
    """The ``--format`` of `dapt masks import` that a file looks like; empty if none."""
    try:
        with open_regular(path) as file:
            head = file.read(HEAD)
    except OSError:
        return ""
    text = head.replace(b"\0", b"").decode("utf-8", "replace")  # UTF-16 has a zero in every second byte
    ending = path.suffix.lower()
    if ending == ".json":
        return next((kind for kind, words in _JSON if all(word in text for word in words)), "")
    if ending == ".xml":
        return next((kind for kind, form in _XML if form.search(text)), "")
    lines = [line for line in text.splitlines() if line.strip()]
    return "yolo-seg" if ending == ".txt" and lines and _YOLO.fullmatch(lines[0]) else ""
