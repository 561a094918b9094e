"""Drawings of vehicles, buildings and household things for the rendered scenes."""

from __future__ import annotations

import itertools
import math

from dapt.demo.drawing.living import BLACK, WHITE, WOOD
from dapt.demo.drawing.look import Look, object_class
from dapt.demo.drawing.pen import Colour, Pen, arc, dark, light, mix

GLASS = (0.68, 0.85, 0.94)
STEEL = (0.70, 0.72, 0.75)


def _wheel(pen: Pen, x: float, y: float, r: float) -> None:
    pen.ellipse(x, y, r, r, BLACK)
    pen.ellipse(x, y, r * 0.58, r * 0.58, STEEL)
    pen.ellipse(x, y, r * 0.22, r * 0.22, dark(STEEL, 0.5))


@object_class("sky", "white red blue grey yellow", tilt=25, flat=True)
def airplane(pen: Pen, look: Look) -> None:
    """An airliner in flight, seen from the side and a little from below."""
    pen.polygon([(-0.10, -0.08), (-0.42, -0.62), (-0.28, -0.62), (0.25, -0.06)], dark(look.main, 0.3))
    pen.polygon([(-0.66, -0.08), (-0.95, -0.55), (-0.76, -0.55), (-0.46, -0.10)], look.second)
    pen.curve(
        [
            (0.98, 0.02),
            (0.78, -0.16),
            (0.3, -0.19),
            (-0.6, -0.17),
            (-0.92, -0.1),
            (-0.6, 0.1),
            (0.3, 0.19),
            (0.8, 0.16),
        ],
        look.main,
    )
    pen.curve([(0.90, 0.10), (0.30, 0.19), (-0.60, 0.10), (-0.20, 0.08), (0.40, 0.10)], dark(look.main, 0.2))
    pen.polygon([(0.25, 0.06), (-0.10, 0.06), (-0.58, 0.72), (-0.38, 0.72)], mix(look.main, STEEL, 0.5))
    pen.polygon([(-0.58, 0.02), (-0.74, 0.02), (-0.94, 0.24), (-0.82, 0.24)], mix(look.main, STEEL, 0.5))
    pen.ellipse(-0.02, 0.34, 0.15, 0.08, dark(STEEL, 0.35))
    pen.polygon([(0.80, -0.13), (0.90, -0.05), (0.70, -0.05), (0.68, -0.14)], dark(GLASS, 0.55))
    for number in range(8):
        pen.ellipse(0.52 - 0.13 * number, -0.05, 0.035, 0.045, dark(GLASS, 0.45))
    pen.line([(0.85, 0.04), (-0.80, 0.0)], 0.035, look.second)


@object_class("sky", "red orange yellow blue purple green pink", tilt=8, flat=True)
def balloon(pen: Pen, look: Look) -> None:
    """A hot-air balloon with striped envelope and basket."""
    for x in (-0.17, 0.17):
        pen.line([(x * 2.2, 0.24), (x, 0.72)], 0.03, dark(WOOD, 0.3))
    envelope = [*arc(0, -0.28, 0.70, 0.70, 160, 380), (0.20, 0.45), (-0.20, 0.45)]
    pen.polygon(envelope, look.main)
    for width, tone in ((0.48, look.second), (0.22, light(look.main, 0.35))):
        pen.polygon([*arc(0, -0.28, width, 0.70, 160, 380), (width * 0.28, 0.45), (-width * 0.28, 0.45)], tone)
    pen.polygon(
        [*arc(0, -0.28, 0.70, 0.70, -25, 20), (0.20, 0.45), (0.10, 0.45), *arc(0, -0.28, 0.58, 0.70, 20, -25)],
        dark(look.main, 0.25),
    )
    pen.polygon([(-0.20, 0.45), (0.20, 0.45), (0.18, 0.52), (-0.18, 0.52)], dark(look.second, 0.4))
    pen.polygon([(-0.19, 0.70), (0.19, 0.70), (0.15, 0.98), (-0.15, 0.98)], WOOD)
    pen.line([(-0.18, 0.72), (0.18, 0.72)], 0.06, light(WOOD, 0.3))
    for y in (0.82, 0.90):
        pen.line([(-0.15, y), (0.15, y)], 0.025, dark(WOOD, 0.35))


@object_class("sky", "red orange yellow blue purple green pink", tilt=30, flat=True)
def kite(pen: Pen, look: Look) -> None:
    """A diamond of four colours with a tail of bows."""
    tail = [(0.0, 0.35), (0.16, 0.52), (-0.06, 0.68), (0.14, 0.84), (0.0, 0.98)]
    pen.line(tail, 0.035, dark(look.second, 0.3), curved=True)
    top, bottom, left, right, cross = (0.0, -0.98), (0.0, 0.38), (-0.60, -0.38), (0.60, -0.38), (0.0, -0.38)
    for corner, end, tone in (
        (top, left, look.main),
        (top, right, light(look.main, 0.30)),
        (bottom, left, look.second),
        (bottom, right, dark(look.second, 0.20)),
    ):
        pen.polygon([corner, end, cross], tone)
    for pair in ((top, bottom), (left, right)):
        pen.line(pair, 0.035, dark(WOOD, 0.3))
    for x, y in tail[1:4]:
        for side in (-1, 1):
            pen.polygon([(x, y), (x + side * 0.15, y - 0.08), (x + side * 0.15, y + 0.08)], look.main)


@object_class("water", "white red blue brown green", tilt=8)
def boat(pen: Pen, look: Look) -> None:
    """A sailing boat."""
    sail = (0.97, 0.95, 0.90)
    pen.line([(0.0, -0.95), (0.0, 0.45)], 0.06, WOOD)
    pen.curve([(0.06, -0.88), (0.42, -0.40), (0.66, 0.28), (0.30, 0.32), (0.06, 0.30)], sail)
    pen.curve([(-0.06, -0.70), (-0.30, -0.20), (-0.56, 0.28), (-0.30, 0.31), (-0.06, 0.30)], look.second)
    for y in (-0.35, 0.0):
        pen.line([(0.08, y), (0.36 + 0.3 * (y + 0.35), y + 0.02)], 0.025, dark(sail, 0.25))
    pen.polygon([(0.0, -0.97), (0.24, -0.90), (0.0, -0.83)], look.main)
    pen.polygon([(-0.85, 0.42), (0.92, 0.42), (0.98, 0.36), (0.62, 0.88), (-0.60, 0.88)], look.main)
    pen.polygon([(-0.72, 0.66), (0.78, 0.66), (0.62, 0.88), (-0.60, 0.88)], dark(look.main, 0.35))
    pen.line([(-0.83, 0.45), (0.93, 0.43)], 0.06, light(WOOD, 0.3))
    for x in (-0.40, 0.0, 0.40):
        pen.ellipse(x, 0.57, 0.06, 0.06, dark(GLASS, 0.5))


@object_class("sand", "red blue yellow green purple orange pink", tilt=18)
def umbrella(pen: Pen, look: Look) -> None:
    """A parasol with panels of two colours."""
    pen.line([(0.0, -0.80), (0.0, 0.95)], 0.07, light(WOOD, 0.25))
    panels = 6
    edges = [-0.95 + 1.9 * number / panels for number in range(panels + 1)]
    for number, (a, b) in enumerate(itertools.pairwise(edges)):
        tone = look.main if number % 2 else mix(look.second, WHITE, 0.6)
        tone = dark(tone, 0.05 * number)
        a_top, b_top = a * 0.10, b * 0.10
        left = [
            (a * math.sin(t * math.pi / 2) ** 0.9, -0.85 + 0.85 * (1 - math.cos(t * math.pi / 2)))
            for t in (n / 10 for n in range(1, 11))
        ]
        right = [
            (b * math.sin(t * math.pi / 2) ** 0.9, -0.85 + 0.85 * (1 - math.cos(t * math.pi / 2)))
            for t in (n / 10 for n in range(10, 0, -1))
        ]
        hem = ((a + b) / 2, 0.09)
        pen.polygon([(a_top, -0.85), *left, hem, *right, (b_top, -0.85)], tone)
    pen.ellipse(0, -0.88, 0.06, 0.08, WOOD)


@object_class("road", "red blue yellow white green grey black orange", tilt=6)
def car(pen: Pen, look: Look) -> None:
    """A small car in profile."""
    roof = look.rng.uniform(-0.55, -0.42)
    pen.curve([(-0.62, -0.02), (-0.42, roof), (0.20, roof), (0.52, -0.02), (0.0, 0.05)], look.main)
    pen.polygon([(-0.48, -0.05), (-0.34, roof + 0.10), (-0.06, roof + 0.08), (-0.06, -0.05)], GLASS)
    pen.polygon([(0.02, -0.05), (0.02, roof + 0.08), (0.17, roof + 0.10), (0.40, -0.05)], dark(GLASS, 0.12))
    pen.curve(
        [
            (-0.96, 0.1),
            (-0.6, -0.08),
            (0.5, -0.08),
            (0.88, 0.05),
            (0.98, 0.32),
            (0.9, 0.44),
            (0.0, 0.46),
            (-0.92, 0.44),
        ],
        look.main,
    )
    pen.polygon([(-0.95, 0.30), (0.97, 0.30), (0.90, 0.45), (-0.90, 0.45)], dark(look.main, 0.35))
    pen.line([(-0.85, 0.06), (0.80, 0.06)], 0.035, light(look.main, 0.5))
    pen.line([(-0.02, 0.0), (-0.02, 0.38)], 0.025, dark(look.main, 0.5))
    pen.line([(0.08, 0.12), (0.18, 0.12)], 0.035, STEEL)
    pen.ellipse(0.90, 0.14, 0.08, 0.07, (1.0, 0.95, 0.60))
    pen.ellipse(-0.92, 0.16, 0.05, 0.07, (0.85, 0.10, 0.10))
    for x in (-0.54, 0.54):
        _wheel(pen, x, 0.46, 0.23)


@object_class("road", "yellow red blue green orange white", tilt=6)
def bus(pen: Pen, look: Look) -> None:
    """A long bus with a row of windows."""
    pen.polygon([(-0.96, -0.50), (0.90, -0.50), (0.98, -0.36), (0.98, 0.45), (-0.96, 0.45)], look.main)
    pen.polygon([(-0.96, -0.55), (0.88, -0.55), (0.92, -0.46), (-0.96, -0.46)], light(look.main, 0.45))
    windows = int(look.rng.integers(4, 6))
    wide = 1.36 / windows
    for number in range(windows):
        x = -0.88 + number * wide
        pen.polygon([(x, -0.36), (x + wide * 0.84, -0.36), (x + wide * 0.84, 0.0), (x, 0.0)], GLASS)
        pen.polygon([(x, -0.36), (x + wide * 0.4, -0.36), (x, 0.0)], light(GLASS, 0.5))
    pen.polygon([(0.54, -0.36), (0.78, -0.36), (0.78, 0.40), (0.54, 0.40)], dark(GLASS, 0.25))
    pen.line([(0.66, -0.36), (0.66, 0.40)], 0.03, dark(look.main, 0.4))
    pen.polygon([(0.84, -0.36), (0.97, -0.34), (0.97, 0.02), (0.84, 0.02)], dark(GLASS, 0.3))
    pen.polygon([(-0.96, 0.12), (0.50, 0.12), (0.50, 0.20), (-0.96, 0.20)], look.second)
    pen.polygon([(-0.96, 0.34), (0.98, 0.34), (0.98, 0.45), (-0.96, 0.45)], dark(look.main, 0.4))
    pen.ellipse(0.93, 0.27, 0.05, 0.05, (1.0, 0.95, 0.60))
    for x in (-0.56, 0.36):
        _wheel(pen, x, 0.46, 0.20)


@object_class("road", "red blue green black orange purple", tilt=8)
def bicycle(pen: Pen, look: Look) -> None:
    """A bicycle in profile."""
    rear, front, hub, seat, head = (-0.56, 0.34), (0.56, 0.34), (-0.06, 0.36), (-0.24, -0.34), (0.36, -0.32)
    for x, y in (rear, front):
        pen.line(arc(x, y, 0.38, 0.38, 0, 360), 0.10, BLACK)
        for turn in range(0, 180, 45):
            dx, dy = 0.34 * math.cos(math.radians(turn + 20)), 0.34 * math.sin(math.radians(turn + 20))
            pen.line([(x - dx, y - dy), (x + dx, y + dy)], 0.018, light(STEEL, 0.4))
    for a, b in ((rear, hub), (hub, seat), (seat, rear), (seat, head), (hub, (0.39, -0.22)), (head, front)):
        pen.line([a, b], 0.095, look.main)
    pen.line([seat, (-0.28, -0.50)], 0.06, STEEL)
    pen.curve([(-0.50, -0.56), (-0.10, -0.58), (-0.12, -0.48), (-0.44, -0.46)], BLACK)
    pen.line([head, (0.32, -0.56), (0.56, -0.62)], 0.07, dark(STEEL, 0.4))
    pen.ellipse(*hub, 0.12, 0.12, dark(STEEL, 0.35))
    pen.line([hub, (0.04, 0.58), (0.14, 0.58)], 0.06, BLACK)


@object_class("wall", "white yellow blue red green brown", tilt=6, flat=True)
def clock(pen: Pen, look: Look) -> None:
    """A round clock with hands and twelve marks."""
    rim = look.main if sum(look.main) < 2.4 else look.second
    pen.ellipse(0, 0, 0.95, 0.95, dark(rim, 0.25))
    pen.ellipse(-0.02, -0.02, 0.88, 0.88, rim)
    pen.ellipse(0, 0, 0.74, 0.74, WHITE)
    for hour in range(12):
        turn = math.radians(30 * hour)
        inner = 0.54 if hour % 3 == 0 else 0.61
        pen.line(
            [(inner * math.sin(turn), -inner * math.cos(turn)), (0.67 * math.sin(turn), -0.67 * math.cos(turn))],
            0.075 if hour % 3 == 0 else 0.045,
            BLACK,
        )
    hours = look.rng.uniform(0, 12)
    for turn, length, width in ((math.radians(30 * hours), 0.34, 0.10), (math.radians(360 * (hours % 1)), 0.54, 0.065)):
        pen.line([(0, 0), (length * math.sin(turn), -length * math.cos(turn))], width, BLACK)
    pen.ellipse(0, 0, 0.08, 0.08, (0.80, 0.15, 0.15))


@object_class("wall", "yellow red green blue orange pink", tilt=6)
def lamp(pen: Pen, look: Look) -> None:
    """A table lamp with a shade."""
    metal: Colour = mix(look.second, STEEL, 0.5)
    pen.ellipse(0, 0.86, 0.42, 0.12, dark(metal, 0.3))
    pen.ellipse(0, 0.82, 0.40, 0.10, metal)
    pen.curve(
        [(-0.06, 0.1), (0.06, 0.1), (0.1, 0.35), (0.2, 0.58), (0.08, 0.8), (-0.08, 0.8), (-0.2, 0.58), (-0.1, 0.35)],
        metal,
    )
    pen.curve([(0.0, 0.10), (0.06, 0.10), (0.10, 0.35), (0.20, 0.58), (0.08, 0.80), (0.04, 0.55)], dark(metal, 0.3))
    pen.polygon([(-0.34, -0.92), (0.34, -0.92), (0.74, 0.10), (-0.74, 0.10)], look.main)
    pen.polygon([(0.12, -0.92), (0.34, -0.92), (0.74, 0.10), (0.34, 0.10)], dark(look.main, 0.15))
    pen.polygon([(-0.22, -0.92), (-0.04, -0.92), (-0.12, 0.10), (-0.48, 0.10)], light(look.main, 0.5))
    pen.line([(-0.34, -0.92), (0.34, -0.92)], 0.06, dark(look.main, 0.3))
    pen.line([(-0.74, 0.10), (0.74, 0.10)], 0.07, dark(look.main, 0.3))
    pen.line([(0.30, 0.14), (0.30, 0.42)], 0.025, light(STEEL, 0.3))


@object_class("wall", "brown red blue green white yellow", tilt=5)
def chair(pen: Pen, look: Look) -> None:
    """A wooden chair, seen from the front and the side."""
    pen.line([(-0.46, -0.92), (-0.40, 0.15)], 0.12, look.main)
    pen.line([(0.30, -0.98), (0.30, 0.05)], 0.12, look.main)
    for y in (-0.82, -0.52, -0.24):
        pen.line([(-0.44, y), (0.30, y - 0.05)], 0.12, light(look.main, 0.2))
    for x, y, end in ((-0.36, 0.20, 0.78), (0.34, 0.10, 0.72)):
        pen.line([(x, y), (x, end)], 0.11, dark(look.main, 0.35))
    pen.polygon([(-0.50, 0.12), (0.36, 0.00), (0.66, 0.24), (-0.24, 0.40)], light(look.main, 0.3))
    pen.polygon([(-0.50, 0.12), (-0.24, 0.40), (-0.24, 0.52), (-0.50, 0.24)], look.main)
    pen.polygon([(-0.24, 0.40), (0.66, 0.24), (0.66, 0.36), (-0.24, 0.52)], dark(look.main, 0.2))
    pen.line([(-0.20, 0.50), (-0.20, 0.97)], 0.12, look.main)
    pen.line([(0.60, 0.36), (0.60, 0.86)], 0.12, dark(look.main, 0.15))


@object_class("rock", "orange blue green red yellow", tilt=4)
def tent(pen: Pen, look: Look) -> None:
    """A ridge tent with an open flap."""
    pen.polygon([(-0.30, -0.62), (0.46, -0.74), (0.98, 0.50), (0.42, 0.72)], dark(look.main, 0.28))
    pen.polygon([(-0.30, -0.62), (0.42, 0.72), (-0.96, 0.72)], look.main)
    pen.polygon([(-0.30, -0.30), (0.08, 0.72), (-0.58, 0.72)], (0.13, 0.11, 0.12))
    pen.polygon([(-0.30, -0.30), (-0.58, 0.72), (-0.80, 0.72)], light(look.main, 0.4))
    pen.polygon([(-0.30, -0.30), (0.08, 0.72), (0.26, 0.72)], light(look.main, 0.25))
    pen.line([(-0.30, -0.66), (0.46, -0.76)], 0.06, light(look.main, 0.5))
    pen.line([(0.10, -0.35), (0.70, 0.52)], 0.05, look.second)
    pen.line([(-0.30, -0.78), (-0.30, -0.55)], 0.05, WOOD)
    pen.line([(0.46, -0.90), (0.46, -0.70)], 0.05, WOOD)
