"""Parts of features: gone on with where settings and images are the same, computed again where damaged."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from dapt.data.items import Item
from dapt.data.load.images import RefusedImageError
from dapt.errors import ConfigError, DataError
from dapt.runs.feature_parts import FeatureParts, Part, has_parts, list_digest

ABOUT = {"dtype": "float32", "images": 5, "list": "x"}


@pytest.fixture
def parts(tmp_path: Path) -> FeatureParts:
    return FeatureParts(tmp_path / "f.parquet", 5, 2)


def part(*places: int) -> Part:
    return Part(
        torch.randn(len(places), 3), torch.tensor(places), (DataError("b is damaged."), RefusedImageError("c."))
    )


def begun(parts: FeatureParts) -> Part:
    """A command that was killed after its first part."""
    kept = part(0, 1)
    with suppress(KeyboardInterrupt), parts.writing(ABOUT, overwrite=False, resume=False):
        parts.keep(0, kept)
        raise KeyboardInterrupt
    return kept


def test_what_is_kept_is_read(parts: FeatureParts, tmp_path: Path) -> None:
    assert parts.ranges == [range(0, 2), range(2, 4), range(4, 5)]
    kept = begun(parts)
    assert has_parts(tmp_path / "f.parquet")
    with parts.writing(ABOUT, overwrite=False, resume=True):
        assert parts.missing() == parts.absent() == [1, 2]
        found = parts.read(0)
        assert torch.equal(found.features, kept.features)
        assert torch.equal(found.places, kept.places)
        assert [(type(error), error.what) for error in found.left_out] == [
            (DataError, "b is damaged."),
            (RefusedImageError, "c."),
        ]
        parts.clear()
    assert not has_parts(tmp_path / "f.parquet")


def test_what_is_left_beside_a_whole_file_is_removed(parts: FeatureParts) -> None:
    begun(parts)
    parts.tidy()
    assert not parts.path.exists()
    parts.path.mkdir()
    parts.tidy()
    assert not parts.path.exists()


def test_only_with_resume_or_overwrite(parts: FeatureParts) -> None:
    begun(parts)
    with pytest.raises(ConfigError, match=r"an unfinished part of features[\s\S]*--resume"):
        parts.check(overwrite=False, resume=False)
    with parts.writing(ABOUT, overwrite=True, resume=False):
        assert parts.missing() == [0, 1, 2]


def test_parts_of_other_settings_are_refused_and_stay(parts: FeatureParts, tmp_path: Path) -> None:
    begun(parts)
    other = FeatureParts(tmp_path / "f.parquet", 5, 4)  # of another batch size
    changed = {**ABOUT, "dtype": "float16", "batch_size": 4}
    with (
        pytest.raises(ConfigError, match="other settings or images: batch size, dtype"),
        other.writing(changed, overwrite=False, resume=True),
    ):
        pass
    with (
        pytest.raises(ConfigError, match="images: images"),
        parts.writing({**ABOUT, "list": "y"}, overwrite=False, resume=True),
    ):
        pass
    assert parts.missing() == [1, 2]


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_damaged_part_is_computed_again(parts: FeatureParts, capsys, place: int) -> None:
    begun(parts)
    path = parts.path / "000000.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert parts.missing() == [0, 1, 2]
    assert "damaged" in capsys.readouterr().err


def test_nothing_stays_of_a_command_that_failed_before_its_first_part(parts: FeatureParts) -> None:
    with pytest.raises(DataError), parts.writing(ABOUT, overwrite=False, resume=False):
        raise DataError("an image is damaged")
    assert not parts.path.exists()


def test_the_digest_of_a_list(tmp_path: Path) -> None:
    items = [Item(tmp_path / name, 0, name) for name in "ab"]
    (tmp_path / "a").write_text("a")
    missing = list_digest(items)
    (tmp_path / "b").write_text("b")
    there = list_digest(items)
    assert there == list_digest(items)
    os.utime(tmp_path / "b", ns=(0, 0))
    assert len({missing, there, list_digest(items), list_digest(items[::-1])}) == 4
