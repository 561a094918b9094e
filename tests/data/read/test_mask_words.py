"""Names of masks, and of the photographs they belong to."""

from __future__ import annotations

import pytest

from dapt.data.read.mask_words import bases, called_mask, only_says_masks, photo_stems, plain_stems, says_masks


@pytest.mark.parametrize(
    ("stem", "photo", "sure"),
    [
        ("a_mask", "a", True),
        ("mask_a", "a", True),
        ("a-seg (2)", "a", True),
        *(
            (f"a{end}", "a", False)
            for end in ("_gt", "_binary_mask", "_mask_instance", "_labelIds", "_gtFine_labelIds")
        ),
        *((f"a{end}", "a", False) for end in ("_msk", "_roi", "_bin", ".jpg", ".jpg_mask")),
        ("m_a", "a", False),
        ("x_1_maskcrop", "x_1_crop", False),
    ],
)
def test_photos_of_masks(stem: str, photo: str, sure: bool) -> None:
    assert (photo, sure) in photo_stems(stem)
    assert photo in plain_stems(stem)


def test_no_photo() -> None:
    assert photo_stems("ann") == photo_stems("12") == photo_stems("mask") == []
    assert (called_mask("a_mask"), called_mask("a_gt")) == (True, False)


@pytest.mark.parametrize("name", ["masks", "Ground_Truth", "masks_binary", "image_masks", "train_masks", "GT"])
def test_folders_of_masks(name: str) -> None:
    assert says_masks(name) is True
    assert [""] not in list(bases(name))
    assert (["images"] in list(bases(name))) is only_says_masks(name)


def test_folders_that_may_hold_masks() -> None:
    assert {says_masks(name) for name in ("foreground", "fg", "msk", "saliency")} == {None}
    assert {says_masks(name) for name in ("dogs", "masking", "foo")} == {False}
    assert ["train"] in list(bases("train_masks"))
    assert ["a", "images"] in list(bases("a/masks_machine"))
