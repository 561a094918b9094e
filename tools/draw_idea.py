"""Draw docs/images/idea.png: how DAPT takes an image apart and what each part is aligned with.

Usage: python tools/draw_idea.py [OUT]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SCALE = 3  # drawn large, then reduced: smooth edges
TILE = 190
INK, BLUE, ORANGE, GREY = "#1f2933", "#0b62a4", "#b45309", "#52606d"
OUT = Path(__file__).parent.parent / "docs" / "images" / "idea.png"
MEAN_COLOUR = (122, 116, 104)  # CLIP's mean pixel: hidden parts become exactly this


def scene() -> tuple[Image.Image, Image.Image]:
    """A butterfly over a meadow, and its mask."""
    side = TILE * SCALE
    rng = np.random.default_rng(4)
    rows = np.linspace(0, 1, side)[:, None, None]
    sky = np.array([150, 196, 235]) * (1 - rows) + np.array([214, 232, 246]) * rows
    image = Image.fromarray(np.broadcast_to(sky, (side, side, 3)).astype(np.uint8).copy())
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, int(side * 0.58), side, side), fill="#5d8f3e")
    for _ in range(420):
        x, y = int(rng.integers(0, side)), int(rng.integers(int(side * 0.55), side))
        height = int(rng.integers(side // 30, side // 9))
        green = (int(rng.integers(60, 110)), int(rng.integers(125, 175)), int(rng.integers(45, 80)))
        pen.line((x, y, x + int(rng.integers(-14, 14)), y - height), fill=green, width=SCALE * 2)
    mask = Image.new("L", image.size, 0)
    for canvas, colours in ((image, ("#e67e22", "#f6b65b", "#2b1b12")), (mask, (255, 255, 255))):
        draw_butterfly(canvas, side, colours)
    return image, mask


def draw_butterfly(canvas: Image.Image, side: int, colours: tuple) -> None:
    """Four wings, spots, a body and feelers, centred."""
    pen = ImageDraw.Draw(canvas)
    wing, spot, body = colours

    def at(x: float, y: float) -> tuple[float, float]:
        return side * (0.5 + x), side * (0.47 + y)

    for sign in (-1, 1):
        upper = [
            at(0, 0),
            at(sign * 0.10, -0.20),
            at(sign * 0.33, -0.27),
            at(sign * 0.34, -0.08),
            at(sign * 0.12, 0.03),
        ]
        lower = [
            at(0, 0.02),
            at(sign * 0.14, 0.02),
            at(sign * 0.27, 0.10),
            at(sign * 0.20, 0.24),
            at(sign * 0.05, 0.17),
        ]
        for shape in (upper, lower):
            pen.polygon(shape, fill=wing, outline=body, width=SCALE * 4)
        for x, y, size in ((0.24, -0.19, 0.035), (0.17, -0.10, 0.028), (0.17, 0.12, 0.035)):
            left, top = at(sign * x - size, y - size)
            pen.ellipse((left, top, left + 2 * size * side, top + 2 * size * side), fill=spot)
        pen.line([at(0, -0.12), at(sign * 0.07, -0.25)], fill=body, width=SCALE * 3)
    pen.ellipse((*at(-0.022, -0.14), *at(0.022, 0.19)), fill=body)


def draw(out: Path) -> None:
    """Compose the picture."""
    image, mask = scene()
    hidden = Image.new("RGB", image.size, MEAN_COLOUR)
    tiles = [
        ("image  x", image),
        ("cue  m", mask.convert("RGB")),
        ("foreground  x · m", Image.composite(image, hidden, mask)),
        ("background  x · (1 - m)", Image.composite(hidden, image, mask)),
    ]
    width, height = (4 * TILE + 5 * 24) * SCALE, (TILE + 208) * SCALE
    sheet = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(sheet)
    title, small = (ImageFont.load_default(size * SCALE) for size in (15, 13))
    centres = []
    for index, (caption, tile) in enumerate(tiles):
        left = (24 + index * (TILE + 24)) * SCALE
        sheet.paste(tile, (left, 40 * SCALE))
        pen.rectangle((left, 40 * SCALE, left + TILE * SCALE, (40 + TILE) * SCALE), outline="#9aa5b1", width=SCALE)
        centres.append(left + TILE * SCALE // 2)
        pen.text((centres[-1], 22 * SCALE), caption, font=title, fill=INK, anchor="mm")
    line = (40 + TILE + 40) * SCALE
    labels = [
        (0, "L_cls", "align with the class texts", BLUE),
        (2, "L_f", "align with the class texts", BLUE),
        (3, "L_b", "align with background texts:", ORANGE),
    ]
    for index, name, text, colour in labels:
        x = centres[index]
        pen.line((x, (42 + TILE) * SCALE, x, line - 14 * SCALE), fill=colour, width=2 * SCALE)
        pen.polygon(
            [(x - 6 * SCALE, line - 16 * SCALE), (x + 6 * SCALE, line - 16 * SCALE), (x, line - 6 * SCALE)], fill=colour
        )
        pen.text((x, line + 6 * SCALE), name, font=title, fill=colour, anchor="mm")
        pen.text((x, line + 26 * SCALE), text, font=small, fill=GREY, anchor="mm")
    pen.text((centres[3], line + 44 * SCALE), "grass, sky, water, wall, …", font=small, fill=GREY, anchor="mm")
    pull = line + 76 * SCALE
    pen.line((centres[0], pull, centres[2] - 10 * SCALE, pull), fill=BLUE, width=2 * SCALE)
    pen.polygon(
        [(centres[2], pull), (centres[2] - 12 * SCALE, pull - 6 * SCALE), (centres[2] - 12 * SCALE, pull + 6 * SCALE)],
        fill=BLUE,
    )
    note = "L_v: pull the image feature to its foreground …"
    pen.text(((centres[0] + centres[2]) // 2, pull - 12 * SCALE), note, font=small, fill=BLUE, anchor="mm")
    push = pull + 36 * SCALE
    for start in range(centres[0], centres[3] - 12 * SCALE, 14 * SCALE):
        pen.line((start, push, start + 8 * SCALE, push), fill=ORANGE, width=2 * SCALE)
    pen.line((centres[3], push - 7 * SCALE, centres[3], push + 7 * SCALE), fill=ORANGE, width=3 * SCALE)
    note = "… and push it away from its background"
    pen.text(((centres[0] + centres[3]) // 2, push - 12 * SCALE), note, font=small, fill=ORANGE, anchor="mm")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.resize((width // SCALE * 2, height // SCALE * 2), Image.Resampling.LANCZOS).save(out, optimize=True)


def main() -> None:
    """Draw it where that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=OUT)
    out = parser.parse_args().out
    if out.suffix != ".png":
        parser.error(f"{out} is no .png")
    draw(out)


if __name__ == "__main__":
    from ending import ending

    ending(main)
