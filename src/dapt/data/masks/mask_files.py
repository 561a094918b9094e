"""Reading foreground masks from image files, in an explicit format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dapt.config import MaskFormat
from dapt.data.load.images import SIXTEEN_BIT, RefusedImageError
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded
from dapt.errors import ConfigError, DataError

MASK_TYPES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
ASPECT_TOLERANCE = 0.02
NEAR_WHITE = 250

Values = np.ndarray[Any, Any]


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
    - ``dapt``: values as ``labels``, of the first channel where there are several. The released DAPT code sets 255
      to 0 and then everything above 1 to 1, which leaves 1..254 as foreground. In a JPEG that includes the small
      values that compression puts beside an object, as it does there.
    - ``foreground``: the mean of red, green and blue above one half is foreground (the masked collection of FVG-PT,
      arXiv 2603.08708).

    Raises:
        DataError: missing or unreadable.
    """
    return foreground_of(read_values(path, kind), kind)


def read_values(path: Path, kind: MaskFormat) -> Values:
    """The numbers ``[H, W]`` that the format looks at: brightness, mean colour, or what is stored.

    A mask above the limit of pixels is refused: read reduced, its values would be mixed.

    Raises:
        RefusedImageError: too many pixels, no regular file, or another kind of file.
        DataError: missing or unreadable.
    """
    try:
        with decoded(path) as image:
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
            if kind == "binary":
                return _brightness(image)
            if kind == "foreground":
                return _mean_colour(image)
            values = np.array(image)
    except FileNotFoundError:
        raise DataError(f"There is no mask {path}.") from None
    except Refusal as refusal:
        raise RefusedImageError(f"The mask {path} {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(
            f"The mask {path} cannot be read ({error}).",
            todo="Replace or remove it, or pass --skip-bad to go on without a cue for that image.",
        ) from None
    values = values.astype(np.int64) if values.dtype == bool else values
    if values.ndim == 2:
        return values
    colours = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    if kind != "dapt" and (colours != colours[..., :1]).any():
        raise DataError(
            f"The mask {path} is a colour picture, the format '{kind}' needs one number per pixel.",
            todo="Save label maps as grey or palette PNGs, or use --mask-format binary.",
        )
    return cast(Values, colours[..., 0])


def foreground_of(values: Values, kind: MaskFormat) -> Tensor:
    """The foreground, bool ``[H, W]``, from what `read_values` returned for the same format."""
    if kind == "binary":
        return torch.from_numpy(values >= 128)
    if kind == "foreground":
        return torch.from_numpy(values > 127.5)
    if kind == "trimap":
        return torch.from_numpy(values == 1)
    return torch.from_numpy((values != 0) & (values != 255))


def misread(values: Values, mask: Tensor, kind: MaskFormat) -> bool:
    """Whether more pixels speak against the format than it finds foreground.

    White masks saved as JPEG are not quite empty as label maps or trimaps: their edges hold all sorts of values.

    Args:
        values: from `read_values`. mask: from `foreground_of`.
    """
    if kind in ("labels", "dapt"):
        return int(((values >= NEAR_WHITE) & (values <= 255)).sum()) > int(mask.sum())
    if kind == "trimap":
        return int((values > 3).sum()) > int(mask.sum())
    return False


def _brightness(image: Image.Image) -> Values:
    """Brightness 0..255; transparent pixels are black."""
    if image.mode in SIXTEEN_BIT:
        return np.array(image) // 257
    return np.array(_opaque(image).convert("L"))


def _mean_colour(image: Image.Image) -> Values:
    """The mean of red, green and blue, 0..255; transparent pixels are black."""
    if image.mode in SIXTEEN_BIT:
        return np.array(image).astype(np.float32) / 257
    return cast(Values, np.array(_opaque(image).convert("RGB")).mean(axis=2, dtype=np.float32))


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode not in ("RGBA", "LA", "PA"):
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image.convert("RGBA"))


def same_shape(mask: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether two sizes (height, width) have the same aspect ratio, within 2%."""
    return abs((mask[1] / mask[0]) / (image[1] / image[0]) - 1) <= ASPECT_TOLERANCE


def fit_mask(mask: Tensor, size: tuple[int, int], mask_path: Path, image_path: Path) -> Tensor:
    """`mask` ``[h, w]`` resized (nearest) to the image's `size` (height, width).

    Raises:
        DataError: the aspect ratios differ by more than 2%.
    """
    if tuple(mask.shape) == size:
        return mask
    if not same_shape((mask.shape[0], mask.shape[1]), size):
        raise DataError(
            f"The mask {mask_path} ({mask.shape[1]} x {mask.shape[0]}) does not have the shape of its image "
            f"{image_path} ({size[1]} x {size[0]}).",
            todo="Make masks of the image's aspect ratio, or pass --skip-bad to go on without that cue.",
        )
    resized = torch.nn.functional.interpolate(mask[None, None].float(), size=size, mode="nearest-exact")
    return resized[0, 0] >= 0.5


def mirrored(folder: Path, image_name: str) -> Path | None:
    """The mask in `folder` at the image's relative path, with any image extension.

    For many images use `dapt.data.masks.mask_collections.MaskFinder`, which reads the folder once.

    Raises:
        DataError: there are two, with different extensions.
    """
    base = folder / image_name
    found = []
    for suffix in MASK_TYPES:
        cased = (base.with_suffix(suffix), base.with_suffix(suffix.upper()))
        found += [candidate for candidate in cased if candidate.is_file()][:1]
    if len(found) > 1:
        raise two_masks(found[0], found[1])
    return found[0] if found else None


def two_masks(first: Path, second: Path) -> DataError:
    """The error for two mask files of one image."""
    return DataError(
        f"There are two mask files with one name: {first} and {second}.",
        todo="Remove the one that is not meant.",
    )
