"""Where no mask is found it is said what was looked for, what is there, and which name would fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import Item
from dapt.data.masks.mask_files import mask_folder
from dapt.data.masks.not_found import explain_not_found
from dapt.data.masks.rules import MaskRules
from dapt.errors import ConfigError
from helpers import fill
from mask_exports import BOXES, EXPORTS

IMAGES = [f"{kind}/{number}.jpg" for kind in ("cat", "dog") for number in range(12)]


def explained(root: Path, *files: str, rules: MaskRules | None = None) -> str:
    (root / "masks").mkdir(parents=True, exist_ok=True)
    fill(root / "masks", *files)
    items = [Item(root / "photos" / name, 0, name) for name in IMAGES]
    lines, todo = explain_not_found(items, root / "masks", rules or MaskRules())
    return "\n".join([*lines, todo])


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("{kind}/{stem}_mask.png", "{stem}_mask.png"),
        ("{kind}/{stem}-seg.tif", "{stem}-seg.tif"),
        ("{kind}_{stem}.png", "{parent}_{stem}.png"),
        ("SegmentationClass/{kind}/{stem}.png", "SegmentationClass/{parent}/{stem}.png"),
        ("{kind}/{stem}.jpg_mask.png", "{name}_mask.png"),
        ("masks/{kind}/mask_{stem}.png", "masks/{parent}/mask_{stem}.png"),
    ],
)
def test_the_name_that_fits(tmp_path: Path, form: str, pattern: str) -> None:
    names = [form.format(kind=Path(name).parts[0], stem=Path(name).stem) for name in IMAGES]
    told = explained(tmp_path, *names)
    assert f"--mask-name '{pattern}' finds masks of 24 of 24 images." in told
    assert "For the image cat/0.jpg was looked for: cat/0.png" in told
    assert f"holds 24 {Path(names[0]).suffix}" in told


def test_several_masks_of_one_image(tmp_path: Path) -> None:
    names = [f"{name[:-4]}_{part}_{ord(name[0])}.png" for name in IMAGES for part in range(2)]
    assert "--mask-name '{stem}_*.png' finds masks of 24 of 24 images." in explained(tmp_path, *names)


def test_numbered_masks_of_every_image_are_one_pattern(tmp_path: Path) -> None:
    names = [f"{name[:-4]}_obj{part}.png" for name in IMAGES for part in range(2)]
    assert "--mask-name '{stem}_*.png' finds masks of 24 of 24 images." in explained(tmp_path, *names)


def test_exports_that_rename(tmp_path: Path) -> None:
    names = [f"task-{number}-annotation-{number + 40}-by-1-tag-object-0.png" for number in range(24)]
    told = explained(tmp_path, *names)
    assert "These are names of Label Studio" in told
    assert "CSV index" in told


def test_what_is_no_picture(tmp_path: Path) -> None:
    assert ".npy files are not read" in explained(tmp_path / "a", *(f"{name[:-4]}.npy" for name in IMAGES))
    assert "holds outlines or boxes in a table" in explained(tmp_path / "b", "instances.json")
    assert "holds no files" in explained(tmp_path / "c")
    for name, told in (("coco.json", "outlines or boxes"), ("masks.zip", "unpacked")):
        (tmp_path / name).touch()
        with pytest.raises(ConfigError, match=r"is a file, not a folder of mask files") as caught:
            mask_folder(tmp_path / name)
        assert told in caught.value.todo


@pytest.mark.parametrize("export", ["coco packed runs", "labelme", "voc boxes", "yolo", "cvat", "label studio"])
def test_tables_are_named_with_the_command_that_reads_them(tmp_path: Path, export: str) -> None:
    format, write = EXPORTS[export]
    write(tmp_path / "masks", BOXES)
    told = explained(tmp_path, "images/x.jpg", "images/y.jpg", *(f"images/{number}.jpg" for number in range(30)))
    assert f"'dapt masks import {tmp_path / 'masks'} --format {format} --data PHOTOS --out FOLDER' makes mask" in told


def test_a_name_that_was_given(tmp_path: Path) -> None:
    told = explained(tmp_path, "cat/x.png", rules=MaskRules(name="{stem}_seg.png"))
    assert "was looked for: cat/0_seg.png and 0_seg.png." in told
    assert "finds masks" not in told
