"""Backgrounds of the rendered scenes: textures a person names at a glance, all different from draw to draw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from dapt.demo.drawing.pen import Colour, Pixels, mix

Painter = Callable[[int, Generator], Pixels]

BACKGROUNDS: dict[str, Painter] = {}


def _background(painter: Painter) -> Painter:
    BACKGROUNDS[painter.__name__] = painter
    return painter


def noise(size: int, rng: Generator, cells: float, stretch: float = 1.0) -> Pixels:
    """Smooth noise ``[size, size]`` in 0..1 with about `cells` bumps per side (`stretch` times fewer across)."""
    high, wide = max(round(cells), 2), max(round(cells / stretch), 2)
    coarse = Image.fromarray((rng.random((high, wide)) * 255).astype(np.uint8))
    return np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32) / 255


def fractal(size: int, rng: Generator, cells: float, stretch: float = 1.0, octaves: int = 3) -> Pixels:
    """Noise summed over `octaves` finer and weaker layers, about 0..1."""
    total = np.zeros((size, size), dtype=np.float32)
    weight = 0.0
    for octave in range(octaves):
        share = 0.5**octave
        total += share * noise(size, rng, min(cells * 2**octave, size), stretch)
        weight += share
    return total / weight


def ramp(size: int, top: Colour, bottom: Colour) -> Pixels:
    """A vertical gradient."""
    t = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    row = np.array(top, dtype=np.float32) * (1 - t) + np.array(bottom, dtype=np.float32) * t
    return np.repeat(row, size, axis=1)


def blend(picture: Pixels, colour: Colour, share: Pixels) -> Pixels:
    """`picture` with `share` ``[H, W]`` of a colour."""
    part = np.clip(share, 0, 1)[..., None]
    return picture * (1 - part) + np.array(colour, dtype=np.float32) * part


def vary(colour: Colour, rng: Generator, amount: float = 0.06) -> Colour:
    """A colour nearby: brighter or darker, and a little warmer, cooler or greener."""
    tone = rng.normal(0, amount)
    red, green, blue = (float(np.clip(value + tone + rng.normal(0, amount / 3), 0, 1)) for value in colour)
    return red, green, blue


def _canvas(picture: Pixels, factor: int = 2) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """The picture as an image `factor` times larger, to draw fine strokes on."""
    size = picture.shape[0] * factor
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8)).resize(
        (size, size), Image.Resampling.BILINEAR
    )
    return image, ImageDraw.Draw(image)


def _reduced(image: Image.Image, factor: int = 2) -> Pixels:
    return np.asarray(image.reduce(factor), dtype=np.float32) / 255


def _ink(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (round(255 * min(max(value, 0.0), 1.0)) for value in colour)
    return red, green, blue


@_background
def grass(size: int, rng: Generator) -> Pixels:
    """A meadow: blades that grow longer towards the viewer, some flowers of light."""
    base = vary((0.30, 0.52, 0.18), rng)
    picture = ramp(size, mix(base, (0.75, 0.82, 0.45), 0.35), mix(base, (0.05, 0.2, 0.05), 0.25))
    picture = blend(picture, mix(base, (0.1, 0.25, 0.05), 0.5), 0.7 * fractal(size, rng, 6, 2.0) - 0.15)
    image, draw = _canvas(picture)
    side = size * 2
    for y in np.sort(rng.random(int(rng.integers(150, 260)))):
        x = rng.random() * side
        length = side * (0.03 + 0.09 * y) * rng.uniform(0.6, 1.3)
        tone = mix(base, (0.85, 0.95, 0.4) if rng.random() < 0.5 else (0.02, 0.18, 0.02), rng.uniform(0.1, 0.5))
        lean = rng.normal(0, 0.35) * length
        draw.line(
            [(x, y * side), (x + lean, y * side - length)], fill=_ink(tone), width=max(round(side * 0.006 * (1 + y)), 1)
        )
    return _reduced(image)


@_background
def sky(size: int, rng: Generator) -> Pixels:
    """Blue that pales towards the horizon, with soft clouds."""
    blue = vary((0.25, 0.50, 0.86), rng)
    picture = ramp(size, blue, mix(blue, (0.85, 0.93, 1.0), rng.uniform(0.4, 0.8)))
    cover = fractal(size, rng, rng.uniform(2, 4), 1.8, 4)
    picture = blend(picture, (1.0, 1.0, 1.0), (cover - rng.uniform(0.45, 0.6)) * rng.uniform(3, 6))
    return blend(picture, (0.55, 0.62, 0.75), (cover - 0.72) * 3 * np.linspace(0.2, 1, size, dtype=np.float32)[:, None])


@_background
def water(size: int, rng: Generator) -> Pixels:
    """Open water: bands of waves, narrower towards the top, and glints."""
    deep = vary((0.08, 0.38, 0.50), rng)
    picture = ramp(size, mix(deep, (0.55, 0.80, 0.85), 0.45), deep)
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    bend = fractal(size, rng, 5, 1.5) * 1.4
    waves = np.sin(2 * np.pi * (rng.uniform(7, 10) * np.sqrt(y + 0.05) + bend))
    picture = blend(picture, mix(deep, (0.0, 0.1, 0.2), 0.6), 0.45 * np.clip(waves, 0, 1))
    picture = blend(picture, (0.80, 0.95, 0.98), 0.8 * np.clip(-waves - 0.55, 0, 1))
    glints = noise(size, rng, size / 2, 4.0)
    return blend(picture, (1.0, 1.0, 1.0), (glints - 0.78) * 4 * (1 - 0.6 * y))


@_background
def sand(size: int, rng: Generator) -> Pixels:
    """A beach: ripples, grain and a few pebbles."""
    base = vary((0.87, 0.74, 0.50), rng, 0.04)
    picture = ramp(size, mix(base, (1.0, 0.95, 0.80), 0.35), mix(base, (0.55, 0.40, 0.22), 0.2))
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, size, dtype=np.float32)[None]
    ripples = np.sin(2 * np.pi * (rng.uniform(5, 9) * y + rng.uniform(-2, 2) * x + 1.6 * fractal(size, rng, 3)))
    picture = blend(picture, mix(base, (0.45, 0.30, 0.15), 0.55), 0.45 * np.clip(ripples, 0, 1))
    picture = picture * (0.90 + 0.2 * rng.random((size, size, 1), dtype=np.float32))
    image, draw = _canvas(picture)
    for _ in range(int(rng.integers(4, 14))):
        px, py = rng.random(2) * size * 2
        r = size * rng.uniform(0.008, 0.025)
        draw.ellipse((px - r, py - r * 0.7, px + r, py + r * 0.7), fill=_ink(vary((0.55, 0.47, 0.38), rng, 0.1)))
    return _reduced(image)


@_background
def road(size: int, rng: Generator) -> Pixels:
    """Asphalt with lane markings that run to a vanishing point, and verges."""
    grey = vary((0.33, 0.33, 0.35), rng, 0.04)
    picture = ramp(size, mix(grey, (0.62, 0.62, 0.62), 0.4), grey)
    picture = picture * (0.88 + 0.24 * rng.random((size, size, 1), dtype=np.float32))
    picture = blend(picture, mix(grey, (0, 0, 0), 0.5), 0.5 * fractal(size, rng, 4) - 0.2)
    image, draw = _canvas(picture)
    side = size * 2
    vanish, top = side * rng.uniform(0.3, 0.7), -side * rng.uniform(0.15, 0.6)

    def across(x: float, y: float) -> float:
        return vanish + (x - vanish) * (y - top) / (side - top)

    verge = _ink(vary((0.45, 0.42, 0.34), rng))
    paint = (238, 236, 226) if rng.random() < 0.6 else (240, 196, 60)
    left, right = side * rng.uniform(-0.15, 0.1), side * rng.uniform(0.9, 1.15)
    for edge, far in ((left, -side), (right, 2 * side)):
        draw.polygon([(across(edge, 0), 0), (across(edge, side), side), (far, side), (far, 0)], fill=verge)
        inner = edge + side * 0.03 * (1 if edge == left else -1)
        draw.polygon(
            [(across(edge, 0), 0), (across(edge, side), side), (inner, side), (across(inner, 0), 0)], fill=paint
        )
    middle, width = side * rng.uniform(0.4, 0.6), side * 0.045
    start = rng.uniform(0, 0.25)
    for y0 in np.arange(-0.25 + start, 1.0, 0.26):
        a, b = side * y0, side * (y0 + 0.15)
        draw.polygon(
            [
                (across(middle, a), a),
                (across(middle + width, a), a),
                (across(middle + width, b), b),
                (across(middle, b), b),
            ],
            fill=paint,
        )
    return _reduced(image)


@_background
def wall(size: int, rng: Generator) -> Pixels:
    """Bricks of uneven tone between pale mortar."""
    brick = vary(((0.62, 0.28, 0.20), (0.72, 0.42, 0.30), (0.55, 0.33, 0.28))[int(rng.integers(3))], rng, 0.04)
    mortar = vary((0.78, 0.74, 0.68), rng, 0.05)
    image, draw = _canvas(ramp(size, mortar, mortar))
    side = size * 2
    rows = int(rng.integers(7, 11))
    high = side / rows
    wide, gap = high * rng.uniform(2.0, 2.6), max(high * 0.09, 1.0)
    for row in range(rows + 1):
        shift = (row % 2) * wide / 2 + rng.normal(0, 0.01) * side
        for x in np.arange(-wide + shift, side + wide, wide):
            tone = mix(brick, (0.1, 0.05, 0.05) if rng.random() < 0.5 else (0.95, 0.7, 0.55), rng.uniform(0, 0.28))
            box = (x + gap / 2, row * high + gap / 2, x + wide - gap / 2, (row + 1) * high - gap / 2)
            draw.rectangle(box, fill=_ink(tone))
            draw.line([(box[0], box[3]), (box[2], box[3])], fill=_ink(mix(tone, (0, 0, 0), 0.35)), width=1)
    picture = _reduced(image)
    return picture * (0.86 + 0.28 * fractal(size, rng, 10)[..., None])


@_background
def rock(size: int, rng: Generator) -> Pixels:
    """Grey facets with cracks between them and lichen."""
    base = vary((0.50, 0.47, 0.44), rng, 0.05)
    count = int(rng.integers(12, 22))
    seeds = rng.random((count, 2)).astype(np.float32)
    axis = np.linspace(0, 1, size, dtype=np.float32)
    bend = 0.10 * fractal(size, rng, 6) - 0.05
    dx = (axis[None] + bend)[..., None] - seeds[:, 0]
    dy = (axis[:, None] + bend.T)[..., None] - seeds[:, 1]
    distance = dx**2 + (1.5 * dy) ** 2
    nearest = distance.argmin(axis=-1)
    two = np.sqrt(np.partition(distance, 1, axis=-1)[..., :2])
    slopes = rng.normal(0, 1, (count, 2)).astype(np.float32)
    tone = rng.uniform(-0.14, 0.14, count).astype(np.float32)[nearest]
    across = np.take_along_axis(dx, nearest[..., None], -1)[..., 0] * slopes[nearest, 0]
    along = np.take_along_axis(dy, nearest[..., None], -1)[..., 0] * slopes[nearest, 1]
    shade = 1 + tone + 0.9 * (across + along) + 0.35 * (fractal(size, rng, 12) - 0.5)
    picture = np.array(base, dtype=np.float32) * shade[..., None]
    picture = blend(picture, (0.10, 0.09, 0.08), 1 - (two[..., 1] - two[..., 0]) / 0.035)
    return blend(picture, vary((0.50, 0.53, 0.28), rng), (fractal(size, rng, 5) - 0.66) * 4)


@_background
def snow(size: int, rng: Generator) -> Pixels:
    """Drifts with blue shadows, and flakes in the air."""
    shadow = vary((0.66, 0.76, 0.90), rng, 0.03)
    drift = fractal(size, rng, 3, 2.5)
    picture = ramp(size, mix(shadow, (1, 1, 1), 0.55), (0.97, 0.98, 1.0))
    slope = np.gradient(drift, axis=0) * size / 6
    picture = blend(picture, shadow, 0.15 + 0.9 * slope)
    picture = blend(picture, (1.0, 1.0, 1.0), -1.1 * slope)
    image, draw = _canvas(picture)
    for _ in range(int(rng.integers(20, 60))):
        x, y = rng.random(2) * size * 2
        r = size * rng.uniform(0.006, 0.018)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 255, 255))
        draw.arc((x - r, y - r, x + r, y + r), 20, 160, fill=_ink(mix(shadow, (0.4, 0.5, 0.7), 0.4)))
    return _reduced(image)
