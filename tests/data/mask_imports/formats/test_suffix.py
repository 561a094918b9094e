"""Masks by a word in their name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dapt.data.mask_imports.base import Asked
from dapt.data.mask_imports.formats.suffix import OTHERS, SuffixImport
from dapt.data.mask_imports.source import Source
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError
from mask_exports import BOXES, png, write_suffix

ASKED = Asked(photos=tuple(BOXES))


def test_words_behind_and_before(tmp_path: Path) -> None:
    for name in ("cat/1_mask", "cat/mask_2", "dog/1-seg", "dog/3_gt", "dog/9_mask", "dog/x"):
        png(tmp_path / f"{name}.png", np.zeros((4, 4), np.uint8))
    found = SuffixImport().read(Source(tmp_path), ASKED)
    first = {picture.files[0].stem: picture.names[0] for picture in found.pictures}
    assert first == {"1_mask": "cat/1", "mask_2": "cat/2", "1-seg": "dog/1", "3_gt": "dog/3", "9_mask": "dog/9"}
    assert found.left_out == {OTHERS: ["dog/x.png"]}


def test_evidence(tmp_path: Path) -> None:
    write_suffix(tmp_path, BOXES)
    assert SuffixImport().evidence(Source(tmp_path), ASKED) == "cat/1_mask.png and others are called like masks"
    assert SuffixImport().evidence(Source(tmp_path), Asked(photos=("other.jpg",))) == ""
    named = Asked(rules=MaskRules(name="{stem}_mask.png"), photos=tuple(BOXES))
    assert SuffixImport().evidence(Source(tmp_path), named) == "--mask-name is {stem}_mask.png"


def test_none(tmp_path: Path) -> None:
    png(tmp_path / "x.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(DataError, match="holds no masks by a word in their name"):
        SuffixImport().read(Source(tmp_path), ASKED)
