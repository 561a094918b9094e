"""Writing a cue as mask files: one per image, with figures that can be counted again, and going on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.cues.common_things import COMMON_THINGS
from dapt.data.load.picture_files import comment_of
from dapt.data.resolve import load_data
from dapt.errors import ConfigError, DataError
from dapt.runs.mask_folder import COMMENT
from dapt.runs.write_masks import write_masks
from helpers import COLOURS, draw


def test_random_masks_of_all_images(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = write_masks(str(photos), out, source="random", options={"grid": 2})
    images = load_data(str(photos)).chosen("all")
    shares: dict[str, float] = {}
    for item in images:
        mask = np.array(Image.open(out / Path(item.name).with_suffix(".png")))
        assert mask.shape == (40, 48)
        assert set(np.unique(mask)) <= {0, 255}
        shares[item.name] = (mask / 255).mean()
    between = [share for share in shares.values() if 0 < share < 1]
    assert found["images"] == len(images) == 32
    assert found["empty"] == [name for name, share in shares.items() if share == 0]
    assert found["full"] == [name for name, share in shares.items() if share == 1]
    assert found["coverage_percent"]["mean"] == pytest.approx(100 * np.mean(between), abs=1e-2)
    assert found["coverage_percent"]["median"] == pytest.approx(100 * np.median(between), abs=1e-2)
    assert json.loads((out / "masks.json").read_text()) == found
    assert found["settings"]["grid"] == 2
    assert found["settings"]["model"] is None, "no model decides these masks"


def test_it_goes_on_where_it_stopped(photos: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    first = write_masks(str(photos), out, source="random")
    kept, gone = out / "red_square" / "00.png", out / "red_square" / "01.png"
    before, lost = kept.stat().st_mtime_ns, gone.read_bytes()
    gone.unlink()
    assert write_masks(str(photos), out, source="random") == first
    assert "31 of 32 masks exist already and are kept" in capsys.readouterr().err
    assert kept.stat().st_mtime_ns == before
    assert gone.read_bytes() == lost, "the same seed makes the same mask, alone or with others"
    with pytest.raises(ConfigError, match="made with seed 1, not 2"):
        write_masks(str(photos), out, source="random", seed=2)


def test_own_masks_are_copied_and_agree_with_themselves(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = write_masks(str(table), out, source="dataset", split="test", compare=True)
    assert found["images"] == 8
    assert found["against_own_masks"] == {"images": 8, "iou": 100.0, "foreground_kept": 100.0, "background_kept": 0.0}
    for item in load_data(str(table)).split("test"):
        written = np.array(Image.open(out / Path(item.name).with_suffix(".png")))
        assert np.array_equal(written, np.array(Image.open(item.mask)))


def test_grad_cam_notes_the_model_and_its_classes(photos: Path, tiny_spec: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = write_masks(
        str(photos), out, source="gradcam", model_spec=tiny_spec, split="test", preview=True, device="cpu"
    )
    assert found["settings"]["model"] == tiny_spec
    assert found["settings"]["classes"] == list(load_data(str(photos)).names)
    assert comment_of(out / "preview.jpg") == COMMENT
    assert found["images"] == len(load_data(str(photos)).split("test"))


def test_of_a_run_the_run_and_its_prompts_are_noted(trained: Path, tmp_path: Path) -> None:
    data = trained.parent / "table" / "index.csv"
    found = write_masks(str(data), tmp_path / "out", source="gradcam", run=trained, split="test", device="cpu")
    assert found["settings"]["run"] == str(trained)
    assert len(found["settings"]["prompts"]) == 64
    with pytest.raises(ConfigError, match="lies within the folder images of the data of the run"):
        write_masks(str(data), trained.parent / "table" / "images" / "out", run=trained, device="cpu")


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({"source": "gradcm"}, ConfigError, "Did you mean 'gradcam'"),
        ({"source": "random", "options": {"gird": 2}}, ConfigError, "no setting 'cue.gird'"),
        ({"source": "random", "mask_format": "binery"}, ConfigError, "no mask format"),
        ({"source": "random", "split": "tset"}, ConfigError, "has no split 'tset'"),
        ({"source": "random", "compare": True}, DataError, "no masks of its own to compare with"),
        ({"source": "masks", "masks": Path("/nowhere")}, ConfigError, "no mask folder"),
    ],
)
def test_mistakes_leave_no_folder(photos: Path, tmp_path: Path, asked: dict, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        write_masks(str(photos), tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_masks_do_not_go_among_the_images(photos: Path) -> None:
    with pytest.raises(ConfigError, match="lies within the data"):
        write_masks(str(photos), photos / "masks", source="random")
    with pytest.raises(ConfigError, match="holds the data"):
        write_masks(str(photos), photos.parent, source="random")


def test_masks_of_grad_cam_say_new_options_where_they_are_not_as_published(
    photos: Path, tiny_spec: str, tmp_path: Path
) -> None:
    """Those of earlier versions, which say none of them, are gone on with; none are mixed."""
    plain, other = tmp_path / "plain", tmp_path / "other"
    asked = {"source": "gradcam", "model_spec": tiny_spec, "split": "test", "device": "cpu"}
    found = write_masks(str(photos), plain, **asked)
    assert {"score", "refine", "cut", "smooth", "layers"} & set(found["settings"]) == set()
    assert {"threshold", "soft", "normalise", "batch_size"} <= set(found["settings"])
    assert write_masks(str(photos), other, **asked, options={"cut": "otsu"})["settings"]["cut"] == "otsu"
    with pytest.raises(ConfigError, match="were made with cut otsu, not as usual"):
        write_masks(str(photos), other, **asked)
    next(plain.rglob("*.png")).unlink()
    with pytest.raises(ConfigError, match="did not note: cut"):
        write_masks(str(photos), plain, **asked, options={"cut": "otsu"})
    assert write_masks(str(photos), plain, **asked)["images"] == found["images"]


def test_without_a_cue_named_it_is_the_free_one(photos: Path, table: Path, tmp_path: Path, capsys) -> None:
    found = write_masks(str(photos), tmp_path / "a", split="test")
    assert found["settings"]["cue"] == "border"
    assert found["settings"]["model"] is None
    assert "cue: border" in capsys.readouterr().err
    folder = photos.parent / f"{photos.name}-masks"
    assert write_masks(str(photos), tmp_path / "b", masks=folder, split="test")["settings"]["cue"] == "masks"
    measured = write_masks(str(table), tmp_path / "c", split="test", compare=True)
    assert measured["settings"]["cue"] == "border", "the masks of the data are what it is compared with"
    assert measured["against_own_masks"]["iou"] < 100


def test_what_is_not_read_is_said(photos: Path, tmp_path: Path, capsys) -> None:
    write_masks(str(photos), tmp_path / "a", model_spec="demo", classes=["a"], options={"threshold": 0.3}, split="test")
    said = capsys.readouterr().err
    assert "The cue border needs no model, so --model and --classes are not read" in said
    assert "cue.threshold is read with cue.cut=value only; here maps are cut by otsu" in said


def test_images_without_any_class_are_compared_with_common_things(tmp_path: Path, tiny_spec: str, capsys) -> None:
    for seed, name in enumerate(COLOURS):
        draw(name, seed)[0].save(tmp_path / f"{seed}.png")
    index = tmp_path / "index.csv"
    index.write_text("image,label\n" + "".join(f"{seed}.png,-1\n" for seed in range(len(COLOURS))))
    asked = {"source": "patches", "model_spec": tiny_spec, "device": "cpu"}
    found = write_masks(str(index), tmp_path / "m", **asked)
    assert found["settings"]["classes"] == list(COMMON_THINGS)
    assert (
        "Neither the data nor --classes name a class: patches compares with 53 common things" in capsys.readouterr().err
    )
    with pytest.raises(DataError, match="no classes to explain"):
        write_masks(str(index), tmp_path / "g", **asked | {"source": "gradcam"})


def test_photos_that_lie_directly_in_a_folder_need_no_classes(tmp_path: Path, capsys) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(3):
        picture = Image.new("RGB", (40, 30), "green")
        picture.paste((200, 30, 30), (10, 8, 26, 22))
        picture.save(photos / f"{index}.png")
    found = write_masks(str(photos), tmp_path / "masks", source="auto")
    assert found["images"] == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "taken as a folder of 3 photos without classes" in said
    with Image.open(tmp_path / "masks" / "0.png") as mask:
        assert mask.getpixel((18, 15)) == 255
        assert mask.getpixel((2, 2)) == 0
    (photos / "cat").mkdir()
    Image.new("RGB", (40, 30)).save(photos / "cat" / "0.png")
    write_masks(str(photos), tmp_path / "more", source="auto")
    assert "not used: 3 " in " ".join(capsys.readouterr().err.split())
