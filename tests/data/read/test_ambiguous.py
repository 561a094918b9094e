"""Folders that may be several things; the cases stand in test_read_layout."""

from __future__ import annotations

import pytest

from dapt.data.read.ambiguous import is_container, is_extra, is_unlabelled


@pytest.mark.parametrize("name", ["images", "All_Images", "JPEGImages", "raw data", "dataset"])
def test_folders_around_photos(name: str) -> None:
    assert is_container(name)


@pytest.mark.parametrize("name", ["cat", "image of cat", "database", "", "_", "raw fish"])
def test_classes(name: str) -> None:
    assert not is_container(name)


def test_folders_of_what_is_left() -> None:
    assert [is_extra(name) for name in ("unlabelled", "extra", "bus")] == [True, True, False]
    assert [is_unlabelled(name) for name in ("Unlabeled_images", "unlabelled", "labelled")] == [True, True, False]
