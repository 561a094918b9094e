"""What a model was made from, as `create_model` notes it and as it comes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import dapt
from dapt.config import DaptOptions
from dapt.model.made_with import MadeWith
from helpers import tiny_clip


def test_a_model_put_together_by_hand_has_no_method() -> None:
    assert MadeWith().method == ""
    assert MadeWith().dapt == DaptOptions()
    assert not MadeWith().dapt.enabled


def test_models_say_their_method_with_its_variant_and_their_options(tmp_path: Path) -> None:
    model = dapt.create_model(tiny_clip(), "coop.csc", ["cat", "dog"], dapt={"margin": 0.25})
    assert model.made_with == MadeWith("coop.csc", DaptOptions(enabled=True, margin=0.25))
    again = dapt.load_model(model.save_pretrained(tmp_path / "m"), model=tiny_clip())
    assert again.made_with == model.made_with


def test_it_is_not_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MadeWith("coop").method = "maple"
