"""Part of a job by a stable division of its images, so that several machines share it without talking."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from dapt.errors import ConfigError

_FORM = re.compile(r"(\d{1,6})/(\d{1,6})")
MOST = 100_000


@dataclass(frozen=True)
class Shard:
    """One of `count` parts, counted from 1. Which one an image belongs to depends on its name alone."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def whole(self) -> bool:
        """Whether it is all there is."""
        return self.count == 1

    def of(self, name: str) -> int:
        """The number, 1 to `count`, of the part that an image belongs to, by CRC-32 of its name."""
        return zlib.crc32(name.encode("utf-8", "surrogateescape")) % self.count + 1

    def holds(self, name: str) -> bool:
        """Whether an image belongs to it."""
        return self.of(name) == self.number


def shard_from(text: str | None) -> Shard:
    """What ``3/8`` means; None: everything.

    Raises:
        ConfigError: it is no such thing.
    """
    if text is None:
        return Shard()
    found = _FORM.fullmatch(text.strip())
    number, count = (int(each) for each in found.groups()) if found else (0, 0)
    if not 1 <= number <= count <= MOST:
        raise ConfigError(f"There is no shard {text}.", where="--shard", todo="Write 3/8 for the third of eight parts.")
    return Shard(number, count)
