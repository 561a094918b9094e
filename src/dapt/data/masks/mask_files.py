"""Reading foreground masks from image files, in an explicit format."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dapt.colour import BLACK, Rgb, colour_of
from dapt.config import MaskFormat
from dapt.data.load.colours import may_be_transparent
from dapt.data.load.depth import DEEP, eight_bits
from dapt.data.load.images import ORIENTATION, RefusedImageError
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded
from dapt.data.masks.table_kinds import table_format
from dapt.errors import ConfigError, DataError
from dapt.mask_pattern import annotation_format

MASK_TYPES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
TABLES = (".json", ".xml", ".txt", ".csv")
ASPECT_TOLERANCE = 0.02
NEAR_WHITE = 250
SHADED = 0.1  # share of grey pixels from which what is opaque is a photograph
GRAIN = 32  # by which the channels of a grey JPEG in colour may differ
SIXTEEN_BIT = ("I", "I;16", "I;16B")

Values = np.ndarray[Any, Any]


def check_format(kind: str) -> MaskFormat:
    """`kind`, if it is a mask format.

    Raises:
        ConfigError: it is not.
    """
    formats = get_args(MaskFormat)
    if kind not in formats:
        todo = annotation_format(kind) or f"Use one of: {', '.join(formats)}."
        raise ConfigError(f"There is no mask format '{kind}'.", todo=todo)
    return cast(MaskFormat, kind)


def mask_folder(path: Path | str | None, option: str = "--masks") -> Path | None:
    """The folder of mask files, None when none was given.

    Args:
        option: by which it was given.

    Raises:
        ConfigError: it does not exist.
    """
    if path is None:
        return None
    folder = Path(path)
    if folder.is_file():
        raise ConfigError(
            f"{folder} is a file, not a folder of mask files.",
            where=option,
            todo=tables_todo(folder, folder) if folder.suffix.lower() in TABLES else "Give the folder, unpacked.",
        )
    if not folder.is_dir():
        raise ConfigError(f"There is no mask folder {folder}.", todo=f"Check {option}.")
    return folder


def tables_todo(table: Path, folder: Path) -> str:
    """What to do with outlines in tables (COCO, VOC, YOLO), where mask files are expected.

    Args:
        table: one of them. folder: what was given as masks.
    """
    kind = table_format(table)
    told = f"--format {kind} " if kind else ""
    return (
        f"{table.name} holds outlines or boxes in a table (as COCO, VOC and YOLO do), not pictures of masks: 'dapt "
        f"masks import {folder} {told}--data PHOTOS --out FOLDER' makes mask files of them; or give the folder of the "
        "export itself as DATA."
    )


def read_mask(path: Path, kind: MaskFormat, background: str = BLACK) -> Tensor:
    """The foreground as bool ``[H, W]``.

    - ``binary``: brightness of at least 128 is foreground. Palettes and pictures in colour are refused.
    - ``labels``: 0 is background, 255 is "ignore" and counts as background, everything else is foreground
      (label maps and Pascal VOC; palette images are read by index).
    - ``trimap``: 1 is foreground, 2 background, 3 undecided and counts as background (Oxford Pets).
    - ``alpha``: what is at least half opaque is foreground (cut-outs); files without transparency are refused.
    - ``colours``: every colour but the `background` is foreground (exports that paint each class in its colour). In a
      JPEG colours near the background's count as it.
    - ``dapt``: values as ``labels``, of the first channel where there are several. The released DAPT code sets 255
      to 0 and then everything above 1 to 1, which leaves 1..254 as foreground. In a JPEG that includes the small
      values that compression puts beside an object, as it does there.
    - ``foreground``: the mean of red, green and blue above one half is foreground (the masked collection of FVG-PT,
      arXiv 2603.08708).

    Raises:
        DataError: missing or unreadable.
    """
    return foreground_of(read_values(path, kind, background), kind)


def read_values(path: Path, kind: MaskFormat, background: str = BLACK) -> Values:
    """The numbers ``[H, W]`` that the format looks at: brightness, mean colour, opacity, or what is stored.

    A mask above the limit of pixels is refused: read reduced, its values would be mixed. One that carries an
    orientation of its own is turned by it.

    Args:
        background: for ``colours``, see `dapt.colour.colour_of`.

    Raises:
        RefusedImageError: too many pixels, no regular file, or another kind of file.
        DataError: missing or unreadable, or a picture that the format does not fit.
    """
    return values_and_turn(path, kind, background)[0]


def values_and_turn(path: Path, kind: MaskFormat, background: str = BLACK) -> tuple[Values, bool]:
    """As `read_values`, and whether the mask carries an orientation of its own."""
    try:
        with decoded(path) as image:
            turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
            return _values_of(image, path, kind, background), turned
    except FileNotFoundError:
        raise DataError(f"There is no mask {path}.") from None
    except Refusal as refusal:
        raise RefusedImageError(f"The mask {path} {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(
            f"The mask {path} cannot be read ({error}).",
            todo="Replace or remove it, or pass --skip-bad to go on without a cue for that image.",
        ) from None


def _values_of(image: Image.Image, path: Path, kind: MaskFormat, background: str) -> Values:
    if kind == "binary":
        refuse_colours(image, path)
        return _brightness(image)
    if kind == "foreground":
        return _mean_colour(image)
    if kind == "alpha":
        return _opacity(image, path)
    if kind == "colours":
        return _distance(image, background)
    values = np.array(image)
    values = values.astype(np.int64) if values.dtype == bool else values
    if values.ndim == 2:
        return values
    colours = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    if kind != "dapt" and (colours != colours[..., :1]).any():
        raise DataError(
            f"The mask {path} is a colour picture, the format '{kind}' needs one number per pixel.",
            todo="Save label maps as grey or palette PNGs, or use --mask-format "
            f"{'alpha' if has_transparency(image) else 'colours'}.",
        )
    return cast(Values, colours[..., 0])


def foreground_of(values: Values, kind: MaskFormat) -> Tensor:
    """The foreground, bool ``[H, W]``, from what `read_values` returned for the same format."""
    if kind in ("binary", "alpha"):
        return torch.from_numpy(values >= 128)
    if kind == "foreground":
        return torch.from_numpy(values > 127.5)
    if kind == "trimap":
        return torch.from_numpy(values == 1)
    if kind == "colours":
        return torch.from_numpy(values > 0)
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


def refuse_colours(image: Image.Image, path: Path) -> None:
    """Refuse a decoded picture that is not black and white or grey.

    Raises:
        DataError: naming the format that reads it.
    """
    if image.mode == "P" and not _black_and_white(image):
        raise DataError(
            f"The mask {path} is a palette picture, whose numbers are labels and whose colours are for show; 'binary' "
            "needs black and white.",
            todo="Read it with --mask-format labels, or with colours if every colour but black is foreground.",
        )
    cut_out = has_transparency(image) and _is_shaded(image)
    if is_coloured(image) or cut_out:
        raise DataError(
            f"The mask {path} is a {'cut-out' if cut_out else 'picture in colours'}; 'binary' needs black and white.",
            todo="Read it with --mask-format alpha."
            if cut_out
            else "Read it with --mask-format colours if every colour but one is foreground; else check --masks.",
        )


def _is_shaded(image: Image.Image) -> bool:
    """Whether the pixels that are not transparent are those of a photograph: many of them neither black nor white."""
    seen = np.asarray(image.convert("LA"))
    grey = seen[..., 0][seen[..., 1] >= 128]
    return bool(((grey > GRAIN) & (grey < 255 - GRAIN)).mean() > SHADED) if grey.size else False


def _black_and_white(image: Image.Image) -> bool:
    colours = image.convert("RGBA").getcolors(maxcolors=4)
    return colours is not None and {colour[:3] for _, colour in colours if isinstance(colour, tuple) and colour[3]} <= {
        (0, 0, 0),
        (255, 255, 255),
    }


def is_coloured(image: Image.Image) -> bool:
    """Whether what is seen of a decoded picture has colours beyond the grain of a JPEG."""
    if image.mode in ("1", "L", "LA", "La", *DEEP):
        return False
    seen = np.asarray(_opaque(image).convert("RGB"))
    spread = seen.max(axis=2).astype(np.int16) - seen.min(axis=2)
    return bool((spread > GRAIN).any())


def in_colours(path: Path) -> bool:
    """Whether a mask file is a picture in colours, a palette aside; false where it cannot be read."""
    try:
        with decoded(path) as image:
            image.load()
            return image.mode != "P" and is_coloured(image)
    except (Refusal, *DAMAGE):
        return False


def has_transparency(image: Image.Image) -> bool:
    """Whether a decoded picture has pixels that are not opaque."""
    return may_be_transparent(image) and _alpha(image).getextrema() != (255, 255)


def _alpha(image: Image.Image) -> Image.Image:
    whole = image.convert(image.mode.replace("a", "A")) if image.mode in ("RGBa", "La") else image
    return whole.convert("RGBA").getchannel("A")


def _opacity(image: Image.Image, path: Path) -> Values:
    if not may_be_transparent(image):
        raise DataError(
            f"The mask {path} has no alpha channel; the format 'alpha' is for cut-outs, which are transparent around.",
            todo="Read it with another --mask-format: binary, labels or colours.",
        )
    return np.array(_alpha(image))


def _distance(image: Image.Image, background: str) -> Values:
    """How far each pixel is from the background's colour, in its most different channel; 0 within a JPEG's grain."""
    colour = colour_of(background)
    if image.mode in DEEP:
        return _deep_distance(image, colour)
    if may_be_transparent(image):
        seen = np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, (*colour, 255)), image.convert("RGBA")))
    else:
        seen = np.asarray(image.convert("RGB"))
    far: Values = np.abs(seen[..., :3].astype(np.int16) - np.array(colour, np.int16)).max(axis=2)
    return np.where(far > (GRAIN if image.format in ("JPEG", "MPO") else 0), far, 0)


def _deep_distance(image: Image.Image, colour: Rgb) -> Values:
    """The same of a picture of more than 8 bits, by its own numbers: scaling would lose the low ones of a label map."""
    grey, told = eight_bits(image)
    far = np.abs(grey[..., None].astype(np.int16) - np.array(colour, np.int16)).max(axis=2)
    if image.mode == "F" or len(set(colour)) > 1:
        return cast(Values, far)
    white = 2 ** int(told.removesuffix("-bit")) - 1
    other = np.asarray(image) != round(colour[0] * white / 255)
    return np.where(other, np.maximum(far, 1), 0)


def _brightness(image: Image.Image) -> Values:
    """Brightness 0..255; transparent pixels are black."""
    if image.mode in DEEP:
        return eight_bits(image)[0]
    return np.array(_opaque(image).convert("L"))


def _mean_colour(image: Image.Image) -> Values:
    """The mean of red, green and blue, 0..255; transparent pixels are black."""
    if image.mode in SIXTEEN_BIT:
        return np.array(image).astype(np.float32) / 257
    if image.mode in DEEP:
        return eight_bits(image)[0].astype(np.float32)
    return cast(Values, np.array(_opaque(image).convert("RGB")).mean(axis=2, dtype=np.float32))


def _opaque(image: Image.Image) -> Image.Image:
    if not may_be_transparent(image):
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
