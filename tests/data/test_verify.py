"""Checking data on disk: what is found, and how it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog_helpers import aircraft, voc
from dapt.data.verify import NO_TRAINING, Report, count, describe, verify
from dapt.errors import ConfigError, DataError
from dapt.wording import some
from helpers import make_folder, spoil_png


def test_a_folder_in_order(photos: Path) -> None:
    report = verify(str(photos), decode=True)
    assert report.good
    assert (report.classes, sum(report.images.values()), report.masked) == (4, 32, 0)
    assert describe(report).splitlines()[-1] == "All is as expected."


def test_data_for_testing_alone_is_called_so(tmp_path: Path) -> None:
    make_folder(tmp_path / "data" / "test", per_class=2)
    report = verify(str(tmp_path / "data"))
    assert report.good
    assert NO_TRAINING in report.notes
    assert describe(report).splitlines()[-1] == "The files are as expected, but see above."


def test_what_is_wrong_with_files(photos: Path) -> None:
    """The same three files, looked at without and with decoding."""
    kind = photos / "red_square"
    (kind / "00.png").write_bytes(b"")
    spoil_png(kind / "01.png")
    report = verify(str(photos))
    assert report.empty == ["red_square/00.png"]
    assert (report.missing, report.damaged) == ([], [])
    report = verify(str(photos), decode=True)
    assert report.damaged == ["red_square/01.png"]
    assert report.problems == ["Empty (0 bytes): 1 file (red_square/00.png).", "Damaged: 1 file (red_square/01.png)."]
    assert not report.good
    assert report.as_json()["good"] is False
    json.dumps(report.as_json())


def test_masks_of_a_table(table: Path) -> None:
    report = verify(str(table), decode=True)
    assert report.masked == 32
    assert "32 images have a mask." in report.notes
    (table.parent / "masks" / "red_square_0.png").unlink()
    report = verify(str(table))
    assert report.missing == ["mask of images/red_square_0.png"]


def test_a_data_set_of_the_catalog_is_compared_with_what_it_should_hold(tmp_path: Path) -> None:
    dataset = aircraft(tmp_path)
    (tmp_path / dataset.folder / "images" / "0034310.jpg").unlink()
    report = verify("fgvc_aircraft", str(tmp_path))
    assert (report.classes, report.expected_classes) == (3, 100)
    assert report.images == {"train": 14, "val": 6, "test": 9}
    assert report.missing == ["images/0034310.jpg"]
    assert "There are 3 classes, not 100." in report.problems
    assert f"train: 14 images there, not {dataset.counts['train']}." in report.problems
    assert "No masks are there." in report.notes


def test_images_in_official_lists_count_where_some_are_left_out(tmp_path: Path) -> None:
    voc(tmp_path)
    report = verify("voc2012", str(tmp_path))
    assert report.images == {"train": 2, "test": 2}
    assert any(problem.startswith("test: 3 images listed, not ") for problem in report.problems)
    assert "2 of 4 images have a mask (own)." in report.notes


def test_nothing_there(tmp_path: Path) -> None:
    report = verify("dtd", str(tmp_path))
    assert report.folder == ""
    assert len(report.problems) == 1
    assert describe(report).startswith("dtd: not found\n")
    with pytest.raises(ConfigError, match=r"There is no data set 'dtt'"):
        verify("dtt", str(tmp_path))
    with pytest.raises(DataError):
        verify(str(tmp_path))  # a folder without classes


def test_the_report_as_text() -> None:
    report = Report(
        "x\n",
        "/d",
        "coop",
        classes=2,
        expected_classes=3,
        images={"train": 1234, "test": 1},
        expected_images={"train": 1234},
        notes=["n"],
        problems=["p\x1b"],
    )
    assert describe(report).splitlines() == [
        "x\\n: /d (coop)",
        "  classes          2  expected 3",
        "  train        1,234  expected 1,234",
        "  test             1",
        "  n",
        "  problem: p\\x1b",
        "  What the images and class names hold is looked at by 'dapt data check'.",
        "Problems: 1.",
    ]


def test_numbers_and_lists_in_words() -> None:
    assert [count(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert some(["a", "b", "c"]) == "a, b, c"
    assert some(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert some([]) == ""
