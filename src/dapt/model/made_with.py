"""What a prompted model was made from, beside its weights."""

from __future__ import annotations

from dataclasses import dataclass, field

from dapt.config import DaptOptions
from dapt.data.load.reading import Reading


@dataclass(frozen=True)
class MadeWith:
    """How a model was made.

    Attributes:
        method: name of its method; empty where it was put together by hand. dapt: its DAPT options.
        reading: how images are read for it.
    """

    method: str = ""
    dapt: DaptOptions = field(default_factory=DaptOptions)
    reading: Reading = field(default_factory=Reading)
