"""`dapt explain` and `dapt predict --explain` as a user types them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from helpers import make_folder


def test_zero_shot_of_two_photos(dapt, photos: Path, tmp_path: Path) -> None:
    images = [photos / "red_square" / "00.png", photos / "blue_disc" / "00.png"]
    out = tmp_path / "looks"
    names = "red square,blue disc,green bar"
    code, printed, err = dapt("explain", *images, "--model", "demo", "--classes", names, "--out", out)
    assert code == 0, err
    assert "zero-shot" in printed
    assert sorted(path.name for path in out.glob("[!.]*")) == ["00-2.png", "00.png", "explain.html", "explain.json"]
    with Image.open(out / "00.png") as picture:
        assert picture.width > 4 * 224
    tree = json.loads((out / "explain.json").read_text())
    assert [row["image"] for row in tree["explained"]] == [str(path) for path in images]
    assert tree["classes"] == names.split(",")


@pytest.mark.long
@pytest.mark.parametrize("method", ["coop", "cocoop", "vpt.shallow", "clip_lora", "tip_adapter", "zero_shot"])
def test_of_runs_of_every_kind(dapt, photos: Path, tmp_path: Path, method: str) -> None:
    run, out = tmp_path / "run", tmp_path / "looks"
    steps = [] if method in ("tip_adapter", "zero_shot") else ["--epochs", 1]
    code, _, err = dapt("train", photos, "--model", "demo", "--method", method, "--shots", 1, *steps, "--out", run)
    assert code == 0, err
    masks = photos.parent / "photos-masks"
    code, _, err = dapt("explain", run, photos / "red_square", "--masks", masks, "--out", out, "--limit", 3)
    assert code == 0, err
    assert "3 of 8 images are explained" in err
    tree = json.loads((out / "explain.json").read_text())
    titles = {"before (zero-shot)", f"after ({method})"} if method != "zero_shot" else {"zero_shot"}
    assert set(tree["explained"][0]["looks"]) == titles
    words = tree["words"]
    assert (words["vectors"] is not None) == (method in ("coop", "cocoop"))
    assert (words["missing"] is None) == (method in ("coop", "cocoop"))
    for row in tree["explained"]:
        for look in row["looks"].values():
            assert look["evidence_nats"] is not None
            assert look["maps"]["gradcam"]


@pytest.mark.long
def test_places_and_bad_input(dapt, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    base = ["--model", "demo", "--shots", 1, "--epochs", 1, "--depth", 2]
    code, _, err = dapt("train", photos, *base, "--out", run)
    assert code == 0, err
    other = make_folder(tmp_path / "other", classes=1, per_class=2)
    (other / "bad.jpg").write_bytes(b"no picture")
    for arguments, message in (
        ([run], "No image was named"),
        ([run, other], "bad.jpg"),
        ([run, other, "--out", other / "x"], "would be taken for photographs"),
        ([run, other, "--out", photos / "x"], "lies within the data of the run"),
        ([run, other, "--out", run / "x"], "which dapt fills"),
        ([run, tmp_path / "absent.png"], "There is no image or folder"),
        ([tmp_path / "gone", other], "gone"),
        ([run, other, "--masks", tmp_path / "absent"], "There is no mask folder"),
    ):
        code, out, err = dapt("explain", *arguments)
        assert (code, out) == (2, ""), arguments
        assert message in err.replace("\n", " ")
        assert "Traceback" not in err
    code, _, err = dapt("explain", run, other, "--skip-bad", "--cue", "none", "--out", tmp_path / "o")
    assert code == 0, err
    assert "1 damaged image was left out" in err
    assert "2 of 2 images have no foreground of use" in err.replace("\n", " ")
    tree = json.loads((tmp_path / "o" / "explain.json").read_text())
    assert tree["images_damaged"] == 1
    assert tree["explained"][0]["foreground"] == {"share": None, "problem": "no foreground was found"}


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_by_default_into_a_folder_named_after_the_run(dapt, photos: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"bad\xff\x9b.png")
    shutil.copy(photos / "red_square" / "00.png", name)
    code, _, err = dapt("explain", name, "--model", "demo", "--classes", "cat,dog")
    assert code == 0, err
    assert {path.name for path in Path("explained", "zero-shot").glob("[!.]*")} == {
        name,
        "explain.html",
        "explain.json",
    }
