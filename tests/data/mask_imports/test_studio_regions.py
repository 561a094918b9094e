"""What results of Label Studio say of regions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dapt.data.mask_imports.base import Found
from dapt.data.mask_imports.studio_regions import OTHER, WITHOUT_AREA, Names, Region, outline_of

PLACE = {"points": [[10, 10], [50, 10], [50, 50]], "closed": True}
BOX = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0}


def regions(*results: dict[str, Any]) -> list[Region]:
    """The regions of results."""
    names = Names(results)
    return [region for result in results if (region := names.region(result)) is not None]


def told(*results: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """Their kinds and labels."""
    return [(region.kind, region.labels) for region in regions(*results)]


def test_labels_in_a_result_of_their_own() -> None:
    place = {"id": "a", "type": "polygon", "value": PLACE}
    label = {"id": "a", "type": "labels", "value": {**PLACE, "labels": ["cat", "pet"]}}
    other = {"id": "b", "type": "polygon", "value": PLACE}
    asked = {"id": "a", "type": "choices", "value": {**PLACE, "choices": ["good"]}}
    assert told(place, label, other, asked) == [("polygonlabels", ("cat", "pet")), ("polygonlabels", ("(no name)",))]
    assert told(label) == [("polygonlabels", ("cat", "pet"))], "alone it is the region"


def test_what_json_min_leaves_out() -> None:
    assert told({**PLACE, "labels": ["cat"]}, PLACE) == [("polygonlabels", ("cat",))]
    assert told({**BOX, "labels": ["cat"]}) == [("rectanglelabels", ("cat",))]
    assert told({"x": 1, "y": 1, "radiusX": 2, "radiusY": 3, "labels": ["cat"]}) == [("ellipselabels", ("cat",))]
    assert told({"format": "rle", "rle": [1], "brushlabels": ["cat"]}) == [("brushlabels", ("cat",))]
    assert told({"x": 1, "y": 1, "width": 1, "labels": ["nose"]}) == [(WITHOUT_AREA, ("nose",))]
    assert told({**BOX, "choices": ["good"]}, {"start": 1, "end": 2, "labels": ["word"]}) == []


def test_what_has_no_place_and_what_is_not_known() -> None:
    assert told({"type": "relation", "from_id": "a", "to_id": "b"}, {"type": "rating", "value": {"rating": 3}}) == []
    video = {"type": "videorectangle", "value": {"sequence": [], "labels": ["car"]}}
    assert told(video, {"type": "cuboid", "value": BOX}) == [(OTHER, ("car",)), (OTHER, ("(no name)",))]
    assert told({"type": "vector", "value": {"vertices": []}}) == [(WITHOUT_AREA, ("(no name)",))]


def test_damaged_bitmaps() -> None:
    for url in (3, "data:image/png;base64,aGVsbG8=", "data:image/png;base64,%%"):
        (region,) = regions({"type": "bitmask", "value": {"imageDataURL": url}})
        with pytest.raises((ValueError, OSError)):
            outline_of(Found("Label Studio"), region, "a.jpg", "f.json")


def test_shares_of_the_picture() -> None:
    (region,) = regions({"type": "rectanglelabels", "value": {**BOX, "rectanglelabels": ["cat"]}})
    outline = outline_of(Found("Label Studio"), region, "a.jpg", "f.json")
    assert outline is not None
    assert np.allclose(outline.values, (0.1, 0.2, 0.4, 0.6))
