"""Rendered scenes: an object on a background, with its exact mask. The same seed gives the same picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

from dapt.demo.drawing.backgrounds import BACKGROUNDS, vary
from dapt.demo.drawing.coat import spotted
from dapt.demo.drawing.look import OBJECTS, PALETTE, Look, ObjectClass
from dapt.demo.drawing.objects import class_names
from dapt.demo.drawing.pen import Colour, Pen, Pixels, dark, light


@dataclass(frozen=True)
class Scene:
    """A picture and what is in it.

    Attributes:
        image: ``[H, W, 3]`` bytes. mask: ``[H, W]`` bytes, 255 on the visible part of the object.
        name: class of the object, or None without one. colour, background: their names.
    """

    image: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]
    mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    name: str | None
    colour: str | None
    background: str


def render(
    name: str | None,
    background: str,
    seed: int | tuple[int, ...],
    size: int = 128,
    *,
    colour: str | None = None,
    spots: str | None = None,
) -> Scene:
    """Draw one scene.

    Args:
        name: class of the object; None: the background alone. background: one of `BACKGROUNDS`.
        seed: decides everything else: colour, size, place, turn, light, distractors, occlusion.
        size: pixels per side. colour: one of `PALETTE` as the object's main colour; None: one of its class's own.
        spots: one of `PALETTE` for spots all over the object, which has no second colour then; None: no spots.

    Raises:
        KeyError: there is no such class, background or colour.
    """
    class_names()
    rng = np.random.default_rng(seed)
    picture = BACKGROUNDS[background](size, rng)
    _distractors(picture, rng)
    mask = np.zeros((size, size), dtype=np.float32)
    seen = None
    if name is not None:
        kind = OBJECTS[name]
        drawn = str(rng.choice(kind.colours))
        seen = colour or drawn
        picture, mask = _put_object(picture, kind, seen, spots, rng)
        if rng.random() < 0.25:
            picture, mask = _occlude(picture, mask, background, rng)
    picture = _light(picture, rng)
    return Scene(_to_bytes(picture), np.where(mask >= 0.5, 255, 0).astype(np.uint8), name, seen, background)


def _put_object(
    picture: Pixels, kind: ObjectClass, colour: str, spots: str | None, rng: Generator
) -> tuple[Pixels, Pixels]:
    size = picture.shape[0]
    scale = rng.uniform(0.24, 0.42)
    room = 0.5 - 0.95 * scale
    centre = (0.5 + rng.uniform(-room, room), 0.5 + rng.uniform(-room, room))
    pen = Pen(
        size,
        centre,
        scale,
        angle=rng.uniform(-kind.tilt, kind.tilt),
        flip=bool(rng.random() < 0.5),
        stretch=rng.uniform(0.88, 1.14),
    )
    main = vary(PALETTE[colour], rng, 0.03)
    others = [other for other in PALETTE if other != colour]
    second = vary(PALETTE[others[int(rng.integers(len(others)))]], rng, 0.03)
    kind.draw(pen, Look(main, main if spots else second, rng))
    colours, cover = pen.layer()
    if spots:
        colours = spotted(colours, cover, vary(PALETTE[spots], rng, 0.03), centre, scale, rng)
    if not kind.flat:
        picture = _shadow(picture, cover, rng)
    return picture * (1 - cover[..., None]) + _shaded(colours, cover, rng), cover


def _shaded(colours: Pixels, cover: Pixels, rng: Generator) -> Pixels:
    """The object under a light from one side: bright towards it, dark along the far edges, with a fine grain."""
    size = cover.shape[0]
    soft = _blurred(cover, size * 0.03)
    angle = rng.uniform(0, 2 * np.pi)
    slope_y, slope_x = np.gradient(_blurred(cover, size * 0.07))
    relief = -(slope_x * np.cos(angle) - slope_y * abs(np.sin(angle))) * size * 0.13
    edge = 0.26 * (1 - soft)
    grain = 0.05 * (rng.random(cover.shape, dtype=np.float32) - 0.5)
    lit: Pixels = colours * (1.04 + relief - edge + grain)[..., None]
    return np.clip(lit, 0, cover[..., None])


def _shadow(picture: Pixels, cover: Pixels, rng: Generator) -> Pixels:
    """A soft shadow on the ground below the object."""
    size = cover.shape[0]
    rows = np.flatnonzero(cover.max(axis=1) > 0.5)
    columns = np.flatnonzero(cover.max(axis=0) > 0.5)
    if not len(rows):
        return picture
    x, y = columns.mean(), rows[-1]
    rx, ry = 0.55 * (columns[-1] - columns[0]), max(0.05 * size, 0.12 * (rows[-1] - rows[0]))
    image = Image.new("L", (size, size), 0)
    ImageDraw.Draw(image).ellipse((x - rx, y - ry, x + rx, y + ry * 0.8), fill=255)
    shade = np.asarray(image.filter(ImageFilter.GaussianBlur(size * 0.03)), dtype=np.float32) / 255
    return picture * (1 - rng.uniform(0.3, 0.5) * shade[..., None])


def _distractors(picture: Pixels, rng: Generator) -> None:
    """Small things of no class: pebbles, sticks and balls."""
    size = picture.shape[0]
    for _ in range(int(rng.integers(0, 5))):
        pen = Pen(size, (rng.random(), rng.random()), rng.uniform(0.02, 0.055), angle=rng.uniform(0, 180))
        colour: Colour = vary(list(PALETTE.values())[int(rng.integers(len(PALETTE)))], rng, 0.08)
        kind = int(rng.integers(3))
        if kind == 0:
            pen.curve([(-1, 0.1), (-0.4, -0.7), (0.5, -0.6), (1, 0.2), (0.3, 0.7), (-0.6, 0.6)], dark(colour, 0.3))
            pen.curve([(-0.7, 0.0), (-0.3, -0.5), (0.3, -0.4), (0.2, 0.1)], colour)
        elif kind == 1:
            pen.line([(-1.4, 0), (1.4, 0.2)], 0.4, (0.42, 0.30, 0.20))
            pen.line([(0.2, 0), (0.8, -0.8)], 0.3, (0.42, 0.30, 0.20))
        else:
            pen.ellipse(0, 0, 0.8, 0.8, colour)
            pen.ellipse(-0.25, -0.25, 0.3, 0.3, light(colour, 0.5))
        colours, cover = pen.layer()
        picture *= 1 - cover[..., None]
        picture += colours


def _occlude(picture: Pixels, mask: Pixels, background: str, rng: Generator) -> tuple[Pixels, Pixels]:
    """Something of the background's own texture that stands before a part of the object."""
    size = mask.shape[0]
    front = Image.new("L", (size * 2, size * 2), 0)
    draw = ImageDraw.Draw(front)
    rows, columns = np.flatnonzero(mask.max(axis=1) > 0.5), np.flatnonzero(mask.max(axis=0) > 0.5)
    if not len(rows):
        return picture, mask
    if rng.random() < 0.5:  # a post
        x = 2 * rng.uniform(columns[0], columns[-1])
        half = size * rng.uniform(0.03, 0.07)
        draw.polygon([(x - half, 0), (x + half, 0), (x + 1.3 * half, 2 * size), (x - 1.3 * half, 2 * size)], fill=255)
    else:  # a mound before its foot
        y = 2 * (rows[-1] - rng.uniform(0.10, 0.30) * (rows[-1] - rows[0]))
        x = 2 * rng.uniform(columns[0], columns[-1])
        wide = size * rng.uniform(0.5, 0.9)
        draw.ellipse((x - wide, y, x + wide, y + 1.6 * size), fill=255)
    soft = front.filter(ImageFilter.GaussianBlur(size * 0.02))
    cover = np.asarray(soft.reduce(2), dtype=np.float32) / 255
    texture = BACKGROUNDS[background](size, rng) * rng.uniform(0.72, 0.9)
    part = cover[..., None]
    return picture * (1 - part) + texture * part, mask * (1 - cover)


def _light(picture: Pixels, rng: Generator) -> Pixels:
    """Time of day: brightness, warmth, contrast, and a falling-off towards one side."""
    size = picture.shape[0]
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    fall = 1 + rng.uniform(0, 0.16) * (np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None])
    warmth = rng.normal(0, 0.035)
    tint = np.array([1 + warmth, 1.0, 1 - warmth], dtype=np.float32)
    contrast = rng.uniform(0.88, 1.08)
    lit: Pixels = picture * fall[..., None] * tint * rng.uniform(0.84, 1.10)
    return (lit - 0.5) * contrast + 0.5


def _blurred(values: Pixels, radius: float) -> Pixels:
    image = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255


def _to_bytes(picture: Pixels) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return (np.clip(picture, 0, 1) * 255).round().astype(np.uint8)
