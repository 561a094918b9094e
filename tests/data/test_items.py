"""`ImageSet`: which items a choice of splits names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import ImageSet, Item
from dapt.errors import ConfigError


def test_all_splits_name_an_image_once() -> None:
    """ImageNet's val and test are the same images."""
    train, val = (Item(Path("d") / name, 0, name) for name in ("a.jpg", "b.jpg"))
    data = ImageSet("d", Path("d"), ("x",), {"train": (train,), "val": (val,), "test": (val,)})
    assert data.chosen("all") == [train, val]
    assert data.chosen("val") == data.chosen("test") == [val]
    with pytest.raises(ConfigError, match="has no split 'tset'"):
        data.chosen("tset")
