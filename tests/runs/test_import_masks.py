"""Importing masks: every format says the same, and whatever is wrong with an export is refused or counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dapt.data.mask_imports.base import IMPORTS
from dapt.errors import ConfigError, DaptError, DataError
from dapt.runs.import_masks import import_masks
from mask_exports import (
    BOXES,
    EXPORTS,
    SIZE,
    coco_tree,
    corners,
    cvat,
    cvat_image,
    labelme,
    make_photos,
    png,
    read,
    save,
    shape,
    true_mask,
    write_alpha,
    write_coco,
    write_instances,
    write_suffix,
    write_yolo,
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four photographs in two class folders."""
    return make_photos(tmp_path / "photos")


def flat(box: Any) -> list[list[float]]:
    """A box as COCO's polygon."""
    return [[value for corner in corners(box) for value in corner]]


def mask_of(out: Path, name: str) -> np.ndarray:
    """The mask of a photograph."""
    return read(out / f"{name[:-4]}.png")


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("asked", ["auto", pytest.param("named", marks=pytest.mark.long)])
def test_every_format_gives_the_same_masks(data: Path, tmp_path: Path, export: str, asked: str, capsys) -> None:
    format, write = EXPORTS[export]
    write(tmp_path / "export", BOXES)
    out = tmp_path / "out"
    found = import_masks(tmp_path / "export", str(data), out, format=format if asked == "named" else "auto")
    for name, box in BOXES.items():
        assert (mask_of(out, name) == true_mask(box)).all(), name
    assert found["images"] == 4
    assert found["settings"]["format"] == format
    assert found == json.loads((out / "masks.json").read_text())
    if asked == "auto":
        assert f"is taken for --format {format}: " in capsys.readouterr().err


def test_each_format_has_a_miniature() -> None:
    assert {format for format, _ in EXPORTS.values()} == set(IMPORTS.names())


TABLES = [each for each, (format, _) in EXPORTS.items() if IMPORTS.get(format)().tables]
FAST = ("coco polygons", "voc", "voc colours", "label studio")


@pytest.mark.parametrize(
    "export", [each if each in FAST else pytest.param(each, marks=pytest.mark.long) for each in TABLES]
)
def test_some_categories_alone(data: Path, tmp_path: Path, export: str) -> None:
    format, write = EXPORTS[export]
    write(tmp_path / "export", BOXES)
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out", format=format, classes=["dog"])
    there = [name for name in BOXES if (tmp_path / "out" / f"{name[:-4]}.png").exists()]
    assert there == ["dog/1.jpg", "dog/3.jpg"]
    assert (mask_of(tmp_path / "out", "dog/3.jpg") == true_mask(BOXES["dog/3.jpg"])).all()
    assert found["settings"]["classes"] == ["dog"]
    with pytest.raises(DataError, match=r"There is no category 'dgo'.*\n.*Did you mean 'dog'"):
        import_masks(tmp_path / "export", str(data), tmp_path / "other", format=format, classes=["dgo"])
    assert not (tmp_path / "other").exists()


def test_mask_pictures_have_no_categories(data: Path, tmp_path: Path) -> None:
    write_suffix(tmp_path / "export", BOXES)
    with pytest.raises(ConfigError, match="name no categories"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out", format="suffix", classes=["dog"])


def test_unknown_pictures_are_listed_and_counted(data: Path, tmp_path: Path, capsys) -> None:
    write_coco(tmp_path / "export", {**BOXES, "cat/8.jpg": (1, 1, 5, 5), "bird/1.jpg": (1, 1, 5, 5)})
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert "2 pictures of the annotations are not in photos: cat/8.jpg, bird/1.jpg." in capsys.readouterr().err
    assert found["import"]["unknown"] == ["cat/8.jpg", "bird/1.jpg"]
    assert found["images"] == 4, "bird/1.jpg is not taken for cat/1.jpg"
    write_coco(tmp_path / "others", {"x.jpg": (1, 1, 5, 5)})
    with pytest.raises(DataError, match=r"The 1 picture that .*others names is not in photos: it names x.jpg"):
        import_masks(tmp_path / "others", str(data), tmp_path / "out2")


def test_photos_without_an_object_get_no_mask(data: Path, tmp_path: Path, capsys) -> None:
    tree = coco_tree(BOXES, flat)
    del tree["annotations"][1]  # of cat/2
    tree["images"].pop()  # dog/3
    tree["annotations"].pop()
    save(tmp_path / "export" / "a.json", json.dumps(tree))
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert not (tmp_path / "out" / "cat" / "2.png").exists()
    assert found["import"]["without_objects"] == ["cat/2.jpg"]
    assert found["import"]["not_annotated"] == ["dog/3.jpg"]
    said = capsys.readouterr().err
    assert "1 photo has no object, so no mask; the first: cat/2.jpg." in said
    assert "1 photo is not in the annotations; the first: dog/3.jpg." in said


def test_overlapping_categories_are_put_together(data: Path, tmp_path: Path, capsys) -> None:
    first, second = (2, 2, 12, 12), (8, 8, 20, 20)
    shapes = [shape("cat", corners(first)), shape("dog", corners(second))]
    save(tmp_path / "export" / "cat" / "1.json", labelme("1.jpg", shapes))
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert (mask_of(tmp_path / "out", "cat/1.jpg") == (true_mask(first) | true_mask(second))).all()
    assert found["import"]["overlapping"] == ["cat/1.jpg (cat and dog)"]
    assert import_masks(tmp_path / "export", str(data), tmp_path / "out") == found, "also of masks that are kept"
    unfinished = {"settings": found["settings"]}
    (tmp_path / "out" / "masks.json").write_text(json.dumps(unfinished))
    assert import_masks(tmp_path / "export", str(data), tmp_path / "out") == found, "also of a killed import"
    assert "1 photo has categories that overlap: the union" in capsys.readouterr().err


def test_photos_in_several_files_are_put_together_and_said(data: Path, tmp_path: Path, capsys) -> None:
    save(tmp_path / "export" / "old.json", json.dumps(coco_tree(BOXES, flat)))
    save(tmp_path / "export" / "new.json", json.dumps(coco_tree({"cat/1.jpg": (30, 2, 38, 9)}, flat)))
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    union = true_mask(BOXES["cat/1.jpg"]) | true_mask((30, 2, 38, 9))
    assert (mask_of(tmp_path / "out", "cat/1.jpg") == union).all()
    told = "cat/1.jpg (new.json, old.json)"
    assert f"1 photo is annotated in several files: the union; the first: {told}." in capsys.readouterr().err
    assert found["import"]["several_files"] == [told]


def test_files_that_name_another_photo_than_their_own(data: Path, tmp_path: Path, capsys) -> None:
    for number in (1, 2):  # the second one was copied, and still names the first photo
        save(tmp_path / "export" / "cat" / f"{number}.json", labelme("1.jpg", [shape("cat", corners((1, 1, 9, 9)))]))
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    told = "cat/2.json: taken for cat/1.jpg, may be of cat/2.jpg"
    assert found["import"]["contrary"] == [told]
    said = capsys.readouterr().err
    assert f"1 annotation has the names of two photos: the first counts; the first: {told}." in said
    assert "1 photo is annotated in several files: the union" in said


def test_damaged_files_among_others(data: Path, tmp_path: Path, capsys) -> None:
    _, write = EXPORTS["labelme"]
    write(tmp_path / "export", BOXES)
    (tmp_path / "export" / "cat" / "1.json").write_text('{"shapes": [')
    with pytest.raises(DataError, match=r"1 thing in .*\n.*cat/1\.json cannot be read.*\nNothing was .*--skip-bad"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert import_masks(tmp_path / "export", str(data), tmp_path / "out", skip_bad=True)["images"] == 3
    assert "1 thing in" in capsys.readouterr().err


def test_crowds_count_and_are_said(data: Path, tmp_path: Path, capsys) -> None:
    _, write = EXPORTS["coco packed runs"]
    write(tmp_path / "export", BOXES)
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert "4 regions of crowds, which hold many objects; the first: cat/1.jpg." in capsys.readouterr().err
    assert found["import"]["taken"] == {"regions of crowds, which hold many objects": 4}


def test_coordinates_outside_are_cut_and_counted(data: Path, tmp_path: Path, capsys) -> None:
    boxes = {"cat/1.jpg": (-9, 5, 20, 99), "cat/2.jpg": (50, 2, 60, 28), "dog/1.jpg": (0, 0, 40, 30)}
    write_coco(tmp_path / "export", boxes)
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert (mask_of(tmp_path / "out", "cat/1.jpg") == true_mask((0, 5, 20, 30))).all()
    assert not (tmp_path / "out" / "cat" / "2.png").exists()
    assert found["import"]["cut_off_at_the_edge"] == ["cat/1.jpg"]
    assert found["import"]["outside"] == found["import"]["nothing_drawn"] == ["cat/2.jpg"]
    said = capsys.readouterr().err
    assert "1 object passes the edge of its photo and is cut; the first: cat/1.jpg." in said
    assert "1 object lies outside of its photo; the first: cat/2.jpg." in said
    assert "1 photo has nothing within it, so no mask; the first: cat/2.jpg." in said


def test_a_picture_of_another_size_is_scaled_if_its_shape_fits(data: Path, tmp_path: Path, capsys) -> None:
    box = (4, 5, 20, 15)
    shapes = f'<polygon label="cat" points="{";".join(f"{2 * x},{2 * y}" for x, y in corners(box))}"/>'
    save(tmp_path / "export" / "a.xml", cvat(cvat_image(0, "cat/1.jpg", shapes, (80, 60))))
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert (mask_of(tmp_path / "out", "cat/1.jpg") == true_mask(box)).all()
    assert found["import"]["resized"] == ["cat/1.jpg"]
    assert "1 photo was annotated in another size: scaled" in capsys.readouterr().err


def test_a_size_that_is_not_told_is_said(data: Path, tmp_path: Path, capsys) -> None:
    tree = coco_tree(BOXES, flat)
    for image in tree["images"][:2]:
        del image["width"]
    save(tmp_path / "a.json", json.dumps(tree))
    found = import_masks(tmp_path / "a.json", str(data), tmp_path / "out")
    assert (mask_of(tmp_path / "out", "cat/2.jpg") == true_mask(BOXES["cat/2.jpg"])).all()
    assert found["import"]["size_not_told"] == ["cat/1.jpg", "cat/2.jpg"]
    told = "2 photos were annotated without their sizes: the numbers are taken for their pixels; the first: cat/1.jpg."
    assert told in capsys.readouterr().err


def test_a_picture_of_another_shape_is_refused_naming_both(data: Path, tmp_path: Path, capsys) -> None:
    shapes = '<polygon label="cat" points="1,1;9,1;9,9"/>'
    images = cvat_image(0, "cat/1.jpg", shapes, (80, 80)) + cvat_image(1, "cat/2.jpg", shapes)
    save(tmp_path / "export" / "a.xml", cvat(images))
    with pytest.raises(DataError, match=r"another shape.*\n.*cat/1.jpg .*80 x 80 pixels.* 40 x 30\.\n.*--skip-bad"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out", skip_bad=True)
    assert found["images"] == len(found["import"]["other_shape"]) == 1
    assert "1 photo has another shape than the picture annotated and is left out" in capsys.readouterr().err


ENCODINGS = [(kind, encoding) for kind in ("json", "xml") for encoding in ("utf-8-sig", "utf-16", "latin-1")]
LONG = [each for each in ENCODINGS if each not in (("json", "utf-16"), ("xml", "latin-1"))]


@pytest.mark.parametrize(
    ("kind", "encoding"), [pytest.param(*each, marks=pytest.mark.long if each in LONG else ()) for each in ENCODINGS]
)
def test_other_encodings(tmp_path: Path, encoding: str, kind: str) -> None:
    name = "hund/größe é.jpg"
    data = make_photos(tmp_path / "photos", {name: 0, "katze/1.jpg": 0})
    box = (4, 5, 20, 15)
    if kind == "json":
        save(tmp_path / "a.json", json.dumps(coco_tree({name: box}, flat), ensure_ascii=False), encoding)
    else:
        points = ";".join(f"{x},{y}" for x, y in corners(box))
        text = cvat(cvat_image(0, name, f'<polygon label="für" points="{points}"/>'))
        said = {"utf-8-sig": "utf-8", "utf-16": "utf-16", "latin-1": "ISO-8859-1"}[encoding]
        save(tmp_path / "a.xml", text.replace("utf-8", said), encoding)
    import_masks(tmp_path / f"a.{kind}", str(data), tmp_path / "out")
    assert (mask_of(tmp_path / "out", name) == true_mask(box)).all()


@pytest.mark.parametrize("format", ["auto", "coco"])
def test_a_truncated_file_is_named(data: Path, tmp_path: Path, format: str) -> None:
    write_coco(tmp_path / "export", BOXES)
    path = tmp_path / "export" / "instances.json"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"instances\.json cannot be read"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out", format=format)
    assert not (tmp_path / "out").exists()


def test_xml_with_entities_is_refused(data: Path, tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]>'
    text = cvat(cvat_image(0, "cat/1.jpg", '<polygon label="&c;" points="1,1;9,1;9,9"/>'))
    save(tmp_path / "a.xml", text.replace("<annotations>", f"{bomb}<annotations>"))
    with pytest.raises(DataError, match="declares a document type"):
        import_masks(tmp_path / "a.xml", str(data), tmp_path / "out", format="cvat")


DAMAGED = {
    "odd": ([1, 1, 9, 1, 9, 9, 4], "a polygon has an odd count of numbers, 7"),
    "nan": ([1, 1, 9, 1, 9, float("nan")], "a polygon has corners that are no finite numbers"),
    "infinite": ([1, 1, 9, 1, 9, float("inf")], "a polygon has corners that are no finite numbers"),
    "words": ([1, 1, 9, 1, 9, "x"], "a polygon has corners that are no finite numbers"),
}


@pytest.mark.parametrize(
    "kind", ["odd", "nan", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("infinite", "words"))]
)
def test_polygons_that_are_damaged_are_refused_or_left_out(data: Path, tmp_path: Path, kind: str, capsys) -> None:
    tree = coco_tree(BOXES, flat)
    numbers, told = DAMAGED[kind]
    tree["annotations"][0]["segmentation"] = [numbers]
    save(tmp_path / "a.json", json.dumps(tree))
    with pytest.raises(
        DataError, match=f"1 thing in .*cannot be understood:\n.*a.json: {told}.*cat/1.jpg.*\nNothing was"
    ):
        import_masks(tmp_path / "a.json", str(data), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    found = import_masks(tmp_path / "a.json", str(data), tmp_path / "out", skip_bad=True)
    assert found["images"] == 3
    assert len(found["import"]["not_understood"]) == 1
    assert "1 thing in" in capsys.readouterr().err


def test_two_points_are_no_polygon_and_numbers_may_be_texts(data: Path, tmp_path: Path, capsys) -> None:
    tree = coco_tree(BOXES, flat)
    tree["annotations"][0]["segmentation"] = [[1, 1, 9, 1]]
    tree["annotations"][1]["segmentation"] = [[str(value) for value in flat(BOXES["cat/2.jpg"])[0]]]
    save(tmp_path / "a.json", json.dumps(tree))
    import_masks(tmp_path / "a.json", str(data), tmp_path / "out")
    said = capsys.readouterr().err
    assert "Left out: 1 polygon of fewer than three points; the first: cat/1.jpg." in said
    assert "8 numbers are written as text; the first: cat/2.jpg." in said
    assert not (tmp_path / "out" / "cat" / "1.png").exists()
    assert (mask_of(tmp_path / "out", "cat/2.jpg") == true_mask(BOXES["cat/2.jpg"])).all()


def test_two_photos_of_one_name_need_a_folder(data: Path, tmp_path: Path) -> None:
    save(tmp_path / "a.json", json.dumps(coco_tree({"1.jpg": (1, 1, 9, 9), "3.jpg": (1, 1, 9, 9)}, flat)))
    with pytest.raises(
        DataError, match=r"1 name of a picture is not clear:\n  1\.jpg may be cat/1\.jpg, dog/1\.jpg\n.*folders"
    ):
        import_masks(tmp_path / "a.json", str(data), tmp_path / "out")
    assert import_masks(tmp_path / "a.json", str(data), tmp_path / "out", skip_bad=True)["images"] == 1
    make_photos(tmp_path / "flat", {"1.jpg": 0})
    write_coco(tmp_path / "export", {"cat/1.jpg": (1, 1, 9, 9), "dog/1.jpg": (20, 1, 30, 9)})
    with pytest.raises(DataError, match=r"both cat/1\.jpg and dog/1\.jpg may be 1\.jpg"):
        import_masks(tmp_path / "export", str(tmp_path / "flat"), tmp_path / "out2")
    make_photos(data, {"cat/1.png": 0})
    write_coco(tmp_path / "both", {**BOXES, "cat/1.png": (1, 1, 9, 9)})
    with pytest.raises(DataError, match=r"The images cat/1\.jpg and cat/1\.png would share the mask file"):
        import_masks(tmp_path / "both", str(data), tmp_path / "out3")


@pytest.mark.parametrize("drawn_on", ["upright", "stored"])
def test_turned_photos(tmp_path: Path, drawn_on: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise: 40 x 30 as stored, 30 x 40 upright
    data = make_photos(tmp_path / "photos", {"cat/1.jpg": 0, "dog/1.jpg": 0}, exif=exif)
    box = (4, 5, 20, 15)
    size = SIZE if drawn_on == "stored" else SIZE[::-1]
    save(tmp_path / "export" / "cat" / "1.json", labelme("1.jpg", [shape("cat", corners(box))], size))
    import_masks(tmp_path / "export", str(data), tmp_path / "out")
    expected = np.rot90(true_mask(box), -1) if drawn_on == "stored" else true_mask(box, (30, 40))
    assert (mask_of(tmp_path / "out", "cat/1.jpg") == expected).all()


def test_an_interrupted_import_goes_on_and_keeps_what_is_there(data: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    write_yolo(tmp_path / "export", BOXES)
    out = tmp_path / "out"
    from dapt.runs import import_masks as module

    done: list[object] = []

    def write(path: Path, *args: Any, **more: Any) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(path)
        written(path, *args, **more)

    written = module.write_with
    monkeypatch.setattr(module, "write_with", write)
    with pytest.raises(KeyboardInterrupt):
        import_masks(tmp_path / "export", str(data), out)
    monkeypatch.undo()
    mended = out / "cat" / "1.png"
    png(mended, np.zeros((30, 40), np.uint8))
    found = import_masks(tmp_path / "export", str(data), out)
    assert "2 of 4 masks exist already and are kept" in capsys.readouterr().err
    assert found["images"] == 4
    assert not read(mended).any(), "mended by hand"
    assert (mask_of(out, "dog/3.jpg") == true_mask(BOXES["dog/3.jpg"])).all()
    mended.write_bytes(b"none")
    with pytest.raises(DataError, match=r"cat/1\.png cannot be read .*\n.*made again"):
        import_masks(tmp_path / "export", str(data), out)
    write_yolo(tmp_path / "export", {**BOXES, "cat/1.jpg": (1, 1, 9, 9)})
    with pytest.raises(ConfigError, match="were made with annotations"):
        import_masks(tmp_path / "export", str(data), out)


def test_photos_that_cannot_be_opened(data: Path, tmp_path: Path, capsys) -> None:
    (data / "cat" / "1.jpg").write_bytes(b"no picture")
    write_coco(tmp_path / "export", BOXES)
    with pytest.raises(DataError, match=r"1 annotated photo cannot be opened:\n.*cat/1\.jpg cannot be read"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out")
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out", skip_bad=True)
    assert found["images"] == 3
    assert len(found["import"]["unreadable"]) == 1
    assert "1 annotated photo cannot be opened and is left out" in capsys.readouterr().err


def test_mask_pictures_that_cannot_be_used(data: Path, tmp_path: Path, capsys) -> None:
    write_suffix(tmp_path / "export", BOXES)
    png(tmp_path / "export" / "cat" / "2_mask.png", np.full((50, 20), 255, np.uint8))
    with pytest.raises(DataError, match=r"1 mask cannot be used; the others were written.\n.*2_mask.png \(20 x 50\)"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out")
    assert (mask_of(tmp_path / "out", "dog/3.jpg") == true_mask(BOXES["dog/3.jpg"])).all()
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out", skip_bad=True)
    assert found["images"] == 3
    assert "1 mask cannot be used and is left out" in capsys.readouterr().err
    assert len(found["import"]["not_usable"]) == 1


def test_masks_beside_the_photos_and_by_a_pattern(data: Path, tmp_path: Path) -> None:
    write_suffix(data, BOXES)
    import_masks(data, str(data), tmp_path / "out", format="suffix")
    assert (mask_of(tmp_path / "out", "dog/3.jpg") == true_mask(BOXES["dog/3.jpg"])).all()
    write_instances(tmp_path / "parts", BOXES)
    import_masks(tmp_path / "parts", str(data), tmp_path / "one", format="instances", mask_name="{stem}_0.png")
    left, top, right, bottom = BOXES["dog/3.jpg"]
    assert (mask_of(tmp_path / "one", "dog/3.jpg") == true_mask((left, top, (left + right) // 2, bottom))).all()


def test_masks_of_another_format_are_noticed(data: Path, tmp_path: Path) -> None:
    for name, box in BOXES.items():
        png(tmp_path / "export" / f"{name[:-4]}_mask.png", true_mask(box).astype(np.uint8))
    with pytest.raises(DataError, match=r"read as 'binary': of 4 .* 4 are empty.*\n.*--mask-format labels"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out")
    import_masks(tmp_path / "export", str(data), tmp_path / "out", mask_format="labels")
    assert (mask_of(tmp_path / "out", "dog/3.jpg") == true_mask(BOXES["dog/3.jpg"])).all()
    write_coco(tmp_path / "coco", BOXES)
    with pytest.raises(ConfigError, match="--mask-format has no effect on COCO"):
        import_masks(tmp_path / "coco", str(data), tmp_path / "out2", mask_format="labels")
    write_instances(data, BOXES)
    with pytest.raises(DataError, match=r"Every picture in .*photos is one of the photos.*\n.*--mask-name"):
        import_masks(data, str(data), tmp_path / "out2", format="instances")
    import_masks(data, str(data), tmp_path / "beside", mask_name="{stem}_*.png")
    assert (mask_of(tmp_path / "beside", "dog/3.jpg") == true_mask(BOXES["dog/3.jpg"])).all()
    write_alpha(tmp_path / "alpha", BOXES)
    with pytest.raises(ConfigError, match="--mask-format has no effect on cut-outs"):
        import_masks(tmp_path / "alpha", str(data), tmp_path / "out2", format="alpha", mask_format="labels")


def test_a_photo_may_be_its_own_cut_out(tmp_path: Path) -> None:
    write_alpha(tmp_path / "photos", BOXES)
    import_masks(tmp_path / "photos", str(tmp_path / "photos"), tmp_path / "out")
    assert (mask_of(tmp_path / "out", "dog/3.jpg") == true_mask(BOXES["dog/3.jpg"])).all()


def test_photos_of_kinds_that_are_not_read(data: Path, tmp_path: Path, capsys) -> None:
    save(data / "cat" / "5.cr2", "raw")
    write_coco(tmp_path / "export", {**BOXES, "cat/5.cr2": (1, 1, 5, 5)})
    found = import_masks(tmp_path / "export", str(data), tmp_path / "out")
    told = "cat/5.cr2 (raw pictures of cameras, which are not read)"
    assert found["import"]["not_read"] == [told]
    assert f"1 annotated photo is there, and not read; the first: {told}." in capsys.readouterr().err


def test_photos_need_not_be_data_yet(tmp_path: Path, capsys) -> None:
    data = make_photos(tmp_path / "photos", {"1.jpg": 0, "2.jpg": 0})
    for name in ("1", "2"):
        save(data / f"{name}.json", labelme(f"{name}.jpg", [shape("cat", corners((4, 5, 20, 15)))]))
    import_masks(data, str(data), tmp_path / "out")
    assert (mask_of(tmp_path / "out", "1.jpg") == true_mask((4, 5, 20, 15))).all()
    assert "taken as a folder of 2 photos without classes" in capsys.readouterr().err


def test_no_mask_at_all_is_an_error(data: Path, tmp_path: Path, capsys) -> None:
    tree = coco_tree(BOXES, lambda box: [[1, 1, 9, 9]])
    save(tmp_path / "lines" / "a.json", json.dumps(tree))
    with pytest.raises(DataError, match=r"No photo of photos has anything in .* that makes a mask"):
        import_masks(tmp_path / "lines", str(data), tmp_path / "out")
    assert "Left out: 4 polygons of fewer than three points" in capsys.readouterr().err, "why"
    write_coco(tmp_path / "export", {"cat/1.jpg": (100, 100, 120, 120)})
    with pytest.raises(DataError, match=r"nothing of the objects in any photo, so .*out has no mask.*\n.*remove"):
        import_masks(tmp_path / "export", str(data), tmp_path / "out")


def test_where_masks_may_not_go(data: Path, tmp_path: Path) -> None:
    write_coco(tmp_path / "export", BOXES)
    for out in (data / "masks", tmp_path / "export" / "masks", tmp_path):
        with pytest.raises(DaptError, match="output folder"):
            import_masks(tmp_path / "export", str(data), out)
    import_masks(tmp_path / "export" / "instances.json", str(data), tmp_path / "export" / "masks")
    with pytest.raises(ConfigError, match="There is no folder or file"):
        import_masks(tmp_path / "nothing", str(data), tmp_path / "out")


def test_the_command_for_training_finds_the_same_data(data: Path, tmp_path: Path, capsys) -> None:
    write_coco(tmp_path / "export", BOXES)
    import_masks(tmp_path / "export", str(data), tmp_path / "out", root="my sets")
    assert (
        f"use them with: dapt train {data} --root 'my sets' --dapt --masks {tmp_path / 'out'}"
        in capsys.readouterr().err
    )


def test_training_reads_what_was_imported(data: Path, tmp_path: Path) -> None:
    from dapt.runs.verify_masks import verify_masks

    write_coco(tmp_path / "export", BOXES)
    import_masks(tmp_path / "export", str(data), tmp_path / "out")
    result = verify_masks(str(data), masks=tmp_path / "out")
    result.check()
