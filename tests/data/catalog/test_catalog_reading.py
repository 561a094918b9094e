"""What reading catalog data makes of files that are not as they should be."""

from __future__ import annotations

import codecs
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from catalog_helpers import (
    REAL,
    SPLIT_FILES,
    WNIDS,
    aircraft,
    imagenet,
    picture,
    real_data,
    small_split,
    split_data,
    variant,
    voc,
    write,
)
from dapt.data.catalog.base import CATALOG
from dapt.data.catalog.listing import Listing, class_folders, image_files
from dapt.data.catalog.load import load_catalog
from dapt.data.catalog.places import find_place
from dapt.data.catalog.readers.coop_split import is_published
from dapt.data.verify import verify
from dapt.errors import DataError
from helpers import needs_shared


def two_pictures_of_one_stem(root: Path) -> Path:
    """Textures in which one image is a PNG and called like a JPEG; returns the folder for the masks of its class."""
    dataset = split_data(root, "dtd")
    split = small_split("dtd")
    split["train"][1][0] = "banded/banded_0000.png"
    write(root / "dtd" / "images" / "banded" / "banded_0000.png", picture("PNG"))
    write(root / "dtd" / dataset.reader.file, json.dumps(split))
    masks = root / "dtd" / "mask" / "images" / "banded"
    write(masks / "banded_0000.jpg", picture("JPEG", "L", 255))
    return masks


def test_a_mask_of_the_images_own_extension_comes_first(tmp_path: Path) -> None:
    masks = two_pictures_of_one_stem(tmp_path)
    write(masks / "banded_0000.png", picture("PNG", "L", 255))
    first, second = load_catalog("dtd", str(tmp_path)).split("train")[:2]
    assert (first.mask, second.mask) == (masks / "banded_0000.jpg", masks / "banded_0000.png")


def test_two_masks_of_other_extensions_are_refused(tmp_path: Path) -> None:
    split_data(tmp_path, "dtd")
    masks = tmp_path / "dtd" / "mask" / "images" / "banded"
    for extension in (".png", ".bmp"):
        write(masks / f"banded_0001{extension}", b"")
    with pytest.raises(DataError, match=r"two mask files with one name: .*banded_0001\.bmp and .*banded_0001\.png"):
        load_catalog("dtd", str(tmp_path))
    assert any("two mask files" in problem for problem in verify("dtd", str(tmp_path)).problems)
    write(masks / "banded_0001.txt", b"")
    (masks / "banded_0001.bmp").unlink()
    assert load_catalog("dtd", str(tmp_path)).split("train")[1].mask == masks / "banded_0001.png"


@needs_shared
@pytest.mark.parametrize("name", REAL)
def test_the_published_split_file_in_any_serialisation(tmp_path: Path, name: str) -> None:
    dataset = CATALOG.get(name)
    content = (SPLIT_FILES / dataset.reader.file).read_bytes()
    path = write(tmp_path / "split.json", content)
    assert is_published(path, dataset)
    parsed = json.loads(content)
    write(path, json.dumps({split: parsed[split] for split in ("test", "val", "train")}))
    assert is_published(path, dataset)
    write(path, codecs.BOM_UTF8 + content.replace(b"\n", b"\r\n"))
    assert is_published(path, dataset)
    parsed["train"][0], parsed["val"][0] = parsed["val"][0], parsed["train"][0]
    write(path, json.dumps(parsed))
    assert is_published(path, dataset) is False


def test_no_sum_is_known() -> None:
    for name in ("fgvc_aircraft", "imagenet", "voc2012"):
        assert is_published(Path("absent"), CATALOG.get(name)) is None
    dataset = CATALOG.get("dtd")
    assert is_published(Path("absent"), replace(dataset, sources=())) is None


def test_another_split_file_is_warned_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The original code makes a split of its own where the file is missing, under the same name."""
    dataset = split_data(tmp_path, "dtd")
    load_catalog("dtd", str(tmp_path))
    err = capsys.readouterr().err
    assert f"{dataset.reader.file} is not the published split file" in err
    assert "figures will not compare" in err
    load_catalog("dtd", str(tmp_path))
    assert capsys.readouterr().err == ""
    problems = [problem for problem in verify("dtd", str(tmp_path)).problems if "published" in problem]
    assert len(problems) == 1
    assert "dapt data download dtd --only split --force" in problems[0]


@needs_shared
def test_the_published_split_file_is_not_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = real_data(tmp_path, "oxford_pets")
    load_catalog("oxford_pets", str(tmp_path))
    assert capsys.readouterr().err == ""
    report = verify("oxford_pets", str(tmp_path))
    assert f"{dataset.reader.file} is the published file." in report.notes
    assert not any("published" in problem for problem in report.problems)


def forbid(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let listing the folder fail as it does for a user without the right to."""
    scan = os.scandir

    def refuse(path):
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)


def test_an_unreadable_folder_is_no_missing_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split_data(tmp_path, "dtd")
    images = tmp_path / "dtd" / "images"
    with monkeypatch.context() as patch:
        forbid(patch, images / "banded")
        with pytest.raises(DataError, match=r"images/banded cannot be read: Permission denied"):
            load_catalog("dtd", str(tmp_path))
        with pytest.raises(DataError, match=r"images/banded cannot be read"):
            load_catalog("dtd", str(tmp_path), skip_bad=True)
        assert any("Permission denied" in problem for problem in verify("dtd", str(tmp_path)).problems)
        for look in (class_folders, image_files, lambda folder: Listing(folder).names("")):
            with pytest.raises(DataError, match="Permission denied"):
                look(images / "banded")
            assert list(look(tmp_path / "absent")) == list(look(images / "banded" / "banded_0000.jpg")) == []


def test_an_unreadable_place_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not reported as absent, and listing all data sets goes on."""
    split_data(tmp_path, "oxford_pets")
    images = tmp_path / "oxford_pets" / "images"
    forbid(monkeypatch, images)
    place = find_place(CATALOG.get("oxford_pets"), tmp_path)
    assert place is not None
    assert place.images == images
    with pytest.raises(DataError, match=r"oxford_pets/images cannot be read: Permission denied"):
        load_catalog("oxford_pets", str(tmp_path))


def test_verify_names_an_unreadable_mask_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dapt.data.verify import _sizes

    write(tmp_path / "a" / "1.png", b"xy")
    assert _sizes([tmp_path / "a" / "1.png", tmp_path / "b" / "1.png"]) == {tmp_path / "a" / "1.png": 2}
    forbid(monkeypatch, tmp_path / "a")
    with pytest.raises(DataError, match=r"/a cannot be read: Permission denied"):
        _sizes([tmp_path / "a" / "1.png"])


def add_bom(path: Path) -> None:
    write(path, codecs.BOM_UTF8 + path.read_bytes())


def test_lists_with_a_byte_order_mark(tmp_path: Path) -> None:
    dataset = aircraft(tmp_path)
    for path in (tmp_path / dataset.folder).glob("*.txt"):
        add_bom(path)
    assert load_catalog("fgvc_aircraft", str(tmp_path)).names[0] == "707-320"
    dataset = variant(tmp_path, "imagenetv2")
    add_bom(tmp_path / dataset.folder / "classnames.txt")
    assert load_catalog("imagenetv2", str(tmp_path)).names[0] == "thing 0"
    voc(tmp_path)
    for path in tmp_path.rglob("Main/*_train.txt"):
        add_bom(path)
    assert load_catalog("voc2012", str(tmp_path)).split("train")[0].name == "JPEGImages/2008_000001.jpg"


def test_imagenets_validation_images_are_not_sorted(tmp_path: Path) -> None:
    imagenet(tmp_path, per_class=1)
    val = tmp_path / "imagenet" / "images" / "val"
    for wnid in WNIDS:
        for path in (val / wnid).iterdir():
            path.rename(val / path.name)
        (val / wnid).rmdir()
    with pytest.raises(DataError, match="1000 of 1000 class folders are missing") as caught:
        load_catalog("imagenet", str(tmp_path))
    assert f"1000 images lie directly in {val}" in caught.value.message
    assert "sort them into one folder per class" in caught.value.todo
