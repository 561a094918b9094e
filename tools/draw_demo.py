"""Draw the pictures of docs/demo.md and of the README from a finished `dapt demo`.

python tools/draw_demo.py runs/demo          # writes docs/images/scenes.png and docs/images/demo.png
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dapt.config_text import read_yaml
from dapt.data.resolve import load_data
from dapt.demo.drawing.scenes import render
from dapt.demo.figures import titles
from dapt.demo.gallery import choose, exhibit
from dapt.demo.scene_data import background_for
from dapt.demo.setting import run_name, settings_of
from dapt.demo.subjects import subjects
from dapt.runs.load_run import load_run

IMAGES = Path(__file__).parent.parent / "docs" / "images"
CELL, GAP, LINE, LETTERS = 144, 6, 18, 20


def scenes_sheet(columns: int = 8, side: int = 120) -> Image.Image:
    """Every kind on its own background, and below it on an exchanged one."""
    kinds = subjects("kinds")
    rows = -(-len(kinds) // columns)
    sheet = Image.new("RGB", (columns * side, rows * 2 * side))
    for index, kind in enumerate(kinds):
        left, top = index % columns * side, index // columns * 2 * side
        for line, group in enumerate(("own", "exchanged")):
            background = background_for(kind.home, group, np.random.default_rng(index))
            seed = (11, index, line)
            scene = render(kind.drawn, background, seed, side, colour=kind.colour, spots=kind.spots)
            picture = Image.fromarray(scene.image)
            sheet.paste(picture, (left, top + line * side))
    return sheet


def gallery_sheet(demo: Path, count: int = 4) -> Image.Image:
    """Some of the page's gallery: image, mask, cue, views, attention of each model and what it says."""
    settings = settings_of(read_yaml(demo / "demo.yaml"))
    models = {
        title: load_run(demo / "runs" / run_name(kind, 1), device="cpu")[0] for kind, title in titles(settings).items()
    }
    data = load_data(str(demo / "data"))
    heads = ["image", "mask", "Grad-CAM cue", "foreground view", "background view", *models]
    sheet = Image.new("RGB", (len(heads) * (CELL + GAP) - GAP, LINE + count * (CELL + 2 * LINE + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for column, head in enumerate(heads):
        draw.text((column * (CELL + GAP), 2), head, fill="black", font=font)
    for row, item in enumerate(choose(data.labelled("test"), "exchanged", count)):
        one = exhibit(models, item)
        cells = [
            (one.image, f"{one.name} on {one.background}", "black"),
            (one.mask, "", "black"),
            (one.cue, "", "black"),
            (one.foreground, "", "black"),
            (one.view_of_background, "", "black"),
            *((look.picture, look.says, "#0072b2" if look.right else "#b84a00") for look in one.looks.values()),
        ]
        top = LINE + row * (CELL + 2 * LINE + GAP)
        for column, (picture, text, colour) in enumerate(cells):
            sheet.paste(picture.convert("RGB"), (column * (CELL + GAP), top))
            lines = "\n".join(textwrap.wrap(text, LETTERS))
            draw.text((column * (CELL + GAP), top + CELL + 2), lines, fill=colour, font=font)
    return sheet


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", type=Path, help="folder of a finished demonstration")
    sheet = gallery_sheet(parser.parse_args().demo)
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, picture in (("scenes", scenes_sheet()), ("demo", sheet)):
        quantised = picture.quantize(256, method=Image.Quantize.MEDIANCUT)
        quantised.save(IMAGES / f"{name}.png", optimize=True)
        print(IMAGES / f"{name}.png")


if __name__ == "__main__":
    from ending import ending

    ending(main)
