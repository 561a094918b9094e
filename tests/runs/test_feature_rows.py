"""What a file of features says of each image."""

from __future__ import annotations

from pathlib import Path

from dapt.data.items import ImageSet, Item
from dapt.runs.feature_rows import FeatureRow, feature_rows


def item(name: str, label: int = -1, labels: tuple[int, ...] = ()) -> Item:
    return Item(Path("/data") / name, label, name, labels=labels)


def test_class_and_split_of_each_image() -> None:
    data = ImageSet(
        "d", Path("/data"), ("cat", "dog"), {"train": (item("a", 1),), "test": (item("b", 0), item("a", 1))}
    )
    rows = feature_rows(data, data.chosen("all"), "all")
    assert rows == [FeatureRow("a", 1, "dog", "train"), FeatureRow("b", 0, "cat", "test")]
    assert feature_rows(data, data.chosen("test"), "test")[1] == FeatureRow("a", 1, "dog", "test")


def test_without_classes_and_splits() -> None:
    data = ImageSet("d", Path("/data"), (), {"all": (item("a"),)})
    assert feature_rows(data, data.chosen("all"), "all") == [FeatureRow("a", -1, "", "")]
    assert feature_rows(data, data.chosen("all"), "all")[0].split == ""


def test_several_classes() -> None:
    data = ImageSet("d", Path("/data"), ("cat", "dog"), {"train": (item("a", 1, (1, 0)),)}, multi_label=True)
    assert feature_rows(data, data.chosen("train"), "train") == [FeatureRow("a", 1, "dog|cat", "train")]


def test_names_that_no_text_can_hold_are_told(capsys) -> None:
    data = ImageSet("d", Path("/data"), (), {"all": (item("a\udcff"), item("ü\n"))})
    assert [row.image for row in feature_rows(data, data.chosen("all"), "all")] == ["a\\udcff", "ü\n"]
    assert "1 name of images" in " ".join(capsys.readouterr().err.split())
