"""Which column serves for what, and classes from the values of a column."""

from __future__ import annotations

import datasets
import pytest
from datasets import ClassLabel, Image, Value

from dapt.data.hub.columns import Columns, choose_columns, choose_splits, number_classes
from dapt.errors import DataError

TEXT, NUMBER = Value("string"), Value("int64")


def features(**columns: object) -> datasets.Features:
    return datasets.Features(columns)


def test_columns_by_type_and_name() -> None:
    given = features(id=NUMBER, pic=Image(), Mask=Image(), fine=ClassLabel(names=["a"]), group=TEXT, note=TEXT)
    assert choose_columns(given, {}, "x") == Columns("pic", "fine", "Mask", "group")
    chosen = {"mask": "", "label": "note", "group": "id"}
    with pytest.raises(DataError, match="several image columns"):
        choose_columns(given, chosen, "x")
    assert choose_columns(given, {**chosen, "image": "pic"}, "x") == Columns("pic", "note", None, "id")
    assert choose_columns(given, {"label": "", "group": ""}, "x") == Columns("pic", None, "Mask", None)


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"label": TEXT, "other": ClassLabel(names=["a"])}, "other"),  # classes before text
        ({"coarse": ClassLabel(names=["a"]), "Label": ClassLabel(names=["a"])}, "Label"),
        ({"category": TEXT, "label": NUMBER}, "category"),
        ({"labels": NUMBER}, "labels"),
    ],
)
def test_the_column_of_classes(columns: dict[str, object], label: str) -> None:
    assert choose_columns(features(image=Image(), **columns), {}, "x").label == label


@pytest.mark.parametrize(
    ("columns", "choices", "message"),
    [
        ({"image": Image()}, {}, r"no column of classes[\s\S]*Without classes write \?label="),
        (
            {"image": Image(), "a": ClassLabel(names=["x"]), "b": ClassLabel(names=["x"])},
            {},
            "several columns of classes",
        ),
        ({"label": NUMBER}, {}, r"no image column[\s\S]*\?image=COLUMN among: label"),
        ({"image": Image(), "label": NUMBER}, {"label": "labell"}, r"no column 'labell'[\s\S]*Did you mean 'label'"),
        ({"image": Image(), "label": NUMBER}, {"image": "label"}, "'label' of x does not hold images"),
        ({"image": Image(), "label": NUMBER}, {"label": "image"}, "does not hold one class per image"),
        ({"image": Image(), "label": Value("float32")}, {"label": "label"}, "does not hold one class per image"),
    ],
)
def test_columns_that_cannot_be_told(columns: dict[str, object], choices: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        choose_columns(features(**columns), choices, "x")


@pytest.mark.parametrize(
    ("available", "choices", "roles"),
    [
        (["train", "validation", "test"], {}, {"train": "train", "validation": "val", "test": "test"}),
        (["train", "dev"], {}, {"train": "train", "dev": "val"}),
        (["train"], {}, {"train": "all"}),
        (["train"], {"train": "train"}, {"train": "train"}),
        (["test"], {}, {"test": "test"}),
        (["everything"], {}, {"everything": "all"}),
        (["a", "train", "test"], {"split": "a"}, {"a": "all"}),
        (["train", "extra", "test"], {"train": "extra"}, {"extra": "train", "test": "test"}),
        (["train", "test"], {"test": ""}, {"train": "train"}),
        (["Train", "other"], {}, {"Train": "train"}),
    ],
)
def test_splits(available: list[str], choices: dict[str, str], roles: dict[str, str]) -> None:
    assert choose_splits(available, choices, "x") == roles


@pytest.mark.parametrize(
    ("available", "choices", "message"),
    [
        (["train", "test"], {"val": "tset"}, r"no split 'tset'[\s\S]*Did you mean 'test'"),
        (["val", "dev"], {}, r"Several splits of x could serve as val[\s\S]*\?val=SPLIT"),
        (["a", "b"], {}, r"None of the splits[\s\S]*among: a, b"),
    ],
)
def test_splits_that_cannot_be_told(available: list[str], choices: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        choose_splits(available, choices, "x")


def test_one_split_for_two_roles_is_refused() -> None:
    with pytest.raises(DataError):
        choose_splits(["x", "test"], {"train": "x", "val": "x"}, "x")


def test_classes_are_numbered_by_their_order() -> None:
    kind = ClassLabel(names=["dog", "cat", "ant "])
    assert number_classes(kind, [2, 0, None, -1, 2]) == ([1, 0, -1, -1, 1], ["dog", "ant"])
    assert number_classes(TEXT, ["dog", " cat", "", None, "cat "]) == ([1, 0, -1, -1, 0], ["cat", "dog"])
    assert number_classes(NUMBER, [7, 3, -1, 7]) == ([1, 0, -1, 1], ["class 3", "class 7"])
    assert number_classes(TEXT, [None]) == ([-1], [])


def test_columns_in_words() -> None:
    assert str(Columns("img", "label", None, None)) == "image from 'img', label from 'label'"
