"""What is said of an import, refused, and noted."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.mask_imports.base import Found, Things
from dapt.errors import DataError
from dapt.runs.import_remarks import SHOWN, Remarks, listed, noted_overlaps

WRONG = Things("thing is wrong", "things are wrong")


def test_refused_or_left_out(capsys) -> None:
    remarks = Remarks()
    remarks.refuse_or_say([], WRONG, False, "wrong")
    with pytest.raises(
        DataError, match=r"2 things are wrong:\n  a\n  b\nNothing was written\. Mend them, or pass --skip-bad"
    ):
        remarks.refuse_or_say(["a", "b"], WRONG, False, "wrong")
    assert remarks.found == {}
    remarks.refuse_or_say(["a", "b"], WRONG, True, "wrong")
    assert remarks.found == {"wrong": ["a", "b"]}
    assert "warning: 2 things are wrong and are left out; the first: a" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"1 thing is wrong:\n  a\nNothing .* Mend it, or .* go on without it\."):
        remarks.refuse_or_say(["a"], WRONG, False, "wrong")
    remarks.refuse_or_say(["a"], WRONG, True, "wrong")
    assert "warning: 1 thing is wrong and is left out; the first: a" in capsys.readouterr().err


def test_all_is_said_and_noted(capsys) -> None:
    found = Found("COCO", labels={"cat": None}, files=["a.json"], objects={"cat": 2})
    found.leave_out(Things("line", "lines"), "a.jpg")
    found.take(Things("box", "boxes"), "b.jpg")
    remarks = Remarks()
    for kind, names in (("unknown", ["x.jpg"]), ("outside", ["y.jpg", "y.jpg"]), ("resized", ["z.jpg"])):
        for name in names:
            remarks.add(kind, name)
    remarks.say(found, "photos", loose=True)
    said = capsys.readouterr().err
    for line in (
        "warning: Left out: 1 line; the first: a.jpg.",
        "1 box; the first: b.jpg.",
        "warning: No folder in the annotations is one of the photos",
        "warning: 1 picture of the annotations is not in photos: x.jpg.",
        "2 objects lie outside of their photos; the first: y.jpg.",
        "1 photo was annotated in another size: scaled; the first: z.jpg.",
    ):
        assert line in said
    assert remarks.noted(found) == {
        "title": "COCO",
        "files": 1,
        "categories": ["cat"],
        "left_out": {"lines": 1},
        "taken": {"boxes": 1},
        "objects": {"cat": 2},
        "unknown": ["x.jpg"],
        "outside": ["y.jpg", "y.jpg"],
        "resized": ["z.jpg"],
    }


def test_overlaps_that_a_finished_import_has_noted(tmp_path: Path) -> None:
    file = tmp_path / "masks.json"
    assert noted_overlaps(file, ["a.jpg"]) is None
    for unfinished in ("{", "[]", '{"settings": {}}', '{"import": 3}', '{"import": {"overlapping": 3}}'):
        file.write_text(unfinished)
        assert noted_overlaps(file, ["a.jpg"]) is None
    file.write_text('{"import": {"overlapping": ["a (1).jpg (cat and dog (big))", "gone.jpg (cat and dog)"]}}')
    assert noted_overlaps(file, ["a (1).jpg"]) == {"a (1).jpg": ["a (1).jpg (cat and dog (big))"]}
    file.write_text('{"import": {}}')
    assert noted_overlaps(file, ["a.jpg"]) == {}


def test_long_lists_are_cut() -> None:
    assert listed(["a"]) == ["  a"]
    assert listed([str(number) for number in range(SHOWN + 3)])[-1] == "  and 3 more"
