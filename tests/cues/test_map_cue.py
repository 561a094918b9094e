"""What all cues that make maps have in common: batches, edges of the photo, cuts, confidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from dapt.cues.base import CueContext
from dapt.cues.bounded import LONGEST
from dapt.cues.map_cue import MapCue, MapOptions
from dapt.data.items import Item


class Ramp(MapCue):
    """A map that grows from left to right, up to the number in the image's name."""

    def maps(self, items: Sequence[Item], photos: Sequence[Tensor], model: object) -> Tensor:
        assert len(items) == len(photos) <= self._shared.batch_size
        return torch.stack([torch.linspace(0, float(item.name), 10).expand(4, 10) for item in items])


def prepared(
    names: Sequence[str], size: tuple[int, int] = (12, 30), **options: object
) -> tuple[Ramp, list[Tensor | None]]:
    photo = torch.full((3, *size), 90, dtype=torch.uint8)
    cue = Ramp(CueContext(MapOptions(**options), None, "binary", False, lambda item: photo, 1))
    return cue, cue.prepare([Item(Path(name), 0, name) for name in names], None)


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_batches_change_nothing(batch_size: int) -> None:
    names = ["1.0", "0.9", "0.8", "0.7", "0.6"]
    one = prepared(names, smooth="none")[1]
    assert all(
        torch.equal(a, b) for a, b in zip(one, prepared(names, smooth="none", batch_size=batch_size)[1], strict=True)
    )


def test_cuts_and_what_is_kept() -> None:
    cue, (mask,) = prepared(["1.0"], smooth="none")
    assert (mask.dtype, mask.tolist()) == (torch.bool, [[False] * 5 + [True] * 5] * 4)
    assert cue.report.coverage == [0.5]
    assert cue.report.scores["1.0"] == pytest.approx(5 / 9)
    share = prepared(["1.0"], smooth="none", cut="share", share=0.3)[1][0]
    assert share.tolist() == [[False] * 7 + [True] * 3] * 4
    value = prepared(["0.6"], smooth="none", cut="value")[1][0]
    assert value.tolist() == [[False] * 8 + [True] * 2] * 4
    soft_cue, (soft,) = prepared(["1.0"], smooth="none", soft=True)
    assert torch.equal(soft, torch.linspace(0, 1, 10).expand(4, 10))
    assert soft_cue.soft
    cue, masks = prepared(["0.0", "0.4"], smooth="none", cut="value")
    assert masks == [None, None]
    assert (cue.report.empty, cue.report.scores) == (["0.0", "0.4"], {"0.0": 0.0, "0.4": 0.0})


def test_smooth_masks_are_of_the_size_of_the_photo_within_bounds() -> None:
    assert prepared(["1.0"])[1][0].shape == (12, 30)
    assert prepared(["1.0"], size=(40, 2 * LONGEST))[1][0].shape == (20, LONGEST)


def test_options_that_the_cut_does_not_read_are_said(capsys) -> None:
    prepared(["1.0"], share=0.3)
    assert "cue.share is read with cue.cut=share only; here maps are cut by otsu" in capsys.readouterr().err
    prepared(["1.0"], threshold=0.3, cut="value")
    prepared(["1.0"], share=0.3, cut="share")
    assert capsys.readouterr().err.count("is read with") == 0
