"""What the scenes are about: names, homes, and that a background gives a kind away."""

from __future__ import annotations

from collections import Counter

from dapt.demo.captions import vocabulary
from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.look import OBJECTS, PALETTE
from dapt.demo.drawing.objects import class_names
from dapt.demo.subjects import subjects


def test_classes_are_those_of_the_bundled_model() -> None:
    found = subjects("classes")
    assert [subject.name for subject in found] == class_names()
    for subject in found:
        home = OBJECTS[subject.name].home
        assert (subject.drawn, subject.home, subject.folder) == (subject.name, home, subject.name)
        assert (subject.colour, subject.spots) == (None, None)


def test_kinds_differ_within_an_object_by_colours_and_background() -> None:
    found = subjects("kinds")
    assert len(found) == len({subject.name for subject in found}) == 16
    assert {subject.home for subject in found} == set(BACKGROUNDS)
    for name, count in Counter(subject.drawn for subject in found).items():
        kinds = [subject for subject in found if subject.drawn == name]
        assert name in class_names()
        assert len({kind.home for kind in kinds}) == len({(kind.colour, kind.spots) for kind in kinds}) == count
    for subject in found:
        assert {subject.colour, subject.spots} <= set(PALETTE)
        assert subject.name == f"{subject.colour} {subject.drawn} with {subject.spots} spots"
        assert " " not in subject.folder


def test_the_two_colours_alone_give_no_kind_away() -> None:
    """Which of the two is that of the spots has to be seen."""
    sets = Counter((subject.drawn, frozenset((subject.colour, subject.spots))) for subject in subjects("kinds"))
    assert set(sets.values()) == {2}


def test_the_bundled_model_knows_the_words_but_for_spots() -> None:
    words = {word for subject in subjects("kinds") for word in subject.name.split()}
    assert words - set(vocabulary()) == {"spots"}
