"""What counts as pictures and labels, and what is said of what does not."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dapt.api.estimator_base import EstimatorError
from dapt.api.estimator_input import class_texts, image_set, labels_of, pictures_of
from dapt.errors import DataError
from helpers import draw

ONE = np.zeros((4, 5, 3), np.uint8)


@pytest.mark.parametrize(
    "given",
    [
        ["a.png", Path("b.png")],
        ("a.png", Image.new("RGB", (3, 4))),
        np.array(["a.png", "b.png"]),
        np.array([["a.png"], ["b.png"]], dtype=object),
        [ONE, ONE[:2]],
        np.stack([ONE, ONE]),
    ],
)
def test_lists_of_pictures(given: Any) -> None:
    found = pictures_of(given)
    assert len(found) == 2
    assert not any(isinstance(each, np.str_) for each in found)


def test_a_column_of_a_table() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"photo": ["a.png", "b.png"], "shelf": [1, 2]})
    assert pictures_of(table["photo"]) == pictures_of(table[["photo"]]) == ["a.png", "b.png"]
    with pytest.raises(EstimatorError, match=r"a table of shape \(2, 2\)"):
        pictures_of(table)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("a.png", r"one picture.*\n.*\[X\]"),
        (ONE, "one picture"),
        ([], "X holds no picture"),
        (np.empty((0, 4, 4, 3), np.uint8), "X holds no picture"),
        (None, "NoneType"),
        (iter(["a.png"]), "list_iterator"),
        ({"a": 1}, "dict"),
        (np.zeros((3, 7)), r"an array of float64 of shape \(3, 7\)"),
        (["a.png", 7], r"X\[1\] is 7"),
        ([ONE.astype(float)], r"X\[0\] is an array of float64"),
        ([ONE[..., 0]], r"X\[0\] is an array of uint8 of shape \(4, 5\)"),
    ],
)
def test_what_is_no_list_of_pictures(given: Any, message: str) -> None:
    with pytest.raises(EstimatorError, match=message):
        pictures_of(given)


def test_labels() -> None:
    assert labels_of(["a", "b"], 2).tolist() == ["a", "b"]
    assert labels_of(np.array([2.0, 1.0]), 2).tolist() == [2.0, 1.0]
    with pytest.warns(UserWarning, match="A column-vector y"):
        assert labels_of([[1], [2]], 2).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "y is None"),
        ([1, 2, 3], "X holds 2 pictures and y 3 labels"),
        ([[1, 2], [3, 4]], r"shape \(2, 2\)"),
        ([0.5, 1.0], "not whole"),
        ([np.nan, 1.0], "not whole"),
        (np.array([1, "b"], dtype=object), "several types: int, str"),
        (np.array([None, None]), "not None"),
        (["a", float("nan")], r"several types: float, str \(y\[0\] is 'a', y\[1\] nan\)"),
        (["1", 1], "several types: int, str"),
        ([True, 1], "several types: bool, int"),
        ([["a"], [None]], "several types: NoneType, str"),
        ([1j, 2j], "not 1j"),
        (np.array([1j, 2j]), "y holds complex128"),
        ([b"a", b"b"], "a text or a whole number, not b'a'"),
        (np.array([b"a", b"b"]), r"y holds \|S1"),
        (np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"), "y holds datetime64"),
        ([2**70, 1], "more than 64 bits"),
    ],
)
def test_what_are_no_labels(given: Any, message: str) -> None:
    with warnings.catch_warnings(), pytest.raises(EstimatorError, match=message):
        labels_of(given, 2)


def test_labels_in_objects_are_unwrapped() -> None:
    for given, kind in (([3, 4], "i"), (["a", "b"], "U"), ([np.int64(3), 4.0], "f"), ([True, False], "b")):
        found = labels_of(np.array(given, dtype=object), 2)
        assert (found.dtype.kind, found.tolist()) == (kind, given)


def test_class_texts() -> None:
    classes = np.array([3, 5])
    assert class_texts(classes, None) == ["3", "5"]
    assert class_texts(classes, ["cat", "dog"]) == class_texts(classes, {5: "dog", 3: "cat"}) == ["cat", "dog"]
    for names, message in (
        (["cat"], "1 name for 2 classes"),
        ("cat", "1 name"),
        (3, "class_names is 3"),
        ({"cat", "dog"}, "names are wanted"),
        ({3: "cat"}, "no name of the label 5"),
    ):
        with pytest.raises(EstimatorError, match=message):
            class_texts(classes, names)


def test_files_stay_and_others_become_files(tmp_path: Path) -> None:
    picture = draw("red_square", 0)[0]
    picture.save(tmp_path / "own.png")
    data = image_set([tmp_path / "own.png", picture, np.asarray(picture)], [0, 1, 1], ["a_b", "c"], tmp_path / "made")
    assert data.names == ("a b", "c")
    first, *others = data.split("train")
    assert (first.path, first.name, first.label) == (tmp_path / "own.png", "000000-own.png", 0)
    assert [item.name for item in others] == ["000001.png", "000002.png"]
    for item in others:
        assert np.array_equal(np.asarray(Image.open(item.path)), np.asarray(picture))


def test_names_that_are_one_and_pictures_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="are called 'a b'"):
        image_set(["x", "y"], [0, 1], ["a_b", "a b"], tmp_path)
    with pytest.raises(EstimatorError, match=r"X\[1\]: An array without pixels"):
        image_set([ONE, ONE[:0]], [0, 1], ["a", "b"], tmp_path)
