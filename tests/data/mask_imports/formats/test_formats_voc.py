"""Pascal VOC's label maps and XML files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dapt.data.mask_imports.base import BOXES, NO_PLACE, Asked, Wanted
from dapt.data.mask_imports.formats.voc import ALL, BOXES_TOO, DELETED, VocImport
from dapt.data.mask_imports.source import Source
from dapt.errors import DataError
from mask_exports import png, save, voc


def maps(folder: Path, *names: str, mode: str | None = "P", place: str = "SegmentationClass") -> Path:
    """Label maps of a few pixels."""
    for name in names:
        values = np.zeros((4, 4) if mode else (4, 4, 3), np.uint8)
        values[0] = 1
        png(folder / place / f"{name}.png", values, mode)
    return folder


def test_label_maps_go_before_boxes(tmp_path: Path) -> None:
    maps(tmp_path, "a", "b")
    save(tmp_path / "Annotations" / "a.xml", voc("a.jpg", "<object><name>cat</name></object>"))
    found = VocImport().read(Source(tmp_path), Asked())
    assert [(picture.names, picture.rules.kind, picture.wanted) for picture in found.pictures] == [
        (("a.png",), "labels", None),
        (("b.png",), "labels", None),
    ]
    assert found.left_out == {BOXES_TOO: ["Annotations/a.xml"]}
    assert (found.labels, found.guesses) == ({}, [ALL]), "nobody tells what the numbers mean"
    found = VocImport().read(Source(tmp_path), Asked(classes=("cat",)))
    assert len(found.labels) == 20, "those of the challenge"
    assert len(found.guesses) == 1
    assert "taken for those of Pascal VOC" in found.guesses[0]


def test_where_categories_are_named(tmp_path: Path) -> None:
    source = Source(maps(tmp_path / "voc", "a"))
    assert VocImport().read(source, Asked(("aeroplane", "cat"))).pictures[0].wanted == Wanted(frozenset({1, 8}))
    maps(tmp_path / "labelme", "a", place="SegmentationClassPNG")
    save(tmp_path / "labelme" / "class_names.txt", "__ignore__\n_background_\ncat\ndog\n")
    found = VocImport().read(Source(tmp_path / "labelme"), Asked(("dog",)))
    assert found.pictures[0].wanted == Wanted(frozenset({2}))
    assert list(found.labels) == ["cat", "dog"]
    maps(tmp_path / "cvat", "a", mode=None)
    save(tmp_path / "cvat" / "labelmap.txt", "# label\nbackground:0,0,0::\ncat:128,0,1::\nbroken\n")
    found = VocImport().read(Source(tmp_path / "cvat"), Asked())
    assert found.pictures[0].rules.kind == "colours"
    assert found.pictures[0].wanted == Wanted(colours=frozenset({0x800001}))


def test_maps_of_objects_are_used_where_there_are_no_others(tmp_path: Path) -> None:
    found = VocImport().read(Source(maps(tmp_path, "a", place="SegmentationObject")), Asked())
    assert found.pictures[0].files == (tmp_path / "SegmentationObject" / "a.png",)
    assert list(found.labels) == [], "they number objects, not categories"


def test_the_folder_of_label_maps_itself(tmp_path: Path) -> None:
    found = VocImport().read(Source(maps(tmp_path, "a") / "SegmentationClass"), Asked())
    assert found.pictures[0].names == ("a.png",)


def test_polygons_of_xml_files(tmp_path: Path) -> None:
    pt = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((1, 1), (5, 1), (5, 5)))
    objects = f"<object><name>cat</name><polygon>{pt}</polygon></object>"
    objects += "<object><polygon><x1>1</x1><y1>a</y1><x2>3</x2><y2>4</y2><x3>3</x3><y3>4</y3></polygon></object>"
    objects += (
        "<object><name>dog</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object>"
    )
    save(tmp_path / "a.xml", voc("b.jpg", objects))
    found = VocImport().read(Source(tmp_path), Asked())
    assert [(mark.label, mark.outlines[0].values) for mark in found.pictures[0].marks] == [
        ("cat", (1, 1, 5, 1, 5, 5)),
        ("dog", (0, 0, 4, 4)),
    ]
    assert found.pictures[0].names == ("a", "b.jpg")
    assert found.taken == {BOXES: ["a"]}
    assert found.damaged == ["a.xml: a polygon has corners that are no finite numbers (of a)"]


def test_xml_of_the_labelme_web_tool(tmp_path: Path) -> None:
    pt = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((1, 1), (5, 1), (5, 5)))
    polygon = f"<polygon><username>me</username>{pt}</polygon>"
    objects = f"<object><name>cat</name><deleted>0</deleted>{polygon}</object>"
    objects += f"<object><name>slip</name><deleted>1</deleted>{polygon}</object>"
    objects += "<object><name>dog</name><deleted>0</deleted><segm><mask>a_mask_0.png</mask></segm></object>"
    size = "<imagesize><nrows>30</nrows><ncols>40</ncols></imagesize>"
    save(tmp_path / "a.xml", f"<annotation><filename>a.jpg</filename>{objects}{size}</annotation>")
    found = VocImport().read(Source(tmp_path), Asked())
    (mark,) = found.pictures[0].marks
    assert (mark.label, mark.outlines[0].size) == ("cat", (40, 30))
    assert found.left_out == {DELETED: ["a"], NO_PLACE: ["a"]}
    assert "slip" not in found.labels


def test_damaged_objects(tmp_path: Path) -> None:
    wrong = "<object><name>c</name><bndbox><xmin>x</xmin></bndbox></object>"
    right = "<object><name>c</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>4</xmax><ymax>4</ymax></bndbox></object>"
    save(tmp_path / "a.xml", voc("a.jpg", wrong + right))
    save(tmp_path / "b.xml", voc("b.jpg", right).replace("<width>40", "<width>wide"))
    save(tmp_path / "c.xml", "<annotation>")
    found = VocImport().read(Source(tmp_path), Asked())
    assert [len(picture.marks) for picture in found.pictures] == [1, 0]
    assert ["not written as numbers" in each or "cannot be read" in each for each in found.damaged] == [True] * 3


def test_damaged_files(tmp_path: Path) -> None:
    save(tmp_path / "a" / "a.xml", "<annotation>")
    with pytest.raises(DataError, match=r"a\.xml cannot be read"):
        VocImport().read(Source(tmp_path / "a"), Asked())
    save(tmp_path / "b" / "SegmentationClass" / "a.png", "none")
    with pytest.raises(DataError, match="cannot be read"):
        VocImport().read(Source(tmp_path / "b"), Asked())
    save(tmp_path / "c" / "a.xml", "<html/>")
    with pytest.raises(DataError, match="holds no Pascal VOC data"):
        VocImport().read(Source(tmp_path / "c"), Asked())
