"""Where the objects of an audit come from, and what is said of images that have none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from dapt.data.masks.photo_mask import MADE_HERE
from dapt.errors import ConfigError, DataError
from dapt.runs.audit_images import Question, choose_images
from dapt.runs.audit_objects import Material, find_material
from helpers import make_csv, make_folder, tiny_clip


def material(data: Path, *, clip: object = None, **changes: object) -> Material:
    question = Question(str(data), split="all", **changes)  # type: ignore[arg-type]
    return find_material(question, choose_images(question, []), clip, 32)  # type: ignore[arg-type]


def test_masks_of_the_data(tmp_path: Path) -> None:
    found = material(make_csv(tmp_path / "t"))
    assert found.masks["source"] == "dataset"
    assert not found.masks["guessed"]
    assert len(found.items) == 32
    assert found.left_out == {}
    assert all(0.1 < each.share < 0.25 for each in found.cutouts)


def test_a_folder_goes_before_the_datas_own_masks(tmp_path: Path) -> None:
    data = make_csv(tmp_path / "t")
    other = tmp_path / "other" / "images"
    shutil.copytree(tmp_path / "t" / "masks", other)
    for path in other.iterdir():
        mask = Image.new("L", Image.open(path).size)
        mask.paste(255, (0, 0, 5, 5))
        mask.save(path)
    found = material(data, masks=str(tmp_path / "other"))
    assert found.masks["source"] == "masks"
    assert not found.masks["guessed"]
    assert {each.box[0] for each in found.cutouts} == {0}


def test_masks_that_dapt_has_guessed_are_guesses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = make_folder(tmp_path / "photos", per_class=2)
    folder = tmp_path / "photos-masks"
    for cue, guessed in (("gradcam", True), ("masks", False), ("gone", True)):
        (folder / MADE_HERE).write_text(json.dumps({"settings": {"cue": cue}}))
        found = material(photos, masks=str(folder))
        assert found.masks["guessed"] is guessed, cue
        assert ("masks are guesses" in capsys.readouterr().err) is guessed
    (folder / MADE_HERE).write_text("{")
    assert not material(photos, masks=str(folder)).masks["guessed"]


@pytest.mark.long
def test_a_cue_guesses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = make_folder(tmp_path / "photos", per_class=2)
    found = material(photos, clip=tiny_clip(), cue="gradcam", options={"threshold": 0.3})
    assert found.masks["guessed"]
    assert found.masks["options"]["threshold"] == 0.3
    assert "The masks are guesses (of the cue gradcam)" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="needs a model"):
        material(photos, cue="gradcam")
    with pytest.raises(ConfigError, match="Did you mean 'gradcam'"):
        material(photos, cue="gradcma")


@pytest.mark.parametrize("cue", ["gradcam", "dataset", "random"])
def test_a_folder_is_not_named_in_vain(tmp_path: Path, cue: str) -> None:
    photos = make_folder(tmp_path / "photos", per_class=1, classes=2)
    with pytest.raises(ConfigError, match=f"The cue {cue} does not read the folder of --masks"):
        material(photos, cue=cue, masks=str(tmp_path / "photos-masks"))


def test_no_masks(tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", per_class=2)
    with pytest.raises(DataError, match="has no masks") as error:
        material(photos)
    assert "--masks DIR" in error.value.todo
    assert "--cue" in error.value.todo
    with pytest.raises(ConfigError):
        material(photos, masks=str(tmp_path / "absent"))


def test_images_without_a_mask_of_use_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = make_folder(tmp_path / "photos", per_class=4)
    masks = tmp_path / "photos-masks"
    (masks / "red_square" / "00.png").unlink()
    (masks / "red_square" / "01.png").write_bytes(b"nothing")
    size = Image.open(masks / "blue_disc" / "00.png").size
    Image.new("L", size).save(masks / "blue_disc" / "00.png")
    with pytest.raises(DataError):
        material(photos, masks=str(masks))
    capsys.readouterr()
    found = material(photos, masks=str(masks), skip_bad=True)
    assert {why: len(names) for why, names in found.left_out.items()} == {"missing": 1, "bad": 1, "empty": 1}
    assert len(found.items) == 13
    said = capsys.readouterr().err
    assert "1 image without a mask left out" in said
    assert "1 image with an empty mask left out" in said
    assert "1 image with a mask that cannot be read or has another shape left out" in said


def test_no_mask_of_use(tmp_path: Path) -> None:
    photos = make_folder(tmp_path / "photos", per_class=2)
    for path in (tmp_path / "photos-masks").rglob("*.png"):
        path.unlink()
    with pytest.raises(DataError):
        material(photos, masks=str(tmp_path / "photos-masks"))


def test_what_is_said_of_donors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos = make_folder(tmp_path / "photos", per_class=2, classes=2)
    mask = tmp_path / "photos-masks" / "red_square" / "00.png"
    size = Image.open(mask).size
    full = Image.new("L", size, 255)
    full.paste(0, (0, 0, 3, 3))
    full.save(mask)
    found = material(photos, masks=str(tmp_path / "photos-masks"))
    said = capsys.readouterr().err
    assert "1 of 4 objects fill their pictures so far" in said
    assert "without another of their class to take a background from" in said
    assert found.donors.alone == (found.names.index("red square"),)
    one = make_folder(tmp_path / "one", per_class=3, classes=1)
    material(one, masks=str(tmp_path / "one-masks"))
    assert "All images are of one class" in capsys.readouterr().err
