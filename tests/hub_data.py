"""Small `datasets` tables for tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import datasets
from PIL import Image

from helpers import COLOURS, draw

NAMES = ["red_square", "blue_disc", "green_bar", "white_ring"]


def encoded(image: Image.Image, kind: str) -> bytes:
    """The image as the bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def pictures(count: int, kinds: tuple[str, ...] = ("PNG", "JPEG"), first: int = 0) -> dict[str, list[Any]]:
    """Encoded images, masks, labels and class names of `count` drawings, the classes in turn."""
    table: dict[str, list[Any]] = {"image": [], "mask": [], "label": [], "classname": []}
    for index in range(count):
        name = list(COLOURS)[index % 4]
        image, mask = draw(name, first + index)
        table["image"].append({"bytes": encoded(image, kinds[index % len(kinds)]), "path": None})
        table["mask"].append({"bytes": encoded(mask, "PNG"), "path": None})
        table["label"].append(index % 4)
        table["classname"].append(name)
    return table


def table(columns: dict[str, list[Any]], **features: Any) -> datasets.Dataset:
    """A data set of these columns; ``image`` and ``mask`` are images."""
    images = {name: datasets.Image() for name in ("image", "mask") if name in columns}
    kinds = {name: features.get(name) or images.get(name) for name in columns}
    guessed = {name: datasets.Value("string" if isinstance(columns[name][0], str) else "int64") for name in columns}
    return datasets.Dataset.from_dict(
        columns, features=datasets.Features({name: kinds[name] or guessed[name] for name in columns})
    )


def with_classes(count: int, *extra: str, first: int = 0) -> datasets.Dataset:
    """A data set with images and a `ClassLabel`, and further columns of `pictures`."""
    columns = pictures(count, first=first)
    kept = {name: columns[name] for name in ("image", "label", *extra)}
    return table(kept, label=datasets.ClassLabel(names=NAMES))


def save(data: datasets.Dataset | datasets.DatasetDict, path: Path) -> str:
    """Save to disk; returns what is written behind ``dapt train``."""
    data.save_to_disk(str(path))
    return f"hf:{path}"
