"""What is noted about a file: its bytes, its size, its looks, and why it cannot be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from checked_data import scene
from PIL import Image, ImageOps

from dapt.data.check.look import THUMB, Look, look_at
from dapt.data.contents import file_digest


def test_a_photograph(tmp_path: Path) -> None:
    scene(1).save(tmp_path / "a.jpg")
    look = look_at(tmp_path / "a.jpg")
    assert (look.width, look.height, look.kind) == (120, 90, "JPEG")
    assert (look.turned, look.grey, look.flat, look.problem) == (False, False, False, "")
    assert look.digest == file_digest(tmp_path / "a.jpg")
    assert len(look.thumb) == THUMB * THUMB
    assert Look.of_text(look.as_text()) == look


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_its_copies_have_nearly_the_same_hash(tmp_path: Path, kind: str) -> None:
    scene(1, (400, 300)).save(tmp_path / "a.png")
    scene(1, (400, 300)).resize((90, 70)).save(tmp_path / f"b.{kind}", quality=40)
    scene(2, (400, 300)).save(tmp_path / "c.png")
    first, copy, other = (look_at(tmp_path / name) for name in ("a.png", f"b.{kind}", "c.png"))
    assert (first.hash ^ copy.hash).bit_count() <= 4
    assert (first.hash ^ other.hash).bit_count() > 12
    assert first.digest != copy.digest


def test_the_mirror_image_has_the_other_hash(tmp_path: Path) -> None:
    scene(3).save(tmp_path / "a.png")
    ImageOps.mirror(scene(3)).save(tmp_path / "b.png")
    first, second = look_at(tmp_path / "a.png"), look_at(tmp_path / "b.png")
    assert (first.mirrored ^ second.hash).bit_count() <= 1  # resizing rounds
    assert (first.hash ^ second.mirrored).bit_count() <= 1
    assert (first.hash ^ second.hash).bit_count() > 12


def test_grey_and_flat_pictures(tmp_path: Path) -> None:
    scene(4).convert("L").convert("RGB").save(tmp_path / "grey.jpg")
    Image.new("RGB", (50, 50), (200, 10, 10)).save(tmp_path / "red.jpg")
    Image.new("L", (50, 50), 0).save(tmp_path / "black.png")
    assert look_at(tmp_path / "grey.jpg").grey
    assert not look_at(tmp_path / "grey.jpg").flat
    assert look_at(tmp_path / "red.jpg").flat
    assert look_at(tmp_path / "black.png").flat


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_tag_turns_the_picture(tmp_path: Path, kind: str) -> None:
    exif = Image.Exif()
    exif[0x112] = 6
    scene(5).save(tmp_path / f"a.{kind}", exif=exif)
    scene(5).transpose(Image.Transpose.ROTATE_270).save(tmp_path / "upright.png")
    look = look_at(tmp_path / f"a.{kind}")
    assert look.turned
    assert (look.width, look.height) == (90, 120)
    assert (look.hash ^ look_at(tmp_path / "upright.png").hash).bit_count() <= 3


def test_files_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    scene(6, (600, 400)).save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "paper.jpg").write_bytes(b"%PDF-1.7 and so on")
    for name, refused in (("cut.jpg", False), ("empty.jpg", False), ("gone.jpg", False), ("paper.jpg", True)):
        look = look_at(tmp_path / name)
        assert str(tmp_path / name) in look.problem
        assert look.refused is refused, name
    assert "PDF" in look_at(tmp_path / "paper.jpg").problem
    assert not replace(look_at(tmp_path / "whole.jpg")).problem


def test_texts_that_are_none() -> None:
    for text in ("", "[]", "{}", '{"thumb": 1}', '{"thumb": "", "more": 1}'):
        with pytest.raises((ValueError, TypeError, LookupError)):
            Look.of_text(text)
