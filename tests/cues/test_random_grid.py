"""Random cells: which ones, from the seed and the name alone, so that another process draws the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.cues.base import Cue, CueContext
from dapt.cues.random_grid import RandomGridCue, RandomGridOptions
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache

CAT, DOG = Item(Path("/x/1.png"), 0, "cat/1.png"), Item(Path("/x/1.png"), 1, "dog/1.png")
CHECKSUMS = {CAT: 3_515_799_944, DOG: 4_132_642_848}  # CRC-32 of the names


def cue(seed: int = 1, **options: object) -> Cue:
    return RandomGridCue(CueContext(RandomGridOptions(**options), None, "binary", False, ImageCache(0), seed))


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("item", [CAT, DOG])
def test_cells_of_a_name_and_a_seed(seed: int, item: Item) -> None:
    (found,) = cue(seed, grid=5, hide=0.25).prepare([item], None)
    mixed = (seed + 1) * 1_000_003 + CHECKSUMS[item] + 1
    draws = torch.rand(5, 5, generator=torch.Generator().manual_seed(mixed))
    assert torch.equal(found, draws >= 0.25)


def test_counts_are_of_the_last_masks() -> None:
    source = cue(grid=4)
    for _ in range(2):
        source.prepare([CAT, DOG], None)
        assert source.report.total == 2
        assert len(source.report.coverage) == 2


def test_nothing_is_hidden_with_a_probability_of_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """A draw may be 0, and is never 1."""
    monkeypatch.setattr(torch, "rand", lambda *size, generator=None: torch.zeros(size))
    source = cue(hide=0.0)
    assert source.prepare([CAT], None) == [None]
    assert source.report.full == [CAT.name]
    monkeypatch.setattr(torch, "rand", lambda *size, generator=None: torch.full(size, 1 - 2**-24))
    assert cue(hide=1.0).prepare([CAT], None) == [None]
