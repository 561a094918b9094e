"""Encoded pictures of a table as files: their kinds, what becomes of others, and what is written."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import datasets
import numpy as np
import pytest
from PIL import Image

from dapt.data.hub.export import as_png, encoded_size, export, image_suffix, size_text, sweep_lock
from dapt.errors import DataError
from hub_data import encoded, pictures, table, with_classes


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("JPEG", ".jpg"),
        ("PNG", ".png"),
        ("GIF", ".gif"),
        ("TIFF", ".tif"),
        ("BMP", ".bmp"),
        ("WEBP", ".webp"),
        ("PPM", None),
    ],
)
def test_the_kind_of_a_picture(kind: str, suffix: str | None) -> None:
    assert image_suffix(encoded(Image.new("RGB", (4, 3)), kind)) == suffix


def test_what_is_no_picture() -> None:
    assert image_suffix(b"") is None
    assert image_suffix(b"RIFF....WAVE") is None
    assert as_png(b"hello") == b"hello"  # found later, when images are checked


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_other_kinds_become_png_without_loss(mode: str) -> None:
    values = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    image = Image.fromarray(values).convert(mode)
    again = Image.open(io.BytesIO(as_png(encoded(image, "PPM"))))
    assert again.format == "PNG"
    assert np.array_equal(np.array(again.convert("RGB")), np.array(image.convert("RGB")))


def test_deep_pictures_keep_their_values() -> None:
    values = np.array([[0, 300], [40000, 65535]], dtype=np.uint16)
    content = b"P5 2 2 65535\n" + values.astype(">u2").tobytes()
    again = np.array(Image.open(io.BytesIO(as_png(content))))
    assert again.ndim == 2
    assert again.astype(int).tolist() == values.tolist()


def test_sizes() -> None:
    shown = [size_text(size) for size in (0, 999, 1000, 2500, 10**6, 1_250_000, 3 * 10**9)]
    assert shown == ["0 bytes", "999 bytes", "1 kB", "2 kB", "1.0 MB", "1.2 MB", "3.0 GB"]


def test_bytes_of_the_encoded_pictures(tmp_path: Path) -> None:
    columns = pictures(3)
    total = sum(len(each["bytes"]) for each in columns["image"])
    assert encoded_size(table({"image": columns["image"]}), "image") == total
    path = tmp_path / "x.png"
    path.write_bytes(b"x" * 77)
    named = [
        {"bytes": None, "path": str(path)},
        {"bytes": None, "path": str(tmp_path / "no")},
        None,
        columns["image"][0],
    ]
    mixed = datasets.Dataset.from_dict({"image": named}, features=datasets.Features(image=datasets.Image()))
    assert encoded_size(mixed, "image") == 77 + len(columns["image"][0]["bytes"])


def test_what_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export({"train": with_classes(4, "mask"), "test": with_classes(2, "mask", first=9)}, {}, folder, "some/data")
    with (folder / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["split"] for row in rows] == ["train"] * 4 + ["test"] * 2
    assert rows[1] == {
        "image": "images/train/000001.jpg",
        "label": "1",
        "classname": "blue_disc",
        "split": "train",
        "mask": "masks/train/000001.png",
    }
    assert (folder / rows[0]["image"]).read_bytes() == pictures(1)["image"][0]["bytes"]
    source = json.loads((folder / "source.json").read_text())
    assert (source["data"], source["images"], source["splits"]) == ("some/data", 6, {"train": "train", "test": "test"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]  # no lock is left


def test_splits_that_do_not_fit_together(tmp_path: Path) -> None:
    other = table({**{name: pictures(2)[name] for name in ("image", "label")}})
    with pytest.raises(DataError, match="The column 'label' of x differs in the split 'test'"):
        export({"train": with_classes(2), "test": other}, {}, tmp_path / "out", "x")
    with pytest.raises(DataError, match="x has no images"):
        export({"train": with_classes(2).select([])}, {}, tmp_path / "out", "x")
    assert not (tmp_path / "out").exists()


def test_the_lock_of_a_killed_process_is_swept(tmp_path: Path) -> None:
    lock = tmp_path / ".data.lock"
    lock.touch()
    sweep_lock(tmp_path / "data")
    assert not lock.exists()
    sweep_lock(tmp_path / "data")
