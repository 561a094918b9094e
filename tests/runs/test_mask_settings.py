"""Masks made with other settings are not mixed, and a command that made none does not stand in the way of the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.errors import ConfigError, DaptError, DataError
from dapt.runs.mask_settings import refuse_others, settings_there
from dapt.runs.write_masks import write_masks


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"settings": 3}', "\xff"])
def test_a_damaged_file_is_told_what_to_do(tmp_path: Path, text: str) -> None:
    file = tmp_path / "masks.json"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"masks\.json is damaged") as caught:
        settings_there(file)
    assert caught.value.todo == "Choose another --out, or remove that folder."


def test_a_file_that_cannot_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(DaptError, match="Could not read"):
        settings_there(tmp_path / "none.json")


def test_the_first_that_differs_is_named() -> None:
    refuse_others(Path("out"), {"cue": "a", "seed": 1}, {"cue": "a", "seed": 1, "new": 2})
    with pytest.raises(ConfigError, match="The masks in out were made with seed 1, not 2"):
        refuse_others(Path("out"), {"cue": "a", "seed": 1}, {"cue": "a", "seed": 2})
    with pytest.raises(ConfigError, match="were made with cut otsu, not as usual"):
        refuse_others(Path("out"), {"cut": "otsu"}, {})


FAILING = "def mask(photo, name):\n    raise ValueError('not yet')\n"
MENDED = "def mask(photo, name):\n    return photo[..., 0] > photo.mean()\n"


@pytest.mark.parametrize("shard", [None, "1/1", "1/2"])
def test_a_function_is_mended_after_it_failed(photos: Path, tmp_path: Path, monkeypatch, shard: str | None) -> None:
    """Its file is one of the settings; no mask was made with the old one."""
    out = tmp_path / "out"
    for number, text in enumerate((FAILING, MENDED)):
        own = tmp_path / str(number) / "own.py"  # a module is imported once
        own.parent.mkdir()
        own.write_text(text)
        asked = {"source": f"callable:{own}:mask", "split": "test", "shard": shard}
        if number == 0:
            with pytest.raises(DataError, match="not yet"):
                write_masks(str(photos), out, **asked)
            assert json.loads((out / "masks.json").read_text())["settings"]["cue"].endswith("0/own.py:mask")
        else:
            assert write_masks(str(photos), out, **asked)["images"] > 0
            assert json.loads((out / "masks.json").read_text())["settings"]["cue"].endswith("1/own.py:mask")
    with pytest.raises(ConfigError, match="were made with"):
        write_masks(str(photos), out, source="random", split="test")
