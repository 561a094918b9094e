"""Photos of an export that cannot be read are found before anything is made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from dapt.errors import DataError
from dapt.export.choices import Choices
from dapt.export.export_run import export_run
from dapt.export.photos import look_through


def picture(path: Path, *, whole: bool = True) -> Path:
    Image.effect_noise((64, 64), 80).convert("RGB").save(path)
    if not whole:
        path.write_bytes(path.read_bytes()[:900])
    return path


def test_the_first_is_named_with_its_option_and_the_others_counted(tmp_path: Path) -> None:
    good = picture(tmp_path / "good.jpg")
    bad = [picture(tmp_path / f"bad{number}.jpg", whole=False) for number in range(3)]
    look_through({"--check": [good], "--calibrate": [good]}, None)
    with pytest.raises(DataError) as caught:
        look_through({"--check": [good], "--calibrate": [good, *bad]}, None)
    assert "bad0.jpg is damaged" in caught.value.what
    assert caught.value.where == "--calibrate"
    assert caught.value.more == ("2 more of the photos cannot be read.",)
    assert caught.value.todo == "Replace or remove it. An export leaves no photo out."


def test_what_is_refused_says_how_it_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "camera.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64))
    with pytest.raises(DataError) as caught:
        look_through({"--check": [tmp_path / "camera.heic"]}, None)
    assert "--skip-bad" not in str(caught.value)
    assert caught.value.todo.endswith(" An export leaves no photo out.")


def test_an_export_looks_before_it_makes_anything(lora, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: object, **how: object) -> None:
        raise AssertionError("made")

    monkeypatch.setattr("dapt.export.export_run.write_clip_export", never)
    shutil.copytree(lora.photos, tmp_path / "photos")
    picture(tmp_path / "photos" / "bad.jpg", whole=False)
    with pytest.raises(DataError, match=r"bad\.jpg is damaged"):
        export_run(lora.run, tmp_path / "out", Choices("openclip", check=tmp_path / "photos"))
    assert not (tmp_path / "out").exists()
