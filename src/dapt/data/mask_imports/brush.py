"""Masks painted with Label Studio's brush: its packed form of the bytes of a picture.

The form is rle-pack's (thi.ng/umbrella): 32 bits tell the number of values, 5 the bits of a value less one, four times
4 the bits in which lengths are written, less one. Then come blocks: one bit, whether one value is repeated; two bits,
which of the four; the length less one; and the one value, or as many as the length. The values are those of a picture
with four channels, row by row, of which the last tells what was painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

CHANNELS = 4
HALF = 128


def painted(packed: Sequence[Any], width: int, height: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """What was painted in a picture, bool ``[H, W]``.

    Raises:
        ValueError: the packed form is damaged, or of another picture. TypeError: it has no whole numbers.
    """
    if any(isinstance(value, bool) or not isinstance(value, int) for value in packed):
        raise TypeError
    if not all(0 <= value < 256 for value in packed):
        raise ValueError("a byte is larger than 255")
    values = _unpacked(bytes(packed), CHANNELS * width * height)
    return values.reshape(height, width, CHANNELS)[..., -1] >= HALF


class _Bits:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place, self.end = 0, 8 * len(content)

    def read(self, count: int) -> int:
        if self.place + count > self.end:
            raise ValueError("it ends in the middle")
        first, last = self.place // 8, (self.place + count + 7) // 8
        chunk = int.from_bytes(self.content[first:last], "big")
        self.place += count
        return (chunk >> (8 * last - self.place)) & ((1 << count) - 1)


def _unpacked(content: bytes, expected: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    bits = _Bits(content)
    if (number := bits.read(32)) != expected:
        raise ValueError(f"it has {number} values, not {expected}")
    word = bits.read(5) + 1
    if word > 8:
        raise ValueError(f"its values have {word} bits")
    lengths = [bits.read(4) + 1 for _ in range(4)]
    values = np.zeros(number, np.uint8)
    place = 0
    while place < number:
        repeated = bits.read(1)
        end = place + 1 + bits.read(lengths[bits.read(2)])
        if end > number:
            raise ValueError("it holds more values than it says")
        if repeated:
            values[place:end] = bits.read(word)
        else:
            values[place:end] = [bits.read(word) for _ in range(end - place)]
        place = end
    return values
