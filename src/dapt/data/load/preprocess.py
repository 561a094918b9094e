"""From a picture, however it is held, to the normalised pixels that a model sees at test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dapt.clip.frozen import Preprocess
from dapt.data.load.draft import draft_side
from dapt.data.load.images import image_tensor, picture_tensor
from dapt.data.load.reading import Reading
from dapt.data.load.transforms import eval_transform
from dapt.errors import DataError
from dapt.strict import shown

Picture = Path | str | Image.Image | np.ndarray[Any, Any]


class ImagePreprocess:
    """The test transform of a model, for single pictures; made of numbers alone, so loader processes may have it.

    Args:
        size: height and width of the pixels. how: normalisation, interpolation and resizing.
        reading: how colours of pictures are understood; None: as the process is set, see `dapt.data.load.reading`.
    """

    def __init__(self, size: tuple[int, int], how: Preprocess, reading: Reading | None = None) -> None:
        self.size = size
        self.how = how
        self.reading = reading
        self._transform = eval_transform(size, how)

    def __call__(self, picture: Picture) -> Tensor:
        """Normalised pixels ``[3, H, W]``, the same for a file, the picture in it and its decoded bytes.

        With ``draft`` a JPEG file is decoded reduced, see `dapt.data.load.draft`.

        Args:
            picture: path, PIL image, or uint8 array ``[H, W, 3]`` in RGB.

        Raises:
            DataError: it is damaged, has too many pixels, or is none of these.
        """
        return self._transform(bytes_of(picture, self.reading, draft_side(self.size)), None)[0]

    def joint(self, picture: Picture, mask: np.ndarray[Any, Any] | Tensor) -> tuple[Tensor, Tensor]:
        """Pixels ``[3, H, W]`` of a picture, and its mask in their frame, ``[1, H, W]`` in 0..1.

        Args:
            mask: ``[h, w]`` of the picture's size; what is not 0 is foreground where it is of whole numbers.

        Raises:
            DataError: it is of another size; or as a call.
        """
        image = bytes_of(picture, self.reading)
        given = mask if isinstance(mask, Tensor) else torch.from_numpy(np.array(mask))
        if given.shape != image.shape[1:]:
            raise DataError(f"The mask is {list(given.shape)}, the picture {list(image.shape[1:])}.")
        weight = given.float() if given.is_floating_point() else (given != 0).float()
        return self._transform(image, weight[None])


def bytes_of(picture: Picture, reading: Reading | None = None, side: int | None = None) -> Tensor:
    """A picture as uint8 ``[3, H, W]``, held upright.

    Args:
        reading: as for `ImagePreprocess`. side: as for `open_image`, of files.

    Raises:
        DataError: see `ImagePreprocess`.
    """
    if isinstance(picture, (str, Path)):
        return image_tensor(Path(picture), reading, side)
    if isinstance(picture, Image.Image):
        return picture_tensor(picture, reading)
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3:
        if not picture.size:
            raise DataError("An array without pixels is no picture.")
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    kind = (
        f"{picture.dtype} array of shape {picture.shape}" if isinstance(picture, np.ndarray) else type(picture).__name__
    )
    raise DataError(
        f"A picture is a path, a PIL image or a uint8 array [H, W, 3], not {shown(kind)}.",
        todo="Normalised pixels are given as a tensor [B, 3, H, W].",
    )
