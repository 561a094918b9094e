"""Masks held against true ones: figures by hand, by class, with intervals; what is left out is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DataError
from dapt.runs.write_masks import write_masks


@pytest.fixture
def truth(table: Path, tmp_path: Path) -> Path:
    """The data set's own masks as a folder that mirrors the images."""
    folder = tmp_path / "truth"
    for item in load_data(str(table)).chosen("all"):
        path = (folder / item.name).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(item.mask, path)
    return folder


def test_a_folder_says_the_same_as_the_data(table: Path, truth: Path, tmp_path: Path) -> None:
    own = write_masks(str(table), tmp_path / "out", source="random", against="own")
    folder = write_masks(str(table), tmp_path / "out", source="random", against=str(truth))
    assert "against_own_masks" not in folder
    shared = {key: value for key, value in own["against"].items() if key != "masks"}
    assert folder["against"] == {"masks": str(truth), **shared}
    assert own["against_own_masks"]["iou"] == own["against"]["iou"]["mean"]
    for figure in ("iou", "boundary_f", "foreground_kept", "background_kept"):
        low, high = own["against"][figure]["interval"]
        assert 0 <= low < own["against"][figure]["mean"] < high <= 100
    by_class = own["against"]["classes"]
    assert sum(row["images"] for row in by_class.values()) == own["against"]["images"]
    mean = sum(row["images"] * row["iou"]["mean"] for row in by_class.values()) / own["against"]["images"]
    assert mean == pytest.approx(own["against"]["iou"]["mean"], abs=2e-3)


def test_what_is_left_out_is_said(table: Path, truth: Path, tmp_path: Path, capsys) -> None:
    files = sorted(truth.rglob("*.png"))
    files[0].unlink()
    for path, value in ((files[1], 0), (files[2], 255)):
        Image.new("L", Image.open(path).size, value).save(path)
    files[3].write_bytes(b"no picture")
    asked = {"source": "random", "against": str(truth)}
    with pytest.raises(DataError, match="cannot be read"):
        write_masks(str(table), tmp_path / "out", **asked)
    found = write_masks(str(table), tmp_path / "out", skip_bad=True, **asked)
    assert found["against"]["left_out"] == {"not there": 1, "empty": 1, "full": 1, "not to be used": 1}
    assert found["against"]["images"] == found["images"] - 4
    assert "1 of the images is not compared, its true mask is not there: " in capsys.readouterr().err


def test_true_masks_in_another_format(table: Path, truth: Path, tmp_path: Path) -> None:
    for path in truth.rglob("*.png"):
        Image.fromarray(np.where(np.array(Image.open(path)) > 127, 1, 2).astype(np.uint8)).save(path)
    asked = {"source": "random", "against": str(truth)}
    with pytest.raises(DataError, match="trimap"):
        write_masks(str(table), tmp_path / "out", **asked)
    found = write_masks(str(table), tmp_path / "out", against_format="trimap", **asked)
    assert (found["against"]["format"], found["against"]["images"]) == ("trimap", found["images"])


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"against": "/nowhere"}, ConfigError, "no mask folder /nowhere"),
        ({"against": "own", "against_format": "labels"}, ConfigError, "concerns a folder of true masks"),
        ({"against_format": "labels"}, ConfigError, "concerns a folder of true masks"),
        ({"against": "FOLDER", "compare": True}, ConfigError, "Give one of them"),
        ({"against": "FOLDER", "against_format": "lables"}, ConfigError, "no mask format 'lables'"),
        ({"against": "FOLDER"}, DataError, "None of the images has a true mask"),
    ],
)
def test_mistakes_leave_no_folder(table: Path, tmp_path: Path, asked: dict, error: type, message: str) -> None:
    (tmp_path / "empty").mkdir()
    given = {key: str(tmp_path / "empty") if value == "FOLDER" else value for key, value in asked.items()}
    with pytest.raises(error, match=message):
        write_masks(str(table), tmp_path / "out", source="random", **given)
    assert not (tmp_path / "out").exists()


def test_masks_do_not_go_among_the_true_ones(table: Path, truth: Path) -> None:
    with pytest.raises(ConfigError, match="lies within the true masks"):
        write_masks(str(table), truth / "out", source="random", against=str(truth))
