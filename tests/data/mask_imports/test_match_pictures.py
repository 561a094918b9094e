"""Pictures of an export and the photographs they are."""

from __future__ import annotations

from pathlib import Path

from dapt.data.items import Item
from dapt.data.mask_imports.base import Annotated, Mark
from dapt.data.mask_imports.match_pictures import match_pictures


def items(*names: str) -> list[Item]:
    """Photographs."""
    return [Item(Path("/data") / name, 0, name) for name in names]


def test_what_is_said_twice_is_put_together() -> None:
    one, two = Mark("cat", ()), Mark("dog", ())
    pictures = [Annotated(("a.jpg",), (one,)), Annotated(("images/a.jpg",), (two,)), Annotated(("b.jpg",))]
    found = match_pictures(pictures, items("x/a.jpg", "x/b.jpg"))
    assert {name: job.marks for name, job in found.jobs.items()} == {"x/a.jpg": [one, two], "x/b.jpg": []}
    assert found.unknown == found.unclear == []
    assert not found.loose


def test_two_pictures_of_one_photo_are_not() -> None:
    found = match_pictures([Annotated(("cat/a.jpg",)), Annotated(("dog/a.jpg",))], items("a.jpg", "b.jpg"))
    assert found.unclear == ["both cat/a.jpg and dog/a.jpg may be a.jpg"]
    assert found.jobs == {}


def test_two_names_of_two_photos() -> None:
    photos = items("cat/1.jpg", "cat/2.jpg")
    pictures = [
        Annotated(("cat/1.jpg", "cat/2"), near="cat/2.json"),
        Annotated(("x/cat/1.jpg", "cat/1"), near="cat/1.json"),
    ]
    found = match_pictures(pictures, photos)
    assert found.contrary == ["cat/2.json: taken for cat/1.jpg, may be of cat/2.jpg"]
    assert list(found.jobs) == ["cat/1.jpg"]
    mask = Annotated(("cat/1_mask", "cat/1", "cat/2"), (), (Path("m.png"),))
    assert match_pictures([mask], photos).contrary == [], "of mask pictures the later names are guesses"


def test_unknown_ones_and_folders_that_contradict_all_along() -> None:
    pictures = [Annotated(("batch/a.jpg",)), Annotated(("batch/c.jpg",))]
    loose = match_pictures(pictures, items("cat/a.jpg", "dog/b.jpg"))
    assert loose.loose
    assert list(loose.jobs) == ["cat/a.jpg"]
    assert loose.unknown == ["batch/c.jpg"]
    strict = match_pictures([*pictures, Annotated(("dog/b.jpg",))], items("cat/a.jpg", "dog/b.jpg"))
    assert not strict.loose
    assert list(strict.jobs) == ["dog/b.jpg"]
