"""The whole check of a data set, and its report in words and as JSON."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from checked_data import image_set, scene

from dapt.data.check.check_data import KEYS, check_data, describe
from dapt.data.items import ImageSet


@pytest.fixture
def clean(tmp_path: Path) -> ImageSet:
    rows = {split: [(f"{split}{n}.png", n % 2) for n in range(4)] for split in ("train", "val", "test")}
    for number, (name, _) in enumerate(row for part in rows.values() for row in part):
        scene(number).save(tmp_path / name)
    return image_set(tmp_path, test=rows["test"], train=rows["train"], val=rows["val"])


def test_clean_data(clean: ImageSet) -> None:
    report = check_data(clean)
    assert report.findings == ()
    assert report.good
    assert list(report.per_class) == ["train", "val", "test"]
    text = describe(report)
    assert "images   train 4, val 4, test 4" in text
    assert text.endswith("Nothing was found.")
    remarked = describe(check_data(replace(clean, guessed=("a folder is taken for a class.",))))
    assert remarked.endswith("No errors and no warnings; see the remarks above.")


def test_copies_are_told_once_and_near_copies_beside_them(clean: ImageSet, tmp_path: Path) -> None:
    shutil.copy(tmp_path / "train0.png", tmp_path / "test0.png")
    scene(1).resize((80, 60)).save(tmp_path / "test1.png")
    report = check_data(clean)
    found = {one.kind: one.groups for one in report.findings}
    assert found == {"leak": (("train0.png", "test0.png"),), "near_splits": (("train1.png", "test1.png"),)}
    assert not report.good
    assert [one.severity for one in report.findings] == ["error", "warning"]
    assert "Found: 1 error, 1 warning." in describe(report)
    assert check_data(clean, official=True).good


def test_damaged_copies_are_damaged(clean: ImageSet, tmp_path: Path) -> None:
    for name in ("train0.png", "test0.png", "test1.png"):
        (tmp_path / name).write_bytes(b"")
    assert {one.kind for one in check_data(clean).findings} == {"unreadable"}


def test_what_reading_said_is_shown(clean: ImageSet) -> None:
    data = replace(
        clean,
        names=("0", "1"),
        layout="split folders",
        unused={"no picture": ("notes.txt", "a\nb.txt")},
        guessed=("The delimiter is a semicolon.",),
    )
    report = check_data(data)
    text = describe(report)
    for part in ("split folders", "2 files: no picture (notes.txt, a\\nb.txt)", "The delimiter is a semicolon."):
        assert part in text
    tree = json.loads(json.dumps(report.as_json()))
    assert tree.keys() >= KEYS
    assert tree["unused"] == {"no picture": ["notes.txt", "a\nb.txt"]}
    assert tree["good"] is True
    assert tree["per_class"]["train"] == [2, 2]
    assert [one["kind"] for one in tree["findings"]] == ["number"]
