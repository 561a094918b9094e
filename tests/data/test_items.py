"""`ImageSet`: which items a choice of splits names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import ImageSet, Item, find_by_name, with_composed_names
from dapt.errors import ConfigError, DataError


def test_all_splits_name_an_image_once() -> None:
    """ImageNet's val and test are the same images."""
    train, val = (Item(Path("d") / name, 0, name) for name in ("a.jpg", "b.jpg"))
    data = ImageSet("d", Path("d"), ("x",), {"train": (train,), "val": (val,), "test": (val,)})
    assert data.chosen("all") == [train, val]
    assert data.chosen("val") == data.chosen("test") == [val]
    with pytest.raises(ConfigError, match="has no split 'tset'"):
        data.chosen("tset")


def test_names_are_compared_in_one_unicode_form() -> None:
    data = ImageSet("d", Path("d"), ("cafe\u0301", "dog"))
    assert with_composed_names(data).names == ("caf\u00e9", "dog")
    plain = ImageSet("d", Path("d"), ("caf\u00e9", "dog"))
    assert with_composed_names(plain) is plain
    with pytest.raises(DataError, match="Two classes of d are called 'caf\u00e9', in two Unicode forms"):
        with_composed_names(ImageSet("d", Path("d"), ("cafe\u0301", "caf\u00e9")))
    assert data.with_names(["e\u0301_a", "b"]).names == ("\u00e9 a", "b")


def test_items_by_name_in_either_form() -> None:
    one, other = (Item(Path(name), 0, name) for name in ("e\u0301.jpg", "b.jpg"))
    find = find_by_name([one, other])
    assert find("\u00e9.jpg") is find("e\u0301.jpg") is one
    assert find("b.jpg") is other
    assert find("c.jpg") is None
    both = find_by_name([one, Item(Path("x"), 0, "\u00e9.jpg")])
    assert both("e\u0301.jpg") is one
