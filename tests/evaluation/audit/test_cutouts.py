"""Objects at working size: found by a cue, packed and left out for a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from dapt.cues.base import Cue, CueContext, CueReport
from dapt.data.items import Item
from dapt.evaluation.audit import cutouts as module
from dapt.evaluation.audit.cutouts import LOST, cut_out, find_objects, working_size
from dapt.strict import PartOptions
from helpers import draw


@pytest.mark.parametrize("size", [(128, 128), (100, 333), (333, 100), (31, 200), (65, 64), (640, 427)])
def test_working_size_is_that_of_the_models_resize(size: tuple[int, int]) -> None:
    resized = v2.Resize(64)(torch.zeros(3, *size))
    expected = tuple(resized.shape[-2:]) if min(size) > 64 else size
    assert working_size(size, 64) == expected


def test_an_object_is_kept_bit_by_bit() -> None:
    mask = torch.zeros(21, 33)
    mask[4:12, 5:20] = 1
    found = cut_out(mask, (21, 33))
    assert found is not None
    assert torch.equal(found.inside, mask > 0)
    assert found.share == pytest.approx(8 * 15 / (21 * 33))
    assert found.box == (3, 4, 13, 21), "with the feather"
    assert found.strip == (13, 0, 21, 33)
    assert found.lends


def test_objects_that_leave_nothing() -> None:
    small = torch.zeros(200, 200)
    small[3, 3] = 1
    assert cut_out(small, (20, 20)) is None
    large = torch.ones(200, 200)
    large[0, 0] = 0
    assert cut_out(large, (20, 20)) is None
    close = torch.zeros(40, 40)
    close[2:38, 2:38] = 1
    found = cut_out(close, (40, 40))
    assert found is not None
    assert not found.lends


class Told(Cue):
    """A cue whose masks the test chooses, by name of the image."""

    masks: dict[str, Tensor | None]

    def prepare(self, items, model):  # type: ignore[no-untyped-def]
        self.report = CueReport()
        return [self.report.add(item.name, self.masks[item.name]) for item in items]


def test_why_images_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    picture, _ = draw("red_square", 1, (60, 40))
    picture.save(tmp_path / "a.png")
    good = torch.zeros(40, 60)
    good[10:20, 10:30] = 1
    lost = torch.zeros(400, 600)
    lost[0, 0] = 1
    masks = {"good": good, "none": None, "empty": good * 0, "full": good * 0 + 1, "lost": lost, "soft": good * 0.7}
    cue = Told(CueContext(PartOptions(), None, "binary", False, lambda item: torch.zeros(3, 1, 1), 1))
    cue.masks = masks
    items = [Item(tmp_path / "a.png", 0, name) for name in masks]
    found = find_objects(cue, items, None, 32)
    assert found.kept == [0, 5]
    assert found.left_out == {"missing": ["none"], "empty": ["empty"], "full": ["full"], LOST: ["lost"]}
    assert [each.size for each in found.found] == [(32, 48)] * 2
