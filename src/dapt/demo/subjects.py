"""What the scenes of a demonstration can be about: object classes, or kinds of objects that a model has to learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dapt.demo.drawing.backgrounds import BACKGROUNDS
from dapt.demo.drawing.look import OBJECTS
from dapt.demo.drawing.objects import class_names

Scenes = Literal["kinds", "classes"]

# Kinds are told apart by the object and by which of two colours its spots have.
KIND_OBJECTS = ("car", "fish", "lamp", "tent")
KIND_COLOURS = (("red", "blue"), ("blue", "red"), ("yellow", "green"), ("green", "yellow"))
STEP = 3  # so many backgrounds further on the kinds of the next object begin


@dataclass(frozen=True)
class Subject:
    """A class of the demonstration.

    Attributes:
        name: what texts call it. drawn: the object class that is drawn. home: the background it is usually on.
        colour: its colour; None: one of those of its class. spots: colour of its spots; None: it has none.
    """

    name: str
    drawn: str
    home: str
    colour: str | None = None
    spots: str | None = None

    @property
    def folder(self) -> str:
        """Name of the folder of its pictures."""
        return self.name.replace(" ", "_")


def subjects(scenes: Scenes) -> list[Subject]:
    """The classes in the order of their labels.

    Args:
        scenes: ``classes``: the object classes the bundled CLIP was trained on, each at home where its scenes of
            training had it. ``kinds``: four kinds of each of four of them, told apart by two colours, each at home on
            a background that no other kind of the same object has. That CLIP knows the object and the colours by name,
            but spots it has neither seen nor read of. Which background is whose is arbitrary.
    """
    if scenes == "classes":
        return [Subject(name, name, OBJECTS[name].home) for name in class_names()]
    homes = list(BACKGROUNDS)
    return [
        Subject(f"{colour} {name} with {spots} spots", name, homes[(STEP * place + number) % len(homes)], colour, spots)
        for place, name in enumerate(KIND_OBJECTS)
        for number, (colour, spots) in enumerate(KIND_COLOURS)
    ]
