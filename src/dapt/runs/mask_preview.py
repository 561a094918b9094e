"""Contact sheets of masks: photo, outline and what is left of the photo, the worst first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dapt.console import progress, visible
from dapt.data.items import Item
from dapt.data.load.images import image_tensor
from dapt.data.load.picture_files import comment_of
from dapt.data.masks.mask_entries import MaskEntry
from dapt.files import remove_file, write_with
from dapt.runs.mask_folder import COMMENT, PREVIEW, MaskFolder
from dapt.runs.mask_statistics import grey_of

SHEET = 24  # images on one
COLUMNS = 4
SIDE, GAP, CAPTION = 160, 8, 30
LINE = (255, 0, 220)
GREY = 128
LETTERS = 50  # of a caption


def sheet_names(images: int) -> list[str]:
    """The files of a preview of so many images."""
    stem, suffix = PREVIEW.split(".")
    return [PREVIEW, *(f"{stem}-{number}.{suffix}" for number in range(2, -(-images // SHEET) + 1))]


def worst_first(
    items: Sequence[Item], entries: Mapping[str, MaskEntry], iou: Mapping[str, float] | None
) -> list[tuple[Item, str]]:
    """The images in the order of a preview, and the figure under each.

    By overlap with true masks where it was measured (`iou`, 0..1), else by the score that the cue gives where it gives
    any, else by how unlike an object the covered share is. Images without a figure come last.
    """
    scores = {name: entry.score for name, entry in entries.items() if entry.score is not None}
    known: Mapping[str, float]
    if iou:
        known, label = iou, "IoU {:.0%}"
    elif any(item.name in scores for item in items):
        known, label = scores, "score {:.2f}"
    else:
        known = {name: min(entry.coverage, 1 - entry.coverage) for name, entry in entries.items()}
        label = ""
    last = float("inf")
    found = sorted(items, key=lambda item: (known.get(item.name, last), item.name))
    shown = []
    for item in found:
        entry = entries.get(item.name)
        covered = "" if entry is None else f"{entry.coverage:.0%} covered"
        if entry is not None and entry.kind != "usable":
            covered = entry.kind
        figure = label.format(known[item.name]) if label and item.name in known else ""
        shown.append((item, ", ".join(part for part in (figure, covered) if part)))
    return shown


def write_preview(folder: MaskFolder, chosen: Sequence[tuple[Item, str]]) -> list[Path]:
    """Write the contact sheets of images, and remove sheets that an earlier preview had more; returns their paths.

    Args:
        chosen: images and the figure under each, in order.

    Raises:
        DataError: an image or a mask cannot be read.
    """
    names = sheet_names(len(chosen))
    written = []
    starts = range(0, max(len(chosen), 1), SHEET)
    for name, start in zip(names, progress(starts, len(starts), "drawing sheets", "sheets"), strict=True):
        sheet = _sheet(folder, chosen[start : start + SHEET])
        write_with(folder.path / name, partial(_save, sheet), make_parents=False)
        written.append(folder.path / name)
    number = len(names) + 1
    while comment_of(more := folder.path / f"preview-{number}.jpg") == COMMENT:
        remove_file(more)
        number += 1
    return written


def _save(sheet: Image.Image, file: BinaryIO) -> None:
    sheet.save(file, format="JPEG", quality=90, subsampling=0, comment=COMMENT)  # thin lines keep their colour


def _sheet(folder: MaskFolder, chosen: Sequence[tuple[Item, str]]) -> Image.Image:
    width, height = 2 * SIDE + GAP, SIDE + CAPTION + GAP
    rows = max(1, -(-len(chosen) // COLUMNS))
    sheet = Image.new("RGB", (min(COLUMNS, max(1, len(chosen))) * (width + GAP) + GAP, rows * height + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default()
    for place, (item, figure) in enumerate(chosen):
        left, top = GAP + place % COLUMNS * (width + GAP), GAP + place // COLUMNS * height
        for step, picture in enumerate(_pair(folder, item)):
            sheet.paste(
                picture,
                (left + step * (SIDE + GAP) + (SIDE - picture.width) // 2, top + (SIDE - picture.height) // 2),
            )
        name = visible(item.name)
        short = name if len(name) <= LETTERS else f"...{name[3 - LETTERS :]}"
        for line, text in enumerate((short, figure)):
            place_of = (left, top + SIDE + 2 + line * CAPTION // 2)
            pen.text(place_of, text.encode("latin-1", "replace").decode("latin-1"), fill="black", font=font)
    return sheet


def _pair(folder: MaskFolder, item: Item) -> tuple[Image.Image, Image.Image]:
    """The photo with the outline of its mask, and the photo with its background greyed, both within a square."""
    photo = Image.fromarray(image_tensor(item.path).permute(1, 2, 0).numpy())
    scale = SIDE / max(photo.size)
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    small = np.asarray(photo.resize(size, Image.Resampling.BILINEAR))
    mask = np.asarray(Image.fromarray(grey_of(folder.target(item))).resize(size, Image.Resampling.BILINEAR)) / 255.0
    hidden = (small * mask[..., None] + GREY * (1 - mask[..., None])).astype(np.uint8)
    outlined = small.copy()
    outlined[_edge(mask >= 0.5)] = LINE
    return Image.fromarray(outlined), Image.fromarray(hidden)


def _edge(inside: np.ndarray) -> np.ndarray:
    """Foreground pixels with a background neighbour, bool ``[H, W]``."""
    padded = np.pad(inside, 1, mode="edge")
    whole = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    found: np.ndarray = inside & ~whole
    return found
