"""`dapt data check`: 0 where nothing is an error, 2 where something is, and every field case."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helpers import SHARED

FIELD = SHARED / "field"
needs_field = pytest.mark.skipif(not FIELD.is_dir(), reason="the inputs from the field are not beside the project")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def split(photos: Path, root: Path) -> Path:
    """The folder data set with split folders."""
    for path in photos.glob("*/*.png"):
        target = root / ("train" if int(path.stem) < 5 else "test") / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return root


def test_clean_data(dapt, photos: Path) -> None:
    code, out, err = dapt("data", "check", photos, "--model", "demo")
    assert code == 0, err
    assert "images   train 16, val 8, test 8" in out
    assert out.endswith("Nothing was found.\n")


def test_leaks_give_two(dapt, photos: Path, tmp_path: Path) -> None:
    data = split(photos, tmp_path / "split")
    shutil.copy(data / "train" / "red_square" / "00.png", data / "test" / "red_square" / "again.png")
    files = ("--json", tmp_path / "a.json", "--html", tmp_path / "a.html")
    code, out, err = dapt("data", "check", data, "--model", "demo", *files)
    assert code == 2
    assert "error: 1 test image is equal to training images, byte for byte" in out
    assert "train/red_square/00.png" in out
    assert out.endswith("Found: 1 error.\n")
    tree = json.loads((tmp_path / "a.json").read_text())
    assert tree["good"] is False
    assert tree["findings"][0]["groups"] == [["train/red_square/00.png", "test/red_square/again.png"]]
    assert "again.png" in (tmp_path / "a.html").read_text()
    assert str(tmp_path / "a.html") in err


def test_warnings_give_zero(dapt, photos: Path) -> None:
    (photos / "red_square").rename(photos / "1234")
    code, out, _ = dapt("data", "check", photos, "--model", "demo", "--no-cache", "-q")
    assert code == 0
    assert "warning: 1 class name is a number" in out


def test_unreadable_files_give_two(dapt, photos: Path) -> None:
    (photos / "red_square" / "03.png").write_bytes(b"no picture")
    code, out, _ = dapt("data", "check", photos, "--model", "demo")
    assert code == 2
    assert "red_square/03.png" in out


def test_mistakes(dapt, photos: Path) -> None:
    assert dapt("data", "check", "/nowhere", "--model", "demo")[0] == 2
    code, _, err = dapt("data", "check", photos, "--model", "no-such")
    assert code == 2
    assert "is not a model" in err


def test_verify_points_here(dapt, photos: Path) -> None:
    assert "'dapt data check'" in dapt("data", "verify", photos)[1]


@needs_field
@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("16-copies/data", 2, ["18 test images are equal to training images", "1 picture is there under different"]),
        ("12-class-names/similar", 0, ["3 class names are the same to the model"]),
        ("12-class-names/ids", 0, ["3 class names are ids, not names"]),
        ("12-class-names/nums", 0, ["3 class names are numbers"]),
        ("12-class-names/data", 0, ["2 class names are hardly known", "1 class name has no letter"]),
        ("12-class-names/long", 2, ["3 class names have more tokens"]),
    ],
)
def test_cases_from_the_field(dapt, case: str, code: int, words: list[str]) -> None:
    found, out, err = dapt("data", "check", FIELD / case, "--model", "demo")
    assert found == code, err
    for each in words:
        assert each in out


@needs_field
def test_a_path_listed_twice_is_refused(dapt) -> None:
    code, _, err = dapt("data", "check", FIELD / "16-copies" / "twice.csv", "--model", "demo")
    assert code == 2
    assert "data/train/airplane/0.png" in err
