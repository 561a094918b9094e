"""Files that say something of all photographs of a YOLO export."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.exports.yolo_about import MOST_NAMES, About, about
from dapt.data.read.tree import look_through
from dapt.errors import DataError


def said(folder: Path, text: str | bytes, name: str = "data.yaml") -> About:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return about(look_through(folder))


def test_names_are_texts(tmp_path: Path) -> None:
    assert said(tmp_path, "names: [yes, no, on, 1, 1.0, ~]").names == ["yes", "no", "on", "1", "1.0", "~"]
    assert said(tmp_path, "names: {1: off, 0: true}").names == ["true", "off"]
    assert said(tmp_path, "names: {1: a, 2: b}").names == []
    assert said(tmp_path, "names: [[a], b]").names == []


def test_splits_and_key_points(tmp_path: Path) -> None:
    found = said(tmp_path, "train: a\nval: [b, c]\ntest:\nkpt_shape: [17, 3]\nnames: [x]")
    assert (found.places, found.keypoints) == ({"train": ["a"], "val": ["b", "c"], "test": []}, True)


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "{a: " * 20_000, "names: [*a]", "names", "- names", "names: {", b"\xff\x00"]
)
def test_other_files_have_no_names(tmp_path: Path, text: str | bytes) -> None:
    assert said(tmp_path, text) == About()


def test_aliases_that_multiply(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert said(tmp_path, bomb + "names: *a29").names == []
    assert said(tmp_path, bomb + "names: [cat]").names == ["cat"]


def test_number_of_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="up to 50000 are read"):
        said(tmp_path, "\n".join(map(str, range(MOST_NAMES + 1))), "classes.txt")


def test_names_of_windows(tmp_path: Path) -> None:
    assert said(tmp_path, "Käse\r\nBrötchen\r\n".encode("cp1252"), "classes.txt").names == ["Käse", "Brötchen"]
    with pytest.raises(DataError, match=r"classes\.txt cannot be read"):
        said(tmp_path, b"\x81\x8d", "classes.txt")
