"""The figures of an epoch: added up where they are computed, and looked at in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Refuse = Callable[[Tensor, dict[str, Tensor], int], None]
LOSS = "loss"


class Tally:
    """Sums over images of what every step reports. Reading a figure makes the host wait for a GPU, so few are read.

    Args:
        refuse: raises where the loss of a step, its figures and its number in the epoch are not to be borne.
        every: after so many steps they are shown to `refuse`, all in one reading; 0: never.
    """

    def __init__(self, refuse: Refuse, every: int) -> None:
        self._refuse = refuse
        self._every = every
        self._sums: dict[tuple[str, ...], Tensor] = {}
        self._unread: list[tuple[int, tuple[str, ...], Tensor]] = []
        self._steps = 0

    def add(self, figures: Mapping[str, Tensor], images: int) -> None:
        """Add the figures of a step, means over so many images; they may be overwritten by the next step.

        Raises:
            DaptError: what `refuse` raises.
        """
        names = tuple(figures)
        values = torch.stack(list(figures.values()))
        self._sums[names] = self._sums.get(names, torch.zeros_like(values)) + values * images
        self._steps += 1
        if self._every:
            self._unread.append((self._steps - 1, names, values))
            if len(self._unread) >= self._every:
                self.look()

    def look(self) -> None:
        """Show the steps since the last look to `refuse`, the first one first.

        Raises:
            DaptError: what `refuse` raises.
        """
        seen, self._unread = self._unread, []
        if not seen:
            return
        read = torch.cat([values for _, _, values in seen]).cpu()  # one wait for all of them
        sizes = [len(names) for _, names, _ in seen]
        for (number, names, _), values in zip(seen, torch.split(read, sizes), strict=True):
            figures = dict(zip(names, values, strict=True))
            self._refuse(figures.pop(LOSS), figures, number)

    def sums(self) -> dict[str, Tensor]:
        """The sum of each figure over all images."""
        found: dict[str, Tensor] = {}
        for names, values in self._sums.items():
            for name, value in zip(names, values, strict=True):
                found[name] = found[name] + value if name in found else value
        return found
