"""Classes of objects: registered by the name of the function that draws them."""

from __future__ import annotations

from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.look import OBJECTS, PALETTE, object_class
from dapt.demo.drawing.objects import class_names


def test_registered_under_the_name_of_its_function() -> None:
    @object_class("sky", "red blue", tilt=3.0, flat=True)
    def zeppelin(pen: object, look: object) -> None:
        """Nothing."""

    made = OBJECTS.pop("zeppelin")
    assert (made.name, made.home, made.colours, made.tilt, made.flat) == ("zeppelin", "sky", ("red", "blue"), 3.0, True)
    assert made.draw is zeppelin


def test_every_class_names_colours_and_a_home_that_there_are() -> None:
    for name in class_names():
        kind = OBJECTS[name]
        assert kind.name == name
        assert kind.colours
        assert set(kind.colours) <= set(PALETTE), name
        assert kind.home in BACKGROUNDS, name
        assert 0 <= kind.tilt <= 180


def test_colours_are_three_shares_and_differ() -> None:
    assert all(len(colour) == 3 and all(0 <= part <= 1 for part in colour) for colour in PALETTE.values())
    values = list(PALETTE.values())
    for number, colour in enumerate(values):
        for other in values[number + 1 :]:
            assert sum(abs(a - b) for a, b in zip(colour, other, strict=True)) > 0.2
