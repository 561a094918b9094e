"""How mask files are found and read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dapt.colour import BLACK
from dapt.config import MaskFormat, RunConfig


@dataclass(frozen=True)
class MaskRules:
    """What the user says of mask files.

    Attributes:
        kind: ``--mask-format``. name: ``--mask-name``, see `dapt.mask_pattern`; None: they are called as the images.
        background: colour of the background, for the format ``colours``.
    """

    kind: MaskFormat = "binary"
    name: str | None = None
    background: str = BLACK

    def read_as(self, kind: MaskFormat | None) -> MaskRules:
        """The same for files of another format; None: the same."""
        return self if kind is None else replace(self, kind=kind)


def rules_of(config: RunConfig) -> MaskRules:
    """What the configuration of a run says."""
    return MaskRules(config.mask_format, config.mask_name, config.mask_background)
