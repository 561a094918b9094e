"""Pascal VOC 2012: classes from twenty lists, difficult ones ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_helpers import voc, write
from dapt.data.catalog.base import CATALOG, Request
from dapt.data.catalog.places import require_place
from dapt.data.catalog.readers.voc import CLASSES
from dapt.data.items import ImageSet
from dapt.errors import DataError

VOC = CATALOG.get("voc2012")


def read(root: Path) -> ImageSet:
    return VOC.reader.read(VOC, require_place(VOC, root), Request(root))


def lists(root: Path) -> Path:
    return require_place(VOC, root).images.parent / "ImageSets" / "Main"


def test_every_class_that_is_shown_for_certain(tmp_path: Path) -> None:
    voc(tmp_path)
    data = read(tmp_path)
    assert data.multi_label
    assert len(data.names) == 20
    assert {"dining table", "potted plant", "tv monitor"} <= set(data.names)
    shown = {item.path.stem: [data.names[label] for label in item.labels] for item in data.split("train")}
    assert shown == {"2008_000001": ["dog", "person"], "2008_000002": ["car"]}  # its bus is difficult
    assert [item.path.stem for item in data.split("test")] == ["2008_000003", "2008_000005"]  # one shows nothing sure
    assert all(item.label == item.labels[0] for item in data.chosen("all"))
    assert data.split("val") == ()


def test_lists_count_what_is_left_out(tmp_path: Path) -> None:
    voc(tmp_path)
    listed = VOC.reader.listed(VOC, require_place(VOC, tmp_path), Request(tmp_path))
    assert listed == {"train": 2, "test": 3}


@pytest.mark.parametrize("line", ["2008_000001", "2008_000001 2", "../x 1", "2008_000001 1 1", "x\t\t+1"])
def test_lines_that_are_none(tmp_path: Path, line: str) -> None:
    voc(tmp_path)
    path = lists(tmp_path) / "dog_train.txt"
    write(path, "\n\n" + line + "\n")
    with pytest.raises(DataError, match=r"dog_train\.txt, line 3: .* is not 'ID 1', 'ID 0' or 'ID -1'"):
        read(tmp_path)


def test_a_list_that_is_missing_or_no_text(tmp_path: Path) -> None:
    voc(tmp_path)
    path = lists(tmp_path) / f"{list(CLASSES)[-1]}_val.txt"
    path.write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"tvmonitor_val\.txt cannot be read"):
        read(tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=r"The list .*tvmonitor_val\.txt .* is missing"):
        read(tmp_path)
