"""One mask per object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dapt.data.mask_imports.base import Asked
from dapt.data.mask_imports.formats.instances import COPIES, OTHERS, InstancesImport
from dapt.data.mask_imports.source import Source
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError
from mask_exports import BOXES, png, write_instances

ASKED = Asked(photos=("cat/1.jpg", "cat/a_b.jpg", "cat/a.jpg"))


def test_ways_of_naming(tmp_path: Path) -> None:
    names = ("cat/1_0", "cat/1-dog-2", "masks/cat/a_b_1", "masks/cat/a_1", "cat/1/masks/77", "other/x_1")
    for name in names:
        png(tmp_path / f"{name}.png", np.zeros((4, 4), np.uint8))
    found = InstancesImport().read(Source(tmp_path), ASKED)
    assert {picture.near[:-4]: picture.names[0] for picture in found.pictures} == {
        "cat/1_0": "cat/1",
        "cat/1-dog-2": "cat/1",
        "masks/cat/a_b_1": "masks/cat/a_b",
        "masks/cat/a_1": "masks/cat/a",
        "cat/1/masks/77": "cat/1",
    }
    assert found.left_out == {OTHERS: ["other/x_1.png"]}


def test_copies_of_the_photos_are_no_masks(tmp_path: Path) -> None:
    for name in ("1/images/1", "1/masks/a", "1/masks/b"):
        png(tmp_path / f"{name}.png", np.zeros((4, 4), np.uint8))
    asked = Asked(photos=("1.png",))
    assert InstancesImport().evidence(Source(tmp_path), asked).startswith("there are 2 pictures for 1 photo, as ")
    found = InstancesImport().read(Source(tmp_path), asked)
    assert found.left_out == {COPIES: ["1/images/1.png"]}
    assert found.files == ["1/masks/a.png", "1/masks/b.png"]


def test_evidence(tmp_path: Path) -> None:
    write_instances(tmp_path, BOXES)
    asked = Asked(photos=tuple(BOXES))
    assert InstancesImport().evidence(Source(tmp_path), asked) == "there are 8 pictures for 4 photos, as cat/1_0.png"
    named = Asked(rules=MaskRules(name="{stem}_*.png"), photos=tuple(BOXES))
    assert InstancesImport().evidence(Source(tmp_path), named) == "--mask-name is {stem}_*.png"
    for name in BOXES:
        (tmp_path / f"{name[:-4]}_1.png").unlink()
    assert InstancesImport().evidence(Source(tmp_path), asked) == "", "one mask per photo"


def test_none(tmp_path: Path) -> None:
    png(tmp_path / "x.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(DataError, match="holds no masks of objects"):
        InstancesImport().read(Source(tmp_path), ASKED)
