"""Reading foreground masks from image files, in an explicit format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dapt.config import MaskFormat
from dapt.errors import ConfigError, DataError

MASK_TYPES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
ASPECT_TOLERANCE = 0.02


def check_format(kind: str) -> MaskFormat:
    """`kind`, if it is a mask format.

    Raises:
        ConfigError: it is not.
    """
    formats = get_args(MaskFormat)
    if kind not in formats:
        raise ConfigError(f"There is no mask format '{kind}'.", todo=f"Use one of: {', '.join(formats)}.")
    return cast(MaskFormat, kind)


def mask_folder(path: Path | str | None) -> Path | None:
    """The folder of mask files, None when none was given.

    Raises:
        ConfigError: it does not exist.
    """
    if path is None:
        return None
    folder = Path(path)
    if not folder.is_dir():
        raise ConfigError(f"There is no mask folder {folder}.", todo="Check --masks.")
    return folder


def read_mask(path: Path, kind: MaskFormat) -> Tensor:
    """The foreground as bool ``[H, W]``.

    - ``binary``: brightness of at least 128 is foreground.
    - ``labels``: 0 is background, 255 is "ignore" and counts as background, everything else is foreground
      (label maps and Pascal VOC; palette images are read by index).
    - ``trimap``: 1 is foreground, 2 background, 3 undecided and counts as background (Oxford Pets).

    Raises:
        DataError: missing or unreadable.
    """
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if kind == "binary":
                return torch.from_numpy(_brightness(image) >= 128)
            values = np.array(image).astype(np.int64)
    except FileNotFoundError:
        raise DataError(f"There is no mask {path}.") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(
            f"The mask {path} cannot be read ({error}).",
            todo="Replace or remove it, or pass --skip-bad to go on without a cue for that image.",
        ) from None
    if values.ndim == 3:
        colours = values[..., :3]
        if (colours != colours[..., :1]).any():
            raise DataError(
                f"The mask {path} is a colour picture, the format '{kind}' needs one number per pixel.",
                todo="Save label maps as grey or palette PNGs, or use --mask-format binary.",
            )
        values = values[..., 0]
    if kind == "labels":
        return torch.from_numpy((values != 0) & (values != 255))
    return torch.from_numpy(values == 1)


def _brightness(image: Image.Image) -> np.ndarray[Any, Any]:
    """Brightness 0..255; transparent pixels are black."""
    if image.mode in ("I", "I;16", "I;16B"):
        return np.array(image).astype(np.int64) // 257
    if image.mode in ("RGBA", "LA", "PA"):
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image.convert("RGBA"))
    return np.array(image.convert("L"))


def fit_mask(mask: Tensor, size: tuple[int, int], mask_path: Path, image_path: Path) -> Tensor:
    """`mask` ``[h, w]`` resized (nearest) to the image's `size` (height, width).

    Raises:
        DataError: the aspect ratios differ by more than 2%.
    """
    if tuple(mask.shape) == size:
        return mask
    ratio = (mask.shape[1] / mask.shape[0]) / (size[1] / size[0])
    if abs(ratio - 1) > ASPECT_TOLERANCE:
        raise DataError(
            f"The mask {mask_path} ({mask.shape[1]} x {mask.shape[0]}) does not have the shape of its image "
            f"{image_path} ({size[1]} x {size[0]}).",
            todo="Make masks of the image's aspect ratio, or pass --skip-bad to go on without that cue.",
        )
    resized = torch.nn.functional.interpolate(mask[None, None].float(), size=size, mode="nearest-exact")
    return resized[0, 0] >= 0.5


def mirrored(folder: Path, image_name: str) -> Path | None:
    """The mask in `folder` at the image's relative path, with any image extension."""
    base = folder / image_name
    for suffix in MASK_TYPES:
        for candidate in (base.with_suffix(suffix), base.with_suffix(suffix.upper())):
            if candidate.is_file():
                return candidate
    return None


def resize_map(mask: Tensor, size: tuple[int, int], *, soft: bool) -> Tensor:
    """A map ``[h, w]`` of any type as float at `size`: bilinear when soft, else by the nearest pixel."""
    mask = mask.float()
    if tuple(mask.shape) == size:
        return mask
    mode = "bilinear" if soft else "nearest-exact"
    return torch.nn.functional.interpolate(mask[None, None], size=size, mode=mode)[0, 0]
