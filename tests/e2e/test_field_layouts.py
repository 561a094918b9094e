"""Layouts that people brought, through the command line: recognised and said, or refused with the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import SHARED, needs_shared

FIELD = SHARED / "field"
ZERO = ("--model", "demo", "--method", "zero_shot")


@needs_shared
def test_training_and_testing(dapt, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code, _, err = dapt("train", FIELD / "01-training-testing" / "data", *ZERO, "--out", out)
    assert code == 0
    assert "split folders Training, Testing" in err
    assert json.loads((out / "results.json").read_text())["counts"]["test"] == 12


@needs_shared
def test_masks_beside_photos(dapt, tmp_path: Path) -> None:
    data = FIELD / "02-masks-beside-images" / "data"
    code, _, err = dapt("train", data, *ZERO, "--out", tmp_path / "run")
    assert code == 0
    assert "24 masks lie beside their photos" in " ".join(err.split())
    counts = json.loads((tmp_path / "run" / "results.json").read_text())["counts"]
    assert counts["train"] + counts["val"] + counts["test"] == 24
    code, out, _ = dapt("masks", "verify", data)
    assert code == 0
    assert "usable: 24 of 24 images" in out


@needs_shared
def test_formats_of_phones(dapt, tmp_path: Path) -> None:
    data = FIELD / "05-phone-formats" / "data"
    code, out, _ = dapt("data", "verify", data, "--decode", "--json")
    report = json.loads(out)
    assert code == 0
    assert sum(report["images"].values()) == 24
    assert [len(names) for reason, names in report["unused"].items() if "HEIC" in reason] == [3]
    code, _, err = dapt("train", data, *ZERO, "--out", tmp_path / "run")
    assert code == 0
    assert "HEIC pictures, which need pillow-heif" in " ".join(err.split())


@needs_shared
def test_detection_exports(dapt, tmp_path: Path) -> None:
    code, out, _ = dapt("data", "verify", FIELD / "14-detection-export" / "data")
    assert code == 0
    assert "COCO export, one class per photo" in out
    assert "class 'airplane': 8 train, 4 val, 4 test" in out
    code, _, err = dapt("train", FIELD / "14-detection-export" / "voc", *ZERO, "--out", tmp_path / "run")
    assert code == 2
    assert "the folders of Pascal VOC (JPEGImages), but no Annotations/*.xml" in " ".join(err.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["train", "verify"])
def test_a_folder_around_and_leftovers(dapt, photos: Path, tmp_path: Path, command: str) -> None:
    """One folder in another gave one class and 100%."""
    outer = tmp_path / "download"
    (outer / "__MACOSX").mkdir(parents=True)
    (outer / "__MACOSX" / "._a.png").write_bytes(b"x")
    (outer / "photos").symlink_to(photos)
    if command == "train":
        code, _, said = dapt("train", outer, *ZERO, "--out", tmp_path / "run")
    else:
        code, said, _ = dapt("data", "verify", outer)
    assert code == 0
    assert "class folders within photos/" in " ".join(said.split())
    assert "1 file, left by other programs (__MACOSX/._a.png)" in " ".join(said.split())
