"""ImageNet's class names: 1000 lines of "wnid name", in the order of their wnids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog_helpers import WNIDS, class_names_text, write
from dapt.data.catalog.base import CATALOG, Place, Request
from dapt.data.catalog.readers.class_names_file import parse_class_names, read_class_names
from dapt.errors import DataError


def test_names_by_wnid_whatever_the_order_of_the_lines(tmp_path: Path) -> None:
    lines = class_names_text().splitlines()
    path = write(tmp_path / "classnames.txt", "\n\n".join(reversed(lines)).replace(" ", " \t ", 1) + "\n")
    names = parse_class_names(path)
    assert list(names) == WNIDS
    assert names[WNIDS[0]] == "thing 0"
    assert names[WNIDS[657]] == names[WNIDS[744]] == "missile"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace(WNIDS[5], "n123", 1), r"line 6: 'n123 thing_5' is not 'wnid name'"),
        (lambda text: text.replace(" thing_7\n", "\n", 1), r"line 8: '.*' is not 'wnid name'"),
        (lambda text: text.replace(WNIDS[1], WNIDS[0], 1), f"line 2: {WNIDS[0]} occurs twice"),
        (lambda text: text.split("\n", 1)[1], "names 999 classes, not 1000"),
        (lambda text: text + "n99999999 more\n", "names 1001 classes, not 1000"),
        (lambda text: "", "names 0 classes"),
    ],
)
def test_what_is_not_that_list(tmp_path: Path, change: Callable[[str], str], message: str) -> None:
    path = write(tmp_path / "classnames.txt", change(class_names_text()))
    with pytest.raises(DataError, match=message):
        parse_class_names(path)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        parse_class_names(write(tmp_path / "x", b"\xff\xff"))
    with pytest.raises(DataError, match="cannot be read: it is a folder"):
        parse_class_names(tmp_path)


def test_a_variant_uses_its_own_file_before_imagenets(tmp_path: Path) -> None:
    dataset = CATALOG.get("imagenet_r")
    layout = dataset.layouts[0]
    place = Place(layout, tmp_path / layout.folder, tmp_path / layout.folder / layout.images)
    with pytest.raises(DataError, match="--only class-names"):
        read_class_names(dataset, place, Request(tmp_path))
    write(tmp_path / "imagenet" / "classnames.txt", class_names_text())
    assert len(read_class_names(dataset, place, Request(tmp_path))) == 1000
    write(place.root / "classnames.txt", "")
    with pytest.raises(DataError, match="names 0 classes"):
        read_class_names(dataset, place, Request(tmp_path))
