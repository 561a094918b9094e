"""Decoded images, kept in memory."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from torch import Tensor

from dapt.data.items import Item
from dapt.data.load.images import image_tensor


class ImageCache:
    """Decoded images, kept in memory while they fit the budget; threads may share it.

    A copy in another process (by pickling) starts empty.

    Args:
        limit_mb: budget in MB; 0 keeps nothing.
    """

    def __init__(self, limit_mb: int) -> None:
        self._limit_mb = limit_mb
        self._left = limit_mb * 2**20
        self._kept: dict[Path, Tensor] = {}
        self._lock = Lock()
        self._full = limit_mb <= 0

    def __reduce__(self) -> tuple[type[ImageCache], tuple[int]]:
        return ImageCache, (self._limit_mb,)

    @property
    def full(self) -> bool:
        """Whether an image did not fit any more."""
        return self._full

    def __call__(self, item: Item) -> Tensor:
        """The image of an item, uint8 ``[3, H, W]``; treat it as read-only.

        Raises:
            DataError: missing, truncated or not an image.
        """
        image = self._kept.get(item.path)
        if image is None:
            image = image_tensor(item.path)
            with self._lock:
                if item.path in self._kept:
                    return self._kept[item.path]
                if image.numel() <= self._left:
                    self._left -= image.numel()
                    self._kept[item.path] = image
                else:
                    self._full = True
        return image
