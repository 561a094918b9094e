"""All object classes of the rendered scenes: the files that draw them register theirs when they are imported."""

from __future__ import annotations

import dapt.demo.drawing.living
import dapt.demo.drawing.things  # noqa: F401
from dapt.demo.drawing.look import OBJECTS


def class_names() -> list[str]:
    """The class names, sorted."""
    return sorted(OBJECTS)
