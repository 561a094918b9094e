"""Miniature copies of catalog data sets."""

from __future__ import annotations

import functools
import io
import json
import os
from pathlib import Path

from PIL import Image

from dapt.data.catalog.base import CATALOG, Dataset, Layout
from helpers import SHARED

SPLIT_FILES = SHARED / "data" / "splits"
SPLIT_SETS = [name for name in CATALOG.names() if CATALOG.get(name).reader.file]
REAL = [name for name in SPLIT_SETS if (SPLIT_FILES / CATALOG.get(name).reader.file).is_file()]


@functools.cache
def picture(kind: str = "JPEG", mode: str = "RGB", colour: int = 100) -> bytes:
    """A tiny picture, encoded."""
    buffer = io.BytesIO()
    fill = colour if mode in ("L", "P") else (colour, 60, 60)
    Image.new(mode, (8, 6), fill).save(buffer, kind)
    return buffer.getvalue()


def write(path: Path, content: bytes | str = b"") -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_many(top: Path, names: list[str], content: bytes = b"") -> None:
    """Many files with the same content; folders are made once."""
    for folder in {name.rpartition("/")[0] for name in names}:
        (top / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        with open(top / name, "wb") as file:  # noqa: PTH123 (many of them)
            file.write(content)


def make_empty(top: Path, names: list[str]) -> None:
    """Many empty files (85,000 for all real split files): one call of the system for each."""
    for folder in {name.rpartition("/")[0] for name in names}:
        (top / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        os.mknod(top / name) if hasattr(os, "mknod") else (top / name).touch()


# Some class folders or stems of every data set with a split file, and the class names that CoOp gives them.
PATHS = {
    "caltech101": {"Faces/image_{}.jpg": "face", "accordion/image_{}.jpg": "accordion", "ant/image_{}.jpg": "ant"},
    "oxford_pets": {"Abyssinian_{}.jpg": "abyssinian", "american_bulldog_{}.jpg": "american_bulldog"},
    "stanford_cars": {"cars_train/0{}.jpg": "2012 Audi TTS Coupe", "cars_test/1{}.jpg": "2007 Suzuki Aerio Sedan"},
    "oxford_flowers": {"image_0{}.jpg": "passion flower", "image_1{}.jpg": "pink primrose"},
    "food101": {"apple_pie/10{}.jpg": "apple_pie", "beignets/20{}.jpg": "beignets"},
    "sun397": {"a/abbey/sun_{}.jpg": "abbey", "a/apse/indoor/sun_{}.jpg": "indoor apse"},
    "dtd": {"banded/banded_{}.jpg": "banded", "zigzagged/zigzagged_{}.jpg": "zigzagged"},
    "eurosat": {"AnnualCrop/AnnualCrop_{}.jpg": "Annual Crop Land", "Forest/Forest_{}.jpg": "Forest"},
    "ucf101": {"Apply_Eye_Makeup/v_{}.jpg": "Apply_Eye_Makeup", "YoYo/v_{}.jpg": "YoYo"},
}
COUNT = {"train": 5, "val": 2, "test": 3}  # images of each class in a miniature


def small_split(name: str) -> dict[str, list[list[object]]]:
    """A split file's content with the classes of `PATHS`."""
    split: dict[str, list[list[object]]] = {part: [] for part in COUNT}
    for label, (pattern, shown) in enumerate(PATHS[name].items()):
        number = 0
        for part, count in COUNT.items():
            for _ in range(count):
                split[part].append([pattern.format(f"{number:04d}"), label, shown])
                number += 1
    return split


def paths_of(split: dict[str, list[list[object]]]) -> list[str]:
    """All image paths of a split file's content."""
    return [str(row[0]) for rows in split.values() for row in rows]


def split_data(root: Path, name: str, layout: int = 0, *, split_file: bool = True) -> Dataset:
    """A miniature of a data set with a split file, in one of its layouts."""
    dataset = CATALOG.get(name)
    place = root / dataset.layouts[layout].folder
    split = small_split(name)
    write_many(place / dataset.layouts[layout].images, paths_of(split), picture())
    if split_file:
        write(place / dataset.reader.file, json.dumps(split))
    return dataset


def real_data(root: Path, name: str) -> Dataset:
    """The files that a real split file names, all empty, in CoOp's layout."""
    dataset = CATALOG.get(name)
    content = (SPLIT_FILES / dataset.reader.file).read_bytes()
    place = root / dataset.folder
    write(place / dataset.reader.file, content)
    make_empty(place / dataset.layouts[0].images, paths_of(json.loads(content)))
    return dataset


def complete_dtd(root: Path) -> Dataset:
    """Describable Textures with all counts as they should be, every picture the same."""
    dataset = CATALOG.get("dtd")
    split: dict[str, list[list[object]]] = {"train": [], "val": [], "test": []}
    for label in range(47):
        for number in range(120):
            part = "train" if number < 60 else "val" if number < 84 else "test"
            split[part].append([f"texture_{label:02d}/{number:04d}.jpg", label, f"texture_{label:02d}"])
    write_many(root / "dtd" / "images", paths_of(split), picture())
    write(root / "dtd" / dataset.reader.file, json.dumps(split))
    return dataset


WNIDS = [f"n{1440764 + number:08d}" for number in range(1000)]
SOME = WNIDS[3:1000:5][:200]


def class_names_text() -> str:
    """A `classnames.txt` of 1000 lines, two of which share a name as in the real one."""
    names = [f"thing_{number}" for number in range(1000)]
    names[657] = names[744] = "missile"
    return "".join(f"{wnid} {name}\n" for wnid, name in zip(WNIDS, names, strict=True))


def imagenet(root: Path, layout: int = 0, per_class: int = 2) -> Dataset:
    """ImageNet with 1000 classes and empty files."""
    dataset = CATALOG.get("imagenet")
    folder = root / dataset.layouts[layout].folder
    names = [f"{wnid}/{wnid}_{number}.JPEG" for wnid in WNIDS for number in range(per_class)]
    write_many(folder / "images" / "train", names)
    write_many(folder / "images" / "val", [f"{wnid}/ILSVRC2012_val_{wnid}.JPEG" for wnid in WNIDS])
    write(folder / "classnames.txt", class_names_text())
    return dataset


def variant(root: Path, name: str) -> Dataset:
    """One of ImageNet's variants with one image per class."""
    dataset = CATALOG.get(name)
    folders = SOME if dataset.classes == 200 else WNIDS
    if name == "imagenetv2":
        folders = [str(number) for number in range(1000)]
    images = root / dataset.folder / dataset.layouts[0].images
    write_many(images, [f"{folder}/image.jpeg" for folder in folders])
    write(root / dataset.folder / "classnames.txt", class_names_text())
    return dataset


VARIANTS = ["707-320", "727-200", "A300B4"]


def aircraft(root: Path, layout: int = 0) -> Dataset:
    """FGVC Aircraft with three variants."""
    dataset = CATALOG.get("fgvc_aircraft")
    folder = root / dataset.layouts[layout].folder
    number = 34309
    write(folder / "variants.txt", "\n".join(VARIANTS) + "\n")
    for split, count in COUNT.items():
        lines = []
        for label in (2, 0, 1):
            for _ in range(count):
                number += 1
                lines.append(f"{number:07d} {VARIANTS[label]}")
                write(folder / "images" / f"{number:07d}.jpg", picture())
        write(folder / f"images_variant_{split}.txt", "\n".join(lines) + "\n")
    return dataset


def voc(root: Path, layout: Layout | None = None) -> Dataset:
    """Pascal VOC with two training and three validation images, two of them with a mask."""
    from dapt.data.catalog.readers.voc import CLASSES

    dataset = CATALOG.get("voc2012")
    layout = layout or dataset.layouts[0]
    images = root / layout.folder / layout.images
    shown = {
        "train": {"2008_000001": {"dog": 1, "person": 1}, "2008_000002": {"car": 1, "bus": 0}},
        "val": {"2008_000003": {"tvmonitor": 1}, "2008_000004": {"cat": 0}, "2008_000005": {"person": 1, "bird": 1}},
    }
    for official, table in shown.items():
        for name in CLASSES:
            lines = [f"{image} {classes.get(name, -1):2d}\n" for image, classes in table.items()]
            write(images.parent / "ImageSets" / "Main" / f"{name}_{official}.txt", "".join(lines))
        write_many(images, [f"{image}.jpg" for image in table], picture())
    for image in ("2008_000001", "2008_000005"):
        write(images.parent / "SegmentationClass" / f"{image}.png", picture("PNG", "P", 15))
    return dataset
