"""Resume states of other versions are refused as what they are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.digests import DIGEST
from dapt.errors import ModelError
from dapt.runs.checkpoint import RUN_KEYS, STATE_KEYS, load_state, save_state

WHOLE = {**dict.fromkeys(STATE_KEYS), **dict.fromkeys(RUN_KEYS - {DIGEST})}


def test_a_whole_state_is_read_again(tmp_path: Path) -> None:
    save_state(tmp_path / "last.ckpt", WHOLE)
    assert load_state(tmp_path / "last.ckpt") == WHOLE


@pytest.mark.parametrize("missing", sorted(RUN_KEYS & set(WHOLE)))
def test_a_state_of_an_older_version_is_called_so(tmp_path: Path, missing: str) -> None:
    """The last one before this kept the masks themselves, in place of the prompts they are made from."""
    state = {**{key: value for key, value in WHOLE.items() if key != missing}, "masks": [torch.ones(2, 2)]}
    save_state(tmp_path / "last.ckpt", state)
    with pytest.raises(ModelError, match="written by another version of dapt") as found:
        load_state(tmp_path / "last.ckpt")
    assert "--overwrite" in found.value.todo


def test_what_is_no_state_is_called_so(tmp_path: Path) -> None:
    save_state(tmp_path / "last.ckpt", {"epoch": 1})
    with pytest.raises(ModelError, match="holds no resume state"):
        load_state(tmp_path / "last.ckpt")
