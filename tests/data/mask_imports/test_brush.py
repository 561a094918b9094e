"""Label Studio's packed bytes."""

from __future__ import annotations

import numpy as np
import pytest

from dapt.data.mask_imports.brush import painted
from mask_exports import brush


def test_what_was_painted() -> None:
    rng = np.random.default_rng(0)
    for share in (0.1, 0.5):
        mask = rng.random((13, 17)) < share
        values = np.repeat(mask[..., None], 4, axis=2).astype(np.uint8) * 255
        assert (painted(brush(values), 17, 13) == mask).all()


def test_a_stream_by_hand() -> None:
    # 4 values of 8 bits, lengths in 1, 1, 1 and 1 bits: a block of two times 255, then the values 0 and 200
    bits = f"{4:032b}{7:05b}" + "0000" * 4 + "100111111111" + "00010000000011001000"
    bits += "0" * (-len(bits) % 8)
    content = [int(bits[place : place + 8], 2) for place in range(0, len(bits), 8)]
    assert painted(content, 1, 1).tolist() == [[True]], "the last channel tells"


def test_damaged_streams() -> None:
    good = brush(np.zeros((4, 4, 4), np.uint8))
    with pytest.raises(ValueError, match="64 values, not 100"):
        painted(good, 5, 5)
    with pytest.raises(ValueError, match="ends in the middle"):
        painted(good[:8], 4, 4)
    with pytest.raises(ValueError, match="larger than 255"):
        painted([300, *good], 4, 4)
    with pytest.raises(TypeError):
        painted(["0", *good], 4, 4)
    bits = f"{64:032b}{15:05b}" + "0" * 100
    with pytest.raises(ValueError, match="values have 16 bits"):
        painted([int(bits[place : place + 8].ljust(8, "0"), 2) for place in range(0, len(bits), 8)], 4, 4)
