"""What is handed to a model: refused in words where it cannot be meant, before torch complains of sizes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from dapt.data.batch import Batch
from dapt.errors import ConfigError, DataError


def check_pixels(pixels: Any, size: tuple[int, int]) -> None:
    """Refuse what are no normalised pixels of a model of that image size.

    Raises:
        DataError: naming what they are.
    """
    wanted = f"floats [B, 3, {size[0]}, {size[1]}]"
    todo = "Make them with model.preprocess(picture) and torch.stack."
    if not isinstance(pixels, Tensor):
        raise DataError(f"Normalised pixels are {wanted}, not a {type(pixels).__name__}.", todo=todo)
    fits = pixels.dim() == 4 and tuple(pixels.shape[1:]) == (3, *size) and pixels.is_floating_point()
    if not fits:
        raise DataError(f"Normalised pixels are {wanted}, not {pixels.dtype} {list(pixels.shape)}.", todo=todo)


def check_batch(batch: Any, size: tuple[int, int], classes: int, *, values: bool, texts: int = 0) -> None:
    """Refuse a batch whose parts do not belong together.

    Args:
        size: of the model's images. classes: how many there are. values: look at the numbers, too, which a GPU has to
            wait for. texts: how many background texts there are.

    Raises:
        ConfigError: it is no batch. DataError: naming the part, what it is and what it should be.
    """
    if not isinstance(batch, Batch):
        raise ConfigError(
            f"A loss is made of a dapt.Batch, not of a {type(batch).__name__}.",
            todo="Write dapt.Batch(pixels, labels, masks).",
        )
    check_pixels(batch.pixels, size)
    count = len(batch.pixels)
    labels, masks = batch.labels, batch.masks
    if labels.shape != (count,) or labels.is_floating_point():
        raise DataError(
            f"The labels of {count} images are integers [{count}], not {labels.dtype} {list(labels.shape)}."
        )
    if masks is not None and masks.shape != (count, 1, *size):
        raise DataError(f"The masks of these images are [{count}, 1, {size[0]}, {size[1]}], not {list(masks.shape)}.")
    if batch.trust is not None and (batch.trust.shape != (count,) or not batch.trust.is_floating_point()):
        raise DataError(
            f"The trust in {count} images is floats [{count}], not {batch.trust.dtype} {list(batch.trust.shape)}."
        )
    aims = batch.background
    if aims is not None and (aims.shape != (count,) or aims.is_floating_point()):
        raise DataError(
            f"The background texts of {count} images are integers [{count}], not {aims.dtype} {list(aims.shape)}."
        )
    if not values or not count:
        return
    if not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise DataError(
            f"The labels go from {int(labels.min())} to {int(labels.max())}; there are {classes} classes, from 0."
        )
    if aims is not None and not -1 <= int(aims.min()) <= int(aims.max()) < texts:
        raise DataError(
            f"The background texts go from {int(aims.min())} to {int(aims.max())}; there are {texts}, from 0, and -1 "
            "is the nearest."
        )
    if masks is not None and not 0 <= float(masks.min()) <= float(masks.max()) <= 1:
        raise DataError(
            f"The masks go from {float(masks.min()):g} to {float(masks.max()):g}; foreground is 1, background 0.",
            todo="Divide masks of 0..255 by 255.",
        )
