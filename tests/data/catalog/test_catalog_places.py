"""Where a data set lies, and where the files beside it may be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dapt.data.catalog.base import CATALOG, Layout
from dapt.data.catalog.places import bases, companions, find_beside, find_place, require_place, tell_namesake
from dapt.errors import DataError
from helpers import fill

COOP = Layout("coop", "dtd", "images")
OTHER = Layout("foreground", "textures/dtd", "dtd/images", holds=("banded", "zigzagged"))
DATASET = replace(CATALOG.get("dtd"), layouts=(COOP, OTHER))


def test_the_first_layout_that_is_there(tmp_path: Path) -> None:
    assert find_place(DATASET, tmp_path) is None
    (tmp_path / "dtd" / "images").mkdir(parents=True)
    fill(tmp_path / "dtd" / "images", ".hidden")
    assert find_place(DATASET, tmp_path) is None  # nothing is in it
    (tmp_path / "textures" / "dtd" / "dtd" / "images" / "banded").mkdir(parents=True)
    place = find_place(DATASET, tmp_path)
    assert place is not None
    assert (place.layout, place.root) == (OTHER, tmp_path / "textures" / "dtd")
    assert place.images == tmp_path / "textures" / "dtd" / "dtd" / "images"
    fill(tmp_path / "dtd" / "images", "a.jpg")
    assert require_place(DATASET, tmp_path).layout is COOP


def test_an_archive_unpacked_in_the_own_folder(tmp_path: Path) -> None:
    assert bases(DATASET, OTHER, tmp_path) == [tmp_path / "textures/dtd", tmp_path / "dtd/textures/dtd"]
    fill(tmp_path / "dtd" / "dtd" / "images", "a.jpg")
    place = require_place(DATASET, tmp_path)
    assert place.root == tmp_path / "dtd" / "dtd"


def test_folders_that_hold_something_else_do_not_count(tmp_path: Path) -> None:
    fill(tmp_path / "textures" / "dtd" / "dtd" / "images", "striped/a.jpg", "banded")
    assert find_place(DATASET, tmp_path) is None
    fill(tmp_path / "dtd", "images")  # a file
    assert find_place(DATASET, tmp_path) is None


def test_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    looked = "looked for dtd/images, textures/dtd/dtd/images/banded, textures/dtd/dtd/images/zigzagged"
    with pytest.raises(DataError, match=looked) as caught:
        require_place(DATASET, tmp_path)
    assert "dapt data download dtd" in caught.value.todo
    assert "./dtd" not in caught.value.todo
    (tmp_path / "dtd").mkdir()
    with pytest.raises(DataError, match=r"For the folder dtd here write \./dtd\."):
        require_place(DATASET, tmp_path)


def test_a_namesake_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tell_namesake("dtd")
    assert capsys.readouterr().err == ""
    (tmp_path / "dtd").mkdir()
    tell_namesake("dtd")
    assert "write ./dtd" in "".join(capsys.readouterr())


def test_beside_the_images_nearest_first(tmp_path: Path) -> None:
    fill(tmp_path / "textures" / "dtd" / "dtd" / "images", "banded/a.jpg")
    place = require_place(DATASET, tmp_path)
    found = companions(DATASET, place, tmp_path)
    names = [folder.relative_to(tmp_path).as_posix() for folder in found]
    assert names == [
        "textures/dtd/dtd",
        "textures/dtd",
        "textures",
        "dtd",
        "dtd/dtd",
        "dtd/textures/dtd",
        "dtd/textures",
    ]
    fill(tmp_path / "dtd", "split.json")
    assert find_beside("split.json", found) == tmp_path / "dtd" / "split.json"
    fill(tmp_path / "textures", "split.json")
    assert find_beside("split.json", found) == tmp_path / "textures" / "split.json"
    assert find_beside("other.json", found) is None
