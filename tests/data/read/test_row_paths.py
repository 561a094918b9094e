"""Which files the rows of a table mean."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from dapt.data.read.row_paths import Files, place_rows, share_found, shared_folders
from dapt.errors import DataError


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def place(
    folder: Path, *texts: str, splits: list[str] | None = None, stem: str = "labels"
) -> tuple[list[str], list[str]]:
    found = place_rows(texts, folder, splits or ["all"] * len(texts), stem)
    return found.names, found.said


@pytest.mark.parametrize(
    ("files", "texts", "names", "said"),
    [
        (["a.png", "x/b.png"], ["a.png", "./x//b.png"], ["a.png", "x/b.png"], []),
        (["x/a.png"], ["x\\a.png"], ["x/a.png"], ["backslashes"]),
        (["images/a.png", "images/b.png"], ["a.png", "b.png"], ["images/a.png", "images/b.png"], ["in images/"]),
        (["images/x/a.png"], ["x/a.png"], ["images/x/a.png"], ["in images/"]),
        (["x/a.png", "y/b.png"], ["a.png", "b.png"], ["x/a.png", "y/b.png"], ["in x, y"]),
        (["a.png", "b.jpeg"], ["a", "b"], ["a.png", "b.jpeg"], ["extension"]),
        (["train/a.1.png"], ["a.1"], ["train/a.1.png"], ["in train/", "extension"]),
        (["X/A.PNG"], ["x/a.png"], ["X/A.PNG"], ["capitals"]),
        (["images/A.JPG"], ["a"], ["images/A.JPG"], ["in images/", "extension", "capitals"]),
        # of two folders with the same names, the one that is called like the table, or like a folder of images
        (["train/a.png", "test/a.png"], ["a.png"], ["train/a.png"], ["in train/"]),
        (["images/a.png", "masks/a.png"], ["a.png"], ["images/a.png"], ["in images/"]),
        (["labels/a.png", "other/a.png"], ["a.png"], ["labels/a.png"], ["in labels/"]),
        # from another machine, or written from the folder above
        (["img/a.png"], ["C:\\data\\photos\\img\\a.png"], ["img/a.png"], ["backslashes", "'C:/data/photos/' in front"]),
        (["img/a.png", "b.png"], ["/home/x/img/a.png", "/home/x/b.png"], ["img/a.png", "b.png"], ["'/home/x/'"]),
        (["img/a.png"], ["photos/img/a.png"], ["img/a.png"], ["'photos/' in front"]),
        # one that is nowhere is expected where the others are
        (
            ["images/a.png", "images/b.png"],
            ["a.png", "b.png", "c.png"],
            ["images/a.png", "images/b.png", "images/c.png"],
            ["in images/"],
        ),
        ([], ["a.png", "x/b.png"], ["a.png", "x/b.png"], []),
        (["a.png"], ["a.png", "../b.png", "/c.png", ""], ["a.png", "../b.png", "/c.png", ""], []),
    ],
)
def test_places(tmp_path: Path, files: list[str], texts: list[str], names: list[str], said: list[str]) -> None:
    found, told = place(put(tmp_path, *files), *texts)
    assert found == names
    assert len(told) == len(said)
    assert all(part in sentence for part, sentence in zip(said, told, strict=True))


def test_absolute_paths_within_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "real", "x/a.png")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert place(tmp_path / "real", f"{tmp_path}/real/x/a.png") == (["x/a.png"], [])
    assert place(tmp_path / "link", f"{tmp_path}/real/x/a.png", f"{tmp_path}/link/x/b.png")[0] == ["x/a.png", "x/b.png"]


def test_letters_with_accents_in_either_form(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "é.png")
    put(tmp_path, name)
    assert place(tmp_path, "é.png")[0] == [name]


def test_a_file_with_a_backslash_in_its_name(tmp_path: Path) -> None:
    put(tmp_path, "a\\b.png")
    assert place(tmp_path, "a\\b.png") == (["a\\b.png"], [])


def test_splits_say_which_folder(tmp_path: Path) -> None:
    put(tmp_path, "train/a.png", "test/a.png", "test/b.png")
    names, _ = place(tmp_path, "a.png", "a.png", "b.png", splits=["train", "test", "test"])
    assert names == ["train/a.png", "test/a.png", "test/b.png"]


@pytest.mark.parametrize(
    ("files", "texts", "message"),
    [
        (["x/a.png", "y/a.png"], ["a.png"], "'a.png' is in several folders of .*: x/ and y/"),
        (["a.png", "a.jpg"], ["a"], "'a' may be a.jpg or a.png"),
    ],
)
def test_what_may_be_several_files_is_refused(tmp_path: Path, files: list[str], texts: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        place(put(tmp_path, *files), *texts)
    assert caught.value.todo


def test_what_lies_below_a_folder(tmp_path: Path) -> None:
    put(tmp_path, "a.png", ".git/b.png", "__MACOSX/c.png", "run/.dapt.json", "run/d.png", "x/y/e.png")
    from dapt.lock import MANIFEST

    put(tmp_path, f"run/{MANIFEST}")
    assert Files(tmp_path).names == {"a.png", "x/y/e.png"}
    assert Files(tmp_path, {"other"}).names == {"a.png"}
    assert Files(tmp_path).has("a.png")
    assert not Files(tmp_path).has("z.png")
    assert share_found(["a.png", "e", "nowhere.png", ""], tmp_path, Files(tmp_path)) == pytest.approx(2 / 3)


def test_folders_that_paths_share() -> None:
    assert shared_folders(["a/b/1", "a/b/2"]) == ["a", "b"]
    assert shared_folders(["a/b/1", "a/c/2"]) == ["a"]
    assert shared_folders(["a/b/1", "a/2"]) == ["a"]
    assert shared_folders(["ab/1", "ac/2"]) == shared_folders([]) == []


def test_rows_that_share_their_last_name_are_found_at_once(tmp_path: Path) -> None:
    """Each row looks at the files that end like it, and not at all that are called alike."""
    count = 3000
    files = Files(tmp_path)
    files.__dict__["names"] = frozenset(f"photos/{number}/image.jpg" for number in range(count))
    looked: list[int] = []
    for number in range(count):
        candidates = files.ending([str(number), "image.jpg"])
        looked.append(len(candidates))
    assert looked == [1] * count
    assert files.ending(["5", "IMAGE"]) == ["photos/5/image.jpg"]
    assert files.ending(["a", "b", "photos", "5", "image.jpg"]) == []
