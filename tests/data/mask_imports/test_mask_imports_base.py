"""What an import finds, and counts."""

from __future__ import annotations

import math

import pytest

from dapt.data.mask_imports.base import FEW_POINTS, IMPORTS, NO_AREA, TEXTS, Found
from dapt.errors import DataError


def test_every_format_says_what_it_is() -> None:
    assert len(IMPORTS.names()) == 9
    titles = [IMPORTS.get(name).title for name in IMPORTS.names()]
    assert all(titles)
    assert len(set(titles)) == 9


def test_polygons_are_checked_and_counted() -> None:
    found = Found("COCO")
    outline = found.polygon([1, "2", 3.5, 4, 5, 6], (9, 9), "a.jpg", "f.json")
    assert outline is not None
    assert outline.values == (1, 2, 3.5, 4, 5, 6)
    assert found.taken == {TEXTS: ["a.jpg"]}
    assert found.polygon([1, 2, 3, 4], (9, 9), "a.jpg", "f.json") is None
    assert found.left_out == {FEW_POINTS: ["a.jpg"]}
    for bad in ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5, math.nan], [1, 2, 3, 4, 5, None], [1, 2, 3, 4, 5, "nan"], [True] * 6):
        found.damaged.clear()
        assert found.polygon(bad, (9, 9), "a.jpg", "f.json") is None
        assert len(found.damaged) == 1
        assert found.damaged[0].startswith("f.json: a polygon has ")
        assert found.damaged[0].endswith("(of a.jpg)")


def test_categories_that_there_are_not() -> None:
    found = Found("COCO", labels={"cat": None, "dog": None})
    found.check_classes(None)
    found.check_classes(["cat"])
    with pytest.raises(DataError, match=r"no category 'cta'.*--classes.*\n.*'cat'"):
        found.check_classes(["cat", "cta"])


def test_one_and_many() -> None:
    assert (NO_AREA.one.split()[0], NO_AREA.split()[0]) == ("line,", "lines,")
    assert {str(NO_AREA): 1} == {NO_AREA: 1}
