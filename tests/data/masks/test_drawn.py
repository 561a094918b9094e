"""Masks drawn from annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.items import ImageSet, Item
from dapt.data.masks.drawn import Shape, draw, polygon, undecided_outlines, with_drawn_masks
from dapt.data.masks.mask_files import read_mask
from dapt.data.outlines import UNTOLD, Outline
from dapt.errors import DataError

ITEM = Item(Path("a.jpg"), 0, "a.jpg")


def drawn(*outlines: Outline, size: tuple[int, int] = (6, 4), orientation: int = 1) -> np.ndarray:
    return np.array(draw(outlines, Shape(size[::-1], orientation), ITEM)) > 0


def test_a_box_in_pixels_and_in_shares() -> None:
    expected = np.zeros((4, 6), bool)
    expected[1:3, 2:5] = True
    assert (drawn(Outline("box", (2, 1, 5, 3), (6, 4))) == expected).all()
    assert (drawn(Outline("box", (2 / 6, 1 / 4, 5 / 6, 3 / 4), (1, 1))) == expected).all()
    assert (drawn(Outline("box", (4, 2, 10, 6), (12, 8))) == expected).all()  # annotated on a larger copy


def test_runs_go_down_the_columns() -> None:
    mask = drawn(Outline("runs", (5, 2, 1, 2, 14), (6, 4)))
    expected = np.zeros((4, 6), bool)
    expected[1:3, 1] = True
    expected[0:2, 2] = True
    assert (mask == expected).all()
    with pytest.raises(DataError, match="has 9 pixels, not 6 x 4"):
        drawn(Outline("runs", (5, 4), (6, 4)))


def test_polygons_are_united() -> None:
    left = Outline("polygon", (0, 0, 2, 0, 2, 3, 0, 3), (6, 4))
    right = Outline("polygon", (4, 0, 5, 0, 5, 3, 4, 3), (6, 4))
    assert drawn(left, right).sum(axis=0).tolist() == [3, 3, 0, 0, 3, 0]


def test_written_once_and_found_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos" / "x").mkdir(parents=True)
    paths = [tmp_path / "photos" / "x" / f"{number}.jpg" for number in range(3)]
    for path in paths:
        Image.new("RGB", (6, 4)).save(path)
    items = tuple(Item(path, 0, f"x/{path.name}") for path in paths)
    outlines = {item.name: (Outline("box", (2, 1, 5, 3), (6, 4)),) for item in items[:2]}
    data = ImageSet("photos", tmp_path / "photos", ("cat",), {"train": items[:2], "test": items[2:]}, outlines=outlines)
    root = tmp_path / "root"
    found = with_drawn_masks(data, root)
    masks = [item.mask for part in found.splits.values() for item in part]
    assert masks[2] is None
    assert all(mask is not None and np.array(Image.open(mask)).sum() == 6 * 255 for mask in masks[:2])
    assert found.mask_format == "binary"
    assert "Drawing 2 masks" in capsys.readouterr().err
    assert with_drawn_masks(data, root).splits == found.splits
    assert "Drawing" not in capsys.readouterr().err
    assert with_drawn_masks(found, root) is found
    plain = ImageSet("photos", tmp_path, ("cat",), {"train": items})
    assert with_drawn_masks(plain, root) is plain


def within(points: np.ndarray, x: float, y: float) -> bool:
    """Whether a point lies in a polygon, by counting the sides to the left of it."""
    inside = False
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if (ay > y) != (by > y) and ax + (y - ay) * (bx - ax) / (by - ay) <= x:
            inside = not inside
    return inside


@pytest.mark.parametrize("seed", range(20))
def test_polygons_hold_the_pixels_whose_centres_they_hold(seed: int) -> None:
    numbers = np.random.default_rng(seed)
    points = numbers.uniform(-3, 12, size=(numbers.integers(3, 8), 2))
    expected = [[within(points, x + 0.5, y + 0.5) for x in range(9)] for y in range(7)]
    assert (polygon(points, (7, 9)) == np.array(expected)).all()


def test_a_square_polygon_has_its_area() -> None:
    square = Outline("polygon", (2, 3, 12, 3, 12, 13, 2, 13), (20, 20))
    assert drawn(square, size=(20, 20)).sum() == 100
    assert drawn(Outline("box", (2, 3, 12, 13), UNTOLD), size=(20, 20)).sum() == 100


def test_far_and_thin_outlines() -> None:
    assert drawn(Outline("box", (-1e9, -1e9, 1e9, 1e9), (6, 4))).all()
    assert drawn(Outline("polygon", (1.1, 1.1, 1.2, 1.1, 1.2, 1.2), (6, 4))).sum() == 1
    assert drawn(Outline("box", (7, 7, 9, 9), (6, 4))).sum() == 0
    assert drawn(Outline("polygon", (1, 1), (6, 4))).sum() == 1


@pytest.mark.parametrize(("orientation", "corner"), [(5, (0, 0)), (6, (0, 1)), (7, (1, 1)), (8, (1, 0))])
def test_outlines_on_stored_pixels_are_turned(orientation: int, corner: tuple[int, int]) -> None:
    box = Outline("box", (0, 0, 20, 8), (40, 32))
    mask = drawn(box, size=(40, 32), orientation=orientation)
    expected = np.zeros((40, 32), bool)
    rows = slice(0, 20) if not corner[0] else slice(20, 40)
    columns = slice(0, 8) if not corner[1] else slice(24, 32)
    expected[rows, columns] = True
    assert (mask == expected).all()
    upright = Outline("box", (0, 0, 8, 20), (32, 40))
    assert drawn(upright, size=(40, 32), orientation=orientation)[:20, :8].all()


def test_undecided_outlines_are_taken_for_upright(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[object] = []
    monkeypatch.setattr("dapt.data.masks.drawn.note", lambda sentence, name: noted.append(sentence))
    for size in ((1, 1), UNTOLD):
        shares = Outline("box", (0, 0, 0.5, 1) if size == (1, 1) else (0, 0, 16, 40), size)
        assert drawn(shares, size=(40, 32), orientation=6)[:, :16].all()
    assert drawn(Outline("box", (0, 0, 8, 4), (8, 8)), size=(8, 8), orientation=6)[:4].all()
    assert drawn(Outline("box", (0, 0, 40, 16), (40, 32)), size=(40, 32), orientation=3)[:16].all()
    assert set(noted) == {undecided_outlines}
    assert "2 annotated photos are turned by EXIF" in undecided_outlines([("a", ""), ("b", "")])


def test_a_picture_of_another_shape_is_refused() -> None:
    with pytest.raises(DataError, match="those of a picture of 50 x 32 pixels, but the photo has 32 x 40"):
        drawn(Outline("box", (0, 0, 1, 1), (50, 32)), size=(40, 32), orientation=6)
    with pytest.raises(DataError, match="of a picture of 4 x 6 pixels, but the photo has 6 x 4"):
        drawn(Outline("runs", (24,), (4, 6)))


def test_runs_of_a_huge_picture_take_no_room() -> None:
    side = 10**9
    mask = drawn(Outline("runs", (side * side // 2, side * side // 2), (side, side)), size=(4, 4))
    assert mask.tolist() == [[False, False, True, True]] * 4


def boxed(root: Path, *names: str, size: tuple[int, int] = (6, 4), masks: tuple[str, ...] = ()) -> ImageSet:
    """Data of one annotated photograph for each name."""
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", size).save(root / name)
    items = tuple(Item(root / name, 0, name, root / "m.png" if name in masks else None) for name in names)
    outlines = {name: (Outline("box", (0, 0, (2 if name.endswith("jpg") else 4) / 6, 1), (1, 1)),) for name in names}
    return ImageSet("x", root, ("cat",), {"train": items}, outlines=outlines)


def areas(data: ImageSet) -> list[int]:
    return [int((np.array(Image.open(item.mask)) > 127).sum()) for item in data.split("train") if item.mask]


def test_photos_of_one_stem_have_their_own_masks(tmp_path: Path) -> None:
    assert areas(with_drawn_masks(boxed(tmp_path / "x", "0.jpg", "0.png"), tmp_path)) == [8, 16]


def test_a_replaced_photo_gets_a_new_mask(tmp_path: Path) -> None:
    with_drawn_masks(boxed(tmp_path / "x", "0.jpg"), tmp_path)
    assert areas(with_drawn_masks(boxed(tmp_path / "x", "0.jpg", size=(12, 8)), tmp_path)) == [32]


def test_masks_are_drawn_of_photos_without_one(tmp_path: Path) -> None:
    data = with_drawn_masks(boxed(tmp_path / "x", "0.jpg", "1.jpg", masks=("0.jpg",)), tmp_path)
    first, second = (item.mask for item in data.split("train"))
    assert first == tmp_path / "x" / "m.png"
    assert data.mask_format is None
    assert second is not None
    assert [read_mask(second, kind).sum() for kind in ("binary", "labels")] == [8, 8]


def test_a_damaged_photo_has_no_mask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = boxed(tmp_path / "x", "0.jpg", "1.jpg")
    (tmp_path / "x" / "0.jpg").write_bytes(b"no picture")
    assert [item.mask is None for item in with_drawn_masks(data, tmp_path).split("train")] == [True, False]
    assert "1 annotated photo cannot be opened, so no masks are drawn" in capsys.readouterr().err
