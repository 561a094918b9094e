"""Whether every image has a mask that training can use: counts worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from dapt.data.items import Item
from dapt.errors import ConfigError, DataError
from dapt.runs.verify_masks import Row, Verdict, print_table, verify_masks

ITEM = Item(Path("a.png"), 0, "a.png")


def half(size: tuple[int, int]) -> Image.Image:
    """A mask whose left half is foreground."""
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill=255)
    return mask


@pytest.fixture
def masks(photos: Path) -> Path:
    """Masks of 32 images of 48 x 40 pixels: half of each picture."""
    folder = photos.parent / "photos-masks"
    for path in folder.rglob("*.png"):
        half((48, 40)).save(path)
    return folder


def test_a_row_counts_by_kind() -> None:
    row = Row()
    for verdict in (
        Verdict(coverage=0.25),
        Verdict(coverage=0.75, resized=True),
        Verdict("missing"),
        Verdict("empty", misread=True),
        Verdict("unreadable", reason="first"),
        Verdict("unreadable", reason="second"),
    ):
        row.add(ITEM, verdict)
    assert (row.images, row.found, row.resized, row.misread, row.reason) == (6, 5, 1, 1, "first")
    assert row.mean_coverage == 50.0
    assert row.figures() == {
        **{"images": 6, "found": 5, "missing": 1, "empty": 1, "full": 0, "wrong_shape": 0, "unreadable": 2},
        **{"usable": 2, "resized": 1, "mean_coverage_percent": 50.0},
    }
    assert Row().figures()["mean_coverage_percent"] is None


def test_every_problem_has_its_place(photos: Path, masks: Path, tmp_path: Path) -> None:
    red = masks / "red_square"
    (red / "00.png").unlink()
    Image.new("L", (48, 40), 0).save(red / "01.png")
    Image.new("L", (48, 40), 255).save(red / "02.png")
    half((40, 48)).save(red / "03.png")
    (red / "04.png").write_bytes(b"no picture")
    half((24, 20)).save(red / "05.png")
    found = verify_masks(str(photos), masks=masks, json_file=tmp_path / "found.json")
    assert found.classes["red square"].figures() == {
        **{"images": 8, "found": 7, "missing": 1, "empty": 1, "full": 1, "wrong_shape": 1, "unreadable": 1},
        **{"usable": 3, "resized": 1, "mean_coverage_percent": 50.0},
    }
    assert (found.total.images, len(found.total.coverage)) == (32, 27)
    assert found.total.names["wrong shape"] == ["red_square/03.png"]
    tree = json.loads((tmp_path / "found.json").read_text())
    assert tree == found.to_dict()
    assert tree["names"]["unreadable"] == ["red_square/04.png"]
    assert tree["wrong_format"] is None
    with pytest.raises(DataError, match="2 of 31 masks cannot be used"):
        found.check()
    verify_masks(str(photos), masks=masks, skip_bad=True).check()


def test_good_masks_pass(photos: Path, masks: Path) -> None:
    found = verify_masks(str(photos), masks=masks)
    found.check()
    assert found.total.mean_coverage == 50.0
    assert list(found.classes) == sorted(found.classes), "classes stand in the order of their labels"


def test_own_masks_of_one_split(table: Path) -> None:
    found = verify_masks(str(table), split="val")
    found.check()
    assert (found.masks, found.total.images) == (None, 8)


def test_masks_in_another_format_are_noticed(photos: Path, masks: Path) -> None:
    for path in masks.rglob("*.png"):
        half((48, 40)).point(lambda value: value // 255).save(path)  # 0 and 1, not 0 and 255
    found = verify_masks(str(photos), masks=masks)
    assert found.total.count("empty") == 32
    with pytest.raises(DataError):
        found.check()
    assert found.to_dict()["wrong_format"]
    verify_masks(str(photos), masks=masks, mask_format="labels").check()


def test_no_masks(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no masks of its own"):
        verify_masks(str(photos))
    (tmp_path / "none").mkdir()
    found = verify_masks(str(photos), masks=tmp_path / "none")
    assert found.total.count("missing") == 32
    with pytest.raises(DataError, match="None of the images has a mask"):
        found.check()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"mask_format": "binery"}, "no mask format"),
        ({"split": "vall"}, "has no split 'vall'"),
        ({"masks": Path("/nowhere")}, "no mask folder"),
    ],
)
def test_mistakes(table: Path, asked: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        verify_masks(str(table), **asked)


def test_the_json_file_replaces_verifications_only(table: Path, tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    verify_masks(str(table), json_file=path)
    verify_masks(str(table), split="val", json_file=path)
    assert json.loads(path.read_text())["split"] == "val"
    path.write_text('{"mine": 1}')
    with pytest.raises(ConfigError, match="dapt did not write it"):
        verify_masks(str(table), json_file=path)
    with pytest.raises(ConfigError, match="lies within the folder masks of the data"):
        verify_masks(str(table), json_file=table.parent / "masks" / "found.json")


def test_the_table_names_the_first_problems(photos: Path, masks: Path, capsys) -> None:
    for number in range(7):
        (masks / "blue_disc" / f"0{number}.png").unlink()
    print_table(verify_masks(str(photos), masks=masks))
    shown = capsys.readouterr().out
    assert "usable: 25 of 32 images; 0 masks need resizing" in shown
    assert "missing (7): blue_disc/00.png, " in shown
    assert "and 2 more" in shown
    assert "50.0%" in shown
