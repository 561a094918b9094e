"""Masks of catalog data through the command line: shared images and names, options that messages recommend."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import dapt.runs.verify_masks
import dapt.runs.write_masks
from catalog_helpers import paths_of, small_split, split_data, write_many
from dapt.data.items import ImageSet
from dapt.data.resolve import load_data
from helpers import make_csv, spoil_png


@pytest.fixture
def like_imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """Data as ImageNet's: val and test are the same images, two classes share a name, and one is called total."""
    data = load_data(str(make_csv(tmp_path / "table")))
    val = data.splits["val"]
    names = ("missile", "total", "missile", "ring")
    data = replace(data, names=names, splits={"train": data.splits["train"], "val": val, "test": val})
    for module in (dapt.runs.write_masks, dapt.runs.verify_masks):
        monkeypatch.setattr(module, "load_photos", lambda *rest, **more: data)
    return data


def test_images_that_two_splits_share(dapt, like_imagenet: ImageSet, tmp_path: Path) -> None:
    code, _, err = dapt("masks", "imagenet", "--cue", "random", "--out", tmp_path / "m")
    assert code == 0, err
    assert len(list((tmp_path / "m").rglob("*.png"))) == 24
    code, _, err = dapt("masks", "verify", "imagenet", "--json", tmp_path / "v.json")
    assert code == 0, err
    assert json.loads((tmp_path / "v.json").read_text())["total"]["images"] == 24


def test_classes_that_share_a_name_and_one_called_total(dapt, like_imagenet: ImageSet, tmp_path: Path) -> None:
    code, out, err = dapt("masks", "verify", "imagenet", "--json", tmp_path / "v.json")
    assert code == 0, err
    rows = [line.split() for line in out.splitlines() if line.startswith(("missile", "total", "ring"))]
    assert [row[0] for row in rows] == ["missile", "total", "missile", "ring", "total"]
    assert (rows[0][1], rows[2][1]) == ("0", "2")
    assert [row[-8] for row in rows] == ["6", "6", "6", "6", "24"]
    found = json.loads((tmp_path / "v.json").read_text())
    assert list(found["classes"]) == ["missile 0", "total", "missile 2", "ring"]
    assert found["classes"]["total"]["images"] == 6
    assert found["total"]["images"] == 24


def test_a_folder_called_like_the_data_set(dapt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split_data(tmp_path / "root", "dtd")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dtd").mkdir()
    code, _, err = dapt("masks", "dtd", "--root", "root", "--cue", "random", "--out", "dtd/masks")
    assert code == 0, err
    code, _, err = dapt("masks", "./root/dtd/images", "--cue", "random", "--out", "root/dtd/images/masks")
    assert code == 2
    assert "lies within the data" in err


@pytest.mark.long
def test_options_that_the_messages_recommend(dapt, tmp_path: Path) -> None:
    split_data(tmp_path, "dtd", split_file=False)
    write_many(tmp_path / "dtd" / "mask" / "images", paths_of(small_split("dtd")), half_white())
    settings = ["--model", "demo", "--depth", 3, "--epochs", 1, "--shots", 1, "--out", tmp_path / "run"]
    table = make_csv(tmp_path / "table")
    assert dapt("train", table, *settings)[0] == 0
    commands = {
        "write": ["masks", "dtd", "--cue", "random", "--out", tmp_path / "m"],
        "verify": ["masks", "verify", "dtd"],
        "eval": ["eval", tmp_path / "run", "dtd", "--classes", "data"],
    }
    for command in commands.values():
        code, _, err = dapt(*command, "--root", tmp_path)
        assert code == 2
        assert "divide the images anew with --own-split, which 'dapt train', 'dapt eval' and 'dapt masks' have" in err
        code, _, err = dapt(*command, "--root", tmp_path, "--own-split")
        assert code == 0, err
        assert "divided anew" in err
    code, out, _ = dapt("data", "verify", "dtd", "--root", tmp_path)
    assert code == 2
    assert "with --own-split, which 'dapt train'" in out


def half_white() -> bytes:
    buffer = io.BytesIO()
    mask = Image.new("L", (8, 6))
    mask.paste(255, (0, 0, 4, 6))
    mask.save(buffer, "PNG")
    return buffer.getvalue()


def test_masks_verify_leaves_out_what_training_leaves_out(dapt, tmp_path: Path, table: Path) -> None:
    split_data(tmp_path, "dtd")
    write_many(tmp_path / "dtd" / "mask" / "images", paths_of(small_split("dtd")), half_white())
    (tmp_path / "dtd" / "images" / "banded" / "banded_0000.jpg").unlink()
    command = ["masks", "verify", "dtd", "--root", tmp_path]
    code, _, err = dapt(*command)
    assert code == 2
    assert "--skip-bad" in err
    code, out, err = dapt(*command, "--skip-bad")
    assert code == 0, err
    assert "usable: 19 of 19 images" in out
    spoil_png(tmp_path / "table" / "masks" / "red_square_0.png")
    assert dapt("masks", "verify", table)[0] == 2
    code, out, err = dapt("masks", "verify", table, "--skip-bad")
    assert code == 0, err
    assert "unreadable (1): images/red_square_0.png" in out
