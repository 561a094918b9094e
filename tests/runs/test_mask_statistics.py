"""What is said of all masks: counted from entries that are checked against the files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.masks.mask_entries import MaskEntry
from dapt.errors import DataError
from dapt.runs.mask_statistics import report_of
from dapt.runs.write_masks import write_masks


def test_a_mask_mended_by_hand_is_counted_as_it_is_and_kept(photos: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    first = write_masks(str(photos), out, source="random")
    name, other = "red_square/00", "red_square/01"
    mask = np.zeros((40, 48), np.uint8)
    mask[:10] = 255
    Image.fromarray(mask).save(out / f"{name}.png")
    capsys.readouterr()
    second = write_masks(str(photos), out, source="random")
    assert f"1 of the masks is another than was made ({name}.png)" in capsys.readouterr().err
    before, now = (tree["masks"] for tree in (first, second))
    assert now[f"{name}.png"]["coverage"] == 0.25
    assert now[f"{name}.png"]["mask"] == before[f"{name}.png"]["mask"], "by which it is known as mended, again"
    assert now[f"{other}.png"] == before[f"{other}.png"]
    Image.new("RGB", (48, 40), "red").save(photos / f"{name}.png")
    write_masks(str(photos), out, source="random")
    assert "which were mended by hand: red_square/00.png. These masks are kept" in capsys.readouterr().err
    assert np.array_equal(np.array(Image.open(out / f"{name}.png")), mask)


def test_masks_of_an_earlier_version_are_counted_from_their_files(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = write_masks(str(photos), out, source="random")
    old = {key: value for key, value in first.items() if key not in ("masks", "seal")}
    (out / "masks.json").write_text(json.dumps(old))
    second = write_masks(str(photos), out, source="random")
    assert {key: second[key] for key in old} == old
    assert {name: entry["kind"] for name, entry in second["masks"].items()} == {
        name: entry["kind"] for name, entry in first["masks"].items()
    }
    assert all("image" not in entry for entry in second["masks"].values()), "what is not known is not made up"
    next(out.glob("red_square/*.png")).unlink()
    assert sum("image" in entry for entry in write_masks(str(photos), out, source="random")["masks"].values()) == 1


def test_a_mask_that_cannot_be_read(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_masks(str(photos), out, source="random")
    (out / "red_square" / "00.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"(?s)00\.png cannot be read .*Remove it: it is made again then"):
        write_masks(str(photos), out, source="random")


def test_the_report_of_entries() -> None:
    entries = [
        ("a", MaskEntry("usable", 0.2, 0.9, ("grass",))),
        ("b", MaskEntry("empty", 0.0)),
        ("c", MaskEntry("full", 1.0)),
        ("d", MaskEntry("not found", 0.0, 0.1)),
        ("e", MaskEntry("unreadable", 0.0)),
    ]
    report = report_of(entries)
    assert (report.total, report.without) == (5, 4)
    assert (report.empty, report.full, report.missing, report.bad) == (["b"], ["c"], ["d"], ["e"])
    assert (report.coverage, report.scores, report.stuff) == ([0.2], {"a": 0.9, "d": 0.1}, {"a": ["grass"]})
    assert report_of(entries, unmasked="empty").empty == ["b", "d"]


def test_masks_of_which_none_is_of_use_are_warned_of(photos: Path, tmp_path: Path, capsys) -> None:
    write_masks(str(photos), tmp_path / "out", source="none")
    said = " ".join(capsys.readouterr().err.split())
    assert "None of the 32 masks is of use: each is empty or covers the whole picture." in said


def test_a_mended_mask_of_another_shape_or_in_colours_is_refused(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_masks(str(photos), out, source="random", split="test")
    path = next(out.rglob("*.png"))
    size = Image.open(path).size
    Image.new("L", (size[1], size[0]), 255).save(path)
    with pytest.raises(DataError, match="does not have the shape of its image") as caught:
        write_masks(str(photos), out, source="random", split="test")
    assert caught.value.todo == "Remove it: it is made again then."
    Image.new("RGB", size, (255, 0, 0)).save(path)
    with pytest.raises(DataError, match="is a picture in colours"):
        write_masks(str(photos), out, source="random", split="test")
    path.unlink()
    assert write_masks(str(photos), out, source="random", split="test")["images"] > 0


def test_masks_of_images_that_are_gone_are_said(photos: Path, tmp_path: Path, capsys) -> None:
    data = Path(shutil.copytree(photos, tmp_path / "data"))
    write_masks(str(data), tmp_path / "out", source="random")
    gone = sorted(data.glob("*/*.png"))[0]
    gone.unlink()
    capsys.readouterr()
    assert write_masks(str(data), tmp_path / "out", source="random")["images"] == 31
    name = gone.relative_to(data).as_posix()
    said = capsys.readouterr().err
    assert f"1 of the masks in {tmp_path / 'out'} is of an image that is not among these ({name}); not counted" in said
