"""Which categories are foreground, and how that is said."""

from __future__ import annotations

from pathlib import Path

from dapt.data.items import Item
from dapt.data.mask_imports.base import Mark
from dapt.data.mask_imports.categories import SHOWN, Categories, choose
from dapt.data.mask_imports.match_pictures import Job

CAT, DOG = Mark("cat", ()), Mark("dog", ())


def jobs(files: tuple[Path, ...] = ()) -> list[Job]:
    """Two photographs, with one cat and two dogs in them."""
    found = [Job(Item(Path(name), 0, name), files=list(files)) for name in ("a.jpg", "b.jpg")]
    found[0].marks, found[1].marks = [CAT, DOG], [DOG]
    return found


def test_all() -> None:
    found = jobs()
    counted = choose(found, ["cat", "dog", "bird"], None)
    assert counted == Categories({"dog": 2, "cat": 1}, {})
    assert counted.sentence() == (
        "The foreground is all that is annotated: dog (2 objects) and cat (1); --classes takes some alone."
    )
    assert [job.marks for job in found] == [[CAT, DOG], [DOG]]
    assert Categories({"cat": 1}).sentence() == "The foreground is all that is annotated: cat (1 object)."


def test_some() -> None:
    found = jobs()
    counted = choose(found, ["cat", "dog", "bird"], ["cat", "bird"])
    assert [job.marks for job in found] == [[CAT], []]
    assert counted == Categories({"cat": 1, "bird": 0}, {"dog": 2})
    assert (
        counted.sentence() == "The foreground is cat (1 object) and bird (0). Left out by --classes: dog (2 objects)."
    )


def test_label_maps_tell_names_and_no_numbers() -> None:
    empty = [Job(Item(Path("a.jpg"), 0, "a.jpg"), files=[Path("a.png")])]
    counted = choose(empty, ["cat", "dog"], None)
    assert counted.sentence() == "The foreground is all that is annotated: cat and dog; --classes takes some alone."
    assert choose(empty, ["cat", "dog"], ["dog"]).sentence() == ("The foreground is dog. Left out by --classes: cat.")
    assert choose(empty, [], None).sentence() == "", "mask pictures of which nobody tells categories"


def test_many_are_cut() -> None:
    many = {f"c{number}": 1 for number in range(SHOWN + 5)}
    assert Categories(many).sentence().endswith("c7 (1) and 5 more; --classes takes some alone.")
    assert "c8 (1)" in Categories(dict(list(many.items())[: SHOWN + 1])).sentence(), "one more is not shorter"
