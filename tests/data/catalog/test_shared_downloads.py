"""Sources that several data sets share: which files of the collections they mean."""

from __future__ import annotations

import re

from dapt.data.catalog.shared_downloads import (
    FOREGROUND,
    MASKS_ONLY,
    PROMPT_LEARNING,
    class_names_source,
    drive,
    in_collection,
    masks_only,
    split_sources,
    with_foreground,
)


def test_a_file_of_google_drive() -> None:
    source = drive("split", "ID", "split.json", size=3, checksum="sha256:1")
    assert "id=ID&" in source.url
    assert source.file_name == "split.json"  # the address has no name in it
    assert (source.size, source.checksum, source.unpack) == (3, "sha256:1", False)
    assert class_names_source().file_name == "classnames.txt"


def test_one_archive_of_the_collection_and_no_other() -> None:
    source = in_collection("images", "dtd.zip", 2)
    assert (source.repo, source.repo_type, source.alternative) == (PROMPT_LEARNING, "model", 2)
    for path, meant in {
        "dtd.zip": True,
        "data/DTD.ZIP": True,
        "notdtd.zip": False,
        "dtd.zip.part": False,
        "dtdxzip": False,
    }.items():
        assert bool(re.search(source.pattern, path)) is meant, path


def test_a_split_file_alone_then_with_its_archive() -> None:
    first, second = split_sources("dtd", "ID", 10, "abc", "dtd.zip")
    assert (first.checksum, first.size, first.alternative) == ("sha256:abc", 10, 0)
    assert (second.what, second.alternative, second.repo) == ("split", 1, PROMPT_LEARNING)


def test_images_with_masks_and_masks_alone_are_different_files() -> None:
    images, masks = with_foreground("food", "food-101", 1), masks_only("food", "food-101")
    assert (images.repo, masks.repo) == (FOREGROUND, FOREGROUND)
    assert (images.to, masks.to) == ("food-101", "food-101/mask")
    for path in ("Food101.zip", "deep/my_food.tar"):
        assert re.search(images.pattern, path)
        assert not re.search(masks.pattern, path)
    alone = f"{MASKS_ONLY}/food101_mask.zip"
    assert re.search(masks.pattern, alone)
    assert not re.search(images.pattern, alone)
    assert not re.search(masks.pattern, f"{MASKS_ONLY}/cars.zip")
