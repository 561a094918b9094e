"""How large masks are kept."""

from __future__ import annotations

from torch import Tensor

from dapt.data.load.resize import resize_map

LONGEST = 1024


def bounded_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the mask of a photo: at most `LONGEST` pixels a side, in the photo's proportions.

    Crops are resized to the model's input anyway, and memory is dear.
    """
    longest = max(height, width)
    if longest <= LONGEST:
        return height, width
    return max(1, round(height * LONGEST / longest)), max(1, round(width * LONGEST / longest))


def bounded(mask: Tensor) -> Tensor:
    """A hard mask ``[H, W]`` at `bounded_size`, as bool where it had to be made smaller."""
    size = bounded_size(*mask.shape)
    return mask if tuple(mask.shape) == size else resize_map(mask, size, soft=False) > 0.5
