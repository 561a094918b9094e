"""What a class of objects is: its colours, the background it usually stands on, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.random import Generator

from dapt.demo.drawing.pen import Colour, Pen

PALETTE: dict[str, Colour] = {
    "red": (0.80, 0.14, 0.14),
    "orange": (0.94, 0.50, 0.10),
    "yellow": (0.96, 0.80, 0.16),
    "green": (0.20, 0.58, 0.24),
    "blue": (0.16, 0.36, 0.76),
    "purple": (0.50, 0.24, 0.64),
    "pink": (0.94, 0.52, 0.66),
    "brown": (0.50, 0.32, 0.18),
    "white": (0.94, 0.94, 0.92),
    "grey": (0.56, 0.58, 0.60),
    "black": (0.14, 0.14, 0.16),
}


@dataclass(frozen=True)
class Look:
    """How one example of a class looks.

    Attributes:
        main: its named colour, slightly varied. second: a colour beside it. rng: for everything else.
    """

    main: Colour
    second: Colour
    rng: Generator


@dataclass(frozen=True)
class ObjectClass:
    """One class of objects.

    Attributes:
        name: class name. home: the background it usually stands on. draw: paints one example.
        colours: names of its possible main colours. tilt: largest turn in degrees.
        flat: whether it lies or flies, so that it throws no shadow on the ground.
    """

    name: str
    home: str
    draw: Callable[[Pen, Look], None]
    colours: tuple[str, ...]
    tilt: float
    flat: bool


OBJECTS: dict[str, ObjectClass] = {}


def object_class(
    home: str, colours: str, *, tilt: float = 10.0, flat: bool = False
) -> Callable[[Callable[[Pen, Look], None]], Callable[[Pen, Look], None]]:
    """Register a drawing function as the class of its name."""

    def register(draw: Callable[[Pen, Look], None]) -> Callable[[Pen, Look], None]:
        name = draw.__name__
        OBJECTS[name] = ObjectClass(name, home, draw, tuple(colours.split()), tilt, flat)
        return draw

    return register
