"""Pictures of where the model looks: photo, attention of the class token, Grad-CAM of the prediction."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from dapt.console import visible
from dapt.data.load.picture_files import DAMAGE, Refusal, opened
from dapt.data.load.transforms import denormalise
from dapt.errors import ConfigError
from dapt.files import write_with
from dapt.finite import require_finite
from dapt.model.grad_cam import normalise_maps

if TYPE_CHECKING:
    from dapt.model.predictor import Prediction, Predictor

SIDE = 224
CAPTION = 18
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


def row(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures side by side, each under its caption."""
    sheet = Image.new("RGB", (len(pictures) * (SIDE + 6) - 6, SIDE + CAPTION), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (caption, picture) in enumerate(pictures):
        left = index * (SIDE + 6)
        text = visible(caption)[:38]
        if not isinstance(draw.getfont(), ImageFont.FreeTypeFont):  # the bitmap font has Latin letters only
            text = text.encode("latin-1", "backslashreplace").decode("latin-1")
        draw.text((left + 2, 3), text, fill="black")
        sheet.paste(picture.resize((SIDE, SIDE)), (left, CAPTION))
    return sheet


def explain_image(predictor: Predictor, path: Path, target: int) -> Image.Image:
    """Photo, attention and Grad-CAM of class `target`, in the frame the model sees."""
    model = predictor.model
    pixels = model.preprocess(path)
    maps = predictor.explain(pixels[None], torch.tensor([target]))
    photo = to_photo(denormalise(pixels, model.clip.preprocess))
    pictures = [("image", Image.fromarray(photo.astype(np.uint8)))]
    if maps.attention is not None:
        pictures.append(("attention", overlay(photo, enlarge(maps.attention))))
    pictures.append((f"Grad-CAM: {predictor.names[target]}", overlay(photo, enlarge(maps.cam))))
    return row(pictures)


def enlarge(coarse: Tensor) -> np.ndarray:
    """The first map of ``[1, h, w]``, scaled to 0..1, as ``[SIDE, SIDE]``."""
    heat: np.ndarray = normalise_maps(require_finite(coarse.float(), "maps"), (SIDE, SIDE))[0].cpu().numpy()
    return heat


def write_explanations(predictor: Predictor, predictions: Sequence[Prediction], folder: Path) -> None:
    """One picture per prediction of a file, named after the file, in `folder`.

    Raises:
        ConfigError: as `picture_files`.
    """
    files = [(prediction.path, prediction) for prediction in predictions if prediction.path is not None]
    targets = picture_files([path for path, _ in files], folder)
    for (path, prediction), target in zip(files, targets, strict=True):
        picture = explain_image(predictor, path, predictor.names.index(prediction.classes[0]))
        _check_place(target)
        write_with(target, partial(picture.save, format="PNG", pnginfo=_mark()))


def picture_files(images: Sequence[Path], folder: Path) -> list[Path]:
    """Where `write_explanations` puts the picture of each image; writes nothing.

    A picture is named after its image. Where several images have one name, or names that some file systems do not tell
    apart, a number follows; a name of more than `NAME_BYTES` is cut.

    Raises:
        ConfigError: `folder` is a file, or holds something under one of these names that is no picture of dapt's.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file, not a folder.", where="--explain", todo="Choose another folder.")
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
        _check_place(target)
    return targets


def _shortened(stem: str) -> str:
    while len(os.fsencode(stem)) > NAME_BYTES:
        stem = stem[:-1]
    return stem


def _check_place(target: Path) -> None:
    """Refuse to write over what dapt did not make.

    Raises:
        ConfigError: there is such a file, folder or link.
    """
    if os.path.lexists(target) and not _is_ours(target):
        raise ConfigError(
            f"{target} exists and is no picture that dapt predict made, so it is left alone.",
            where="--explain",
            todo="Nothing was written over it. Choose another folder for --explain, or move that file away.",
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
