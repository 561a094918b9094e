"""Drawings of animals and plants for the rendered scenes."""

from __future__ import annotations

import math

from dapt.demo.drawing.look import Look, object_class
from dapt.demo.drawing.pen import Pen, arc, dark, light, mix

BLACK = (0.08, 0.08, 0.10)
WHITE = (0.97, 0.97, 0.95)
LEAF = (0.22, 0.50, 0.20)
WOOD = (0.42, 0.28, 0.17)
BEAK = (0.95, 0.62, 0.12)


@object_class("grass", "red orange yellow purple pink white blue", tilt=15)
def flower(pen: Pen, look: Look) -> None:
    """A blossom on a stem with two leaves."""
    pen.line([(0.0, -0.3), (0.05, 0.3), (0.0, 0.98)], 0.10, dark(LEAF, 0.1), curved=True)
    for side in (-1, 1):
        pen.curve([(0.02, 0.75), (side * 0.30, 0.42), (side * 0.58, 0.36), (side * 0.36, 0.66)], LEAF)
        pen.line([(0.02, 0.72), (side * 0.45, 0.45)], 0.03, light(LEAF, 0.3))
    count = int(look.rng.integers(6, 10))
    for number in range(count):
        turn = 360 * number / count
        x, y = 0.38 * math.cos(math.radians(turn)), -0.42 + 0.38 * math.sin(math.radians(turn))
        pen.ellipse(x, y, 0.30, 0.17, look.main if number % 2 else light(look.main, 0.18), turn)
        pen.line(
            [(0.5 * x, -0.42 + 0.5 * (y + 0.42)), (1.4 * x, -0.42 + 1.4 * (y + 0.42))], 0.02, dark(look.main, 0.25)
        )
    middle = (0.97, 0.78, 0.15) if look.main[2] > 0.3 or look.main[1] < 0.4 else (0.45, 0.25, 0.10)
    pen.ellipse(0, -0.42, 0.20, 0.20, middle)
    pen.ellipse(-0.05, -0.47, 0.09, 0.09, light(middle, 0.35))


@object_class("grass", "red brown orange yellow purple")
def mushroom(pen: Pen, look: Look) -> None:
    """A spotted cap on a pale stem."""
    stem = (0.93, 0.89, 0.78)
    pen.curve([(-0.20, 0.0), (0.20, 0.0), (0.24, 0.55), (0.34, 0.92), (0.0, 0.98), (-0.34, 0.92), (-0.24, 0.55)], stem)
    pen.curve([(0.06, 0.0), (0.20, 0.0), (0.24, 0.55), (0.34, 0.92), (0.14, 0.95)], dark(stem, 0.14))
    pen.curve([(-0.30, 0.14), (0.30, 0.14), (0.22, 0.34), (0.0, 0.28), (-0.22, 0.34)], dark(stem, 0.06))
    pen.polygon([*arc(0, 0.05, 0.92, 0.95, 180, 360), *arc(0, 0.05, 0.92, 0.16, 0, 180)], look.main)
    pen.polygon([*arc(0, 0.07, 0.80, 0.10, 0, 360)], dark(stem, 0.25))
    pen.polygon([*arc(-0.1, 0.0, 0.66, 0.72, 190, 300), *arc(0.0, 0.0, 0.60, 0.55, 300, 190)], light(look.main, 0.25))
    for x, y, r in ((-0.48, -0.28, 0.13), (-0.02, -0.55, 0.17), (0.45, -0.30, 0.15), (0.10, -0.14, 0.10)):
        pen.ellipse(x + look.rng.normal(0, 0.03), y, r, r * 0.85, WHITE)


@object_class("grass", "orange yellow blue purple pink red", tilt=30, flat=True)
def butterfly(pen: Pen, look: Look) -> None:
    """Four patterned wings seen from above."""
    edge = dark(look.main, 0.72)
    for side in (-1, 1):

        def wing(points: list[tuple[float, float]], colour: tuple[float, float, float], side: int = side) -> None:
            pen.curve([(side * x, y) for x, y in points], colour)

        wing([(0.05, -0.05), (0.30, -0.70), (0.80, -0.85), (0.98, -0.50), (0.70, -0.05), (0.30, 0.05)], edge)
        wing([(0.12, -0.10), (0.35, -0.58), (0.74, -0.70), (0.84, -0.47), (0.60, -0.12)], look.main)
        wing([(0.05, 0.02), (0.55, 0.02), (0.80, 0.35), (0.62, 0.80), (0.30, 0.72), (0.10, 0.35)], edge)
        wing([(0.12, 0.10), (0.50, 0.10), (0.68, 0.36), (0.55, 0.66), (0.32, 0.58)], look.second)
        pen.ellipse(side * 0.62, -0.45, 0.11, 0.11, light(look.main, 0.75))
        pen.ellipse(side * 0.46, 0.38, 0.10, 0.12, edge)
        pen.line([(side * 0.15, -0.12), (side * 0.60, -0.55)], 0.03, edge)
        pen.line([(0.0, -0.45), (side * 0.12, -0.75), (side * 0.26, -0.92)], 0.04, BLACK, curved=True)
    pen.ellipse(0, 0.05, 0.085, 0.55, BLACK)
    pen.ellipse(0, -0.45, 0.11, 0.11, BLACK)


@object_class("water", "orange blue yellow red green purple pink", tilt=20, flat=True)
def fish(pen: Pen, look: Look) -> None:
    """A fish in profile with fins and stripes."""
    fin = dark(look.main, 0.25)
    pen.curve([(-0.48, 0.0), (-0.95, -0.48), (-0.86, 0.0), (-0.95, 0.48)], fin)
    pen.curve([(-0.30, -0.35), (0.05, -0.80), (0.40, -0.40)], fin)
    pen.curve([(-0.10, 0.40), (0.02, 0.75), (0.25, 0.40)], fin)
    body = [(0.95, 0.02), (0.60, -0.38), (0.10, -0.50), (-0.30, -0.30), (-0.62, 0.0)]
    pen.curve([*body, (-0.30, 0.30), (0.10, 0.48), (0.60, 0.36)], look.main)
    pen.curve(
        [(0.90, 0.10), (0.60, 0.33), (0.10, 0.45), (-0.30, 0.26), (0.10, 0.22), (0.55, 0.20)], light(look.main, 0.5)
    )
    stripe = look.second if look.rng.random() < 0.7 else WHITE
    for x, high in ((-0.22, 0.26), (0.10, 0.42)):
        pen.curve([(x, -high), (x + 0.10, -high), (x + 0.16, 0.0), (x + 0.08, high), (x - 0.02, high)], stripe)
    pen.line(arc(0.42, 0.0, 0.10, 0.24, -70, 70), 0.03, dark(look.main, 0.4))
    pen.curve([(0.22, 0.06), (0.02, 0.24), (0.30, 0.22)], fin)
    pen.ellipse(0.66, -0.10, 0.12, 0.12, WHITE)
    pen.ellipse(0.68, -0.10, 0.065, 0.065, BLACK)
    pen.line([(0.92, 0.08), (0.78, 0.14)], 0.03, dark(look.main, 0.5))


@object_class("water", "yellow white brown grey green")
def duck(pen: Pen, look: Look) -> None:
    """A duck in profile."""
    pen.curve(
        [(-0.98, -0.1), (-0.7, 0.05), (-0.2, -0.02), (0.3, 0.05), (0.6, 0.32), (0.4, 0.72), (-0.2, 0.82), (-0.7, 0.6)],
        look.main,
    )
    pen.curve([(0.12, 0.20), (0.18, -0.25), (0.55, -0.25), (0.62, 0.30)], look.main)
    pen.curve([(0.66, -0.60), (0.98, -0.52), (0.98, -0.40), (0.66, -0.38)], BEAK)
    pen.line([(0.70, -0.47), (0.96, -0.46)], 0.03, dark(BEAK, 0.4))
    pen.ellipse(0.42, -0.52, 0.34, 0.33, look.second if look.rng.random() < 0.4 else look.main)
    pen.curve([(0.10, 0.25), (-0.25, 0.10), (-0.85, 0.12), (-0.55, 0.48), (-0.10, 0.55)], dark(look.main, 0.18))
    for y in (0.25, 0.38):
        pen.line([(-0.62, y), (-0.05, y + 0.03)], 0.03, dark(look.main, 0.38))
    pen.ellipse(0.50, -0.60, 0.085, 0.085, WHITE)
    pen.ellipse(0.52, -0.60, 0.055, 0.055, BLACK)


@object_class("sand", "red orange brown purple blue", flat=False)
def crab(pen: Pen, look: Look) -> None:
    """A crab from the front with raised claws."""
    for side in (-1, 1):
        for number in range(3):
            y = 0.30 + 0.16 * number
            pen.line(
                [
                    (side * 0.4, y - 0.05),
                    (side * (0.78 - 0.07 * number), y - 0.02),
                    (side * (0.92 - 0.12 * number), y + 0.3),
                ],
                0.085,
                dark(look.main, 0.2),
            )
        pen.line([(side * 0.42, 0.10), (side * 0.75, -0.02), (side * 0.70, -0.35)], 0.14, look.main)
        pen.curve([(side * 0.60, -0.30), (side * 0.42, -0.62), (side * 0.58, -0.95), (side * 0.66, -0.62)], look.main)
        pen.curve(
            [(side * 0.70, -0.30), (side * 0.66, -0.62), (side * 0.84, -0.98), (side * 0.98, -0.55)],
            light(look.main, 0.15),
        )
        pen.line([(side * 0.18, -0.10), (side * 0.20, -0.38)], 0.06, dark(look.main, 0.2))
        pen.ellipse(side * 0.20, -0.42, 0.11, 0.11, WHITE)
        pen.ellipse(side * 0.19, -0.42, 0.06, 0.06, BLACK)
    pen.curve(
        [(-0.60, 0.20), (-0.42, -0.12), (0.0, -0.20), (0.42, -0.12), (0.60, 0.20), (0.36, 0.52), (-0.36, 0.52)],
        look.main,
    )
    pen.curve(
        [(-0.45, 0.12), (-0.30, -0.06), (0.0, -0.12), (0.30, -0.06), (0.45, 0.12), (0.0, 0.06)], light(look.main, 0.3)
    )
    pen.line(arc(0, 0.22, 0.20, 0.14, 20, 160), 0.04, dark(look.main, 0.55))
    for x in (-0.34, 0.34):
        pen.ellipse(x, 0.26, 0.05, 0.04, dark(look.main, 0.35))


@object_class("sand", "green", tilt=8)
def cactus(pen: Pen, look: Look) -> None:
    """A column cactus with two arms."""
    ridge, glow = dark(look.main, 0.35), light(look.main, 0.25)
    left, right = look.rng.uniform(-0.15, 0.25), look.rng.uniform(-0.35, 0.05)
    for side, y in ((-1, left), (1, right)):
        pen.line([(0, y + 0.25), (side * 0.55, y + 0.22), (side * 0.62, y - 0.38)], 0.27, look.main)
        pen.line([(side * 0.30, y + 0.24), (side * 0.55, y + 0.16), (side * 0.62, y - 0.36)], 0.04, ridge)
    pen.line([(0, -0.72), (0, 0.90)], 0.50, look.main)
    for x, tone in ((-0.14, glow), (0.0, ridge), (0.14, ridge)):
        pen.line([(x, -0.72), (x, 0.92)], 0.04, tone)
    for y in (-0.6, -0.3, 0.0, 0.3, 0.6):
        for x in (-0.2, 0.07, 0.2):
            pen.line([(x, y), (x + 0.05, y - 0.06)], 0.025, WHITE)
    if look.rng.random() < 0.6:
        for x in (-0.10, 0.0, 0.10):
            pen.ellipse(x, -0.96 + 0.3 * abs(x), 0.08, 0.11, (0.93, 0.35, 0.52), 150 * x)


@object_class("rock", "green brown yellow orange red", tilt=25, flat=True)
def snake(pen: Pen, look: Look) -> None:
    """A winding, banded snake."""
    phase = look.rng.uniform(-0.3, 0.3)
    spine = [
        (-0.95 + 1.55 * t, 0.32 * math.sin(7.5 * t + phase) + 0.28 - 0.35 * t) for t in (n / 40 for n in range(41))
    ]
    for number, (x, y) in enumerate(spine):
        r = 0.05 + 0.12 * min(number / 16, 1)
        pen.ellipse(x, y, r + 0.03, r + 0.03, dark(look.main, 0.45))
    for number, (x, y) in enumerate(spine):
        r = 0.05 + 0.12 * min(number / 16, 1)
        pen.ellipse(x, y, r, r, look.second if number % 6 < 2 else look.main)
    x, y = spine[-1]
    pen.line([(x + 0.20, y), (x + 0.38, y + 0.03), (x + 0.46, y - 0.05)], 0.03, (0.85, 0.10, 0.15))
    pen.line([(x + 0.38, y + 0.03), (x + 0.46, y + 0.10)], 0.03, (0.85, 0.10, 0.15))
    pen.curve(
        [(x - 0.15, y - 0.17), (x + 0.15, y - 0.20), (x + 0.30, y), (x + 0.15, y + 0.20), (x - 0.15, y + 0.17)],
        look.main,
    )
    for side in (-1, 1):
        pen.ellipse(x + 0.10, y + side * 0.11, 0.055, 0.055, (0.98, 0.92, 0.30))
        pen.ellipse(x + 0.12, y + side * 0.11, 0.028, 0.028, BLACK)


@object_class("rock", "green brown yellow blue")
def turtle(pen: Pen, look: Look) -> None:
    """A turtle in profile with a patterned shell."""
    skin = mix(look.second, (0.60, 0.66, 0.30), 0.7)
    for x in (-0.48, 0.38):
        pen.curve([(x - 0.14, 0.30), (x + 0.16, 0.30), (x + 0.20, 0.80), (x - 0.16, 0.80)], dark(skin, 0.12))
    pen.curve([(-0.70, 0.30), (-0.98, 0.48), (-0.68, 0.46)], skin)
    pen.line([(0.50, 0.25), (0.76, 0.02)], 0.22, skin)
    pen.ellipse(0.80, -0.06, 0.20, 0.17, skin)
    pen.ellipse(0.86, -0.11, 0.04, 0.04, BLACK)
    pen.line([(0.98, 0.0), (0.84, 0.03)], 0.03, dark(skin, 0.5))
    pen.polygon([*arc(-0.10, 0.38, 0.72, 0.92, 180, 360), *arc(-0.10, 0.38, 0.72, 0.12, 0, 180)], dark(look.main, 0.45))
    for x, y, rx, ry in ((-0.10, -0.20, 0.19, 0.18), (-0.46, -0.02, 0.15, 0.19), (0.26, -0.02, 0.15, 0.19)):
        pen.ellipse(x, y, rx, ry, look.main)
        pen.ellipse(x - 0.03, y - 0.04, rx * 0.6, ry * 0.6, light(look.main, 0.25))
    for x in (-0.58, -0.26, 0.08, 0.40):
        pen.ellipse(x, 0.28, 0.12, 0.10, look.main)
    pen.line([(-0.80, 0.40), (0.60, 0.40)], 0.09, light(skin, 0.2))


@object_class("snow", "black blue grey", tilt=8)
def penguin(pen: Pen, look: Look) -> None:
    """A standing penguin."""
    for side in (-1, 1):
        pen.curve([(side * 0.06, 0.88), (side * 0.40, 0.86), (side * 0.42, 0.98), (side * 0.06, 0.98)], BEAK)
        pen.curve(
            [(side * 0.44, -0.28), (side * 0.78, 0.15), (side * 0.72, 0.50), (side * 0.48, 0.25)], dark(look.main, 0.25)
        )
    pen.curve(
        [
            (0.0, -0.98),
            (0.3, -0.8),
            (0.36, -0.45),
            (0.54, 0.05),
            (0.52, 0.6),
            (0.25, 0.92),
            (-0.25, 0.92),
            (-0.52, 0.6),
            (-0.54, 0.05),
            (-0.36, -0.45),
            (-0.3, -0.8),
        ],
        look.main,
    )
    pen.curve(
        [(0.0, -0.30), (0.30, -0.15), (0.38, 0.30), (0.22, 0.82), (-0.22, 0.82), (-0.38, 0.30), (-0.30, -0.15)], WHITE
    )
    for side in (-1, 1):
        pen.ellipse(side * 0.13, -0.58, 0.17, 0.20, WHITE)
        pen.ellipse(side * 0.12, -0.62, 0.06, 0.07, BLACK)
    pen.ellipse(0, 0.62, 0.20, 0.16, (0.88, 0.90, 0.93))
    pen.curve([(-0.12, -0.48), (0.0, -0.55), (0.12, -0.48), (0.0, -0.30)], BEAK)


@object_class("snow", "green", tilt=5)
def tree(pen: Pen, look: Look) -> None:
    """A fir with three tiers of branches."""
    pen.polygon([(-0.12, 0.60), (0.12, 0.60), (0.15, 0.98), (-0.15, 0.98)], WOOD)
    pen.polygon([(0.03, 0.60), (0.12, 0.60), (0.15, 0.98), (0.05, 0.98)], dark(WOOD, 0.3))
    for top, bottom, half in ((-0.15, 0.72, 0.74), (-0.55, 0.32, 0.58), (-0.98, -0.12, 0.40)):
        teeth = 7
        hem = []
        for number in range(teeth + 1):
            x = half - 2 * half * number / teeth
            hem.append((x, bottom + (0.06 if number % 2 else -0.06) + look.rng.normal(0, 0.01)))
        pen.polygon([(0, top), *hem], look.main)
        pen.polygon(
            [(0, top), *[point for point in hem if point[0] >= -0.02], (0.1, bottom - 0.1)], dark(look.main, 0.25)
        )
        pen.line([(-0.08, top + 0.25), (-half * 0.55, bottom - 0.18)], 0.05, light(look.main, 0.3))


@object_class("snow", "white", tilt=5)
def snowman(pen: Pen, look: Look) -> None:
    """Three balls of snow with a hat, a scarf and a carrot."""
    shade = (0.80, 0.85, 0.93)
    for side in (-1, 1):
        pen.line([(side * 0.25, -0.08), (side * 0.62, -0.32), (side * 0.80, -0.30)], 0.05, WOOD)
        pen.line([(side * 0.62, -0.32), (side * 0.72, -0.50)], 0.04, WOOD)
    for y, r in ((0.52, 0.46), (-0.05, 0.34), (-0.50, 0.26)):
        pen.ellipse(0, y, r, r, shade)
        pen.ellipse(-0.04, y - 0.04, r * 0.86, r * 0.86, look.main)
    pen.line([(-0.22, -0.30), (0.0, -0.25), (0.22, -0.30)], 0.11, look.second, curved=True)
    pen.line([(0.14, -0.27), (0.20, 0.02)], 0.10, look.second)
    pen.polygon([(-0.30, -0.68), (0.30, -0.68), (0.30, -0.76), (-0.30, -0.76)], BLACK)
    pen.polygon([(-0.19, -0.76), (0.19, -0.76), (0.17, -0.99), (-0.17, -0.99)], BLACK)
    pen.polygon([(-0.19, -0.76), (0.19, -0.76), (0.19, -0.82), (-0.19, -0.82)], look.second)
    for x in (-0.09, 0.09):
        pen.ellipse(x, -0.56, 0.035, 0.035, BLACK)
    pen.polygon([(0.0, -0.52), (0.0, -0.43), (0.30, -0.44)], (0.95, 0.50, 0.10))
    for y in (-0.12, 0.04, 0.35):
        pen.ellipse(0, y, 0.04, 0.04, BLACK)
