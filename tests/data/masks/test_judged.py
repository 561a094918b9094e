"""The mask of one image: what is wrong with it, in words and numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.masks.judged import PROBLEMS, judge
from dapt.data.masks.rules import MaskRules
from helpers import draw


def test_verdicts(tmp_path: Path) -> None:
    image, mask = draw("red_square", 1)
    image.save(tmp_path / "a.png")

    def verdict(picture: Image.Image):
        picture.save(tmp_path / "mask.png")
        return judge([tmp_path / "mask.png"], tmp_path / "a.png", MaskRules())

    good = verdict(mask)
    assert good.problem == ""
    assert good.coverage == pytest.approx(np.asarray(mask).astype(bool).mean())
    assert verdict(mask.resize((96, 80), Image.Resampling.NEAREST)).resized
    assert [verdict(Image.new("L", (48, 40), value)).problem for value in (0, 255)] == ["empty", "full"]
    odd = verdict(mask.crop((0, 0, 20, 40)))
    assert (odd.problem, odd.reason) == ("wrong shape", "mask.png is 20 x 40, its image a.png 48 x 40.")
    assert verdict(image).problem == "unreadable"
    assert judge([tmp_path / "none.png"], tmp_path / "a.png", MaskRules()).problem in PROBLEMS
