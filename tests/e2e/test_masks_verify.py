"""`dapt masks verify`, and collections of masks in training, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import SHARED, needs_shared, spoil_png

BUTTERFLIES = SHARED / "data" / "leeds_butterfly"


def figures(path: Path) -> dict:
    return json.loads(path.read_text())


def test_a_whole_collection(dapt, photos: Path, tmp_path: Path) -> None:
    code, out, err = dapt(
        "masks", "verify", photos, "--masks", tmp_path / "photos-masks", "--json", tmp_path / "v.json"
    )
    assert code == 0, err
    assert "usable: 32 of 32 images; 0 masks need resizing" in out
    (total,) = [line.split() for line in out.splitlines() if line.startswith("total")]
    assert total[:8] == ["total", "32", "32", "0", "0", "0", "0", "0"]
    found = figures(tmp_path / "v.json")
    assert found["mask_format"] == "binary"
    assert list(found["classes"]) == ["blue disc", "green bar", "red square", "white ring"]
    shares = [
        (np.array(Image.open(path)) > 127).mean() for path in (tmp_path / "photos-masks" / "red_square").iterdir()
    ]
    assert found["classes"]["red square"]["mean_coverage_percent"] == pytest.approx(100 * np.mean(shares), abs=1e-3)


def test_every_kind_of_problem_is_counted_and_named(dapt, photos: Path, tmp_path: Path) -> None:
    masks = tmp_path / "photos-masks" / "red_square"
    (masks / "00.png").unlink()
    Image.new("L", (48, 40)).save(masks / "01.png")
    Image.new("L", (48, 40), 255).save(masks / "02.png")
    with Image.open(masks / "03.png") as mask:
        mask.resize((96, 80)).save(masks / "03.png")
    arguments = ["masks", "verify", photos, "--masks", tmp_path / "photos-masks", "--json", tmp_path / "v.json"]
    code, out, err = dapt(*arguments)
    assert code == 0, err  # training passes over these
    for line in ("missing (1): red_square/00.png", "empty (1): red_square/01.png", "full (1): red_square/02.png"):
        assert line in out.splitlines()
    assert "usable: 29 of 32 images; 1 mask needs resizing" in out
    Image.new("L", (40, 40), 255).save(masks / "04.png")
    spoil_png(masks / "05.png")
    code, out, err = dapt(*arguments)
    assert code == 2
    assert "wrong shape (1): red_square/04.png" in out.splitlines()
    assert "unreadable (1): red_square/05.png" in out.splitlines()
    assert err.endswith(
        "error: 2 of 31 masks cannot be used.\nReplace or remove them; training passes over them with --skip-bad.\n"
    )
    found = figures(tmp_path / "v.json")
    row = found["classes"]["red square"]
    assert row.pop("mean_coverage_percent") > 0
    assert row == {
        "images": 8,
        "found": 7,
        "missing": 1,
        "empty": 1,
        "full": 1,
        "wrong_shape": 1,
        "unreadable": 1,
        "usable": 3,
        "resized": 1,
    }
    assert found["names"]["wrong_shape"] == ["red_square/04.png"]
    assert found["classes"]["blue disc"]["usable"] == found["classes"]["blue disc"]["images"] == 8


def test_own_masks_of_one_split(dapt, table: Path, tmp_path: Path) -> None:
    (table.parent / "masks" / "red_square_3.png").unlink()  # a test image
    code, out, _ = dapt("masks", "verify", table, "--json", tmp_path / "v.json")
    assert code == 0
    assert "the data set's own masks" in out
    assert "missing (1): images/red_square_3.png" in out
    assert dapt("masks", "verify", table, "--split", "train", "--json", tmp_path / "v.json")[0] == 0
    assert figures(tmp_path / "v.json")["total"]["images"] == figures(tmp_path / "v.json")["total"]["usable"] == 16


def test_mistakes(dapt, photos: Path, table: Path, tmp_path: Path) -> None:
    def message(*arguments: object) -> str:
        code, _, err = dapt("masks", "verify", *arguments)
        assert code == 2
        return err

    assert "photos has no masks of its own" in message(photos)
    assert "There is no mask folder" in message(photos, "--masks", tmp_path / "absent")
    assert "There is no mask format 'white'" in message(table, "--mask-format", "white")
    assert "Did you mean 'train'" in message(table, "--split", "trian")
    (tmp_path / "none").mkdir()
    assert "None of the images has a mask." in message(photos, "--masks", tmp_path / "none")
    assert "16 of 16 masks are of no use when they are read as 'labels'" in message(
        table, "--mask-format", "labels", "--split", "train"
    )
    flat = tmp_path / "flat"
    flat.mkdir()
    Image.new("L", (48, 40), 1).save(flat / "00.png")
    assert "would share the mask" in message(photos, "--masks", flat, "--mask-format", "dapt")
    Image.new("L", (48, 40), 1).save(tmp_path / "photos-masks" / "red_square" / "00.tif")
    assert "two mask files with one name" in message(photos, "--masks", tmp_path / "photos-masks")


def test_folders_called_like_sub_commands(dapt, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    photos.rename(tmp_path / "verify")
    code, _, err = dapt("masks", "./verify", "--cue", "random", "--out", "a")
    assert code == 0, err
    (tmp_path / "verify").rename(tmp_path / "make")  # the inner name of the default command is nothing special
    code, _, err = dapt("masks", "--cue", "random", "--out", "b", "make")
    assert code == 0, err
    code, _, err = dapt("masks", "make", "--cue", "random", "--out", "c")
    assert code == 0, err
    assert len(list((tmp_path / "a").rglob("*.png"))) == len(list((tmp_path / "c").rglob("*.png"))) == 32
    assert dapt("masks", "verify", "make", "--masks", "a")[0] == 0


@pytest.fixture
def collection(photos: Path, tmp_path: Path) -> Path:
    """The photographs' masks as the FVG-PT collection has them: white JPEGs under ROOT/mask, seen from ROOT."""
    for path in sorted((tmp_path / "photos-masks").rglob("*.png")):
        with Image.open(path) as mask:
            target = tmp_path / "mask" / "photos" / path.relative_to(tmp_path / "photos-masks").with_suffix(".jpg")
            target.parent.mkdir(parents=True, exist_ok=True)
            mask.resize((192, 160), Image.Resampling.NEAREST).convert("RGB").save(target)
    return tmp_path / "mask"


def test_training_with_a_collection(dapt, photos: Path, collection: Path, tiny_spec: str, tmp_path: Path) -> None:
    arguments = ["train", photos, "--model", tiny_spec, "--depth", 3, "--epochs", 1, "--shots", 4, "--dapt"]
    arguments += ["--masks", collection, "--out", tmp_path / "run"]
    code, _, err = dapt(*arguments, "--mask-format", "dapt")
    assert code == 2
    assert "16 of 16 masks are of no use when they are read as 'dapt'" in err
    assert "--mask-format foreground." in err
    assert not (tmp_path / "run").exists()
    code, _, err = dapt(*arguments, "--mask-format", "dapt", "--cue", "none")
    assert code == 0, err
    code, _, err = dapt(*arguments, "--mask-format", "foreground", "--overwrite")
    assert code == 0, err
    assert "foreground cues: 16 of 16 images" in err
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["metrics"]["cue/foreground_attention"] is not None


def test_verify_names_the_format_that_finds_the_files(dapt, photos: Path, collection: Path) -> None:
    code, _, err = dapt("masks", "verify", photos, "--masks", collection)
    assert code == 2
    assert "None of the images has a mask." in err
    assert "They are found with --mask-format foreground." in err
    assert dapt("masks", "verify", photos, "--masks", collection, "--mask-format", "foreground")[0] == 0
    code, _, err = dapt("masks", "verify", photos, "--masks", collection, "--mask-format", "dapt")
    assert code == 2
    assert "--mask-format foreground." in err


@pytest.mark.long
@needs_shared
def test_photographs(dapt, tmp_path: Path) -> None:
    index = BUTTERFLIES / "index.csv"
    code, _, err = dapt("masks", "verify", index, "--json", tmp_path / "v.json")
    assert code == 0, err
    own = figures(tmp_path / "v.json")
    assert own["total"]["usable"] == own["total"]["images"] == len(index.read_text().splitlines()) - 1
    arguments = ["masks", "verify", index, "--masks", BUTTERFLIES / "masks", "--mask-format"]
    code, _, err = dapt(*arguments, "foreground", "--json", tmp_path / "f.json")
    assert code == 0, err
    assert figures(tmp_path / "f.json")["total"] == own["total"]
    code, _, err = dapt(*arguments, "dapt")
    assert code == 2
    assert "--mask-format binary or foreground." in err
