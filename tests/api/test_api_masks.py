"""Masks from Python, and the examples of docs/library.md on masks, audits and explanations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dapt
from dapt.errors import ConfigError
from helpers import make_folder
from mask_exports import BOXES, make_photos, true_mask, write_coco

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photographs and their true masks, in the working folder."""
    make_folder(tmp_path / "photos", classes=2, per_class=8)
    (tmp_path / "photos-masks").rename(tmp_path / "true-masks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_masks_are_made_and_measured(place: Path) -> None:
    made = dapt.make_masks("photos", place / "m", against="true-masks", cue_options={"cells": 12}, split="all")
    assert made["settings"]["cue"] == "border"
    assert made["settings"]["cells"] == 12
    assert made["against"]["iou"]["mean"] > 80
    assert len(list((place / "m").rglob("*.png"))) == made["images"] == 16
    assert json.loads((place / "m" / "masks.json").read_text())["images"] == 16
    with pytest.raises(ConfigError, match="There is no cue 'bodrer'"):
        dapt.make_masks("photos", place / "n", cue="bodrer")
    with pytest.raises(TypeError):
        dapt.make_masks("photos", place / "n", spilt="all")


def test_masks_are_imported(tmp_path: Path) -> None:
    make_photos(tmp_path / "photos")
    write_coco(tmp_path / "annotations", BOXES)
    made = dapt.import_masks(tmp_path / "annotations", tmp_path / "photos", str(tmp_path / "m"))
    assert made["settings"]["cue"] == "import"
    found = np.asarray(Image.open(tmp_path / "m" / "cat" / "1.png")) > 127
    assert (found == true_mask(BOXES["cat/1.jpg"])).mean() > 0.95
    with pytest.raises(TypeError):
        dapt.import_masks(tmp_path / "annotations", tmp_path / "photos", tmp_path / "n", spilt="all")


@pytest.mark.long
def test_the_examples_of_the_documentation_run(place: Path) -> None:
    text = (REPOSITORY / "docs" / "library.md").read_text().partition("## Masks")[2]
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 7
    photos = sorted((place / "photos").rglob("*.png"))
    _write_coco_of(photos, place)
    space: dict[str, Any] = {"dapt": dapt, "files": photos[:2]}
    for block in blocks:
        exec(block.replace("ViT-B-16/openai", "demo"), space)
    assert (place / "audited" / "index.html").is_file()
    assert (place / "looks" / "explain.html").is_file()
    assert len(space["found"]["models"]) == 2
    assert len(list((place / "masks-coco").rglob("*.png"))) == len(photos)


def _write_coco_of(photos: list[Path], place: Path) -> None:
    """An export in which a cat fills a box of each photograph."""
    images, objects = [], []
    for number, path in enumerate(photos):
        with Image.open(path) as picture:
            width, height = picture.size
        name = path.relative_to(place / "photos").as_posix()
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        outline = [[2, 2, 20, 2, 20, 20, 2, 20]]
        objects.append({"id": number, "image_id": number, "category_id": 1, "segmentation": outline, "iscrowd": 0})
    tree = {"images": images, "annotations": objects, "categories": [{"id": 1, "name": "cat"}]}
    (place / "annotations").mkdir()
    (place / "annotations" / "instances.json").write_text(json.dumps(tree))
