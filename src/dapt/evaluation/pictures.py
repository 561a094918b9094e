"""Pictures of where the model looks: how maps are drawn over photos, and where the files go."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from dapt.console import visible
from dapt.data.load.picture_files import DAMAGE, Refusal, opened
from dapt.errors import ConfigError
from dapt.files import write_with
from dapt.finite import require_finite
from dapt.model.grad_cam import normalise_maps

SIDE = 224
CAPTION = 18
GAP = 6
INK, PAPER = "#1b1f24", "#ffffff"
DOTS = "..."
NAME_BYTES = 200  # file systems take 255; a number, the extension and the name of an unfinished file need some
MARK, MADE_BY = "Software", "dapt predict --explain"  # in the picture, so that it is known again

# Dark violet to yellow: readable for colour-blind viewers, brightness rises with value.
_RAMP = np.array([[13, 8, 60], [90, 20, 120], [180, 45, 95], [235, 105, 50], [250, 235, 140]], dtype=np.float32)


def colour(heat: np.ndarray) -> np.ndarray:
    """Values 0..1 ``[H, W]`` as RGB ``[H, W, 3]``."""
    place = np.clip(heat, 0, 1) * (len(_RAMP) - 1)
    low = np.floor(place).astype(int).clip(0, len(_RAMP) - 2)
    share = (place - low)[..., None]
    blended: np.ndarray = _RAMP[low] * (1 - share) + _RAMP[low + 1] * share
    return blended


def overlay(photo: np.ndarray, heat: np.ndarray, strength: float = 0.55) -> Image.Image:
    """A heat map over a photo ``[H, W, 3]`` in 0..255."""
    mixed = photo * (1 - strength) + colour(heat) * strength
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8))


def to_photo(pixels: Tensor) -> np.ndarray:
    """``[3, H, W]`` in 0..1 as float RGB ``[SIDE, SIDE, 3]`` in 0..255."""
    large = F.interpolate(pixels[None], size=(SIDE, SIDE), mode="bilinear", align_corners=False)[0]
    photo: np.ndarray = (large.permute(1, 2, 0).float().cpu().numpy() * 255).astype(np.float32)
    return photo


def write_line(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    width: float,
    size: int = 12,
    fill: str = INK,
    *,
    right: bool = False,
) -> None:
    """One line of text, cut where it is wider than `width` pixels; `right`: it ends there."""
    font = _font(draw, size)
    text = visible(text)
    if not isinstance(font, ImageFont.FreeTypeFont):  # the bitmap font has Latin letters only
        text = text.encode("latin-1", "backslashreplace").decode("latin-1")
    if draw.textlength(text, font=font) > width:
        low, high = 0, len(text)
        while low < high:  # the longest start that fits with the dots
            middle = (low + high + 1) // 2
            fits = draw.textlength(text[:middle] + DOTS, font=font) <= width
            low, high = (middle, high) if fits else (low, middle - 1)
        text = text[:low] + DOTS
    left = place[0] + (width - draw.textlength(text, font=font) if right else 0)
    draw.text((left, place[1]), text, fill=fill, font=font)


def _font(draw: ImageDraw.ImageDraw, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """matplotlib's font, which has the letters of many scripts; else what Pillow has."""
    plain = draw.getfont()
    if not isinstance(plain, ImageFont.FreeTypeFont):
        return plain  # type: ignore[return-value]
    return _scalable(size)


@cache
def _scalable(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    found = find_spec("matplotlib")
    for place in found.submodule_search_locations or () if found else ():
        file = Path(place) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    return ImageFont.load_default(size)


def row(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures side by side, each under its caption."""
    sheet = Image.new("RGB", (len(pictures) * (SIDE + GAP) - GAP, SIDE + CAPTION), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (caption, picture) in enumerate(pictures):
        left = index * (SIDE + GAP)
        write_line(draw, (left + 1, 1), caption, SIDE - 2)
        sheet.paste(picture.resize((SIDE, SIDE)), (left, CAPTION))
    return sheet


def enlarge(coarse: Tensor) -> np.ndarray:
    """The first map of ``[1, h, w]``, scaled to 0..1, as ``[SIDE, SIDE]``."""
    heat: np.ndarray = normalise_maps(require_finite(coarse.float(), "maps"), (SIDE, SIDE))[0].cpu().numpy()
    return heat


def write_picture(picture: Image.Image, target: Path) -> None:
    """Write a picture where `picture_files` said, whole or not at all.

    Raises:
        ConfigError: something that is no picture of dapt's has appeared there.
    """
    _check_place(target)
    write_with(target, partial(picture.save, format="PNG", pnginfo=_mark()))


def picture_files(images: Sequence[Path], folder: Path, option: str = "--explain") -> list[Path]:
    """Where the picture of each image goes; writes nothing.

    A picture is named after its image. Where several images have one name, or names that some file systems do not tell
    apart, a number follows; a name of more than `NAME_BYTES` is cut.

    Raises:
        ConfigError: `folder` is a file, or holds something under one of these names that is no picture of dapt's.
            `option`: which named the folder.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file, not a folder.", where=option, todo="Choose another folder.")
    used: set[str] = set()
    targets = []
    for image in images:
        stem = _shortened(image.stem)
        name, count = stem, 2
        while (same := unicodedata.normalize("NFC", name).casefold()) in used:
            name = f"{stem}-{count}"
            count += 1
        used.add(same)
        targets.append(folder / f"{name}.png")
    for target in targets:
        _check_place(target, option)
    return targets


def _shortened(stem: str) -> str:
    while len(os.fsencode(stem)) > NAME_BYTES:
        stem = stem[:-1]
    return stem


def _check_place(target: Path, option: str = "--explain") -> None:
    """Refuse to write over what dapt did not make.

    Raises:
        ConfigError: there is such a file, folder or link.
    """
    if os.path.lexists(target) and not _is_ours(target):
        raise ConfigError(
            f"{target} exists and is no picture that dapt made to explain an image, so it is left alone.",
            where=option,
            todo=f"Nothing was written over it. Choose another folder for {option}, or move that file away.",
        )


def _is_ours(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with opened(path) as picture:
            return bool(picture.info.get(MARK) == MADE_BY)
    except (*DAMAGE, Refusal):
        return False


def _mark() -> PngInfo:
    info = PngInfo()
    info.add_text(MARK, MADE_BY)
    return info
