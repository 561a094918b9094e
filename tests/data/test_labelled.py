"""Labelled images of some classes: renumbered, and without the damaged ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import ImageSet, Item
from dapt.data.labelled import LabelledImages, checked_part, class_labels, select_classes
from dapt.data.read.folder import read_folder
from dapt.errors import DataError

NAMES = ("ant", "bee", "cow", "dog", "eel")


def data(*labels: tuple[int, ...], multi_label: bool = False) -> ImageSet:
    """A data set of training images with these classes."""
    items = tuple(
        Item(Path(f"{number}.png"), own[0], f"{number}.png", labels=own if multi_label else ())
        for number, own in enumerate(labels)
    )
    return ImageSet("x", Path(), NAMES, {"train": items}, multi_label=multi_label)


def test_subsets_of_the_classes() -> None:
    five = data((0,))
    assert [class_labels(five, subset) for subset in ("all", "base", "novel")] == [[0, 1, 2, 3, 4], [0, 1, 2], [3, 4]]


def test_images_of_the_kept_classes() -> None:
    given = data((4,), (0,), (3,), (4,))
    part = select_classes(given, given.split("train"), [3, 4])
    assert part.names == ("dog", "eel")
    assert part.labels == (1, 0, 1)
    assert [item.name for item in part.items] == ["0.png", "2.png", "3.png"]


def test_images_with_several_classes_show_the_kept_ones() -> None:
    given = data((0, 3), (1, 2), (4, 3, 0), multi_label=True)
    part = select_classes(given, given.split("train"), [3, 4])
    assert [(item.name, item.label, item.labels) for item in part.items] == [("0.png", 0, (0,)), ("2.png", 1, (1, 0))]
    assert part.labels == (0, 1)


def test_without_damaged_images(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = read_folder(photos)
    part = LabelledImages(found.split("train"), tuple(item.label for item in found.split("train")), found.names)
    assert checked_part(part, skip_bad=False, label="looking") == (part, 0)
    part.items[1].path.write_bytes(b"no picture")
    part.items[-1].path.unlink()
    with pytest.raises(DataError, match="1 more such files"):
        checked_part(part, skip_bad=False, label="looking")
    left, bad = checked_part(part, skip_bad=True, label="looking")
    assert bad == 2
    assert left.items == (part.items[0], *part.items[2:-1])
    assert left.labels == (part.labels[0], *part.labels[2:-1])
    assert left.names == part.names
    assert "2 damaged or missing images are left out" in capsys.readouterr().err
