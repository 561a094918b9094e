"""The scenes as a CSV data set: backgrounds by kind, files by seed, and what is kept."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.resolve import load_data
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names
from dapt.demo.scene_data import COLUMNS, background_for, scene_names, write_scenes
from dapt.demo.subjects import subjects
from dapt.errors import DataError

FEW = {"train_per_class": 1, "test_per_class": 2, "size": 32, "classes": 2}


def test_backgrounds_by_kind() -> None:
    rng = np.random.default_rng(0)
    for name in class_names():
        home = OBJECTS[name].home
        assert background_for(home, "own", rng) == home
        exchanged = {background_for(home, "exchanged", rng) for _ in range(200)}
        assert exchanged == set(BACKGROUNDS) - {home}
    assert {background_for(home, "random", rng) for _ in range(200)} == set(BACKGROUNDS)
    with pytest.raises(ValueError, match="no kind of background 'other'"):
        background_for(home, "other", rng)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return write_scenes(tmp_path / "data", seed=3, **FEW)


def test_rows_and_their_files(index: Path) -> None:
    with index.open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert tuple(reader.fieldnames or ()) == COLUMNS
    assert [(row["split"], row["group"], row["label"]) for row in rows] == [
        *[("train", "own", str(label)) for label in range(2)],
        *[("test", group, str(label)) for label in range(2) for group in ("own", "exchanged")],
    ]
    for row in rows:
        assert row["classname"] == class_names()[int(row["label"])]
        assert (row["background"] == OBJECTS[row["classname"]].home) is (row["group"] == "own")
        assert row["colour"] in OBJECTS[row["classname"]].colours
        image, mask = (Image.open(index.parent / row[key]) for key in ("image", "mask"))
        assert (image.size, image.mode, mask.size, mask.mode) == ((32, 32), "RGB", (32, 32), "L")
        assert set(np.unique(np.array(mask))) == {0, 255}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_seed_decides_every_file(index: Path, tmp_path: Path) -> None:
    own = contents(index.parent)
    assert set(own) == set(scene_names(Path(), seed=3, **FEW))
    assert contents(write_scenes(tmp_path / "again", seed=3, **FEW).parent) == own
    other = contents(write_scenes(tmp_path / "other", seed=4, **FEW).parent)
    same = {path for path in own if other.get(path) == own[path] and path.startswith("images")}
    assert not same


def test_what_is_there_is_kept_and_what_is_missing_drawn(index: Path) -> None:
    before = contents(index.parent)
    lost = next(path for path in sorted(before) if path.startswith("masks"))
    (index.parent / lost).unlink()
    kept = next(path for path in sorted(before) if path.startswith("images"))
    stamp = (index.parent / kept).stat().st_mtime_ns
    write_scenes(index.parent, seed=3, **FEW)
    assert contents(index.parent) == before
    assert (index.parent / kept).stat().st_mtime_ns == stamp


def test_somebody_elses_work_is_not_replaced(index: Path) -> None:
    text = index.read_bytes().decode()
    index.write_bytes(text.replace(",own,", ",mine,", 1).encode())
    with pytest.raises(DataError, match=r"index\.csv is not as dapt wrote it"):
        write_scenes(index.parent, seed=3, **FEW)
    assert ",mine," in index.read_text()
    index.write_bytes(text.encode())
    path = next((index.parent / "images").rglob("*.png"))
    Image.new("RGB", (32, 32), "white").save(path)
    with pytest.raises(DataError, match="is not as dapt wrote it: it was edited"):
        write_scenes(index.parent, seed=3, **FEW)
    assert Image.open(path).getpixel((0, 0)) == (255, 255, 255)


def test_kinds_are_drawn_as_they_are_called(tmp_path: Path) -> None:
    few = {"train_per_class": 1, "test_per_class": 2, "size": 32, "classes": 3}
    index = write_scenes(tmp_path, scenes="kinds", seed=3, **few)
    rows = list(csv.DictReader(index.open(newline="")))
    kinds = subjects("kinds")[:3]
    assert [row["classname"] for row in rows if row["split"] == "train"] == [kind.name for kind in kinds]
    for row in rows:
        kind = kinds[int(row["label"])]
        assert (row["classname"], row["colour"]) == (kind.name, kind.colour)
        assert (row["background"] == kind.home) is (row["group"] == "own")
        assert Path(row["image"]).parts[2] == kind.folder
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(scene_names(Path(), scenes="kinds", seed=3, **few))
    assert list(load_data(str(index)).names) == [kind.name for kind in kinds]
