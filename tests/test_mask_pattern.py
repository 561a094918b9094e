"""How mask files are called."""

from __future__ import annotations

import pytest

from dapt.errors import ConfigError
from dapt.mask_pattern import check_pattern, filled


@pytest.mark.parametrize(
    ("pattern", "folder", "parts"),
    [
        ("{stem}_mask.png", "", ["a.b_mask.png"]),
        ("{name}.png", "", ["a.b.jpg.png"]),
        ("{parent}_{stem}", "", ["cat_a.b"]),
        ("masks/{parent}/{stem}_*_*.png", "masks/cat", ["a.b_", "_", ".png"]),
    ],
)
def test_filled(pattern: str, folder: str, parts: list[str]) -> None:
    assert filled(check_pattern(pattern), "animals/cat/a.b.jpg") == (folder, parts)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{stam}.png", "Did you mean 'stem'"),
        ("{}.png", "Use {stem}"),
        ("mask.png", "the same for every image"),
        ("../{stem}.png", "no file below"),
        ("/masks/{stem}.png", "no file below"),
        ("{stem}/", "no file below"),
        ("*/{stem}.png", "in a folder"),
    ],
)
def test_what_is_no_pattern(pattern: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_pattern(pattern)
    assert message in caught.value.message
