"""What columns and splits are called elsewhere."""

from __future__ import annotations

import pytest

from dapt.data.read.aliases import CLASS_KEYS, IMAGE_KEYS, MASK_KEYS, SPLIT_KEYS, key, rank, split_word


@pytest.mark.parametrize("column", ["file_name", "FileName", "file-name", " File Name ", "file.name"])
def test_spellings_of_a_column(column: str) -> None:
    assert key(column) == "filename"


def test_groups() -> None:
    assert rank("Image", IMAGE_KEYS) == 0
    assert rank("img_path", IMAGE_KEYS) == 1
    assert rank("id", IMAGE_KEYS) == 2
    assert rank("width", IMAGE_KEYS) == len(IMAGE_KEYS)


def test_no_name_means_two_things() -> None:
    groups = [frozenset().union(*IMAGE_KEYS), CLASS_KEYS, MASK_KEYS, SPLIT_KEYS]
    assert sum(map(len, groups)) == len(frozenset().union(*groups))


def test_words_for_splits() -> None:
    assert [split_word(word) for word in ("Train", " VALID ", "test", "other", "")] == [
        "train",
        "val",
        "test",
        None,
        None,
    ]
