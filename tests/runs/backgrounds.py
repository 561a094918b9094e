"""Noise for images and masks of some of them: what tests of backgrounds look at."""

from __future__ import annotations

from pathlib import Path

import torch

from dapt.data.items import Item

ITEMS = [Item(Path(str(number)), 0, str(number)) for number in range(5)]


def image(item: Item) -> torch.Tensor:
    generator = torch.Generator().manual_seed(int(item.name))
    return torch.randint(0, 255, (3, 40, 30 + int(item.name)), generator=generator, dtype=torch.uint8)


def masks() -> list[torch.Tensor | None]:
    coarse = torch.zeros(4, 4, dtype=torch.bool)
    coarse[:2, :2] = True
    return [coarse, None, ~coarse, torch.ones(40, 33, dtype=torch.bool), coarse]
