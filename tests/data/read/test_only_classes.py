"""Some of the classes of a data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import ImageSet, Item
from dapt.data.read.only_classes import only_classes
from dapt.errors import ConfigError

NAMES = ("cat", "red fox", "owl")


def data(names: tuple[str, ...] = NAMES, *, several: bool = False) -> ImageSet:
    items = tuple(
        Item(Path(f"{number}.jpg"), number % 3, str(number), labels=(number % 3, 2) if several else ())
        for number in range(9)
    )
    return ImageSet("photos", Path("photos"), names, {"train": items[:6], "test": items[6:]}, multi_label=several)


def test_the_classes_keep_their_order_and_their_images() -> None:
    found = only_classes(data(), ["owl", "red_fox"])
    assert found.names == ("red fox", "owl")
    assert [(item.name, item.label) for item in found.split("train")] == [("1", 0), ("2", 1), ("4", 0), ("5", 1)]
    assert found.guessed == ("2 of 3 classes are used; 3 images left out",)


def test_of_images_that_show_several_what_is_left() -> None:
    found = only_classes(data(several=True), ["cat", "owl"])
    assert [item.labels for item in found.split("test")] == [(0, 1), (1,), (1, 1)]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [(["cats"], "no class 'cats'.*'cat'"), (["cat", "cat"], "twice"), ([""], "no class ''")],
)
def test_what_is_refused(wanted: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){told}"):
        only_classes(data(), wanted)


def test_a_name_of_two_classes() -> None:
    with pytest.raises(ConfigError, match="Several classes"):
        only_classes(data(("cat", "cat", "owl")), ["cat"])
