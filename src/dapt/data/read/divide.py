"""Dividing images that come without splits."""

from __future__ import annotations

from dapt.data.fewshot import split_off_validation
from dapt.data.items import Item

# Like CoOp divides such data sets: 50 / 20 / 30 per class.
TEST_SHARE, VAL_SHARE = 0.3, 0.2
SPLIT_SEED = 0
DIVIDED = "divided class by class into 50% train, 20% val and 30% test"


def divide(items: tuple[Item, ...]) -> dict[str, tuple[Item, ...]]:
    """Divide images reproducibly into train, val and test, class by class."""
    splits = {"train": items}
    for split, share in (("test", TEST_SHARE), ("val", VAL_SHARE / (1 - TEST_SHARE))):
        source = splits["train"]
        kept, taken = split_off_validation([item.label for item in source], share, SPLIT_SEED)
        splits[split] = tuple(source[position] for position in sorted(taken))
        splits["train"] = tuple(source[position] for position in sorted(kept))
    return splits
