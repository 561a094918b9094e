"""What `dapt masks` says in the end: nothing that the masks are not good for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dapt.data.resolve import load_data
from dapt.runs.mask_told import tell_preview
from dapt.runs.write_masks import write_masks
from helpers import COLOURS, draw


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Photos without classes, in a folder with a blank in its name."""
    folder = tmp_path / "my photos"
    folder.mkdir()
    for seed in range(6):
        draw(list(COLOURS)[seed % len(COLOURS)], seed)[0].save(folder / f"{seed}.png")
    return folder


def test_masks_of_photos_without_classes_are_not_for_training(plain: Path, tmp_path: Path, capsys) -> None:
    write_masks(str(plain), tmp_path / "out", source="random")
    said = capsys.readouterr().err
    assert "dapt train" not in said
    assert (
        f"masks in {tmp_path / 'out'}; check them with: dapt masks verify '{plain}' --masks {tmp_path / 'out'}" in said
    )


def test_masks_of_one_shard_are_not_for_use_yet(plain: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    write_masks(str(plain), out, source="random", shard="1/3")
    said = capsys.readouterr().err
    assert f"masks of shard 1/3 in {out}\n" in said
    assert "check them with" not in said
    write_masks(str(plain), tmp_path / "none", source="random", shard="7/50", preview=True)
    assert "no preview: there is no mask to show yet" in capsys.readouterr().err
    assert not (tmp_path / "none" / "preview.jpg").exists()
    for number in (2, 3):
        write_masks(str(plain), out, source="random", shard=f"{number}/3")
    assert "All 3 shards are there: 6 masks." in (said := capsys.readouterr().err)
    assert "check them with" in said


def test_the_command_for_training_can_be_pasted(table: Path, tmp_path: Path, capsys) -> None:
    folder = shutil.copytree(table.parent, tmp_path / "with blanks")
    names = tmp_path / "names.txt"
    names.write_text("\n".join(f"class {number}" for number in range(len(load_data(str(table)).names))))
    write_masks(str(folder / table.name), tmp_path / "out", source="random", names=str(names))
    said = capsys.readouterr().err
    assert f"dapt train '{folder / table.name}' --names {names} --dapt --masks {tmp_path / 'out'}" in said
    write_masks(str(folder / table.name), tmp_path / "test", source="random", split="test")
    assert "dapt train" not in capsys.readouterr().err, "images that are not learned from"


def test_masks_of_no_use_are_not_recommended(plain: Path, tmp_path: Path, capsys) -> None:
    write_masks(str(plain), tmp_path / "out", source="border", options={"cut": "value", "threshold": 1.0})
    said = capsys.readouterr().err
    assert "None of the 6 masks is of use" in said
    assert said.rstrip().endswith(f"masks in {tmp_path / 'out'}")


@pytest.mark.parametrize(
    ("shown", "total", "text"),
    [
        (24, 100, "a.jpg: the worst 24 of 100 photos; all are on them with --preview-images 100"),
        (1, 3, "a.jpg: the worst of 3 photos; all are on them with --preview-images 3"),
        (3, 3, "a.jpg: all 3 photos, the worst first"),
        (1, 1, "a.jpg: 1 photo"),
    ],
)
def test_a_preview_says_of_how_many(capsys, shown: int, total: int, text: str) -> None:
    tell_preview([Path("a.jpg")], shown, total)
    assert capsys.readouterr().err.strip() == f"look at {text}"
