"""Dividing data without splits."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from dapt.data.items import Item
from dapt.data.read.divide import divide


def test_shares_of_each_class() -> None:
    items = tuple(Item(Path(f"{number}.jpg"), number % 2, str(number)) for number in range(40))
    splits = divide(items)
    assert {split: Counter(item.label for item in part) for split, part in splits.items()} == {
        "train": {0: 10, 1: 10},
        "val": {0: 4, 1: 4},
        "test": {0: 6, 1: 6},
    }
    assert sorted(item.name for part in splits.values() for item in part) == sorted(item.name for item in items)
    assert divide(items) == splits
