"""Words for what photographs show, for cues that compare with class texts where nobody has named any class."""

from __future__ import annotations

COMMON_THINGS: tuple[str, ...] = tuple(
    (
        "person man woman child face dog cat bird horse cow sheep elephant bear zebra giraffe monkey fish insect "
        "butterfly spider snake frog turtle flower leaf mushroom fruit vegetable food car bus truck train bicycle "
        "motorcycle boat airplane ball toy statue bottle cup chair lamp clock book bag shoe hat "
        "instrument tool machine animal"
    ).split()
)
