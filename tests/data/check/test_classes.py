"""Classes without images, a single class, and classes of very different size."""

from __future__ import annotations

from checked_data import items

from dapt.data.check.classes import class_findings, images_per_class
from dapt.data.items import Item


def rows(*counts: int, split: str = "a") -> tuple[Item, ...]:
    return items(*((f"{split}{label}-{n}", label) for label, count in enumerate(counts) for n in range(count)))


def kinds(
    names: tuple[str, ...], *, official: bool = False, **splits: tuple[Item, ...]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {one.kind: (one.severity, one.names) for one in class_findings(splits, names, official=official)}


def test_ordinary_classes() -> None:
    assert kinds(("a", "b"), train=rows(5, 9), val=rows(1, 0), test=rows(2, 2)) == {}


def test_what_is_missing() -> None:
    names = ("a", "b", "c")
    assert kinds(names, train=rows(5, 5, 5), test=rows(2, 0, 2)) == {"no_test_images": ("warning", ("b",))}
    assert kinds(names, train=rows(5, 0, 5), test=rows(2, 2, 2)) == {"no_train_images": ("error", ("b",))}
    assert kinds(names, train=rows(5, 5, 5)) == {"no_test": ("warning", ())}
    assert kinds(names, test=rows(5, 5, 5)) == {"no_train": ("error", ())}
    assert kinds(names, test=rows(5, 5, 5), official=True) == {}, "test sets of the catalog have no training images"


def test_images_without_classes() -> None:
    names, bare = ("a", "b"), items(("x", -1), ("y", -1))
    assert kinds(names, train=bare, test=rows(1, 1)) == {"no_train": ("error", ())}
    assert kinds(names, train=rows(1, 1), test=bare) == {"no_test_images": ("warning", names)}
    ((first, _),) = [(one.what, one) for one in class_findings({"train": rows(1, 1), "test": bare}, names)]
    assert first == "None of the 2 test images has a class, so there will be no accuracy."


def test_one_class() -> None:
    assert kinds(("all",), train=rows(5), test=rows(5)) == {"one_class": ("warning", ("all",))}


def test_balance() -> None:
    assert kinds(("a", "b"), train=rows(2, 19), test=rows(1, 1)) == {}
    assert kinds(("a", "b"), train=rows(2, 20), test=rows(1, 1)) == {"balance": ("warning", ("a", "b"))}


def test_images_that_show_several_classes_count_for_each() -> None:
    item = items(("x", 0))[0]
    both = Item(item.path, 0, "x", labels=(0, 2))
    assert images_per_class({"train": (both,), "val": ()}, 3) == {"train": [1, 0, 1]}
    assert images_per_class({"train": items(("x", -1))}, 2) == {"train": [0, 0]}
