"""True masks of evaluation images: where they do not serve, or look wrong, it is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.items import Item
from dapt.evaluation.mask_source import MaskSource
from helpers import draw


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    (tmp_path / "masks").mkdir()
    found = []
    for number in range(4):
        image, mask = draw("red_square", number)
        image.save(tmp_path / f"{number}.png")
        mask.save(tmp_path / "masks" / f"{number}.png")
        found.append(Item(tmp_path / f"{number}.png", 0, f"{number}.png"))
    return found


def change(items: list[Item], how) -> MaskSource:
    folder = items[0].path.parent / "masks"
    for item in items:
        with Image.open(folder / item.name) as mask:
            changed = how(np.array(mask))
        (changed if isinstance(changed, Image.Image) else Image.fromarray(changed)).save(folder / item.name)
    return MaskSource(folder)


def test_good_masks_need_no_words(items: list[Item], capsys) -> None:
    assert change(items, lambda mask: mask).tell(items)
    assert not MaskSource().tell(items), "no masks were spoken of"
    assert capsys.readouterr().err == ""


def test_inverted_masks_are_doubted_once(items: list[Item], capsys) -> None:
    masks = change(items, lambda mask: 255 - mask)
    assert masks.tell(items)
    assert masks.tell(items)
    said = capsys.readouterr().err
    assert said.count("attention figure: 4 of 4 masks cover all around the middle") == 1
    assert "exchanged" in said


def _palette(mask):
    image = Image.fromarray((mask > 0).astype(np.uint8), "L").convert("P")
    image.putpalette([0, 0, 0, 200, 30, 60] * 128)
    return image


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (lambda mask: mask // 255, "4 are without foreground; they look like objects with --mask-format labels"),
        (lambda mask: mask[:, :20].copy(), "4 are of another shape than the image (0.png is 20 x 40, its image 0.png"),
        (_palette, "4 are not readable so (The mask"),
    ],
)
def test_why_there_is_no_figure(items: list[Item], capsys, how, reason: str) -> None:
    assert not change(items, how).tell(items)
    said = " ".join(capsys.readouterr().err.split())
    assert f"attention not measured: of 4 masks {reason}" in said


def test_some_masks_serve(items: list[Item], capsys) -> None:
    masks = change(items[:1], lambda mask: mask[:, :20].copy())
    (items[0].path.parent / "masks" / "3.png").unlink()
    assert masks.tell(items)
    said = " ".join(capsys.readouterr().err.split())
    assert "attention is measured on 2 of 4 images: 1 is not there, 1 is of another shape" in said


def test_a_folder_without_the_masks(items: list[Item], tmp_path: Path, capsys) -> None:
    (tmp_path / "empty").mkdir()
    assert not MaskSource(tmp_path / "empty").tell(items)
    assert "attention not measured: of 4 masks 4 are not there" in capsys.readouterr().err
