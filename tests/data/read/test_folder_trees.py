"""Random folders, drawn from a grammar of layouts with random leftovers: nothing is lost, twice or a mask."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dapt.data.items import UNLABELLED
from dapt.data.read.folder import read_folder
from dapt.data.read.kinds import is_picture
from helpers import fill

CLASSES = ["cat", "big dog", "Äpfel", "with_mask", "10", "train station"]
SPLITS = {
    "train": ["train", "Training", "TRAIN_SET"],
    "val": ["val", "Valid", "dev"],
    "test": ["Testing", "eval", "test"],
}
LEFT = ["__MACOSX/._x.jpg", ".DS_Store", ".ipynb_checkpoints/a-checkpoint.jpg", "Thumbs.db", "._a.jpg", "b.jpg.part"]
OTHER = ["readme.md", "clip.mp4", "archive.zip", "noending", "Makefile"]
MASKS = ["_mask.png", "-mask.png", "_seg.png", "_alpha.png", ".mask.png", "_gt.png", "_binary_mask.png", "=.png"]
FOLDERS = ["masks", "ground_truth", "fg", "masks_machine", "SegmentationClass"]


def encoded(pixels: np.ndarray, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, kind)
    return file.getvalue()


PHOTO = encoded(np.random.default_rng(0).integers(0, 256, (24, 24, 3)), "JPEG")
MASK = encoded((np.hypot(*np.mgrid[-12:12, -12:12]) < 7) * 255, "PNG")


@st.composite
def trees(draw: st.DrawFn) -> tuple[dict[str, tuple[str, str]], dict[str, str], list[str]]:
    """Photographs with split and class, masks with their photograph, and other files."""
    classes = draw(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=4, unique=True))
    wrapper = draw(st.sampled_from(["", "data/", "a/b/"]))
    splits = draw(st.sampled_from([[], ["train", "test"], ["train", "val", "test"], ["train", "val"]]))
    folders = {split: draw(st.sampled_from(SPLITS[split])) + "/" for split in splits} or {"": ""}
    mask_end = draw(st.sampled_from(["", *MASKS]))
    mask_folder = draw(st.sampled_from(["", *FOLDERS]))
    before = draw(st.sampled_from(["", "", "mask_", "alpha_", "m_"]))  # of photographs, not of masks
    photos: dict[str, tuple[str, str]] = {}
    masks: dict[str, str] = {}
    for split, folder in folders.items():
        for name in classes:
            for number in range(draw(st.integers(3 if not splits else 1, 4))):
                stem = f"{folder}{name}/{before if number % 2 else ''}{split}{number}"
                photo = f"{wrapper}{stem}.{draw(st.sampled_from(['jpg', 'JPEG', 'webp', 'jfif']))}"
                photos[photo] = (split, name)
                if mask_end and draw(st.booleans()):
                    end = mask_end.replace("=", photo[photo.rindex(".") :])
                    masks[f"{wrapper}{stem}{end}"] = photo
                elif mask_folder and not mask_end:
                    masks[f"{wrapper}{mask_folder}/{stem}.png"] = photo
    where = ["", *sorted({path.rpartition("/")[0] + "/" for path in photos})]
    others = [
        draw(st.sampled_from(where)) + each
        for each in draw(st.lists(st.sampled_from([*LEFT, *OTHER]), max_size=6, unique=True))
    ]
    if draw(st.booleans()) and (len(photos) >= 10 or not wrapper):  # beside class folders or splits, with its mask
        others += [f"{wrapper}cover.jpg", f"{wrapper}cover_mask.png"]
    return photos, masks, others


@settings(max_examples=60, deadline=None)
@given(trees())
def test_used_and_ignored_are_all(tree: tuple[dict[str, tuple[str, str]], dict[str, str], list[str]]) -> None:
    photos, masks, others = tree
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, *photos, *masks, *others)
        for name in (*photos, *masks, *others):
            if is_picture(name):
                (root / name).write_bytes(MASK if name in masks or name.endswith("cover_mask.png") else PHOTO)
        data = read_folder(root)
        there = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    items = [(split, item) for split, part in data.splits.items() for item in part]
    used = [item.name for _, item in items]
    used_masks = [item.mask.relative_to(root).as_posix() for _, item in items if item.mask is not None]
    ignored = [name for names in data.unused.values() for name in names]
    assert sorted([*used, *used_masks, *ignored]) == there  # each once: none is in two splits, none is lost
    assert sorted(used) == sorted(photos)
    assert {mask: item.name for (_, item), mask in zip(_with_mask(items), used_masks, strict=True)} == masks
    assert sorted(ignored) == sorted(others)
    for split, item in items:
        expected, name = photos[item.name]
        assert item.label != UNLABELLED
        assert data.names[item.label] == name.replace("_", " ")
        assert expected in ("", split)


def _with_mask(items: list) -> list:
    return [pair for pair in items if pair[1].mask is not None]
